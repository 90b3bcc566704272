"""Members that each leave out a fold of their own: fits beside each other that end as one estimator."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state

from chainrule.errors import DivergenceError, counted
from chainrule.estimators.callback_protocol import Tasks
from chainrule.estimators.caller_warnings import warn
from chainrule.estimators.epochs import HeldOut
from chainrule.estimators.fitted_model import FittedModel
from chainrule.estimators.fitting import NOT_FINITE, CheckedRows, Fitting, member_streams
from chainrule.estimators.solvers import is_full_batch
from chainrule.estimators.threads import threads_of
from chainrule.folds import Part, fold_parts
from chainrule.members import processors, side_by_side, take_over_all
from chainrule.training.interrupt import Halt
from chainrule.training.progress import ProgressBar


def check_goes_with_folds(estimator: Any, *, given: bool, incremental: bool) -> None:
    """Raise a `ValueError` for what doesn't go with `folds`.

    Arguments:
        given: whether there are rows of the user's own to score on.
        incremental: whether this is `partial_fit`.
    """
    folds, members = estimator.folds, estimator.n_members
    if incremental or estimator.warm_start:
        which = "partial_fit" if incremental else "warm_start=True"
        raise ValueError(f"folds={folds} is for a fit that begins anew; {which} goes on: set folds=None")
    if given:
        raise ValueError(f"folds={folds} says which rows each member is scored on: leave X_val and y_val out")
    if is_full_batch(estimator.solver) or not estimator.early_stopping:
        raise ValueError(f"folds={folds} needs early_stopping=True, and a solver that stops early: not L-BFGS")
    if members < folds:
        raise ValueError(f"folds={folds} needs as many members or more, one for each fold; n_members is {members}")


def fit_folds(estimator: Any, table: CheckedRows) -> None:
    """Fit every member to the rows outside its fold and stop it by those inside; then all are one ensemble.

    A member is what a fit of its own would be: with `random_state` its stream, its fold being `X_val` and `y_val`.

    Arguments:
        estimator: what is fitted; its targets are known to it.
        table: all rows.
    """
    count = estimator.n_members
    streams = member_streams(check_random_state(estimator.random_state), count)
    parts = _parts(estimator, table, seed=int(copy.deepcopy(streams[0]).randint(2**31 - 1)))
    threads = threads_of(estimator.n_jobs) or processors()
    workers = min(threads, count)
    callbacks = estimator.callbacks
    shared = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    if estimator.progress:
        shared.append(ProgressBar(runs=count))
    alone = [
        _alone(estimator, random_state=stream, n_jobs=max(1, threads // workers), callbacks=shared)
        for stream in streams
    ]
    heard: list[tuple[str, type[Warning]]] = []

    def fit(i: int, halt: Halt) -> None:
        fitting = Fitting(
            alone[i], table.take(parts[i].train), table.take(parts[i].held_out), incremental=False, first=True,
            tasks=Tasks(None, 0, None, None, {}), halt=halt, say=lambda *said: heard.append(said),
        )  # fmt: skip
        fitting.run()
        if fitting.diverged is not None:
            raise fitting.diverged

    try:
        left_out = side_by_side(fit, count, workers=workers)
    except DivergenceError as error:
        raise ValueError(f"{NOT_FINITE} {error}") from error
    for message, category in dict.fromkeys(heard):
        warn(message, category)
    diverged = [error for error in left_out.values() if error is not None]
    if diverged:
        warn(f"{counted(len(diverged), 'member')} of {count}, which diverged: left out. {diverged[0]}")
    _join(estimator, [one for i, one in enumerate(alone) if i not in left_out])
    _score_out_of_fold(estimator, table, [part for i, part in enumerate(parts) if i not in left_out])


def _parts(estimator: Any, table: CheckedRows, seed: int) -> list[Part]:
    labels = table.y if is_classifier(estimator) and table.y.ndim == 1 else None
    if len(table) < 2 * estimator.folds:
        raise ValueError(f"folds={estimator.folds} needs two rows in each at least; there are n_samples={len(table)}")
    parts = fold_parts(len(table), estimator.n_members, estimator.folds, labels=labels, seed=seed)
    if any(len(part.held_out) < 2 for part in parts):  # a class of one row stays in training
        raise ValueError(f"folds={estimator.folds}: a fold has fewer than two rows; take fewer folds")
    return parts


def _alone(estimator: Any, **others: Any) -> Any:
    """The estimator as one that fits a single network, and knows what was learned of rows and targets."""
    one = object.__new__(type(estimator))
    vars(one).update(vars(estimator), n_members=1, folds=None, progress=False, **others)
    return one


def _join(estimator: Any, alone: list[Any]) -> None:
    """What the first one learned, and the networks of all."""
    parameters = estimator.get_params(deep=False)
    vars(estimator).update({name: value for name, value in vars(alone[0]).items() if name not in parameters})
    first: FittedModel = alone[0]._model
    settings = replace(first.settings, members=len(alone), threads=threads_of(estimator.n_jobs))
    model = FittedModel.of(settings, first.dtype, first.seed, empty=True)
    take_over_all(model, [one._model for one in alone])
    model.keep_best()
    model.refresh()
    estimator._model = model
    estimator.coefs_, estimator.intercepts_ = model.coefs, model.intercepts


def _score_out_of_fold(estimator: Any, table: CheckedRows, parts: list[Part]) -> None:
    """The score of the rows that were left out, each answered by the mean of those that didn't see it."""
    model = estimator._model
    sums, counts = [np.zeros((len(table), head.shape[0])) for head in model.network.heads], np.zeros((len(table), 1))
    for i, part in enumerate(parts):
        counts[part.held_out] += 1
        said = model.outputs(model.as_inputs(table.X[part.held_out]))
        for total, output in zip(sums, said, strict=True):
            total[part.held_out] += output[i]
    known = np.flatnonzero(counts)
    rows = table.take(known)
    outputs = tuple(total[known] / counts[known] for total in sums)
    estimator.out_of_fold_score_ = float(estimator._score_held_out(HeldOut(rows.X, rows.y, rows.weights), outputs))
