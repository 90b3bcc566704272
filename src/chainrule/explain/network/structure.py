"""A network as its derivation sees it: what its quantities are called, and what its steps and their kinds say."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from chainrule.arrays import Doubles
from chainrule.errors import InputError, TrainingError, did_you_mean, listed
from chainrule.explain.network.trace import Trace
from chainrule.explain.quantities.names import Kind, Name
from chainrule.explain.quantities.notation import Places
from chainrule.explain.quantities.recipes import Part, Quantities, Recipe
from chainrule.layers.element import Learned, Read
from chainrule.objective import HeadLoss
from chainrule.steps import Step

CHAIN = "sum over readers of dL/d(reader) d(reader)/d(value)"


@dataclass(frozen=True)
class Choice:
    """What of a derivation is asked for: one layer, unit or row (from 1), or one weight with its paths; None is all."""

    layer: str | None = None
    unit: int | None = None
    row: int | None = None
    weight: str | None = None
    vectors: bool = True

    @property
    def all(self) -> bool:
        """Whether nothing was chosen."""
        return self.layer is None and self.unit is None and self.row is None and self.weight is None

    def rows(self, net: Structure) -> range:
        """The rows, from 0."""
        n = net.n_rows
        return range(n) if self.row is None else range(self.row - 1, min(self.row, n))

    def units(self, n: int) -> range:
        """The units of a layer that has `n`, from 0."""
        return range(n) if self.unit is None else range(self.unit - 1, min(self.unit, n))

    def indices(self, shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """The indices of a parameter, from 0; the last is that of the unit."""
        return product(*map(range, shape[:-1]), *map(self.units, shape[-1:]))


ALL = Choice()


class Operation(ABC):
    """One step, in scalars; rows and units count from 0."""

    back_formula: str = CHAIN
    is_whole: bool = False  # one function of all that it reads and learns, and so are the gradients by these

    def __init__(self, net: Structure, step: Step):
        self.net = net
        self.step = step

    @abstractmethod
    def value(self, row: int, unit: int) -> Recipe:
        """How a unit is computed."""

    @abstractmethod
    def passed_back(self, row: int, read: Read) -> list[Part]:
        """What the step contributes to the gradient by an element that it reads."""

    def back(self, row: int, read: Read) -> Recipe:
        """The same as one function of all that the step reads, where it is such a function."""
        raise KeyError(read)

    def gradient(self, learned: Learned) -> Recipe:
        """The gradient by a learned number, over all rows, with the penalty's part."""
        raise KeyError(learned)

    @abstractmethod
    def uses_of_element(self, row: int, slot: int, unit: int) -> int:
        """How many quantities of the step are computed from an element that it reads."""

    @abstractmethod
    def uses_of_gradient(self, row: int, unit: int) -> int:
        """How many quantities are computed from the gradient by a unit of the output."""

    def uses_of_learned(self, learned: Learned) -> int:
        """How many quantities of the step, in all rows, are computed from a learned number."""
        return 0

    def uses_of_output(self, n: int) -> int:
        """How many quantities of the step itself are computed from one of its n units."""
        return 0


class Structure(Quantities):
    """The slots, steps and heads of a traced network by name; rows and units count from 0, in names from 1.

    Arguments:
        trace: the engine's numbers.
    """

    end = Name("L")
    kinds: Mapping[str, NetworkKind]

    operations: list[Operation]  # of each step
    readers: list[list[Operation]]  # of each slot

    def __init__(self, trace: Trace):
        super().__init__()
        self.trace = trace
        self.n_rows = trace.n_rows
        self.program = trace.program
        self.heads = trace.heads
        self.single_input = len(self.program.inputs) == 1
        self.single_head = len(self.heads) == 1
        self.forward_only = not trace.has_target
        self.without_update = not trace.has_update
        self.rows = {None: 0} | {row: row - 1 for row in range(1, trace.n_rows + 1)}  # as names say them -> from 0
        self.row_names: Sequence[int | None] = (None,) if trace.n_rows == 1 else range(1, trace.n_rows + 1)
        steps, slots = self.program.steps, self.program.slots
        self.slot_kinds = ["x" if slot.producer is None else steps[slot.producer].layer.letter for slot in slots]
        layers = ["" if slot.producer is None and self.single_input else slot.name for slot in slots]
        self.named = list(zip(self.slot_kinds, layers, strict=True))
        self.slots = {named: i for i, named in enumerate(self.named)}  # (kind, layer) -> slot
        self.name_of: Callable[..., Name] = cache(self._name_of)  # (slot, row, unit, gradient = False)
        self.sizes = [math.prod(slot.shape) for slot in slots]  # elements of each slot in a row
        self.is_code = [slot.dtype == "integer" for slot in slots]  # integers, by which there is no gradient
        self.producers = [None if slot.producer is None else steps[slot.producer] for slot in slots]
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
        return Places(numbers, sizes, list(sizes)[-1] if sizes else "", self.n_rows, ranks)

    @property
    def is_trainable(self) -> bool:
        """Whether gradients can pass (they can't through threshold units)."""
        try:
            self.trace.objective.check_trainable(self.trace.network)
        except TrainingError:
            return False
        return True

    def _name_of(self, slot: int, row: int, unit: int, gradient: bool = False) -> Name:
        """The name of an element of a slot, or of the gradient by it."""
        kind, layer = self.named[slot]
        return Name(f"dL/d{kind}" if gradient else kind, layer, (unit + 1,), self.row_names[row])

    def is_coupled(self, step: Step) -> bool:
        """Whether the units of an activation depend on each other (softmax)."""
        return step.layer.applies is not None and step.layer.applies.coupled

    def head_index(self, layer: str) -> int:
        """The head that a target, or a share of the loss, belongs to."""
        return 0 if self.single_head else self.head_of[layer]

    def elements(self, slot: int, choice: Choice, *, gradient: bool = False) -> Iterator[Name]:
        """The names of a slot's elements, row by row, or of the gradients by them."""
        for row, unit in product(choice.rows(self), choice.units(self.sizes[slot])):
            yield self.name_of(slot, row, unit, gradient)

    def target_name(self, head: HeadLoss, row: int, unit: int) -> Name:
        """The name of a target."""
        return Name("y", "" if self.single_head else head.head, (unit + 1,), self.row_names[row])

    def share_name(self, head: HeadLoss, row: int, unit: int | None) -> Name:
        """The name of an output's share of a row's loss, or of the row's loss where it has no shares."""
        index = () if unit is None else (unit + 1,)
        return Name("loss", "" if self.single_head else head.head, index, self.row_names[row])

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
            codes = self.program.slots[slot].name
            raise InputError(f'"{name}": "{codes}" holds integer codes; there is no gradient by them')
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

    def labelled(self, choice: Choice, head: int) -> Iterator[int]:
        """The rows that have a label of a head, from 0."""
        return (row for row in choice.rows(self) if not self.trace.lacks_label(head, row))

    def check_label(self, name: Name, layer: str) -> None:
        """Raise an `InputError` where the row of a quantity has no label of its head: it doesn't exist then."""
        if self.trace.lacks_label(self.head_index(layer), self.rows[name.row]):
            raise InputError(f'"{name}": the row has no label of "{layer}", so it has no part in that head\'s loss')


@dataclass(frozen=True)
class NetworkKind(Kind):
    """A kind of quantity, asked about one of them in a network."""

    of: str = ""  # of a gradient or an update, the kind of quantity that it is by

    needs_target = True  # without one it doesn't exist
    readers = 0  # quantities that have it among their inputs, where that doesn't depend on the network
    computed_by = 0  # the recipe that gives the value, where it is no number of the engine's

    def resolve(self, net: Structure, name: Name) -> Name:
        """The name as the network uses it.

        Raises:
            InputError: there is no such quantity here; the message says what there is.
        """
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute it, the chain rule's first; none for what is given."""
        return ()

    def array(self, net: Structure, layer: str) -> Doubles | None:
        """The engine's numbers of a layer, by rows and units or by indices; None where the recipe is what there is."""
        return None

    def array_formula(self, net: Structure, layer: str) -> str:
        """The formula that gives all of the array at once, where the general one doesn't."""
        return ""

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterable[Name]:
        """Those of a layer that are computed, in order; of all rows together none where one unit is chosen."""
        return () if choice.unit is not None else (Name(self.spelled, layer),)

    def uses(self, net: Structure, name: Name) -> int:
        """How many quantities (by their first recipe) have it among their inputs."""
        return self.readers


def check_index(name: Name, shape: tuple[int, ...]) -> None:
    """Raise an `InputError` where an index is too large."""
    for given, size in zip(name.index, shape, strict=False):
        if given > size:
            raise InputError(f'"{name}" does not exist: the index {given} is above {size}')
