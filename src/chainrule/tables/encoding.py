"""A table as an array of features: fitted on training rows, applied to any rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, listed
from chainrule.tables.categorical_encoding import CategoricalColumn
from chainrule.tables.columns import ColumnPlan
from chainrule.tables.frames import as_polars
from chainrule.tables.messages import counted, nearest, quoted
from chainrule.tables.numeric_encoding import NumericColumn
from chainrule.tables.values import Unit

if TYPE_CHECKING:
    import polars as pl

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
                f'column "{name}": {counted(rows, "row")} with a category not seen in training '
                f"({quoted(self.unseen_examples[name])}), encoded as no category"
            )
        for name, rows in self.unexpected_missing.items():
            lines.append(f'column "{name}": {counted(rows, "row")} without a value, training had none')
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
        self._check_columns(table.columns)
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
        extra = tuple(name for name in table.columns if name not in self._all_columns())
        return features, EncodingNotes(extra, unseen, examples, unexpected)

    def _all_columns(self) -> set[str]:
        return {column.name for column in self.columns} | set(self.unused)

    def _check_columns(self, given: list[str]) -> None:
        lacking = [column.name for column in self.columns if column.name not in given]
        if not lacking:
            return
        spare = [name for name in given if name not in self._all_columns()]
        parts = []
        for name in lacking:
            near = nearest(name, spare)
            parts.append(f'"{name}"' + (f' (the table has "{near}")' if near else ""))
        raise InputError(
            f"the table lacks {counted(len(lacking), 'column')} of the training table: {listed(parts, limit=30)}"
        )

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
            return cls(columns, tuple(str(name) for name in form["unused"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"this isn't a table encoding as chainrule writes it: {error!r}") from error


def _column_from_dict(form: Mapping[str, Any]) -> EncodedColumn:
    name = str(form["name"])
    if form["kind"] == "categorical":
        return CategoricalColumn(name, tuple(map(str, form["categories"])), bool(form["missing"]))
    if form["kind"] != "numeric" or form["unit"] not in get_args(Unit):
        raise ValueError(f"kind {form['kind']!r}, unit {form.get('unit')!r}")
    return NumericColumn(
        name,
        form["unit"],
        float(form["median"]),
        bool(form["indicator"]),
        float(form["mean"]),
        float(form["scale"]),
    )
