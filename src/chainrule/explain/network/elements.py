"""Inputs and what layers make of them, activations among them; and backward the chain rule.

The gradient by a value sums, over its readers, their gradient times their derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.formula.grammar import bound_over
from chainrule.explain.network.costs import fused_gradient, gradient_by_output
from chainrule.explain.network.structure import CHAIN, Choice, NetworkKind, Operation, Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.layers.element import Read
from chainrule.steps import Step


class Element(NetworkKind):
    """An element of a slot: `x`, `z`, `h`."""

    needs_target = False

    def resolve(self, net: Structure, name: Name) -> Name:
        """`h` of a layer without activation is its `z`, `z` of any other what it reads."""
        return net.resolve_element(name, self.spelled)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The layer's own scalar form, or its function."""
        slot, row, unit = net.slots[self.spelled, name.layer], net.rows[name.row], name.index[0] - 1
        step = net.producers[slot]
        return () if step is None else (net.operations[step.index].value(row, unit),)

    def array(self, net: Structure, layer: str) -> Doubles:
        return net.trace.value(net.slots[self.spelled, layer])

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterator[Name]:
        return net.elements(net.slots[self.spelled, layer], choice)

    def uses(self, net: Structure, name: Name) -> int:
        """By the steps that read it, by the slopes of the one that makes it, and by losses."""
        slot, row, unit = net.slots[self.spelled, name.layer], net.rows[name.row], name.index[0] - 1
        total = sum(reader.uses_of_element(row, slot, unit) for reader in net.readers[slot])
        step = net.producers[slot]
        if step is not None:
            total += net.operations[step.index].uses_of_output(net.sizes[slot])
        for head in (net.heads[i] for i in net.heads_at[slot] if not net.trace.lacks_label(i, row)):
            total += 2 if head.loss.separable else 1 + head.outputs
        return total


class Gradient(NetworkKind):
    """`dL/dh`, `dL/dz`, `dL/dx`: from the losses and the layers that read the value."""

    def resolve(self, net: Structure, name: Name) -> Name:
        return net.resolve_element(name, self.of)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The sum over readers; the loss's own derivative where there are none; and `h - y` of a known pair."""
        slot, row, unit = net.slots[self.of, name.layer], net.rows[name.row], name.index[0] - 1
        readers, factors = net.readers[slot], net.trace.row_factors
        direct = [i for i in net.heads_at[slot] if not net.trace.lacks_label(i, row)]
        if net.heads_at[slot] and not direct and not readers:
            return (Products((Part((), 0.0),), "0 where the row has no label of this head"),)
        if len(direct) == 1 and not readers:
            return (gradient_by_output(net, direct[0], row, unit, float(factors[direct[0]][row])),)
        sole = readers[0] if len(readers) == 1 and not direct else None
        if sole is not None and sole.is_whole and sole.step.inputs.count(slot) == 1:
            return (sole.back(row, Read(unit, sole.step.inputs.index(slot))),)
        parts: list[Part] = []
        for i in direct:
            outer = Name("dloss/dh", net.heads[i].head, (unit + 1,), net.row_names[row])
            parts.append(Part((outer,), float(factors[i][row]), outer=outer))
        for reader in readers:
            for k in (k for k, read in enumerate(reader.step.inputs) if read == slot):
                parts += reader.passed_back(row, Read(unit, k))
        general = readers[0].back_formula if len(readers) == 1 else CHAIN
        recipes: list[Recipe] = [Products(tuple(parts), general)]
        fused = [i for i, head in enumerate(net.heads) if head.slot == slot and head.fused]
        fused = [i for i in fused if not net.trace.lacks_label(i, row)]
        if len(fused) == 1 and sole is not None:
            recipes.append(fused_gradient(net, fused[0], row, unit, float(factors[fused[0]][row])))
        return tuple(recipes)

    def array(self, net: Structure, layer: str) -> Doubles:
        return net.trace.gradient(net.slots[self.of, layer])

    def array_formula(self, net: Structure, layer: str) -> str:
        """As the only layer that reads the slot says."""
        formulas = [reader.step.layer.array_formulas.get("x", "") for reader in net.readers[net.slots[self.of, layer]]]
        return formulas[0] if len(formulas) == 1 else ""

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterable[Name]:
        slot = net.slots[self.of, layer]
        return () if net.is_code[slot] else net.elements(slot, choice, gradient=True)

    def uses(self, net: Structure, name: Name) -> int:
        """By the step that makes the value; of an input, none."""
        slot, row, unit = net.slots[self.of, name.layer], net.rows[name.row], name.index[0] - 1
        step = net.producers[slot]
        return 0 if step is None else net.operations[step.index].uses_of_gradient(row, unit)


class Activated(Operation):
    """A step that applies an activation function."""

    def __init__(self, net: Structure, step: Step):
        super().__init__(net, step)
        assert step.layer.applies is not None
        self.f = step.layer.applies
        self.formulas = self.f.formulas
        self.before, self.after = step.inputs[0], step.output
        self.back_formula = "dL/dz_j = sum_i dL/dh_i dh_i/dz_j" if self.f.coupled else "dL/dz = dL/dh dh/dz"

    def together(self, unit: int) -> range:
        """The units that depend on each other: in a softmax all."""
        return range(self.net.sizes[self.after]) if self.f.coupled else range(unit, unit + 1)

    def _names(self, slot: int, row: int, unit: int) -> tuple[Name, ...]:
        return tuple(self.net.name_of(slot, row, k) for k in self.together(unit))

    def value(self, row: int, unit: int) -> FunctionOf:
        """`h = f(z)`."""
        f, text, names = self.f, self.formulas[0], self._names(self.before, row, unit)
        k = self.together(unit).index(unit)
        return FunctionOf(
            names, lambda z: f.value(z)[:, k], text, lambda: bound_over(text, {"z": names}, f, {"j": k + 1})
        )

    def slope(self, row: int, i: int, j: int) -> tuple[Recipe, ...]:
        """`dh_i/dz_j`: from `h` or from `z`, as the derivative needs; a second route starts from `z`."""
        f, text = self.f, self.formulas[1]
        z, h = self._names(self.before, row, j), self._names(self.after, row, j)
        kept = (h[i], h[j]) if f.coupled else z if f.needs == "z" else h
        at = (slice(None), i, j) if f.coupled else (slice(None), 0)

        def from_kept(points: Doubles) -> Array:
            if not f.coupled:
                return f.derivative(points)[at]
            whole = np.zeros((len(points), len(h)))
            whole[:, i] = points[:, 0]
            whole[:, j] = points[:, -1]
            return f.derivative(whole)[at]

        places = {"i": i + 1, "j": j + 1}
        own = FunctionOf(
            tuple(dict.fromkeys(kept)), from_kept, text, lambda: bound_over(text, {"z": z, "h": h}, f, places)
        )
        if f.name == "linear" or kept is z:
            return (own,)
        return own, FunctionOf(z, lambda points: f.derivative(f.value(points))[at], text, None, "from z")

    def slopes(self, row: int, unit: int) -> Iterator[Name]:
        """`dh/dz`, by each unit's `z` where they are coupled."""
        return (self.slope_name(row, i, unit) for i in self.together(unit))

    def slope_name(self, row: int, i: int, j: int) -> Name:
        """The name of `dh_i/dz_j`."""
        return Name("dh/dz", self.step.name, (i + 1, j + 1) if self.f.coupled else (j + 1,), self.net.row_names[row])

    def passed_back(self, row: int, read: Read) -> list[Part]:
        """`dL/dh dh/dz`, over all units that read the `z`."""
        parts = []
        for unit in self.together(read.unit):
            outer = self.net.name_of(self.after, row, unit, gradient=True)
            parts.append(Part((outer, self.slope_name(row, unit, read.unit)), outer=outer))
        return parts

    def uses_of_element(self, row: int, slot: int, unit: int) -> int:
        """Every `h` made of it, and `dh/dz` where that is computed from `z`."""
        return len(self.together(unit)) + (self.f.needs == "z" and not self.f.coupled)

    def uses_of_gradient(self, row: int, unit: int) -> int:
        """`dL/dz` of every unit that it depends on."""
        return len(self.together(unit))

    def uses_of_output(self, n: int) -> int:
        """The slopes that are computed from `h`."""
        return 2 * n - 1 if self.f.coupled else int(self.f.needs == "h")


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

    def operation(self, net: Structure, layer: str) -> Activated:
        """The step that applies the activation."""
        found = net.operations[net.activation_steps[layer].index]
        assert isinstance(found, Activated)
        return found

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        return self.operation(net, name.layer).slope(net.rows[name.row], name.index[0] - 1, name.index[-1] - 1)

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterator[Name]:
        operation = self.operation(net, layer)
        units = choice.units(net.sizes[operation.after])
        for row in choice.rows(net):
            yield from sorted(name for unit in units for name in operation.slopes(row, unit))
