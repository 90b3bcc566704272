"""The type of a column of text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from chainrule.tables.inference import MISSING, iso_dates, typed_frame


def typed(cells: list[str], **options: bool) -> list[Any]:
    return typed_frame(pl.DataFrame({"a": cells}), **options)["a"].to_list()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["1", "2.5", "1e3", ".5"], [1.0, 2.5, 1000.0, 0.5]),
        (["1", "99999999999999999999"], [1.0, 1e20]),
        (["inf", "1"], [float("inf"), 1.0]),
        (["0", "0.5", "-0.5"], [0.0, 0.5, -0.5]),
        (["007", "12"], ["007", "12"]),
        (["true", "False", "TRUE"], [True, False, True]),
        (["true", "1"], ["true", "1"]),
        (["1,5", "2"], ["1,5", "2"]),
        (["2020-02-29", "1969-12-31"], [date(2020, 2, 29), date(1969, 12, 31)]),
        (["2020-02-30"], ["2020-02-30"]),
        (["03/04/2020"], ["03/04/2020"]),
        ([" x ", "y"], ["x", "y"]),
        (["1", "x"], ["1", "x"]),
    ],
)
def test_the_whole_column_decides(cells: list[str], values: list[Any]) -> None:
    found = typed(cells)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize("cell", [*MISSING, " NA "])
def test_missing_cells(cell: str) -> None:
    assert typed([cell, "1"]) == [None, 1]
    assert typed([cell, "x"]) == [None, "x"]
    assert typed([cell]) == [None]


def test_decimal_comma() -> None:
    assert typed(["1,5", "-2", "NA"], decimal_comma=True) == [1.5, -2.0, None]
    assert typed(["1,5", "x"], decimal_comma=True) == ["1,5", "x"]


def test_moments_of_every_form_in_one_column() -> None:
    cells = ["2020-01-01", "2020-01-01T10:00", "2020-01-01 10:00:01.5Z", "2020-01-01T10:00+02:00"]
    expected = [
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2020, 1, 1, 10, tzinfo=UTC),
        datetime(2020, 1, 1, 10, 0, 1, 500_000, tzinfo=UTC),
        datetime(2020, 1, 1, 8, tzinfo=UTC),
    ]
    found = iso_dates(pl.Series(cells))
    assert found is not None
    assert found.to_list() == expected
    assert iso_dates(pl.Series(["2020-01-01T25:00"])) is None
