"""Metrics: numbers that people read, computed from targets and outputs; nothing is trained by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import AnyArray, Array
from chainrule.errors import InputError, did_you_mean, listed


@dataclass(frozen=True)
class Metric:
    """A function of (target, output, row weights), and whether more of it is better.

    `yes_or_no` takes its place where each of several outputs is an answer of its own (binary cross-entropy).
    """

    name: str
    function: Callable[[AnyArray, Array, Array], float]
    higher_is_better: bool
    formula: str
    yes_or_no: Callable[[AnyArray, Array, Array], float] | None = None


def _labels(values: AnyArray) -> AnyArray:
    """Class numbers from labels, one-hot rows, probabilities or a single yes-or-no output."""
    if values.ndim == 1:
        return values
    if values.shape[1] == 1:
        return (values[:, 0] >= 0.5).astype(np.int64)
    return values.argmax(axis=1)


def accuracy(target: AnyArray, output: Array, weights: Array) -> float:
    """The share of rows whose most probable class is right."""
    return float(np.average(_labels(target) == _labels(output), weights=weights))


def all_right(target: AnyArray, output: Array, weights: Array) -> float:
    """The share of rows all of whose outputs are on the right side of 1/2, as scikit-learn counts several labels.

    >>> h, y = np.array([[0.9, 0.8], [0.9, 0.2]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    >>> all_right(y, h, np.ones(2))
    0.5
    """
    return float(np.average(((output >= 0.5) == (target >= 0.5)).all(axis=1), weights=weights))


def mean_absolute_error(target: AnyArray, output: Array, weights: Array) -> float:
    """The mean of `|h - y|` over rows and outputs."""
    return float(np.average(np.abs(output - target).mean(axis=1), weights=weights))


def root_mean_squared_error(target: AnyArray, output: Array, weights: Array) -> float:
    """The root of the mean of `(h - y)^2` over rows and outputs."""
    return float(np.sqrt(np.average(((output - target) ** 2).mean(axis=1), weights=weights)))


def r2(target: AnyArray, output: Array, weights: Array) -> float:
    """`1 - sum (h - y)^2 / sum (y - mean y)^2`, the mean over outputs; NaN where a target is constant."""
    residual = weights @ (output - target) ** 2
    total = weights @ (target - np.average(target, axis=0, weights=weights)) ** 2
    scores = 1 - np.divide(residual, total, where=total > 0, out=np.full(len(total), np.nan))
    return float(np.mean(scores))


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "accuracy",
            accuracy,
            True,
            "mean [argmax h = y]; several yes-or-no outputs: mean [all [h_j >= 1/2] = y_j]",
            all_right,
        ),
        Metric("mean_absolute_error", mean_absolute_error, False, "mean |h - y|"),
        Metric("root_mean_squared_error", root_mean_squared_error, False, "sqrt(mean (h - y)^2)"),
        Metric("r2", r2, True, "1 - sum (h - y)^2 / sum (y - mean y)^2"),
    )
}


def get_metric(given: object) -> Metric:
    """The metric that a name or an object stands for.

    >>> get_metric("accuracy").higher_is_better
    True
    """
    if isinstance(given, Metric):
        return given
    if not isinstance(given, str) or given not in METRICS:
        raise InputError(f"there is no metric {given!r}.{did_you_mean(given, METRICS)} These exist: {listed(METRICS)}")
    return METRICS[given]


def higher_is_better(name: str) -> bool:
    """Whether more of a monitored number is better: of a loss never, of a metric as it says."""
    bare = name.removeprefix("validation_")
    for metric in METRICS.values():
        if bare == metric.name or bare.endswith(f"_{metric.name}"):
            return metric.higher_is_better
    return False
