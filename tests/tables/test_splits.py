"""Which rows go where."""

from __future__ import annotations

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import InputError
from chainrule.random import SPLIT, permutation
from chainrule.tables import Splits, split_rows

fractions = st.sampled_from([0.0, 0.05, 0.1, 0.2, 1 / 3, 0.45])


def parts(splits: Splits) -> list[np.ndarray]:
    return [splits.train, splits.validation, splits.test]


def check_partition(splits: Splits, n_rows: int) -> None:
    together = np.concatenate(parts(splits))
    assert sorted(together.tolist()) == list(range(n_rows))
    for part in parts(splits):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


@settings(deadline=None)
@given(st.integers(3, 200), fractions, fractions, st.integers(0, 2**64 - 1))
def test_every_row_is_in_one_part(n_rows: int, validation: float, test: float, seed: int) -> None:
    splits = split_rows(n_rows, validation, test, seed=seed)
    check_partition(splits, n_rows)
    for part, fraction in zip(parts(splits)[1:], (validation, test), strict=True):
        assert (part.size > 0) == (fraction > 0)
        assert abs(part.size - fraction * n_rows) < 1 or part.size == 1
    assert splits.train.size


@examples(200)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), fractions, fractions)
def test_classes_are_in_proportion(sizes: list[int], validation: float, test: float) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    n_rows = labels.size
    if n_rows < len(sizes) + (validation > 0) + (test > 0):
        return
    splits = split_rows(n_rows, validation, test, labels=labels)
    check_partition(splits, n_rows)
    shares = np.array([1 - validation - test, validation, test])
    counts = np.array([np.bincount(labels[part], minlength=len(sizes)) for part in parts(splits)])
    assert (counts[0] >= 1).all()
    assert ((counts[1:].sum(axis=1) > 0) == (shares[1:] > 0)).all()
    # Exceptions: the one training row of a tiny class, the one row that keeps a part from being
    # empty.
    if (shares[1:][shares[1:] > 0] * n_rows < 2).any():
        return
    tiny = shares[0] * np.array(sizes) < 1
    off = np.abs(counts - shares[:, None] * np.array(sizes))
    assert (off[:, ~tiny] < 1 + 1e-6).all()
    if not tiny.any():
        assert (np.abs(counts.sum(axis=1) - shares * n_rows) < 1 + 1e-6).all()


def test_many_small_classes_still_give_a_validation_part_of_its_size() -> None:
    splits = split_rows(200, 0.2, labels=np.repeat(np.arange(100), 2))
    assert splits.validation.size == 40


def test_text_labels_in_any_order() -> None:
    labels = np.array(["a", "b"] * 50)
    splits = split_rows(100, 0.2, 0.1, labels=labels, seed=3)
    assert [np.sum(labels[part] == "a") for part in parts(splits)] == [35, 10, 5]


def test_the_seed_decides() -> None:
    one, same, other = (split_rows(100, 0.3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.validation, same.validation)
    assert not np.array_equal(one.validation, other.validation)


def test_the_order_is_that_of_the_packages_own_generator() -> None:
    order = permutation(10, seed=5, epoch=0, stream=SPLIT)
    splits = split_rows(10, 0.2, 0.1, seed=5)
    for part, rows in zip(parts(splits), (order[:7], order[7:9], order[9:]), strict=True):
        assert part.tolist() == sorted(rows)


def test_as_few_rows_as_can_be() -> None:
    for part in parts(split_rows(3, 0.1, 0.1)):
        assert part.size == 1
    assert split_rows(1, 0.0).train.tolist() == [0]
    splits = split_rows(4, 0.4, 0.4, labels=[0, 0, 1, 1])
    assert [part.size for part in parts(splits)] == [2, 1, 1]


@pytest.mark.parametrize(
    ("n_rows", "options", "says"),
    [
        (0, {}, "0 rows can't be split: at least 2 are needed"),
        (1, {}, r"1 row can't be split: at least 2 are needed \(one for training, one for val"),
        (2, {"test": 0.1}, "at least 3 are needed .*one for validation, one for test"),
        (3, {"labels": [0, 1, 2]}, "at least 4 are needed .*one for training of each of 3 classes"),
        (3, {"labels": [0, 1]}, r"labels have shape \(2,\): they must have one entry"),
        (9, {"validation": 1.0}, r"validation is 1.0; it must be a number in \[0, 1\)"),
        (9, {"test": -0.1}, "test is -0.1"),
        (9, {"validation": 0.5, "test": 0.5}, "leave no rows for training"),
        (9, {"seed": -1}, "seed is -1"),
    ],
)
def test_what_cannot_be_split(n_rows: int, options: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        split_rows(n_rows, **options)  # type: ignore[arg-type]  # wrong on purpose
