"""What is decided for somebody who says nothing, and what goes before it."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.tables.preparation import prepare_table
from chainrule.tables.recipe import PORTFOLIO, TrainingPlan, recipe
from chainrule.tables.settings import Settings


@pytest.fixture(scope="module")
def prepared():
    return prepare_table("iris", "target", validation=None)


def test_efforts(prepared):
    (quick,), (good,), best = (recipe(prepared, effort) for effort in ("quick", "good", "best"))
    assert quick.members == 1
    assert (good.members, good.folds) == (8, 8)
    assert len(best) == len(PORTFOLIO)
    assert best[0] == good
    assert {way.members for way in best} == {8}


def test_what_is_given_goes_before_the_recipe(prepared):
    for way in recipe(prepared, "best", hidden=(8,), epochs=3, members=4):
        assert (way.hidden, way.epochs, way.members, way.folds) == ((8,), 3, 4, 4)
    given = {"hidden": (8,), "dropout": 0.1, "bins": 4, "activation": "relu", "optimizer": "adam"}
    assert len(recipe(prepared, "best", **given)) == 1, "what is given made them all the same"


@pytest.mark.parametrize(
    ("given", "members", "folds"),
    [
        ({}, 8, 8),
        ({"members": 3}, 3, 3),
        ({"folds": 3}, 8, 3),
        ({"folds": 20}, 20, 20),
        ({"members": 9, "folds": 3}, 9, 3),
    ],
    ids=str,
)
def test_members_and_folds(prepared, given, members, folds):
    (way,) = recipe(prepared, **given)
    assert (way.members, way.folds) == (members, folds)


def test_small_tables_have_folds_of_two_rows():
    table = {"x": list(range(10)), "y": [i * 0.5 for i in range(10)]}
    (way,) = recipe(prepare_table(table, "y", validation=None))
    assert (way.members, way.folds) == (8, 4)


def test_settings_alone_are_one_network():
    assert (Settings().members, Settings().folds) == (1, None)


def test_a_plan_is_made_without_the_table():
    assert TrainingPlan.of("good", 0.2, 0.2).each_holds_out == pytest.approx(0.25), "a fifth of all rows"
    assert TrainingPlan.of("quick", 0.3).shared == 0.3
    with pytest.raises(cr.InputError, match='there is no setting "hiden"'):
        TrainingPlan.of("good", hiden=(3,))
    prepared, ways = TrainingPlan.of("good", epochs=3).prepare("iris", "target")
    assert prepared.rows == {"train": 120, "validation": 0, "test": 30}
    assert [way.epochs for way in ways] == [3]


@pytest.mark.parametrize("effort", ["quick", "good", "best"])
@pytest.mark.parametrize("optimizer", ["lbfgs", "sgd"])
def test_what_does_not_go_with_an_optimizer_is_left_out(prepared, optimizer, effort):
    """L-BFGS takes neither dropout nor batches; the recipe's decay is AdamW's own."""
    for way in recipe(prepared, effort, optimizer=optimizer):
        assert (way.dropout == 0, way.batch_size == "full") == (optimizer == "lbfgs", False)
        assert way.l2 == Settings.l2
    with pytest.raises(cr.InputError, match="refuses dropout"):
        recipe(prepared, effort, optimizer="lbfgs", dropout=0.2)


def test_without_a_hidden_layer_a_network_stays_linear(prepared):
    assert [way.bins for way in recipe(prepared, hidden=())] == [0]
    assert [way.bins for way in recipe(prepared, hidden=(), bins=5)] == [5]


@pytest.mark.parametrize(("rows", "members", "batch"), [(6, 8, 6), (96, 8, 8), (800, 8, 32), (24_000, 5, 128)])
def test_large_tables_have_fewer_networks_and_larger_batches(rows, members, batch):
    table = {"x": np.arange(rows) % 7, "y": np.arange(rows) / 3}
    prepared = prepare_table(table, "y", validation=None, test=0.0)
    (way,) = recipe(prepared)
    assert (way.members, way.steps(prepared)[0]) == (members, batch)


@pytest.mark.parametrize(
    ("columns", "bins", "units", "members"),
    [
        pytest.param(2000, 32, 256, 8, marks=pytest.mark.slow),
        (2001, 0, 64, 8),
        pytest.param(10_001, 0, 64, 3, marks=pytest.mark.slow),
    ],
)
def test_wide_tables_have_narrow_networks_and_few_of_them(columns, bins, units, members):
    table = {f"x{i}": np.arange(20.0) ** (1 + i % 2) for i in range(columns)} | {"y": [0, 1] * 10}
    prepared = prepare_table(table, "y", validation=None)
    (way,) = recipe(prepared)
    assert (way.bins, set(way.hidden), way.members, way.folds) == (bins, {units}, members, members)
    (way,) = recipe(prepared, bins=4, hidden=(9,), members=2)
    assert (way.bins, way.hidden, way.members) == (4, (9,), 2), "what is given goes before"
