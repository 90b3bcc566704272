"""A forward and a backward pass by the reference engine in float64, with every value kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles, whole
from chainrule.data import prepare_rows
from chainrule.engines.contract import Rows
from chainrule.engines.reference import Forward, ReferenceEngine
from chainrule.errors import InputError
from chainrule.layers import Context, Shape
from chainrule.losses import Loss
from chainrule.masking import Mask, missing_labels
from chainrule.network import Network
from chainrule.objective import HeadLoss, NetworkObjective
from chainrule.optimizers import Optimizer
from chainrule.parameters import ParameterRun
from chainrule.training.scheduled import rates, scheduled
from chainrule.training.state import TrainingState

DOUBLE = np.dtype(np.float64)


class Trained(Protocol):
    """What is explained: a `Model`, whatever it can do beside."""

    network: Network
    objective: NetworkObjective
    optimizer: Optimizer
    training: TrainingState
    seed: int


@dataclass(frozen=True)
class Moment:
    """Where a model stands between two steps, in float64.

    `statistics` are kept but not learned, `memory` is what the optimizer remembers (slots, size), `step` counts the
    steps taken, `since` those that the optimizer remembers, `seed` decides the next masks. `rate`, `decay` and
    `scheduled` are what schedules make of the next step: its learning rate, its weight decay unless that is the
    optimizer's own, and numbers of layers.
    """

    parameters: Doubles
    statistics: Doubles
    optimizer: Optimizer
    memory: Doubles
    step: int
    since: int
    seed: int
    rate: float
    decay: float | None
    scheduled: Mapping[int, float]

    @classmethod
    def of(cls, model: Trained) -> Moment:
        """The moment that a model is in."""
        now = model.training
        arrays = (array[0].astype(DOUBLE) for array in (now.parameters, now.state, now.slots))
        parameters, statistics, memory = arrays
        rate = float(rates(model.optimizer, now)[0])
        others = scheduled(model.network, model.optimizer, now)
        return cls(
            parameters, statistics, model.optimizer, memory, now.step, now.step - now.memory_from, model.seed, rate,
            others.decay(0), others.at(0),
        )  # fmt: skip


class Trace:
    """What the engine computed for some rows: the value of every slot, the gradient by it, the update.

    Arguments:
        network, objective: what is computed.
        moment: the parameters, and what else the next step depends on.
        data: the rows, in float64.
        training: dropout and batch normalization work as in the next training step.
        learn_biases: False leaves the biases as they are in the update.
        has_target: False where no target is given: what depends on it doesn't exist.
        has_update: False where no update is asked for.
        masked: by head the rows that lack its label; the head's loss has no part of them.
    """

    def __init__(
        self, network: Network, objective: NetworkObjective, moment: Moment, data: Rows, *, training: bool = False,
        learn_biases: bool = True, has_target: bool = True, has_update: bool = True,
        masked: Sequence[Mask | None] = (),
    ):  # fmt: skip
        self.network = network
        self.objective = objective if learn_biases else objective.without_biases()
        self.heads = self.objective.heads  # with their losses
        self.moment = moment
        self.optimizer = moment.optimizer
        self.optimizer_step = moment.since + 1  # which step the next one is to the optimizer, from 1
        self.program = network.program
        self.data = data
        self.n_rows = len(data)
        self.training = training
        self.has_target = has_target
        self.has_update = has_update
        self.masked = masked
        self.parameters = self.program.parameters.views(moment.parameters)
        self.state = self.program.state.views(moment.statistics)
        self.engine = ReferenceEngine(network, objective, every_gradient=True)
        self.context = Context(training, moment.seed, moment.step, scheduled=moment.scheduled)

    @cached_property
    def forward(self) -> Forward:
        """The forward pass."""
        with np.errstate(all="ignore"):
            return self.engine.forward(self.parameters, self.state, self.data.inputs, self.context)

    def value(self, slot: int) -> Doubles:
        """The value of a slot, shape (rows, elements)."""
        return self.forward.values[slot].reshape(self.n_rows, -1)  # type: ignore[return-value]  # float64 throughout

    @cached_property
    def row_factors(self) -> list[Doubles]:
        """By head each row's factor in the batch's loss: the head's weight, the row's own, and 1/n for a mean."""
        factors = []
        for head, weights in zip(self.objective.heads, self.data.weights, strict=True):
            plain = np.ones(self.n_rows) if weights is None else np.asarray(weights, dtype=DOUBLE)
            factors.append(plain * (head.weight / self.objective.divisor(float(plain.sum()))))
        return factors

    @cached_property
    def penalty_factor(self) -> float:
        """What the penalties are multiplied by in this batch."""
        sums = [float(self.n_rows if w is None else w.sum()) for w in self.data.weights]
        return self.objective.penalty_factor(np.array(sums))

    @cached_property
    def penalty(self) -> float:
        """The penalties."""
        return self.penalty_factor * self.objective.penalty(self.moment.parameters)

    @cached_property
    def loss(self) -> float:
        """The loss of the rows as one batch, penalties included."""
        with np.errstate(all="ignore"):
            total = self.penalty
            for head, target, factors in self._by_head:
                total += head.sum_of_rows(target, self.forward.values[head.slot], factors)
        return total

    @property
    def _by_head(self) -> Iterator[tuple[HeadLoss, AnyArray, Doubles]]:
        return zip(self.objective.heads, self.data.targets, self.row_factors, strict=True)

    @cached_property
    def _backward(self) -> tuple[dict[int, Doubles], Doubles]:
        self.objective.check_trainable(self.network)
        vector = np.zeros_like(self.moment.parameters)
        deltas: dict[int, Any] = {}
        with np.errstate(all="ignore"):
            for head, target, factors in self._by_head:
                delta = head.deltas(target, self.forward.values[head.slot], factors)
                deltas[head.slot] = deltas[head.slot] + delta if head.slot in deltas else delta
            slots = self.engine.backward(
                self.parameters, self.forward.memos, deltas, self.program.parameters.views(vector)
            )
            self.objective.add_penalty_gradient(self.moment.parameters, vector, self.penalty_factor)
            for head, target, factors in self._by_head:
                if head.skips is not None:  # fused: the engine never needs the gradient by the head's activation
                    slot = self.program.steps[head.skips].output
                    slots[slot] = head.loss.gradient(target, self.forward.values[slot]) * factors[:, None]
        return slots, vector  # type: ignore[return-value]  # float64 throughout

    def gradient(self, slot: int) -> Doubles:
        """The gradient of the loss by a slot, shape (rows, elements); zeros where no loss depends on it."""
        found = self._backward[0].get(slot)
        return np.zeros_like(self.value(slot)) if found is None else found.reshape(self.n_rows, -1)

    @cached_property
    def parameter_gradients(self) -> tuple[dict[str, Doubles], ...]:
        """The gradient by every parameter, penalties included, by step and name."""
        return self.program.parameters.views(self._backward[1])  # type: ignore[return-value]  # float64 throughout

    def rule(self, run: ParameterRun) -> Optimizer:
        """The optimizer with the weight decay that a run has in the next step."""
        return self.optimizer.decayed(run.decay_factor, self.moment.decay)

    def memory(self, offset: int) -> Doubles:
        """What the optimizer remembers of one parameter, shape (slots, 1)."""
        return self.moment.memory[:, offset : offset + 1]

    @cached_property
    def updated(self) -> tuple[dict[str, Doubles], ...]:
        """Every parameter after the next step of the optimizer, by step and name."""
        vector, gradient, slots = self.moment.parameters.copy(), self._backward[1].copy(), self.moment.memory.copy()
        if self.optimizer.full_batch:
            raise InputError(
                f"{self.optimizer.name} has no update of single parameters to show: it searches along a line; "
                'use "sgd", "adam" ...'
            )
        for run in self.objective.trainable:
            self.update(run, vector[run.slice], gradient[run.slice], slots[:, run.slice])
        return self.program.parameters.views(vector)  # type: ignore[return-value]  # float64 throughout

    def update(self, run: ParameterRun, w: Array, g: Array, slots: Array, rate: float | None = None) -> None:
        """Change some of a run's numbers in place as the optimizer does; `rate` instead of the step's own."""
        rate = self.moment.rate if rate is None else rate
        self.rule(run).update(w, g, slots, rate * run.rate_factor, self.optimizer_step)

    def lacks_label(self, head: int, row: int) -> bool:
        """Whether a row has no label of a head."""
        rows = self.masked[head] if self.masked else None
        return rows is not None and bool(rows[row])

    def targets(self, head: int) -> Doubles:
        """The targets of a head as numbers (rows, outputs): labels one-hot, smoothed where the loss smooths.

        NaN where there is no label.
        """
        found: Doubles = self.apart[head][1]  # type: ignore[assignment]  # float64
        rows = self.masked[head] if self.masked else None
        return found if rows is None else np.where(rows[:, None], np.nan, found)

    @cached_property
    def apart(self) -> list[tuple[Loss, Array]]:
        """Each head's loss of its outputs one by one, and the targets as numbers."""
        pairs = zip(self.heads, self.data.targets, strict=True)
        return [head.loss.apart(target, head.outputs) for head, target in pairs]


def trace_rows(model: Trained, X: Any, y: Any = None, sample_weight: Any = None, **how: bool) -> Trace:
    """Trace rows, or a single row: `x` of the shape of one row, `y` its target.

    Where `y` is None there are stand-ins, and the forward values alone mean something. `how` is said to `Trace`.

    Raises:
        InputError: the rows don't fit the network or its losses.
    """
    without = y is None
    X, y = _as_rows(model, X, y)
    if without:
        shape = _shape(next(iter(X.values()), None) if isinstance(X, Mapping) else X)
        rows = shape[0] if shape else 1
        y = {head.head: head.loss.stand_in(rows, head.outputs) for head in model.objective.heads}
    data = prepare_rows(model.network, model.objective, X, y, sample_weight, DOUBLE, every_head=False)
    masked = missing_labels(model.objective.heads, y, len(data))
    return Trace(
        model.network, model.objective, Moment.of(model), data, has_target=not without, masked=masked, **how
    )  # fmt: skip


def _as_rows(model: Trained, X: Any, y: Any) -> tuple[Any, Any]:
    shapes = model.network.input_shapes
    inputs = dict(X) if isinstance(X, Mapping) else ({next(iter(shapes)): X} if len(shapes) == 1 else None)
    if inputs is None or any(name not in shapes or _shape(value) != shapes[name] for name, value in inputs.items()):
        return X, y
    targets = y if isinstance(y, Mapping) else {head.head: y for head in model.objective.heads}
    rows = {name: _row(value) for name, value in inputs.items()}
    return rows, {name: _row(value, least=2) for name, value in targets.items()}


def _shape(value: Any) -> Shape | None:
    """The shape of an array, or None of what has none, such as ragged rows: refused when rows are prepared."""
    try:
        return np.shape(value)
    except ValueError:
        return None


def _row(value: Any, least: int = 0) -> Any:
    """A row as a table of one, unless it has `least` axes already; what is no plain array is refused later, as rows."""
    try:
        array = whole(value)
    except (TypeError, ValueError):
        return [value]
    return array if 0 < least <= array.ndim else array[None]
