"""The one small program that every reader of a network shares: its steps in topological order.

A layer with sugar is expanded (`Dense(3, activation="relu")` is an affine step and an activation step). Each step
reads slots and writes one; a slot is a place for one value of shape (rows, *shape).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chainrule.errors import NetworkError, did_you_mean
from chainrule.layers import Layer, Shape
from chainrule.layers.base import Numbers
from chainrule.parameters import Layout, Span


@dataclass(frozen=True)
class Node:
    """One layer of a network as it was described, and the names of the layers that it reads."""

    layer: Layer
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Slot:
    """A place for one value; `producer` is the index of the step that writes it, None for an input.

    Inputs alone can be integers: codes, by which there is no gradient. `codes` are those that all readers take, column
    by column of a flattened row.
    """

    index: int
    name: str
    shape: Shape
    producer: int | None
    dtype: Numbers = "float"
    codes: tuple[range, ...] | None = None


@dataclass(frozen=True)
class Step:
    """One layer at work: the slots that it reads and writes, and where its arrays lie."""

    index: int
    name: str
    layer: Layer
    inputs: tuple[int, ...]
    output: int
    parameters: tuple[Span, ...] = ()
    state: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Head:
    """A named output: the slot whose value it is."""

    name: str
    slot: int
    shape: Shape


@dataclass(frozen=True)
class Program:
    """Slots, steps, heads and the two layouts of a network."""

    slots: tuple[Slot, ...]
    steps: tuple[Step, ...]
    heads: tuple[Head, ...]
    parameters: Layout
    state: Layout

    @property
    def inputs(self) -> tuple[Slot, ...]:
        """The slots that data enters, in order."""
        return tuple(slot for slot in self.slots if slot.producer is None)

    def readers(self, slot: int) -> tuple[int, ...]:
        """The steps that read a slot."""
        return tuple(step.index for step in self.steps if slot in step.inputs)

    def differentiable(self) -> tuple[bool, ...]:
        """For each slot, whether there is a gradient by it: not where it holds integers."""
        return tuple(slot.dtype == "float" for slot in self.slots)

    def reads_parameters(self) -> tuple[bool, ...]:
        """For each slot, whether any parameter stands before it: if none does, nobody wants its gradient."""
        depends = [False] * len(self.slots)
        for step in self.steps:
            depends[step.output] = bool(step.parameters) or any(depends[i] for i in step.inputs)
        return tuple(depends)


def compile_program(nodes: tuple[Node, ...], outputs: Mapping[str, str]) -> Program:
    """Expand the nodes of a network into steps, with shapes checked and parameters laid out."""
    slots: list[Slot] = []
    plans: list[tuple[str, Layer, tuple[int, ...], int]] = []
    written: dict[str, int] = {}  # layer name -> slot of its value
    parameters, state = [], []

    def new_slot(name: str, shape: Shape, producer: int | None, dtype: Numbers = "float") -> int:
        slots.append(Slot(len(slots), name, shape, producer, dtype))
        return len(slots) - 1

    for node in sorted(nodes, key=lambda node: node.layer.n_inputs != 0):  # inputs take the first slots
        _check_reads(node, written)
        reads = tuple(written[name] for name in node.inputs)
        if node.layer.n_inputs == 0:
            shape, dtype = node.layer.output_shape(()), node.layer.output_dtype
            written[node.layer.name] = new_slot(node.layer.name, shape, None, dtype)
            continue
        for layer in node.layer.expand():
            shapes = tuple(slots[i].shape for i in reads)
            _check_numbers(layer, [slots[i] for i in reads])
            if layer.reads == "integer":
                for i in reads:
                    slots[i] = replace(slots[i], codes=_both(slots[i], layer.codes(shapes)))
            output = new_slot(node.layer.name, layer.output_shape(shapes), len(plans))
            parameters += [(len(plans), node.layer.name, spec) for spec in layer.parameter_specs(shapes)]
            state += [(len(plans), node.layer.name, spec) for spec in layer.state_specs(shapes)]
            plans.append((node.layer.name, layer, reads, output))
            reads = (output,)
        written[node.layer.name] = reads[0]

    layout = Layout.of(parameters, len(plans))
    state_layout = Layout.of(state, len(plans))
    steps = tuple(
        Step(
            index, name, layer, reads, output,
            tuple(span for span in layout.spans if span.step == index),
            tuple(span for span in state_layout.spans if span.step == index),
        )
        for index, (name, layer, reads, output) in enumerate(plans)
    )  # fmt: skip
    return Program(tuple(slots), steps, _heads(outputs, written, slots), layout, state_layout)


def _check_reads(node: Node, written: Mapping[str, int]) -> None:
    layer, n = node.layer, len(node.inputs)
    for name in node.inputs:
        if name not in written:
            raise NetworkError(f'layer "{layer.name}" reads "{name}", which no layer before it makes')
    if (layer.n_inputs is None and n < 2) or (layer.n_inputs is not None and n != layer.n_inputs):
        takes = "two or more values" if layer.n_inputs is None else f"{layer.n_inputs} value(s)"
        raise NetworkError(f'{type(layer).__name__} "{layer.name}" reads {takes}; it was given {n}')


def _check_numbers(layer: Layer, reads: list[Slot]) -> None:
    for slot in reads:
        if slot.dtype != layer.reads:
            what = "the integer codes" if slot.dtype == "integer" else "the numbers"
            right = (
                "put OneHot(size) between"
                if slot.dtype == "integer"
                else 'it takes the codes of an Input(..., dtype="integer")'
            )
            raise NetworkError(f'{type(layer).__name__} "{layer.name}" can\'t read {what} of "{slot.name}": {right}')


def _both(slot: Slot, taken: range | tuple[range, ...] | None) -> tuple[range, ...] | None:
    """The codes of a slot that one more reader takes too, column by column; None is all."""
    if taken is None:
        return slot.codes
    if isinstance(taken, range):
        taken = (taken,) * math.prod(slot.shape)
    if slot.codes is None:
        return taken
    pairs = zip(slot.codes, taken, strict=True)
    return tuple(range(max(a.start, b.start), min(a.stop, b.stop)) for a, b in pairs)


def _heads(outputs: Mapping[str, str], written: Mapping[str, int], slots: list[Slot]) -> tuple[Head, ...]:
    heads = []
    for head, name in outputs.items():
        if name not in written:
            raise NetworkError(
                f'head "{head}" is the value of "{name}", which is no layer.{did_you_mean(name, written)}'
            )
        slot = slots[written[name]]
        if slot.producer is None:
            raise NetworkError(f'head "{head}" is the input "{name}" itself: there is nothing to train')
        heads.append(Head(head, slot.index, slot.shape))
    return tuple(heads)
