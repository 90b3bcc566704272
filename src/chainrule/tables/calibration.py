"""What out-of-fold predictions teach about predictions: how sure to be, how far to go, how wide an interval is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from chainrule import forms
from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.errors import InputError, counted
from chainrule.limits import OPEN_FRACTION, check

_MOST_ERRORS: Final = 10_000  # that are kept; of more, as many that lie evenly among them
_HOTTEST: Final = 8.0
_DOUBT: Final = 2.0  # how strongly few rows keep the temperature near 1


@dataclass(frozen=True, eq=False)
class Calibration:
    """How answers are mended.

    Probabilities become `p**(1/temperature)`, and their sum 1 again: no ranking of classes changes. Numbers stay within
    `low` and `high`, the range of the training rows' targets. `errors` are the sizes of the out-of-fold errors, in
    ascending order, in the target's own unit.

    >>> Calibration(temperature=2.0).probabilities(np.array([[0.8, 0.2]])).round(3).tolist()
    [[0.667, 0.333]]
    >>> Calibration(low=0.0, high=5.0).numbers(np.array([-1.0, 3.0, 9.0])).tolist()
    [0.0, 3.0, 5.0]
    """

    temperature: float = 1.0
    low: float = -math.inf
    high: float = math.inf
    errors: Doubles = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of_numbers(cls, out_of_fold: Doubles, truth: Doubles, targets: Doubles) -> Calibration:
        """From predictions (rows,) of rows that weren't trained on, what was right, and all targets of training."""
        low, high = float(targets.min()), float(targets.max())
        errors = np.sort(np.abs(np.clip(out_of_fold, low, high) - truth))
        if len(errors) > _MOST_ERRORS:
            errors = errors[np.round(np.linspace(0, len(errors) - 1, _MOST_ERRORS)).astype(np.int64)]
        return cls(low=low, high=high, errors=errors)

    def probabilities(self, said: Array) -> Array:
        """Probabilities (rows, classes) as they should be."""
        if self.temperature == 1:
            return said
        return np.exp(_log_softmax(_logs(said) / self.temperature)).astype(said.dtype)

    def numbers(self, said: Doubles) -> Doubles:
        """Numbers within the range that training saw."""
        return np.clip(said, self.low, self.high)

    def half_width(self, coverage: float) -> float:
        """How far to each side of a prediction the truth lies in `coverage` of all cases.

        The split conformal quantile: of n errors the one at place `ceil((n + 1) coverage)`.

        >>> Calibration(errors=np.arange(1.0, 20.0)).half_width(0.9)
        18.0
        """
        check("predict_interval", "coverage", coverage, OPEN_FRACTION)
        n = len(self.errors)
        if not n:
            raise InputError("the model has no out-of-fold errors to make intervals of: train it with held-out rows")
        place = math.ceil((n + 1) * coverage - 1e-9)
        if place > n:
            most = f"{n / (n + 1):.3g} can be promised"
            raise InputError(f"coverage is {coverage:g}; of {counted(n, 'out-of-fold error')} at most {most}")
        return float(self.errors[place - 1])

    def to_dict(self) -> dict[str, Any]:
        """All but the errors as JSON values; `from_dict` gives it back exactly."""
        bounds = [self.low, self.high] if math.isfinite(self.low) else None
        return {"temperature": self.temperature, "range": bounds}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any], errors: AnyArray | None) -> Calibration:
        """The calibration whose `to_dict` is given, with its errors; raises `ValueError` for anything else."""
        temperature = forms.finite(form["temperature"])
        low, high = (-math.inf, math.inf) if form["range"] is None else map(forms.finite, form["range"])
        given = np.zeros(0) if errors is None else errors
        right = (
            given.dtype == np.float64 and given.ndim == 1 and np.isfinite(given).all() and (np.diff(given) >= 0).all()
        )
        if temperature <= 0 or low > high or not right or (given < 0).any():
            raise ValueError(f"temperature {temperature}, range {low} to {high}")
        return cls(temperature, low, high, given)


def fit_temperature(probabilities: Array, truth: AnyArray) -> float:
    """The temperature that makes the mean log loss least; few rows keep it near 1.

    Minimized is `sum(-log p_T(true class)) + 2 log(T)**2`, over T from 1/8 to 8, by golden section.

    >>> sure = np.array([[0.9, 0.1]] * 10)
    >>> fit_temperature(sure, np.array([0] * 6 + [1] * 4)) > 1.5
    True
    """
    rows = np.arange(len(truth))
    logs = _logs(probabilities)
    return _least(lambda u: -float(_log_softmax(logs * math.exp(-u))[rows, truth].sum()) + _DOUBT * u * u)


def averaging_temperature(each: Array, mean: Array) -> float:
    """How much softer the mean of several networks is than one of them, as a temperature; 1 for a single one.

    It is the one at which each network's probabilities (networks, rows, classes) come nearest to the mean's
    (rows, classes), by their cross-entropy. What one of them says needs the temperature T to be taken at its word; the
    mean of all is softer already, and needs T divided by this.

    >>> each = np.array([[[0.9, 0.1]], [[0.4, 0.6]]])
    >>> averaging_temperature(each, each.mean(axis=0)) > 1.5, averaging_temperature(each[:1], each[0])
    (True, 1.0)
    """
    if len(each) == 1 or not mean.size:
        return 1.0
    logs = _logs(each)
    return _least(lambda u: -float((mean * _log_softmax(logs * math.exp(-u))).sum()))


def _least(loss: Callable[[float], float]) -> float:
    """The temperature T from 1/8 to 8 at which `loss(log T)` is least, by golden section."""
    low, high = -math.log(_HOTTEST), math.log(_HOTTEST)
    golden = (math.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-4:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = loss(right)
    return math.exp((low + high) / 2)


def _log_softmax(scores: Doubles) -> Doubles:
    scores = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True)))


def _logs(probabilities: Array) -> Doubles:
    return np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))
