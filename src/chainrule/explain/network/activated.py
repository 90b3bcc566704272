"""Activations: `h = f(z)`, unit by unit, or over all units of a row where they are coupled (softmax); and `dh/dz`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.formula.grammar import bound, bound_over
from chainrule.explain.network.structure import BACKWARD, NetworkKind, Operation, Stage, Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Recipe
from chainrule.layers.element import Read
from chainrule.steps import Step


class Activated(Operation):
    """A step that applies an activation function."""

    def __init__(self, net: Structure, step: Step):
        super().__init__(net, step)
        assert step.layer.applies is not None
        self.f = step.layer.applies
        self.formulas = self.f.formulas
        self.before, self.after = step.inputs[0], step.output
        self.back_formula = "dL/dz_j = sum_i dL/dh_i dh_i/dz_j" if self.f.coupled else "dL/dz = dL/dh dh/dz"

    def _units(self, slot: int, row: int) -> list[Name]:
        return [self.net.name_of(slot, row, unit) for unit in range(self.net.sizes[slot])]

    def value(self, row: int, unit: int) -> FunctionOf:
        """`h = f(z)`; a unit of a softmax reads the whole row."""
        f = self.f
        if f.coupled:
            names = self._units(self.before, row)
            return FunctionOf(
                tuple(names), lambda z: f.value(z)[:, unit], f.formula,
                lambda: bound_over(f.formula, {"z": names}, f, {"j": unit + 1}),
            )  # fmt: skip
        name, text = self.net.name_of(self.before, row, unit), self.formulas[0]
        return FunctionOf((name,), lambda z: f.value(z[:, 0]), text, lambda: bound(text, {"z": name}, f))

    def slope(self, row: int, i: int, j: int) -> tuple[Recipe, ...]:
        """`dh_i/dz_j`: from `h` or from `z`, as the derivative needs; a second route starts from `z`."""
        f, text = self.f, self.formulas[1]
        if f.coupled:
            return self._coupled_slope(row, i, j)
        z, h = self.net.name_of(self.before, row, i), self.net.name_of(self.after, row, i)
        kept = z if f.needs == "z" else h
        own = FunctionOf((kept,), lambda k: f.derivative(k[:, 0]), text, lambda: bound(text, {"z": z, "h": h}, f))
        if f.needs != "h" or f.name == "linear":
            return (own,)
        return own, FunctionOf((z,), lambda k: f.derivative(f.value(k[:, 0])), text, None, "from z")

    def _coupled_slope(self, row: int, i: int, j: int) -> tuple[Recipe, ...]:
        f, text = self.f, self.f.derivative_formula
        h = self._units(self.after, row)

        def from_outputs(kept: Doubles) -> Array:
            whole = np.zeros((len(kept), len(h)))
            whole[:, i] = kept[:, 0]
            whole[:, j] = kept[:, -1]
            return f.derivative(whole)[:, i, j]

        return (
            FunctionOf(
                tuple(dict.fromkeys((h[i], h[j]))), from_outputs, text,
                lambda: bound_over(text, {"h": h}, f, {"i": i + 1, "j": j + 1}),
            ),
            FunctionOf(
                tuple(self._units(self.before, row)), lambda k: f.derivative(f.value(k))[:, i, j], text, None, "from z",
            ),
        )  # fmt: skip

    def slopes(self, row: int, unit: int) -> Iterator[Name]:
        """`dh/dz`, by each unit's `z` where they are coupled."""
        for i in range(self.net.sizes[self.after]) if self.f.coupled else (unit,):
            yield self.slope_name(row, i, unit)

    def slope_name(self, row: int, i: int, j: int) -> Name:
        """The name of `dh_i/dz_j`."""
        return Name("dh/dz", self.step.name, (i + 1, j + 1) if self.f.coupled else (j + 1,), self.net.row_names[row])

    def passed_back(self, row: int, read: Read) -> list[Part]:
        """`dL/dh dh/dz`, over all units that read the `z`."""
        parts = []
        for unit in range(self.net.sizes[self.after]) if self.f.coupled else (read.unit,):
            outer = self.net.name_of(self.after, row, unit, gradient=True)
            parts.append(Part((outer, self.slope_name(row, unit, read.unit)), outer=outer))
        return parts

    def uses_of_element(self, row: int, slot: int, unit: int) -> int:
        """Its `h`, and `dh/dz` where that is computed from `z`; in a softmax every `h`."""
        return self.net.sizes[slot] if self.f.coupled else 1 + (self.f.needs == "z")

    def uses_of_gradient(self, row: int, unit: int) -> int:
        """`dL/dz`; in a softmax every one."""
        return self.net.sizes[self.after] if self.f.coupled else 1

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

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        operation = net.operations[net.activation_steps[name.layer].index]
        assert isinstance(operation, Activated)
        return operation.slope(net.rows[name.row], name.index[0] - 1, name.index[-1] - 1)

    def stage(self, net: Structure, layer: str) -> Stage:
        """After the gradient by the activation, which it is multiplied with."""
        return (BACKWARD, -net.activation_steps[layer].output, 2)
