"""Dates, times of day and durations: from the text in cells, and to the numbers that a network takes, in days."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

_DAY: Final = r"^\d{4}-\d{2}-\d{2}$"
_MOMENT: Final = r"^(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
# What a moment may leave out, put in: the time of day, the seconds, the zone.
_FILLED: Final = (
    ("T", " "),
    (r"^(\S+)$", "${1} 00:00"),
    (r"( \d{2}:\d{2})(Z|[+-].*)?$", "${1}:00${2}"),
    (r"( [\d:.]+)Z?$", "${1}+00:00"),
)
_TICKS_A_DAY: Final = {"ms": 86_400e3, "us": 86_400e6, "ns": 86_400e9}


def first_known(text: pl.Series) -> str:
    """The first cell of a column of text that isn't missing; empty where all are."""
    return next((cell for cell in text if cell is not None), "")


def iso_dates(text: pl.Series) -> pl.Series | None:
    """Text as dates or moments, when every cell is one in ISO 8601; otherwise nothing.

    Moments are given in UTC, which is also the zone of those that name none. Other notations stay
    text: nothing in `03/04/2020` tells the day from the month.

    >>> import polars as pl
    >>> iso_dates(pl.Series(["2020-02-29"])).to_list(), iso_dates(pl.Series(["29.2.2020"]))
    ([datetime.date(2020, 2, 29)], None)
    """
    if not re.match(_MOMENT, first_known(text)):  # a look at one cell spares most columns the work
        return None
    if text.str.contains(_DAY).all():
        dates = text.str.to_date("%Y-%m-%d", strict=False)
    elif text.str.contains(_MOMENT).all():
        for pattern, filled in _FILLED:
            text = text.str.replace(pattern, filled)
        dates = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", strict=False, time_zone="UTC")
    else:
        return None
    return dates if dates.null_count() == text.null_count() else None


def in_days(series: pl.Series) -> pl.Series:
    """Dates and moments as Float64 days since 1970-01-01 in UTC, durations and times of day as days.

    >>> from datetime import date, timedelta
    >>> import polars as pl
    >>> in_days(pl.Series([date(1970, 1, 3), None])).to_list(), in_days(pl.Series([timedelta(hours=6)])).to_list()
    ([2.0, None], [0.25])
    """
    import polars as pl

    ticks = series.to_physical().cast(pl.Float64)
    if series.dtype == pl.Date:  # its ticks are days
        return ticks
    return ticks / _TICKS_A_DAY[getattr(series.dtype, "time_unit", "ns")]
