"""The order of the rows in an epoch, and how many of them make a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from chainrule import random
from chainrule.arrays import Order
from chainrule.errors import InputError
from chainrule.network import Network

Shuffle = bool | Literal["replace"] | Callable[[int], ArrayLike]
DEFAULT_BATCH = 32


def resolve_batch_size(batch_size: int | str, n_rows: int) -> int:
    """The number of rows of a step: a number, `"full"`, or `"auto"` (32, or all rows when there are fewer).

    >>> resolve_batch_size("auto", 20), resolve_batch_size("full", 500)
    (20, 500)
    """
    if batch_size == "auto":
        return min(DEFAULT_BATCH, n_rows)
    if batch_size == "full":
        return n_rows
    if isinstance(batch_size, (int, np.integer)) and not isinstance(batch_size, bool) and batch_size >= 1:
        if batch_size > n_rows:
            raise InputError(
                f"batch_size is {batch_size} but there are {n_rows} training rows; "
                f'at most {n_rows}, or "full", would be right'
            )
        return int(batch_size)
    raise InputError(f'batch_size is {batch_size!r}; it must be a whole number of at least 1, "full" or "auto"')


def check_batch_norm(network: Network, batch_size: int) -> None:
    """Raise an `InputError` where batches are too small for batch normalization."""
    for step in network.steps:
        if batch_size < step.layer.least_rows:
            raise InputError(
                f'batch normalization (layer "{step.name}") needs at least two rows a batch: with one, '
                "every value is its own mean; use a larger batch_size"
            )


def rows_used(n_rows: int, batch_size: int, least: int = 1) -> int:
    """How many of an epoch's rows are trained on: all, unless the last batch has fewer than `least`; it is left out.

    >>> rows_used(97, 8), rows_used(97, 8, least=2)
    (97, 96)
    """
    last = n_rows % batch_size
    return n_rows - last if last < least else n_rows


def epoch_order(n_rows: int, shuffle: Shuffle, seed: int, epoch: int, members: int = 1) -> Order:
    """The row numbers of one epoch (counted from 0) for each member, shape (members, n).

    `True` shuffles without replacement, `"replace"` draws rows uniformly with replacement, `False` keeps the order of
    the data; a function of the epoch hands in an order of its own, for all members (n,) or for each (members, n).
    """
    if callable(shuffle):
        return _checked(shuffle(epoch), n_rows, members)
    if shuffle is True:
        if members == 1:  # no copy
            return random.permutation(n_rows, seed, epoch)[None]
        return np.stack([random.permutation(n_rows, seed, epoch, member) for member in range(members)])
    if shuffle == "replace":
        return np.stack([random.draws(n_rows, seed, epoch, member) for member in range(members)])
    if shuffle is False:
        return np.tile(np.arange(n_rows, dtype=np.int64), (members, 1))
    raise InputError(f'shuffle is {shuffle!r}; it must be True, False, "replace" or a function of the epoch')


def _checked(given: ArrayLike, n_rows: int, members: int) -> Order:
    order = np.asarray(given)
    if order.ndim == 1:
        order = np.tile(order, (members, 1))
    fits = order.ndim == 2 and len(order) == members and order.size and order.dtype.kind in "iu"
    if fits:
        order = order.astype(np.int64)
        if order.view(np.uint64).max() < n_rows:  # what is below 0 is huge there
            return order
    raise InputError(f"the row order that `shuffle` returned must hold row numbers from 0 to {n_rows - 1}")
