"""Mix: for each unit a learned place between two values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.errors import NetworkError
from chainrule.initializers import Constant
from chainrule.layers.base import Arrays, Context, Layer, ParameterSpec, Shape
from chainrule.layers.element import Learned, Read, Source, Term
from chainrule.limits import NOT_NEGATIVE


@dataclass(frozen=True)
class Mix(Layer):
    """`y = x1 + mix (x2 - x1)`, elementwise, with `mix` of shape units learned: x1 where it is 0, x2 where it is 1.

    Of a pre-activation and its activation it makes an activation whose strength each unit learns, as in RealMLP
    (Holzmüller, Grinsztajn and Steinwart, 2024). All are 1 at the start; rows are vectors of one length.

    Arguments:
        trainable: False keeps the mixes as they are.
        rate_factor: what the learning rate is multiplied by for them.
        decay_factor: what the optimizer's `weight_decay` is multiplied by for them; decay draws them to 0.

    Raises:
        InputError: a factor of the rate or of the decay is negative.
        NetworkError: it reads not two values, rows of different shapes, or rows that aren't vectors.

    >>> from chainrule import Activation, Dense, Input, Model, Network
    >>> x = Input(2, name="x")
    >>> h = Mix(rate_factor=0.1, name="m")(x, Activation("relu")(x))
    >>> model = Model(Network(inputs=x, outputs=h), "squared_error")
    >>> model.set_parameters({"m": {"mix": [1.0, 0.25]}})
    >>> model.predict([[-8.0, -8.0]]).tolist()
    [[0.0, -6.0]]
    """

    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0

    n_inputs = 2
    formula = "y = x1 + mix (x2 - x1)"
    native = Native("mix")
    rows_alike = True
    local_formulas = {"mix": "dh_j/dmix_j = x2_j - x1_j"}
    limits = {"rate_factor": NOT_NEGATIVE, "decay_factor": NOT_NEGATIVE}

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        first, second = inputs
        difference = second - first
        return first + parameters["mix"] * difference, {"difference": difference}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dx2 = mix dL/dy`, `dL/dx1` the rest of it, `dL/dmix` = the sum of `(x2 - x1) dL/dy` over the rows."""
        gradients = {"mix": (memo["difference"] * d_output).sum(axis=0)}
        second = parameters["mix"] * d_output
        return (d_output - second, second), gradients

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`y_j = x1_j + mix_j x2_j - mix_j x1_j`."""
        mix = Learned("mix", (unit,))
        return Term((Read(unit, 0),)), Term((mix, Read(unit, 1))), Term((mix, Read(unit, 0)), -1.0)

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int]:
        return source.index if isinstance(source, Learned) else (source.unit,)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        if len(set(shapes)) > 1:
            raise NetworkError(f'Mix "{self.name}" reads rows of shapes {shapes}; they must be the same')
        self.check_rank(shapes[0])
        return shapes[0]

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (
            ParameterSpec(
                "mix", shapes[0], "scale", Constant(1.0), trainable=self.trainable,
                rate_factor=self.rate_factor, decay_factor=self.decay_factor,
            ),
        )  # fmt: skip
