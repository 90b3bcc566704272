"""Embedding: each code becomes a learned row of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.initializers import Initializer, Normal
from chainrule.layers.base import OF_WEIGHTS, Arrays, Context, ParameterSpec, Shape
from chainrule.layers.element import Learned, Term
from chainrule.layers.lookup import Lookup
from chainrule.limits import COUNT


@dataclass(frozen=True)
class Embedding(Lookup):
    """Each code as a learned row: `h_j = W_rj`, r the row of the code; the rows of k codes stand side by side.

    It reads an `Input(k, dtype="integer")`, codes from 0 on, and makes k * dimension units, those of the first code
    first. `W` is of shape (sum of the sizes, dimension), the rows of the first column first (Guo and Berkhahn, 2016,
    "Entity embeddings of categorical variables").

    Arguments:
        sizes: how many codes there are: one number for all columns, or a tuple with one for each; other codes are
            refused with the data.
        dimension: how many numbers stand for a code.
        initializer: where `W` starts; `"auto"`: normal, so that a row's length is about 1, as that of a one-hot row.
        l1, l2: penalties `l1 |W| + l2 W^2` of this layer; None takes the model's.
        trainable: False keeps `W` as it is.
        rate_factor: what the learning rate is multiplied by for `W`.
        decay_factor: what the optimizer's `weight_decay` is multiplied by for it.

    Raises:
        InputError: sizes or dimension aren't whole numbers of at least 1, a penalty or factor is negative.
        NetworkError: it reads something else than vectors of integers, or not as many as there are sizes.

    >>> from chainrule import Dense, Input, Model, Network
    >>> network = Network([Input(2, dtype="integer"), Embedding((3, 2), 1, name="e"), Dense(1, name="d")])
    >>> model = Model(network, "squared_error")
    >>> model.set_parameters({"e": {"W": [[1], [2], [3], [10], [20]]}, "d": {"W": [[1], [1]]}})
    >>> model.predict([[2, 0], [0, 1]]).tolist()
    [[13.0], [21.0]]
    """

    dimension: int
    initializer: str | Initializer = "auto"
    l1: float | None = None
    l2: float | None = None
    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0

    formula = "h_j = W_rj, r = the row of the code"
    native = Native("embedding", sizes="size_list")
    local_formulas = {"W": "dh_j/dW_rj = 1"}
    limits = {"dimension": COUNT, **OF_WEIGHTS}

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (codes,) = inputs
        rows = self._rows_of(codes)
        return parameters["W"][rows].reshape(len(rows), -1), {"rows": rows}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """Each looked-up row of `dL/dW` gets the delta of its units; there is no gradient by a code."""
        deltas = d_output.reshape(*memo["rows"].shape, self.dimension)
        return (None,), {"W": self._d_table(parameters["W"], memo["rows"], deltas)}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`h_j = W_rj`: one number of the row that the code looks up."""
        column, j = divmod(unit, self.dimension)
        return (Term((Learned("W", (int(memo["rows"][row, column]), j)),)),)

    def _unit_of(self, column: int, unit: int) -> int:
        return column * self.dimension + unit

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        return (len(self._sizes_of(shapes)) * self.dimension,)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        start = self._start(Normal(1 / math.sqrt(self.dimension)))
        return (
            ParameterSpec(
                "W", (sum(self._sizes_of(shapes)), self.dimension), "weight", start, self.l1, self.l2, True,
                self.trainable, self.rate_factor, self.decay_factor,
            ),
        )  # fmt: skip
