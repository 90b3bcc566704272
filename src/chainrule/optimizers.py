"""Optimizers: how a gradient changes the parameters.

Each works on one flat run of the parameter vector, in place: `w` the parameters, `g` their gradient, `slots` what the
optimizer remembers (one row for each name in `slot_names`), `rate` the step's learning rate, `t` the step from 1.

Two conventions exist for some of them, PyTorch's (the default) and scikit-learn's; each difference is a named option.
`weight_decay` adds `weight_decay * w` to the gradient, of biases too, as PyTorch does; `Model(l2=...)` charges
weights only. It may follow a schedule, `AdamW(weight_decay=FlatCosine(0.02))`: `decayed` is the optimizer of one step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.errors import InputError
from chainrule.limits import COUNT, DIVISOR, FRACTION, NOT_NEGATIVE, Limit, Limited
from chainrule.resolve import resolve
from chainrule.schedules import Constant, Schedule, base_of, follow, get_schedule


@dataclass(frozen=True)
class Optimizer(Limited):
    """What every optimizer has: a learning rate (a number or a schedule), and the arrays that it remembers.

    Your own: subclass it as a frozen dataclass, give `update` (and `slot_names`, if it remembers something).

    Arguments:
        learning_rate: a number above 0, or a schedule such as `Cosine(0.01)`.

    Raises:
        InputError: the learning rate is neither.

    >>> @dataclass(frozen=True)
    ... class Signs(Optimizer):
    ...     name, formula = "signs", "w = w - rate sign(g)"
    ...
    ...     def update(self, w, g, slots, rate, t):
    ...         w -= rate * np.sign(g)
    >>> w = np.array([1.0, 1.0])
    >>> Signs().update(w, np.array([20.0, -0.1]), np.zeros((0, 2)), rate=0.5, t=1)
    >>> w.tolist()
    [0.5, 1.5]
    """

    learning_rate: float | Schedule = 0.001

    name: ClassVar[str]
    formula: ClassVar[str]
    slot_names: ClassVar[tuple[str, ...]] = ()
    slot_letters: ClassVar[tuple[str, ...]] = ()  # what `step_formula` calls them, as they were before the step
    full_batch: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if "weight_decay" in self.limits:
            follow(self, "weight_decay")
        super().__post_init__()
        get_schedule(self.learning_rate)
        if isinstance(self.learning_rate, dict):
            object.__setattr__(self, "learning_rate", get_schedule(self.learning_rate))

    @cached_property
    def schedule(self) -> Schedule:
        """The learning rate as a schedule."""
        return get_schedule(self.learning_rate)

    def start(self, slots: Array) -> None:
        """Fill the slots before the first step; zeros unless an optimizer says otherwise.

        Arguments:
            slots: what the optimizer remembers, shape (slots, parameters); changed in place.

        >>> slots = np.zeros((1, 2))
        >>> AdaGrad(initial_accumulator=0.5).start(slots)
        >>> slots.tolist()
        [[0.5, 0.5]]
        """
        if slots.any():  # what was never written takes no memory
            slots[...] = 0

    def update(self, w: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        """Change parameters and slots in place by one step.

        Arguments:
            w: the parameters, shape (parameters,).
            g: their gradient, which is left as it is.
            slots: what the optimizer remembers, shape (slots, parameters).
            rate: the learning rate of this step.
            t: the step, from 1.
        """
        raise NotImplementedError

    @cached_property
    def decay(self) -> float:
        """The weight decay as a number: of a schedule the one that it begins from or rises to."""
        return base_of(getattr(self, "weight_decay", 0.0))

    @property
    def decay_schedule(self) -> Schedule | None:
        """What the weight decay follows, if it isn't the same in every step."""
        decay = getattr(self, "weight_decay", 0.0)
        return decay if isinstance(decay, Schedule) else None

    def decayed(self, factor: float, decay: float | None = None) -> Optimizer:
        """The optimizer for parameters whose weight decay is `factor` times `decay`; itself where that is the same.

        Arguments:
            factor: what the weight decay is multiplied by.
            decay: that of the step at hand, where it follows a schedule; None is the optimizer's own.

        >>> AdamW(weight_decay=0.01).decayed(0.5).weight_decay
        0.005
        """
        wanted = factor * (self.decay if decay is None else decay)
        return self if getattr(self, "weight_decay", 0.0) == wanted else replace(self, weight_decay=wanted)  # type: ignore[call-arg]  # it has the field

    def step_formula(self, t: int) -> str:
        """What `update` does to one parameter in one step, as one formula with these options.

        Arguments:
            t: the step, from 1.

        >>> SGD(momentum=0.9).step_formula(2)
        'w+ = w - rate v, v = momentum v0 + g'
        """
        raise NotImplementedError

    def _decayed(self, formula: str, weight_decay: float) -> str:
        """The formula with weight decay in the gradient, where there is any."""
        return f"{formula.replace(' g', ' d')}, d = g + weight_decay w" if weight_decay else formula


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, with momentum and Nesterov's look ahead if wanted.

    `convention="torch"`: `v = momentum v + (1 - dampening) g; w -= rate v` (Nesterov: `w -= rate (g + momentum v)`).
    `convention="sklearn"`: the rate is inside the velocity: `v = momentum v - rate g; w += v` (Nesterov:
    `w += momentum v - rate g`). They differ when the rate changes. Sutskever, Martens, Dahl and Hinton, 2013, "On the
    importance of initialization and momentum in deep learning".

    Arguments:
        learning_rate: a number above 0, or a schedule such as `Cosine(0.01)`.
        momentum: the part of the velocity that stays, from 0 to 1; with 0 there is none.
        nesterov: whether the gradient is taken as if the step of the momentum had been made.
        dampening: the part of each gradient but the first that the velocity doesn't take.
        weight_decay: what is added to the gradient is `weight_decay * w`, of biases too, as PyTorch does.
        convention: "torch" or "sklearn", as above.

    Raises:
        InputError: an option is outside of its limits, or two of them exclude each other.

    >>> w, slots = np.array([1.0]), np.zeros((len(SGD(momentum=0.9).slot_names), 1))
    >>> SGD(momentum=0.9).update(w, np.array([2.0]), slots, rate=0.1, t=1)
    >>> w.round(6).tolist()
    [0.8]
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    dampening: float = 0.0
    weight_decay: float | Schedule = 0.0
    convention: Literal["torch", "sklearn"] = "torch"

    name = "sgd"
    native = Native("sgd", "momentum", "nesterov", "dampening", weight_decay="decay")
    formula = "v = momentum v + g; w = w - rate v"
    slot_names = ("velocity",)
    slot_letters = ("v0",)
    limits = {"momentum": Limit(0, 1), "dampening": FRACTION, "weight_decay": NOT_NEGATIVE}

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_convention(self)
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise InputError("SGD: nesterov needs a momentum above 0 and no dampening")
        if self.convention == "sklearn" and self.dampening:
            raise InputError('SGD: dampening exists in the convention "torch" only')

    def update(self, w: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        (v,) = slots
        if self.decay:
            g = g + self.decay * w
        if self.momentum == 0:
            w -= rate * g
        elif self.convention == "sklearn":
            v *= self.momentum
            v -= rate * g
            w += self.momentum * v - rate * g if self.nesterov else v
        else:
            v *= self.momentum
            v += g if t == 1 else (1 - self.dampening) * g  # the first gradient enters undamped
            w -= rate * (g + self.momentum * v if self.nesterov else v)

    def step_formula(self, t: int) -> str:
        if self.momentum == 0:
            text = "w+ = w - rate g"
        elif self.convention == "sklearn":
            step = "momentum v - rate g" if self.nesterov else "v"
            text = f"w+ = w + {step}, v = momentum v0 - rate g"
        else:
            step = "rate ( g + momentum v)" if self.nesterov else "rate v"
            text = f"w+ = w - {step}, v = momentum v0 + {'(1 - dampening) ' * (self.dampening > 0 and t > 1)}g"
        return self._decayed(text, self.decay).replace("( ", "(")


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """Each parameter's rate falls with its squared gradients so far: `s += g^2; w -= rate g / (sqrt(s) + epsilon)`.

    Duchi, Hazan and Singer, 2011, "Adaptive subgradient methods for online learning and stochastic optimization".

    Arguments:
        learning_rate: a number above 0, or a schedule such as `Cosine(0.01)`.
        epsilon: what keeps the quotient finite, above 0.
        rate_decay: the rate of step t is divided by `1 + (t - 1) rate_decay`.
        initial_accumulator: what the sum of squares begins with.
        weight_decay: what is added to the gradient is `weight_decay * w`, of biases too, as PyTorch does.

    Raises:
        InputError: an option is outside of its limits.

    >>> w, slots = np.array([1.0]), np.zeros((len(AdaGrad().slot_names), 1))
    >>> AdaGrad().update(w, np.array([2.0]), slots, rate=0.1, t=1)
    >>> w.round(6).tolist()
    [0.9]
    """

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-10
    rate_decay: float = 0.0
    initial_accumulator: float = 0.0
    weight_decay: float | Schedule = 0.0

    name = "adagrad"
    native = Native("adagrad", "epsilon", "rate_decay", weight_decay="decay")
    formula = "s = s + g^2; w = w - rate / (1 + (t - 1) rate_decay) g / (sqrt(s) + epsilon)"
    slot_names = ("squares",)
    slot_letters = ("s0",)
    limits = {
        "epsilon": DIVISOR, "rate_decay": NOT_NEGATIVE, "initial_accumulator": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
    }  # fmt: skip

    def start(self, slots: Array) -> None:
        slots[...] = self.initial_accumulator

    def update(self, w: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        (s,) = slots
        if self.decay:
            g = g + self.decay * w
        s += g * g
        w -= rate / (1 + (t - 1) * self.rate_decay) * g / (np.sqrt(s) + self.epsilon)

    def step_formula(self, t: int) -> str:
        decay = " / (1 + (t - 1) rate_decay)" if self.rate_decay else ""
        return self._decayed(f"w+ = w - rate{decay} g / (sqrt(s) + epsilon), s = s0 + g^2", self.decay)


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """Each gradient divided by the root of a running mean of its squares.

    `s = rho s + (1 - rho) g^2; w -= rate g / (sqrt(s) + epsilon)` (Tieleman and Hinton, 2012, lecture 6.5 of "Neural
    networks for machine learning").

    Arguments:
        learning_rate: a number above 0, or a schedule such as `Cosine(0.01)`.
        rho: the part of the running mean that stays, from 0 to below 1.
        epsilon: what keeps the quotient finite, above 0.
        momentum: the part of the last step that is made again.
        centered: divides by the standard deviation, the mean of the gradients taken off.
        weight_decay: what is added to the gradient is `weight_decay * w`, of biases too, as PyTorch does.

    Raises:
        InputError: an option is outside of its limits.

    >>> w, slots = np.array([1.0]), np.zeros((len(RMSProp(rho=0.75).slot_names), 1))
    >>> RMSProp(rho=0.75).update(w, np.array([2.0]), slots, rate=0.1, t=1)
    >>> w.round(6).tolist()
    [0.8]
    """

    learning_rate: float | Schedule = 0.01
    rho: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0
    centered: bool = False
    weight_decay: float | Schedule = 0.0

    name = "rmsprop"
    native = Native("rmsprop", "rho", "epsilon", "momentum", "centered", weight_decay="decay")
    formula = "s = rho s + (1 - rho) g^2; w = w - rate g / (sqrt(s) + epsilon)"
    slot_names = ("squares", "velocity", "mean")
    slot_letters = ("s0", "v0", "m0")
    limits = {"rho": FRACTION, "epsilon": DIVISOR, "momentum": FRACTION, "weight_decay": NOT_NEGATIVE}

    def update(self, w: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        s, v, m = slots
        if self.decay:
            g = g + self.decay * w
        s *= self.rho
        s += (1 - self.rho) * g * g
        variance = s
        if self.centered:
            m *= self.rho
            m += (1 - self.rho) * g
            variance = s - m * m
        scaled = g / (np.sqrt(variance) + self.epsilon)
        if self.momentum:
            v *= self.momentum
            v += scaled
            scaled = v
        w -= rate * scaled

    def step_formula(self, t: int) -> str:
        variance = "s - m^2" if self.centered else "s"
        step = f"g / (sqrt({variance}) + epsilon)"
        text = f"w+ = w - rate (momentum v0 + {step})" if self.momentum else f"w+ = w - rate {step}"
        text += ", s = rho s0 + (1 - rho) g^2" + ", m = rho m0 + (1 - rho) g" * self.centered
        return self._decayed(text, self.decay)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Running means of gradients and of their squares, both corrected for their start (Kingma and Ba, 2015).

    `m = beta1 m + (1 - beta1) g; s = beta2 s + (1 - beta2) g^2; m^ = m / (1 - beta1^t); s^ = s / (1 - beta2^t)`.
    `convention="torch"`: `w -= rate m^ / (sqrt(s^) + epsilon)`, epsilon beside the corrected root. `"sklearn"`: the
    correction is in the rate and epsilon beside the raw root,
    `w -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(s) + epsilon)`.

    Arguments:
        learning_rate: a number above 0, or a schedule such as `Cosine(0.01)`.
        beta1: the part of the mean of gradients that stays, from 0 to below 1.
        beta2: the same of the mean of squares.
        epsilon: what keeps the quotient finite, above 0.
        weight_decay: what is added to the gradient is `weight_decay * w`, of biases too, as PyTorch does.
        amsgrad: divides by the largest mean of squares so far (Reddi, Kale and Kumar, 2018).
        convention: "torch" or "sklearn", as above.

    Raises:
        InputError: an option is outside of its limits, or two of them exclude each other.

    >>> w, slots = np.array([1.0]), np.zeros((len(Adam().slot_names), 1))
    >>> Adam().update(w, np.array([2.0]), slots, rate=0.1, t=1)
    >>> w.round(6).tolist()
    [0.9]
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float | Schedule = 0.0
    amsgrad: bool = False
    convention: Literal["torch", "sklearn"] = "torch"

    name = "adam"
    native = Native("adam", "beta1", "beta2", "epsilon", "amsgrad", "decoupled", weight_decay="decay")
    formula = (
        "m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g^2; w = w - rate m / (1 - b1^t) / (sqrt(s / (1 - b2^t)) + epsilon)"
    )
    slot_names = ("mean", "squares", "largest")
    slot_letters = ("m0", "s0", "largest")
    decoupled: ClassVar[bool] = False
    limits = {"beta1": FRACTION, "beta2": FRACTION, "epsilon": DIVISOR, "weight_decay": NOT_NEGATIVE}

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_convention(self)
        if self.convention == "sklearn" and self.amsgrad:
            raise InputError('Adam: amsgrad exists in the convention "torch" only')

    def update(self, w: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        m, s, largest = slots
        if self.decay and self.decoupled:
            w *= 1 - rate * self.decay
        elif self.decay:
            g = g + self.decay * w
        m *= self.beta1
        m += (1 - self.beta1) * g
        s *= self.beta2
        s += (1 - self.beta2) * g * g
        if self.amsgrad:
            np.maximum(largest, s, out=largest)
        correction1, correction2 = 1 - self.beta1**t, math.sqrt(1 - self.beta2**t)
        root = np.sqrt(largest if self.amsgrad else s)
        if self.convention == "torch":
            root /= correction2
            rate = rate / correction1
        else:
            rate = rate * correction2 / correction1
        root += self.epsilon
        np.divide(m, root, out=root)
        root *= rate
        w -= root

    def step_formula(self, t: int) -> str:
        squares = "max(largest, s)" if self.amsgrad else "s"
        decayed = "w (1 - rate weight_decay)" if self.decay and self.decoupled else "w"
        if self.convention == "torch":
            step = f"rate m / (1 - beta1^t) / (sqrt({squares} / (1 - beta2^t)) + epsilon)"
        else:
            step = f"rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt({squares}) + epsilon)"
        text = f"w+ = {decayed} - {step}, m = beta1 m0 + (1 - beta1) g, s = beta2 s0 + (1 - beta2) g^2"
        return self._decayed(text, 0.0 if self.decoupled else self.decay)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay acts on the weights, not by the gradient: `w -= rate weight_decay w`, then Adam.

    Loshchilov and Hutter, 2019, "Decoupled weight decay regularization".

    Arguments:
        learning_rate: a number above 0, or a schedule such as `Cosine(0.01)`.
        beta1: the part of the mean of gradients that stays, from 0 to below 1.
        beta2: the same of the mean of squares.
        epsilon: what keeps the quotient finite, above 0.
        weight_decay: the part of every weight that goes in a step of rate 1.
        amsgrad: divides by the largest mean of squares so far.
        convention: where epsilon stands, as for `Adam`.

    Raises:
        InputError: an option is outside of its limits, or two of them exclude each other.

    >>> w, slots = np.array([1.0]), np.zeros((len(AdamW(weight_decay=1.0).slot_names), 1))
    >>> AdamW(weight_decay=1.0).update(w, np.array([2.0]), slots, rate=0.1, t=1)
    >>> w.round(6).tolist()
    [0.8]
    """

    weight_decay: float | Schedule = 0.01

    name = "adamw"
    native = Adam.native
    formula = "w = w (1 - rate weight_decay), then Adam"
    decoupled = True


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """Limited-memory BFGS over the whole data, by SciPy over our gradients (Byrd, Lu, Nocedal and Zhu, 1995).

    An epoch is one of its iterations. It has no learning rate, and needs a loss that is the same at every call: it
    refuses dropout.

    Arguments:
        memory: how many pairs of steps and gradients stand for the second derivative.
        gradient_tolerance: it stops when the gradient's largest element is at most this.
        loss_tolerance: it stops when the loss falls by less than this part of it.
        max_evaluations: how often loss and gradient may be asked for.

    Raises:
        InputError: an option is outside of its limits.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error", LBFGS(memory=5), dtype="float64")
    >>> history = model.fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=50)
    >>> model.predict([[3.0]]).round(3).tolist()
    [[7.0]]
    """

    learning_rate: float | Schedule = field(default=1.0, init=False)
    memory: int = 10
    gradient_tolerance: float = 1e-6
    loss_tolerance: float = 1e-9
    max_evaluations: int = 15_000

    name = "lbfgs"
    native = Native("lbfgs")  # SciPy's steps over the core's gradients
    formula = "w = w + step direction, direction = -H g with H from the last pairs of steps and gradients"
    full_batch = True
    limits = {
        "memory": Limit(1, 1000, whole=True),
        "gradient_tolerance": NOT_NEGATIVE, "loss_tolerance": NOT_NEGATIVE, "max_evaluations": COUNT,
    }  # fmt: skip


def _check_convention(optimizer: SGD | Adam) -> None:
    if optimizer.convention not in ("torch", "sklearn"):
        raise InputError(
            f'{type(optimizer).__name__}: convention is {optimizer.convention!r}; it must be "torch" or "sklearn"'
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {cls.name: cls for cls in (SGD, AdaGrad, RMSProp, Adam, AdamW, LBFGS)}


def get_optimizer(given: object) -> Optimizer:
    """The optimizer that a name, a JSON form or an object stands for.

    Arguments:
        given: a name, the form of a saved model, an optimizer or its class.

    Raises:
        InputError: there is no such optimizer, or no such option of it.

    >>> get_optimizer("sgd")
    SGD(learning_rate=0.01, momentum=0.0, nesterov=False, dampening=0.0, weight_decay=0.0, convention='torch')
    """
    return resolve("optimizer", given, Optimizer, OPTIMIZERS)


__all__ = [
    "LBFGS", "OPTIMIZERS", "SGD", "AdaGrad", "Adam", "AdamW", "Constant", "Optimizer", "RMSProp", "get_optimizer",
]  # fmt: skip
