"""The layers, one a file: fields, parameters, forward, and backward right under it."""

from chainrule.arrays import Array
from chainrule.layers.activation import Activation
from chainrule.layers.add import Add
from chainrule.layers.base import Arrays, Context, Layer, ParameterSpec, Shape, StateSpec, Value
from chainrule.layers.batch_norm import BatchNorm
from chainrule.layers.concatenate import Concatenate
from chainrule.layers.dense import Dense
from chainrule.layers.dropout import Dropout
from chainrule.layers.flatten import Flatten
from chainrule.layers.input import Input

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls for cls in (Input, Dense, Activation, BatchNorm, Dropout, Flatten, Add, Concatenate)
}

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
    "Flatten",
    "Input",
    "Layer",
    "ParameterSpec",
    "Shape",
    "StateSpec",
    "Value",
]
