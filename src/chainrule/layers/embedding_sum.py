"""EmbeddingSum: one-hot columns times a matrix, as the lookup that it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.initializers import Initializer, Uniform
from chainrule.layers.base import OF_WEIGHTS, Arrays, Context, ParameterSpec, Shape
from chainrule.layers.element import Learned, Term
from chainrule.layers.lookup import Lookup
from chainrule.limits import COUNT


@dataclass(frozen=True)
class EmbeddingSum(Lookup):
    """The sum of a learned row for each code: `z_j = sum_i W_rj`, r the row of the code of column i.

    Exactly a `Dense` layer without bias over the one-hot columns of k codes, at the price of adding k rows, however
    many codes there are (PyTorch: `EmbeddingBag(mode="sum")`). It reads an `Input(k, dtype="integer")`, codes from 0
    on. `W` is of shape (sum of the sizes, units), the rows of the first column first.

    Arguments:
        sizes: how many codes there are: one number for all columns, or a tuple with one for each; other codes are
            refused with the data.
        units: how many outputs.
        initializer: where `W` starts; `"auto"`: as a dense layer over k numbers would draw it (Glorot), for of all
            the one-hot columns k are 1 in a row. `"zeros"` lets categories start alike.
        l1, l2: penalties `l1 |W| + l2 W^2` of this layer; None takes the model's.
        trainable: False keeps `W` as it is.
        rate_factor: what the learning rate is multiplied by for `W`.
        decay_factor: what the optimizer's `weight_decay` is multiplied by for it.

    Raises:
        InputError: sizes or units aren't whole numbers of at least 1, a penalty or factor is negative.
        NetworkError: it reads something else than vectors of integers, or not as many as there are sizes.

    >>> from chainrule import Input, Model, Network
    >>> model = Model(Network([Input(2, dtype="integer"), EmbeddingSum((3, 2), 1, name="e")]), "squared_error")
    >>> model.set_parameters({"e": {"W": [[1], [2], [3], [10], [20]]}})
    >>> model.predict([[2, 0], [0, 1]]).tolist()
    [[13.0], [21.0]]
    """

    units: int
    initializer: str | Initializer = "auto"
    l1: float | None = None
    l2: float | None = None
    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0

    formula = "z_j = sum_i W_rj, r = the row of code i"
    letter = "z"
    affine_in = "W"
    native = Native("embedding_sum", sizes="size_list")
    local_formulas = {"W": "dz_j/dW_rj = 1"}
    limits = {"units": COUNT, **OF_WEIGHTS}

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (codes,) = inputs
        rows = self._rows_of(codes)
        return parameters["W"][rows].sum(axis=1), {"rows": rows}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """Each looked-up row of `dL/dW` gets the row's delta; there is no gradient by a code."""
        return (None,), {"W": self._d_table(parameters["W"], memo["rows"], d_output[:, None, :])}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`z_j = sum_i W_rj`: of the whole table only the rows that the codes look up."""
        return tuple(Term((Learned("W", (int(r), unit)),)) for r in memo["rows"][row])

    def _unit_of(self, column: int, unit: int) -> int:
        return unit

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self._sizes_of(shapes)
        return (self.units,)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        sizes = self._sizes_of(shapes)
        limit = math.sqrt(6 / (len(sizes) + self.units))
        return (
            ParameterSpec(
                "W", (sum(sizes), self.units), "weight", self._start(Uniform(-limit, limit)), self.l1, self.l2, True,
                self.trainable, self.rate_factor, self.decay_factor,
            ),
        )  # fmt: skip
