"""What columns are taken for."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from chainrule.errors import InputError
from chainrule.tables import ColumnPlan, plan_columns, plan_target, read_table

N = list(range(30))
DATA = Path(__file__).parents[3] / "shared" / "data"
SUITE = json.loads((Path(__file__).parent / "suite_columns.json").read_text())
NAMES = [f"person {i}" for i in N]
MANY = [f"town {i}" for i in range(1001)] * 2
MOST = [*MANY[:1001], *MANY[:500]]


def plan(values: list[Any], name: str = "a", **options: Any) -> ColumnPlan:
    """The plan of one column beside one that can be learned from."""
    frame = pl.DataFrame({name: values, "other": np.arange(len(values)) % 7}, strict=False)
    return plan_columns(frame, **options)[0]


@pytest.mark.parametrize(
    ("values", "kind", "unit", "reason"),
    [
        ([1, 2, None], "numeric", "number", "numbers"),
        ([1.5, float("nan"), 2], "numeric", "number", "numbers"),
        ([True, False, None], "numeric", "boolean", "true/false, as 1 and 0"),
        ([date(2020, 1, 1), date(2021, 1, 1)], "date", "date", "how late, and year, month"),
        ([timedelta(1), timedelta(2)], "numeric", "duration", "durations, in days"),
        ([time(1), time(2)], "numeric", "time", "times of day, in days"),
        (["1", "2.5", ""], "numeric", "number", "every value is a number"),
        (["2020-01-01", "2021-01-01"], "date", "date", "text with dates"),
        ([1, None, 1], "numeric", "number", "numbers"),
        (["x", "y", None], "categorical", None, "text"),
        (["x", None, "x"], "categorical", None, "text"),
        (["01", "2"], "categorical", None, "begin with a zero"),
        (["5%", "10%"] * 9, "categorical", None, "text"),
        ([5, 5], "dropped", None, "all values are the same"),
        (["x", "x"], "dropped", None, "all values are the same"),
        ([None, None], "dropped", None, "all values are missing"),
        (["", " "], "dropped", None, "all values are missing"),
        ([float("nan")] * 2, "dropped", None, "all values are missing"),
        (NAMES, "dropped", None, "differs in nearly every row"),
        (MANY, "categorical", None, "text"),
        (MOST, "dropped", None, "differs in most rows"),
        ([[1], [2]], "dropped", None, "neither numbers nor text"),
        ([{"x": 1}, {"x": 2}], "dropped", None, "neither numbers nor text"),
        ([b"x", b"y"], "dropped", None, "neither numbers nor text"),
    ],
)
def test_kinds(values: list[Any], kind: str, unit: str | None, reason: str) -> None:
    found = plan(values)
    assert (found.kind, found.unit) == (kind, unit)
    assert reason in found.reason


def test_counts() -> None:
    assert plan([1, 1, 2, None, float("nan")]).missing == 2
    assert plan([1, 1, 2, None, float("nan")]).distinct == 2
    assert plan(["x", "1", "1.0", " ", None]).missing == 2
    assert plan(["x", "1", "1.0", " ", None]).distinct == 2
    assert str(plan(["x", "y", None])) == "a: categorical (text, 2 different, 1 missing)"


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["1", "2"])])
def test_declared_categories_are_not_numbers(dtype: Any) -> None:
    frame = pl.DataFrame({"a": pl.Series(["1", "2"], dtype=dtype)})
    assert plan_columns(frame)[0].kind == "categorical"


@pytest.mark.parametrize("name", ["", "id", "Index", "Unnamed: 0", "row_number", "rownames"])
def test_numbered_rows_are_dropped(name: str) -> None:
    assert plan(N, name).kind == "dropped"
    assert plan([i + 1 for i in N], name).reason == "it numbers the rows"
    assert plan([i % 9 for i in N], name).kind == "numeric"
    assert plan(N, name, kinds={name: "numeric"}).kind == "numeric"


def test_a_column_that_counts_under_another_name_stays() -> None:
    assert plan(N, "hour").kind == "numeric"


def test_limit_of_categories() -> None:
    assert plan(MANY, max_categories=1001).kind == "categorical"
    assert plan(["x", "y", "z"] * 9, max_categories=2).kind == "dropped"
    with pytest.raises(InputError, match=r"1,001 different values, more than the 1,000 .*set max_categories higher"):
        plan(MANY, max_categories=1000, kinds={"a": "categorical"})


@pytest.mark.parametrize("name", ["id", "customer_id", "customerId", "key", "Order ID", "uuid"])
def test_whole_numbers_that_differ_in_every_row_identify_if_they_are_called_so(name: str) -> None:
    shuffled = [i * 7919 % 977 for i in N]
    assert plan(shuffled, name).reason.startswith("an identifier")
    assert plan(shuffled, name, kinds={name: "numeric"}).kind == "numeric"
    assert plan(shuffled, "width").kind == "numeric"
    assert plan([i + 0.5 for i in shuffled], name).kind == "numeric"


def test_kinds_can_be_given() -> None:
    assert plan([1, 2, 1], kinds={"a": "categorical"}).kind == "categorical"
    assert plan(NAMES, kinds={"a": "categorical"}).kind == "categorical"
    assert plan(["01", "2"], kinds={"a": "numeric"}).unit == "number"
    assert plan(["2020-01-01", "2020-01-02"], kinds={"a": "numeric"}).unit == "date"
    assert plan([1, 2], kinds={"a": "dropped"}).reason == "as asked"
    assert plan([[1], [2]], kinds={"a": "dropped"}).kind == "dropped"
    mostly = [str(i) for i in range(19)] + ["x"]
    assert plan(mostly, kinds={"a": "categorical"}).kind == "categorical"


@pytest.mark.parametrize(
    ("values", "kinds", "says"),
    [
        (N, {"A": "numeric"}, r'no column "A". Did you mean "a"\? Its columns are "a", "other"'),
        (N, {"a": "number"}, 'is \'number\': it must be "numeric", "categorical", "date", "dropped"'),
        (["x", "y"], {"a": "numeric"}, r'text in rows 1, 2 of the data \("x", "y"\)'),
        ([[1], [2]], {"a": "numeric"}, "values, which can't be numeric"),
    ],
)
def test_kinds_that_cannot_be(values: list[Any], kinds: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        plan(values, kinds=kinds)


def test_text_among_numbers() -> None:
    ages = [str(i) for i in range(28)]
    says = r'column "a" has text in rows 29, 30 of the data \("n/a", "-"\) among numbers: put'
    with pytest.raises(InputError, match=says):
        plan([*ages, "n/a", "-"])
    with pytest.raises(InputError, match=r'row 10 of the data \("x"\)'):
        plan([*ages[:9], "x"])
    assert plan([*ages[:8], "x", "y"]).kind == "categorical"


@pytest.mark.parametrize("form", ["${},000", "{}%", "{} €", "1'{:03}", "{},5"])
def test_numbers_written_for_people_are_not_dropped_in_silence(form: str) -> None:
    with pytest.raises(InputError, match=r'column "a" has numbers written as text in rows 1, 2'):
        plan([form.format(i) for i in N])


@pytest.mark.parametrize("form", ["+49 30 {:05}", "{}-{}", "v{}", "{} kg"])
def test_other_text_with_digits_is_dropped(form: str) -> None:
    assert plan([form.format(i, i) for i in N]).kind == "dropped"


def test_the_limit_is_checked() -> None:
    with pytest.raises(InputError, match="max_categories is 0; it must be a whole number"):
        plan(N, max_categories=0)


def test_infinite_numbers() -> None:
    with pytest.raises(InputError, match=r'column "a" is infinite in rows 2, 3 of the data'):
        plan([1.0, float("inf"), -float("inf")])


def test_the_target_is_left_out_and_its_missing_rows_do_not_count() -> None:
    y = [None, *N[1:-1], float("nan")]
    frame = pl.DataFrame({"a": [None, *["x", "z"] * 14, "y"], "y": y}, strict=False)
    (only,) = plan_columns(frame, target="y")
    assert (only.name, only.missing, only.distinct) == ("a", 0, 2)
    two = frame.with_columns(b=pl.lit(1) + pl.col("y"))
    assert [each.name for each in plan_columns(two, target=["y", "b"])] == ["a"]


def test_messages_count_the_rows_of_the_whole_table() -> None:
    frame = pl.DataFrame({"a": ["1"] * 20 + ["x"], "y": [None, None, *range(19)]})
    with pytest.raises(InputError, match="row 21 of the data"):
        plan_columns(frame, target="y")


def test_nothing_to_learn_from() -> None:
    frame = pl.DataFrame({"a": [1, 1], "name": ["", ""], "y": [1, 2]})
    says = r'no column is left to learn from: "a" \(all values are the same\), "name" \(all'
    with pytest.raises(InputError, match=says):
        plan_columns(frame, target="y")
    with pytest.raises(InputError, match="the table has no other columns"):
        plan_columns(frame.select("y"), target="y")
    with pytest.raises(InputError, match=r'no column "Y". Did you mean "y"'):
        plan_columns(frame, target="Y")
    with pytest.raises(InputError, match='every value of "y" is missing'):
        plan_columns(pl.DataFrame({"a": [1, 2], "y": [None, None]}), target="y")


@pytest.mark.skipif(not DATA.is_dir(), reason="the data sets aren't here")
@pytest.mark.parametrize("name", SUITE)
def test_columns_of_the_data_sets_are_taken_for_what_they_are(name: str) -> None:
    expected = SUITE[name]
    path = DATA / f"{name}.csv"
    frame = read_table(path if path.is_file() else DATA / "suite" / f"{name}.csv.gz")
    plans = plan_columns(frame, target=expected["target"])
    assert {one.name: one.kind for one in plans} == expected["columns"]
    assert plan_target(frame, expected["target"]).task == expected["task"]
