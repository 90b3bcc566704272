"""What a diagnosis stands on: a run's start and end, losses, vitals and rows; measured once, read by rules."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.engines.contract import Job, Rows, Sums
from chainrule.engines.reference import ReferenceEngine
from chainrule.engines.vitals import ROWS, Vitals
from chainrule.errors import DivergenceError
from chainrule.layers import Context, Dense
from chainrule.steps import Step
from chainrule.training.history import History
from chainrule.training.run import Callback, Run

LOOKED_AT: Final = 4 * ROWS  # rows of a checkup
MEASURED: Final = 4096  # rows by which losses are compared
_BOUNDED: Final = ("sigmoid", "tanh")


@dataclass(frozen=True)
class LayerOf:
    """A layer that learns by a matrix, and the function behind it, as steps of the program."""

    name: str
    dense: Step
    function: Step | None
    hidden: bool

    @property
    def bounded(self) -> bool:
        """Whether the function is flat at both ends: such units saturate; others die."""
        f = None if self.function is None else self.function.layer.applies
        return f is not None and f.name in _BOUNDED

    @property
    def makes(self) -> str:
        """The function by its name."""
        f = None if self.function is None else self.function.layer.applies
        return "linear" if f is None else f.name


@dataclass
class Evidence:
    """A model, the rows it trains on, and what is known of its training.

    `start` is where the training began and `end` where it led, each of the first member; `vitals` is what was measured
    on the way. Where the model wasn't watched this may be of a short training of a copy: then `probed` says so.
    """

    model: Any
    rows: Rows
    validation: Rows | None
    start: Array
    start_state: Array
    end: Array
    end_state: Array
    history: History
    vitals: Vitals | None
    batch_size: int
    epochs: int
    clip_norm: float | None = None
    probed: bool = False
    names: Sequence[str] = ()
    tried: dict[float, float] = field(default_factory=dict)  # what short trainings learn, by the factor of their rate
    _wholes: dict[int, float] = field(default_factory=dict)

    @cached_property
    def layers(self) -> list[LayerOf]:
        """The layers with matrices, in order."""
        steps, heads = self.model.network.program.steps, {head.slot for head in self.model.network.program.heads}
        read = {head.slot for head in self.model.objective.heads}
        found = []
        for step in steps:
            if not isinstance(step.layer, Dense):
                continue
            after, slot = None, step.output
            while after is None:  # the first function that its values go through, norms and dropout between
                readers = [other for other in steps if slot in other.inputs]
                if len(readers) != 1 or len(readers[0].inputs) != 1 or isinstance(readers[0].layer, Dense):
                    break
                slot = readers[0].output
                after = readers[0] if readers[0].layer.applies is not None else None
            is_head = bool({step.output, slot} & (heads | read))
            found.append(LayerOf(step.name, step, after, not is_head))
        return found

    @property
    def hidden(self) -> list[LayerOf]:
        """Those that no loss reads."""
        return [layer for layer in self.layers if layer.hidden]

    @cached_property
    def sample(self) -> Rows:
        """Some of the rows, drawn anew: losses are compared by them."""
        return some(self.rows, MEASURED)

    @cached_property
    def diverged(self) -> bool:
        """Whether the training ended with numbers that aren't finite."""
        return self.history.stopped_by == "diverged"

    @cached_property
    def before(self) -> Vitals:
        """The network as it began, looked at by some rows."""
        return look(self.model, self.start, self.start_state, self.rows)

    @cached_property
    def after(self) -> Vitals:
        """The network as it ended."""
        return look(self.model, self.end, self.end_state, self.rows)

    @cached_property
    def first_loss(self) -> float:
        """The loss of the rows where the training began, without penalties."""
        return loss_of(self.model, self.start, self.start_state, self.sample)

    @cached_property
    def last_loss(self) -> float:
        """The same where it ended."""
        return loss_of(self.model, self.end, self.end_state, self.sample)

    @cached_property
    def baseline(self) -> float:
        """The loss of the best constant answer."""
        return baseline(self.model, self.sample)

    @cached_property
    def judged_by(self) -> Rows:
        """The rows by which rates are compared: those held out, where there are some, as what is learned by heart isn't
        learned."""
        return self.sample if self.validation is None or not len(self.validation) else some(self.validation, MEASURED)

    def learned(self, rows: Rows, loss: float) -> float:
        """Which share of the constant answer's loss (or of the first one, where that is less) is gone; at most 1."""
        if id(rows) not in self._wholes:
            losses = loss_of(self.model, self.start, self.start_state, rows), baseline(self.model, rows)
            self._wholes[id(rows)] = min(loss for loss in losses if np.isfinite(loss))
        whole = self._wholes[id(rows)]
        return 1 - loss / whole if np.isfinite(loss) and whole > 0 else -np.inf

    @cached_property
    def learned_in_all(self) -> float:
        """The share that is gone where it ended: of the training rows or of those held out, whichever is more."""
        if self.diverged:
            return -np.inf
        held = loss_of(self.model, self.end, self.end_state, self.judged_by)
        return max(self.learned(self.sample, self.last_loss), self.learned(self.judged_by, held))

    def of(self, vitals: Vitals, quantity: str, step: Step | None) -> Doubles:
        """A quantity of a step, of the first member: over the samples."""
        if step is None:
            return np.full(len(vitals.steps), np.nan)
        return vitals.of(quantity)[:, 0, step.index]

    def slopes(self, start: bool = False) -> dict[str, float]:
        """The mean |f'(z)| of each layer's function, over some rows."""
        model, part = self.model, some(self.rows, ROWS)
        parameters, kept = (self.start, self.start_state) if start else (self.end, self.end_state)
        engine = ReferenceEngine(model.network, model.objective)
        with np.errstate(all="ignore"):
            values = engine.forward(
                model.network.layout.views(parameters[0]), model.network.state_layout.views(kept[0]), part.inputs,
                Context(dtype=parameters.dtype),
            ).values  # fmt: skip
        found = {}
        for layer in self.layers:
            f = None if layer.function is None else layer.function.layer.applies
            if f is not None and layer.function is not None and not f.coupled:
                kept_values = values[layer.function.inputs[0] if f.needs == "z" else layer.function.output]
                found[layer.name] = float(np.abs(f.derivative(kept_values)).mean())
        return found

    def one_row(self, row: int = 0) -> tuple[Any, Any]:
        """A row and its target as `Model.explain` takes them."""
        network, heads = self.model.network, self.model.objective.heads
        inputs = {slot.name: x[row : row + 1] for slot, x in zip(network.program.inputs, self.rows.inputs, strict=True)}
        targets = {head.head: y[row : row + 1] for head, y in zip(heads, self.rows.targets, strict=True)}
        return inputs, targets


def middle(values: Doubles) -> float:
    """The median of the numbers that are there; NaN where none is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def mean_of(values: Doubles) -> float:
    """The mean of the numbers that are there; NaN where none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def some(rows: Rows, n: int) -> Rows:
    """At most so many rows, drawn at random, always the same ones."""
    if len(rows) <= n:
        return rows
    return rows.take(np.sort(np.random.default_rng(0).permutation(len(rows))[:n]))


def look(model: Any, parameters: Array, state: Array, rows: Rows) -> Vitals:
    """The vitals of some rows, four batches of 256 at most, at parameters that don't change."""
    n = len(rows)
    order = np.random.default_rng(0).permutation(n)[:LOOKED_AT].astype(np.int64)[None]
    batch = min(ROWS, order.shape[1])
    steps = max(order.shape[1] // batch, 1)
    engine = model._engine_for(rows)
    p, s = parameters[:1].copy(), state[:1].copy()
    slots = np.zeros((1, len(model.optimizer.slot_names), p.shape[1]), p.dtype)
    for of_member in slots:
        model.optimizer.start(of_member)
    sums = Sums.zeros(1, len(model.objective.heads))
    rule = model.optimizer if not model.optimizer.full_batch else _still()
    if rule is not model.optimizer:
        slots = np.zeros((1, len(rule.slot_names), p.shape[1]), p.dtype)
    job = Job(rows, order[:, : steps * batch], batch, np.zeros(steps), 0, sums, rule, 0, every=1)
    engine.load(p, s, slots)
    with np.errstate(all="ignore"):
        vitals = engine.run(job).vitals
    engine.store(p, s, slots)
    assert vitals is not None
    return vitals


def _still() -> Any:
    from chainrule.optimizers import SGD

    return SGD()


def loss_of(model: Any, parameters: Array, state: Array, rows: Rows) -> float:
    """The loss of rows, of the first member, without penalties."""
    with np.errstate(all="ignore"):
        sums = model._engine_for(rows).losses(parameters[:1].copy(), state[:1].copy(), rows)
        return float(model.objective.total(sums.losses[0], sums.weights[0]))


def baseline(model: Any, rows: Rows) -> float:
    """The loss of the best constant answer: of classes their shares, of numbers the mean or the median."""
    total = 0.0
    for head, target, weights in zip(model.objective.heads, rows.targets, rows.weights, strict=True):
        w = np.ones(len(rows)) if weights is None else weights.astype(np.float64)
        if w.sum() <= 0:
            continue
        numbers = numbers_of(target, head.outputs)[w > 0]
        known = target[w > 0]
        best = np.inf
        for constant in (np.average(numbers, axis=0, weights=w[w > 0]), np.median(numbers, axis=0)):
            answer = np.broadcast_to(np.clip(constant, 1e-7, None) if target.ndim == 1 else constant, numbers.shape)
            with np.errstate(all="ignore"):
                losses = head.loss.rows(known, answer.copy())
            mean = float(np.average(losses, weights=w[w > 0]))
            best = mean if np.isfinite(mean) and mean < best else best
        total += head.weight * best * (1.0 if model.objective.reduction == "mean" else float(w.sum()))
    return total


def numbers_of(target: AnyArray, outputs: int) -> Doubles:
    """Targets as numbers: a column for each class, where they are classes."""
    if target.ndim == 1:
        return np.eye(max(outputs, int(target.max(initial=0)) + 1))[target]
    return target.astype(np.float64)


@dataclass
class _Rate(Callback):
    """Every learning rate times a factor."""

    factor: float

    def on_start(self, run: Run) -> None:
        run.scale_rate(self.factor)


def try_rate(evidence: Evidence, factor: float, steps: int) -> float:
    """Train a copy from the start for so many steps at a multiple of the rate; the share of the loss that is gone."""
    if factor not in evidence.tried:
        copy = short_training(evidence, steps, _Rate(factor))
        ends = (copy.training.parameters, copy.training.state)
        diverged = copy.history.stopped_by == "diverged"
        loss = np.inf if diverged else loss_of(copy, *ends, evidence.judged_by)
        evidence.tried[factor] = evidence.learned(evidence.judged_by, loss)
    return evidence.tried[factor]


def short_training(evidence: Evidence, steps: int, *callbacks: Callback) -> Any:
    """A copy of the model, trained from the start for about so many steps; as far as it came where it diverged."""
    rows, batch = evidence.rows, evidence.batch_size
    if len(rows) > steps * batch:
        rows = some(rows, steps * batch)
    copy = evidence.model.anew(members=evidence.start[:1].copy())
    copy.training.state[...] = evidence.start_state[:1]
    epochs = max(1, min(evidence.epochs, steps // max(-(-len(rows) // batch), 1)))
    with contextlib.suppress(DivergenceError):
        copy.fit_rows(rows, epochs=epochs, batch_size=batch, callbacks=callbacks, clip_norm=evidence.clip_norm)
    return copy
