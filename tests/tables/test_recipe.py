"""What is decided for somebody who says nothing, and what goes before it."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.tables.preparation import prepare_table
from chainrule.tables.recipe import MEMBERS, PORTFOLIO, TrainingPlan, recipe
from chainrule.tables.settings import Settings


@pytest.fixture(scope="module")
def prepared():
    return prepare_table("iris", "target", validation=None)


def test_efforts(prepared):
    (quick,), (good,), best = (recipe(prepared, effort) for effort in ("quick", "good", "best"))
    assert quick.members == 1
    assert (good.members, good.folds) == (MEMBERS, MEMBERS)
    assert len(best) == 1 + len(PORTFOLIO)
    assert best[0] == good
    assert {way.members for way in best} == {MEMBERS}


def test_what_is_given_goes_before_the_recipe(prepared):
    for way in recipe(prepared, "best", hidden=(8,), epochs=3, members=4):
        assert (way.hidden, way.epochs, way.members, way.folds) == ((8,), 3, 4, 4)
    given = {"hidden": (8,), "dropout": 0.1, "activation": "relu", "l2": 0.1}
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
