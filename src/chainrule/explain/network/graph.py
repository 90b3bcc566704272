"""Which quantity is computed from which, and in which order: on demand, out of layers, losses and optimizer.

Forward formulas come from the layers; the chain rule is applied here, once, for all of them: the gradient by a value is
the sum, over everything that reads it, of the reader's gradient times the reader's derivative by the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache

from chainrule.arrays import Doubles
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.network.costs import HeadGradient, Penalty, Share, Target, Total
from chainrule.explain.network.elements import Activated, Element, Gradient, Slope
from chainrule.explain.network.learned import Count, Parameter, ParameterGradient, Updated
from chainrule.explain.network.structure import ALL, Choice, NetworkKind, Operation, Structure
from chainrule.explain.network.sums import LocalDerivative, SumOfProducts
from chainrule.explain.network.trace import Trace
from chainrule.explain.network.whole import Back, Normalized, WholeLayer
from chainrule.explain.quantities import names
from chainrule.explain.quantities.names import COUNTS, Name
from chainrule.explain.quantities.recipes import Position, Products, Recipe
from chainrule.layers import LAYERS, BatchNorm, Dense
from chainrule.steps import Step

GIVEN, FORWARD, LOSS, BACKWARD, UPDATE = range(5)  # phases of the computation
NEAR = 1e-6  # relative: how near a layer's scalar form comes to its passes where both say the same


KINDS: dict[str, NetworkKind] = {
    kind.spelled: kind
    for kind in (
        Element("x", "input", layer=False, optional_layer=True, given=True),
        Target("y", "target", layer=False, optional_layer=True, given=True),
        Parameter("W", "weight", (2,), of="W"),
        Parameter("b", "bias", of="b"),
        Parameter("scale", "scale of batch normalization", of="scale"),
        Parameter("shift", "shift of batch normalization", of="shift"),
        Element("z", "pre-activation"),
        Element("h", "activation"),
        Share("loss", "one output's share of a row's loss", (0, 1), layer=False, optional_layer=True),
        Penalty("penalty", "penalties on the weights", (0,), layer=False, per_row=False),
        Total("L", "loss, penalties included", (0,), layer=False, per_row=False),
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
        Count("weights", "number of weights", (0,), layer=False, per_row=False, optional_layer=True),
        Count("biases", "number of biases", (0,), layer=False, per_row=False, optional_layer=True),
        Count("parameters", "number of learned parameters", (0,), layer=False, per_row=False, optional_layer=True),
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


def order_of(net: Structure) -> Iterator[tuple[int, str, str]]:
    """The phase of each kind in each layer, in the order of computation."""
    steps, inputs = net.program.steps, [slot.index for slot in net.program.inputs]
    learning = [(step, span) for step in steps for span in step.parameters]
    for layer in (*dict.fromkeys(step.name for step, _ in learning), ""):
        yield from ((GIVEN, kind, layer) for kind in COUNTS)
    for step in steps:
        yield (FORWARD, *net.named[step.output])
    for head in net.heads:
        yield LOSS, "loss", net.share_name(head, 0, None).layer
    yield LOSS, "penalty", ""
    yield LOSS, "L", ""
    for step in reversed(steps):
        kind, layer = net.named[step.output]
        yield from ((BACKWARD, "dloss/dh", net.heads[i].head) for i in net.heads_at[step.output])
        yield BACKWARD, f"dL/d{kind}", layer
        match net.operations[step.index]:
            case Activated():
                yield BACKWARD, "dh/dz", step.name
            case WholeLayer():
                yield BACKWARD, "back", step.name
            case SumOfProducts():
                local = f"d{step.layer.letter}/d"
                yield from ((BACKWARD, local + span.name, step.name) for span in step.parameters)
        yield from ((BACKWARD, f"dL/d{span.name}", step.name) for span in step.parameters)
    for slot in reversed(inputs):
        kind, layer = net.named[slot]
        yield BACKWARD, f"dL/d{kind}", layer
    yield from ((UPDATE, f"{span.name}+", step.name) for step, span in learning)


class Graph(Structure):
    """The quantities of a trace: their values, and the recipes by which each can be computed.

    Most have one recipe. Some have several, where the field knows several routes to one number: `dL/dz` as
    `dL/dh dh/dz` or as `h - y`; the first is the chain rule's.
    """

    def __init__(self, trace: Trace):
        super().__init__(trace)
        self.operations = [operation_of(self, step) for step in self.program.steps]
        self.readers = [[o for o in self.operations if slot.index in o.step.inputs] for slot in self.program.slots]
        self.kinds = kinds_of(self)
        self._order = list(order_of(self))
        self._places = {(kind, layer): (phase, i) for i, (phase, kind, layer) in enumerate(self._order, 1)}
        self._has_own_layers = any(type(step.layer) not in LAYERS.values() for step in self.program.steps)
        self.array: Callable[[str, str], Doubles | None] = cache(self._array)

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
        kind, rows = self.kinds[name.kind], self.n_rows
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
        """Where a quantity stands in the order of computation: phase, group, row, index."""
        return (*self._places.get((name.kind, name.layer), (GIVEN, 0)), name.row or 0, name.index)

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

    def in_order(self, choice: Choice = ALL, *, update: bool = True) -> Iterator[Name]:
        """Every quantity that is computed, in order; those of backward and update only where gradients can pass.

        Arguments:
            choice: a part of them.
            update: whether those of the update belong to it.
        """
        last = UPDATE if update and not self.without_update and not self.trace.optimizer.full_batch else BACKWARD
        last = FORWARD if self.forward_only else last if self.is_trainable else LOSS
        for phase, kind, layer in self._order:
            if GIVEN < phase <= last and choice.layer in (None, layer):
                yield from self.kinds[kind].names(self, layer, choice)

    def check(self, choice: Choice) -> None:
        """Raise an `InputError` where there is no such layer, unit or row.

        Arguments:
            choice: what is asked for.
        """
        steps, n_rows = self.program.steps, self.n_rows
        names = list(dict.fromkeys(step.name for step in steps))
        if choice.layer is not None and choice.layer not in names:
            near = did_you_mean(choice.layer, names)
            raise InputError(f'there is no layer "{choice.layer}".{near} There are {listed(names)}')
        if choice.row is not None and not 1 <= choice.row <= n_rows:
            raise InputError(f"there is no row {choice.row}: rows count from 1 to {n_rows}")
        if choice.unit is not None:
            most = max(self.sizes[step.output] for step in steps if choice.layer in (None, step.name))
            if not 1 <= choice.unit <= most:
                where = f'layer "{choice.layer}"' if choice.layer else "the largest layer"
                raise InputError(f"there is no unit {choice.unit}: {where} has units 1 to {most}")

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
