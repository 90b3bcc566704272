"""Dates as people write them: 31.12.2024, 12/31/24 2:30 PM, 31 Dec 2024, 20241231, and seconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.tables.dates import iso_dates

if TYPE_CHECKING:
    import polars as pl

_TIME: Final = (
    r"(?:(?:T|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*"
    r"(?P<half>[AaPp])?(?:\.?[Mm]\.?)?(?:\s*(?:Uhr|Z|UTC|GMT))?)?$"
)
_TH: Final = r"(?:st|nd|rd|th|\.)?"
_NAMED: Final = r"\p{Alphabetic}{3,9}"
_ORDERS: Final[dict[str, str]] = {
    "year-month-day": r"^(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _TIME,
    "day.month.year": r"^(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _TIME,
    "month/day/year": r"^(?P<month>\d{1,2})[-/](?P<day>\d{1,2})[-/](?P<year>\d{4}|\d{2})" + _TIME,
    "day month year": rf"^(?P<day>\d{{1,2}}){_TH}[-/ ]+(?P<month>{_NAMED})\.?,?[-/ ]+(?P<year>\d{{4}}|\d{{2}})" + _TIME,
    "month day, year": rf"^(?P<month>{_NAMED})\.?[- ]+(?P<day>\d{{1,2}}){_TH},?[- ]+(?P<year>\d{{4}})" + _TIME,
    "year-month": r"^(?P<year>\d{4})[-/](?P<month>\d{2})$",
}  # fmt: skip
_DIGITS: Final = r"^(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})$"
_TIMES: Final = r"^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$"
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"),
        start=1,
    )
    for name in names.split()
}
_PIVOT: Final = 69  # of years with two digits the last that is of this century
_LOOKS: Final = r"^\p{Alphabetic}{3,9}\.?[- ]+\d|^\d{1,4}[-/. ]+(\d|\p{Alphabetic}{3})|^\d{1,2}:\d{2}"
# What ticks since 1970 are in a second, and between which numbers they lie in the years from 1980 to 2100.
_EPOCHS: Final = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_FIRST_SECOND, _LAST_SECOND = 315_532_800, 4_102_444_800
_NEARLY: Final = 0.9
_SEEN: Final = 100  # cells, to tell by


@dataclass(frozen=True)
class FoundDates:
    """What came of a column: its dates with their form, or what is in doubt."""

    dates: pl.Series | None = None
    form: str = ""
    doubt: str = ""
    bad: pl.Series | None = None  # where a cell is none though nearly all are


def read_dates(text: pl.Series, form: str) -> pl.Series:
    """The dates of cells that are written in a form: one that `find_dates` names, or one of `strptime`.

    >>> import polars as pl
    >>> read_dates(pl.Series(["4/3/24", "no"]), "month/day/year").to_list()
    [datetime.date(2024, 4, 3), None]
    """
    import polars as pl

    if form == "ISO":
        dates = iso_dates(text)
        return _ordered(text, _ORDERS["year-month-day"]) if dates is None else dates
    if form in _ORDERS:
        return _ordered(text, _ORDERS[form])
    if form == "yearmonthday":
        return _ordered(text, _DIGITS)
    if form == "time":
        return _times(text)
    if form in _EPOCHS:
        return from_epochs(text.cast(pl.Int64, strict=False), form)
    moments = text.str.to_datetime(form, strict=False, exact=True) if _has_time(form) else None
    return text.str.to_date(form, strict=False) if moments is None else moments


def find_dates(text: pl.Series) -> FoundDates:
    """The dates of a column of text, missing values aside; nothing found where it holds none.

    Raises nothing: what is in doubt is said, such as days and months that may be either.

    >>> import polars as pl
    >>> find_dates(pl.Series(["31.12.2024", "1.1.2025"])).form, find_dates(pl.Series(["3/4/2024", "5/6/2024"])).doubt
    ('day.month.year', '3/4/2024 may be a day and its month, or a month and its day')
    """
    import polars as pl

    sample = text.gather_every(max(1, len(text) // 1000)).drop_nulls()
    if len(sample) < _SEEN:
        sample = text.drop_nulls()
    if not len(sample) or np.count_nonzero(sample.str.contains(_LOOKS)) < _NEARLY * len(
        sample
    ):  # a look at some cells spares most columns the work
        return FoundDates()
    if text.str.contains(_TIMES).all():
        times = _times(text)
        return FoundDates(times, "time") if times.null_count() == text.null_count() else FoundDates()
    iso = iso_dates(text)
    if iso is not None:
        return FoundDates(iso, "ISO")
    present = text.drop_nulls()
    read = {form: _ordered(text, pattern) for form, pattern in _ORDERS.items() if _any(present, pattern)}
    whole = {form: dates for form, dates in read.items() if dates.null_count() == text.null_count()}
    if len(whole) > 1:
        first, second, *_ = whole.values()
        if not first.equals(second):
            example = text.filter(first.to_physical() != second.to_physical())[0]
            return FoundDates(doubt=f"{example} may be a day and its month, or a month and its day")
    if whole:
        form, dates = next(iter(whole.items()))
        return FoundDates(dates, form)
    if not read:
        return FoundDates()
    best = min(read.values(), key=lambda dates: dates.null_count())
    bad = text.is_not_null() & best.is_null()
    if np.count_nonzero(bad) <= (1 - _NEARLY) * len(bad):
        return FoundDates(bad=bad)
    any_form = pl.DataFrame([dates.is_not_null().alias(form) for form, dates in read.items()]).select(
        pl.any_horizontal(pl.all())
    )
    if np.count_nonzero(any_form.to_series()) >= _NEARLY * len(present):
        return FoundDates(doubt=f"dates in several forms, {listed_forms(read)}")
    return FoundDates()


def listed_forms(forms: Iterable[str]) -> str:
    """Forms for a message."""
    return " and ".join(list(forms)[:2])


def epoch_unit(numbers: pl.Series) -> str | None:
    """In what whole numbers would count the time since 1970, if all of them lie between 1980 and 2100."""
    low, high = numbers.min(), numbers.max()
    for unit, ticks in _EPOCHS.items():
        if low is not None and low >= _FIRST_SECOND * ticks and high < _LAST_SECOND * ticks:  # type: ignore[operator]
            return unit
    return None


def from_epochs(numbers: pl.Series, unit: str) -> pl.Series:
    """Moments from the time since 1970.

    >>> import polars as pl
    >>> from_epochs(pl.Series([86_400]), "seconds").to_list()
    [datetime.datetime(1970, 1, 2, 0, 0)]
    """
    import polars as pl

    ticks = numbers * (10**6 // _EPOCHS[unit]) if _EPOCHS[unit] <= 10**6 else numbers // 10**3
    return ticks.cast(pl.Datetime("us"))


def _any(text: pl.Series, pattern: str) -> bool:
    return bool(text.str.contains(pattern).any())


def _ordered(text: pl.Series, pattern: str) -> pl.Series:
    """The dates of cells that a pattern takes apart."""
    import polars as pl

    parts = text.to_frame("text").select(pl.col("text").str.extract_groups(pattern).alias("parts")).unnest("parts")
    has = set(parts.columns)
    month = pl.col("month")
    if pattern in (_ORDERS["day month year"], _ORDERS["month day, year"]):
        month = month.str.slice(0, 3).str.to_lowercase().replace_strict(_MONTHS, default=None, return_dtype=pl.Int64)
    year = pl.col("year").cast(pl.Int64, strict=False)
    short = pl.col("year").str.len_chars() == 2
    year = pl.when(short).then(year + pl.when(year < _PIVOT).then(2000).otherwise(1900)).otherwise(year)
    day = pl.col("day") if "day" in has else pl.lit("1")
    date = pl.concat_str(_padded(year, 4), pl.lit("-"), _padded(month, 2), pl.lit("-"), _padded(day, 2))
    if "hour" not in has or parts["hour"].null_count() == len(parts):
        dates = parts.select(date.str.to_date("%Y-%m-%d", strict=False).alias("date"))
        return dates.to_series().alias(text.name)
    hour = pl.col("hour").cast(pl.Int64, strict=False)
    half = pl.col("half").str.to_lowercase()
    hour = pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour).fill_null(0)
    clock = [_padded(hour, 2), pl.col("minute").fill_null("00"), pl.col("second").fill_null("00")]
    moment = pl.concat_str(date, pl.lit(" "), clock[0], pl.lit(":"), clock[1], pl.lit(":"), clock[2])
    dates = parts.select(moment.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).alias("date"))
    return dates.to_series().alias(text.name)


def _padded(number: pl.Expr, digits: int) -> pl.Expr:
    import polars as pl

    return number.cast(pl.String).str.zfill(digits)


def _times(text: pl.Series) -> pl.Series:
    import polars as pl

    full = text.str.replace(r"^(\d):", "0${1}:").str.replace(r"^(\d{2}:\d{2})$", "${1}:00")
    return full.str.to_time("%H:%M:%S%.f", strict=False).cast(pl.Time)


def _has_time(form: str) -> bool:
    return any(sign in form for sign in ("%H", "%I", "%T", "%R", "%s", "%c"))
