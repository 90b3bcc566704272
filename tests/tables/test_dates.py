"""Dates and times: from text, and in days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from chainrule.tables.dates import in_days, iso_dates


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


def test_in_days() -> None:
    assert in_days(pl.Series([date(1970, 1, 1), date(1969, 12, 31), None])).to_list() == [0.0, -1.0, None]
    assert in_days(pl.Series([datetime(1970, 1, 2, 12)])).to_list() == [1.5]
    assert in_days(pl.Series([datetime(1970, 1, 2, 12)]).cast(pl.Datetime("ms"))).to_list() == [1.5]
    assert in_days(pl.Series([timedelta(hours=-6)])).to_list() == [-0.25]
    assert in_days(pl.Series([time(18)])).to_list() == [0.75]
