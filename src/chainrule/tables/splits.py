"""Which rows train, which validate, which test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError, counted
from chainrule.limits import FRACTION, check
from chainrule.random import SPLIT, check_seed, permutation

Rows = NDArray[np.int64]

_PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Splits:
    """The rows of each part, as indices from 0 in ascending order; every row is in one part."""

    train: Rows
    validation: Rows
    test: Rows


def split_rows(
    n_rows: int,
    validation: float = 0.2,
    test: float = 0.0,
    *,
    labels: ArrayLike | None = None,
    seed: int = 0,
) -> Splits:
    """Split rows at random into training, validation and test rows; the seed decides all.

    `validation` and `test` are parts of all rows, from 0 to less than 1; a part above 0 gets at
    least one row. With `labels` (one per row, integers or text) each class is split in proportion,
    to within one row, and every class has a training row. Raises `InputError` where there are too
    few rows for that.

    >>> parts = split_rows(10, validation=0.2, test=0.1, seed=0)
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (7, 2, 1)
    >>> split_rows(8, validation=0.5, labels=[0, 0, 0, 0, 1, 1, 1, 1]).train.size
    4
    """
    seed = check_seed(seed)
    fractions = check_fractions(validation, test)
    classes = np.zeros(n_rows, dtype=np.int64)
    if labels is not None:
        given = np.asarray(labels)
        if given.shape != (n_rows,):
            raise InputError(
                f"labels have shape {given.shape}: they must have one entry for each of the {counted(n_rows, 'row')}"
            )
        classes = np.unique(given, return_inverse=True)[1]
    sizes = np.bincount(classes, minlength=1)
    counts = _counts(sizes, fractions, needs=_rows_needed(sizes, fractions, labels is not None))
    order = permutation(n_rows, seed=seed, epoch=0, stream=SPLIT)
    by_class = order[np.argsort(classes[order], kind="stable")]
    # Each class's shuffled rows in turn: first its training rows, then validation, then test.
    part_of = np.repeat(np.tile(np.arange(3), sizes.size), counts.reshape(-1))
    return Splits(*(np.sort(by_class[part_of == part]) for part in range(3)))


def check_fractions(validation: float, test: float) -> NDArray[np.float64]:
    """The fractions of training, validation and test; raises `InputError` where they leave no rows for training."""
    for name, value in (("validation", validation), ("test", test)):
        check("split_rows", name, value, FRACTION)
    if validation + test >= 1:
        raise InputError(
            f"validation {validation:g} and test {test:g} leave no rows for training: their sum must be below 1"
        )
    return np.array([1.0 - validation - test, validation, test])


def _rows_needed(sizes: Rows, fractions: NDArray[np.float64], labelled: bool) -> str:
    held_out = int(np.count_nonzero(fractions[1:]))
    training = int(np.count_nonzero(sizes)) if labelled else 1
    needed = max(training, 1) + held_out
    if int(sizes.sum()) >= needed:
        return ""
    classes = f" of each of {training} classes" if training > 1 else ""
    others = "".join(f", one for {name}" for name, part in zip(_PARTS[1:], fractions[1:], strict=True) if part)
    return (
        f"{counted(int(sizes.sum()), 'row')} can't be split: at least {needed} are needed "
        f"(one for training{classes}{others})"
    )


def _counts(sizes: Rows, fractions: NDArray[np.float64], needs: str) -> Rows:
    """How many rows of each class go to each part, shape (classes, 3).

    Each is the class's share rounded down or up. What a class's rounding gives too little to a
    part is owed to that part in the classes that follow, so that the parts' sums are right too.
    """
    if needs:
        raise InputError(needs)
    counts = np.zeros((sizes.size, 3), dtype=np.int64)
    owed = np.zeros(3)
    for i, size in enumerate(sizes):
        share = size * fractions
        # A share that is whole but for rounding errors must not be rounded down.
        low = np.floor(share + 1e-9).astype(np.int64)
        rest = share - low
        left = int(size - low.sum())
        wants = np.where(rest > 1e-9, rest + owed, -np.inf)
        low[np.argsort(-wants, kind="stable")[:left]] += 1
        if size and not low[0]:
            low += np.array([1, 0, 0]) - np.eye(3, dtype=np.int64)[int(np.argmax(low))]
        counts[i] = low
        owed += share - low
    for part in (1, 2):
        if fractions[part] and not counts[:, part].sum():
            # Take from whoever has most; with enough rows, someone has one to spare.
            spare = counts.copy()
            spare[:, 0] -= 1
            spare[:, 1:][:, counts[:, 1:].sum(axis=0) < 2] = 0
            richest = np.unravel_index(int(np.argmax(spare)), spare.shape)
            counts[richest] -= 1
            counts[richest[0], part] += 1
    return counts
