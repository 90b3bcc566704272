"""Where weights start: from zero on average, with a spread that keeps signals alive through the layers.

A weight array is inputs x units; `fan_in` is its number of inputs, `fan_out` its number of units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from chainrule import random
from chainrule.arrays import Doubles
from chainrule.limits import NOT_NEGATIVE, NUMBER, Limited
from chainrule.resolve import resolve


@dataclass(frozen=True)
class Stream:
    """A place in the random stream: what the numbers of one span of one member are drawn from.

    Arguments:
        seed: the model's.
        span: which array of the network, in the order of its layout.
        member: which network of an ensemble.

    >>> Stream(seed=0, span=0).uniform((2,), -1.0, 1.0).shape
    (2,)
    """

    seed: int
    span: int
    member: int = 0

    def uniform(self, shape: tuple[int, ...], low: float, high: float) -> Doubles:
        """Numbers spread evenly over [low, high).

        Arguments:
            shape: that of the array.
            low: the smallest.
            high: above all of them.
        """
        u = random.uniform(math.prod(shape), self.seed, self.span, random.INITIALIZE, self.member)
        u *= high - low
        u += low
        return u.reshape(shape)

    def normal(self, shape: tuple[int, ...], std: float) -> Doubles:
        """Normal numbers of mean 0.

        Arguments:
            shape: that of the array.
            std: their standard deviation.
        """
        z = random.normal(math.prod(shape), self.seed, self.span, random.INITIALIZE, self.member)
        return (std * z).reshape(shape)


@dataclass(frozen=True)
class Initializer(Limited):
    """What every initializer has: numbers in float64 for an array of a given shape. Your own: subclass it, give `draw`.

    >>> @dataclass(frozen=True)
    ... class Ones(Initializer):
    ...     name, formula = "ones", "W = 1"
    ...
    ...     def draw(self, shape, stream):
    ...         return np.ones(shape)
    >>> Ones().draw((2,), Stream(seed=0, span=0)).tolist()
    [1.0, 1.0]
    """

    name: ClassVar[str]
    formula: ClassVar[str]

    def draw(self, shape: tuple[int, ...], stream: Stream) -> Doubles:
        """The starting values, the same whenever the stream is the same.

        Arguments:
            shape: inputs x units of a weight, or (units,) of a bias or a scale.
            stream: what random numbers are drawn from.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class _Scaled(Initializer):
    """Spread by the variance `scale / fan`, uniform or normal."""

    scale: ClassVar[float]
    fan: ClassVar[Literal["in", "mean"]]
    shape_of_draw: ClassVar[Literal["uniform", "normal"]]

    def draw(self, shape: tuple[int, ...], stream: Stream) -> Doubles:
        fan_in, fan_out = _fans(shape)
        variance = self.scale / (fan_in if self.fan == "in" else (fan_in + fan_out) / 2)
        if self.shape_of_draw == "normal":
            return stream.normal(shape, math.sqrt(variance))
        limit = math.sqrt(3 * variance)  # a uniform draw from [-a, a) has the variance a^2 / 3
        return stream.uniform(shape, -limit, limit)


@dataclass(frozen=True)
class GlorotUniform(_Scaled):
    """Xavier initialization, uniform: `W ~ U(-a, a), a = sqrt(6 / (fan_in + fan_out))`.

    For sigmoid, tanh and linear units: keeps the variance forward and back as well as one number can (Glorot
    and Bengio, 2010, "Understanding the difficulty of training deep feedforward neural networks").

    >>> W = GlorotUniform().draw((2, 4), Stream(seed=1, span=0))
    >>> W.shape, bool(abs(W).max() <= 1)
    ((2, 4), True)
    """

    name = "glorot_uniform"
    formula = "W ~ U(-a, a), a = sqrt(6 / (fan_in + fan_out))"
    scale, fan, shape_of_draw = 1.0, "mean", "uniform"


@dataclass(frozen=True)
class GlorotNormal(_Scaled):
    """Xavier initialization, normal: `W ~ N(0, 2 / (fan_in + fan_out))` (Glorot and Bengio, 2010).

    >>> GlorotNormal().draw((2, 3), Stream(seed=1, span=0)).shape
    (2, 3)
    """

    name = "glorot_normal"
    formula = "W ~ N(0, 2 / (fan_in + fan_out))"
    scale, fan, shape_of_draw = 1.0, "mean", "normal"


@dataclass(frozen=True)
class HeUniform(_Scaled):
    """He initialization, uniform: `W ~ U(-a, a), a = sqrt(6 / fan_in)`.

    For ReLU and its relatives, which let half of the signal through (He, Zhang, Ren and Sun, 2015, "Delving deep into
    rectifiers").

    >>> HeUniform().draw((2, 3), Stream(seed=1, span=0)).shape
    (2, 3)
    """

    name = "he_uniform"
    formula = "W ~ U(-a, a), a = sqrt(6 / fan_in)"
    scale, fan, shape_of_draw = 2.0, "in", "uniform"


@dataclass(frozen=True)
class HeNormal(_Scaled):
    """He initialization, normal: `W ~ N(0, 2 / fan_in)` (He, Zhang, Ren and Sun, 2015).

    >>> HeNormal().draw((2, 3), Stream(seed=1, span=0)).shape
    (2, 3)
    """

    name = "he_normal"
    formula = "W ~ N(0, 2 / fan_in)"
    scale, fan, shape_of_draw = 2.0, "in", "normal"


@dataclass(frozen=True)
class LeCunUniform(_Scaled):
    """LeCun initialization, uniform: `W ~ U(-a, a), a = sqrt(3 / fan_in)`.

    LeCun, Bottou, Orr and Müller, 1998, "Efficient backprop".

    >>> LeCunUniform().draw((2, 3), Stream(seed=1, span=0)).shape
    (2, 3)
    """

    name = "lecun_uniform"
    formula = "W ~ U(-a, a), a = sqrt(3 / fan_in)"
    scale, fan, shape_of_draw = 1.0, "in", "uniform"


@dataclass(frozen=True)
class LeCunNormal(_Scaled):
    """LeCun initialization, normal: `W ~ N(0, 1 / fan_in)`, for SELU (Klambauer et al., 2017).

    >>> LeCunNormal().draw((2, 3), Stream(seed=1, span=0)).shape
    (2, 3)
    """

    name = "lecun_normal"
    formula = "W ~ N(0, 1 / fan_in)"
    scale, fan, shape_of_draw = 1.0, "in", "normal"


@dataclass(frozen=True)
class Uniform(Initializer):
    """Spread evenly over an interval: `W ~ U(low, high)`.

    Arguments:
        low: the smallest number that is drawn.
        high: above all of them.

    Raises:
        InputError: one of them is infinite or no number.

    >>> W = Uniform(-1, 1).draw((2, 3), Stream(seed=1, span=0))
    >>> W.shape, bool(abs(W).max() <= 1)
    ((2, 3), True)
    """

    low: float = -0.05
    high: float = 0.05

    name = "uniform"
    formula = "W ~ U(low, high)"
    limits = {"low": NUMBER, "high": NUMBER}

    def draw(self, shape: tuple[int, ...], stream: Stream) -> Doubles:
        return stream.uniform(shape, self.low, self.high)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normally distributed around 0: `W ~ N(0, std^2)`.

    Arguments:
        std: the standard deviation.

    Raises:
        InputError: std is negative.

    >>> Normal(0.1).draw((2, 3), Stream(seed=1, span=0)).shape
    (2, 3)
    """

    std: float = 0.05

    name = "normal"
    formula = "W ~ N(0, std^2)"
    limits = {"std": NOT_NEGATIVE}

    def draw(self, shape: tuple[int, ...], stream: Stream) -> Doubles:
        return stream.normal(shape, self.std)


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere: for biases. (Weights that start equal stay equal: units of a layer never differ.)

    Arguments:
        value: the number.

    >>> Constant(0.5).draw((2,), Stream(seed=1, span=0)).tolist()
    [0.5, 0.5]
    """

    value: float = 0.0

    name = "constant"
    formula = "W = value"
    limits = {"value": NUMBER}

    def draw(self, shape: tuple[int, ...], stream: Stream) -> Doubles:
        return np.full(shape, float(self.value))


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Orthonormal columns (or rows, whichever are fewer) times `gain`: `W = gain Q, Q^T Q = I`.

    Keeps the length of signals exactly in linear layers (Saxe, McClelland and Ganguli, 2014, "Exact solutions to the
    nonlinear dynamics of learning in deep linear neural networks").

    Arguments:
        gain: the length of each column, or of each row.

    >>> W = Orthogonal().draw((3, 2), Stream(seed=1, span=0))
    >>> (W.T @ W).round(12).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    gain: float = 1.0

    name = "orthogonal"
    formula = "W = gain Q, Q^T Q = I"
    limits = {"gain": NUMBER}

    def draw(self, shape: tuple[int, ...], stream: Stream) -> Doubles:
        rows, columns = shape[0], math.prod(shape[1:])
        tall = stream.normal((max(rows, columns), min(rows, columns)), 1.0)
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diag(r))  # makes the draw uniform over the orthogonal matrices
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    return (shape[0], shape[1]) if len(shape) == 2 else (shape[0], shape[0])


INITIALIZERS: dict[str, type[Initializer]] = {
    cls.name: cls
    for cls in (
        GlorotUniform, GlorotNormal, HeUniform, HeNormal, LeCunUniform, LeCunNormal, Uniform, Normal, Constant,
        Orthogonal,
    )
}  # fmt: skip
ALIASES = {
    "xavier_uniform": GlorotUniform, "xavier_normal": GlorotNormal, "glorot": GlorotUniform, "xavier": GlorotUniform,
    "he": HeUniform, "kaiming": HeUniform, "lecun": LeCunNormal, "zeros": Constant,
}  # fmt: skip


def get_initializer(given: object) -> Initializer:
    """The initializer that a name, a JSON form or an object stands for.

    Arguments:
        given: a name or another name of it ("xavier"), the form of a saved network, an initializer or its class.

    Raises:
        InputError: there is no such initializer, or no such option of it.

    >>> get_initializer("xavier_normal")
    GlorotNormal()
    """
    return resolve("initializer", given, Initializer, {**INITIALIZERS, **ALIASES})
