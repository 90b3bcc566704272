"""One column as numbers, or as categories."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InputError
from chainrule.tables.column_values import Unit, as_categories, as_numbers, known

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "unit", "numbers"),
    [
        ([1, None, -2], "number", [1, NAN, -2]),
        ([1.5, NAN, None], "number", [1.5, NAN, NAN]),
        ([Decimal("1.5")], "number", [1.5]),
        ([True, None, False], "boolean", [1, NAN, 0]),
        ([True, False], "number", [1, 0]),
        ([1, 0], "boolean", [1, 0]),
        (["True", "false", " 1 ", ""], "boolean", [1, 0, 1, NAN]),
        ([" 1", "2.5", "", "007"], "number", [1, 2.5, NAN, 7]),
        ([None, None], "number", [NAN, NAN]),
        ([date(1970, 1, 3), None, date(1969, 12, 31)], "date", [2, NAN, -1]),
        ([datetime(1970, 1, 2, 12)], "date", [1.5]),
        (["1970-01-03", ""], "date", [2, NAN]),
        ([timedelta(hours=36)], "duration", [1.5]),
        ([time(6)], "time", [0.25]),
    ],
)
def test_numbers(values: list[Any], unit: Unit, numbers: list[float]) -> None:
    found = as_numbers(pl.Series("a", values), unit)
    np.testing.assert_array_equal(found, numbers)
    assert found.dtype == np.float64
    assert found.flags.writeable


def test_moments_in_other_zones_and_resolutions() -> None:
    there = pl.Series([datetime(1970, 1, 2)]).dt.replace_time_zone("Etc/GMT+12")
    assert as_numbers(there, "date").tolist() == [1.5]
    for resolution in ("ms", "us", "ns"):
        moments = pl.Series([datetime(1970, 1, 2)], dtype=pl.Datetime(resolution))
        assert as_numbers(moments, "date").tolist() == [1.0]


@pytest.mark.parametrize(
    ("values", "unit", "says"),
    [
        (["1", "n/a", "2", "-"], "number", r'text in rows 2, 4 of the data \("n/a", "-"\) where'),
        (["nan"], "number", r'row 1 of the data \("nan"\)'),
        (["true", "maybe"], "boolean", r'row 2 of the data \("maybe"\) where true/false belong'),
        (["2020-01-01", "soon"], "date", "such as 2024-01-31"),
        ([1.0, float("inf")], "number", 'column "a" is infinite in row 2 of the data'),
        (["-inf"], "number", "is infinite in row 1"),
        ([date(2020, 1, 1)], "number", "holds dates where numbers belong: give numbers"),
        ([1], "date", "holds numbers where dates belong"),
        ([[1]], "number", r"holds List\(Int64\) values where numbers belong"),
    ],
)
def test_not_such_numbers(values: list[Any], unit: Unit, says: str) -> None:
    with pytest.raises(InputError, match=says):
        as_numbers(pl.Series("a", values), unit)


def test_rows_of_the_message_can_be_given() -> None:
    with pytest.raises(InputError, match="row 12 of the data"):
        as_numbers(pl.Series("a", ["1", "x"]), rows=np.array([10, 12]))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["a", " a", "", None], ["a", "a", None, None]),
        ([1, None], ["1", None]),
        ([1.0, 1.5, NAN, -0.0], ["1", "1.5", None, "0"]),
        (["1", "1.0", "1.50", "+2", "1e1"], ["1", "1", "1.5", "2", "10"]),
        (["01", "1"], ["01", "1"]),
        (["9007199254740993"], ["9007199254740993"]),
        ([9007199254740993], ["9007199254740993"]),
        ([True, False, None], ["true", "false", None]),
        (["True", "FALSE", "true"], ["true", "false", "true"]),
        (["inf", "nan"], ["inf", "nan"]),
        ([date(2020, 1, 2)], ["2020-01-02"]),
    ],
)
def test_categories(values: list[Any], names: list[str | None]) -> None:
    assert as_categories(pl.Series("a", values)).to_list() == names


def test_categories_of_every_text_type() -> None:
    for dtype in (pl.String, pl.Categorical, pl.Enum(["1.0", "b"])):
        column = pl.Series("a", ["1.0", "b", None], dtype=dtype)
        assert as_categories(column).to_list() == ["1", "b", None]
        assert known(column).to_list() == [True, True, False]


def test_durations_are_no_categories() -> None:
    with pytest.raises(InputError, match=r'column "a" holds Duration.* values, which can\'t be categories'):
        as_categories(pl.Series("a", [timedelta(days=1), None]))


def test_lists_are_no_categories() -> None:
    with pytest.raises(InputError, match=r"List\(Int64\) values, which can't be categories"):
        as_categories(pl.Series("a", [[1]]))


@examples(50)
@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=5))
def test_whole_numbers_have_one_name_in_every_type(numbers: list[int]) -> None:
    names = [str(number) for number in numbers]
    for series in (
        pl.Series(numbers),
        pl.Series([float(number) for number in numbers]),
        pl.Series(names),
        pl.Series([f"{number}.0" for number in numbers]),
    ):
        assert as_categories(series).to_list() == names
