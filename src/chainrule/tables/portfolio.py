"""Training on a prepared table: every way of a recipe, its members side by side, and the weight of each way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.data import prepare_inputs
from chainrule.errors import DivergenceError, InputError, counted
from chainrule.folds import Part, fold_parts, random_parts
from chainrule.limits import POSITIVE, check
from chainrule.members import Members, fit_members
from chainrule.model import Model
from chainrule.tables.calibration import averaging_temperature
from chainrule.tables.preparation import PreparedTable
from chainrule.tables.settings import Settings
from chainrule.tables.table_network import average_unseen
from chainrule.tables.targets import strata, usual_weight
from chainrule.tables.weighing import Answered, weigh
from chainrule.training.stopping import EarlyStopping

_MOMENT: Final = 1e-9  # seconds: no time is left
_MOST_ROWS: Final = 5000  # that are asked how much softer the mean is than one


@dataclass(frozen=True, eq=False)
class Judged:
    """What the networks of a portfolio say of one target in rows that know it and that they didn't train on.

    `out_of_fold` is that, (rows, outputs), in the network's own unit, and `truth` what is right there, as the network
    learns it. `softened` is how much softer the mean of all is than what one says out of fold, as a temperature.
    """

    out_of_fold: Doubles
    truth: AnyArray
    softened: float = 1.0


@dataclass(frozen=True, eq=False)
class Portfolio:
    """What was trained on a table.

    `models` answer with the mean that `weights` make of them; `judged` has what they are worth for each target.
    `diverged` counts the members that did, `unbegun` those that there was no time for.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    judged: tuple[Judged, ...]
    diverged: int
    unbegun: int


def train_portfolio(
    prepared: PreparedTable,
    ways: Sequence[Settings],
    *,
    validation: float | None = None,
    time_limit: float | None = None,
    progress: bool | str = "auto",
    callbacks: Sequence[Any] = (),
) -> Portfolio:
    """Train every way, and weigh them by what they say out of fold.

    Arguments:
        prepared: the table.
        ways: settings of each.
        validation: each member holds out so much of the rows, in place of a fold.
        time_limit: seconds for all; each way gets its share of what is left.
        progress, callbacks: as for `TableModel.train`.

    Raises:
        DivergenceError: every network diverged.
    """
    if time_limit is not None:
        check("training", "time_limit", time_limit, POSITIVE)
    end = None if time_limit is None else time.perf_counter() + time_limit
    trained: list[Members] = []
    failed: DivergenceError | None = None
    diverged = unbegun = 0
    for i, settings in enumerate(ways):
        left = None if end is None else max((end - time.perf_counter()) / (len(ways) - i), _MOMENT)
        if trained and (_is_over(trained[-1]) or left == _MOMENT):
            unbegun += settings.members
            continue
        try:
            trained.append(_train(prepared, settings, validation, left, progress, callbacks))
        except DivergenceError as error:
            failed = error
            diverged += settings.members
    if not trained:
        assert failed is not None
        raise failed
    left_out = [error for members in trained for error in members.left_out.values()]
    diverged += sum(error is not None for error in left_out)
    said = [_out_of_fold(prepared, members) for members in trained]  # by kind and target
    judged = [
        _of_rows([one[i] for one in said], y, bool(target.classes))
        for i, (target, y) in enumerate(zip(prepared.targets, _rows(prepared)[1], strict=True))
    ]
    costs = [
        usual_weight(target, truth) if len(judged) > 1 else 1.0
        for target, (_, truth) in zip(prepared.targets, judged, strict=True)
    ]
    weights = weigh(
        [Answered(each, truth, bool(target.classes), cost)
         for target, (each, truth), cost in zip(prepared.targets, judged, costs, strict=True)]
    )  # fmt: skip
    kept = [i for i, weight in enumerate(weights) if weight]
    models, shares = tuple(trained[i].model for i in kept), tuple(weights[i] for i in kept)
    softened = _softened(prepared, [trained[i] for i in kept], shares)
    return Portfolio(
        models, shares,
        tuple(
            Judged(np.asarray(sum(w * one for w, one in zip(weights, each, strict=True))), truth, own)
            for (each, truth), own in zip(judged, softened, strict=True)
        ),
        diverged, unbegun + left_out.count(None),
    )  # fmt: skip


def _out_of_fold(prepared: PreparedTable, members: Members) -> list[Doubles]:
    """What members say of each target in the rows that they left out, NaN in others."""
    said = members.out_of_fold
    return [said] if len(prepared.targets) == 1 else [said[head] for head in prepared.heads]


def _of_rows(each: Sequence[Doubles], y: AnyArray, classes: bool) -> tuple[list[Doubles], AnyArray]:
    """What each kind says of the rows that all were asked about and whose answer is known, and those answers."""
    asked = np.logical_and.reduce([np.isfinite(one).all(axis=1) for one in each])
    if y.dtype.kind == "f":
        asked &= ~np.isnan(y)
    truth = y[asked]
    return [one[asked] for one in each], truth.astype(np.int64) if classes else truth


def _softened(prepared: PreparedTable, trained: Sequence[Members], shares: Sequence[float]) -> list[float]:
    """How much softer the mean is than what a row hears out of fold: one member of each kind, or one of each repeat.

    For each target; 1 for numbers.
    """
    if not any(target.classes for target in prepared.targets):
        return [1.0] * len(prepared.targets)
    n_rows = len(prepared.train)
    rows = np.arange(n_rows)[:: max(1, n_rows // _MOST_ROWS)]
    some = {name: x[rows] for name, x in prepared.train.X.items()}
    said = [
        members.model.outputs(prepare_inputs(members.model.network, some, members.model.dtype)) for members in trained
    ]
    found = []
    for i, target in enumerate(prepared.targets):
        if not target.classes:
            found.append(1.0)
            continue
        mean = sum(share * one[i].mean(axis=0) for one, share in zip(said, shares, strict=True))
        heard = [share * _by_repeat(one[i], own) for one, own, share in zip(said, trained, shares, strict=True)]
        fewest = min(len(one) for one in heard)
        found.append(averaging_temperature(np.sum([one[:fewest] for one in heard], axis=0), np.asarray(mean)))
    return found


def _by_repeat(said: AnyArray, members: Members) -> AnyArray:
    """What members say, (members, rows, classes), as the means over those that left out the same rows' folds."""
    counts = np.zeros(sum(map(len, (members.parts[0].train, members.parts[0].held_out))), np.int64)
    for part in members.parts:
        counts[part.held_out] += 1
    repeats = int(np.median(counts[counts > 0])) if counts.any() else 1
    folds = len(said) // max(repeats, 1)
    if repeats < 2 or members.left_out or repeats * folds != len(said):
        return said
    return said.reshape(repeats, folds, *said.shape[1:]).mean(axis=0)


def _train(
    prepared: PreparedTable,
    settings: Settings,
    validation: float | None,
    time_limit: float | None,
    progress: bool | str,
    callbacks: Sequence[Any],
) -> Members:
    X, ys = _rows(prepared)
    parts = _parts(prepared, settings, validation, ys)
    model = settings.model(prepared)
    own = min(len(part.train) for part in parts)
    members = fit_members(
        model, X, dict(zip(prepared.heads, ys, strict=True)),
        parts=parts,
        epochs=settings.epochs,
        batch_size="full" if model.optimizer.full_batch else settings.steps(prepared, own)[0],
        stop=EarlyStopping(settings.patience) if len(parts[0].held_out) else (),
        clip_norm=settings.clip_norm,
        time_limit=time_limit,
        progress=progress,
        callbacks=callbacks,
    )  # fmt: skip
    if "categories" in X:
        average_unseen(members.model, X["categories"])
    return members


def _parts(prepared: PreparedTable, settings: Settings, validation: float | None, ys: Sequence[AnyArray]) -> list[Part]:
    """The rows of each member: the table's own division of all, a fraction drawn by each, or folds."""
    n_train, n_held_out = len(prepared.train), len(prepared.validation)
    if n_held_out or (settings.members == 1 and validation is None):
        return [Part(np.arange(n_train), np.arange(n_train, n_train + n_held_out))] * settings.members
    labels, groups = strata(prepared.targets, ys), prepared.groups
    if validation is not None:
        return random_parts(
            n_train, settings.members, validation, labels=labels, groups=groups, seed=settings.seed
        )  # fmt: skip
    folds = settings.folds or settings.members
    if labels is not None and groups is None:
        sizes = np.bincount(labels)
        folds = min(folds, int(sizes[sizes > 1].sum()))  # the last row of a class stays in training
        if folds < 2:
            return random_parts(n_train, settings.members, 0.0)
    return _folds(prepared, settings, folds, labels, ys)


def _folds(
    prepared: PreparedTable, settings: Settings, folds: int, labels: AnyArray | None, ys: Sequence[AnyArray]
) -> list[Part]:
    """Folds each of which has, and lacks, rows that know every target: fewer where values of one are rare."""
    while True:
        parts = fold_parts(
            len(ys[0]), settings.members, folds, labels=labels, groups=prepared.groups, seed=settings.seed
        )  # fmt: skip
        rare = _unknown_in_some(parts, ys) if len(ys) > 1 else None
        if rare is None:
            return parts
        if folds == 2:
            target, y = prepared.targets[rare], ys[rare]
            raise InputError(
                f'the target "{target.name}" is known in {counted(int((~np.isnan(y)).sum()), "row")} only: too few to '
                "learn from some and be judged by others; fill some in, or leave this target out"
            )
        folds = max(2, folds // 2)


def _unknown_in_some(parts: Sequence[Part], ys: Sequence[AnyArray]) -> int | None:
    """The first target that no row of some part knows."""
    for i, y in enumerate(ys):
        if any(np.isnan(y[rows]).all() for part in parts for rows in (part.train, part.held_out)):
            return i
    return None


def _rows(prepared: PreparedTable) -> tuple[dict[str, AnyArray], tuple[AnyArray, ...]]:
    """The rows to learn from, those that are held out from all after them."""
    train, held_out = prepared.train, prepared.validation
    if not len(held_out):
        return train.X, train.ys
    X = {name: np.concatenate([array, held_out.X[name]]) for name, array in train.X.items()}
    return X, tuple(np.concatenate(both) for both in zip(train.ys, held_out.ys, strict=True))


def _is_over(members: Members) -> bool:
    """Whether somebody pressed Ctrl-C."""
    return any(history.stopped_by == "interrupted" for history in members.histories)
