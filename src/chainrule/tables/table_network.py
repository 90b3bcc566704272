"""A table's network: numbers and categories into the first layer, and dense layers from there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.activations import ActivationFunction
from chainrule.arrays import AnyArray
from chainrule.initializers import Normal
from chainrule.layers import (
    Activation,
    Add,
    BatchNorm,
    Dense,
    Dropout,
    EmbeddingSum,
    Input,
    Layer,
    PiecewiseLinear,
    Value,
    quantile_knots,
)  # fmt: skip
from chainrule.network import Network

if TYPE_CHECKING:
    from chainrule.model import Model
    from chainrule.tables.preparation import PreparedTable

_CATEGORIES: Final = Normal(0.1)  # where the rows of categories start
# And the pieces: for classes so near 0 that training decides which of them counts.
_PIECES: Final = {"classification": Normal(0.03), "regression": Normal(0.15)}


def table_network(
    prepared: PreparedTable,
    hidden: Sequence[int],
    *,
    bins: int = 0,
    activation: str | ActivationFunction = "relu",
    dropout: float = 0.0,
    batch_norm: bool = False,
) -> Network:
    """The network for a table: its first layer is the sum of what numbers and categories give.

    `z = numbers W + b`, a piecewise-linear function of each number where there are `bins`, and a row of weights for
    each category: a dense layer over the encoded columns, none of which is written down. The other layers are dense;
    behind them is softmax over classes, or one linear output; where there are several targets, a head for each.

    Arguments:
        prepared: the table; its training rows decide where the knots are.
        hidden, bins, activation, dropout, batch_norm: as in `Settings`.

    >>> from chainrule.tables.preparation import prepare_table
    >>> network = table_network(prepare_table("iris", "target"), (8,), bins=4)
    >>> [node.layer.name for node in network.nodes]
    ['numbers', 'hidden_numbers', 'hidden_pieces', 'hidden_sum', 'hidden', 'output']
    """
    inputs = _inputs(prepared)
    heads = [
        (name, "softmax" if target.classes else "linear", units)
        for name, target, units in zip(prepared.heads, prepared.targets, prepared.outputs, strict=True)
    ]
    if not hidden:
        return Network(inputs=list(inputs.values()), outputs={
            name: Activation(function, name=name)(_first_layer(prepared, inputs, bins, units, name))
            for name, function, units in heads
        })  # fmt: skip
    names = ["hidden"] if len(hidden) == 1 else [f"hidden_{i + 1}" for i in range(len(hidden))]
    value: Value = _first_layer(prepared, inputs, bins, hidden[0], names[0])
    for name, units in zip(names, hidden, strict=True):
        dense = Dense(units, activation=activation, name=name)
        if name == names[0]:
            layers = _activated(Activation(activation, name=name), batch_norm)
        elif batch_norm:
            linear, function = dense.expand()
            layers = [linear, *_activated(function, True)]
        else:
            layers = [dense]
        for layer in layers:
            value = layer(value)
        if dropout:
            value = Dropout(dropout, name=f"{name}_dropout")(value)
    return Network(inputs=list(inputs.values()), outputs={
        name: Dense(units, activation=function, name=name)(value) for name, function, units in heads
    })  # fmt: skip


def average_unseen(model: Model, codes: AnyArray) -> None:
    """Give codes that no training row has the average of the column's rows, so that they speak for no category.

    Arguments:
        model: all its members are changed.
        codes: of the training rows, (rows, columns).
    """
    for lookup in (node.layer for node in model.network.nodes if isinstance(node.layer, EmbeddingSum)):
        ends = np.cumsum(lookup.size_list)
        for vector in model.training.parameters:
            W = model.network.layout.named(vector)[lookup.name]["W"]
            for column, rows in zip(codes.T, np.split(W, ends[:-1]), strict=True):
                counts = np.bincount(column, minlength=len(rows))
                rows[counts == 0] = counts @ rows / len(column)


def _activated(function: Layer, batch_norm: bool) -> list[Layer]:
    """An activation, behind batch normalization where there is any."""
    if not batch_norm:
        return [function]
    return [BatchNorm(name=f"{function.name}_norm"), replace(function, name=f"{function.name}_activation")]


def _inputs(prepared: PreparedTable) -> dict[str, Input]:
    """The numbers and the categories of the rows, as far as there are such columns."""
    X, inputs = prepared.train.X, {}
    if "numbers" in X:
        inputs["numbers"] = Input(X["numbers"].shape[1], name="numbers")
    if "categories" in X:
        inputs["categories"] = Input(len(prepared.encoding.categorical), dtype="integer", name="categories")
    return inputs


def _first_layer(prepared: PreparedTable, inputs: Mapping[str, Input], bins: int, units: int, name: str) -> Value:
    """The sum of what the inputs give to each unit."""
    encoding, X = prepared.encoding, prepared.train.X
    task = prepared.task
    start = Normal(0.1 if task == "regression" else math.sqrt(2 / encoding.n_features))
    parts = []
    if "numbers" in inputs:
        numbers = inputs["numbers"]
        parts.append(Dense(units, initializer=start, name=f"{name}_numbers")(numbers))
        knots = quantile_knots(X["numbers"], bins) if bins else ()
        if any(len(own) > 2 for own in knots):  # a single bin is a straight line, which the dense layer has
            knots = tuple(own if len(own) > 2 else own[:1] for own in knots)
            parts.append(PiecewiseLinear(knots, units, initializer=_PIECES[task], name=f"{name}_pieces")(numbers))
    if "categories" in inputs:
        sizes = tuple(column.n_codes for column in encoding.categorical)
        lookup = EmbeddingSum(sizes, units, initializer=_CATEGORIES, name=f"{name}_categories")
        parts.append(lookup(inputs["categories"]))
    return Add(name=f"{name}_sum")(*parts) if len(parts) > 1 else parts[0]
