"""What every engine does, and the words in which it is asked.

Vectors have a leading member axis: `parameters` (members, size), so that networks of one shape train side by side.
Members are independent: each has its own row order and its own place in the random stream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles, Order
from chainrule.engines.vitals import Vitals
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.optimizers import Optimizer

NOTHING: Final[Mapping[int, float]] = MappingProxyType({})  # is scheduled


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

    def decayed(self, factor: float, decay: float | None = None) -> UpdateRule:
        """The rule for parameters whose weight decay is `factor` times `decay`, or its own."""


@dataclass(frozen=True)
class Scheduled:
    """What follows schedules beside the learning rate, in each of some steps.

    `decays` are weight decays, None where the optimizer has one for all; `numbers` are those of layers (dropout rates),
    by the layer's index in `network.steps`.
    """

    decays: Doubles | None = None
    numbers: Mapping[int, Doubles] = field(default_factory=dict)

    def part(self, steps: slice) -> Scheduled:
        """Those of a stretch of the steps."""
        decays = None if self.decays is None else self.decays[steps]
        return Scheduled(decays, {layer: values[steps] for layer, values in self.numbers.items()})

    def decay(self, step: int) -> float | None:
        """The weight decay of a step."""
        return None if self.decays is None else float(self.decays[step])

    def at(self, step: int) -> dict[int, float]:
        """The numbers of layers in a step."""
        return {layer: float(values[step]) for layer, values in self.numbers.items()}


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

    def copy(self) -> Sums:
        """The same numbers in arrays of their own."""
        return Sums(self.losses.copy(), self.weights.copy(), self.penalties.copy(), self.steps)

    def add(
        self, objective: NetworkObjective, member: int, losses: Doubles, weights: Doubles, penalty: float, rows: int
    ) -> None:
        """Add a batch of one member: each head's loss sum and weight sum, the penalties, the number of rows."""
        if objective.convention == "sklearn":
            penalty *= rows * objective.penalty_factor(weights)
            losses = rows * losses / np.where(weights != 0, weights, 1.0)
            weights = np.full_like(weights, rows)
        self.losses[member] += losses
        self.weights[member] += weights
        self.penalties[member] += penalty

    def loss(self, objective: NetworkObjective, member: int = 0) -> float:
        """The objective's mean over the steps: head losses over all rows, and the mean penalty."""
        counted = self.weights[member, 0] if objective.convention == "sklearn" else self.steps
        penalty = float(self.penalties[member]) / max(float(counted), 1.0)
        return objective.total(self.losses[member], self.weights[member]) + penalty

    def mean_loss(self, objective: NetworkObjective) -> float:
        """The objective's mean over the steps and the members."""
        members = len(self.penalties)
        return sum(self.loss(objective, member) for member in range(members)) / members


@dataclass
class Job:
    """A run of steps over rows in a given order, from the vectors that the engine has loaded.

    Arguments:
        order: (members, n) row numbers; each `batch_size` of them make one step, the last may be smaller.
        rates: the learning rate of each step of this job.
        first_step: how many steps were done before this job, counted from 0.
        sums: what earlier jobs of the epoch added up; the outcome's go on from them, so that no result depends on how
            an epoch is cut into jobs.
        clip_norm: the greatest 2-norm of the gradient of all trainable parameters, or None.
        should_stop: asked after every step, or as often as the engine can.
        memory_from: the step at which what the optimizer remembers begins; its own steps count from there.
        scheduled: what else follows schedules, in each step of this job.
        every: steps whose number is a multiple of it are measured, layer by layer (`engines/vitals.py`); 0: none is.
    """

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
    scheduled: Scheduled = field(default_factory=Scheduled)
    every: int = 0


@dataclass
class Outcome:
    """How a job ended: the steps done, the sums with them, and the index of the step whose loss wasn't finite, if any.

    That step changed nothing: the parameters are those that it started from.
    """

    sums: Sums
    steps: int = 0
    diverged: int | None = None
    diverged_member: int = 0
    stopped: bool = False
    vitals: Vitals | None = None  # of the steps that were to be measured


@dataclass
class Gradients:
    """One evaluation of the objective: its value, and its gradient by every parameter (members, size)."""

    loss: Doubles
    vector: Array
    sums: Sums
    state: Array


class Engine(ABC):
    """Who computes. `reference` defines the meaning of every number; others give the same numbers faster.

    What training changes is loaded into an engine, worked on by its jobs, and stored from it again. In between the
    engine may hold it where it likes: in the arrays themselves, as those in this process do, on a device, elsewhere.
    Evaluations are handed their vectors and change nothing, so several threads may ask for them at once.

    Arguments:
        threads: how many threads a call may use, for an engine that `brings_threads`; None leaves it to the engine.
    """

    name: str
    medium: str  # where it computes, for a message: "in NumPy"
    brings_threads: bool = False  # its own, counted by `threads`; else they are those of NumPy's libraries

    @abstractmethod
    def __init__(self, network: Network, objective: NetworkObjective, threads: int | None = None):
        self.network = network
        self.objective = objective

    @classmethod
    def missing(cls) -> str | None:
        """Why it can't be used on this machine, or None if it can."""
        return None

    @classmethod
    def switched_off(cls) -> bool:
        """Whether it is missing because the user wants it so."""
        return False

    @classmethod
    def covers(cls, network: Network, objective: NetworkObjective, optimizer: Optimizer) -> str | None:
        """Why it can't run a model, or None if it can."""
        return None

    @classmethod
    def facts(cls) -> str:
        """What `chainrule info` says of it, where it isn't missing."""
        return cls.medium

    @abstractmethod
    def predict(self, parameters: Array, state: Array, inputs: tuple[AnyArray, ...]) -> tuple[Array, ...]:
        """The heads' outputs, each (members, rows, *shape)."""

    def answer(self, parameters: Array, state: Array, inputs: tuple[AnyArray, ...]) -> tuple[tuple[Array, ...], bool]:
        """What `predict` gives; and True if the engine saw that all that went in and came out is finite."""
        return self.predict(parameters, state, inputs), False

    @abstractmethod
    def losses(self, parameters: Array, state: Array, data: Rows) -> Sums:
        """Head losses over rows, as in prediction (no dropout, running statistics)."""

    @abstractmethod
    def gradients(
        self, parameters: Array, state: Array, data: Rows, *, training: bool, seed: int, step: int,
        scheduled: Mapping[int, float] = NOTHING,
    ) -> Gradients:  # fmt: skip
        """The objective over all rows as one batch, and its gradient; nothing is changed.

        `scheduled` has the numbers of layers that follow schedules, in this step, by index in `network.steps`.
        """

    @abstractmethod
    def load(self, parameters: Array, state: Array, slots: Array) -> None:
        """Take what jobs change: (members, size), (members, state size), (members, n_slots, size)."""

    @abstractmethod
    def run(self, job: Job) -> Outcome:
        """Do the steps of a job."""

    @abstractmethod
    def store(self, parameters: Array, state: Array, slots: Array) -> None:
        """Write what was loaded, as the jobs since have left it, into these arrays."""


class InPlace(Engine):
    """An engine in this process: jobs change the arrays that were loaded where they lie."""

    _loaded: tuple[Array, Array, Array]

    def load(self, parameters: Array, state: Array, slots: Array) -> None:
        """Work on these arrays from now on."""
        self._loaded = parameters, state, slots

    def store(self, parameters: Array, state: Array, slots: Array) -> None:
        """Nothing is to be done for the arrays that were loaded; others get their numbers."""
        for array, here in zip((parameters, state, slots), self._loaded, strict=True):
            if array is not here:
                array[...] = here
