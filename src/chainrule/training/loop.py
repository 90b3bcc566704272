"""The one training loop: epochs of an engine's steps, and what happens between them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.arrays import Doubles, Order
from chainrule.engines.contract import Engine, Job, Outcome, Rows, Sums
from chainrule.engines.reference import PREDICT_ROWS, ReferenceEngine
from chainrule.errors import DivergenceError, InputError
from chainrule.layers import Context
from chainrule.optimizers import Optimizer
from chainrule.schedules import ReduceOnPlateau
from chainrule.training.batches import Shuffle, epoch_order, rows_used
from chainrule.training.callbacks import Callback
from chainrule.training.evaluation import Metrics, measure
from chainrule.training.history import EpochRecord
from chainrule.training.interrupt import Interrupt, interruptible
from chainrule.training.state import Snapshot, TrainingState
from chainrule.training.stopping import EarlyStopping, Epoch, Stop, TimeLimit


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

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has."""
        return -(-rows_used(len(self.data), self.batch_size, self.engine.network.least_rows) // self.batch_size)


class Run:
    """One fit under way: the plan, the state that it changes, and the model that callbacks see."""

    def __init__(self, plan: Plan, state: TrainingState, model: Any = None):
        self.plan = plan
        self.state = state
        self.model = model
        self.interrupt = Interrupt()
        self.solver_results: list[Any] = []  # SciPy's own for each member, where L-BFGS ended by itself
        self._begun = time.perf_counter() - state.seconds
        self._limit = min((stop.seconds for stop in plan.stops if isinstance(stop, TimeLimit)), default=None)
        del state.memories[len(plan.stops) :]  # a resumed run may have other rules
        while len(state.memories) < len(plan.stops):
            state.memories.append({})
        if not any(isinstance(stop, EarlyStopping) and stop.restore_best for stop in plan.stops):
            state.best = None

    def train(self) -> None:
        """Run until the epochs are done or something stops; the state is complete at every moment outside a step."""
        state, history = self.state, self.state.history
        with (
            interruptible() as self.interrupt,
            np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"),
        ):
            for callback in self.plan.callbacks:
                callback.on_start(self)
            if self.plan.optimizer.full_batch:
                from chainrule.training.lbfgs import minimize

                reason = minimize(self)
            else:
                reason = self._epochs()
            self._restore_best()
            history.stopped_by = reason
            state.seconds = self.elapsed
            for callback in self.plan.callbacks:
                callback.on_end(self)

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
        return self.interrupt.requested or (self._limit is not None and self.elapsed >= self._limit)

    def _epochs(self) -> str:
        while self.epoch <= self.plan.epochs:
            self.begin_epoch()
            reason = self._steps()
            if reason is not None:
                return reason
            assert self.state.partial is not None
            loss = self.state.partial.mean_loss(self.plan.engine.objective)
            reason = self.finish_epoch(loss, self.state.rate)
            if reason is not None:
                return reason
        return "epochs"

    def begin_epoch(self) -> None:
        """Remember where the epoch began, for rules that compare and for going back after a divergence."""
        state = self.state
        if state.epoch_start is None:
            state.epoch_start = state.snapshot()
        elif state.batch == 0:
            state.epoch_start.take(state.parameters, state.state)

    def _steps(self) -> str | None:
        """The rest of the epoch at hand; a reason if it was stopped before its end."""
        plan, state = self.plan, self.state
        order = self._order()
        n_steps = -(-order.shape[1] // plan.batch_size)
        if state.batch > n_steps:
            raise InputError(
                f"resume=True: the interrupted epoch had done {state.batch} steps, but these rows make "
                f"{n_steps} in all; hand in the same rows and batch_size"
            )
        one_by_one = any(type(callback).on_step is not Callback.on_step for callback in plan.callbacks)
        if state.partial is None:
            state.partial = Sums.zeros(len(state.parameters), len(plan.engine.objective.heads))
        while state.batch < n_steps:
            end = state.batch + 1 if one_by_one else n_steps
            outcome = self._do(order[:, state.batch * plan.batch_size : end * plan.batch_size], end - state.batch)
            if outcome.diverged is not None:
                raise self._divergence(outcome, order)
            if one_by_one:
                answers = [callback.on_step(self) for callback in plan.callbacks]
                if any(answers):
                    return "a callback"
            if outcome.stopped and state.batch < n_steps:
                return self.stop_reason()
        return None

    def _order(self) -> Order:
        plan, state = self.plan, self.state
        order = epoch_order(len(plan.data), plan.shuffle, plan.seed, state.epoch, len(state.parameters))
        used = rows_used(order.shape[1], plan.batch_size, plan.engine.network.least_rows)
        if not used:
            raise InputError("the row order that `shuffle` returned has one row, and batch normalization needs two")
        return order[:, :used]

    def _do(self, order: Order, n_steps: int) -> Outcome:
        plan, state = self.plan, self.state
        assert state.partial is not None
        rates = self._rates(n_steps)
        job = Job(
            plan.data, order, plan.batch_size, rates, state.step, state.partial, plan.optimizer, plan.seed,
            plan.clip_norm, self.should_stop, state.memory_from,
        )  # fmt: skip
        vectors = state.parameters, state.state, state.slots
        plan.engine.load(*vectors)
        try:
            outcome = plan.engine.run(job)
        finally:
            plan.engine.store(*vectors)
        state.partial = outcome.sums
        done = outcome.steps
        state.step += done
        state.batch += done
        if done:
            state.rate = float(rates[done - 1])
        return outcome

    def _rates(self, n_steps: int) -> Doubles:
        plan, state = self.plan, self.state
        steps = np.arange(n_steps) + (state.step - state.first_step)
        rates = plan.optimizer.schedule.rates(steps, plan.steps_per_epoch, plan.epochs * plan.steps_per_epoch)
        return rates * state.plateau.get("scale", 1.0)

    def finish_epoch(self, loss: float, rate: float) -> str | None:
        """Measure, record, ask rules and callbacks; a reason if training ends here."""
        plan, state = self.plan, self.state
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
        if isinstance(plan.optimizer.schedule, ReduceOnPlateau):
            watched = loss if validation_loss is None else validation_loss
            state.plateau = plan.optimizer.schedule.observe(state.plateau, watched)
        reason = self._ask_rules(record)
        state.seconds = self.elapsed
        stopped = [callback.on_epoch(self, record) for callback in plan.callbacks]
        if reason is None and any(stopped):
            reason = "a callback"
        if reason is None and self.interrupt.requested:
            reason = "interrupted"
        return reason

    def _measure(self) -> tuple[dict[str, float], float | None, dict[str, float]]:
        """Metrics of the training rows, loss and metrics of the validation rows."""
        plan, state = self.plan, self.state
        metrics: dict[str, float] = {}
        validation_loss, validation_metrics = None, dict[str, float]()
        if any(plan.metrics.values()):
            _, metrics = measure(plan.engine, state.parameters, state.state, plan.data, plan.metrics)
        if plan.validation is not None:
            validation_loss, validation_metrics = measure(
                plan.engine, state.parameters, state.state, plan.validation, plan.metrics
            )
        return metrics, validation_loss, validation_metrics

    def _ask_rules(self, record: EpochRecord) -> str | None:
        state, reason = self.state, None
        assert state.epoch_start is not None
        look = Epoch(record, state.epoch_start.parameters, state.parameters)
        for stop, memory in zip(self.plan.stops, state.memories, strict=True):
            reason = stop.look(look, memory) or reason
            if isinstance(stop, EarlyStopping):
                if memory["best_epoch"] == record.epoch and stop.restore_best:
                    state.best = state.snapshot()
                state.history.best_epoch = memory["best_epoch"]
        return reason

    def _restore_best(self) -> None:
        last = self.state.history.last
        if self.state.best is None or last is None:
            return
        if self.state.history.best_epoch != last.epoch or self.state.batch:  # or steps were done since
            self.state.latest = self.state.snapshot()
            self.state.restore(self.state.best)

    def stop_reason(self) -> str:
        """Why `should_stop` said yes."""
        return "interrupted" if self.interrupt.requested else f"the time limit of {self._limit:g} s"

    def _divergence(self, outcome: Outcome, order: Order) -> DivergenceError:
        """The error for a loss that isn't finite; the model goes back to where the epoch began."""
        plan, state = self.plan, self.state
        begin = state.batch * plan.batch_size
        rows = plan.data.take(order[outcome.diverged_member, begin : begin + plan.batch_size])
        error = self.divergence_error(rows, outcome.diverged_member)
        assert state.epoch_start is not None
        self.go_back(state.epoch_start)
        return error

    def divergence_error(self, rows: Rows, member: int = 0) -> DivergenceError:
        """Say where the loss of these rows stopped being finite, and what to try."""
        plan, state = self.plan, self.state
        engine = ReferenceEngine(plan.engine.network, plan.engine.objective)
        context = Context(True, plan.seed, state.step, 0, member, state.parameters.dtype)
        looked = (
            engine.first_not_finite(state.parameters[member], state.state[member], rows.take(part).inputs, context)
            for part in np.array_split(np.arange(len(rows)), -(-len(rows) // PREDICT_ROWS))
        )
        layer = next((layer for layer in looked if layer is not None), None)
        where = f'first in layer "{layer}"' if layer else "in the loss itself (every layer's output is finite)"
        epoch, step = self.epoch, state.step - state.first_step + 1
        clip = "" if plan.clip_norm is not None else ", clip_norm=1.0"
        last = f"epoch {epoch - 1}" if epoch > 1 else "the start"
        return DivergenceError(
            f"the loss became NaN or infinite in epoch {epoch}, step {step}, {where}. "
            f"Try a smaller learning rate{clip}, or inputs and targets scaled to mean 0 and variance 1. "
            f"The model has the weights of {last}.",
            epoch=epoch,
            step=step,
            layer=layer,
        )

    def go_back(self, snapshot: Snapshot) -> None:
        """Give the model back its last good weights; what the optimizer remembers may be spoilt, and is forgotten."""
        self.state.restore(snapshot)
        self.state.step -= self.state.batch  # of the epoch that is undone
        self.state.batch, self.state.partial = 0, None
        self.state.reset_optimizer(self.plan.optimizer)
        self.state.history.stopped_by = "diverged"
