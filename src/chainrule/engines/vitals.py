"""How a network is while it trains, layer by layer, at the steps that are sampled: what is measured, and its meaning.

Measured on the first rows of each batch, which come in random order. No number of the training changes by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.layers import Dense
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.steps import Step

# What is measured of a step of the program; NaN where it doesn't exist.
QUANTITIES: Final = {
    "gradient": "the length of the losses' gradient by the layer's parameters, before penalties and clipping",
    "update": "the length of the parameters' change, over their own",
    "noise": "the standard deviation of that gradient, as rows vary, over its length",
    "dead": "the share of units whose slope is flat in every row",
    "flat": "the share of numbers whose slope is flat",
    "spread": "the standard deviation of a unit over the rows, its root mean square over the units",
    "size": "the root mean square of the numbers",
}
ROWS: Final = 256  # of a batch that are looked at
LEAST_SLOPE: Final = 0.01  # a smaller one is flat
PARAMETERS, OF_ROWS, VALUES, SLOPES = 1, 2, 4, 8  # what a step is watched for


@dataclass(frozen=True, eq=False)
class Vitals:
    """What was measured: at `steps` (their numbers, from 0), of every member and every step of the program.

    `losses` is (samples, members), `numbers` (samples, members, steps of the program, quantities).
    """

    steps: NDArray[np.int64]
    losses: Doubles
    numbers: Doubles

    def of(self, quantity: str) -> Doubles:
        """One of `QUANTITIES`, shape (samples, members, steps of the program)."""
        return self.numbers[..., list(QUANTITIES).index(quantity)]

    def each(self, every: int) -> Vitals:
        """Those of the steps whose number is a multiple of `every`."""
        taken = self.steps % every == 0
        return Vitals(self.steps[taken], self.losses[taken], self.numbers[taken])

    @classmethod
    def joined(cls, parts: Sequence[Vitals]) -> Vitals:
        """Those of several jobs, one after the other."""
        fields = ([getattr(part, name) for part in parts] for name in ("steps", "losses", "numbers"))
        return cls(*(np.concatenate(arrays) for arrays in fields))


def sampled(every: int, first_step: int, n_steps: int) -> range:
    """The steps of a job that are sampled, counted from its first: those whose number is a multiple of `every`."""
    return range(-first_step % every, n_steps, every) if every else range(0)


def watched(network: Network, objective: NetworkObjective) -> list[int]:
    """For each step of the program what there is to measure of it."""
    skipped = {head.skips for head in objective.heads}
    read = {head.slot for head in objective.heads}
    return [_watched(step, objective, step.index in skipped, step.output in read) for step in network.program.steps]


def _watched(step: Step, objective: NetworkObjective, skipped: bool, read: bool) -> int:
    learns = any(
        span.offset < run.slice.stop and run.slice.start < span.slice.stop
        for span in step.parameters for run in objective.trainable
    )  # fmt: skip
    function = None if skipped else step.layer.applies
    of_parameters = learns * (PARAMETERS + OF_ROWS * isinstance(step.layer, Dense))
    slopes = SLOPES if function is not None and not function.coupled else 0
    return of_parameters + (VALUES if function is not None or read else 0) + slopes


class Recorder:
    """Room for what the sampled steps of a job show, and how the reference engine measures it."""

    def __init__(self, network: Network, objective: NetworkObjective, every: int, members: int, steps: range):
        self.network, self.objective, self.every = network, objective, every
        self.watched = watched(network, objective) if every else []
        self.steps = steps
        n, heads = len(steps), len(objective.heads)
        self.numbers = np.full((n, members, len(network.program.steps), len(QUANTITIES)), np.nan)
        self.head_losses, self.head_weights = np.zeros((n, members, heads)), np.zeros((n, members, heads))

    def vitals(self, first_step: int, done: int) -> Vitals | None:
        """What was measured in the steps that were done; None where nothing was to be."""
        if not self.every:
            return None
        n = len([step for step in self.steps if step < done])
        losses = [
            [self.objective.total(loss, weight) for loss, weight in zip(*of_members, strict=True)]
            for of_members in zip(self.head_losses[:n], self.head_weights[:n], strict=True)
        ]
        members = self.numbers.shape[1]
        steps = np.array(self.steps[:n], np.int64) + first_step
        return Vitals(steps, np.array(losses, np.float64).reshape(n, members), self.numbers[:n])

    def look(
        self, index: int, member: int, values: list[Array], deltas: dict[int, Array], gradient: Array,
        losses: Doubles, weights: Doubles,
    ) -> None:  # fmt: skip
        """Measure the passes of one member in the step `index` of the job, whose gradient has no penalties yet."""
        sample = self.steps.index(index)
        self.head_losses[sample, member], self.head_weights[sample, member] = losses, weights
        for step, watch in zip(self.network.program.steps, self.watched, strict=True):
            found: dict[str, float] = {}
            if watch & VALUES:
                found |= _of_values(values[step.output][:ROWS])
            if watch & SLOPES:
                found |= _of_slopes(step, values)
            if watch & PARAMETERS:
                squares = sum(_squares(gradient[span.slice]) for span in step.parameters)
                found["gradient"] = float(np.sqrt(squares))
                if watch & OF_ROWS and step.output in deltas and squares > 0:
                    found["noise"] = _noise(step, values[step.inputs[0]], deltas[step.output], squares)
            for name, number in found.items():
                self.numbers[sample, member, step.index, list(QUANTITIES).index(name)] = number

    def look_at_update(self, index: int, member: int, before: Array, after: Array) -> None:
        """Measure how far the parameters of one member went in the step `index` of the job."""
        place = list(QUANTITIES).index("update")
        for step, watch in zip(self.network.program.steps, self.watched, strict=True):
            own = sum(_squares(before[span.slice]) for span in step.parameters)
            if watch & PARAMETERS and own > 0:
                change = sum(_squares(after[span.slice] - before[span.slice]) for span in step.parameters)
                self.numbers[self.steps.index(index), member, step.index, place] = np.sqrt(change / own)


def _squares(values: Array) -> float:
    return float((values.astype(np.float64) ** 2).sum())


def _of_values(h: Array) -> dict[str, float]:
    numbers = h.reshape(len(h), -1).astype(np.float64)
    spread = float(np.sqrt(numbers.var(axis=0).mean()))
    return {"spread": spread, "size": float(np.sqrt((numbers**2).mean()))}


def _of_slopes(step: Step, values: list[Array]) -> dict[str, float]:
    function = step.layer.applies
    assert function is not None
    kept = values[step.inputs[0] if function.needs == "z" else step.output][:ROWS]
    flat = np.abs(function.derivative(kept).reshape(len(kept), -1)) < kept.dtype.type(LEAST_SLOPE)
    return {"flat": float(flat.mean()), "dead": float(flat.all(axis=0).mean())}


def _noise(step: Step, x: Array, d_z: Array, squares: float) -> float:
    """A row's own gradient of W is an outer product: its length is the product of two lengths."""
    bias = any(span.name == "b" for span in step.parameters)
    own = _rows(d_z) * (_rows(x) + bias)
    return float(np.sqrt(max(len(d_z) * own.mean() - squares / len(d_z), 0.0) / squares))


def _rows(numbers: AnyArray) -> Doubles:
    return (numbers[:ROWS].astype(np.float64) ** 2).sum(axis=1)
