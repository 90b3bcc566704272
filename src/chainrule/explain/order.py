"""The order of computation: forward layer by layer, the loss, backward from the last layer to the first, the update."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from chainrule.errors import TrainingError
from chainrule.explain.builders.loss import head_slot, share_name
from chainrule.explain.graph import Graph
from chainrule.explain.names import PARAMETERS, Name
from chainrule.explain.quantities import Position
from chainrule.layers import Activation, BatchNorm
from chainrule.steps import Step

# Within the backward part of one layer.
_BACKWARD = ("dloss/dh", "dL/dh", "dL/dz", "dh/dz", "back", "dz/dW", "dz/db")


def is_trainable(graph: Graph) -> bool:
    """Whether gradients can pass (they can't through threshold units)."""
    try:
        graph.trace.objective.check_trainable(graph.trace.network)
    except TrainingError:
        return False
    return True


def position(graph: Graph, name: Name) -> Position:
    """Where a quantity stands in the order of computation; positions compare."""
    kind, row, index = name.kind, name.row or 0, name.index
    if name.given:
        return (0, 0, 0, row, index)
    if kind in ("z", "h"):
        return (1, graph.slots[kind, name.layer], 0, row, index)
    if kind == "loss":
        return (2, graph._head_index(name), 0, row, index)
    if kind == "penalty":
        return (2, len(graph.trace.heads), 0, 0, ())
    if kind == "L":
        return (3, 0, 0, 0, ())
    if kind.endswith("+"):
        parameter = kind[:-1]
        return (5, graph.parameter_steps[parameter, name.layer][0].index, PARAMETERS.index(parameter), 0, index)
    if kind == "dL/dx":
        return (4, -graph.slots["x", name.layer], 1, row, index)
    if kind in ("dL/dz", "dL/dh"):
        return (4, -graph.slots[kind[-1], name.layer], 1, row, index)
    if kind == "dloss/dh":
        return (4, -head_slot(graph, graph.trace.heads[graph.head_of[name.layer]]), 0, row, index)
    if kind == "dh/dz":
        return (4, -graph.activation_steps[name.layer].output, 2, row, index)
    if kind == "back":
        return (4, -graph.slots["h", name.layer], 2, row, index)
    if kind in ("dz/dW", "dz/db"):
        step = graph.parameter_steps[kind[-1], name.layer][0]
        return (4, -step.output, 3 + (kind == "dz/db"), row, index)
    parameter = kind.removeprefix("dL/d")
    step = graph.parameter_steps[parameter, name.layer][0]
    return (4, -step.output, 5 + PARAMETERS.index(parameter), 0, index)


def in_order(graph: Graph, *, update: bool = True) -> Iterator[Name]:
    """Every quantity that is computed, in order; those of backward and update only where gradients can pass."""
    rows = [graph.row_name(row) for row in range(graph.trace.n_rows)]
    for step in graph.program.steps:
        yield from _values(graph, step, rows)
    if graph.forward_only:
        return
    for head in graph.trace.heads:
        units = range(head.outputs) if head.loss.separable else (None,)
        for row, unit in product(range(graph.trace.n_rows), units):
            yield share_name(graph, head, row, unit)
    if graph.trace.objective.penalties:
        yield Name("penalty")
    yield Name("L")
    if not is_trainable(graph):
        return
    for step in reversed(graph.program.steps):
        yield from _backward(graph, step, rows)
    for slot in reversed(graph.program.inputs):
        yield from (
            graph.name_of(slot.index, row, unit, gradient=True)
            for row, unit in product(range(graph.trace.n_rows), range(_size(graph, slot.index)))
        )
    if update and not graph.without_update and not graph.trace.model.optimizer.full_batch:
        for step in graph.program.steps:
            yield from _parameters(step, "{}+")


def _size(graph: Graph, slot: int) -> int:
    return graph.trace.value(slot).shape[1]


def _values(graph: Graph, step: Step, rows: list[int | None]) -> Iterator[Name]:
    for row, unit in product(range(len(rows)), range(_size(graph, step.output))):
        yield graph.name_of(step.output, row, unit)


def _backward(graph: Graph, step: Step, rows: list[int | None]) -> Iterator[Name]:
    slot, n = step.output, _size(graph, step.output)
    if graph.program.readers(slot):
        for head in graph.trace.heads:
            if head_slot(graph, head) == slot and head.skips is None:
                yield from (Name("dloss/dh", head.head, (unit + 1,), row) for row, unit in product(rows, range(n)))
    elif sum(head_slot(graph, head) == slot for head in graph.trace.heads) > 1:
        for head in graph.trace.heads:
            if head_slot(graph, head) == slot:
                yield from (Name("dloss/dh", head.head, (unit + 1,), row) for row, unit in product(rows, range(n)))
    for row, unit in product(range(len(rows)), range(n)):
        yield graph.name_of(slot, row, unit, gradient=True)
    if isinstance(step.layer, Activation):
        pairs = product(range(1, n + 1), repeat=2 if graph.is_coupled(step) else 1)
        yield from (Name("dh/dz", step.name, index, row) for row, index in product(rows, list(pairs)))
    if isinstance(step.layer, BatchNorm) and has_back(graph, step):
        yield from (Name("back", step.name, (unit + 1,), row) for row, unit in product(rows, range(n)))
    for span in step.parameters:
        if span.name in ("W", "b"):
            for within in rows:
                for index in product(*(range(1, size + 1) for size in span.shape)):
                    yield Name(f"dz/d{span.name}", step.name, index, within)
    yield from _parameters(step, "dL/d{}")


def has_back(graph: Graph, step: Step) -> bool:
    """Whether what batch normalization passes back is a quantity of its own: others read the same value."""
    slot = step.inputs[0]
    return len(set(graph.program.readers(slot))) > 1 or any(head_slot(graph, h) == slot for h in graph.trace.heads)


def _parameters(step: Step, pattern: str) -> Iterator[Name]:
    for span in step.parameters:
        for index in product(*(range(1, n + 1) for n in span.shape)):
            yield Name(pattern.format(span.name), step.name, index)
