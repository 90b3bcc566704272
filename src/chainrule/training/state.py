"""Everything that training changes, in one place: what a checkpoint saves and a resumed run goes on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from chainrule.arrays import Array
from chainrule.engines.contract import Sums
from chainrule.errors import InputError
from chainrule.initializers import Stream
from chainrule.limits import COUNT, check
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.parameters import aligned_zeros
from chainrule.training.history import History


@dataclass
class Snapshot:
    """Parameters and state as they were."""

    parameters: Array
    state: Array

    def take(self, parameters: Array, state: Array) -> None:
        """Hold these in place of what was held."""
        self.parameters[...] = parameters
        self.state[...] = state


@dataclass
class TrainingState:
    """Vectors, counters and memories of one model.

    `slots` (members, n_slots, size) is what the optimizer remembers. `step` and `epoch` count finished ones since the
    parameters were initialized, and the slots began at step `memory_from`; `batch` counts those of an unfinished epoch,
    `partial` is what they added up, `rate` the learning rate of the last step.
    `first_step` and `first_epoch` are where the present run began, `steps_per_epoch` and `total_steps` how long it is
    meant to be: by them schedules know where in it a step is. `memories` belong to its stopping rules.
    `epoch_start` is how the epoch at hand began, `bests` the end of the best epoch of each rule that brings it back (by
    its place among the rules), `latest` where the run stood when one of them was brought back. `history` is the record
    of the run, or, where each member had one of its own, the first one's; the others' are `other_histories`.
    """

    parameters: Array
    state: Array
    slots: Array
    step: int = 0
    epoch: int = 0
    batch: int = 0
    first_step: int = 0
    first_epoch: int = 0
    memory_from: int = 0
    steps_per_epoch: int = 1
    total_steps: int = 1
    seconds: float = 0.0
    rate: float = 0.0
    partial: Sums | None = None
    epoch_start: Snapshot | None = None
    bests: dict[int, Snapshot] = field(default_factory=dict)
    latest: Snapshot | None = None
    memories: list[dict[str, Any]] = field(default_factory=list)
    plateau: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    other_histories: list[History] = field(default_factory=list)

    @classmethod
    def initial(
        cls,
        network: Network,
        optimizer: Optimizer,
        seed: int,
        dtype: DTypeLike,
        members: int | Array = 1,
    ) -> TrainingState:
        """Nothing trained yet: `members` networks with parameters drawn from the seed, or their parameters."""
        start = members if isinstance(members, np.ndarray) else None
        n_members = len(members) if isinstance(members, np.ndarray) else members
        check("Model", "members", n_members, COUNT)
        parameters = network.layout.zeros(n_members, dtype)
        state = network.state_layout.zeros(n_members, dtype)
        if start is not None:
            if start.shape != parameters.shape:
                raise InputError(f"members has shape {start.shape}; {parameters.shape} would be right")
            parameters[...] = start
        for member in range(n_members):
            if start is None:
                for number, span in enumerate(network.layout.spans):
                    drawn = span.spec.initializer.draw(span.shape, Stream(seed, number, member))  # type: ignore[union-attr]
                    parameters[member, span.slice] = drawn.reshape(-1)
            for span in network.state_layout.spans:
                state[member, span.slice] = span.spec.start  # type: ignore[union-attr]
        training = cls(
            parameters, state, aligned_zeros((n_members, len(optimizer.slot_names), network.layout.size), dtype)
        )
        training.reset_optimizer(optimizer)
        return training

    def reset_optimizer(self, optimizer: Optimizer) -> None:
        """Forget what the optimizer remembers; the place in the random stream stays, so that no mask comes twice."""
        for slots in self.slots:
            optimizer.start(slots)
        self.memory_from = self.step

    def begin_run(self, *, keep_schedule: bool = False) -> None:
        """Start counting anew for a fit; parameters, optimizer and the place in the random stream go on.

        With `keep_schedule` so does the place in the schedule of learning rates.
        """
        if self.batch:  # an interrupted epoch is over when a new run begins
            self.epoch, self.batch, self.partial = self.epoch + 1, 0, None
        if not keep_schedule:
            self.first_step, self.plateau = self.step, {}
        self.first_epoch, self.seconds = self.epoch, 0.0
        self.epoch_start = self.latest = None
        self.bests, self.memories, self.history, self.other_histories = {}, [], History(), []

    def fit_rules(self, restoring: Sequence[bool]) -> None:
        """Have a memory for each stopping rule, and weights of best epochs only for rules that bring them back."""
        self.memories = [*self.memories, *({} for _ in restoring)][: len(restoring)]
        self.bests = {i: best for i, best in self.bests.items() if i < len(restoring) and restoring[i]}

    def go_on(self) -> None:
        """Take up a run where it stood: the best weights may have been brought back at its end."""
        if self.latest is not None:
            self.restore(self.latest)
            self.latest = None

    def take_over(self, other: TrainingState, *, optimizer: bool) -> None:
        """Go on where another stands, as far as it fits; with `optimizer` also with what that one's remembers."""
        if other.parameters.shape == self.parameters.shape and other.state.shape == self.state.shape:
            self.restore(Snapshot(other.parameters, other.state))
        self.step = self.memory_from = other.step
        self.epoch = other.epoch
        if optimizer and other.slots.shape == self.slots.shape:
            self.slots[...] = other.slots
            self.first_step, self.memory_from = other.first_step, other.memory_from
            self.steps_per_epoch, self.total_steps = other.steps_per_epoch, other.total_steps
            self.plateau = dict(other.plateau)

    def snapshot(self) -> Snapshot:
        """A copy of parameters and state."""
        return Snapshot(self.parameters.copy(), self.state.copy())

    def restore(self, snapshot: Snapshot) -> None:
        """Bring parameters and state back."""
        self.parameters[...] = snapshot.parameters
        self.state[...] = snapshot.state
