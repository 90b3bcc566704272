"""What a network's quantities are called, and which of them there are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

from chainrule.errors import InputError, TrainingError, did_you_mean, listed
from chainrule.explain.network.operation import Operation
from chainrule.explain.network.trace import Trace
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Places
from chainrule.objective import HeadLoss
from chainrule.steps import Step


class Structure:
    """The slots, steps and heads of a traced network by name; rows and units count from 0, in names from 1.

    Arguments:
        trace: the engine's numbers.
        operate: makes the operation of a step.
    """

    end = Name("L")

    def __init__(self, trace: Trace, operate: Callable[[Structure, Step], Operation]):
        self.trace = trace
        self.program = trace.program
        self.heads = trace.heads
        self.single_input = len(self.program.inputs) == 1
        self.single_head = len(self.heads) == 1
        self.forward_only = not trace.has_target
        self.without_update = not trace.has_update
        self.rows = {None: 0} | {row: row - 1 for row in range(1, trace.n_rows + 1)}  # as names say them -> from 0
        self.row_names: Sequence[int | None] = (None,) if trace.n_rows == 1 else range(1, trace.n_rows + 1)
        self.slot_kinds: list[str] = []
        self.slots: dict[tuple[str, str], int] = {}  # (kind, layer) -> slot
        self._named: list[tuple[tuple[str, str], str]] = []  # by slot: kind and kind of its gradient, layer
        for slot in self.program.slots:
            kind = "x" if slot.producer is None else self.program.steps[slot.producer].layer.letter
            self.slot_kinds.append(kind)
            layer = "" if kind == "x" and self.single_input else slot.name
            self.slots[kind, layer] = slot.index
            self._named.append(((kind, f"dL/d{kind}"), layer))
        steps, slots = self.program.steps, self.program.slots
        self.name_of: Callable[..., Name] = cache(self._name_of)  # (slot, row, unit, gradient = False)
        self.sizes = [math.prod(slot.shape) for slot in slots]  # elements of each slot in a row
        self.is_code = [slot.dtype == "integer" for slot in slots]  # integers, by which there is no gradient
        self.producers = [None if slot.producer is None else steps[slot.producer] for slot in slots]
        self.readers = [[step for step in steps if slot.index in step.inputs] for slot in slots]
        spans = self.program.parameters.spans
        self.parameter_steps = {(span.name, span.layer): (steps[span.step], span) for span in spans}
        self.runs = {(span.name, span.layer): trace.objective.run_at(span.offset) for span in spans}  # how each learns
        self.activation_steps = {step.name: step for step in steps if step.layer.applies is not None}
        self.head_of = {head.head: i for i, head in enumerate(self.heads)}
        self.heads_at: list[list[int]] = [[] for _ in slots]  # the heads whose output is the slot
        # the slot of each head's output, behind its activation
        self.head_slots = [head.slot if head.skips is None else steps[head.skips].output for head in self.heads]
        for i, output in enumerate(self.head_slots):
            self.heads_at[output].append(i)
        self.operations = [operate(self, step) for step in steps]

    @property
    def places(self) -> Places:
        """The places of the layers of weights and biases, for notations that number them."""
        sizes: dict[str, tuple[int, int]] = {}
        for step in self.program.steps:
            shapes = {span.name: span.shape for span in step.parameters}
            if step.layer.letter == "z" and "W" in shapes and shapes.keys() <= {"W", "b"}:
                sizes[step.name] = (shapes["W"][0], shapes["W"][1])
        numbers = {layer: i for i, layer in enumerate(sizes, 1)}
        ranks = {key: len(span.shape) for key, (_, span) in self.parameter_steps.items()}
        return Places(numbers, sizes, list(sizes)[-1] if sizes else "", self.trace.n_rows, ranks)

    @property
    def is_trainable(self) -> bool:
        """Whether gradients can pass (they can't through threshold units)."""
        try:
            self.trace.objective.check_trainable(self.trace.network)
        except TrainingError:
            return False
        return True

    # ------------------------------------------------------------------ elements

    def _name_of(self, slot: int, row: int, unit: int, gradient: bool = False) -> Name:
        """The name of an element of a slot, or of the gradient by it."""
        kinds, layer = self._named[slot]
        return Name(kinds[gradient], layer, (unit + 1,), self.row_names[row])

    def is_coupled(self, step: Step) -> bool:
        """Whether the units of an activation depend on each other (softmax)."""
        return step.layer.applies is not None and step.layer.applies.coupled

    def parameter(self, name: Name) -> float:
        """A learned number."""
        step, _ = self.parameter_steps[name.kind, name.layer]
        return float(self.trace.parameters[step.index][name.kind][tuple(i - 1 for i in name.index)])

    # --------------------------------------------------------------------- heads

    def head_index(self, layer: str) -> int:
        """The head that a target, or a share of the loss, belongs to."""
        return 0 if self.single_head else self.head_of[layer]

    def target_name(self, head: HeadLoss, row: int, unit: int) -> Name:
        """The name of a target."""
        return Name("y", "" if self.single_head else head.head, (unit + 1,), self.row_names[row])

    def share_name(self, head: HeadLoss, row: int, unit: int | None) -> Name:
        """The name of an output's share of a row's loss, or of the row's loss where it has no shares."""
        index = () if unit is None else (unit + 1,)
        return Name("loss", "" if self.single_head else head.head, index, self.row_names[row])

    # ------------------------------------------------------------- names, checked

    def resolve_element(self, name: Name, kind: str) -> Name:
        """The name of an element or its gradient: `h` of a layer without activation taken for its `z`, and so on."""
        if kind == "x" and self.single_input:
            only = self.program.inputs[0]
            if name.layer not in ("", only.name):
                raise InputError(f'"{name}": the only input is "{only.name}"')
            name, slot = name._replace(layer=""), only.index
        else:
            slot = self._slot(name, kind)
            found = self.name_of(slot, 0, 0, gradient=name.kind != kind)
            name = name._replace(kind=found.kind, layer=found.layer)
        if name.kind != kind and self.is_code[slot]:
            raise InputError(
                f'"{name}": "{self.program.slots[slot].name}" holds integer codes; there is no gradient by them'
            )
        check_index(name, (self.sizes[slot],))
        return name

    def _slot(self, name: Name, kind: str) -> int:
        """The slot of a layer's value; the `z` of an activation is whatever it reads."""
        if (kind, name.layer) in self.slots:
            return self.slots[kind, name.layer]
        if kind == "h" and ("z", name.layer) in self.slots:
            return self.slots["z", name.layer]
        if kind == "z" and name.layer in self.activation_steps:
            return self.activation_steps[name.layer].inputs[0]
        layers = [self.program.slots[slot].name for (k, _), slot in self.slots.items() if k == kind]
        raise InputError(
            f'"{name}": there is no layer "{name.layer}" with {kind}.{did_you_mean(name.layer, layers)} '
            f"There are {listed(layers)}"
        )

    def parameter_shape(self, name: Name, parameter: str) -> tuple[int, ...]:
        """The shape of a layer's parameter."""
        found = self.parameter_steps.get((parameter, name.layer))
        if found is None:
            layers = [layer for p, layer in self.parameter_steps if p == parameter]
            raise InputError(
                f'"{name}": the layer "{name.layer}" has no {parameter}.{did_you_mean(name.layer, layers)} '
                f"These have: {listed(layers) or 'none'}"
            )
        return found[1].shape

    def resolve_head(self, name: Name) -> tuple[str, HeadLoss]:
        """The head that a name says, or the only one."""
        heads = list(self.head_of)
        layer = heads[0] if not name.layer and self.single_head else name.layer
        if layer not in self.head_of:
            raise InputError(
                f'"{name}": there is no head "{layer}".{did_you_mean(layer, heads)} There are {listed(heads)}'
            )
        return layer, self.heads[self.head_of[layer]]


def check_index(name: Name, shape: tuple[int, ...]) -> None:
    """Raise an `InputError` where an index is too large."""
    for given, size in zip(name.index, shape, strict=False):
        if given > size:
            raise InputError(f'"{name}" does not exist: the index {given} is above {size}')
