"""Dates as people write them are read back as they were; what may be two dates is said."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.date_forms import epoch_unit, find_dates, from_epochs, read_dates

FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%B %d, %Y", "%d-%b-%Y", "%m/%d/%Y", "%d/%m/%Y %H:%M:%S")
moments = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(lambda at: at.replace(microsecond=0))


@examples(40)
@given(when=st.lists(moments, min_size=1, max_size=20), form=st.sampled_from(FORMS))
def test_what_is_written_is_read_back_or_in_doubt(when: list[datetime], form: str) -> None:
    cells = pl.Series([at.strftime(form) for at in when])
    found = find_dates(cells)
    if found.dates is None:
        assert form[:5] in ("%m/%d", "%d/%m")
        assert "may be a day and its month" in found.doubt
        assert all(at.day <= 12 for at in when)
    else:
        expected = [at if "%H" in form else at.replace(hour=0, minute=0, second=0) for at in when]
        assert found.dates.cast(pl.Datetime("us")).to_list() == expected
        assert read_dates(cells, found.form).cast(pl.Datetime("us")).to_list() == expected


@pytest.mark.parametrize("cells", [["Ulm"], ["1.0.0"], ["12.5"], ["2024"], ["31.02.2024"], ["10-20"], [None]])
def test_what_is_no_date(cells: list[str | None]) -> None:
    found = find_dates(pl.Series(cells, dtype=pl.String))
    assert found.dates is None
    assert not found.doubt


def test_one_that_is_none_among_many_is_pointed_at() -> None:
    found = find_dates(pl.Series(["31.01.2024"] * 20 + ["soon"]))
    assert found.bad is not None
    assert found.bad.arg_true().to_list() == [20]


@pytest.mark.parametrize(("unit", "ticks"), [("seconds", 1), ("milliseconds", 10**3), ("nanoseconds", 10**9)])
def test_time_since_1970(unit: str, ticks: int) -> None:
    at = datetime(2024, 5, 6, 7, 8, 9)
    count = int((at - datetime(1970, 1, 1)) / timedelta(seconds=1)) * ticks
    assert epoch_unit(pl.Series([count])) == unit
    assert from_epochs(pl.Series([count]), unit).to_list() == [at]
    assert epoch_unit(pl.Series([12, 31])) is None
