"""The order of computation: forward layer by layer, the loss, backward from the last layer to the first, the update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from chainrule.errors import TrainingError
from chainrule.explain.network.costs import head_slot, share_name
from chainrule.explain.network.graph import Graph
from chainrule.explain.quantities.names import COUNTS, PARAMETERS, Name
from chainrule.explain.quantities.protocol import Position
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
    if kind in COUNTS:  # asked for by name only: a derivation doesn't list them
        layer = graph.trace.network.layout.spans[-1].step + 1
        if name.layer:
            layer = next(step.index for (_, owner), (step, _) in graph.parameter_steps.items() if owner == name.layer)
        return (0, 1 + layer, COUNTS.index(kind), 0, ())
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


@dataclass(frozen=True)
class Part:
    """A part of a network's quantities: of one layer, unit or row (from 1); None is all of them."""

    layer: str | None = None
    unit: int | None = None
    row: int | None = None

    def rows(self, graph: Graph) -> range:
        """The rows, from 0."""
        n = graph.trace.n_rows
        return range(n) if self.row is None else range(self.row - 1, min(self.row, n))

    def units(self, n: int) -> range:
        """The units of a layer that has `n`, from 1."""
        return range(1, n + 1) if self.unit is None else range(self.unit, min(self.unit, n) + 1)

    def has(self, layer: str) -> bool:
        """Whether a layer's quantities belong to it."""
        return self.layer in (None, layer)


def in_order(graph: Graph, *, update: bool = True, part: Part | None = None) -> Iterator[Name]:
    """Every quantity that is computed, in order; those of backward and update only where gradients can pass."""
    part = part or Part()
    steps = [step for step in graph.program.steps if part.has(step.name)]
    for step in steps:
        yield from _elements(graph, step.output, part)
    if graph.forward_only:
        return
    for head in graph.trace.heads:
        units = part.units(head.outputs) if head.loss.separable else range(1)
        if part.has("" if graph.single_head else head.head):
            for row, unit in product(part.rows(graph), units):
                yield share_name(graph, head, row, unit - 1 if head.loss.separable else None)
    if part.layer is None and part.unit is None:
        if graph.trace.objective.penalties:
            yield Name("penalty")
        yield Name("L")
    if not is_trainable(graph):
        return
    for step in reversed(steps):
        yield from _backward(graph, step, part)
    for slot in reversed(graph.program.inputs):
        if part.has("" if graph.single_input else slot.name):
            yield from _elements(graph, slot.index, part, gradient=True)
    if update and not graph.without_update and not graph.trace.optimizer.full_batch:
        for step in steps:
            yield from _parameters(step, "{}+", part)


def _size(graph: Graph, slot: int) -> int:
    return graph.trace.value(slot).shape[1]


def _elements(graph: Graph, slot: int, part: Part, gradient: bool = False) -> Iterator[Name]:
    for row, unit in product(part.rows(graph), part.units(_size(graph, slot))):
        yield graph.name_of(slot, row, unit - 1, gradient)


def _backward(graph: Graph, step: Step, part: Part) -> Iterator[Name]:
    slot, units = step.output, part.units(_size(graph, step.output))
    rows = [graph.row_name(row) for row in part.rows(graph)]
    heads = [head for head in graph.trace.heads if head_slot(graph, head) == slot]
    several = bool(graph.program.readers(slot)) or len(heads) > 1  # then each head's loss gives one part of dL/dh
    for head in heads:
        if several and (head.skips is None or not graph.program.readers(slot)):
            yield from (Name("dloss/dh", head.head, (unit,), row) for row, unit in product(rows, units))
    yield from _elements(graph, slot, part, gradient=True)
    if isinstance(step.layer, Activation):
        first = [range(1, _size(graph, slot) + 1)] if graph.is_coupled(step) else []
        yield from (Name("dh/dz", step.name, index, row) for row in rows for index in product(*first, units))
    if isinstance(step.layer, BatchNorm) and has_back(graph, step):
        yield from (Name("back", step.name, (unit,), row) for row, unit in product(rows, units))
    for span in step.parameters:
        if span.name in ("W", "b"):
            for row in rows:
                yield from (Name(f"dz/d{span.name}", step.name, index, row) for index in _indices(span.shape, part))
    yield from _parameters(step, "dL/d{}", part)


def has_back(graph: Graph, step: Step) -> bool:
    """Whether what batch normalization passes back is a quantity of its own: others read the same value."""
    slot = step.inputs[0]
    return len(set(graph.program.readers(slot))) > 1 or any(head_slot(graph, h) == slot for h in graph.trace.heads)


def _parameters(step: Step, pattern: str, part: Part) -> Iterator[Name]:
    for span in step.parameters:
        yield from (Name(pattern.format(span.name), step.name, index) for index in _indices(span.shape, part))


def _indices(shape: tuple[int, ...], part: Part) -> Iterator[tuple[int, ...]]:
    """Indices of a parameter; its last is that of the unit."""
    return product(*(range(1, n + 1) for n in shape[:-1]), part.units(shape[-1]))
