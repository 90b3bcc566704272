"""Activation functions: each with its formula and its derivative, one under the other.

An activation maps pre-activations `z` to activations `h = f(z)`; both have shape (rows, units).
Going back it turns `dL/dh` into `dL/dz`: its vector-Jacobian product. For an elementwise function that is
`dL/dz = dL/dh * f'(z)`; softmax couples the units of a row and has a product of its own.

`needs` says what the derivative is computed from, and so what the layer keeps in its memo: `"z"` or `"h"`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.limits import NOT_NEGATIVE, Limited
from chainrule.resolve import resolve


@dataclass(frozen=True)
class ActivationFunction(Limited):
    """What every activation has; elementwise ones need only `value` and `derivative`.

    Your own: subclass it as a frozen dataclass, and hand in an instance.

    >>> @dataclass(frozen=True)
    ... class Square(ActivationFunction):
    ...     name, formula, derivative_formula, needs = "square", "h = z^2", "dh/dz = 2 z", "z"
    ...
    ...     def value(self, z):
    ...         return z * z
    ...
    ...     def derivative(self, kept):
    ...         return 2 * kept
    >>> z = np.array([[3.0]])
    >>> Square().value(z).tolist(), Square().backward(z, np.array([[10.0]])).tolist()
    ([[9.0]], [[60.0]])
    """

    name: ClassVar[str]
    formula: ClassVar[str] = ""
    derivative_formula: ClassVar[str] = ""
    needs: ClassVar[Literal["z", "h"]] = "h"
    coupled: ClassVar[bool] = False  # whether the units of a row depend on each other
    trainable: ClassVar[bool] = True
    initializer: ClassVar[str] = "glorot_uniform"  # what a Dense layer before it starts from

    @property
    def formulas(self) -> tuple[str, str]:
        """The texts of `f` and `f'` with the options of this instance."""
        return self.formula, self.derivative_formula

    def value(self, z: Array) -> Array:
        """`h = f(z)`.

        Arguments:
            z: the pre-activations, shape (rows, units), which is the shape of the result.
        """
        raise NotImplementedError

    def derivative(self, kept: Array) -> Array:
        """`f'` at each element.

        Arguments:
            kept: what `needs` names, z or h, of shape (rows, units).
        """
        raise NotImplementedError

    def backward(self, kept: Array, d_h: Array) -> Array:
        """`dL/dz` from `dL/dh`.

        Arguments:
            kept: what `needs` names, z or h, of shape (rows, units).
            d_h: `dL/dh`, of the same shape.
        """
        return d_h * self.derivative(kept)


@dataclass(frozen=True)
class Linear(ActivationFunction):
    """The identity, `h = z`: the head of a regression.

    >>> Linear().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-1.0, 0.0, 2.0]]
    """

    name = "linear"
    native = Native("linear")
    formula = "h = z"
    derivative_formula = "dh/dz = 1"

    def value(self, z: Array) -> Array:
        return z

    def derivative(self, kept: Array) -> Array:
        return np.ones_like(kept)

    def backward(self, kept: Array, d_h: Array) -> Array:
        return d_h


@dataclass(frozen=True)
class Sigmoid(ActivationFunction):
    """The logistic function, `h = 1 / (1 + exp(-z))`, from 0 to 1; its inverse is the log-odds `log(h / (1 - h)) = z`.

    The head of yes-or-no questions.

    >>> Sigmoid().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[0.2689, 0.5, 0.8808]]
    """

    name = "sigmoid"
    native = Native("sigmoid")
    formula = "h = 1 / (1 + exp(-z))"
    derivative_formula = "dh/dz = h (1 - h)"

    def value(self, z: Array) -> Array:
        return sigmoid(z)

    def derivative(self, kept: Array) -> Array:
        return kept * (1 - kept)


@dataclass(frozen=True)
class Tanh(ActivationFunction):
    """The hyperbolic tangent, from -1 to 1; its derivative is `1 - h^2`.

    >>> Tanh().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-0.7616, 0.0, 0.964]]
    """

    name = "tanh"
    native = Native("tanh")
    formula = "h = (exp(z) - exp(-z)) / (exp(z) + exp(-z))"
    derivative_formula = "dh/dz = 1 - h^2"

    def value(self, z: Array) -> Array:
        return np.tanh(z)

    def derivative(self, kept: Array) -> Array:
        return 1 - kept * kept


@dataclass(frozen=True)
class ReLU(ActivationFunction):
    """The rectified linear unit, `h = max(0, z)`; at z = 0, where no derivative exists, it takes 0.

    Nair and Hinton, 2010, "Rectified linear units improve restricted Boltzmann machines".

    >>> ReLU().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[0.0, 0.0, 2.0]]
    """

    name = "relu"
    native = Native("relu")
    formula = "h = max(0, z)"
    derivative_formula = "dh/dz = 1 if h > 0 else 0"
    initializer = "he_uniform"

    def value(self, z: Array) -> Array:
        return np.maximum(z, 0)

    def derivative(self, kept: Array) -> Array:
        return (kept > 0).astype(kept.dtype)

    def backward(self, kept: Array, d_h: Array) -> Array:
        return d_h * (kept > 0)


@dataclass(frozen=True)
class LeakyReLU(ActivationFunction):
    """ReLU with a small slope on the negative side, so that no unit dies: `h = z if z > 0 else slope z`.

    Maas, Hannun and Ng, 2013, "Rectifier nonlinearities improve neural network acoustic models".

    Arguments:
        slope: the derivative on the negative side and at 0, of at least 0.

    Raises:
        InputError: slope is negative.

    >>> LeakyReLU(slope=0.25).value(np.array([[-1.0, 0.0, 2.0]])).tolist()
    [[-0.25, 0.0, 2.0]]
    """

    slope: float = 0.01

    name = "leaky_relu"
    native = Native("leaky_relu", parameter="slope")
    formula = "h = z if z > 0 else slope z"
    derivative_formula = "dh/dz = 1 if z > 0 else slope"
    initializer = "he_uniform"
    needs = "z"
    limits = {"slope": NOT_NEGATIVE}

    def value(self, z: Array) -> Array:
        return np.where(z > 0, z, z * self.slope)

    def derivative(self, kept: Array) -> Array:
        return np.where(kept > 0, 1, self.slope).astype(kept.dtype)


@dataclass(frozen=True)
class ELU(ActivationFunction):
    """The exponential linear unit: `h = z if z > 0 else alpha (exp(z) - 1)`.

    Clevert, Unterthiner and Hochreiter, 2016, "Fast and accurate deep network learning by exponential linear units".

    Arguments:
        alpha: minus the value that it approaches below 0, itself at least 0; with 1 the derivative has no jump.

    Raises:
        InputError: alpha is negative.

    >>> ELU(alpha=2.0).value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-1.2642, 0.0, 2.0]]
    """

    alpha: float = 1.0

    name = "elu"
    native = Native("elu", parameter="alpha")
    formula = "h = z if z > 0 else alpha (exp(z) - 1)"
    derivative_formula = "dh/dz = 1 if z > 0 else alpha exp(z)"
    needs = "z"
    initializer = "he_uniform"
    limits = {"alpha": NOT_NEGATIVE}

    def value(self, z: Array) -> Array:
        return np.where(z > 0, z, self.alpha * np.expm1(np.minimum(z, 0)))

    def derivative(self, kept: Array) -> Array:
        return np.where(kept > 0, 1, self.alpha * np.exp(np.minimum(kept, 0)))


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@dataclass(frozen=True)
class SELU(ActivationFunction):
    """ELU with the two constants that keep mean 0 and variance 1: `h = s z if z > 0 else s a (exp(z) - 1)`.

    With weights that start from `lecun_normal` (Klambauer et al., 2017, "Self-normalizing neural networks").

    >>> SELU().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-1.1113, 0.0, 2.1014]]
    """

    name = "selu"
    native = Native("selu")
    formula = "h = s z if z > 0 else s a (exp(z) - 1), s = 1.0507009873554805, a = 1.6732632423543772"
    derivative_formula = "dh/dz = s if z > 0 else s a exp(z), s = 1.0507009873554805, a = 1.6732632423543772"
    needs = "z"
    initializer = "lecun_normal"

    def value(self, z: Array) -> Array:
        scaled = SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(z, 0))
        return np.where(z > 0, SELU_SCALE * z, scaled)

    def derivative(self, kept: Array) -> Array:
        scaled = SELU_SCALE * SELU_ALPHA * np.exp(np.minimum(kept, 0))
        return np.where(kept > 0, SELU_SCALE, scaled)


@dataclass(frozen=True)
class GELU(ActivationFunction):
    """The Gaussian error linear unit, `h = z Phi(z)`, with Phi the distribution function of the standard normal.

    Hendrycks and Gimpel, 2016, "Gaussian error linear units (GELUs)".

    Arguments:
        approximate: their approximation by a tanh, `h = z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2`.

    >>> GELU().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-0.1587, 0.0, 1.9545]]
    >>> GELU(approximate=True).value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-0.1588, 0.0, 1.9546]]
    """

    approximate: bool = False

    name = "gelu"
    native = Native("gelu", parameter="approximate")
    formula = "h = z Phi(z), Phi(z) = (1 + erf(z / sqrt(2))) / 2"
    derivative_formula = "dh/dz = Phi(z) + z exp(-z^2 / 2) / sqrt(2 pi)"
    needs = "z"
    initializer = "he_uniform"

    @property
    def formulas(self) -> tuple[str, str]:
        if not self.approximate:
            return super().formulas
        inner = "t = tanh(sqrt(2 / pi) (z + 0.044715 z^3))"
        slope = "s = sqrt(2 / pi) (1 + 0.134145 z^2)"
        return f"h = z (1 + t) / 2, {inner}", f"dh/dz = (1 + t + z (1 - t^2) s) / 2, {inner}, {slope}"

    def value(self, z: Array) -> Array:
        if self.approximate:
            return 0.5 * z * (1 + np.tanh(self._inner(z)))
        return z * _normal_cdf(z)

    def derivative(self, kept: Array) -> Array:
        z = kept
        if self.approximate:
            t = np.tanh(self._inner(z))
            slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
            return 0.5 * (1 + t + z * (1 - t * t) * slope)
        return _normal_cdf(z) + z * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

    @staticmethod
    def _inner(z: Array) -> Array:
        return math.sqrt(2 / math.pi) * (z + 0.044715 * z * z * z)


@dataclass(frozen=True)
class SiLU(ActivationFunction):
    """The sigmoid-weighted linear unit, also called swish: `h = z / (1 + exp(-z))`.

    Elfwing, Uchibe and Doya, 2018; Ramachandran, Zoph and Le, 2017, "Searching for activation functions".

    >>> SiLU().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-0.2689, 0.0, 1.7616]]
    """

    name = "silu"
    native = Native("silu")
    formula = "h = z s, s = 1 / (1 + exp(-z))"
    derivative_formula = "dh/dz = s (1 + z (1 - s)), s = 1 / (1 + exp(-z))"
    needs = "z"
    initializer = "he_uniform"

    def value(self, z: Array) -> Array:
        return z * sigmoid(z)

    def derivative(self, kept: Array) -> Array:
        s = sigmoid(kept)
        return s * (1 + kept * (1 - s))


@dataclass(frozen=True)
class Mish(ActivationFunction):
    """z times the tanh of its softplus: `h = z tanh(log(1 + exp(z)))`.

    Misra, 2019, "Mish: a self regularized non-monotonic activation function".

    >>> Mish().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[-0.3034, 0.0, 1.944]]
    """

    name = "mish"
    native = Native("mish")
    formula = "h = z t, t = tanh(log(1 + exp(z)))"
    derivative_formula = "dh/dz = t + z s (1 - t^2), s = 1 / (1 + exp(-z)), t = tanh(log(1 + exp(z)))"
    needs = "z"
    initializer = "he_uniform"

    def value(self, z: Array) -> Array:
        return z * np.tanh(np.logaddexp(z, 0))

    def derivative(self, kept: Array) -> Array:
        t = np.tanh(np.logaddexp(kept, 0))
        return t + kept * sigmoid(kept) * (1 - t * t)


@dataclass(frozen=True)
class Softplus(ActivationFunction):
    """A smooth ReLU, `h = log(1 + exp(z))`; its derivative is the sigmoid. Its values are positive.

    >>> Softplus().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[0.3133, 0.6931, 2.1269]]
    """

    name = "softplus"
    native = Native("softplus")
    formula = "h = log(1 + exp(z))"
    derivative_formula = "dh/dz = 1 / (1 + exp(-z))"
    needs = "z"
    initializer = "he_uniform"

    def value(self, z: Array) -> Array:
        return np.logaddexp(z, 0)

    def derivative(self, kept: Array) -> Array:
        return sigmoid(kept)


@dataclass(frozen=True)
class Exponential(ActivationFunction):
    """The exponential, `h = exp(z)`, its own derivative: the head of a Poisson regression.

    >>> Exponential().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[0.3679, 1.0, 7.3891]]
    """

    name = "exponential"
    native = Native("exponential")
    formula = "h = exp(z)"
    derivative_formula = "dh/dz = h"

    def value(self, z: Array) -> Array:
        return np.exp(z)

    def derivative(self, kept: Array) -> Array:
        return kept


@dataclass(frozen=True)
class Softmax(ActivationFunction):
    """Positive numbers that sum to 1 over a row, `h_j = exp(z_j) / sum_k exp(z_k)`: the head of a classification.

    >>> Softmax().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[0.042, 0.1142, 0.8438]]
    """

    name = "softmax"
    native = Native("softmax")
    coupled = True
    formula = "h_j = exp(z_j) / sum_k exp(z_k)"
    derivative_formula = "dh_i/dz_j = h_i ([i = j] - h_j)"

    def value(self, z: Array) -> Array:
        e = np.exp(z - z.max(axis=-1, keepdims=True))  # shifting z changes nothing but the range
        return e / e.sum(axis=-1, keepdims=True)

    def derivative(self, kept: Array) -> Array:
        """The whole Jacobian of each row, shape (rows, units, units): `h_i ([i = j] - h_j)`."""
        return kept[:, :, None] * (np.eye(kept.shape[1], dtype=kept.dtype) - kept[:, None, :])

    def backward(self, kept: Array, d_h: Array) -> Array:
        """`dL/dz_j = h_j (dL/dh_j - sum_i dL/dh_i h_i)`."""
        return kept * (d_h - (d_h * kept).sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Threshold(ActivationFunction):
    """The unit step of the perceptron, `h = 1 if z >= 0 else 0`.

    Its derivative is 0 wherever it exists, so nothing before it can learn: a model that has such parameters raises a
    `TrainingError` where its gradients are wanted (Rosenblatt, 1958, "The perceptron").

    >>> Threshold().value(np.array([[-1.0, 0.0, 2.0]])).round(4).tolist()
    [[0.0, 1.0, 1.0]]
    """

    name = "threshold"
    native = Native("threshold")
    formula = "h = 1 if z >= 0 else 0"
    derivative_formula = "dh/dz = 0"
    trainable = False

    def value(self, z: Array) -> Array:
        return (z >= 0).astype(z.dtype)

    def derivative(self, kept: Array) -> Array:
        return np.zeros_like(kept)


def sigmoid(z: Array) -> Array:
    """`1 / (1 + exp(-z))`, to full relative precision at both ends.

    Arguments:
        z: numbers of any shape.

    >>> sigmoid(np.array([-40.0, 0.0, 5.0, 5000.0])).tolist()
    [4.248354255291589e-18, 0.5, 0.9933071490757153, 1.0]
    """
    e = np.exp(-np.abs(z))  # at most 1: nothing overflows, and small results keep their digits
    return np.where(z >= 0, 1, e) / (1 + e)


def _normal_cdf(z: Array) -> Array:
    from scipy.special import ndtr  # NumPy has no error function

    return ndtr(z)


ACTIVATIONS: dict[str, type[ActivationFunction]] = {
    cls.name: cls
    for cls in (
        Linear, Sigmoid, Tanh, ReLU, LeakyReLU, ELU, SELU, GELU, SiLU, Mish, Softplus, Exponential,
        Softmax, Threshold,
    )
}  # fmt: skip
ALIASES = {"identity": Linear, "logistic": Sigmoid, "swish": SiLU, "exp": Exponential, "step": Threshold}


def get_activation(given: object) -> ActivationFunction:
    """The activation that a name, a JSON form or an object stands for.

    Arguments:
        given: a name or another name of it ("swish"), the form of a saved model, an activation or its class.

    Raises:
        InputError: there is no such activation, or no such option of it.

    >>> get_activation("relu")
    ReLU()
    >>> get_activation({"name": "leaky_relu", "slope": 0.2})
    LeakyReLU(slope=0.2)
    """
    return resolve("activation", given, ActivationFunction, {**ACTIVATIONS, **ALIASES})
