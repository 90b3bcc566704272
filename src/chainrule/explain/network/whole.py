"""Layers that are no sum of products: their numbers come from the layer's own passes, run on what was written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.errors import InputError
from chainrule.explain.formula import NamedNumber, Node, Product, Symbol
from chainrule.explain.formula.grammar import bound
from chainrule.explain.formula.tree import sum_of
from chainrule.explain.network.structure import Choice, NetworkKind, Operation, Structure, check_index
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Recipe
from chainrule.layers import Arrays, Shape
from chainrule.layers.element import Learned, Read
from chainrule.parameters import Span
from chainrule.steps import Step

Written = tuple[str, Callable[[], Node] | None]
Ran = Callable[[tuple[Array | None, ...], Arrays], float]  # the number that is asked for, of what a pass gave


class WholeLayer(Operation):
    """A step whose units each may depend on every element and every learned number of the layer.

    Where rows depend on one another (as in the layer's `couples_rows`) they are taken together, else each by itself.
    """

    is_whole = True

    def __init__(self, net: Structure, step: Step):
        super().__init__(net, step)
        layer = step.layer
        self.together = layer.is_random or (layer.couples_rows and net.trace.training)
        self.general = layer.formula or f"h = the function of {type(layer).__name__}"

    def units(self, slot: int, unit: int) -> range:
        """The units of a slot that belong to one of them."""
        return range(self.net.sizes[slot])

    def spans(self, unit: int) -> Iterator[tuple[Span, tuple[tuple[int, ...], ...]]]:
        """The learned arrays with the indices of the numbers that belong to a unit."""
        return ((span, tuple(np.ndindex(span.shape))) for span in self.step.parameters)

    def rows(self, row: int) -> range:
        """The rows that are computed together with one."""
        return range(self.net.n_rows) if self.together else range(row, row + 1)

    def learned(self, unit: int) -> list[Name]:
        """The learned numbers that belong to a unit."""
        spans = self.spans(unit)
        return [Name(span.name, self.step.name, tuple(i + 1 for i in index)) for span, all_ in spans for index in all_]

    def sources(self, rows: range, unit: int) -> tuple[Name, ...]:
        """The learned numbers and, row by row, the elements that a unit is computed from."""
        read = (self.net.name_of(s, row, u) for s in self.step.inputs for row in rows for u in self.units(s, unit))
        return (*self.learned(unit), *read)

    def gradients(self, rows: range, unit: int) -> tuple[Name, ...]:
        """The gradients by the elements written, row by row."""
        slot = self.step.output
        return tuple(self.net.name_of(slot, row, u, gradient=True) for row in rows for u in self.units(slot, unit))

    def state(self, unit: int) -> dict[str, Array]:
        """What the layer keeps without learning it."""
        return dict(self.net.trace.state[self.step.index])

    def _passes(self, rows: range, unit: int, ran: Ran, back: bool, points: Doubles) -> Doubles:
        """A number for each point: of the output, or with `back` of the gradients by what is read and learned."""
        net, layer, spans = self.net, self.step.layer, list(self.spans(unit))
        slots = (*self.step.inputs, self.step.output) if back else self.step.inputs
        shapes = [_shape(span.shape, len(indices)) for span, indices in spans]
        of_units = (_shape(net.program.slots[slot].shape, len(self.units(slot, unit))) for slot in slots)
        shapes += [(len(rows), *shape) for shape in of_units]
        ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
        context = replace(net.trace.context, layer=self.step.index)
        found = []
        for point in points:
            arrays = [part.reshape(shape) for part, shape in zip(np.split(point, ends), shapes, strict=True)]
            parameters = {span.name: array for (span, _), array in zip(spans, arrays, strict=False)}
            inputs = tuple(
                np.rint(array).astype(int) if net.is_code[slot] else array
                for slot, array in zip(self.step.inputs, arrays[len(spans) :], strict=False)
            )
            output, memo, _ = layer.forward(parameters, self.state(unit), inputs, context)
            found.append(ran(*layer.backward(parameters, memo, arrays[-1])) if back else ran((output,), {}))
        return np.array(found)

    def value(self, row: int, unit: int) -> FunctionOf:
        rows = self.rows(row)
        number = _element(0, len(rows), (row - rows.start, self.units(self.step.output, unit).index(unit)))
        function = partial(self._passes, rows, unit, number, False)
        return FunctionOf(self.sources(rows, unit), function, *self.value_formula(row, unit))

    def passed_back(self, row: int, read: Read) -> list[Part]:
        """What the layer passes back is a quantity of its own, where others read the element too."""
        name = self.back_name(row, read)
        return [Part((name,), outer=name)]

    def back_name(self, row: int, read: Read) -> Name:
        """The name of what is passed back to an element."""
        index = (read.unit + 1,) if len(self.step.inputs) == 1 else (read.input + 1, read.unit + 1)
        return Name("back", self.step.name, index, self.net.row_names[row])

    def back(self, row: int, read: Read) -> FunctionOf:
        rows, unit, k = self.rows(row), read.unit, read.input
        number = _element(k, len(rows), (row - rows.start, self.units(self.step.inputs[k], unit).index(unit)))
        outer = self.gradients(rows, unit)
        names = (*self.sources(rows, unit), *outer)
        function = partial(self._passes, rows, unit, number, True)
        return FunctionOf(names, function, *self.back_formula_of(row, unit), outer=outer)

    def gradient(self, learned: Learned) -> FunctionOf:
        """The gradient by a learned number, by the layer's backward pass over all rows; with the penalty's part."""
        rows, unit = range(self.net.n_rows), learned.index[-1] if learned.index else 0
        outer = self.gradients(rows, unit)
        names = (*self.sources(rows, unit), *outer)
        own = names.index(Name(learned.name, self.step.name, tuple(i + 1 for i in learned.index)))
        l1, l2 = self.net.runs[learned.name, self.step.name].charge
        factor = self.net.trace.penalty_factor
        at = next(indices for span, indices in self.spans(unit) if span.name == learned.name).index(learned.index)

        def function(points: Doubles) -> Doubles:
            plain = self._passes(rows, unit, lambda _, found: found[learned.name].reshape(-1)[at], True, points)
            return plain + factor * (2 * l2 * points[:, own] + l1 * np.sign(points[:, own]))

        return FunctionOf(names, function, *self.gradient_formula(learned), outer=outer)

    def value_formula(self, row: int, unit: int) -> Written:
        """A unit in general, and what makes its formula, where it has one."""
        return self.general, None

    def back_formula_of(self, row: int, unit: int) -> Written:
        """The same of the gradient by an element."""
        return f"dL/dx = what {type(self.step.layer).__name__} passes back", None

    def gradient_formula(self, learned: Learned) -> Written:
        """The same of the gradient by a learned number."""
        return f"dL/d{learned.name} = what {type(self.step.layer).__name__} passes back", None

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
        return self.net.n_rows * (written + read) + numbers


def _element(k: int, rows: int, at: tuple[int, int]) -> Ran:
    """One number of the k-th array; an input that nothing is passed back to has 0."""

    def number(arrays: tuple[Array | None, ...], _: Arrays) -> float:
        found = arrays[k]
        return 0.0 if found is None else float(found.reshape(rows, -1)[at])

    return number


def _shape(whole: Shape, n: int) -> Shape:
    """The shape of the n numbers that belong to a unit: all of the array, or a part of it in a row."""
    return whole if n == math.prod(whole) else (n,)


class Normalized(WholeLayer):
    """Batch normalization: a unit depends on its own column and its own scale and shift alone."""

    def units(self, slot: int, unit: int) -> range:
        return range(unit, unit + 1)

    def spans(self, unit: int) -> Iterator[tuple[Span, tuple[tuple[int, ...], ...]]]:
        return ((span, ((unit,),)) for span in self.step.parameters)

    def state(self, unit: int) -> dict[str, Array]:
        return {name: array[[unit]] for name, array in self.net.trace.state[self.step.index].items()}

    def column(self, row: int, unit: int) -> tuple[tuple[Name, ...], int]:
        """Scale, shift and the column that a unit is computed from, and where the row is in that."""
        rows = self.rows(row)
        return self.sources(rows, unit), row - rows.start

    def value_formula(self, row: int, unit: int) -> Written:
        """`scale (x - mean) / sqrt(variance + epsilon) + shift`."""

        def tree() -> Node:
            trace, x = self.net.trace, self.step.inputs[0]
            column, state = trace.value(x)[:, unit], self.state(unit)
            mean, variance = (
                (column.mean(), column.var()) if trace.training else (state["mean"][0], state["variance"][0])
            )
            scale, shift = self.learned(unit)
            letters: dict[str, Hashable] = {"scale": scale, "shift": shift, "x": self.net.name_of(x, row, unit)}
            numbers = {"mean": NamedNumber(float(mean), "mean"), "variance": NamedNumber(float(variance), "variance")}
            return bound(self.general, letters | numbers, self.step.layer)

        return self.general, tree

    def back_formula_of(self, row: int, unit: int) -> Written:
        """`(d - mean(d) - x_hat mean(d x_hat)) / std` with `d = dL/dy scale`; in prediction `d / std`."""
        trace = self.net.trace

        def tree() -> Node:
            memo = trace.forward.memos[self.step.index]
            x_hat = memo["x_hat"][:, unit]
            d = trace.gradient(self.step.output)[:, unit] * trace.parameters[self.step.index]["scale"][unit]
            letters = {
                "dy": self._gradient_name(row, unit),
                "scale": self.learned(unit)[0],
                "std": NamedNumber(float(memo["std"][unit]), "std"),
                "x_hat": NamedNumber(float(x_hat[row]), "x_hat"),
                "m": NamedNumber(float(d.mean()), "mean(d)"),
                "c": NamedNumber(float(np.mean(d * x_hat)), "mean(d x_hat)"),
            }
            text = "dx = (dy scale - m - x_hat c) / std" if trace.training else "dx = dy scale / std"
            return bound(text, letters, self.step.layer)

        if trace.training:
            return "dL/dx = (d - mean(d) - x_hat mean(d x_hat)) / std, d = dL/dy scale", tree
        return "dL/dx = dL/dy scale / std", tree

    def gradient_formula(self, learned: Learned) -> Written:
        """`sum over rows of dL/dy x_hat` for the scale, of `dL/dy` for the shift."""
        (unit,) = learned.index
        deltas = [Symbol(self._gradient_name(row, unit)) for row in range(self.net.n_rows)]
        if learned.name == "shift":
            return "dL/dshift = sum over rows of dL/dy", lambda: sum_of(deltas)

        def tree() -> Node:
            x_hat = self.net.trace.forward.memos[self.step.index]["x_hat"][:, unit]
            labels = ["x_hat"] if len(x_hat) == 1 else [f"x_hat[row {row}]" for row in range(1, len(x_hat) + 1)]
            factors = [NamedNumber(float(value), label) for value, label in zip(x_hat, labels, strict=True)]
            return sum_of([Product(pair) for pair in zip(deltas, factors, strict=True)])

        return "dL/dscale = sum over rows of dL/dy x_hat", tree

    def _gradient_name(self, row: int, unit: int) -> Name:
        return self.net.name_of(self.step.output, row, unit, gradient=True)


class Back(NetworkKind):
    """What a layer that is no sum of products passes back to one value, where others read that value too."""

    readers = 1

    @staticmethod
    def operations(net: Structure) -> dict[str, WholeLayer]:
        """The steps that pass back so, by name."""
        return {found.step.name: found for found in net.operations if isinstance(found, WholeLayer)}

    def resolve(self, net: Structure, name: Name) -> Name:
        """The element that is read; where the layer has several inputs, which of them stands first."""
        operation = self.operations(net).get(name.layer)
        if operation is None or len(name.index) != 1 + (len(operation.step.inputs) > 1):
            raise InputError(f'"{name}": there is no layer "{name.layer}" that passes back so')
        sizes = [net.sizes[slot] for slot in operation.step.inputs]
        check_index(name, (len(sizes), max(sizes)) if len(sizes) > 1 else (sizes[0],))
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        k = name.index[0] - 1 if len(name.index) > 1 else 0
        return (self.operations(net)[name.layer].back(net.rows[name.row], Read(name.index[-1] - 1, k)),)

    def names(self, net: Structure, layer: str, choice: Choice) -> Iterator[Name]:
        """By row and input, where others read the input too."""
        operation = self.operations(net)[layer]
        step = operation.step
        shared = [not net.is_code[i] and (bool(net.heads_at[i]) or len(net.readers[i]) > 1) for i in step.inputs]
        for row, k in product(choice.rows(net), (k for k, by_others in enumerate(shared) if by_others)):
            for unit in choice.units(net.sizes[step.inputs[k]]):
                yield operation.back_name(row, Read(unit, k))
