"""A table as an array of features: fitted on training rows, applied to any rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from chainrule import forms
from chainrule.errors import InputError, at_rows, counted, listed, nearest, quoted
from chainrule.tables.column_values import Unit, as_categories, as_numbers
from chainrule.tables.columns import ColumnPlan
from chainrule.tables.frames import as_polars

if TYPE_CHECKING:
    import polars as pl

_LARGEST: Final = float(np.finfo(np.float32).max)
_HUGE: Final = float(np.finfo(np.float64).max) / 2
_MOST_COMPARED: Final = 100_000  # pairs of names, to say which was meant


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
        median = _median(values[~absent]) if not absent.all() else 0.0
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
        with np.errstate(over="ignore"):  # what is infinite then is refused
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
        return {"kind": "numeric", **vars(self)}


@dataclass(frozen=True)
class CategoricalColumn:
    """A column of categories as one feature each: 1 for the row's own category, 0 for the others.

    Missing is a category of its own, the last, where training rows had it. A category that they
    didn't have is 0 throughout, and so is missing where they had none.

    >>> import polars as pl
    >>> CategoricalColumn.fit(pl.Series("sex", ["m", "f", None])).feature_names
    ('sex=f', 'sex=m', 'sex is missing')
    """

    name: str
    categories: tuple[str, ...]
    missing: bool

    @classmethod
    def fit(cls, series: pl.Series) -> CategoricalColumn:
        """The encoding of the training rows' column, categories in alphabetical order."""
        names = as_categories(series)
        categories = tuple(sorted(name for name in names.unique().to_list() if name is not None))
        return cls(series.name, categories, names.null_count() > 0)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in their order."""
        own = tuple(f"{self.name}={category}" for category in self.categories)
        return (*own, f"{self.name} is missing") if self.missing else own

    def encode_into(self, series: pl.Series, out: NDArray[np.float32]) -> tuple[int, pl.Series]:
        """Write the features of a column to `out` [rows, features].

        Returns how many values were missing, and the values whose category is unseen.
        """
        import polars as pl

        names = as_categories(series)
        found = names.cast(pl.Enum(self.categories), strict=False).to_physical()
        places = found.cast(pl.Int64).fill_null(-1).to_numpy(writable=True)
        absent = names.is_null().to_numpy()
        places[absent] = len(self.categories) if self.missing else -1
        hot = np.flatnonzero(places >= 0)
        out[:] = 0
        out[hot, places[hot]] = 1
        unseen = (places < 0) & ~absent
        return int(absent.sum()), names.filter(pl.Series(unseen)) if unseen.any() else names.clear()

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON values."""
        return {"kind": "categorical", **vars(self), "categories": list(self.categories)}


EncodedColumn: TypeAlias = NumericColumn | CategoricalColumn


@dataclass(frozen=True)
class EncodingNotes:
    """What was unlike the training rows in an encoded table.

    `extra_columns` weren't in the training table and are ignored. `unseen` counts the rows whose
    category was not in training, by column, and `unseen_examples` names up to five such
    categories. `unexpected_missing` counts the missing values of columns that had none in training.
    """

    extra_columns: tuple[str, ...]
    unseen: Mapping[str, int]
    unseen_examples: Mapping[str, tuple[str, ...]]
    unexpected_missing: Mapping[str, int]

    @property
    def lines(self) -> tuple[str, ...]:
        """The notes as sentences; none if the table was like the training rows.

        >>> EncodingNotes(("id",), {"sex": 2}, {"sex": ("x",)}, {"age": 1}).lines[1]
        'column "sex": 2 rows with a category not seen in training ("x"), encoded as no category'
        """
        lines = []
        if self.extra_columns:
            lines.append(f"columns not used in training are ignored: {quoted(self.extra_columns)}")
        for name, rows in self.unseen.items():
            lines.append(
                f"column {quoted([name])}: {counted(rows, 'row')} with a category not seen in training "
                f"({quoted(self.unseen_examples[name])}), encoded as no category"
            )
        for name, rows in self.unexpected_missing.items():
            lines.append(f"column {quoted([name])}: {counted(rows, 'row')} without a value, training had none")
        return tuple(lines)


@dataclass(frozen=True)
class TableEncoding:
    """How the columns of a table become the features of an array.

    `unused` are the other columns of the training table: its target and the dropped ones.

    >>> import polars as pl
    >>> from chainrule.tables.columns import plan_columns
    >>> frame = pl.DataFrame({"age": [1.0, 3.0], "sex": ["m", "f"]})
    >>> encoding = TableEncoding.fit(frame, plan_columns(frame))
    >>> encoding.feature_names
    ('age', 'sex=f', 'sex=m')
    >>> features, notes = encoding.encode(pl.DataFrame({"sex": ["f", "x"], "age": [2, None]}))
    >>> features.tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    >>> notes.unseen, notes.unexpected_missing
    ({'sex': 1}, {'age': 1})
    """

    columns: tuple[EncodedColumn, ...]
    unused: tuple[str, ...] = ()

    @classmethod
    def fit(cls, frame: pl.DataFrame, plans: Iterable[ColumnPlan]) -> TableEncoding:
        """The encoding of a table's training rows, by the plans of its columns."""
        columns: list[EncodedColumn] = []
        for plan in plans:
            if plan.kind == "numeric":
                columns.append(NumericColumn.fit(frame[plan.name], plan.unit or "number"))
            elif plan.kind == "categorical":
                columns.append(CategoricalColumn.fit(frame[plan.name]))
        used = {column.name for column in columns}
        return cls(tuple(columns), tuple(name for name in frame.columns if name not in used))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each feature: `age`, `age is missing`, `sex=f`."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def n_features(self) -> int:
        """The number of features."""
        return sum(len(column.feature_names) for column in self.columns)

    def encode(self, frame: object) -> tuple[NDArray[np.float32], EncodingNotes]:
        """The features of a data frame's rows, float32 [rows, features] in C order, and notes.

        The frame's columns may stand in any order. Raises `InputError` where columns are missing
        and for values that can't be what the column holds.
        """
        table = as_polars(frame)
        extra = self._extra_columns(table.columns)
        features = np.empty((table.height, self.n_features), dtype=np.float32)
        unseen: dict[str, int] = {}
        examples: dict[str, tuple[str, ...]] = {}
        unexpected: dict[str, int] = {}
        start = 0
        for column in self.columns:
            stop = start + len(column.feature_names)
            part, series = features[:, start:stop], table[column.name]
            if isinstance(column, NumericColumn):
                absent, expected = column.encode_into(series, part), column.indicator
            else:
                absent, unknown = column.encode_into(series, part)
                expected = column.missing
                if len(unknown):
                    unseen[column.name] = len(unknown)
                    shown = unknown.unique(maintain_order=True).head(5)
                    examples[column.name] = tuple(shown.to_list())
            if absent and not expected:
                unexpected[column.name] = absent
            start = stop
        return features, EncodingNotes(extra, unseen, examples, unexpected)

    def _extra_columns(self, given: Sequence[str]) -> tuple[str, ...]:
        """The columns that training hadn't; raises `InputError` where the table lacks one that training had."""
        there, known = set(given), {column.name for column in self.columns} | set(self.unused)
        extra = tuple(name for name in given if name not in known)
        lacking = [column.name for column in self.columns if column.name not in there]
        if lacking:
            compared = max(1, _MOST_COMPARED // max(1, len(extra)))
            near = {name: nearest(name, extra) for name in lacking[:compared]}
            parts = [f'"{name}"' + (f' (the table has "{near[name]}")' if near.get(name) else "") for name in lacking]
            raise InputError(
                f"the table lacks {counted(len(lacking), 'column')} of the training table: {listed(parts, limit=30)}"
            )
        return extra

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON values; `from_dict` gives it back exactly."""
        return {
            "columns": [column.to_dict() for column in self.columns],
            "unused": list(self.unused),
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> TableEncoding:
        """The encoding whose `to_dict` is given; raises `InputError` for anything else."""
        try:
            columns = tuple(_column_from_dict(column) for column in form["columns"])
            forms.texts([column.name for column in columns])  # no two of one name
            return cls(columns, forms.texts(form["unused"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"this isn't a table encoding as chainrule writes it: {error!r}") from error


def _column_from_dict(form: Mapping[str, Any]) -> EncodedColumn:
    name = forms.text(form["name"])
    if form["kind"] == "categorical":
        return CategoricalColumn(name, forms.texts(form["categories"]), forms.truth(form["missing"]))
    if form["kind"] != "numeric" or form["unit"] not in get_args(Unit):
        raise ValueError(f"kind {form['kind']!r}, unit {form.get('unit')!r}")
    median, mean, scale = (forms.finite(form[key]) for key in ("median", "mean", "scale"))
    if scale <= 0:
        raise ValueError(f"the scale of {name} is {scale}")
    return NumericColumn(name, form["unit"], median, forms.truth(form["indicator"]), mean, scale)


def _median(values: NDArray[np.float64]) -> float:
    """The median of finite numbers, one at least; also where the sum of the two in the middle overflows."""
    huge = np.abs(values).max() > _HUGE
    return float(np.median(values / 2) * 2) if huge else float(np.median(values))


def mean_and_scale(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean and the standard deviation of finite numbers, shape (rows,).

    `mean = sum(x) / n`, `scale = sqrt(sum((x - mean)**2) / n)`, so `(x - mean) / scale` has mean 0
    and standard deviation 1. Where all numbers are equal the scale is 1.

    >>> import numpy as np
    >>> mean_and_scale(np.array([1.0, 3.0])), mean_and_scale(np.array([5.0, 5.0]))
    ((2.0, 1.0), (5.0, 1.0))
    """
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if low == high:  # rounding could leave a tiny deviation to divide by
        return low, 1.0
    # In units of the largest size, numbers near the limits of float64 don't overflow when squared.
    size = max(abs(low), abs(high))
    scaled = values / size
    mean, deviation = float(scaled.mean()) * size, float(scaled.std()) * size
    return (mean, deviation) if deviation > 0 else (mean, 1.0)
