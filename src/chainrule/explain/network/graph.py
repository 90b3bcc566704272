"""Which quantity is computed from which, and in which order: on demand, out of layers, losses and optimizer.

Forward formulas come from the layers; the chain rule is applied here, once, for all of them: the gradient by a value is
the sum, over everything that reads it, of the reader's gradient times the reader's derivative by the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.explain.network.activated import Activated, Slope
from chainrule.explain.network.costs import HeadGradient, Penalty, Share, Target, Total
from chainrule.explain.network.elements import Back, Element, Gradient
from chainrule.explain.network.learned import Count, Parameter, ParameterGradient, Updated
from chainrule.explain.network.structure import NetworkKind, Operation, Stage, Structure
from chainrule.explain.network.sums import LocalDerivative, SumOfProducts
from chainrule.explain.network.trace import Trace
from chainrule.explain.network.whole import Normalized, WholeLayer
from chainrule.explain.quantities import names
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Position, Products, Recipe
from chainrule.layers import LAYERS, BatchNorm, Dense
from chainrule.layers.element import Learned, Read
from chainrule.steps import Step

NEAR = 1e-6  # relative: how near a layer's scalar form comes to its passes where both say the same


KINDS: dict[str, NetworkKind] = {
    kind.spelled: kind
    for kind in (
        Element("x", "input", layer=False, optional_layer=True, given=True),
        Target("y", "target"),
        Parameter("W", "weight", (2,), of="W"),
        Parameter("b", "bias", of="b"),
        Parameter("scale", "scale of batch normalization", of="scale"),
        Parameter("shift", "shift of batch normalization", of="shift"),
        Element("z", "pre-activation"),
        Element("h", "activation"),
        Share("loss", "one output's share of a row's loss", (0, 1)),
        Penalty("penalty", "penalties on the weights", (0,)),
        Total("L", "loss, penalties included", (0,)),
        HeadGradient("dloss/dh", "derivative of a head's loss alone"),
        Gradient("dL/dh", "gradient by an activation", of="h"),
        Slope("dh/dz", "derivative of the activation", (1, 2)),
        Gradient("dL/dz", "gradient by a pre-activation (delta)", of="z"),
        Back("back", "what a layer passes back", (1, 2)),
        LocalDerivative("dz/dW", "derivative of a pre-activation by a weight", (2,), of="W"),
        LocalDerivative("dz/db", "derivative of a pre-activation by its bias", of="b"),
        ParameterGradient("dL/dW", "gradient by a weight", (2,), of="W"),
        ParameterGradient("dL/db", "gradient by a bias", of="b"),
        ParameterGradient("dL/dscale", "gradient by a scale", of="scale"),
        ParameterGradient("dL/dshift", "gradient by a shift", of="shift"),
        Gradient("dL/dx", "gradient by an input", layer=False, optional_layer=True, of="x"),
        Updated("W+", "weight after the update", (2,), of="W"),
        Updated("b+", "bias after the update", of="b"),
        Updated("scale+", "scale after the update", of="scale"),
        Updated("shift+", "shift after the update", of="shift"),
        Count("weights", "number of weights", (0,)),
        Count("biases", "number of biases", (0,)),
        Count("parameters", "number of learned parameters", (0,)),
    )
}  # fmt: skip


def kinds_of(net: Structure) -> dict[str, NetworkKind]:
    """The kinds of a network: those of every one, and those of parameters that only its own layers have.

    Raises:
        InputError: a parameter is called as another kind of quantity is.
    """
    found = dict(KINDS)
    own: dict[str, list[tuple[str, int]]] = {}  # by name the letters of layers, and how many indices there are
    for (name, layer), (step, span) in net.parameter_steps.items():
        if name in KINDS and not isinstance(KINDS[name], Parameter):
            taken = KINDS[name].meaning
            raise InputError(
                f'the parameter "{name}" of layer "{layer}" is called as every {taken} is: call it otherwise'
            )
        if type(step.layer) not in (Dense, BatchNorm):
            own.setdefault(name, []).append((step.layer.letter, len(span.shape)))
    for name, places in own.items():
        indices = {n for _, n in places}.union(KINDS[name].indices if name in KINDS else ())
        found |= {kind.spelled: kind for kind in _kinds_of_parameter(name, {at for at, _ in places}, indices)}
    return found


def _kinds_of_parameter(name: str, letters: set[str], indices: set[int]) -> Iterator[NetworkKind]:
    some, more = tuple(sorted(indices)), tuple(sorted(indices | {n + 1 for n in indices}))
    yield Parameter(name, KINDS[name].meaning.partition(" of ")[0] if name in KINDS else name, some, of=name)
    yield ParameterGradient(f"dL/d{name}", f"gradient by {name}", some, of=name)
    yield Updated(f"{name}+", f"{name} after the update", some, of=name)
    for letter in letters:
        yield LocalDerivative(f"d{letter}/d{name}", f"derivative of a unit by {name}", more, of=name, letter=letter)


def operation_of(net: Structure, step: Step) -> Operation:
    """What a step is to a derivation, as its layer says."""
    if step.layer.applies is not None:
        return Activated(net, step)
    if type(step.layer) is BatchNorm:  # one derived from it may compute something else
        return Normalized(net, step)
    shapes = tuple(net.program.slots[i].shape for i in step.inputs)
    form = step.layer.element(0, 0, shapes, net.trace.forward.memos[step.index])
    return WholeLayer(net, step) if form is None else SumOfProducts(net, step)


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
            rows = (row for row in part.rows(net) if not net.trace.lacks_label(net.head_of[head.head], row))
            for row, unit in product(rows, units):
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
            labelled = (row for row in rows if not net.trace.lacks_label(net.head_of[head.head], row))
            yield from (Name("dloss/dh", head.head, (u,), net.row_names[row]) for row, u in product(labelled, units))
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


class Graph(Structure):
    """The quantities of a trace: their values, and the recipes by which each can be computed.

    Most have one recipe. Some have several, where the field knows several routes to one number: `dL/dz` as
    `dL/dh dh/dz` or as `h - y`; the first is the chain rule's.
    """

    def __init__(self, trace: Trace):
        super().__init__(trace, operation_of)
        self.kinds = kinds_of(self)
        self._has_own_layers = any(type(step.layer) not in LAYERS.values() for step in self.program.steps)
        self.array: Callable[[str, str], Doubles | None] = cache(self._array)
        self._stage: Callable[[str, str], Stage] = cache(lambda kind, layer: self.kinds[kind].stage(self, layer))

    def kind(self, name: Name) -> NetworkKind:
        """The kind of a quantity."""
        return self.kinds[name.kind]

    def parse(self, text: str) -> Name:
        """The name that a text spells, checked."""
        return self.resolve(names.parse(text, self.kinds))

    def resolve(self, name: Name) -> Name:
        """The name as this network uses it: checked, `h` of a layer without activation taken for its `z`, and so on.

        Raises:
            InputError: there is no such quantity here; the message says what there is.
        """
        kind, rows = self.kinds[name.kind], self.trace.n_rows
        if self.forward_only and kind.needs_target:
            raise InputError(f'"{name}" depends on the target, and none is given: there is no y')
        if kind.per_row:
            if rows > 1 and name.row is None:
                first = name._replace(row=1)
                raise InputError(f'"{name}" doesn\'t say which of the {rows} rows: {first}, for example')
            if name.row is not None and name.row > rows:
                raise InputError(f'"{name}": there {"is 1 row" if rows == 1 else f"are {rows} rows"}')
            name = name._replace(row=name.row if rows > 1 else None)
        return kind.resolve(self, name)

    def _recipes(self, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute a quantity, the chain rule's first; none for what is given."""
        kind = self.kinds[name.kind]
        found = () if kind.given else kind.recipes(self, name)
        if self._has_own_layers:
            self._check(name, found)
        return found

    def _array(self, kind: str, layer: str) -> Doubles | None:
        """The engine's numbers of a kind in a layer, by rows and units or by indices; None where it has none."""
        return self.kinds[kind].array(self, layer)

    def _value(self, name: Name) -> float:
        """The engine's value of a quantity; local derivatives and shares of the loss are computed from those."""
        kind, array = self.kinds[name.kind], self.array(name.kind, name.layer)
        if array is None:
            return self.recipes(name)[kind.computed_by].value(self.value)
        if kind.per_row:
            return float(array[self.rows[name.row], name.index[-1] - 1])
        return float(array[tuple(i - 1 for i in name.index)])

    def _position(self, name: Name) -> Position:
        """Where a quantity stands in the order of computation."""
        return (*self._stage(name.kind, name.layer), name.row or 0, name.index)

    def _check(self, name: Name, recipes: tuple[Recipe, ...]) -> None:
        """Refuse what the scalar form of somebody's own layer says where its passes say something else."""
        if not recipes or not isinstance(recipes[0], Products) or self.array(name.kind, name.layer) is None:
            return
        known = self.value(name)
        products = [part.coefficient * math.prod(map(self.value, part.factors)) for part in recipes[0].parts]
        if abs(sum(products) - known) > NEAR * (abs(known) + sum(map(abs, products))):
            raise InputError(
                f'"{name}": the layers\' scalar forms give {sum(products):.6g}, their passes {known:.6g}; '
                "`element` and `forward` or `backward` of a layer of your own don't agree"
            )

    def in_order(self) -> Iterator[Name]:
        """Every computed quantity, in the order of computation."""
        return in_order(self)

    def uses(self, name: Name) -> int:
        """How many later quantities are computed from one."""
        return self.kinds[name.kind].uses(self, name)

    def gradient_of(self, name: Name) -> Name:
        """The gradient by a quantity; of a gradient, itself."""
        if isinstance(self.kinds[name.kind], (Gradient, ParameterGradient)):
            return name
        if f"dL/d{name.kind}" not in self.kinds:
            raise InputError(f'"{name}" has no gradient here; paths lead from W, b, x, z or h, as in W[hidden,1,1]')
        return name._replace(kind=f"dL/d{name.kind}")

    def value_of(self, gradient: Name) -> Name:
        """The quantity that a gradient is by."""
        return gradient._replace(kind=self.kinds[gradient.kind].of or gradient.kind)


def parse(text: str) -> Name:
    """The name that a text spells, of a kind that every network has.

    >>> parse("z[ row 2; hidden , 1 ]")
    Name(kind='z', layer='hidden', index=(1,), row=2)
    """
    return names.parse(text, KINDS)
