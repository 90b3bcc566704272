"""Several targets: which columns, which rows, how splits keep them, and how much each one's loss counts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from chainrule import InputError
from chainrule.folds import fold_parts
from chainrule.tables.target import TargetPlan
from chainrule.tables.targets import (
    check_known,
    encode_known,
    head_names,
    known_rows,
    plan_targets,
    strata,
    target_names,
    usual_weight,
)

FRAME = pl.DataFrame(
    {"g": ["f", "m", None, "f"], "a": [1.5, None, None, 4.0], "a,b": [1, 2, 3, 4], "x": [0.0, 1, 2, 3]}
)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("g", ("g",)),
        ("g,a", ("g", "a")),
        (" g , a ", ("g", "a")),
        (["a", "g"], ("a", "g")),
        (["g,a", "x"], ("g", "a", "x")),
        ("a,b", ("a,b",)),
        (["a,b", "a"], ("a,b", "a")),
        (7, ("7",)),
    ],
)
def test_how_targets_are_named(given, names):
    assert target_names(FRAME, given) == names


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("g,A", 'no column "A", one of the 2 targets. Did you mean "a"'),
        ("g,g", 'the target "g" is named twice'),
        (["a", "g", "a"], 'the target "a" is named twice'),
        ("g,,a", 'the target is "g,,a": name a column'),
        ([], 'the target is "": name a column'),
        ("", 'the target is "": name a column'),
        (None, 'the target is "None": name a column'),
        ([None], 'the target is "None": name a column'),
    ],
)
def test_names_that_cant_be(given, message):
    with pytest.raises(InputError, match=message):
        target_names(FRAME, given)


def test_tasks_by_name():
    frame = pl.DataFrame({"a": [0, 1, 1, 0], "b": [0.5, 1, 2, 3], "c": ["x", "y", "x", "y"]})
    assert [plan.task for plan in plan_targets(frame, ["a", "b"], {"a": "regression"})] == ["regression"] * 2
    assert [plan.task for plan in plan_targets(frame, ["a"], "regression")] == ["regression"]
    with pytest.raises(InputError, match=r'there is no target "aa". Did you mean "a"'):
        plan_targets(frame, ["a", "b"], {"aa": "regression"})
    with pytest.raises(InputError, match="there are the targets a, b: say it by name, a=regression"):
        plan_targets(frame, ["a", "b"], "regression")


def test_heads_are_called_after_columns_as_far_as_layers_can_be():
    names = ["mood", "mood of the day", "mood/of [the] day", "hidden", "numbers", "x_numbers", "output", "[]", "Größe"]
    heads = head_names([TargetPlan(name, "regression", "") for name in names])
    assert heads == (
        "mood", "mood_of_the_day", "mood_of_the_day_", "head_hidden", "head_numbers", "x_numbers_", "head_output",
        "head", "Größe",
    )  # fmt: skip
    assert head_names([TargetPlan("mood", "regression", "")]) == ("output",)


def test_rows_that_know_one_target_count():
    frame = pl.DataFrame({"g": ["f", "m", None, "f", "m"], "a": [1.5, None, None, 4.0, 3.0]})
    targets = plan_targets(frame, ["g", "a"])
    assert known_rows(targets, frame).tolist() == [True, True, False, True, True]
    g, a = (encode_known(target.fit(target.known_rows(frame)), frame) for target in targets)
    np.testing.assert_array_equal(g, [0, 1, np.nan, 0, 1])
    assert np.isnan(a).tolist() == [False, True, True, False, False]
    assert np.nanmean(a) == pytest.approx(0, abs=1e-7)


def test_splits_keep_the_shares_of_labels_and_of_classes():
    rng = np.random.default_rng(0)
    y, z = rng.integers(0, 2, 400).astype(float), rng.normal(size=400)
    y[rng.random(400) < 0.9], z[rng.random(400) < 0.5] = np.nan, np.nan
    targets = [TargetPlan("y", "classification", "", classes=("a", "b")), TargetPlan("z", "regression", "")]
    labels = strata(targets, [y, z])
    parts = fold_parts(400, 8, 8, labels=labels)
    for part in parts:
        for k in (0, 1):
            assert abs((y[part.held_out] == k).sum() - (y == k).sum() / 8) <= 2
        assert abs((~np.isnan(z[part.held_out])).sum() - (~np.isnan(z)).sum() / 8) <= 3


def test_strata_of_one_target_are_its_classes():
    y = np.array([0, 1, 1])
    assert strata([TargetPlan("y", "classification", "", classes=("a", "b"))], [y]) is y
    assert strata([TargetPlan("y", "regression", "")], [np.ones(3)]) is None


def test_too_few_rows_aren_t_cut_into_many_strata():
    targets = [TargetPlan("y", "classification", "", classes=tuple("abc")), TargetPlan("z", "regression", "")]
    assert strata(targets, [np.array([0.0, 1, 2, np.nan]), np.array([np.nan, 1, np.nan, 1])]) is None


def test_losses_count_by_what_the_trivial_answer_costs():
    several = TargetPlan("y", "classification", "", classes=("a", "b", "c"))
    y = np.array([0, 0, 1, np.nan, 2, 2])
    shares = np.array([2, 1, 2]) / 5
    assert usual_weight(several, y) == pytest.approx(-1 / (shares * np.log(shares)).sum())
    assert usual_weight(several, np.array([1.0, 1.0])) == 1.0, "of one class alone there is nothing to divide by"
    assert usual_weight(TargetPlan("z", "regression", ""), np.ones(3)) == 1.0


def test_a_target_that_no_row_of_a_part_knows():
    targets = [TargetPlan("y", "regression", ""), TargetPlan("z", "regression", "")]
    with pytest.raises(InputError, match='none of the 2 rows to train on has a value of the target "z"'):
        check_known(targets, [np.ones(2), np.full(2, np.nan)], "to train on")
