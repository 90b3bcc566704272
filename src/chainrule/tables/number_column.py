"""A column of numbers as one feature, smooth and of moderate size, and one more for missing values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from chainrule import forms
from chainrule.errors import InputError, at_rows
from chainrule.tables.column_values import Unit, as_numbers

if TYPE_CHECKING:
    import polars as pl

_LARGEST: Final = float(np.finfo(np.float32).max)
_HUGE: Final = float(np.finfo(np.float64).max) / 2
_FURTHEST: Final = 3.0  # from the center, of a smooth column


@dataclass(frozen=True)
class NumericColumn:
    """A column of numbers as `s / sqrt(1 + (s / 3)^2)`, `s = (x - center) / scale`, with the median where x is missing.

    The center is the median of the known training values and the scale the distance between their quartiles (half
    their range where that is 0), so that a few numbers far away don't move the others; nothing is further out than 3
    (Holzmüller, Grinsztajn and Steinwart, 2024). Where training rows had missing values, a second feature is 1 in the
    rows that lack one and 0 in the others. Dates and times are in days. Files of older versions have columns that
    aren't `smooth`: `s` itself, from mean and standard deviation.

    >>> import polars as pl
    >>> column = NumericColumn.fit(pl.Series("age", [1.0, None, 3.0]))
    >>> column.median, column.indicator, column.feature_names
    (2.0, True, ('age', 'age is missing'))
    """

    name: str
    unit: Unit
    median: float
    indicator: bool
    center: float
    scale: float
    smooth: bool = True

    @classmethod
    def fit(cls, series: pl.Series, unit: Unit = "number") -> NumericColumn:
        """The encoding of the training rows' column."""
        values = as_numbers(series, unit)
        known = values[~np.isnan(values)]
        median = _median(known) if known.size else 0.0
        return cls(series.name, unit, median, known.size < values.size, median, _spread(known))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in their order."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    def encode_into(self, series: pl.Series, out: NDArray[np.float32]) -> int:
        """Write a column's features to `out` [rows, features]; return how many were missing."""
        values = as_numbers(series, self.unit)
        absent = np.isnan(values)
        values[absent] = self.median
        with np.errstate(over="ignore"):
            values = (values - self.center) / self.scale
            if self.smooth:
                values = np.clip(values, -_HUGE, _HUGE)
                values /= np.hypot(1, values / _FURTHEST)
        far = np.flatnonzero(np.abs(values) > _LARGEST)
        if far.size:
            raise InputError(
                f'column "{self.name}" has a number too far from the training rows\' '
                f"(mean {self.center:g}, deviation {self.scale:g}) in {at_rows(far + 1)}: mend it"
            )
        out[:, 0] = values
        if self.indicator:
            out[:, 1] = absent
        return int(absent.sum())

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON values."""
        form = {"kind": "numeric", **vars(self)}
        if not self.smooth:
            form["mean"] = form.pop("center")
        return form

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> NumericColumn:
        """The column whose `to_dict` is given; raises what a form that was changed raises."""
        name = forms.text(form["name"])
        if form["kind"] != "numeric" or form["unit"] not in get_args(Unit):
            raise ValueError(f"kind {form['kind']!r}, unit {form.get('unit')!r}")
        smooth = forms.truth(form.get("smooth", False))  # before format 3 there was the mean
        median, center, scale = (forms.finite(form[key]) for key in ("median", "center" if smooth else "mean", "scale"))
        if scale <= 0:
            raise ValueError(f"the scale of {name} is {scale}")
        return cls(name, form["unit"], median, forms.truth(form["indicator"]), center, scale, smooth)


def _median(values: NDArray[np.float64]) -> float:
    """The median of finite numbers, one at least; also where the sum of the two in the middle overflows."""
    huge = np.abs(values).max() > _HUGE
    return float(np.median(values / 2) * 2) if huge else float(np.median(values))


def _spread(known: NDArray[np.float64]) -> float:
    """The distance between the quartiles; where it is 0 half the range; 1 where all numbers are equal."""
    if not known.size:
        return 1.0
    low, lower, upper, high = np.quantile(known / 2, (0, 0.25, 0.75, 1))  # halves: the ends may be far apart
    return float(min(2 * (upper - lower), 2 * _HUGE) or high - low or 1.0)
