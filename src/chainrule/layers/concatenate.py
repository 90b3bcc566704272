"""Concatenate: branches side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.layers.base import Arrays, Context, Layer, Shape


@dataclass(frozen=True)
class Concatenate(Layer):
    """`y = (x1, x2, ...)`: the units of all inputs in one vector."""

    n_inputs = None
    formula = "y = (x1, x2, ...)"

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

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        for shape in shapes:
            self.check_rank(shape)
        return (sum(shape[0] for shape in shapes),)
