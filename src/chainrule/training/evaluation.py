"""Loss and metrics of a model on data, without dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.arrays import Array, is_finite
from chainrule.engines.contract import Engine, Rows
from chainrule.errors import InputError, TrainingError
from chainrule.metrics import Metric, get_metric
from chainrule.objective import NetworkObjective

Metrics = Mapping[str, tuple[Metric, ...]]  # by head


def metrics_by_head(objective: NetworkObjective, given: Any) -> dict[str, tuple[Metric, ...]]:
    """Metrics by name or as objects, for every head or by head."""
    heads = [head.head for head in objective.heads]
    if isinstance(given, (str, Metric)):
        given = [given]
    by_head = given if isinstance(given, Mapping) else dict.fromkeys(heads, given)
    for name in by_head:
        if name not in heads:
            raise InputError(f'metrics: there is no head "{name}"; there are {", ".join(heads)}')
    return {head: tuple(get_metric(metric) for metric in by_head.get(head, ())) for head in heads}


def measure(
    engine: Engine, parameters: Array, state: Array, data: Rows, metrics: Metrics
) -> tuple[float, dict[str, float]]:
    """The objective (penalties included), the mean over the members, and every head's metrics of their mean output.

    A metric is called by its name, with the head before it where a network has several: `"mood_accuracy"`; there each
    head's own loss is among them, `"mood_loss"`, as it is before it is weighted.
    """
    objective, heads = engine.objective, engine.objective.heads
    sums = engine.losses(parameters, state, data)
    loss = sums.mean_loss(objective)
    values: dict[str, float] = {}
    if len(heads) > 1:
        for i, head in enumerate(heads):
            by_member = zip(sums.losses[:, i], sums.weights[:, i], strict=True)
            values[f"{head.head}_loss"] = float(np.mean([total / objective.divisor(w) for total, w in by_member]))
    if any(metrics.values()):
        outputs = engine.predict(parameters, state, data.inputs)
        for head, output, target, weights in zip(heads, outputs, data.targets, data.weights, strict=True):
            ones = np.ones(len(data)) if weights is None else weights
            output = mean_output(output)
            if weights is not None and not weights.all():  # rows without this head's label, or of weight 0
                output, target, ones = (array[weights != 0] for array in (output, target, weights))
            for metric in metrics.get(head.head, ()):
                name = metric.name if len(heads) == 1 else f"{head.head}_{metric.name}"
                function = metric.yes_or_no if head.loss.yes_or_no and metric.yes_or_no else metric.function
                values[name] = function(target, output, ones)
    return loss, values


def mean_output(outputs: Array) -> Array:
    """What an ensemble says: the mean over the members, shape (rows, ...), of outputs (members, rows, ...)."""
    return outputs[0] if len(outputs) == 1 else outputs.mean(axis=0)


def check_numbers(answer: Array) -> None:
    """Raise a `TrainingError` where an answer, shape (rows, ...), is NaN or infinite.

    >>> check_numbers(np.array([[1.0], [np.inf]]))
    Traceback (most recent call last):
        ...
    chainrule.errors.TrainingError: the model gives no finite number for row 1 (rows count from 0): ...
    """
    if not is_finite(answer):
        row = int((~np.isfinite(answer)).reshape(len(answer), -1).any(axis=1).argmax())
        raise TrainingError(
            f"the model gives no finite number for row {row} (rows count from 0): something overflows on the way; "
            "are its inputs scaled as those that it was trained on?"
        )
