"""The usual multilayer perceptron: dense layers one after another, and a head or several behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chainrule.activations import ActivationFunction
from chainrule.errors import NetworkError
from chainrule.initializers import Constant, Initializer
from chainrule.layers import Add, BatchNorm, Dense, Dropout, Input, Layer, PiecewiseLinear, Value
from chainrule.layers.piecewise_linear import Knots
from chainrule.schedules import Schedule


def mlp(
    inputs: int,
    hidden: Sequence[int],
    outputs: int | Mapping[str, int],
    *,
    activation: str | ActivationFunction | Sequence[str | ActivationFunction],
    output: str | ActivationFunction | Sequence[str | ActivationFunction],
    bias: bool,
    dropout: float | Schedule | Sequence[float | Schedule],
    batch_norm: bool,
    initializer: str | Initializer,
    knots: Knots = (),
) -> tuple[Value, dict[str, Value]]:
    """Input and heads of `Network.mlp`, which says what the arguments mean.

    Where there are `knots`, the first hidden layer adds to its inputs a piecewise-linear function of each, 0 at first.
    """
    names = ["hidden"] if len(hidden) == 1 else [f"hidden_{i + 1}" for i in range(len(hidden))]
    heads = outputs if isinstance(outputs, Mapping) else {"output": outputs}
    functions, rates = each("activation", activation, len(hidden)), each("dropout", dropout, len(hidden))
    first = value = Value(Input(inputs, name="x"))
    for name, units, function, rate in zip(names, hidden, functions, rates, strict=True):
        dense = Dense(units, activation=function, bias=bias, initializer=initializer, name=name)
        pieces = knots if value is first else ()
        linear: Layer = dense
        rest: list[Layer] = []
        if pieces or batch_norm:
            linear, *rest = _parted(dense, batch_norm)
        came, value = value, linear(value)
        if pieces:
            function_of_each = PiecewiseLinear(pieces, units, initializer=Constant(0.0), name=f"{name}_pieces")
            value = Add(name=f"{name}_sum")(value, function_of_each(came))
        for layer in rest:
            value = layer(value)
        if rate:
            value = Dropout(rate, name=f"{name}_dropout")(value)
    last = each("output", output, len(heads), "heads")
    return first, {
        name: Dense(units, activation=function, bias=bias, initializer=initializer, name=name)(value)
        for (name, units), function in zip(heads.items(), last, strict=True)
    }


def each(name: str, given: Any, count: int, of: str = "hidden layers") -> tuple[Any, ...]:
    """One value for each of several things, from one for all of them or as many as there are.

    >>> each("dropout", 0.1, 2), each("dropout", [0.1, 0.2], 2)
    ((0.1, 0.1), (0.1, 0.2))
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        return (given,) * count
    if len(given) != count:
        raise NetworkError(f"{name} has {len(given)} entries for {count} {of}; one for each would be right")
    return tuple(given)


def _parted(dense: Dense, batch_norm: bool) -> list[Layer]:
    """A dense layer's linear part and its activation, with batch normalization between them if wanted."""
    linear, *functions = dense.expand()
    named = [replace(function, name=f"{dense.name}_activation") for function in functions]
    return [linear, *[BatchNorm(name=f"{dense.name}_norm")] * bool(batch_norm), *named]
