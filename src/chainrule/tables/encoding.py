"""A table as an array of features: fitted on training rows, applied to any rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule import forms
from chainrule.arrays import AnyArray
from chainrule.errors import InputError, counted, listed, nearest, quoted
from chainrule.tables.column_values import as_categories
from chainrule.tables.columns import ColumnPlan
from chainrule.tables.date_column import DateColumn
from chainrule.tables.frames import as_polars
from chainrule.tables.number_column import NumericColumn

if TYPE_CHECKING:
    import polars as pl

    from chainrule.network import Network

_MOST_COMPARED: Final = 100_000  # pairs of names, to say which was meant


@dataclass(frozen=True)
class CategoricalColumn:
    """A column of categories as one feature each: 1 for the row's own category, 0 for the others.

    Missing is a category of its own, the last, where training rows had it. A category that they
    didn't have is 0 throughout, and so is missing where they had none. Networks take a code in place of
    these features.

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

    @property
    def n_codes(self) -> int:
        """How many codes there are: one for missing, one for categories never seen, and the categories."""
        return len(self.categories) + 2

    @property
    def code_names(self) -> tuple[str, ...]:
        """What each code means, in order."""
        own = (f"{self.name}={category}" for category in self.categories)
        return (f"{self.name} is missing", f"{self.name} is unseen", *own)

    def codes(self, series: pl.Series) -> tuple[NDArray[np.int32], pl.Series]:
        """A code for each row (0 missing, 1 never seen, 2 the first category), and the values never seen."""
        import polars as pl

        names = as_categories(series)
        places = names.cast(pl.Enum(self.categories), strict=False).to_physical().cast(pl.Int32)
        codes = (places + 2).fill_null(1).to_numpy(writable=True)
        codes[names.is_null().to_numpy()] = 0
        return codes, names.filter(pl.Series(codes == 1)) if (codes == 1).any() else names.clear()

    def one_hot(self, codes: NDArray[np.int32]) -> NDArray[np.float32]:
        """The features of codes, shape (rows, features)."""
        hot = np.zeros((len(codes), len(self.feature_names)), dtype=np.float32)
        places = np.where(codes == 0, len(self.categories) if self.missing else -1, codes - 2)
        rows = np.flatnonzero(places >= 0)
        hot[rows, places[rows]] = 1
        return hot

    def to_dict(self) -> dict[str, Any]:
        """The encoding as JSON values."""
        return {"kind": "categorical", **vars(self), "categories": list(self.categories)}


EncodedColumn: TypeAlias = NumericColumn | DateColumn | CategoricalColumn


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
            elif plan.kind == "date":
                columns.append(DateColumn.fit(frame[plan.name]))
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

    @property
    def number_names(self) -> tuple[str, ...]:
        """A name for each number of `inputs`: `age`, `age is missing`."""
        return tuple(
            name
            for column in self.columns
            if isinstance(column, (NumericColumn, DateColumn))
            for name in column.feature_names
        )

    @property
    def categorical(self) -> tuple[CategoricalColumn, ...]:
        """The columns that `inputs` gives codes of, in order."""
        return tuple(column for column in self.columns if isinstance(column, CategoricalColumn))

    def inputs(self, frame: object) -> tuple[dict[str, AnyArray], EncodingNotes]:
        """A data frame's rows as a network takes them, and notes.

        `"numbers"` are float32 [rows, numbers], `"categories"` int32 codes [rows, columns]: 0 for missing, 1 for a
        category that training hadn't, 2 and on for the others; what a table has none of is left out. The frame's
        columns may stand in any order. Raises `InputError` where columns are missing and for values that can't be what
        the column holds.
        """
        table = as_polars(frame)
        extra = self._extra_columns(table.columns)
        numbers = np.empty((table.height, len(self.number_names)), dtype=np.float32)
        codes = np.empty((table.height, len(self.categorical)), dtype=np.int32)
        unseen: dict[str, int] = {}
        examples: dict[str, tuple[str, ...]] = {}
        unexpected: dict[str, int] = {}
        start = place = 0
        for column in self.columns:
            series = table[column.name]
            if isinstance(column, (NumericColumn, DateColumn)):
                stop = start + len(column.feature_names)
                absent, expected = column.encode_into(series, numbers[:, start:stop]), column.indicator
                start = stop
            else:
                codes[:, place], unknown = column.codes(series)
                absent, expected = int(np.count_nonzero(codes[:, place] == 0)), column.missing
                place += 1
                if len(unknown):
                    unseen[column.name] = len(unknown)
                    examples[column.name] = tuple(unknown.unique(maintain_order=True).head(5).to_list())
            if absent and not expected:
                unexpected[column.name] = absent
        given = {"numbers": numbers, "categories": codes}
        return (
            {name: array for name, array in given.items() if array.shape[1]},
            EncodingNotes(extra, unseen, examples, unexpected),
        )

    def inputs_of(self, network: Network, frame: object) -> tuple[dict[str, AnyArray], EncodingNotes]:
        """The same for a network that may be of an older version, which takes all features as one array."""
        if set(network.input_shapes) <= {"numbers", "categories"}:
            return self.inputs(frame)
        features, notes = self.encode(frame)
        return dict.fromkeys(network.input_shapes, features), notes

    def encode(self, frame: object) -> tuple[NDArray[np.float32], EncodingNotes]:
        """The same as one array of features, float32 [rows, features] in C order: a column for each category."""
        inputs, notes = self.inputs(frame)
        numbers, codes = (iter(inputs[name].T) if name in inputs else iter(()) for name in ("numbers", "categories"))
        parts: list[AnyArray] = [np.empty((as_polars(frame).height, 0), dtype=np.float32)]
        for column in self.columns:
            if isinstance(column, (NumericColumn, DateColumn)):
                parts += [next(numbers)[:, None] for _ in column.feature_names]
            else:
                parts.append(column.one_hot(next(codes)))
        return np.ascontiguousarray(np.concatenate(parts, axis=1)), notes

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
    return DateColumn.from_dict(form) if form["kind"] == "date" else NumericColumn.from_dict(form)


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
