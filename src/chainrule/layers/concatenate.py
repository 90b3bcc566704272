"""Concatenate: branches side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.layers.base import Arrays, Context, Layer, Shape
from chainrule.layers.element import Read, Source, Term


@dataclass(frozen=True)
class Concatenate(Layer):
    """`y = (x1, x2, ...)`: the units of all inputs in one vector, in the order in which they were handed in.

    It is applied to two or more values whose rows are vectors; rows of y are as long as all of them together.

    Raises:
        NetworkError: it reads fewer than two values, or rows that aren't vectors.

    >>> from chainrule import Dense, Input, Network
    >>> x, y = Input(3, name="x"), Input(2, name="y")
    >>> Network(inputs=[x, y], outputs=Dense(1)(Concatenate()(x, y))).count().total
    6
    """

    n_inputs = None
    formula = "y = (x1, x2, ...)"
    native = Native("concatenate")

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        ends = np.cumsum([x.shape[1] for x in inputs])
        return np.concatenate(inputs, axis=1), {"ends": ends}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """Each input takes its own columns of `dL/dy`."""
        return tuple(np.split(d_output, memo["ends"][:-1], axis=1)), {}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`y_j` = the unit of the input in whose columns j lies."""
        for i, shape in enumerate(shapes):
            if unit < shape[0]:
                return (Term((Read(unit, i),)),)
            unit -= shape[0]
        raise IndexError(unit)

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int]:
        assert isinstance(source, Read)
        return (sum(shape[0] for shape in shapes[: source.input]) + source.unit,)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        for shape in shapes:
            self.check_rank(shape)
        return (sum(shape[0] for shape in shapes),)
