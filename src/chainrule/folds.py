"""Which rows each of several networks learns from, and which it leaves out to be judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import random
from chainrule.arrays import Order
from chainrule.errors import InputError, counted
from chainrule.limits import COUNT, FRACTION, check

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of one network, counted from 0 in ascending order: those it learns from, and those it leaves out."""

    train: Order
    held_out: Order


def fold_parts(
    n_rows: int, members: int, folds: int, *, labels: Any = None, groups: Any = None, seed: int = 0
) -> list[Part]:
    """Parts of folds: every row is left out by one of each `folds` members, the rows that they leave out differing.

    Where there are more members than folds the rows are dealt anew for those that follow.

    Arguments:
        n_rows: how many rows there are.
        members: how many networks; at least as many as folds.
        folds: into how many parts the rows are dealt, at least two.
        labels: one for each row: every fold gets each class in proportion, to within one row; the last row of a class
            that has one only is left out by nobody.
        groups: one for each row: rows of one group are left out together. Where there are fewer groups than folds, so
            many folds are made.
        seed: decides who is left out where.

    Raises:
        InputError: there are too few rows or groups, or fewer members than folds.

    >>> for part in fold_parts(6, members=3, folds=3, labels=[0, 0, 0, 1, 1, 1]):
    ...     print(part.train, part.held_out)
    [0 1 3 5] [2 4]
    [1 2 3 4] [0 5]
    [0 2 4 5] [1 3]
    """
    check("folds", "folds", folds, COUNT)
    check("folds", "members", members, COUNT)
    group_codes = None if groups is None else codes_of(groups, n_rows, "groups")
    if group_codes is not None:
        n_groups = int(group_codes.max()) + 1
        if n_groups < 2:
            raise InputError("all rows are of one group: none could be left out to be judged by")
        folds = min(folds, n_groups)
    classes = np.zeros(n_rows, np.int64) if labels is None else codes_of(labels, n_rows, "labels")
    sizes = np.bincount(classes)
    most = int(sizes[sizes > 1].sum()) if group_codes is None else n_rows
    if not 2 <= folds <= most:
        raise InputError(f"folds is {folds}; of {counted(most, 'row')} to be left out there must be from 2 to {most}")
    if members < folds:
        raise InputError(f"{counted(members, 'member')} can't leave out {folds} folds: give as many members, or more")
    parts: list[Part] = []
    while len(parts) < members:
        fold = _dealt(classes, folds, seed, len(parts)) if group_codes is None else _groups_dealt(
            group_codes, folds, seed, len(parts)
        )  # fmt: skip
        parts += [Part(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(folds)]
    return parts[:members]


def random_parts(
    n_rows: int, members: int, fraction: float, *, labels: Any = None, groups: Any = None, seed: int = 0
) -> list[Part]:
    """Parts in which every member leaves out its own fraction of the rows, drawn by itself.

    Arguments:
        n_rows, members, labels, groups, seed: as for `fold_parts`.
        fraction: of the rows (of the groups, where there are groups) that each leaves out; 0 leaves out none.

    Raises:
        InputError: there are too few rows or groups.

    >>> [len(part.held_out) for part in random_parts(20, members=3, fraction=0.25)]
    [5, 5, 5]
    """
    check("folds", "fraction", fraction, FRACTION)
    if not fraction:
        return [Part(np.arange(n_rows), np.arange(0)) for _ in range(members)]
    strata = np.zeros(n_rows, np.int64) if labels is None else codes_of(labels, n_rows, "labels")
    unit = np.arange(n_rows) if groups is None else codes_of(groups, n_rows, "groups")
    n_units = int(unit.max(initial=-1)) + 1
    if n_units < 2:
        raise InputError(f"{counted(n_units, 'row' if groups is None else 'group')} can't be parted in two")
    if groups is not None:
        strata = np.zeros(n_units, np.int64)
    parts = []
    for member in range(members):
        left_out = _drawn(strata, fraction, seed, member)[unit]
        parts.append(Part(np.flatnonzero(~left_out), np.flatnonzero(left_out)))
    return parts


def checked_part(given: Part | tuple[Any, Any], n_rows: int) -> Part:
    """A part, or two lists of row numbers, as a part whose rows are there, with one at least to train on.

    >>> checked_part(([0, 2], [1]), 3)
    Part(train=array([0, 2]), held_out=array([1]))
    """
    wrong = InputError(
        f"a part must be two lists of row numbers from 0 to {n_rows - 1}: to train on (one at least), and to leave out"
    )
    try:
        train, held_out = (
            np.asarray(rows) for rows in ((given.train, given.held_out) if isinstance(given, Part) else given)
        )
    except (TypeError, ValueError):
        raise wrong from None
    for rows in (train, held_out):
        if rows.ndim != 1 or (rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n_rows)):
            raise wrong
    if not train.size:
        raise wrong
    return Part(train.astype(np.int64), held_out.astype(np.int64))


def codes_of(given: Any, n_rows: int, what: str) -> Codes:
    """Labels or groups as numbers from 0, in sorted order."""
    values = np.asarray(given)
    if values.shape != (n_rows,):
        raise InputError(f"{what} have shape {values.shape}: ({n_rows},) would be right, one for each row")
    if values.dtype == object:
        values = values.astype(str)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _dealt(classes: Codes, folds: int, seed: int, draw: int) -> Codes:
    """The fold of each row: each class's rows, shuffled, are dealt out in turn, going on where the last class ended.

    A class of one row stays with everybody: -1.
    """
    order = random.permutation(len(classes), seed, 1 + draw, stream=random.SPLIT)
    by_class = order[np.argsort(classes[order], kind="stable")]
    dealt = by_class[np.bincount(classes)[classes[by_class]] > 1]
    fold = np.full(len(classes), -1, np.int64)
    fold[dealt] = np.arange(len(dealt)) % folds
    return fold


def _groups_dealt(groups: Codes, folds: int, seed: int, draw: int) -> Codes:
    """The fold of each row: the groups, the largest first, each go to the fold that has fewest rows."""
    sizes = np.bincount(groups)
    order = random.permutation(len(sizes), seed, 1 + draw, stream=random.SPLIT)
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of, filled = np.zeros(len(sizes), np.int64), np.zeros(folds, np.int64)
    for group in order:
        fold_of[group] = emptiest = int(filled.argmin())
        filled[emptiest] += sizes[group]
    return fold_of[groups]


def _drawn(strata: Codes, fraction: float, seed: int, draw: int) -> NDArray[np.bool_]:
    """Which are drawn: of every stratum its fraction, rounded so that the sum is right; each keeps one at least."""
    order = random.permutation(len(strata), seed, 1 + draw, stream=random.SPLIT)
    order = order[np.argsort(strata[order], kind="stable")]
    sizes = np.bincount(strata)
    ends = np.round(np.cumsum(sizes) * fraction).astype(np.int64)
    counts = np.minimum(np.diff(ends, prepend=0), sizes - 1)
    if not counts.any():
        counts[sizes.argmax()] = 1
    place = np.arange(len(strata)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    drawn = np.zeros(len(strata), bool)
    drawn[order[place < np.repeat(counts, sizes)]] = True
    return drawn
