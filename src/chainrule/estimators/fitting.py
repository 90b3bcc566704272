"""One fit: scikit-learn's parameters and rows become a plan for the one training loop."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.optimize import _check_optimize_result

from chainrule.arrays import AnyArray, Array, Order
from chainrule.engines.contract import Rows
from chainrule.errors import DivergenceError
from chainrule.estimators.callback_protocol import Tasks
from chainrule.estimators.caller_warnings import pass_on, warn
from chainrule.estimators.epochs import Bookkeeping, HeldOut, continue_curves, start_curves
from chainrule.estimators.fitted_model import FittedModel
from chainrule.estimators.solvers import is_full_batch
from chainrule.estimators.sparse import engine_rows
from chainrule.estimators.validation import check_sum
from chainrule.training.callbacks import Callback, get_callback
from chainrule.training.interrupt import Interrupt
from chainrule.training.progress import ProgressBar

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
BOTTOM = 40.0  # about -log(eps), the most that a row's logarithm can add in scikit-learn


@dataclass
class CheckedRows:
    """Rows that were checked: `y` in the user's own values, `targets` as losses take them, one for each head."""

    X: Any
    y: AnyArray
    targets: tuple[AnyArray, ...]
    weights: Array | None

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def take(self, rows: Order) -> CheckedRows:
        """The rows with these numbers."""
        weights = None if self.weights is None else self.weights[rows]
        return CheckedRows(self.X[rows], self.y[rows], tuple(target[rows] for target in self.targets), weights)

    def rows(self, dtype: np.dtype[Any]) -> Rows:
        """As engines take them, in the precision of the network."""
        return engine_rows(self.X, self.targets, self.weights, dtype)


class RowOrder:
    """The order of the rows in each epoch: every member shuffles its last order by its own stream."""

    def __init__(self, n_rows: int, streams: list[np.random.RandomState]):
        self.streams = streams
        self.orders = [np.arange(n_rows)] * len(streams)

    def __call__(self, epoch: int) -> Order:
        """The row numbers of the next epoch, shape (members, rows)."""
        self.orders = [order[_shuffled(len(order), s)] for order, s in zip(self.orders, self.streams, strict=True)]
        return np.stack(self.orders)


def _shuffled(n: int, stream: np.random.RandomState) -> Order:
    """What `sklearn.utils.shuffle` draws, which would look at its arguments for longer than a small epoch takes."""
    indices = np.arange(n)
    stream.shuffle(indices)
    return indices


def member_streams(random_state: np.random.RandomState, members: int) -> list[np.random.RandomState]:
    """A random stream for each member, the first one's being the given: it is what a single network would have."""
    seeds = copy.deepcopy(random_state).randint(2**31 - 1, size=members - 1)
    return [random_state, *(np.random.RandomState(seed) for seed in seeds)]


class Fitting:
    """One call of `fit` or `partial_fit`, from checked rows to fitted attributes.

    Arguments:
        estimator: what is fitted.
        table: the rows to train on.
        held_out: the user's own rows to score on, or None.
        incremental: whether this is `partial_fit`.
        first: whether everything begins anew.
        tasks: scikit-learn's callbacks.
        halt: what ends the fit together with others; left out, Ctrl-C alone does.
        say: takes warnings, a text and its category.
    """

    def __init__(
        self,
        estimator: Any,
        table: CheckedRows,
        held_out: CheckedRows | None,
        *,
        incremental: bool,
        first: bool,
        tasks: Tasks,
        halt: Interrupt | None = None,
        say: Callable[[str, type[Warning]], None] = warn,
    ):
        self.halt, self.say = halt, say
        self.diverged: DivergenceError | None = None
        self.estimator, self.table, self.held_out = estimator, table, held_out
        self.given = held_out is not None
        self.full_batch = is_full_batch(estimator.solver)
        self.incremental = incremental and not self.full_batch  # L-BFGS has no single epochs: it searches on
        self.first, self.tasks = first, tasks
        self.streams = member_streams(check_random_state(estimator.random_state), estimator.n_members)

    def run(self) -> None:
        """Train."""
        self._check()
        model = self._ready()
        self._hold_out()
        self._check_weights()
        continue_curves(self.estimator, self.held_out is not None)
        self._train(model)
        self._finish(model)

    def _check(self) -> None:
        estimator = self.estimator
        if self.incremental and estimator.early_stopping and self.held_out is None:
            raise ValueError(
                "partial_fit does not support early_stopping=True without rows to score on; give it X_val and y_val"
            )
        if self.full_batch and np.any(estimator.dropout):
            raise ValueError("L-BFGS refuses dropout: it compares losses, and a new random mask each time changes them")

    def _ready(self) -> FittedModel:
        """The network to train: a new one, or the fitted one with the parameters as they are now."""
        estimator = self.estimator
        unfitted = not hasattr(estimator, "history_")  # somebody may have assigned weights before
        if self.first:
            seed = int(copy.deepcopy(self.streams[0]).randint(2**31 - 1))
            model = estimator._new_model(self.table, seed, self.streams)
        else:
            model = estimator._ready_model(training=True, new_optimizer=not self.incremental)
        if self.first or unfitted:
            start_curves(estimator)
        keeps = self.incremental or (estimator.warm_start and estimator.warm_start_optimizer)
        if self.first or unfitted or not keeps:
            model.training.reset_optimizer(model.optimizer)
            estimator._rate = float(estimator.learning_rate_init)
        estimator._model = model
        estimator.coefs_, estimator.intercepts_ = model.coefs, model.intercepts
        return model

    def _hold_out(self) -> None:
        """Set rows aside for early stopping as scikit-learn does, unless the user gave some."""
        estimator = self.estimator
        if self.held_out is not None or not estimator.early_stopping or self.full_batch:
            return
        train, held = train_test_split(
            np.arange(len(self.table)),
            random_state=self.streams[0],
            test_size=estimator.validation_fraction,
            stratify=estimator._strata(self.table),
        )
        if len(held) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        self.held_out, self.table = self.table.take(held), self.table.take(train)

    def _check_weights(self) -> None:
        """Weights below 0 are taken as scikit-learn takes them, unless they leave nothing to divide by."""
        weights = self.table.weights
        if self.full_batch or (weights is not None and weights.min() >= 0):
            check_sum("rows to train on", weights)
        if self.held_out is not None:
            check_sum("held-out rows", self.held_out.weights)

    def _order(self, size: int) -> Callable[[int], Order] | bool:
        """The rows of each epoch; where weights may cancel out, every batch is looked at before it is taken."""
        n_rows, weights = len(self.table), self.table.weights
        order = RowOrder(n_rows, self.streams) if self.estimator.shuffle else None
        if weights is None or weights.min() >= 0 or self.full_batch:
            return order or False

        def checked(epoch: int) -> Order:
            rows = order(epoch) if order else np.tile(np.arange(n_rows), (len(self.streams), 1))
            for begin in range(0, n_rows, size):
                for batch in rows[:, begin : begin + size]:
                    check_sum("rows of a batch", weights[batch])
            return rows

        return checked

    def _batch_size(self, n_rows: int) -> int:
        given = self.estimator.batch_size
        if self.full_batch:
            return n_rows
        if given == "auto":
            return min(200, n_rows)
        if given > n_rows:
            self.say("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", UserWarning)
        return int(np.clip(given, 1, n_rows))

    def _callbacks(self) -> list[Callback]:
        given = self.estimator.callbacks
        those = [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
        return [get_callback(one) for one in those] + ([ProgressBar()] if self.estimator.progress else [])

    def _score(self, model: FittedModel) -> Callable[[HeldOut], float]:
        estimator = self.estimator

        def score(held_out: HeldOut) -> float:
            outputs = tuple(output.mean(axis=0) for output in model.outputs(model.as_inputs(held_out.X)))
            if not all(np.isfinite(output).all() for output in outputs):
                return float("nan")
            return float(estimator._score_held_out(held_out, outputs))

        return score

    def _train(self, model: FittedModel) -> None:
        estimator, n_rows = self.estimator, len(self.table)
        if estimator.batch_norm and n_rows == 1:
            raise ValueError("batch_norm=True needs at least two rows (n_samples=1): one is always its own mean")
        size = self._batch_size(n_rows)
        held_out = None
        if self.held_out is not None:
            held_out = HeldOut(self.held_out.X, self.held_out.y, self.held_out.weights)
        bookkeeping = Bookkeeping(estimator, model, held_out, self._score(model), n_rows, self.incremental, self.tasks)
        epochs = 1 if self.incremental and estimator.schedule is None else estimator.max_iter
        estimator.n_iter_ = 0
        results: list[Any] = []
        try:
            results = model.fit_rows(
                self.table.rows(model.dtype), epochs=epochs, batch_size=size,
                validation=None if self.held_out is None else self.held_out.rows(model.dtype),
                shuffle=self._order(size), callbacks=[bookkeeping, *self._callbacks()],
                clip_norm=estimator.clip_norm, keep_schedule=self.incremental, halt=self.halt,
            ).solver_results  # fmt: skip
        except DivergenceError as error:
            self.diverged = error
            if not bookkeeping.early or self.full_batch:
                where = str(error)
                raise ValueError(f"{NOT_FINITE} {where[0].upper()}{where[1:]}") from error
            bookkeeping.fill_up(epochs)
            model.history.stopped_by = "epochs"
        if bookkeeping.early and self.incremental:
            self._stop_increments(model)
        elif estimator.restore_best or (bookkeeping.early and (bookkeeping.improved or not self._theirs_continue())):
            model.restore_best()
        self._warn(results, model.history.stopped_by)

    def _theirs_continue(self) -> bool:
        """Whether scikit-learn keeps the last weights of an early-stopped fit that improved nothing.

        After a fit its best weights and its weights are the same arrays: a warm start changes both.
        """
        return not self.first and not self.given

    def _stop_increments(self, model: FittedModel) -> None:
        """`partial_fit` can't end by itself: it says that it would, and gives the best weights."""
        self.estimator.stopped_ = self.estimator._no_improvement_count > self.estimator.n_iter_no_change
        if self.estimator.stopped_:
            model.restore_best()

    def _warn(self, results: list[Any], reason: str) -> None:
        estimator = self.estimator
        if reason == "interrupted":
            self.say("Training interrupted by user.", UserWarning)
        elif self.full_batch:
            self._take_results(results)
        elif reason == "epochs" and not self.incremental:
            self.say(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization "
                "hasn't converged yet.",
                ConvergenceWarning,
            )

    def _take_results(self, results: list[Any]) -> None:
        """What SciPy says of each member's search: its loss (their mean), its iterations (the most), its warnings."""
        if not results:
            return
        estimator = self.estimator
        estimator.loss_ = sum(float(result.fun) for result in results) / len(results)
        self._check_bottom()
        counts = [pass_on(_check_optimize_result, "lbfgs", result, estimator.max_iter) for result in results]
        estimator.n_iter_ = int(max(counts))

    def _check_bottom(self) -> None:
        """A loss that rows of negative weight pull down without end has no least value to find."""
        weights, loss = self.table.weights, self.estimator.loss_
        if weights is None or weights.min() >= 0:
            return
        if not loss >= -BOTTOM * np.abs(weights).sum() / abs(weights.sum()):
            raise ValueError(
                f"the loss fell to {loss:g}: negative sample weights reward wrong answers without end, so L-BFGS finds "
                "no least loss; leave these rows out, or take another solver"
            )

    def _finish(self, model: FittedModel) -> None:
        estimator = self.estimator
        model.refresh()
        estimator.coefs_, estimator.intercepts_ = model.coefs, model.intercepts
        self.tasks.end()
        if not np.isfinite(model.training.parameters).all():
            raise ValueError(NOT_FINITE)
