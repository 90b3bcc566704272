"""Scale: a learned factor for each unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.initializers import Constant
from chainrule.layers.base import Arrays, Context, Layer, ParameterSpec, Shape
from chainrule.layers.element import Learned, Read, Source, Term
from chainrule.limits import NOT_NEGATIVE


@dataclass(frozen=True)
class Scale(Layer):
    """A factor for each unit, learned: `y = scale x`, elementwise, with `scale` of shape units, all 1 at the start.

    Before the first dense layer it learns how much each input counts (as in RealMLP; Holzmüller, Grinsztajn and
    Steinwart, 2024). Rows of x and y are vectors of one length.

    Arguments:
        trainable: False keeps the factors as they are.
        rate_factor: what the learning rate is multiplied by for the factors.
        decay_factor: what the optimizer's `weight_decay` is multiplied by for them; decay draws them to 0, not to 1.

    Raises:
        InputError: a factor of the rate or of the decay is negative.
        NetworkError: rows aren't vectors.

    >>> from chainrule import Dense, Input, Model, Network
    >>> model = Model(Network([Input(2), Scale(name="s"), Dense(1)]), "squared_error")
    >>> model.set_parameters({"s": {"scale": [1.0, 3.0]}, "dense": {"W": [[1.0], [1.0]]}})
    >>> model.predict([[2.0, 5.0]]).tolist()
    [[17.0]]
    """

    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0

    formula = "y = scale x"
    native = Native("scale")
    rows_alike = True
    back_formula = "dL/dx_j = dL/dh_j scale_j"
    local_formulas = {"scale": "dh_j/dscale_j = x_j"}
    limits = {"rate_factor": NOT_NEGATIVE, "decay_factor": NOT_NEGATIVE}

    @property
    def makes(self) -> str:  # type: ignore[override]  # other layers make the same whatever their fields are
        """Any number while it learns; fixed factors may make a mean of what can be an output."""
        return "linear" if self.trainable else ""

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        return parameters["scale"] * x, {"x": x}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dx = scale dL/dy`, `dL/dscale` = the sum of `x dL/dy` over the rows."""
        d_x = parameters["scale"] * d_output if wanted else None
        return (d_x,), {"scale": (memo["x"] * d_output).sum(axis=0)}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`y_j = scale_j x_j`."""
        return (Term((Learned("scale", (unit,)), Read(unit))),)

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int]:
        return source.index if isinstance(source, Learned) else (source.unit,)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_rank(shapes[0])
        return shapes[0]

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (
            ParameterSpec(
                "scale", shapes[0], "scale", Constant(1.0), trainable=self.trainable,
                rate_factor=self.rate_factor, decay_factor=self.decay_factor,
            ),
        )  # fmt: skip
