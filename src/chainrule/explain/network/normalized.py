"""Batch normalization: each unit's column by itself, with mean, variance and the like shown by value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.formula import Call, NamedNumber, Negative, Node, Number, Product, Quotient, Sum, Symbol
from chainrule.explain.network.whole import WholeLayer
from chainrule.explain.quantities.names import Name
from chainrule.layers import BatchNorm
from chainrule.layers.element import Learned
from chainrule.parameters import Span


class Normalized(WholeLayer):
    """A unit depends on its own column and its own scale and shift alone."""

    def units(self, slot: int, unit: int) -> range:
        """The unit itself."""
        return range(unit, unit + 1)

    def spans(self, unit: int) -> Iterator[tuple[Span, tuple[tuple[int, ...], ...]]]:
        """The unit's scale and shift."""
        return ((span, ((unit,),)) for span in self.step.parameters)

    def state(self, unit: int) -> dict[str, Array]:
        """The unit's running mean and variance."""
        return {name: array[[unit]] for name, array in self.net.trace.state[self.step.index].items()}

    def column(self, row: int, unit: int) -> tuple[tuple[Name, ...], int]:
        """Scale, shift and the column that a unit is computed from, and where the row is in that."""
        rows = self.rows(row)
        return (*self.learned(unit), *self.read(rows, unit)), row - rows.start

    def value_tree(self, row: int, unit: int) -> Node:
        """`scale (x - mean) / sqrt(variance + epsilon) + shift`."""
        assert isinstance(self.step.layer, BatchNorm)
        column = self.net.trace.value(self.step.inputs[0])[:, unit]
        state, of_batch = self.net.trace.state[self.step.index], self.net.trace.training
        mean = float(column.mean() if of_batch else state["mean"][unit])
        variance = float(column.var() if of_batch else state["variance"][unit])
        scale, shift = map(Symbol, self.learned(unit))
        distance = Sum((Symbol(self.net.name_of(self.step.inputs[0], row, unit)), Negative(NamedNumber(mean, "mean"))))
        root = Call("sqrt", (Sum((NamedNumber(variance, "variance"), Number(self.step.layer.epsilon))),))
        return Sum((Quotient(Product((scale, distance)), root), shift))

    def back_tree(self, row: int, unit: int) -> Node:
        """`(d - mean(d) - x_hat mean(d x_hat)) / std` with `d = dL/dy scale`; in prediction `d / std`."""
        memo = self.net.trace.forward.memos[self.step.index]
        x_hat, std = memo["x_hat"][:, unit], float(memo["std"][unit])
        scale, _ = self.learned(unit)
        own = Product((Symbol(self._gradient_name(row, unit)), Symbol(scale)))
        below = NamedNumber(std, "std")
        if not self.net.trace.training:
            return Quotient(own, below)
        d = (
            self.net.trace.gradient(self.step.output)[:, unit]
            * self.net.trace.parameters[self.step.index]["scale"][unit]
        )
        mean = NamedNumber(float(np.mean(d * x_hat)), "mean(d x_hat)")
        back = Product((NamedNumber(float(x_hat[row]), "x_hat"), mean))
        return Quotient(Sum((own, Negative(NamedNumber(float(d.mean()), "mean(d)")), Negative(back))), below)

    def gradient_tree(self, learned: Learned) -> Node:
        """`sum over rows of dL/dy x_hat` for the scale, of `dL/dy` for the shift."""
        (unit,) = learned.index
        x_hat = self.net.trace.forward.memos[self.step.index]["x_hat"][:, unit]
        terms: list[Node] = []
        for row, value in enumerate(x_hat):
            delta = Symbol(self._gradient_name(row, unit))
            label = "x_hat" if len(x_hat) == 1 else f"x_hat[row {row + 1}]"
            terms.append(Product((delta, NamedNumber(float(value), label))) if learned.name == "scale" else delta)
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def _gradient_name(self, row: int, unit: int) -> Name:
        return self.net.name_of(self.step.output, row, unit, gradient=True)

    def back_general(self) -> str:
        """The formula in the layer's own letters."""
        if self.net.trace.training:
            return "dL/dx = (d - mean(d) - x_hat mean(d x_hat)) / std, d = dL/dy scale"
        return "dL/dx = dL/dy scale / std"

    def gradient_general(self, learned: Learned) -> str:
        """The formula in the layer's own letters."""
        return f"dL/d{learned.name} = sum over rows of dL/dy{' x_hat' * (learned.name == 'scale')}"
