"""Add: branches of one shape, element by element."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.errors import NetworkError
from chainrule.layers.base import Arrays, Context, Layer, Shape
from chainrule.layers.element import Read, Term


@dataclass(frozen=True)
class Add(Layer):
    """`y = x1 + x2 + ...`: how a shortcut joins the path around which it leads (He, Zhang, Ren and Sun, 2016).

    It is applied to two or more values whose rows have one shape, which is that of y's.

    Raises:
        NetworkError: it reads fewer than two values, or rows of different shapes.

    >>> from chainrule import Dense, Input, Network
    >>> x = Input(3, name="x")
    >>> residual = Add()(x, Dense(3, activation="relu")(x))
    >>> Network(inputs=x, outputs=Dense(1)(residual)).count().total
    16
    """

    n_inputs = None
    formula = "y = x1 + x2 + ..."
    native = Native("add")

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        return reduce(add, inputs), {"n_inputs": np.asarray(len(inputs))}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dx_i = dL/dy` for every input."""
        return (d_output,) * int(memo["n_inputs"]), {}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`y_j = x1_j + x2_j + ...`."""
        return tuple(Term((Read(unit, i),)) for i in range(len(shapes)))

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        if len(set(shapes)) > 1:
            raise NetworkError(f'Add "{self.name}" reads rows of shapes {shapes}; they must all be the same')
        return shapes[0]
