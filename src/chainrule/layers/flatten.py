"""Flatten: rows of any shape become vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.layers.base import Arrays, Context, Layer, Shape
from chainrule.layers.element import Read, Term


@dataclass(frozen=True)
class Flatten(Layer):
    """Each row as one vector, the last axis running fastest: an image of 28 x 28 becomes 784 numbers.

    It has no arguments but its name and raises nothing; rows that are vectors stay as they are.

    >>> from chainrule import Dense, Input, Network
    >>> Network([Input((28, 28)), Flatten(), Dense(10)]).count().weights
    7840
    """

    formula = "y = the elements of x in order"
    native = Native("flatten")

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return x.reshape(len(x), -1), {"shape": np.asarray(x.shape)}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """The gradient in the shape of the input."""
        return (d_output.reshape(memo["shape"]),), {}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`y_j = x_j`, both counted in the order of the elements."""
        return (Term((Read(unit),)),)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return (math.prod(shapes[0]),)
