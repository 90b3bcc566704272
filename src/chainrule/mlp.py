"""The usual multilayer perceptron: dense layers one after another, and a head or several behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chainrule.activations import ActivationFunction
from chainrule.errors import NetworkError
from chainrule.initializers import Initializer
from chainrule.layers import BatchNorm, Dense, Dropout, Input, Layer, Value
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
) -> tuple[Value, dict[str, Value]]:
    """Input and heads of `Network.mlp`, which says what the arguments mean."""
    names = ["hidden"] if len(hidden) == 1 else [f"hidden_{i + 1}" for i in range(len(hidden))]
    heads = outputs if isinstance(outputs, Mapping) else {"output": outputs}
    functions, rates = each("activation", activation, len(hidden)), each("dropout", dropout, len(hidden))
    first = value = Value(Input(inputs, name="x"))
    for name, units, function, rate in zip(names, hidden, functions, rates, strict=True):
        dense = Dense(units, activation=function, bias=bias, initializer=initializer, name=name)
        for layer in _normalized(dense) if batch_norm else [dense]:
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


def _normalized(dense: Dense) -> list[Layer]:
    """A dense layer with batch normalization before its activation."""
    linear, *functions = dense.expand()
    named = [replace(function, name=f"{dense.name}_activation") for function in functions]
    return [linear, BatchNorm(name=f"{dense.name}_norm"), *named]
