"""Schedules: a number for every step of a fit, as a function of the step: learning rates, weight decay, dropout.

`t` is the step from 0, `e = t // steps_per_epoch` its epoch from 0, `T` all steps of the fit. Source of the
conventions: PyTorch's schedulers of the same names, stepped once an epoch (step, exponential, plateau) or once a step
(the others); inverse scaling is scikit-learn's, with the epoch as its time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.arrays import Doubles, Order
from chainrule.errors import InputError
from chainrule.limits import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Limit, Limited, check
from chainrule.resolve import resolve

PlateauState = dict[str, Any]
_NEVER = 2**53  # epochs: more than anybody trains, and a whole number that NumPy holds


@dataclass(frozen=True)
class Schedule(Limited):
    """What every schedule has: rates for an array of steps. Your own: subclass it and give `rates`.

    Arguments:
        rate: the learning rate, or whatever follows it, that it begins from or rises to, above 0.

    >>> @dataclass(frozen=True)
    ... class Halved(Schedule):
    ...     name, formula = "halved", "rate / 2"
    ...
    ...     def rates(self, steps, steps_per_epoch, total_steps):
    ...         return np.full(len(steps), self.rate / 2)
    >>> Halved(0.5).rates(np.arange(2), steps_per_epoch=2, total_steps=2).tolist()
    [0.25, 0.25]
    """

    rate: float

    name: ClassVar[str]
    formula: ClassVar[str]
    limits = {"rate": POSITIVE}

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        """The learning rate of each of some steps, shape (steps,).

        Arguments:
            steps: which, counted from 0 over the whole fit.
            steps_per_epoch: how many batches an epoch has.
            total_steps: how many steps the whole fit has.
        """
        raise NotImplementedError

    def observe(self, state: PlateauState, loss: float) -> PlateauState:
        """What a schedule that looks at losses remembers after an epoch; the others leave it as it is.

        Arguments:
            state: what it remembered before; `"scale"` multiplies the rates.
            loss: the epoch's, on held-out rows where there are some.

        >>> Constant(0.1).observe({}, 1.5)
        {}
        """
        return state


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate all the time.

    Arguments:
        rate: it, above 0.

    Raises:
        InputError: an option is outside of its limits.

    >>> Constant(0.1).rates(np.arange(3), 1, 3).tolist()
    [0.1, 0.1, 0.1]
    """

    name = "constant"
    formula = "rate"

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        return np.full(len(steps), float(self.rate))


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiplied by `factor` after every `every` epochs: `rate * factor ** floor(e / every)`.

    Arguments:
        rate: that of the first epochs.
        every: how many epochs have the same.
        factor: what it is multiplied by, above 0.

    Raises:
        InputError: an option is outside of its limits.

    >>> StepDecay(1.0, every=2, factor=0.5).rates(np.arange(6), 1, 6).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    every: int = 10
    factor: float = 0.1

    name = "step"
    formula = "rate * factor ** floor(e / every)"
    limits = {"rate": POSITIVE, "every": COUNT, "factor": POSITIVE}

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        return self.rate * self.factor ** (steps // steps_per_epoch // min(self.every, _NEVER)).astype(float)


@dataclass(frozen=True)
class Exponential(Schedule):
    """Multiplied by `factor` after every epoch: `rate * factor ** e`.

    Arguments:
        rate: that of the first epoch.
        factor: what it is multiplied by, above 0.

    Raises:
        InputError: an option is outside of its limits.

    >>> Exponential(1.0, factor=0.5).rates(np.arange(4), 2, 4).tolist()
    [1.0, 1.0, 0.5, 0.5]
    """

    factor: float = 0.95

    name = "exponential"
    formula = "rate * factor ** e"
    limits = {"rate": POSITIVE, "factor": POSITIVE}

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        return self.rate * self.factor ** (steps // steps_per_epoch).astype(float)


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """Falls with a power of the epoch: `rate / (e + 1) ** power`, as scikit-learn's "invscaling".

    Arguments:
        rate: that of the first epoch.
        power: how fast it falls, of at least 0.

    Raises:
        InputError: an option is outside of its limits.

    >>> InverseScaling(1.0, power=1.0).rates(np.arange(3), 1, 3).round(4).tolist()
    [1.0, 0.5, 0.3333]
    """

    power: float = 0.5

    name = "inverse_scaling"
    formula = "rate / (e + 1) ** power"
    limits = {"rate": POSITIVE, "power": NOT_NEGATIVE}

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        return self.rate / np.power(steps // steps_per_epoch + 1.0, self.power)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from `rate` down to `minimum`, after `warmup_epochs` of a straight rise from 0.

    Loshchilov and Hutter, 2017, "SGDR: stochastic gradient descent with warm restarts", without the restarts.

    Arguments:
        rate: the largest one.
        warmup_epochs: how many epochs it rises, which may be a part of one.
        minimum: what it approaches in the end.

    Raises:
        InputError: an option is outside of its limits.

    >>> Cosine(1.0).rates(np.arange(4), 4, 4).round(4).tolist()
    [1.0, 0.8536, 0.5, 0.1464]
    """

    warmup_epochs: float = 0.0
    minimum: float = 0.0

    name = "cosine"
    formula = "rate (t + 1) / w for t < w (warm-up); minimum + (rate - minimum) (1 + cos(pi (t - w) / (T - w))) / 2"
    limits = {"rate": POSITIVE, "warmup_epochs": NOT_NEGATIVE, "minimum": NOT_NEGATIVE}

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        warm = min(round(self.warmup_epochs * steps_per_epoch), total_steps)
        along = np.clip((steps - warm) / max(total_steps - warm, 1), 0, 1)
        falling = self.minimum + (self.rate - self.minimum) * (1 + np.cos(math.pi * along)) / 2
        return np.where(steps < warm, self.rate * (steps + 1) / max(warm, 1), falling)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up to `rate` over the first part and down far below the start over the rest, both half cosines.

    Smith and Topin, 2018, "Super-convergence: very fast training of neural networks using large learning rates".

    Arguments:
        rate: the peak.
        rise: the share of the steps until then, from 0 to below 1.
        start_divisor: it begins at `rate / start_divisor`.
        end_divisor: it ends at `rate / start_divisor / end_divisor`.

    Raises:
        InputError: an option is outside of its limits.

    >>> OneCycle(1.0, rise=0.5, start_divisor=4, end_divisor=8).rates(np.arange(4), 1, 4).round(4).tolist()
    [0.25, 1.0, 0.5156, 0.0312]
    """

    rise: float = 0.3
    start_divisor: float = 25.0
    end_divisor: float = 1e4

    name = "one_cycle"
    formula = "half a cosine from start to rate over rise T steps, then one from rate to end"
    limits = {"rate": POSITIVE, "rise": FRACTION, "start_divisor": POSITIVE, "end_divisor": POSITIVE}

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        start = self.rate / self.start_divisor
        end = start / self.end_divisor
        top = self.rise * total_steps - 1  # the step that has the full rate
        up = np.clip((steps - 0) / top, 0, 1) if top > 0 else np.ones(len(steps))
        down = np.clip((steps - top) / (total_steps - 1 - top), 0, 1)  # rise < 1 leaves a part of a step
        rising = self.rate + (start - self.rate) * (1 + np.cos(math.pi * up)) / 2
        falling = end + (self.rate - end) * (1 + np.cos(math.pi * down)) / 2
        return np.where(steps <= top, rising, falling)


@dataclass(frozen=True)
class FlatCosine(Schedule):
    """The same for a part of the run, then half a cosine down to `minimum`: flat, then cosine.

    `rate` for `t < f = flat T`, then `minimum + (rate - minimum) (1 + cos(pi (t - f) / (T - f))) / 2`. RealMLP has it
    for dropout and weight decay (Holzmüller, Grinsztajn and Steinwart, 2024).

    Arguments:
        rate: that of the first part.
        flat: how much of the run that is, from 0 to below 1.
        minimum: what it approaches in the end.

    Raises:
        InputError: an option is outside of its limits.

    >>> FlatCosine(1.0).rates(np.arange(8), 4, 8).round(4).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.8536, 0.5, 0.1464]
    """

    flat: float = 0.5
    minimum: float = 0.0

    name = "flat_cosine"
    formula = "rate for t < f = flat T; minimum + (rate - minimum) (1 + cos(pi (t - f) / (T - f))) / 2 from there on"
    limits = {"rate": POSITIVE, "flat": FRACTION, "minimum": NOT_NEGATIVE}

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        flat = self.flat * total_steps
        along = np.clip((steps - flat) / (total_steps - flat), 0, 1)
        return self.minimum + (self.rate - self.minimum) * (1 + np.cos(math.pi * along)) / 2


@dataclass(frozen=True)
class CosLog4(Schedule):
    """Four cycles of a cosine, each twice as long as the one before: `rate (1 - cos(2 pi log2(1 + 15 t / T))) / 2`.

    It begins at 0, and is 0 again after 1/15, 3/15 and 7/15 of the run and at its end. RealMLP's, called coslog4 there
    (Holzmüller, Grinsztajn and Steinwart, 2024, "Better by default: strong pre-tuned MLPs and boosted trees on tabular
    data").

    Arguments:
        rate: the peak of every cycle.

    Raises:
        InputError: it isn't a number above 0.

    >>> CosLog4(1.0).rates(np.array([0, 1, 2, 3]), 1, 15).round(4).tolist()
    [0.0, 0.0, 0.9304, 0.0]
    """

    name = "coslog4"
    formula = "rate (1 - cos(2 pi log2(1 + 15 t / T))) / 2"

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        along = np.clip(steps / total_steps, 0, 1)
        return self.rate * (1 - np.cos(2 * math.pi * np.log2(1 + 15 * along))) / 2


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Multiplied by `factor` when the watched loss hasn't fallen enough for more than `patience` epochs.

    It watches the validation loss where there is one, the training loss otherwise.

    Arguments:
        rate: that of the first epochs.
        factor: what it is multiplied by, between 0 and 1.
        patience: how many epochs may pass without a fall.
        threshold: a fall of less than this part of the best loss is none.
        minimum: it never goes below.

    Raises:
        InputError: an option is outside of its limits.

    >>> schedule, state = ReduceOnPlateau(0.1, factor=0.5, patience=0), {}
    >>> for loss in (1.0, 0.5, 0.5):
    ...     state = schedule.observe(state, loss)
    >>> schedule.rate * state["scale"]
    0.05
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    minimum: float = 0.0

    name = "reduce_on_plateau"
    formula = "max(minimum, rate * factor ** plateaus)"
    limits = {
        "rate": POSITIVE, "factor": Limit(0, 1, True, True), "patience": Limit(0, whole=True),
        "threshold": NOT_NEGATIVE, "minimum": NOT_NEGATIVE,
    }  # fmt: skip

    def rates(self, steps: Order, steps_per_epoch: int, total_steps: int) -> Doubles:
        return np.full(len(steps), float(self.rate))

    def observe(self, state: PlateauState, loss: float) -> PlateauState:
        """The state after an epoch: the best loss, the epochs since, and the rate's factor now.

        Arguments:
            state: what was returned the last time; empty before the first epoch.
            loss: the loss that this epoch ended with.

        >>> ReduceOnPlateau(0.1, patience=0).observe({"best": 1.0, "waited": 0, "scale": 1.0}, 2.0)["scale"]
        0.1
        """
        best, waited, scale = state.get("best", math.inf), state.get("waited", 0), state.get("scale", 1.0)
        if loss < best * (1 - self.threshold) if best > 0 else loss < best - self.threshold:
            return {"best": loss, "waited": 0, "scale": scale}
        if waited + 1 > self.patience:
            return {"best": best, "waited": 0, "scale": max(scale * self.factor, self.minimum / self.rate)}
        return {"best": best, "waited": waited + 1, "scale": scale}


SCHEDULES: dict[str, type[Schedule]] = {
    cls.name: cls
    for cls in (
        Constant, StepDecay, Exponential, InverseScaling, Cosine, FlatCosine, CosLog4, OneCycle, ReduceOnPlateau,
    )
}  # fmt: skip


def get_schedule(given: object) -> Schedule:
    """The schedule that a number, a JSON form or an object stands for.

    Arguments:
        given: a learning rate, the form of a saved model, or a schedule.

    Raises:
        InputError: it is none of these, or a rate that is not above 0.

    >>> get_schedule(0.01)
    Constant(rate=0.01)
    """
    if isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool):
        if not POSITIVE.holds(given):
            raise InputError(f"learning_rate is {given!r}; it must be {POSITIVE} or a schedule")
        return Constant(float(given))
    if isinstance(given, str):
        raise InputError(f"learning_rate is {given!r}; it must be a number or a schedule such as Cosine(0.01)")
    return resolve("schedule", given, Schedule, SCHEDULES)


def follow(thing: Limited, name: str) -> None:
    """Resolve and check a field that is a number or a schedule; its values are checked where a fit asks for them.

    Arguments:
        thing: whose field it is, while it is being made.
        name: the field, which is in the table of limits.

    Raises:
        InputError: the schedule is none for such a number, or begins outside of its limits.

    >>> from chainrule import Dropout
    >>> Dropout({"name": "flat_cosine", "rate": 0.15}).rate
    FlatCosine(rate=0.15, flat=0.5, minimum=0.0)
    """
    given, owner = getattr(thing, name), type(thing).__name__
    if not isinstance(given, (Schedule, Mapping)):
        return
    schedule = resolve("schedule", given, Schedule, SCHEDULES)
    if type(schedule).observe is not Schedule.observe:
        raise InputError(
            f"{owner}: {name} can't follow {schedule.name}, which looks at losses: learning rates alone do"
        )
    check(owner, name, schedule.rate, thing.limits[name])
    object.__setattr__(thing, name, schedule)


def base_of(given: float | Schedule) -> float:
    """A number; of a schedule the one that it begins from or rises to.

    >>> base_of(0.5), base_of(Cosine(0.1))
    (0.5, 0.1)
    """
    return given.rate if isinstance(given, Schedule) else given
