"""What a worksheet's network, parameters and update say, as a model with a loss and an optimizer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, InputError, did_you_mean, listed
from chainrule.explain.worksheets.sheet_reading import MOST_NUMBERS, SheetReading
from chainrule.layers import Dense, Input, Layer, Scale
from chainrule.model import Model
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import OPTIMIZERS, SGD, Optimizer, get_optimizer
from chainrule.plain import shortened


def read_network(reading: SheetReading) -> Network:
    """The network that `[network]` describes."""
    table = reading.table(("network",), ("inputs", "layers", "loss", "reduction"))
    inputs = table.get("inputs")
    n_inputs = len(inputs) if isinstance(inputs, list) else inputs
    names = inputs if isinstance(inputs, list) else []
    texts = all(isinstance(name, str) and name.strip() for name in names)
    if not texts or len({str(name) for name in names}) < len(names):
        differ = 'names must be texts that differ, as in ["area", "rooms"]'
        raise reading.wrong(f"inputs is {shortened(repr(inputs))}; {differ}", "network", "inputs")
    if not isinstance(n_inputs, int) or isinstance(n_inputs, bool) or n_inputs < 1:
        raise reading.misfit("inputs", inputs, "a number of inputs, or a list of names", "network", "inputs")
    _check_size(reading, n_inputs, "network", "inputs")
    entries = table.get("layers")
    if not isinstance(entries, list) or not entries:
        raise reading.wrong('layers must be a list such as [{ name = "output", units = 1 }]', "network", "layers")
    layers = [_layer(reading, i, entry) for i, entry in enumerate(entries)]
    with reading.blaming("network", "layers"):
        return Network([Input(n_inputs, name="x"), *layers])


_FIELDS = {
    "dense": ("name", "type", "units", "activation", "bias"),
    "scale": ("name", "type"),
}  # of a layer, by its type


def _layer(reading: SheetReading, number: int, entry: Any) -> Layer:
    where = ("network", "layers", str(number))
    if not isinstance(entry, dict):
        raise reading.misfit(f"layer {number + 1}", entry, "a table", *where)
    kind = entry.get("type", "dense")
    if not isinstance(kind, str) or kind not in _FIELDS:
        types = " or ".join(f'"{name}"' for name in _FIELDS)
        raise reading.misfit(f"layer {number + 1}: type", kind, types, *where)
    known = _FIELDS[kind]
    for key in entry:
        if key not in known:
            near = did_you_mean(key, known)
            raise reading.wrong(f'layer {number + 1} has no "{key}".{near} It has {listed(known)}', *where)
    name = entry.get("name", f"layer_{number + 1}")
    with reading.blaming(*where, about=f'layer "{name}": '):
        return Scale(name=name) if kind == "scale" else _dense(reading, name, entry, where)


def _dense(reading: SheetReading, name: Any, entry: dict[str, Any], where: tuple[str, ...]) -> Dense:
    units, bias = entry.get("units"), entry.get("bias", True)
    if units is None:
        raise reading.wrong(f'layer "{name}" doesn\'t say how many units: units = 1', *where)
    if not isinstance(bias, bool):
        raise reading.misfit(f'layer "{name}": bias', bias, "true or false", *where)
    _check_size(reading, units, *where)
    return Dense(units, activation=entry.get("activation", "linear"), bias=bias, name=name)


def _check_size(reading: SheetReading, size: object, *key: str) -> None:
    if isinstance(size, int) and size > MOST_NUMBERS:
        raise reading.wrong(f"{shortened(size)} is more than a worksheet works with", *key)


def read_model(reading: SheetReading, network: Network) -> Model:
    """The model of a network with the sheet's loss, penalties and optimizer."""
    if sum(math.prod(span.shape) for span in network.layout.spans) > MOST_NUMBERS:
        raise reading.wrong(f"the network has more than {MOST_NUMBERS:,} weights", "network", "layers")
    table = reading.data["network"]
    given = table.get("loss", "squared_error")
    loss = dict(given) if isinstance(given, dict) else {"name": given}
    penalties = {key: loss.pop(key) for key in ("l1", "l2") if key in loss}
    if "name" not in loss:
        raise reading.wrong(
            'loss is a table without a name: loss = { name = "squared_error", l2 = 0.01 }', "network", "loss"
        )
    with reading.blaming("network", "loss"):
        objective = Objective(loss, reduction=table.get("reduction", "mean"))
        return Model(network, objective, _optimizer(reading), dtype="float64", engine="reference", **penalties)


def learns_biases(reading: SheetReading) -> bool:
    """Whether the update changes biases: some texts keep them as they are."""
    update = reading.data.get("update", {})
    biases = update.get("biases", True) if isinstance(update, dict) else True
    if not isinstance(biases, bool):
        raise reading.misfit("biases", biases, "true or false", "update", "biases")
    return biases


def _optimizer(reading: SheetReading) -> Optimizer:
    if "update" not in reading.data:
        return SGD(1.0)
    if not isinstance(reading.data["update"], dict):
        raise reading.wrong('update must be a table: [update] with optimizer = "sgd", learning_rate = 0.1', "update")
    table = dict(reading.data["update"])
    fields = [key for key in table if key != "optimizer"]
    table.pop("biases", None)
    try:
        return hand_optimizer(table.pop("optimizer", "sgd"), **table)
    except (ChainruleError, TypeError) as error:
        about = next((key for key in fields if key in str(error).split(";")[0].split()), "optimizer")
        raise reading.wrong(str(error), "update", about) from None


def set_parameters(reading: SheetReading, model: Model) -> None:
    """Put the numbers of `[parameters]` into a model."""
    spans = {(span.layer, span.name): span for span in model.network.layout.spans}
    given: dict[str, dict[str, Any]] = {}
    for layer, arrays in reading.data["parameters"].items():
        if not isinstance(arrays, dict):
            raise reading.wrong(f"write {layer}.W = [[...]] and {layer}.b = [...]", "parameters", layer)
        for name, value in arrays.items():
            what, where = f"{layer}.{name}", ("parameters", layer, name)
            span = spans.get((layer, name))
            if span is None:
                has = listed(f"{owner}.{n}" for owner, n in spans)
                raise reading.wrong(f'there is no parameter "{what}"; the network has {has}', *where)
            array = reading.array(value, what, *where)
            if array.ndim == 0:
                array = np.full(span.shape, float(array))
            if array.shape != span.shape:
                hint = " (W has a row for each input, a column for each unit)" if name == "W" else ""
                raise reading.wrong(f"{what} has shape {array.shape}; {span.shape} would be right{hint}", *where)
            given.setdefault(layer, {})[name] = array
    missing = [f"{layer}.{name}" for layer, name in spans if name not in given.get(layer, {})]
    if missing:
        raise reading.wrong(f"[parameters] lacks {listed(missing)}", "parameters")
    model.set_parameters(given)


# The names that texts use; a velocity that starts at zero gives them the same first step as plain descent.
_DESCENTS: dict[object, dict[str, Any]] = {
    "gradient_descent": {}, "gd": {}, "momentum": {"momentum": 0.9}, "nesterov": {"nesterov": True, "momentum": 0.9},
}  # fmt: skip
HAND_OPTIMIZERS = (*(name for name, cls in OPTIMIZERS.items() if not cls.full_batch), "momentum", "nesterov")


def hand_optimizer(name: object, **fields: Any) -> Optimizer:
    """The optimizer that a text calls so, whose update can be worked by hand.

    >>> hand_optimizer("momentum", learning_rate=0.1)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False, dampening=0.0, weight_decay=0.0, convention='torch')
    """
    if isinstance(name, str):
        name = name.lower().replace("-", "_").replace(" ", "_")
    if name in _DESCENTS:
        name, fields = "sgd", {**_DESCENTS[name], **fields}
    if isinstance(name, str) and name not in OPTIMIZERS:
        near = did_you_mean(name, HAND_OPTIMIZERS)
        raise InputError(f'there is no optimizer "{name}".{near} These exist: {listed(HAND_OPTIMIZERS)}')
    if name in OPTIMIZERS and OPTIMIZERS[str(name)].full_batch:
        raise InputError(f"{name} has no update that can be worked by hand")
    return get_optimizer({"name": name, **fields})
