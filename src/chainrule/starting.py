"""Starting weights that look at rows: pre-activations of unit variance, and biases that put the kinks among the rows.

For each layer that is affine in its weights, in the order in which values pass, with `z = x W` over the rows and `s_j`
the standard deviation of `z_j` (divided by n; a unit that is the same in every row keeps its weights):

    W_ij = W_ij / s_j
    b_j = -sum_k a_kj z_(r_kj)j / s_j, k = 1 ... 5

with five rows `r_kj` drawn for each unit and shares `a_kj` that are spread evenly over all that are positive and sum to
1. So each unit is 0 at a point among the rows. Steinwart, 2019, "A sober look at neural network initializations";
RealMLP (Holzmüller, Grinsztajn and Steinwart, 2024) begins so.
"""

from __future__ import annotations

import numpy as np

from chainrule import random
from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.layers import Context
from chainrule.layers.add import Add
from chainrule.network import Network
from chainrule.steps import Step

ROWS = 4096  # as many are looked at, unless it is said otherwise
_MIXED = 5  # rows of which each bias is a mean


def start_from_rows(
    network: Network, parameters: Array, state: Array, inputs: tuple[AnyArray, ...], seed: int, rows: int = ROWS
) -> None:
    """Scale weights and set biases of every member in place.

    Arguments:
        network: whose layers they are; those that don't learn stay as they are.
        parameters, state: the vectors, (members, size).
        inputs: rows that are prepared, an array for each input of the network.
        seed: decides which rows are looked at where there are more, and the rows of each bias.
        rows: how many are looked at.
    """
    if len(inputs[0]) > rows:
        chosen = np.sort(random.permutation(len(inputs[0]), seed, 0, stream=random.START)[:rows])
        inputs = tuple(array[chosen] for array in inputs)
    sums = _sums(network)
    for member in range(len(parameters)):
        p, s = network.layout.views(parameters[member]), network.state_layout.views(state[member])
        values: list[Array] = [*inputs, *([None] * len(network.steps))]  # type: ignore[list-item]  # filled below
        for step in network.steps:
            reads = tuple(values[slot] for slot in step.inputs)
            context = Context(seed=seed, layer=step.index, member=member, dtype=parameters.dtype)
            parts = sums.get(step.index, ())
            for part in parts or ((step,) if _is_affine(step) else ()):
                if "b" in p[part.index]:
                    p[part.index]["b"][...] = 0
            z = step.layer.forward(p[step.index], s[step.index], reads, context)[0]
            values[step.output] = _started(z, parts, p, seed, member) if parts else z


def _is_affine(step: Step) -> bool:
    return bool(step.layer.affine_in) and all(span.spec.trainable for span in step.parameters)  # type: ignore[union-attr]


def _sums(network: Network) -> dict[int, tuple[Step, ...]]:
    """For each step at which a pre-activation is complete the affine steps whose outputs it is, or is the sum of."""
    made = {step.output: step for step in network.steps if _is_affine(step)}
    heads = {head.slot for head in network.program.heads}
    sums: dict[int, tuple[Step, ...]] = {}
    for step in network.steps:
        parts = tuple(made[slot] for slot in dict.fromkeys(step.inputs) if slot in made)
        alone = all(len(network.program.readers(part.output)) == 1 and part.output not in heads for part in parts)
        if isinstance(step.layer, Add) and len(parts) == len(step.inputs) and alone:
            sums[step.index] = parts
            for part in parts:
                del made[part.output]
    return sums | {step.index: (step,) for step in made.values()}


def _started(z: Array, parts: tuple[Step, ...], p: tuple[dict[str, Array], ...], seed: int, member: int) -> Array:
    """The pre-activation after its layers' weights were scaled, and the first of their biases set."""
    deviation, rounding = z.std(axis=0, dtype=np.float64), 64 * np.finfo(z.dtype).eps * np.abs(z).max(axis=0)
    scale = np.where(deviation > rounding, deviation, 1.0).astype(z.dtype)
    z = z / scale
    for part in parts:
        p[part.index][part.layer.affine_in] /= scale
    biased = next((part for part in parts if "b" in p[part.index]), None)
    if biased is None:
        return z
    b = p[biased.index]["b"]
    b[...] = -_mixtures(z, seed, biased.index, member)
    return z + b


def _mixtures(z: Array, seed: int, layer: int, member: int) -> Doubles:
    """For each unit a random convex combination of its values in five rows."""
    units = z.shape[1]
    u = random.uniform(2 * _MIXED * units, seed, layer, random.START, member).reshape(units, 2, _MIXED)
    rows = np.floor(u[:, 0] * len(z)).astype(np.int64)
    shares = -np.log1p(-u[:, 1])  # exponentially distributed: divided by their sum they are spread evenly
    total = shares.sum(axis=1, keepdims=True)
    values = z[rows, np.arange(units)[:, None]].astype(np.float64)
    return (values * (shares / np.where(total > 0, total, 1.0))).sum(axis=1)
