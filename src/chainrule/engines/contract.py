"""What every engine does, and the words in which it is asked.

Vectors have a leading member axis: `parameters` (members, size), so that networks of one shape train side by side.
Members are independent: each has its own row order and its own place in the random stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles, Order
from chainrule.engines.memo import MemoReport
from chainrule.network import Network
from chainrule.objective import Objective


@dataclass(frozen=True)
class Rows:
    """Data as engines take it: one array per input of the network, one target per head, row weights or None.

    Inputs are of the model's precision, or int32 where the network reads codes.

    `weights` has one array (or None) per head; rows are the first axis of every array.
    """

    inputs: tuple[AnyArray, ...]
    targets: tuple[AnyArray, ...]
    weights: tuple[Array | None, ...]

    def __len__(self) -> int:
        return len(self.inputs[0])

    def take(self, rows: Order) -> Rows:
        """The rows with these numbers."""
        return Rows(
            tuple(x[rows] for x in self.inputs),
            tuple(y[rows] for y in self.targets),
            tuple(None if w is None else w[rows] for w in self.weights),
        )


class UpdateRule(Protocol):
    """What an engine needs of an optimizer; `chainrule.optimizers` has them."""

    def update(self, parameters: Array, gradients: Array, slots: Array, rate: float, step: int) -> None:
        """Change `parameters` and `slots` (n_slots, size) in place; `step` counts from 1."""

    def decayed(self, factor: float) -> UpdateRule:
        """The rule for parameters whose weight decay is `factor` times its own."""


@dataclass
class Sums:
    """What a job adds up, for each member: head losses and row weights (members, heads), penalties, steps.

    In scikit-learn's convention each batch enters with its mean loss and its penalties divided by its weight, both
    times its number of rows, and that number takes the place of the weights.
    """

    losses: Doubles
    weights: Doubles
    penalties: Doubles
    steps: int = 0

    @classmethod
    def zeros(cls, members: int, heads: int) -> Sums:
        """Nothing added up yet."""
        return cls(np.zeros((members, heads)), np.zeros((members, heads)), np.zeros(members))

    def add(
        self, objective: Objective, member: int, losses: Doubles, weights: Doubles, penalty: float, rows: int
    ) -> None:
        """Add a batch of one member: each head's loss sum and weight sum, the penalties, the number of rows."""
        if objective.convention == "sklearn":
            penalty *= rows * objective.penalty_factor(weights)
            losses = rows * losses / np.where(weights > 0, weights, 1.0)
            weights = np.full_like(weights, rows)
        self.losses[member] += losses
        self.weights[member] += weights
        self.penalties[member] += penalty

    def loss(self, objective: Objective, member: int = 0) -> float:
        """The objective's mean over the steps: head losses over all rows, and the mean penalty."""
        counted = self.weights[member, 0] if objective.convention == "sklearn" else self.steps
        penalty = float(self.penalties[member]) / max(float(counted), 1.0)
        return objective.total(self.losses[member], self.weights[member]) + penalty

    def mean_loss(self, objective: Objective) -> float:
        """The objective's mean over the steps and the members."""
        members = len(self.penalties)
        return sum(self.loss(objective, member) for member in range(members)) / members


@dataclass
class Job:
    """A run of steps over rows in a given order. The engine changes the first three arrays, and `sums`, in place.

    Arguments:
        parameters, state, slots: (members, size), (members, state size), (members, n_slots, size).
        order: (members, n) row numbers; each `batch_size` of them make one step, the last may be smaller.
        rates: the learning rate of each step of this job.
        first_step: how many steps were done before this job, counted from 0.
        sums: what earlier jobs of the epoch added up; each step adds its own, so that no result depends on how an
            epoch is cut into jobs.
        clip_norm: the greatest 2-norm of the gradient of all trainable parameters, or None.
        should_stop: asked after every step.
        memory_from: the step at which what the optimizer remembers begins; its own steps count from there.
    """

    parameters: Array
    state: Array
    slots: Array
    data: Rows
    order: Order
    batch_size: int
    rates: Doubles
    first_step: int
    sums: Sums
    rule: UpdateRule
    seed: int
    clip_norm: float | None = None
    should_stop: Callable[[], bool] = field(default=lambda: False)
    memory_from: int = 0


@dataclass
class Outcome:
    """How a job ended: the steps done, and the index of the step whose loss wasn't finite, if there was one.

    That step changed nothing: the parameters are those that it started from.
    """

    steps: int = 0
    diverged: int | None = None
    diverged_member: int = 0
    stopped: bool = False


@dataclass
class Gradients:
    """One evaluation of the objective: its value, and its gradient by every parameter (members, size)."""

    loss: Doubles
    vector: Array
    sums: Sums
    state: Array
    memo: MemoReport | None = None


class Engine(Protocol):
    """Who computes. `reference` defines the meaning of every number; others give the same numbers faster."""

    name: str
    network: Network
    objective: Objective

    def predict(self, parameters: Array, state: Array, inputs: tuple[AnyArray, ...]) -> tuple[Array, ...]:
        """The heads' outputs, each (members, rows, *shape)."""

    def losses(self, parameters: Array, state: Array, data: Rows) -> Sums:
        """Head losses over rows, as in prediction (no dropout, running statistics)."""

    def gradients(
        self, parameters: Array, state: Array, data: Rows, *, training: bool, seed: int, step: int, report: bool = False
    ) -> Gradients:
        """The objective over all rows as one batch, and its gradient; nothing is changed."""

    def run(self, job: Job) -> Outcome:
        """Do the steps of a job."""
