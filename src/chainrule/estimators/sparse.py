"""Sparse tables: engines take dense rows, so a table is made dense in parts, a few batches at a time.

Memory then depends on the batch and not on the table; the numbers are those of the whole table made dense.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from chainrule.arrays import Array, Order
from chainrule.engines.contract import NOTHING, Engine, Gradients, Job, Outcome, Rows, Sums
from chainrule.engines.reference import PREDICT_ROWS, ReferenceEngine
from chainrule.layers import Context, PiecewiseLinear, quantile_knots
from chainrule.layers.piecewise_linear import Knots

DENSE_BYTES = 1 << 26  # of rows that are dense at once; a single batch may need more
THIN = 0.05  # the share of numbers stored up to which SciPy's product is faster than a dense one


class SparseRows(Rows):
    """Rows whose only input is a sparse table; the rows taken from it are dense."""

    inputs: tuple[Any, ...]

    def __len__(self) -> int:
        return int(self.inputs[0].shape[0])

    def take(self, rows: Order) -> Rows:
        """The rows with these numbers, dense."""
        weights = tuple(None if w is None else w[rows] for w in self.weights)
        return Rows((self.inputs[0][rows].toarray(),), tuple(y[rows] for y in self.targets), weights)


def engine_rows(X: Any, targets: tuple[Array, ...], weights: Array | None, dtype: np.dtype[Any]) -> Rows:
    """Rows as engines take them, in the precision of the network; a sparse table stays sparse where it is large."""
    row_weights = None if weights is None else np.ascontiguousarray(weights, dtype=dtype)
    rest = tuple(map(np.ascontiguousarray, targets)), (row_weights,) * len(targets)
    if issparse(X) and X.shape[0] > rows_at_once(X.shape[1], dtype):
        return SparseRows((X.tocsr().astype(dtype, copy=False),), *rest)
    return Rows((np.require(X.toarray() if issparse(X) else X, dtype, ["C", "A"]),), *rest)


def rows_at_once(width: int, dtype: np.dtype[Any]) -> int:
    """How many rows may be dense at the same time."""
    return max(1, DENSE_BYTES // (width * np.dtype(dtype).itemsize))


def column_knots(X: Any, bins: int) -> Knots:
    """What `quantile_knots` gives for every column of a table; a sparse one is dense a few columns at a time."""
    if not issparse(X):
        return quantile_knots(X, bins)
    columns, size = X.tocsc(), rows_at_once(X.shape[0], np.dtype(np.float64))
    parts = (columns[:, part].toarray() for part in _parts(X.shape[1], size))
    return tuple(knots for part in parts for knots in quantile_knots(part, bins))


def in_parts(engine: Engine, several: tuple[Any, ...]) -> Engine:
    """The engine itself, or one that takes sparse rows (or the inputs of such) where some are."""
    for rows in several:
        if isinstance(rows, SparseRows) or (type(rows) is tuple and issparse(rows[0])):
            return InParts(engine)
    return engine


class InParts(Engine):
    """An engine for sparse rows over one for dense rows; in scikit-learn's convention, all heads weigh rows alike."""

    def __init__(self, engine: Engine):
        super().__init__(engine.network, engine.objective)
        self.engine = engine
        self.name, self.medium, self.brings_threads = engine.name, engine.medium, engine.brings_threads

    def predict(self, parameters: Array, state: Array, inputs: tuple[Any, ...]) -> tuple[Array, ...]:
        """The heads' outputs, each (members, rows, *shape)."""
        (X,) = inputs
        if not issparse(X):
            return self.engine.predict(parameters, state, inputs)
        pieces = any(isinstance(node.layer, PiecewiseLinear) for node in self.network.nodes)  # they read dense rows
        if X.nnz <= THIN * X.shape[0] * X.shape[1] and not pieces:
            return self._predict_thin(parameters, state, X.astype(parameters.dtype, copy=False))
        answers = [
            self.engine.predict(parameters, state, (X[part].toarray().astype(parameters.dtype, copy=False),))
            for part in _parts(X.shape[0], rows_at_once(X.shape[1], parameters.dtype))
        ]
        return tuple(np.concatenate(those, axis=1) for those in zip(*answers, strict=True))

    def _predict_thin(self, parameters: Array, state: Array, X: Any) -> tuple[Array, ...]:
        """By the reference engine, whose first product is then SciPy's, over what is stored."""
        reference = ReferenceEngine(self.network, self.objective)
        heads = self.network.program.heads
        outputs = tuple(np.empty((len(parameters), X.shape[0], *head.shape), parameters.dtype) for head in heads)
        for member in range(len(parameters)):
            p = self.network.layout.views(parameters[member])
            s = self.network.state_layout.views(state[member])
            for part in _parts(X.shape[0], PREDICT_ROWS):
                with np.errstate(over="ignore", under="ignore"):
                    values = reference.forward(p, s, (X[part],), Context()).values
                for output, head in zip(outputs, heads, strict=True):
                    output[member, part] = values[head.slot]
        return outputs

    def losses(self, parameters: Array, state: Array, data: Rows) -> Sums:
        """Head losses over rows, as in prediction, and the penalties."""
        if not isinstance(data, SparseRows):
            return self.engine.losses(parameters, state, data)
        total = _Total(self, parameters, data)
        for rows in total.parts():
            total.add(self.engine.losses(parameters, state, rows), rows)
        return total.sums()

    def gradients(
        self, parameters: Array, state: Array, data: Rows, *, training: bool, seed: int, step: int,
        scheduled: Mapping[int, float] = NOTHING,
    ) -> Gradients:  # fmt: skip
        """The objective over all rows as one batch, and its gradient; nothing is changed."""
        how: Any = {"training": training, "seed": seed, "step": step, "scheduled": scheduled}
        coupled = training and self.network.least_rows > 1  # a batch's statistics need all of it
        if not isinstance(data, SparseRows) or coupled:
            whole = data.take(np.arange(len(data))) if isinstance(data, SparseRows) else data
            return self.engine.gradients(parameters, state, whole, **how)
        total = _Total(self, parameters, data)
        vector = np.zeros_like(parameters)
        for rows in total.parts():
            part = self.engine.gradients(parameters, state, rows, **how)
            total.add(part.sums, rows)
            weight = _weight(rows)
            for member, gradient in enumerate(part.vector):  # the penalties' are added once, below
                factor = self.objective.penalty_factor(np.array([weight]))
                self.objective.add_penalty_gradient(parameters[member], gradient, -factor)
            vector += (weight / total.weight if total.weight else 0.0) * part.vector
        factor = self.objective.penalty_factor(np.array([total.weight]))
        for member, gradient in enumerate(vector):
            self.objective.add_penalty_gradient(parameters[member], gradient, factor)
        sums = total.sums()
        loss = np.array([sums.loss(self.objective, member) for member in range(len(parameters))])
        return Gradients(loss, vector, sums, state.copy())

    def load(self, parameters: Array, state: Array, slots: Array) -> None:
        """Take what jobs change."""
        self._members, self._dtype = len(parameters), parameters.dtype
        self.engine.load(parameters, state, slots)

    def store(self, parameters: Array, state: Array, slots: Array) -> None:
        """Write what was loaded, as the jobs since have left it, into these arrays."""
        self.engine.store(parameters, state, slots)

    def run(self, job: Job) -> Outcome:
        """Do the steps of a job, those of a few batches at a time."""
        if not isinstance(job.data, SparseRows):
            return self.engine.run(job)
        outcome, n_steps = Outcome(job.sums), len(job.rates)
        at_once = rows_at_once(job.data.inputs[0].shape[1], self._dtype)
        for part in _parts(n_steps, max(1, at_once // (self._members * job.batch_size))):
            order = job.order[:, part.start * job.batch_size : part.stop * job.batch_size]
            own = np.arange(order.size).reshape(order.shape)  # each member's rows one after another
            done = self.engine.run(
                replace(
                    job, data=job.data.take(order.reshape(-1)), order=own, rates=job.rates[part],
                    first_step=job.first_step + part.start, sums=outcome.sums, scheduled=job.scheduled.part(part),
                )
            )  # fmt: skip
            outcome.sums = done.sums
            outcome.steps += done.steps
            outcome.stopped = done.stopped
            if done.diverged is not None:
                outcome.diverged, outcome.diverged_member = part.start + done.diverged, done.diverged_member
            if done.stopped or done.diverged is not None:
                break
        return outcome


class _Total:
    """Sums over parts as those over all rows: a batch enters by its mean there, and the mean is of the parts."""

    def __init__(self, engine: InParts, parameters: Array, data: SparseRows):
        self.objective, self.parameters, self.data = engine.objective, parameters, data
        self.weight = _weight(data)
        self.losses = np.zeros((len(parameters), len(engine.objective.heads)))

    def parts(self) -> Iterator[Rows]:
        """All rows, as many as may be dense at once at a time."""
        for part in _parts(len(self.data), rows_at_once(self.data.inputs[0].shape[1], self.parameters.dtype)):
            yield self.data.take(np.arange(part.start, part.stop))

    def add(self, sums: Sums, rows: Rows) -> None:
        """Add a part's losses, no longer as a mean."""
        self.losses += sums.losses * _weight(rows) / len(rows)

    def sums(self) -> Sums:
        """Those of all rows as one batch."""
        members, heads = self.losses.shape
        sums = Sums.zeros(members, heads)
        sums.steps = 1
        weights = np.full(heads, self.weight)
        for member in range(members):
            penalty = self.objective.penalty(self.parameters[member])
            sums.add(self.objective, member, self.losses[member], weights, penalty, len(self.data))
        return sums


def _parts(n: int, size: int) -> Iterator[slice]:
    return (slice(begin, min(begin + size, n)) for begin in range(0, n, size))


def _weight(rows: Rows) -> float:
    weights = rows.weights[0]
    return float(len(rows)) if weights is None else float(weights.sum())
