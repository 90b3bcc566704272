"""Backward: the chain rule. The gradient by a value sums, over its readers, their gradient times their derivative."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.explain.network.costs import fused_gradient, gradient_by_output
from chainrule.explain.network.kind import BACKWARD, NetworkKind, Stage
from chainrule.explain.network.operation import CHAIN
from chainrule.explain.network.structure import Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe
from chainrule.layers.element import Learned, Read


@dataclass(frozen=True)
class Gradient(NetworkKind):
    """`dL/dh`, `dL/dz`, `dL/dx`: from the losses and the layers that read the value."""

    def resolve(self, net: Structure, name: Name) -> Name:
        """As the element that it is by."""
        return net.resolve_element(name, self.of)

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The sum over readers; the loss's own derivative where there are none; and `h - y` of a known pair."""
        slot, row, unit = net.slots[self.of, name.layer], net.rows[name.row], name.index[0] - 1
        direct, readers = net.heads_at[slot], net.readers[slot]
        if len(direct) == 1 and not readers:
            return (gradient_by_output(net, direct[0], row, unit, float(net.trace.row_factors(direct[0])[row])),)
        sole = net.operations[readers[0].index] if len(readers) == 1 and not direct else None
        if sole is not None and sole.step.inputs.count(slot) == 1:
            whole = sole.back(row, Read(unit, sole.step.inputs.index(slot)))
            if whole is not None:
                return (whole,)
        parts: list[Part] = []
        for i in direct:
            outer = Name("dloss/dh", net.heads[i].head, (unit + 1,), net.row_names[row])
            parts.append(Part((outer,), float(net.trace.row_factors(i)[row]), outer=outer))
        for step in readers:
            for k in (k for k, read in enumerate(step.inputs) if read == slot):
                parts += net.operations[step.index].passed_back(row, Read(unit, k))
        general = net.operations[readers[0].index].back_formula if len(readers) == 1 else CHAIN
        recipes: list[Recipe] = [Products(tuple(parts), general)]
        fused = [i for i, head in enumerate(net.heads) if head.slot == slot and head.fused]
        if len(fused) == 1 and sole is not None:
            recipes.append(fused_gradient(net, fused[0], row, unit, float(net.trace.row_factors(fused[0])[row])))
        return tuple(recipes)

    def array(self, net: Structure, layer: str) -> Doubles:
        """The gradients by the slot."""
        return net.trace.gradient(net.slots[self.of, layer])

    def array_formula(self, net: Structure, layer: str, general: str) -> str:
        """As the only layer that reads the slot says."""
        formulas = [step.layer.array_formulas.get("x") for step in net.readers[net.slots[self.of, layer]]]
        return formulas[0] or general if len(formulas) == 1 else general

    def stage(self, net: Structure, layer: str) -> Stage:
        """From the last layer to the first."""
        return (BACKWARD, -net.slots[self.of, layer], 1)

    def uses(self, net: Structure, name: Name) -> int:
        """By the step that makes the value; of an input, none."""
        step = net.producers[net.slots[self.of, name.layer]]
        if step is None:
            return 0
        return net.operations[step.index].uses_of_gradient(net.rows[name.row], name.index[0] - 1)


@dataclass(frozen=True)
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
        """The layer's backward pass."""
        step = net.producers[net.slots["h", name.layer]]
        assert step is not None
        k = name.index[0] - 1 if len(name.index) > 1 else 0
        found = net.operations[step.index].back(net.rows[name.row], Read(name.index[-1] - 1, k))
        assert found is not None
        return (found,)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Behind the gradient by what the layer makes."""
        return (BACKWARD, -net.slots["h", layer], 2)


@dataclass(frozen=True)
class ParameterGradient(NetworkKind):
    """`dL/dW` and the gradients by the other learned numbers: over all rows, with the penalty's part."""

    per_row: bool = False

    def resolve(self, net: Structure, name: Name) -> Name:
        """One of the parameter's numbers."""
        check_index(name, net.parameter_shape(name, self.of))
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """As the layer's scalar form, or its backward pass, has it."""
        step, _ = net.parameter_steps[self.of, name.layer]
        return (net.operations[step.index].gradient(Learned(self.of, tuple(i - 1 for i in name.index))),)

    def array(self, net: Structure, layer: str) -> Doubles:
        """The gradients by the parameter."""
        return net.trace.parameter_gradients[net.parameter_steps[self.of, layer][0].index][self.of]

    def array_formula(self, net: Structure, layer: str, general: str) -> str:
        """As the layer says."""
        return net.parameter_steps[self.of, layer][0].layer.array_formulas.get(self.of, general)

    def stage(self, net: Structure, layer: str) -> Stage:
        """Last of what belongs to the layer."""
        step, span = net.parameter_steps[self.of, layer]
        return (BACKWARD, -step.output, 3 + len(step.parameters) + step.parameters.index(span))

    def uses(self, net: Structure, name: Name) -> int:
        """The parameter after the update."""
        return int(net.runs[self.of, name.layer].trainable and not net.trace.optimizer.full_batch)
