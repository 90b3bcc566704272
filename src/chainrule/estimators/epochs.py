"""The end of an epoch in scikit-learn's manner: curves, scores, when to stop, and the rates that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray, Array
from chainrule.estimators.callback_protocol import Tasks
from chainrule.estimators.fitted_model import FittedModel
from chainrule.estimators.solvers import is_full_batch, rate_follows_epochs
from chainrule.training.callbacks import Callback
from chainrule.training.history import EpochRecord
from chainrule.training.run import Run

SMALLEST_RATE = 1e-6  # below it an adaptive rate falls no further, and training stops
ADAPTIVE_DIVISOR = 5.0


@dataclass(frozen=True)
class HeldOut:
    """Rows to score on after every epoch: as an estimator takes them."""

    X: Any
    y: AnyArray
    weights: Array | None


_RECORDS = (
    "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_", "validation_loss_curve_", "stopped_",
    "out_of_fold_score_",
)  # fmt: skip


def start_curves(estimator: Any) -> None:
    """Forget what earlier fits recorded."""
    for name in _RECORDS:
        vars(estimator).pop(name, None)
    estimator.n_iter_ = 0
    estimator.t_ = 0
    estimator.history_ = {"loss": [], "learning_rate": [], "validation_loss": [], "validation_score": []}
    estimator._no_improvement_count = 0


def continue_curves(estimator: Any, scored: bool) -> None:
    """Have every attribute that epochs are going to change; those of an earlier fit go on."""
    early = estimator.early_stopping
    if not is_full_batch(estimator.solver):
        estimator.loss_curve_ = getattr(estimator, "loss_curve_", [])
        estimator.best_loss_ = None if early else _or(getattr(estimator, "best_loss_", None), np.inf)
        if not scored:
            estimator.validation_scores_ = estimator.best_validation_score_ = None
    if scored:
        estimator.validation_scores_ = _or(getattr(estimator, "validation_scores_", None), [])
        estimator.best_validation_score_ = _or(getattr(estimator, "best_validation_score_", None), -np.inf)
        estimator.validation_loss_curve_ = getattr(estimator, "validation_loss_curve_", [])


class Bookkeeping(Callback):
    """What scikit-learn does after an epoch, as a callback of the training loop.

    Arguments:
        estimator: its curves and counters change.
        model: its best weights are kept here.
        held_out: rows to score on, or None.
        score: the score of the held-out rows now.
        n_rows: how many rows an epoch has.
        incremental: one epoch, and no thought of stopping early.
        tasks: scikit-learn's callbacks.
    """

    def __init__(
        self,
        estimator: Any,
        model: FittedModel,
        held_out: HeldOut | None,
        score: Callable[[HeldOut], float],
        n_rows: int,
        incremental: bool,
        tasks: Tasks,
    ):
        self.estimator, self.model, self.held_out, self.score = estimator, model, held_out, score
        self.n_rows, self.incremental, self.tasks = n_rows, incremental, tasks
        self.stochastic = not is_full_batch(estimator.solver)
        self.early = bool(estimator.early_stopping) and held_out is not None
        self.follows = rate_follows_epochs(estimator)
        self.improved = False

    def on_start(self, run: Run) -> None:
        """Take up the rate where an earlier fit left it."""
        self._set_rate(run)
        self.tasks.begin_epoch()

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        """Record, score, keep the best, and say whether it is enough."""
        estimator = self.estimator
        self.model.refresh()
        estimator.coefs_, estimator.intercepts_ = self.model.coefs, self.model.intercepts
        estimator.n_iter_ += 1
        estimator.loss_ = record.loss
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if self.stochastic:
            estimator.t_ += self.n_rows
            estimator.loss_curve_.append(record.loss)
        self._remember(record)
        self._compare(record)
        stop = self._patience_is_over() or self.incremental
        self._set_rate(run)
        stop = self.tasks.end_epoch() or stop
        if not stop and record.epoch < run.plan.epochs:
            self.tasks.begin_epoch()
        return stop

    def _remember(self, record: EpochRecord) -> None:
        estimator, history = self.estimator, self.estimator.history_
        history["loss"].append(record.loss)
        history["learning_rate"].append(record.learning_rate)
        if self.held_out is None:
            return
        score = self.score(self.held_out)
        estimator.validation_scores_.append(score)
        estimator.validation_loss_curve_.append(record.validation_loss)
        history["validation_score"].append(score)
        history["validation_loss"].append(record.validation_loss)
        if estimator.verbose:
            print(f"Validation score: {score:f}")

    def _compare(self, record: EpochRecord) -> None:
        """Count epochs without improvement, by the validation score where that decides, else by the loss."""
        estimator = self.estimator
        if self.held_out is not None:
            score = estimator.validation_scores_[-1]
            if self.early:
                self._count(score < estimator.best_validation_score_ + estimator.tol)
            if score > estimator.best_validation_score_:
                estimator.best_validation_score_ = score
                if self.early or estimator.restore_best:
                    self.model.keep_best()
                    self.improved = True
        if not self.stochastic or self.early:
            if self.held_out is None and estimator.restore_best:
                self.model.keep_best()  # L-BFGS: the loss falls with every iteration
            return
        best = np.inf if estimator.best_loss_ is None else estimator.best_loss_
        self._count(record.loss > best - estimator.tol)
        if record.loss < best:
            estimator.best_loss_ = record.loss
            if estimator.restore_best and self.held_out is None:
                self.model.keep_best()

    def _count(self, worse: bool) -> None:
        self.estimator._no_improvement_count = self.estimator._no_improvement_count + 1 if worse else 0

    def _patience_is_over(self) -> bool:
        """Whether to stop for want of improvement; an adaptive rate is lowered instead, while it isn't too small."""
        estimator = self.estimator
        if self.follows and estimator.learning_rate == "invscaling":
            estimator._rate = float(estimator.learning_rate_init) / (estimator.t_ + 1) ** estimator.power_t
        if estimator._no_improvement_count <= estimator.n_iter_no_change:
            return False
        what = "Validation score" if self.early else "Training loss"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} "
            f"for {estimator.n_iter_no_change} consecutive epochs."
        )
        if self.follows and estimator.learning_rate == "adaptive":
            if estimator._rate > SMALLEST_RATE:
                estimator._rate /= ADAPTIVE_DIVISOR
                estimator._no_improvement_count = 0
                self._say(f"{message} Setting learning rate to {estimator._rate:f}")
                return False
            message += " Learning rate too small."
        self._say(f"{message} Stopping.")
        return True

    def _say(self, message: str) -> None:
        if self.estimator.verbose:
            print(message)

    def _set_rate(self, run: Run) -> None:
        if self.follows:
            run.scale_rate(self.estimator._rate / run.plan.optimizer.schedule.rate)

    def fill_up(self, epochs: int) -> None:
        """A loss that isn't a number any more stays so: record it for the epochs that are left."""
        estimator = self.estimator
        left = epochs - estimator.n_iter_
        estimator.n_iter_ += left
        estimator.t_ += left * self.n_rows
        estimator.loss_ = float("nan")
        nothing = [float("nan")] * left
        for curve in (
            estimator.loss_curve_, estimator.validation_scores_, estimator.validation_loss_curve_,
            *estimator.history_.values(),
        ):  # fmt: skip
            curve.extend(nothing)


def _or(value: Any, other: Any) -> Any:
    return other if value is None else value
