"""Forward: inputs, what layers make of them, and the derivatives of each layer's own step."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.arrays import Doubles
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.network.activated import Activated
from chainrule.explain.network.kind import BACKWARD, FORWARD, GIVEN, NetworkKind, Stage
from chainrule.explain.network.structure import Structure, check_index
from chainrule.explain.network.sums import SumOfProducts
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Products, Recipe
from chainrule.layers.element import Learned


@dataclass(frozen=True)
class Element(NetworkKind):
    """An element of a slot: `x`, `z`, `h`."""

    needs_target = False

    def resolve(self, net: Structure, name: Name) -> Name:
        """`h` of a layer without activation is its `z`, `z` of any other what it reads."""
        return net.resolve_element(name, self.spelled)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The layer's own scalar form, or its function."""
        step = net.producers[net.slots[self.spelled, name.layer]]
        return () if step is None else (net.operations[step.index].value(net.rows[name.row], name.index[0] - 1),)

    def array(self, net: Structure, layer: str) -> Doubles:
        """The values of the slot."""
        return net.trace.value(net.slots[self.spelled, layer])

    def stage(self, net: Structure, layer: str) -> Stage:
        """Layer by layer."""
        return (GIVEN, 0, 0) if self.given else (FORWARD, net.slots[self.spelled, layer], 0)

    def uses(self, net: Structure, name: Name) -> int:
        """By the steps that read it, by the slopes of the one that makes it, and by losses."""
        slot, row, unit = net.slots[self.spelled, name.layer], net.rows[name.row], name.index[0] - 1
        total = sum(net.operations[step.index].uses_of_element(row, slot, unit) for step in net.readers[slot])
        step = net.producers[slot]
        if step is not None:
            total += net.operations[step.index].uses_of_output(net.sizes[slot])
        for head in (net.heads[i] for i in net.heads_at[slot]):
            total += 2 if head.loss.separable else 1 + head.outputs
        return total


@dataclass(frozen=True)
class Slope(NetworkKind):
    """`dh/dz`: the derivative of an activation."""

    needs_target = False
    readers = 1

    def resolve(self, net: Structure, name: Name) -> Name:
        """Two indices where units are coupled, one elsewhere."""
        step = net.activation_steps.get(name.layer)
        if step is None:
            raise InputError(
                f'"{name}": "{name.layer}" has no activation.{did_you_mean(name.layer, net.activation_steps)}'
                f" These have: {listed(net.activation_steps)}"
            )
        coupled = net.is_coupled(step)
        if coupled != (len(name.index) == 2):
            raise InputError(
                f'"{name}": the units of a softmax depend on each other, so two indices: dh/dz[{name.layer},i,j]'
                if coupled
                else f'"{name}": one index is enough, dh/dz[{name.layer},{name.index[0]}]'
            )
        check_index(name, (net.sizes[step.output],) * len(name.index))
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """From `h` or from `z`, as the activation's derivative needs; a second route starts from `z`."""
        operation = net.operations[net.activation_steps[name.layer].index]
        assert isinstance(operation, Activated)
        return operation.slope(net.rows[name.row], name.index[0] - 1, name.index[-1] - 1)

    def stage(self, net: Structure, layer: str) -> Stage:
        """After the gradient by the activation, which it is multiplied with."""
        return (BACKWARD, -net.activation_steps[layer].output, 2)


@dataclass(frozen=True)
class LocalDerivative(NetworkKind):
    """`dz/dW`: the derivative of a unit by a learned number; `letter` is the unit's."""

    letter: str = "z"
    needs_target = False

    def resolve(self, net: Structure, name: Name) -> Name:
        """The unit is the last index of the number; where that acts on others, the unit stands first."""
        shape = net.parameter_shape(name, self.of)
        operation, learned, unit = self._parts(net, name)
        if not isinstance(operation, SumOfProducts) or operation.step.layer.letter != self.letter:
            raise InputError(f'"{name}": "{name.layer}" is no sum of products, so it has no {self.spelled}')
        check_index(Name(name.kind, name.layer, tuple(i + 1 for i in learned.index)), shape)
        reached = operation.reached(net.rows[name.row], learned)
        if unit not in reached:
            raise InputError(
                f'"{name}" does not exist: {learned.name} acts on {_units(reached)} of "{name.layer}" here'
            )
        if len(name.index) == len(shape) and reached != learned.index[-1:]:
            first = next(operation.local(net.rows[name.row], learned))
            raise InputError(f'"{name}": say of which unit, first: {first}')
        return name._replace(index=name.index[-len(shape) :]) if reached == learned.index[-1:] else name

    def _parts(self, net: Structure, name: Name) -> tuple[object, Learned, int]:
        step, span = net.parameter_steps[self.of, name.layer]
        n = len(span.shape)
        learned = Learned(self.of, tuple(i - 1 for i in name.index[len(name.index) - n :]))
        return net.operations[step.index], learned, (name.index[0] if len(name.index) > n else name.index[-1]) - 1

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The layer's scalar form, differentiated."""
        operation, learned, unit = self._parts(net, name)
        assert isinstance(operation, SumOfProducts)
        layer = operation.step.layer
        text = dict(layer.local_formulas).get(self.of)
        general = text or f"{self.spelled} = d({layer.formula.partition(' = ')[2]})/d{self.of}"
        return (Products(tuple(operation.derivative(net.rows[name.row], unit, learned)), general),)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Behind the gradients by the layer's units, before those by its learned numbers."""
        step, span = net.parameter_steps[self.of, layer]
        return (BACKWARD, -step.output, 3 + step.parameters.index(span))

    def uses(self, net: Structure, name: Name) -> int:
        """The gradient by the learned number, unless it is a mere number, which is written as such."""
        operation, learned, unit = self._parts(net, name)
        assert isinstance(operation, SumOfProducts)
        return operation.uses_of_local(name, learned, unit)


def _units(reached: tuple[int, ...]) -> str:
    return f"unit {listed(unit + 1 for unit in reached)}" if reached else "no unit"
