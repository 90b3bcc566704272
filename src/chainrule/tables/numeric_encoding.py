"""One numeric column as features: missing values filled, then standardised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.tables.messages import at_rows
from chainrule.tables.scaling import mean_and_scale
from chainrule.tables.values import Unit, as_numbers

if TYPE_CHECKING:
    import polars as pl

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class NumericColumn:
    """A column of numbers as `(x - mean) / scale`, with the median where x is missing.

    Where training rows had missing values, a second feature is 1 in the rows that lack one and 0
    in the others. The median is that of the known training values; mean and scale are those of the
    training rows after filling. Dates and times are in days.

    >>> import polars as pl
    >>> column = NumericColumn.fit(pl.Series("age", [1.0, None, 3.0]))
    >>> column.median, column.indicator, column.feature_names
    (2.0, True, ('age', 'age is missing'))
    """

    name: str
    unit: Unit
    median: float
    indicator: bool
    mean: float
    scale: float

    @classmethod
    def fit(cls, series: pl.Series, unit: Unit = "number") -> NumericColumn:
        """The encoding of the training rows' column."""
        values = as_numbers(series, unit)
        absent = np.isnan(values)
        median = float(np.median(values[~absent])) if not absent.all() else 0.0
        values[absent] = median
        mean, scale = mean_and_scale(values)
        return cls(series.name, unit, median, bool(absent.any()), mean, scale)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in their order."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    def encode_into(self, series: pl.Series, out: NDArray[np.float32]) -> int:
        """Write a column's features to `out` [rows, features]; return how many were missing."""
        values = as_numbers(series, self.unit)
        absent = np.isnan(values)
        values[absent] = self.median
        values -= self.mean
        values /= self.scale
        far = np.flatnonzero(np.abs(values) > _LARGEST)
        if far.size:
            raise InputError(
                f'column "{self.name}" has a number too far from the training rows\' '
                f"(mean {self.mean:g}, deviation {self.scale:g}) in {at_rows(far + 1)}: mend it"
            )
        out[:, 0] = values
        if self.indicator:
            out[:, 1] = absent
        return int(absent.sum())

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON values."""
        return {
            "kind": "numeric",
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "indicator": self.indicator,
            "mean": self.mean,
            "scale": self.scale,
        }
