"""Training on a prepared table: every way of a recipe, its members side by side, and the weight of each way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.data import prepare_inputs
from chainrule.errors import DivergenceError
from chainrule.folds import Part, fold_parts, random_parts
from chainrule.limits import POSITIVE, check
from chainrule.members import Members, fit_members
from chainrule.model import Model
from chainrule.tables.calibration import averaging_temperature
from chainrule.tables.preparation import PreparedTable
from chainrule.tables.settings import Settings
from chainrule.tables.table_network import average_unseen
from chainrule.training.stopping import EarlyStopping

_MOMENT: Final = 1e-9  # seconds: no time is left
_ROUNDS: Final = 25  # of choosing
_MOST_ROWS: Final = 5000  # that are asked how much softer the mean is than one


@dataclass(frozen=True, eq=False)
class Portfolio:
    """What was trained on a table.

    `models` answer with the mean that `weights` make of them. `out_of_fold` is what they say of rows that they didn't
    train on, (rows, outputs), in the network's own unit, and `truth` is what is right there, as the network learns it.
    `softened` is how much softer the mean of all is than what one says out of fold, as a temperature. `diverged` counts
    the members that did, `unbegun` those that there was no time for.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    out_of_fold: Doubles
    truth: AnyArray
    softened: float
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
    y = _rows(prepared)[1]
    known = np.logical_and.reduce([np.isfinite(members.out_of_fold).all(axis=1) for members in trained])
    said = [members.out_of_fold[known] for members in trained]
    weights = weigh(said, y[known], bool(prepared.target.classes))
    mean = sum(weight * one for weight, one in zip(weights, said, strict=True))
    kept = [i for i, weight in enumerate(weights) if weight]
    models, shares = tuple(trained[i].model for i in kept), tuple(weights[i] for i in kept)
    softened = _softened(prepared, [trained[i] for i in kept], shares) if prepared.target.classes else 1.0
    return Portfolio(
        models, shares, np.asarray(mean), y[known], softened, diverged, unbegun + left_out.count(None)
    )  # fmt: skip


def weigh(said: Sequence[Doubles], truth: AnyArray, classes: bool) -> list[float]:
    """Weights of models, not negative and of sum 1, by greedy choice: each round takes the one that helps most.

    Arguments:
        said: what each says of the same rows: probabilities, or numbers.
        truth: the places of the right classes, or the right numbers.
        classes: whether it is probabilities.

    >>> right, wrong = np.array([[1.0], [2.0]]), np.array([[5.0], [5.0]])
    >>> weigh([wrong, right], np.array([1.0, 2.0]), classes=False)
    [0.0, 1.0]
    """
    if len(said) == 1 or not len(truth):
        return [1.0, *[0.0] * (len(said) - 1)]
    chosen = np.zeros(len(said))
    total = np.zeros_like(said[0])
    for taken in range(1, _ROUNDS + 1):
        losses = [_loss((total + one) / taken, truth, classes) for one in said]
        best = int(np.argmin(losses))
        chosen[best] += 1
        total += said[best]
    return [float(weight) for weight in chosen / chosen.sum()]


def _loss(said: Doubles, truth: AnyArray, classes: bool) -> float:
    if not classes:
        return float(np.square(said[:, 0] - truth).mean())
    return float(-np.log(np.maximum(said[np.arange(len(truth)), truth], np.finfo(np.float32).tiny)).mean())


def _softened(prepared: PreparedTable, trained: Sequence[Members], shares: Sequence[float]) -> float:
    """How much softer the mean is than what a row hears out of fold: one member of each kind, or one of each repeat."""
    n_rows = len(prepared.train)
    rows = np.arange(n_rows)[:: max(1, n_rows // _MOST_ROWS)]
    some = {name: x[rows] for name, x in prepared.train.X.items()}
    heard, mean = [], 0.0
    for members, share in zip(trained, shares, strict=True):
        model = members.model
        (said,) = model.outputs(prepare_inputs(model.network, some, model.dtype))
        mean = mean + share * said.mean(axis=0)
        heard.append(share * _by_repeat(said, members))
    fewest = min(len(one) for one in heard)
    return averaging_temperature(np.sum([one[:fewest] for one in heard], axis=0), np.asarray(mean))


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
    X, y = _rows(prepared)
    parts = _parts(prepared, settings, validation, y)
    model = settings.model(prepared)
    own = min(len(part.train) for part in parts)
    members = fit_members(
        model, X, y,
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


def _parts(prepared: PreparedTable, settings: Settings, validation: float | None, y: AnyArray) -> list[Part]:
    """The rows of each member: the table's own division of all, a fraction drawn by each, or folds."""
    n_train, n_held_out = len(prepared.train), len(prepared.validation)
    if n_held_out or (settings.members == 1 and validation is None):
        return [Part(np.arange(n_train), np.arange(n_train, n_train + n_held_out))] * settings.members
    labels, groups = y if prepared.target.classes else None, prepared.groups
    if validation is not None:
        return random_parts(
            n_train, settings.members, validation, labels=labels, groups=groups, seed=settings.seed
        )  # fmt: skip
    folds = settings.folds or settings.members
    if labels is not None and groups is None:
        sizes = np.bincount(y)
        folds = min(folds, int(sizes[sizes > 1].sum()))  # the last row of a class stays in training
        if folds < 2:
            return random_parts(n_train, settings.members, 0.0)
    return fold_parts(n_train, settings.members, folds, labels=labels, groups=groups, seed=settings.seed)


def _rows(prepared: PreparedTable) -> tuple[dict[str, AnyArray], AnyArray]:
    """The rows to learn from, those that are held out from all after them."""
    train, held_out = prepared.train, prepared.validation
    if not len(held_out):
        return train.X, train.y
    X = {name: np.concatenate([array, held_out.X[name]]) for name, array in train.X.items()}
    return X, np.concatenate([train.y, held_out.y])


def _is_over(members: Members) -> bool:
    """Whether somebody pressed Ctrl-C."""
    return any(history.stopped_by == "interrupted" for history in members.histories)
