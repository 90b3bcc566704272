"""A column of dates as what people mean by them: how late, which year, month, weekday and hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule import forms
from chainrule.tables.column_values import as_numbers
from chainrule.tables.number_column import NumericColumn

if TYPE_CHECKING:
    import polars as pl

    from chainrule.arrays import AnyArray

PARTS: Final = ("year", "month", "weekday", "hour")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SEVERAL: Final = 0.01  # of the rows whose part isn't the usual one, for it to vary


@dataclass(frozen=True)
class DateColumn:
    """A column of dates as numbers: the trend, and the parts that vary.

    The trend is the date in days as a `NumericColumn` has it, with a feature for missing ones. The year is a number.
    Month and hour go in circles: the sine and the cosine of `2 pi (day of the year) / 365.25` and of `2 pi hour / 24`,
    so that December is beside January and 23 o'clock beside 0. Each weekday has a feature of its own. A part that is
    the same in all training rows isn't there. Where the date is missing, so are its parts, as 0.

    >>> import polars as pl
    >>> from datetime import date
    >>> column = DateColumn.fit(pl.Series("day", [date(2024, 1, 5), date(2024, 1, 6)]))
    >>> column.feature_names[:3]
    ('day', 'day: Monday', 'day: Tuesday')
    """

    trend: NumericColumn
    parts: tuple[str, ...]
    first_year: float

    @property
    def name(self) -> str:
        """The column's."""
        return self.trend.name

    @property
    def unit(self) -> str:
        """What its numbers are."""
        return self.trend.unit

    @property
    def indicator(self) -> bool:
        """Whether training rows had missing dates."""
        return self.trend.indicator

    @classmethod
    def fit(cls, series: pl.Series) -> DateColumn:
        """The encoding of the training rows' column."""
        trend = NumericColumn.fit(series, "date")
        days = as_numbers(series, "date")
        days = days[~np.isnan(days)]
        years, months, weekdays, hours = _taken_apart(days)
        varies = {"year": years, "month": months, "weekday": weekdays, "hour": np.floor(hours)}
        first = float(np.floor(years.min())) if years.size else 1970.0
        return cls(trend, tuple(part for part, values in varies.items() if _varies(values)), first)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in their order."""
        names = list(self.trend.feature_names)
        for part in self.parts:
            ends = _WEEKDAYS if part == "weekday" else ("year",) if part == "year" else _circle(part)
            names += [f"{self.name}: {end}" for end in ends]
        return tuple(names)

    def encode_into(self, series: pl.Series, out: NDArray[np.float32]) -> int:
        """Write a column's features to `out` [rows, features]; return how many were missing."""
        place = len(self.trend.feature_names)
        missing = self.trend.encode_into(series, out[:, :place])
        days = as_numbers(series, "date")
        absent = np.isnan(days)
        years, _, weekdays, hours = _taken_apart(np.where(absent, 0.0, days))
        for part in self.parts:
            made: list[AnyArray]
            if part == "year":
                made = [np.clip((years - self.first_year) / 10, -10, 10)]
            elif part == "weekday":
                made = [weekdays == i for i in range(7)]
            else:
                turn = 2 * np.pi * (_of_year(days, absent) if part == "month" else hours / 24)
                made = [np.sin(turn), np.cos(turn)]
            for values in made:
                out[:, place] = np.where(absent, 0.0, values)
                place += 1
        return missing

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON values."""
        return {
            "kind": "date", "name": self.name, "trend": self.trend.to_dict(), "parts": list(self.parts),
            "first_year": self.first_year,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> DateColumn:
        """The column whose `to_dict` is given; raises what a form that was changed raises."""
        parts = forms.texts(form["parts"])
        trend = NumericColumn.from_dict(form["trend"])
        if any(part not in PARTS for part in parts) or trend.name != form["name"] or trend.unit != "date":
            raise ValueError(f"parts {parts!r} of {form['name']!r}")
        return cls(trend, parts, forms.finite(form["first_year"]))


def _circle(part: str) -> tuple[str, str]:
    return f"{part} (sine)", f"{part} (cosine)"


def _varies(values: NDArray[np.float64]) -> bool:
    """Whether a part isn't the same in nearly all rows."""
    if not values.size:
        return False
    _, counts = np.unique(values, return_counts=True)
    return bool(values.size - counts.max() > _SEVERAL * values.size)


def _taken_apart(days: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Year, month, weekday (Monday is 0) and hour of days since 1970-01-01."""
    whole = np.floor(days)
    dates = whole.astype("datetime64[D]")
    years = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    months = dates.astype("datetime64[M]").astype(np.int64) % 12
    weekdays = (whole.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    hours = (days - whole) * 24
    return years.astype(np.float64), months.astype(np.float64), weekdays.astype(np.float64), np.round(hours, 6)


def _of_year(days: NDArray[np.float64], absent: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much of its year is over, in years."""
    whole = np.floor(np.where(absent, 0.0, days)).astype("datetime64[D]")
    begun = whole.astype("datetime64[Y]").astype("datetime64[D]")
    gone: NDArray[np.float64] = (whole - begun).astype(np.float64) / 365.25
    return gone
