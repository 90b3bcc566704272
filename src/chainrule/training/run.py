"""A fit under way: its plan, its state, and what happens between epochs. Two drivers stand on it.

`descent.py` does steps over batches, `lbfgs.py` SciPy's iterations; both say where an epoch begins and ends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.arrays import is_finite
from chainrule.augment import Augment
from chainrule.engines.contract import Engine, Rows
from chainrule.engines.reference import PREDICT_ROWS, ReferenceEngine
from chainrule.engines.vitals import Vitals
from chainrule.errors import DivergenceError
from chainrule.layers import Context
from chainrule.optimizers import Optimizer
from chainrule.training.batches import Shuffle, rows_used
from chainrule.training.evaluation import Metrics, measure
from chainrule.training.history import EpochRecord
from chainrule.training.interrupt import Interrupt
from chainrule.training.scheduled import scheduled
from chainrule.training.state import TrainingState
from chainrule.training.stopping import Epoch, Stop


@dataclass(frozen=True)
class Plan:
    """What a fit was asked to do: everything that stays the same while it runs."""

    engine: Engine
    optimizer: Optimizer
    data: Rows
    epochs: int
    batch_size: int
    seed: int
    shuffle: Shuffle = True
    validation: Rows | None = None
    metrics: Metrics = field(default_factory=dict)
    stops: Sequence[Stop] = ()
    callbacks: Sequence[Callback] = ()
    clip_norm: float | None = None
    augment: Augment | None = None  # what is done to the rows before each epoch
    halt: Interrupt | None = None  # what ends it together with others; left out, it looks for Ctrl-C itself

    @cached_property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has."""
        return -(-rows_used(len(self.data), self.batch_size, self.engine.network.least_rows) // self.batch_size)


class Callback:
    """Your own code at the epochs (or steps) of a fit. Override what you need.

    Overriding `on_step` makes the engine stop after every step, which costs time.

    >>> from chainrule import Model, Network
    >>> class Third(Callback):
    ...     def on_start(self, run):
    ...         self.seen = []
    ...
    ...     def on_epoch(self, run, record):
    ...         self.seen.append(record.epoch)
    ...         return record.epoch == 3  # that is enough
    ...
    ...     def on_end(self, run):
    ...         self.seen.append("the best weights are back")
    ...
    ...     def on_exit(self):
    ...         self.seen.append("over")
    >>> third = Third()
    >>> history = Model(Network.mlp(1, [], 1), "squared_error").fit([[1.0]], [2.0], epochs=50, callbacks=third)
    >>> third.seen, history.stopped_by
    ([1, 2, 3, 'the best weights are back', 'over'], 'a callback')
    """

    @property
    def watches_steps(self) -> bool:
        """Whether it wants to be called after every step."""
        return type(self).on_step is not Callback.on_step

    @property
    def measures_every(self) -> int:
        """How many steps lie between those that `on_vitals` wants measured, layer by layer; 0: none is."""
        return 0

    def on_vitals(self, run: Run, vitals: Vitals) -> None:
        """After some steps, where it `measures_every` so many.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.
            vitals: what was measured at the steps that were sampled.

        >>> from chainrule import Model, Network
        >>> class Tenth(Callback):
        ...     measures_every = 10
        ...     def on_vitals(self, run, vitals):
        ...         print(vitals.steps, vitals.of("gradient").shape)
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> history = model.fit([[1.0], [2.0]], [2.0, 3.0], epochs=16, batch_size=1, callbacks=Tenth(), progress=False)
        [0] (1, 1, 2)
        ...
        """

    def on_start(self, run: Run) -> None:
        """Before the first step.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.
        """

    def on_step(self, run: Run) -> bool | None:
        """After a step; True stops the fit.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.

        >>> from chainrule import Model, Network
        >>> class Ten(Callback):
        ...     def on_step(self, run):
        ...         return run.state.step == 10
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> history = model.fit([[1.0], [2.0]], [2.0, 3.0], batch_size=1, epochs=50, callbacks=Ten())
        >>> model.training.step
        10
        """

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        """After an epoch; True stops the fit.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.
            record: what the epoch measured, complete.
        """

    def on_end(self, run: Run) -> None:
        """After the last step, the best weights restored.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.
        """

    def on_exit(self) -> None:
        """When the fit is over, also after an error: the last call."""


class Run:
    """One fit under way: the plan, the state that it changes, and the model that callbacks see."""

    def __init__(self, plan: Plan, state: TrainingState, model: Any = None):
        self.plan = plan
        self.state = state
        self.model = model
        self.interrupt = Interrupt()
        self.solver_results: list[Any] = []  # SciPy's own for each member, where L-BFGS ended by itself
        self._begun = time.perf_counter() - state.seconds
        limits = (stop.allowed_seconds for stop in plan.stops)
        self._limit = min((limit for limit in limits if limit is not None), default=None)
        self._stopper: int | None = None  # which rule stopped it
        state.fit_rules([stop.restores for stop in plan.stops])  # a resumed run may have other rules
        for stop, memory in zip(plan.stops, state.memories, strict=True):
            stop.check_memory(memory)

    @property
    def elapsed(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return time.perf_counter() - self._begun

    @property
    def epoch(self) -> int:
        """The number of the epoch at hand within this run, from 1."""
        return self.state.epoch - self.state.first_epoch + 1

    def scale_rate(self, scale: float) -> None:
        """From the next step on multiply every rate of the schedule: for callbacks with a schedule of their own."""
        self.state.plateau["scale"] = scale

    def should_stop(self) -> bool:
        """Asked after every step: Ctrl-C, or the time is up."""
        return self.interrupt.reason is not None or (self._limit is not None and self.elapsed >= self._limit)

    def begin_epoch(self) -> None:
        """Remember where the epoch began, for rules that compare and for going back after a divergence."""
        state = self.state
        if state.epoch_start is None:
            state.epoch_start = state.snapshot()
        elif state.batch == 0:
            state.epoch_start.take(state.parameters, state.state)

    def finish_epoch(self, loss: float, rate: float) -> str | None:
        """Measure, record, ask rules and callbacks; a reason if training ends here."""
        plan, state = self.plan, self.state
        self._check_finite()
        if not math.isfinite(loss):  # its steps' losses were finite, and their sum isn't
            raise self._go_back("the loss", state.step - state.first_step, None)
        try:
            with self.interrupt.at_once():
                metrics, validation_loss, validation_metrics = self._measure()
        except KeyboardInterrupt:  # the epoch's steps are done; resumed, it is measured first
            return "interrupted"
        record = EpochRecord(
            self.epoch, state.step, loss, rate, self.elapsed, validation_loss, metrics, validation_metrics
        )
        state.history.epochs.append(record)
        state.epoch, state.batch, state.partial = state.epoch + 1, 0, None
        watched = loss if validation_loss is None else validation_loss
        state.plateau = plan.optimizer.schedule.observe(state.plateau, watched)
        reason = self._ask_rules(record)
        state.seconds = self.elapsed
        stopped = [callback.on_epoch(self, record) for callback in plan.callbacks]
        if reason is None and any(stopped):
            reason = "a callback"
        return reason or self.interrupt.reason

    def _measure(self) -> tuple[dict[str, float], float | None, dict[str, float]]:
        """Metrics of the training rows, loss and metrics of the validation rows."""
        plan, state = self.plan, self.state
        metrics: dict[str, float] = {}
        validation_loss, validation_metrics = None, dict[str, float]()
        if any(plan.metrics.values()):
            loss, metrics = measure(plan.engine, state.parameters, state.state, plan.data, plan.metrics)
            if not math.isfinite(loss):
                raise self.diverged("the loss", plan.data, training=False)
        if plan.validation is not None:
            validation_loss, validation_metrics = measure(
                plan.engine, state.parameters, state.state, plan.validation, plan.metrics
            )
            if not math.isfinite(validation_loss):
                raise self.diverged("the validation loss", plan.validation, training=False)
        return metrics, validation_loss, validation_metrics

    def _ask_rules(self, record: EpochRecord) -> str | None:
        """What the first rule says that wants to stop; each remembers its own best epoch, and its weights."""
        state, reason = self.state, None
        if not self.plan.stops:
            return None
        assert state.epoch_start is not None
        look = Epoch(record, state.epoch_start.parameters, state.parameters)
        for i, (stop, memory) in enumerate(zip(self.plan.stops, state.memories, strict=True)):
            said = stop.look(look, memory)
            if said is not None and reason is None:
                reason, self._stopper = said, i
            if stop.restores and stop.best_epoch(memory) == record.epoch:
                state.bests[i] = state.snapshot()
        rule = self._deciding_rule()
        if rule is not None:
            state.history.best_epoch = self.plan.stops[rule].best_epoch(state.memories[rule])
            state.history.best_by = str(self.plan.stops[rule])
        return reason

    def _deciding_rule(self) -> int | None:
        """Whose best epoch counts: the rule that stopped the run if it restores, else the first that does."""
        stops, memories = self.plan.stops, self.state.memories
        rules = [i for i, stop in enumerate(stops) if stop.best_epoch(memories[i]) is not None]
        rules.sort(key=lambda i: (not stops[i].restores, i != self._stopper))
        return rules[0] if rules else None

    def finish(self, reason: str) -> None:
        """End the run: the best weights come back where a rule wants them, and nothing that isn't finite stays."""
        state = self.state
        self._check_finite()
        last, rule = state.history.last, self._deciding_rule()
        best = None if rule is None else state.bests.get(rule)
        if best is not None and last is not None and (state.history.best_epoch != last.epoch or state.batch):
            state.latest = state.snapshot()
            state.restore(best)
        state.history.stopped_by = reason
        state.seconds = self.elapsed

    def stop_reason(self) -> str:
        """Why `should_stop` said yes."""
        return self.interrupt.reason or f"the time limit of {self._limit:g} s"

    def _check_finite(self) -> None:
        """Raise a `DivergenceError` where weights or statistics aren't finite any more."""
        state, network = self.state, self.plan.engine.network
        if is_finite(state.parameters) and (not state.state.size or is_finite(state.state)):
            return
        for what, layout, vectors in (
            ("the weights", network.layout, state.parameters),
            ("the running statistics", network.state_layout, state.state),
        ):
            span = layout.first_not_finite(vectors)
            if span is not None:
                raise self._go_back(what, state.step - state.first_step, span.layer)

    def diverged(self, what: str, rows: Rows, member: int = 0, *, training: bool = True) -> DivergenceError:
        """The error for the step at hand, whose rows these are, or, after it, for rows that don't train.

        The model goes back to where the epoch began.
        """
        plan, state = self.plan, self.state
        engine = ReferenceEngine(plan.engine.network, plan.engine.objective)
        numbers = scheduled(plan.engine.network, plan.optimizer, state).at(0)
        context = Context(training, plan.seed, state.step, 0, member, state.parameters.dtype, numbers)
        looked = (
            engine.first_not_finite(state.parameters[member], state.state[member], rows.take(part).inputs, context)
            for part in np.array_split(np.arange(len(rows)), -(-len(rows) // PREDICT_ROWS))
        )
        layer = next((layer for layer in looked if layer is not None), None)
        return self._go_back(what, state.step - state.first_step + training, layer)

    def _go_back(self, what: str, step: int, layer: str | None) -> DivergenceError:
        """Give the model back its last good weights, and say what happened.

        What the optimizer remembers may be spoilt, and is forgotten.
        """
        state, epoch = self.state, self.epoch
        if state.epoch_start is not None:
            state.restore(state.epoch_start)
        state.step -= state.batch  # of the epoch that is undone
        state.batch, state.partial = 0, None
        state.reset_optimizer(self.plan.optimizer)
        state.history.stopped_by = "diverged"
        where = f'first in layer "{layer}"' if layer else f"in {what} itself (every layer's output is finite)"
        clip = "" if self.plan.clip_norm is not None else ", clip_norm=1.0"
        last = f"epoch {epoch - 1}" if epoch > 1 else "the start"
        return DivergenceError(
            f"{what} became NaN or infinite in epoch {epoch}, step {step}, {where}. "
            f"Try a smaller learning rate{clip}, or inputs and targets scaled to mean 0 and variance 1. "
            f"The model has the weights of {last}.",
            epoch=epoch,
            step=step,
            layer=layer,
        )
