"""Every number of a forward and a backward pass by name, and how it compares with printed digits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from chainrule import Activation, Model
from chainrule.data import prepare_rows
from chainrule.engines.reference import ReferenceEngine
from chainrule.layers import Context


@dataclass
class Work:
    """Pre-activations, activations, and the gradients by both, by layer, for one row each; the loss."""

    z: dict[str, np.ndarray]
    h: dict[str, np.ndarray]
    dz: dict[str, np.ndarray]
    dh: dict[str, np.ndarray]
    loss: float
    gradients: dict[str, dict[str, np.ndarray]]


def work(model: Model, x: Any, y: Any) -> Work:
    """The whole work for one row."""
    engine = ReferenceEngine(model.network, model.objective)
    layout = model.network.layout
    p = layout.views(model.training.parameters[0])
    s = model.network.state_layout.views(model.training.state[0])
    y = np.asarray(y)
    data = prepare_rows(model.network, model.objective, np.atleast_2d(x), y[None] if y.ndim else [y], None, model.dtype)
    forward = engine.forward(p, s, data.inputs, Context())
    (head,) = model.objective.heads
    start = {head.slot: head.gradient(data.targets[0], forward.values[head.slot])}
    gradients = layout.zeros(1, "float64")[0]
    deltas = engine.backward(p, forward.memos, start, layout.views(gradients))
    result = Work(
        {}, {}, {}, {}, float(head.rows(data.targets[0], forward.values[head.slot])[0]), layout.named(gradients)
    )
    for step in model.network.steps:
        values, d_values = (result.h, result.dh) if isinstance(step.layer, Activation) else (result.z, result.dz)
        values[step.name] = forward.values[step.output][0]
        if step.output in deltas:
            d_values[step.name] = deltas[step.output][0]
    return result


def assert_printed(value: Any, printed: str) -> None:
    """The numbers to their last printed digit: off by at most half a unit of it.

    >>> assert_printed([0.6082590, -0.0311590], "0.608259, -0.031159")
    """
    found, texts = np.ravel(value), [text.strip() for text in printed.split(",")]
    assert len(found) == len(texts), (found, printed)
    for number, text in zip(found.tolist(), texts, strict=True):
        half = 10.0 ** int(Decimal(text).as_tuple().exponent) / 2
        assert abs(number - float(text)) <= half * (1 + 1e-9), f"{number!r} is not {text}"
