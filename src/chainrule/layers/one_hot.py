"""One-hot: codes become rows of zeros with a one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.layers.base import Arrays, Context, Layer, Shape
from chainrule.layers.element import Term
from chainrule.limits import COUNT, Limit


@dataclass(frozen=True)
class OneHot(Layer):
    """Each code as `size` units, of which one is 1: `y_j = 1 if x = first + j else 0`, j from 0 to size - 1.

    It reads an `Input(k, dtype="integer")`; a row of k codes becomes k * size units, those of the first code first.

    Arguments:
        size: how many codes there are.
        first: the smallest of them; a code outside of `first` to `first + size - 1` is refused with the data.

    Raises:
        InputError: size isn't a whole number of at least 1, or first isn't a whole number from -2^31 to 2^31 - 1.
        NetworkError: it reads something else than vectors of integers.

    >>> from chainrule import Dense, Input, Model, Network
    >>> network = Network([Input(1, dtype="integer"), OneHot(3, first=1), Dense(1, bias=False, name="d")])
    >>> model = Model(network, "squared_error")
    >>> model.set_parameters({"d": {"W": [[10.0], [20.0], [30.0]]}})
    >>> model.predict([[3], [1]]).tolist()
    [[30.0], [10.0]]
    """

    size: int
    first: int = 0

    formula = "y_j = 1 if x = first + j else 0"
    reads = "integer"
    native = Native("one_hot", "first")
    limits = {"size": COUNT, "first": Limit(-(2**31), 2**31 - 1, whole=True)}

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (codes,) = inputs
        hot = codes[:, :, None] == np.arange(self.first, self.first + self.size)
        y = hot.reshape(len(codes), -1).astype(context.dtype)
        return y, {"y": y}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """There is no gradient by a code."""
        return (None,), {}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`y_j = 1` or 0, as the code says."""
        return (Term((), float(memo["y"][row, unit])),)

    def codes(self, shapes: tuple[Shape, ...]) -> range:
        return range(self.first, self.first + self.size)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_rank(shapes[0])
        return (shapes[0][0] * self.size,)
