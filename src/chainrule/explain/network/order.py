"""The order of computation: forward layer by layer, the loss, backward from the last layer to the first, the update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from chainrule.explain.network.structure import Structure
from chainrule.explain.quantities.names import Name
from chainrule.layers.element import Learned, Read
from chainrule.steps import Step


@dataclass(frozen=True)
class Extent:
    """A part of a network's quantities: of one layer, unit or row (from 1); None is all of them."""

    layer: str | None = None
    unit: int | None = None
    row: int | None = None

    def rows(self, net: Structure) -> range:
        """The rows, from 0."""
        n = net.trace.n_rows
        return range(n) if self.row is None else range(self.row - 1, min(self.row, n))

    def units(self, n: int) -> range:
        """The units of a layer that has `n`, from 1."""
        return range(1, n + 1) if self.unit is None else range(self.unit, min(self.unit, n) + 1)

    def has(self, layer: str) -> bool:
        """Whether a layer's quantities belong to it."""
        return self.layer in (None, layer)


def in_order(net: Structure, *, update: bool = True, part: Extent | None = None) -> Iterator[Name]:
    """Every quantity that is computed, in order; those of backward and update only where gradients can pass."""
    part = part or Extent()
    steps = [step for step in net.program.steps if part.has(step.name)]
    for step in steps:
        yield from _elements(net, step.output, part)
    if net.forward_only:
        return
    for head in net.heads:
        units = part.units(head.outputs) if head.loss.separable else range(1)
        if part.has("" if net.single_head else head.head):
            for row, unit in product(part.rows(net), units):
                yield net.share_name(head, row, unit - 1 if head.loss.separable else None)
    if part.layer is None and part.unit is None:
        if net.trace.objective.penalties:
            yield Name("penalty")
        yield Name("L")
    if not net.is_trainable:
        return
    for step in reversed(steps):
        yield from _backward(net, step, part)
    for slot in reversed(net.program.inputs):
        if not net.is_code[slot.index] and part.has("" if net.single_input else slot.name):
            yield from _elements(net, slot.index, part, gradient=True)
    if update and not net.without_update and not net.trace.optimizer.full_batch:
        for step in steps:
            yield from _parameters(step, "{}+", part)


def _elements(net: Structure, slot: int, part: Extent, gradient: bool = False) -> Iterator[Name]:
    for row, unit in product(part.rows(net), part.units(net.sizes[slot])):
        yield net.name_of(slot, row, unit - 1, gradient)


def _backward(net: Structure, step: Step, part: Extent) -> Iterator[Name]:
    slot, units, operation = step.output, part.units(net.sizes[step.output]), net.operations[step.index]
    heads = [net.heads[i] for i in net.heads_at[slot]]
    several = bool(net.readers[slot]) or len(heads) > 1  # then each head's loss gives one part of dL/dh
    rows = part.rows(net)
    for head in heads:
        if several and (head.skips is None or not net.readers[slot]):
            yield from (Name("dloss/dh", head.head, (u,), net.row_names[row]) for row, u in product(rows, units))
    yield from _elements(net, slot, part, gradient=True)
    for row in rows:
        yield from sorted(name for unit in units for name in operation.slopes(row, unit - 1))
    # what a layer that is no sum of products passes back to each value that others read too
    shared = [not net.is_code[i] and (bool(net.heads_at[i]) or len(net.readers[i]) > 1) for i in step.inputs]
    for row, k in product(rows, (k for k, by_others in enumerate(shared) if by_others)):
        for unit in part.units(net.sizes[step.inputs[k]]):
            read = Read(unit - 1, k)
            if operation.back(row, read) is not None:
                yield from (name for p in operation.passed_back(row, read) for name in p.factors)
    for span in step.parameters:
        for row, index in product(rows, _indices(span.shape, part)):
            yield from operation.local(row, Learned(span.name, tuple(i - 1 for i in index)))
    yield from _parameters(step, "dL/d{}", part)


def _parameters(step: Step, pattern: str, part: Extent) -> Iterator[Name]:
    for span in step.parameters:
        yield from (Name(pattern.format(span.name), step.name, index) for index in _indices(span.shape, part))


def _indices(shape: tuple[int, ...], part: Extent) -> Iterator[tuple[int, ...]]:
    """Indices of a parameter; its last is that of the unit."""
    return product(*(range(1, n + 1) for n in shape[:-1]), *(part.units(n) for n in shape[-1:]))
