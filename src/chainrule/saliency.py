"""Saliency: how much each input number moves an output, by the engine's own backward pass down to the inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles, Order
from chainrule.engines.reference import PREDICT_ROWS, ReferenceEngine
from chainrule.errors import InputError
from chainrule.layers import Context
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.plain import shortened


def input_gradients(
    network: Network, objective: NetworkObjective, parameters: Array, state: Array, inputs: tuple[AnyArray, ...],
    head: int, outputs: Order,
) -> list[Doubles | None]:  # fmt: skip
    """For each row the gradient of one output of a head by every input number, the mean over the members.

    Of a head whose loss is computed together with its activation it is the gradient of the pre-activation `z`: behind
    softmax or a sigmoid it would vanish wherever the network is sure.

    Arguments:
        parameters, state: (members, size).
        inputs: an array (rows, ...) for each input of the network.
        head: its place in the objective.
        outputs: for each row which output.

    Returns:
        for each input an array of its shape; None for codes, which have no derivative.
    """
    engine = ReferenceEngine(network, objective, every_gradient=True)
    context = Context(dtype=np.dtype(np.float64))
    slot, members = objective.heads[head].slot, len(parameters)
    sums: list[Doubles | None] = [np.zeros(x.shape) if x.dtype.kind == "f" else None for x in inputs]
    doubles = tuple(x.astype(np.float64) if x.dtype.kind == "f" else x for x in inputs)
    for member in range(members):
        views = network.layout.views(parameters[member].astype(np.float64))
        statistics = network.state_layout.views(state[member].astype(np.float64))
        gradients = network.layout.views(np.zeros(network.layout.size))
        for begin in range(0, len(outputs), PREDICT_ROWS):
            part = slice(begin, begin + PREDICT_ROWS)
            with np.errstate(all="ignore"):
                forward = engine.forward(
                    views, statistics, tuple(x[part] for x in doubles), replace(context, member=member)
                )
                delta = np.zeros_like(forward.values[slot])
                delta[np.arange(len(delta)), outputs[part]] = 1
                found = engine.backward(views, forward.memos, {slot: delta}, gradients)
            for total, input_slot in zip(sums, network.program.inputs, strict=True):
                if total is not None and input_slot.index in found:
                    total[part] += found[input_slot.index].reshape(total[part].shape) / members
    return sums


def which_outputs(given: Any, rows: int, outputs: int) -> Order:
    """The number of an output for each row, from one for all or one for each.

    Raises:
        InputError: there is none of that number, or they are as many as there are no rows.

    >>> which_outputs(2, rows=3, outputs=4).tolist()
    [2, 2, 2]
    """
    numbers = np.asarray(given)
    if numbers.dtype.kind not in "iu" or numbers.shape not in ((), (rows,)):
        raise InputError(
            f"output is {shortened(given)}; it must be the number of an output, or one for each of {rows} rows"
        )
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < outputs):
        raise InputError(f"output is {shortened(given)}; outputs are counted from 0 to {outputs - 1}")
    return np.broadcast_to(numbers, rows).astype(np.int64)
