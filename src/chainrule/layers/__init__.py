"""The layers, one a file: fields, parameters, forward, and backward right under it."""

from chainrule.arrays import Array
from chainrule.layers.activation import Activation
from chainrule.layers.add import Add
from chainrule.layers.base import Arrays, Context, Layer, ParameterSpec, Shape, StateSpec, Value
from chainrule.layers.batch_norm import BatchNorm
from chainrule.layers.concatenate import Concatenate
from chainrule.layers.dense import Dense
from chainrule.layers.dropout import Dropout
from chainrule.layers.embedding import Embedding
from chainrule.layers.embedding_sum import EmbeddingSum
from chainrule.layers.flatten import Flatten
from chainrule.layers.input import Input
from chainrule.layers.mix import Mix
from chainrule.layers.one_hot import OneHot
from chainrule.layers.piecewise_linear import PiecewiseLinear, quantile_knots
from chainrule.layers.scale import Scale

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Input, Dense, Activation, Scale, BatchNorm, Dropout, OneHot, Embedding, EmbeddingSum, PiecewiseLinear, Flatten,
        Add, Mix, Concatenate,
    )
}  # fmt: skip

__all__ = [
    "LAYERS",
    "Activation",
    "Add",
    "Array",
    "Arrays",
    "BatchNorm",
    "Concatenate",
    "Context",
    "Dense",
    "Dropout",
    "Embedding",
    "EmbeddingSum",
    "Flatten",
    "Input",
    "Layer",
    "Mix",
    "OneHot",
    "ParameterSpec",
    "PiecewiseLinear",
    "Scale",
    "Shape",
    "StateSpec",
    "Value",
    "quantile_knots",
]
