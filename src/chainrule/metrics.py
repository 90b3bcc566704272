"""Metrics: numbers that people read, computed from targets and outputs; nothing is trained by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import AnyArray, Array
from chainrule.errors import InputError, did_you_mean, listed


@dataclass(frozen=True)
class Metric:
    """A number for people from targets, outputs and row weights, and whether more of it is better.

    Arguments:
        name: what it is called in histories and on the command line.
        function: of targets, (rows, outputs) or labels (rows,); outputs (rows, outputs); row weights (rows,).
        higher_is_better: which way early stopping watches it.
        formula: how it is shown.
        yes_or_no: takes the place of `function` where each of several outputs is an answer of its own.

    >>> bias = Metric("bias", lambda y, h, w: float(np.average((h - y)[:, 0], weights=w)), False, "mean (h - y)")
    >>> bias.function(np.array([[1.0]]), np.array([[3.0]]), np.ones(1))
    2.0
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
    """The share of rows whose most probable class is right.

    Arguments:
        target: labels, shape (rows,), or rows of classes or of one yes or no.
        output: probabilities, shape (rows, classes) or (rows, 1).
        weights: how much each row counts.

    >>> accuracy(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]), np.ones(2))
    0.5
    """
    return float(np.average(_labels(target) == _labels(output), weights=weights))


def all_right(target: AnyArray, output: Array, weights: Array) -> float:
    """The share of rows all of whose outputs are on the right side of 1/2, as scikit-learn counts several labels.

    Arguments:
        target: 0 or 1 for each output, shape (rows, outputs).
        output: probabilities of the same shape.
        weights: how much each row counts.

    >>> h, y = np.array([[0.9, 0.8], [0.9, 0.2]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    >>> all_right(y, h, np.ones(2))
    0.5
    """
    return float(np.average(((output >= 0.5) == (target >= 0.5)).all(axis=1), weights=weights))


def mean_absolute_error(target: AnyArray, output: Array, weights: Array) -> float:
    """The mean of `|h - y|` over rows and outputs.

    Arguments:
        target: shape (rows, outputs).
        output: of the same shape.
        weights: how much each row counts.

    >>> mean_absolute_error(np.array([[1.0], [2.0]]), np.array([[2.0], [2.0]]), np.ones(2))
    0.5
    """
    return float(np.average(np.abs(output - target).mean(axis=1), weights=weights))


def root_mean_squared_error(target: AnyArray, output: Array, weights: Array) -> float:
    """The root of the mean of `(h - y)^2` over rows and outputs.

    Arguments:
        target: shape (rows, outputs).
        output: of the same shape.
        weights: how much each row counts.

    >>> root_mean_squared_error(np.array([[1.0], [2.0]]), np.array([[4.0], [2.0]]), np.array([1.0, 3.0]))
    1.5
    """
    return float(np.sqrt(np.average(((output - target) ** 2).mean(axis=1), weights=weights)))


def r2(target: AnyArray, output: Array, weights: Array) -> float:
    """`1 - sum (h - y)^2 / sum (y - mean y)^2`, the mean over outputs; NaN where a target is constant.

    Arguments:
        target: shape (rows, outputs).
        output: of the same shape.
        weights: how much each row counts.

    >>> r2(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]), np.ones(2))
    0.5
    """
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

    Arguments:
        given: a name or a metric.

    Raises:
        InputError: there is no such metric.

    >>> get_metric("accuracy").higher_is_better
    True
    """
    if isinstance(given, Metric):
        return given
    if not isinstance(given, str) or given not in METRICS:
        raise InputError(f"there is no metric {given!r}.{did_you_mean(given, METRICS)} These exist: {listed(METRICS)}")
    return METRICS[given]


def higher_is_better(name: str) -> bool:
    """Whether more of a monitored number is better: of a loss never, of a metric as it says.

    Arguments:
        name: a column of the history, such as "validation_accuracy".

    >>> higher_is_better("validation_accuracy"), higher_is_better("loss")
    (True, False)
    """
    bare = name.removeprefix("validation_")
    for metric in METRICS.values():
        if bare == metric.name or bare.endswith(f"_{metric.name}"):
            return metric.higher_is_better
    return False
