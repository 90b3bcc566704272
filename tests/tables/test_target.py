"""What is to be predicted."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InputError
from chainrule.tables import TargetPlan, plan_target

NAN = float("nan")
N = list(range(30))


def frame(values: list[Any], dtype: Any = None) -> pl.DataFrame:
    return pl.DataFrame({"y": pl.Series(values, dtype=dtype, strict=False)})


def plan(values: list[Any], task: Any = None, dtype: Any = None) -> TargetPlan:
    return plan_target(frame(values, dtype), "y", task)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["b", "a"] * 2, ("a", "b")),
        ([True, False] * 2, (False, True)),
        ([0, 1] * 2, (0, 1)),
        ([7, -7] * 2, (-7, 7)),
        ([1, 2, 3] * 5, (1, 2, 3)),
        ([float(i) for i in range(10)] * 20, tuple(float(i) for i in range(10))),
        ([1.0, NAN, 2.0, None, 1.0, 2.0], (1.0, 2.0)),
        (["1", "2"] * 2, ("1", "2")),
        (["01", "2"] * 2, ("01", "2")),
        ([" a", "a", "b", "b "], ("a", "b")),
        (["2020-01-01", "2020-01-02"] * 2, ("2020-01-01", "2020-01-02")),
    ],
)
def test_classes_in_the_users_type(values: list[Any], classes: tuple[Any, ...]) -> None:
    found = plan(values)
    assert found.task == "classification"
    assert found.classes == classes
    assert [type(each) for each in found.classes] == [type(each) for each in classes]
    assert json.loads(json.dumps(found.to_dict()))["classes"] == list(classes)


@pytest.mark.parametrize(
    "values",
    [N, [1.5, 2.5] * 9, [1, 2, 3], list(range(6)) * 10, [str(i) for i in N], list(range(21)) * 30],
)
def test_numbers_to_predict(values: list[Any]) -> None:
    assert plan(values).task == "regression"


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum([str(i) for i in N])])
def test_declared_categories(dtype: Any) -> None:
    found = plan([str(i) for i in N] * 2, dtype=dtype)
    assert (found.task, len(found.classes)) == ("classification", 30)


def test_the_task_can_be_given() -> None:
    assert plan([0, 1, 0, 1], "regression").task == "regression"
    assert plan([True, False], "regression").task == "regression"
    assert plan(["1", "2"], "regression").task == "regression"
    assert plan(N * 2, "classification").classes == tuple(N)
    assert plan([0.5, 1.5] * 2, "classification").classes == (0.5, 1.5)


def test_missing_targets_are_counted_and_left_out() -> None:
    found = plan(["a", None, "b", "", "a", "b"])
    assert (found.missing, found.counts) == (2, (2, 2))
    assert found.known_rows(frame(["a", None, " "])).height == 1
    assert str(found) == "y: classification with 2 classes (text, 2 rows without it left out)"
    assert plan([1.5, NAN, None, 2]).missing == 2


@pytest.mark.parametrize(
    ("values", "task", "says"),
    [
        ([None, None], None, 'target "y" is missing in every row'),
        (["", " "], None, "missing in every row"),
        (["a", "a", None], None, "one class only, 'a': there is nothing to tell apart"),
        (["a", "a", "b"], None, 'one row only of class "b": each class needs at least 2'),
        (N, "classification", 'one row only of classes "0", "1", .*25 more'),
        ([5, 5, 5], None, "is 5 in every row: there is nothing to learn"),
        (["a", "b"] * 2, "regression", r'text in rows 1, 2, 3, 4 of the data \("a", "b"\), so'),
        (["1", None, "x"], "regression", r'text in row 3 of the data \("x"\)'),
        ([*["1", "2"] * 20, "x"], None, r'row 41 of the data \("x"\).*or task="classification"'),
        ([1.0, 2.0, float("inf")], None, "infinite in row 3 of the data"),
        ([1.0, 2.0, float("inf")], "classification", "infinite in row 3 of the data"),
        ([1, 2], "clasification", r'Did you mean "classification"\?'),
        ([date(2020, 1, 1), date(2021, 1, 1)], None, "Date values, which can't be predicted"),
        ([[1], [2]], None, "it must hold numbers, text or true/false"),
    ],
)
def test_what_cannot_be_predicted(values: list[Any], task: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        plan(values, task)


@pytest.mark.parametrize(
    ("values", "task", "doubt"),
    [
        ([1, 2, 3] * 20, None, "regression"),
        (list(range(1, 11)) * 9, None, "classification"),
        ([0, 1] * 20, None, None),
        (N, None, None),
        ([0.5, 1.5] * 20, None, None),
        (["a", "b"] * 5, None, None),
        ([1, 2, 3] * 20, "classification", None),
    ],
)
def test_a_few_whole_numbers_may_mean_either(values: list[Any], task: Any, doubt: str | None) -> None:
    assert plan(values, task).doubt == doubt


def test_a_name_that_is_not_there() -> None:
    table = pl.DataFrame({"species": ["a", "b"], "island": [1, 2]})
    says = r'no column "Specie", the target. Did you mean "species"\? .* "species", "island"'
    with pytest.raises(InputError, match=says):
        plan_target(table, "Specie")
    with pytest.raises(InputError, match=r'no column "0", the target\. Its columns'):
        plan_target(table, 0)  # type: ignore[arg-type]  # wrong on purpose


def test_classes_there_and_back() -> None:
    found = plan(["no", "yes"] * 2)
    places = found.encode(frame(["yes", "no", " yes"]))
    assert places.tolist() == [1, 0, 1]
    assert places.dtype == np.int64
    assert found.decode(places).tolist() == ["yes", "no", "yes"]
    assert found.values(frame(["yes"])).tolist() == ["yes"]
    assert found.fit(frame(["yes"])) is found


@pytest.mark.parametrize(
    ("trained", "given"),
    [
        ([0, 1] * 2, ["0", "1"]),
        (["0", "1"] * 2, [0, 1]),
        ([0, 1] * 2, [0.0, 1.0]),
        ([False, True] * 2, ["False", "true"]),
        (["False", "True"] * 2, [False, True]),
    ],
)
def test_a_class_is_the_same_in_every_type(trained: list[Any], given: list[Any]) -> None:
    assert plan(trained).encode(pd.DataFrame({"y": given})).tolist() == [0, 1]


def test_targets_that_the_plan_does_not_know() -> None:
    found = plan(["a", "b"] * 2)
    with pytest.raises(InputError, match=r'has "c" in rows 2, 3 of the data.*classes are a, b'):
        found.encode(frame(["a", "c", "c"]))
    with pytest.raises(InputError, match="missing in row 2 of the data"):
        found.encode(frame(["a", None]))
    with pytest.raises(InputError, match='no column "y", the target'):
        found.encode(pl.DataFrame({"z": [1]}))
    number = plan([1.5, 2.0, 7.0])
    with pytest.raises(InputError, match="missing in row 2"):
        number.encode(frame([1.5, NAN]))
    with pytest.raises(InputError, match="text in row 2"):
        number.encode(frame(["1.5", "x"]))


@examples(50)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=20, unique=True))
def test_numbers_there_and_back(values: list[float]) -> None:
    table = frame([value + 0.5 for value in values])
    found = plan_target(table, "y", task="regression") if len(set(table["y"])) > 1 else None
    if found is None or np.ptp(table["y"].to_numpy()) < 1e-3:
        return
    found = found.fit(table)
    encoded = found.encode(table)
    assert encoded.dtype == np.float32
    assert encoded.mean(dtype=np.float64) == pytest.approx(0, abs=1e-5)
    assert encoded.std(dtype=np.float64) == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(found.decode(encoded), found.values(table), atol=1e-6 * 1e6)


@pytest.mark.parametrize("values", [["a", "b"] * 2, [True, False] * 2, [0.5, 1.25, 7.0]])
def test_json_round_trip(values: list[Any]) -> None:
    found = plan(values).fit(frame(values))
    assert TargetPlan.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize("form", [{}, {"name": "y", "task": "guess"}, {"name": 1}])
def test_json_that_is_no_plan(form: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"isn't a target plan"):
        TargetPlan.from_dict(form)
