"""Inputs and what layers make of them; and backward the chain rule.

The gradient by a value sums, over its readers, their gradient times their derivative.
"""

from __future__ import annotations

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.explain.network.costs import fused_gradient, gradient_by_output
from chainrule.explain.network.structure import (
    BACKWARD,
    CHAIN,
    FORWARD,
    GIVEN,
    NetworkKind,
    Stage,
    Structure,
    check_index,
)
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe
from chainrule.layers.element import Read


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

    def stage(self, net: Structure, layer: str) -> Stage:
        return (GIVEN, 0, 0) if self.given else (FORWARD, net.slots[self.spelled, layer], 0)

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
        if sole is not None and sole.step.inputs.count(slot) == 1:
            whole = sole.back(row, Read(unit, sole.step.inputs.index(slot)))
            if whole is not None:
                return (whole,)
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

    def array_formula(self, net: Structure, layer: str, general: str) -> str:
        """As the only layer that reads the slot says."""
        formulas = [reader.step.layer.array_formulas.get("x") for reader in net.readers[net.slots[self.of, layer]]]
        return formulas[0] or general if len(formulas) == 1 else general

    def stage(self, net: Structure, layer: str) -> Stage:
        """From the last layer to the first."""
        return (BACKWARD, -net.slots[self.of, layer], 1)

    def uses(self, net: Structure, name: Name) -> int:
        """By the step that makes the value; of an input, none."""
        slot, row, unit = net.slots[self.of, name.layer], net.rows[name.row], name.index[0] - 1
        step = net.producers[slot]
        return 0 if step is None else net.operations[step.index].uses_of_gradient(row, unit)


class Back(NetworkKind):
    """What a layer that is no sum of products passes back to one value, where others read that value too."""

    readers = 1

    def resolve(self, net: Structure, name: Name) -> Name:
        """The element that is read; where the layer has several inputs, which of them stands first."""
        step = net.producers[net.slots.get(("h", name.layer), 0)]
        if step is None or len(name.index) != 1 + (len(step.inputs) > 1):
            raise InputError(f'"{name}": there is no layer "{name.layer}" that passes back so')
        sizes = [net.sizes[slot] for slot in step.inputs]
        check_index(name, (len(sizes), max(sizes)) if len(sizes) > 1 else (sizes[0],))
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        step = net.producers[net.slots["h", name.layer]]
        assert step is not None
        k = name.index[0] - 1 if len(name.index) > 1 else 0
        found = net.operations[step.index].back(net.rows[name.row], Read(name.index[-1] - 1, k))
        assert found is not None
        return (found,)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Behind the gradient by what the layer makes."""
        return (BACKWARD, -net.slots["h", layer], 2)
