"""Batches: their size, and the order of the rows in an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import InputError, random
from chainrule.training.batches import epoch_order, resolve_batch_size


@pytest.mark.parametrize(
    ("given", "rows", "size"),
    [("auto", 500, 32), ("auto", 20, 20), ("full", 500, 500), (1, 7, 1), (7, 7, 7), (np.int64(3), 7, 3)],
)
def test_sizes(given: Any, rows: int, size: int) -> None:
    found = resolve_batch_size(given, rows)
    assert found == size
    assert type(found) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (8, 'batch_size is 8 but there are 7 training rows; at most 7, or "full", would be right'),
        (0, "batch_size is 0; it must be a whole number of at least 1"),
        (-1, "batch_size is -1"),
        (2.0, "batch_size is 2.0"),
        ("half", "batch_size is 'half'"),
        (True, "batch_size is True"),
        (None, "batch_size is None"),
    ],
)
def test_sizes_that_are_none(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_batch_size(given, 7)


def test_shuffled_without_replacement_differently_in_every_epoch_and_member() -> None:
    orders = np.concatenate([epoch_order(50, True, seed=3, epoch=epoch, members=2) for epoch in range(3)])
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(50))
    assert len({tuple(order) for order in orders}) == 6
    np.testing.assert_array_equal(orders[3], random.permutation(50, 3, epoch=1, member=1))


def test_drawn_with_replacement() -> None:
    (order,) = epoch_order(50, "replace", seed=3, epoch=4)
    np.testing.assert_array_equal(order, random.draws(50, 3, 4))
    assert len(np.unique(order)) < 50, "some row comes twice"


def test_in_the_order_of_the_data() -> None:
    np.testing.assert_array_equal(epoch_order(4, False, 3, 9, members=2), [[0, 1, 2, 3]] * 2)


def test_an_order_from_outside() -> None:
    np.testing.assert_array_equal(epoch_order(4, lambda epoch: [epoch, 0, 0], 0, epoch=2), [[2, 0, 0]])
    np.testing.assert_array_equal(epoch_order(4, lambda epoch: [1, 2], 0, 0, members=2), [[1, 2], [1, 2]])
    np.testing.assert_array_equal(epoch_order(4, lambda epoch: [[1, 2], [3, 0]], 0, 0, members=2), [[1, 2], [3, 0]])


@pytest.mark.parametrize("order", [[0, 4], [-1], [], [0.5], ["a"], 3, [[0], [1]], None])
def test_orders_that_cant_be_used(order: Any) -> None:
    with pytest.raises(InputError, match="the row order that `shuffle` returned must hold row numbers from 0 to 3"):
        epoch_order(4, lambda epoch: order, 0, 0)


@pytest.mark.parametrize("shuffle", ["yes", 1, None, "True"])
def test_ways_to_shuffle_that_dont_exist(shuffle: Any) -> None:
    with pytest.raises(InputError, match='it must be True, False, "replace" or a function of the epoch'):
        epoch_order(4, shuffle, 0, 0)
