"""The dense layer: every unit reads every input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chainrule.activations import ActivationFunction, get_activation
from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.initializers import Initializer, get_initializer
from chainrule.layers.activation import Activation
from chainrule.layers.base import OF_WEIGHTS, Arrays, Context, Layer, ParameterSpec, Shape
from chainrule.layers.element import Learned, Read, Source, Term
from chainrule.limits import COUNT, NOT_NEGATIVE


@dataclass(frozen=True)
class Dense(Layer):
    """An affine map of the inputs: `z_j = sum_i x_i W_ij + b_j`, for rows together `z = x W + b`.

    x is of shape (rows, inputs), `W` (inputs, units), `b` (units,), z (rows, units). Going back,
    `dL/dx = dL/dz W^T`, `dL/dW = x^T dL/dz` and `dL/db` is the sum of `dL/dz` over the rows (Rumelhart, Hinton and
    Williams, 1986).

    Arguments:
        units: how many outputs.
        activation: by name or as an object: sugar for an `Activation` layer of the same name after this one.
        bias: False leaves `b` out.
        initializer: where `W` starts; `"auto"` suits the activation (He for ReLU and its relatives, LeCun for SELU,
            Glorot otherwise).
        bias_initializer: where `b` starts; zeros unless it is said.
        l1, l2: penalties `l1 |W| + l2 W^2` of this layer; None takes the model's.
        penalize_bias: whether `b` is charged too.
        trainable: False keeps `W` and `b` as they are.
        rate_factor, bias_rate_factor: what the learning rate is multiplied by for `W`, and for `b`.
        decay_factor, bias_decay_factor: what the optimizer's `weight_decay` is multiplied by for them.

    Raises:
        InputError: units isn't a whole number of at least 1, a penalty or a factor is negative, a name is unknown.
        NetworkError: it reads rows that aren't vectors; `Flatten` makes them such.

    >>> Dense(2, activation="relu", name="hidden").to_dict()
    {'type': 'Dense', 'name': 'hidden', 'units': 2, 'activation': 'relu'}
    >>> from chainrule import Input, Model, Network
    >>> model = Model(Network([Input(2), Dense(1, name="d")]), "squared_error")
    >>> model.set_parameters({"d": {"W": [[2.0], [10.0]], "b": [1.0]}})
    >>> model.predict([[3.0, 0.5]]).tolist()
    [[12.0]]
    """

    units: int
    activation: str | ActivationFunction | None = None
    bias: bool = True
    initializer: str | Initializer = "auto"
    bias_initializer: str | Initializer = "constant"
    l1: float | None = None
    l2: float | None = None
    penalize_bias: bool = False
    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0
    bias_rate_factor: float = 1.0
    bias_decay_factor: float = 1.0

    formula = "z = x W + b"
    letter = "z"
    makes = "linear"
    affine_in = "W"
    native = Native("dense")
    rows_alike = True
    back_formula = "dL/dh_i = sum_j dL/dz_j W_ij"
    local_formulas = {"W": "dz_j/dW_ij = x_i", "b": "dz_j/db_j = 1"}
    array_formulas = {
        "x": "dL/dh = dL/dz W^T", "W": "dL/dW = x^T dL/dz", "b": "dL/db = sum over rows of dL/dz",
    }  # fmt: skip
    limits = {"units": COUNT, **OF_WEIGHTS, "bias_rate_factor": NOT_NEGATIVE, "bias_decay_factor": NOT_NEGATIVE}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.activation is not None:
            object.__setattr__(self, "activation", get_activation(self.activation))
        if self.initializer != "auto":
            object.__setattr__(self, "initializer", get_initializer(self.initializer))
        if self.bias_initializer != "constant":
            start = get_initializer(self.bias_initializer)
            object.__setattr__(self, "bias_initializer", "constant" if start == get_initializer("constant") else start)

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        z = x @ parameters["W"]
        if self.bias:
            z = z + parameters["b"]
        return z, {"x": x}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dx = dL/dz W^T`, `dL/dW = x^T dL/dz`, `dL/db` = the sum of `dL/dz` over the rows."""
        gradients = {"W": memo["x"].T @ d_output}
        if self.bias:
            gradients["b"] = d_output.sum(axis=0)
        d_x = d_output @ parameters["W"].T if wanted else None
        return (d_x,), gradients

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`z_j = sum_i x_i W_ij + b_j`."""
        products = tuple(Term((Learned("W", (i, unit)), Read(i))) for i in range(shapes[0][0]))
        return (*products, Term((Learned("b", (unit,)),))) if self.bias else products

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int]:
        return range(self.units) if isinstance(source, Read) else source.index[-1:]

    def expand(self) -> tuple[Layer, ...]:
        if not isinstance(self.activation, ActivationFunction):
            return (self,)
        initializer = self.activation.initializer if self.initializer == "auto" else self.initializer
        affine = replace(self, activation=None, initializer=initializer)
        return affine, Activation(self.activation, name=self.name)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_rank(shapes[0])
        return (self.units,)

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        start = get_initializer("glorot_uniform" if self.initializer == "auto" else self.initializer)
        weights = ParameterSpec(
            "W", (shapes[0][0], self.units), "weight", start, self.l1, self.l2, True, self.trainable,
            self.rate_factor, self.decay_factor,
        )  # fmt: skip
        if not self.bias:
            return (weights,)
        start = get_initializer(self.bias_initializer)
        bias = ParameterSpec(
            "b", (self.units,), "bias", start, self.l1, self.l2, self.penalize_bias, self.trainable,
            self.bias_rate_factor, self.bias_decay_factor,
        )  # fmt: skip
        return weights, bias
