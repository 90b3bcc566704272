"""Layers that are no sum of products: their numbers come from the layer's own passes, run on what was written down."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import Node
from chainrule.explain.network.operation import Operation
from chainrule.explain.network.structure import Structure
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part
from chainrule.layers import Arrays
from chainrule.layers.element import Learned, Read
from chainrule.parameters import Span
from chainrule.steps import Step


class WholeLayer(Operation):
    """A step whose units each may depend on every element and every learned number of the layer.

    Where rows depend on one another (as in the layer's `couples_rows`) they are taken together, else each by itself.
    """

    takes_penalty_in = True

    def __init__(self, net: Structure, step: Step):
        self.net = net
        self.step = step
        layer = step.layer
        self.together = layer.is_random or (layer.couples_rows and net.trace.training)
        self.general = layer.formula or f"h = the function of {type(layer).__name__}"

    # -------------------------------------------------------- what a unit depends on

    def units(self, slot: int, unit: int) -> range:
        """The units of a slot that belong to one of them."""
        return range(self.net.sizes[slot])

    def spans(self, unit: int) -> Iterator[tuple[Span, tuple[tuple[int, ...], ...]]]:
        """The learned arrays with the indices of the numbers that belong to a unit."""
        for span in self.step.parameters:
            yield span, tuple(np.ndindex(span.shape))

    def rows(self, row: int) -> range:
        """The rows that are computed together with one."""
        return range(self.net.trace.n_rows) if self.together else range(row, row + 1)

    def learned(self, unit: int) -> list[Name]:
        """The learned numbers that belong to a unit."""
        return [
            Name(span.name, self.step.name, tuple(i + 1 for i in index))
            for span, indices in self.spans(unit)
            for index in indices
        ]

    def read(self, rows: range, unit: int) -> list[Name]:
        """The elements read, row by row."""
        return [
            self.net.name_of(slot, row, u) for slot in self.step.inputs for row in rows for u in self.units(slot, unit)
        ]

    def gradients(self, rows: range, unit: int) -> list[Name]:
        """The gradients by the elements written, row by row."""
        slot = self.step.output
        return [self.net.name_of(slot, row, u, gradient=True) for row in rows for u in self.units(slot, unit)]

    # ---------------------------------------------------------------- the layer, run

    def state(self, unit: int) -> dict[str, Array]:
        """What the layer keeps without learning it."""
        return dict(self.net.trace.state[self.step.index])

    def _run(self, points: Doubles, rows: range, unit: int, back: bool) -> Iterator[tuple[list[Array], Arrays]]:
        """For each point the output; or with `back` the gradients by what is read, and those by what is learned."""
        learned = [(span.name, self._shape(span.shape, len(indices))) for span, indices in self.spans(unit)]
        slots = (*self.step.inputs, self.step.output)
        shapes = [
            (len(rows), *self._shape(self.net.program.slots[slot].shape, len(self.units(slot, unit)))) for slot in slots
        ]
        context = replace(self.net.trace.context, layer=self.step.index)
        for point in points:
            cut = _Cut(point)
            parameters = {name: cut.take(shape) for name, shape in learned}
            inputs = tuple(
                np.rint(cut.take(shape)).astype(int) if self.net.is_code[slot] else cut.take(shape)
                for slot, shape in zip(self.step.inputs, shapes[:-1], strict=True)
            )
            output, memo, _ = self.step.layer.forward(parameters, self.state(unit), inputs, context)
            if not back:
                yield [output], {}
                continue
            d_inputs, gradients = self.step.layer.backward(parameters, memo, cut.take(shapes[-1]))
            yield [np.zeros_like(x) if d is None else d for d, x in zip(d_inputs, inputs, strict=True)], gradients

    @staticmethod
    def _shape(whole: tuple[int, ...], n: int) -> tuple[int, ...]:
        """The shape of the n numbers that belong to a unit: all of the array, or a part of it in a row."""
        return whole if n == math.prod(whole) else (n,)

    # ---------------------------------------------------------------------- recipes

    def value(self, row: int, unit: int) -> FunctionOf:
        """A unit by the layer's forward pass."""
        rows = self.rows(row)
        place = self.units(self.step.output, unit).index(unit)

        def function(points: Doubles) -> Doubles:
            ran = self._run(points, rows, unit, back=False)
            return np.array([output.reshape(len(rows), -1)[row - rows.start, place] for (output,), _ in ran])

        names = (*self.learned(unit), *self.read(rows, unit))
        return FunctionOf(names, function, self.general, lambda: self.value_tree(row, unit))

    def passed_back(self, row: int, read: Read) -> list[Part]:
        """What the layer passes back is a quantity of its own, where others read the element too."""
        index = (read.unit + 1,) if len(self.step.inputs) == 1 else (read.input + 1, read.unit + 1)
        name = Name("back", self.step.name, index, self.net.row_names[row])
        return [Part((name,), outer=name)]

    def back(self, row: int, read: Read) -> FunctionOf:
        """The gradient by an element, by the layer's backward pass."""
        rows, unit = self.rows(row), read.unit
        place = self.units(self.step.inputs[read.input], unit).index(unit)

        def function(points: Doubles) -> Doubles:
            ran = self._run(points, rows, unit, back=True)
            return np.array([d[read.input].reshape(len(rows), -1)[row - rows.start, place] for d, _ in ran])

        outer = tuple(self.gradients(rows, unit))
        names = (*self.learned(unit), *self.read(rows, unit), *outer)
        return FunctionOf(names, function, self.back_general(), lambda: self.back_tree(row, unit), outer=outer)

    def gradient(self, learned: Learned) -> FunctionOf:
        """The gradient by a learned number, by the layer's backward pass over all rows; with the penalty's part."""
        rows, unit = range(self.net.trace.n_rows), learned.index[-1] if learned.index else 0
        outer = tuple(self.gradients(rows, unit))
        names = (*self.learned(unit), *self.read(rows, unit), *outer)
        own = names.index(Name(learned.name, self.step.name, tuple(i + 1 for i in learned.index)))
        l1, l2 = self.net.runs[learned.name, self.step.name].charge
        factor = self.net.trace.penalty_factor
        before = next(indices for span, indices in self.spans(unit) if span.name == learned.name)
        place = before.index(learned.index)

        def function(points: Doubles) -> Doubles:
            ran = self._run(points, rows, unit, back=True)
            plain = np.array([gradients[learned.name].reshape(-1)[place] for _, gradients in ran])
            return plain + factor * (2 * l2 * points[:, own] + l1 * np.sign(points[:, own]))

        general = self.gradient_general(learned)
        return FunctionOf(names, function, general, lambda: self.gradient_tree(learned), outer=outer)

    # ----------------------------------------------------- formulas, where there are some

    def value_tree(self, row: int, unit: int) -> Node | None:
        """The formula of a unit."""
        return None

    def back_tree(self, row: int, unit: int) -> Node | None:
        """The formula of the gradient by an element."""
        return None

    def gradient_tree(self, learned: Learned) -> Node | None:
        """The formula of the gradient by a learned number."""
        return None

    def back_general(self) -> str:
        """The same in general."""
        return f"dL/dx = what {type(self.step.layer).__name__} passes back"

    def gradient_general(self, learned: Learned) -> str:
        """The same in general."""
        return f"dL/d{learned.name} = what {type(self.step.layer).__name__} passes back"

    # ------------------------------------------------------------------------- uses

    def _sizes(self, unit: int) -> tuple[int, int, int]:
        """How many units are written, elements passed back to and numbers learned that belong to a unit."""
        read = sum(len(self.units(slot, unit)) for slot in self.step.inputs if not self.net.is_code[slot])
        return len(self.units(self.step.output, unit)), read, len(self.learned(unit))

    def uses_of_element(self, row: int, slot: int, unit: int) -> int:
        """The units computed from it, the elements passed back to, and the learned numbers."""
        written, read, learned = self._sizes(unit)
        return len(self.rows(row)) * (written + read) + learned

    def uses_of_gradient(self, row: int, unit: int) -> int:
        """The elements passed back to, and the learned numbers."""
        _, read, learned = self._sizes(unit)
        return len(self.rows(row)) * read + learned

    def uses_of_learned(self, learned: Learned) -> int:
        """The units computed from it, the elements passed back to, in every row, and the layer's learned numbers."""
        written, read, numbers = self._sizes(learned.index[-1] if learned.index else 0)
        return self.net.trace.n_rows * (written + read) + numbers


class _Cut:
    """Arrays cut off a row of numbers, one after another."""

    def __init__(self, numbers: Doubles):
        self.numbers = numbers
        self.at = 0

    def take(self, shape: tuple[int, ...]) -> Doubles:
        begin, self.at = self.at, self.at + math.prod(shape)
        return self.numbers[begin : self.at].reshape(shape)
