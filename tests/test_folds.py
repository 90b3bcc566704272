"""Who leaves out which rows: every row once, classes in proportion, groups whole, held against scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedKFold

from chainrule import InputError
from chainrule.folds import Part, fold_parts, random_parts


def check(parts: list[Part], n_rows: int) -> None:
    for part in parts:
        np.testing.assert_array_equal(np.sort(np.concatenate([part.train, part.held_out])), np.arange(n_rows))
        assert (np.diff(part.train) > 0).all()
        assert (np.diff(part.held_out) > 0).all()


@given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 2**64 - 1), st.integers(1, 3))
def test_every_row_is_left_out_once_by_each_round_of_members(n_rows: int, folds: int, seed: int, rounds: int) -> None:
    folds = min(folds, n_rows)
    parts = fold_parts(n_rows, folds * rounds, folds, seed=seed)
    assert len(parts) == folds * rounds
    check(parts, n_rows)
    sizes = [len(part.held_out) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    for begin in range(0, len(parts), folds):
        held_out = np.concatenate([part.held_out for part in parts[begin : begin + folds]])
        np.testing.assert_array_equal(np.sort(held_out), np.arange(n_rows))


def test_the_seed_and_the_round_decide_who_is_where() -> None:
    first, same, other = (fold_parts(40, 8, 4, seed=seed) for seed in (1, 1, 2))
    for one, two in zip(first, same, strict=True):
        np.testing.assert_array_equal(one.held_out, two.held_out)
    assert not np.array_equal(first[0].held_out, other[0].held_out)
    assert not np.array_equal(first[0].held_out, first[4].held_out)


@given(st.lists(st.sampled_from("abc"), min_size=12, max_size=80), st.integers(2, 5), st.integers(0, 99))
def test_classes_are_in_proportion_as_scikit_learn_s_are(labels: list[str], folds: int, seed: int) -> None:
    y = np.array(labels)
    classes, counts = np.unique(y, return_counts=True)
    if (counts < folds).any():
        return  # scikit-learn warns, or refuses
    ours = fold_parts(len(y), folds, folds, labels=y, seed=seed)
    theirs = StratifiedKFold(folds, shuffle=True, random_state=seed).split(y, y)
    for part, (_, held_out) in zip(ours, theirs, strict=True):
        for name, count in zip(classes, counts, strict=True):
            for rows in (part.held_out, held_out):
                assert abs((y[rows] == name).sum() - count / folds) < 1
    sizes = [len(part.held_out) for part in ours]
    assert max(sizes) - min(sizes) <= 1


@given(st.lists(st.integers(0, 6), min_size=3, max_size=40), st.integers(2, 8))
def test_every_class_stays_in_every_member_s_training_rows(labels: list[int], folds: int) -> None:
    sizes = np.bincount(labels)
    folds = min(folds, int(sizes[sizes > 1].sum()))
    if folds < 2:
        return
    parts = fold_parts(len(labels), folds, folds, labels=labels)
    check(parts, len(labels))
    for part in parts:
        assert set(np.array(labels)[part.train]) == set(labels)


@given(st.lists(st.integers(0, 9), min_size=4, max_size=60), st.integers(2, 5), st.integers(0, 99))
def test_groups_stay_together_and_folds_are_filled_as_scikit_learn_s_are(
    groups: list[int], folds: int, seed: int
) -> None:
    n_groups = len(set(groups))
    if n_groups < 2:
        return
    codes = np.array(groups)
    parts = fold_parts(len(codes), folds, folds, groups=codes, seed=seed)
    check(parts, len(codes))
    assert all(len(part.held_out) for part in parts)
    for part in parts:
        assert not set(codes[part.train]) & set(codes[part.held_out])
    if n_groups >= folds:
        theirs = GroupKFold(folds).split(codes, groups=codes)
        assert sorted(len(p.held_out) for p in parts) == sorted(len(held_out) for _, held_out in theirs)


def test_fewer_groups_than_folds_make_so_many_folds() -> None:
    parts = fold_parts(6, 4, 4, groups=["a", "b", "a", "b", "a", "b"])
    assert [part.held_out.tolist() for part in parts[:2]] in ([[0, 2, 4], [1, 3, 5]], [[1, 3, 5], [0, 2, 4]])
    assert len(parts) == 4


def test_fractions() -> None:
    for part in random_parts(200, 5, 0.15, seed=3):
        assert len(part.held_out) == 30
    labels = np.repeat([0, 1, 2], [150, 40, 10])
    parts = random_parts(200, 5, 0.2, labels=labels)
    check(parts, 200)
    for part in parts:
        assert np.bincount(labels[part.held_out]).tolist() == [30, 8, 2]
    assert not np.array_equal(parts[0].held_out, parts[1].held_out)
    groups = np.arange(200) // 20
    for part in random_parts(200, 3, 0.3, groups=groups):
        assert len(set(groups[part.held_out])) == 3
        assert len(part.held_out) == 60


def test_a_fraction_leaves_one_of_each_class_and_takes_one_row_at_least() -> None:
    labels = [0] * 6 + [1]
    for part in random_parts(7, 4, 0.99, labels=labels):
        assert set(np.array(labels)[part.train]) == {0, 1}
    assert [len(part.held_out) for part in random_parts(7, 2, 0.001)] == [1, 1]
    assert [len(part.held_out) for part in random_parts(7, 2, 0.0)] == [0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fold_parts(5, 6, 6), "folds is 6; of 5 rows to be left out there must be from 2 to 5"),
        (lambda: fold_parts(5, 3, 1), "folds is 1"),
        (lambda: fold_parts(5, 2, 3), "2 members can't leave out 3 folds"),
        (lambda: fold_parts(5, 0, 3), "members is 0"),
        (lambda: fold_parts(3, 3, 3, labels=[1, 2, 3]), "of 0 rows to be left out"),
        (lambda: fold_parts(4, 2, 2, groups=["a"] * 4), "all rows are of one group"),
        (lambda: fold_parts(4, 2, 2, groups=["a"] * 3), r"groups have shape \(3,\): \(4,\) would be right"),
        (lambda: fold_parts(4, 2, 2, labels=[[1], [2], [1], [2]]), r"labels have shape \(4, 1\)"),
        (lambda: random_parts(4, 2, 1.0), "fraction is 1.0"),
        (lambda: random_parts(1, 2, 0.5), "1 row can't be parted in two"),
        (lambda: random_parts(4, 2, 0.5, groups=[7] * 4), "1 group can't be parted in two"),
    ],
)
def test_mistakes(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
