"""A table made ready for training: what each column is taken for, which rows do what, and the arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.arrays import AnyArray, Array
from chainrule.errors import InputError
from chainrule.tables.columns import ColumnPlan, plan_columns
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.frames import as_polars
from chainrule.tables.reading import read_table
from chainrule.tables.splits import split_rows
from chainrule.tables.target import TargetPlan, Task, plan_target

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class EncodedRows:
    """Some rows as arrays: features (rows, features), targets as the network learns them, and the notes of encoding."""

    X: Array
    y: AnyArray
    notes: EncodingNotes

    def __len__(self) -> int:
        return len(self.X)


@dataclass(frozen=True)
class PreparedTable:
    """Everything that is known before training: plans, encoding (fitted on the training rows alone) and parts."""

    target: TargetPlan
    columns: tuple[ColumnPlan, ...]
    encoding: TableEncoding
    train: EncodedRows
    validation: EncodedRows
    test: EncodedRows
    test_frame: pl.DataFrame

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each part has."""
        return {
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
        }

    @property
    def n_outputs(self) -> int:
        """Outputs of a network for the target: one for each class, or one."""
        return len(self.target.classes) or 1


def as_table(source: Any) -> pl.DataFrame:
    """A table from anything that `read_table` takes; a data frame may have no rows.

    >>> as_table({"age": [31, None], "sex": ["f", "m"]}).shape
    (2, 2)
    """
    return read_table(source) if isinstance(source, (str, os.PathLike)) else as_polars(source)


def prepare_table(
    table: Any,
    target: str,
    *,
    task: Task | str | None = None,
    validation: float = 0.15,
    test: float = 0.2,
    seed: int = 0,
) -> PreparedTable:
    """Read a table, decide about its columns, split its rows (stratified for classes) and encode them.

    >>> prepared = prepare_table("iris", "target")
    >>> prepared.rows, prepared.train.X.shape, prepared.target.classes
    ({'train': 97, 'validation': 23, 'test': 30}, (97, 4), ('setosa', 'versicolor', 'virginica'))
    """
    frame = as_table(table)
    if not frame.height:
        raise InputError("the table has no rows: there is nothing to learn from")
    plan = plan_target(frame, target, task)
    columns = tuple(plan_columns(frame, target=target))
    if all(column.kind == "dropped" for column in columns):
        why = "; ".join(str(column) for column in columns) or "it has no other column"
        raise InputError(f'no column is left to predict "{target}" from: {why}')
    frame = plan.known_rows(frame)
    labels = plan.encode(frame) if plan.task == "classification" else None
    rows = split_rows(frame.height, validation, test, labels=labels, seed=seed)
    plan = plan.fit(frame[rows.train])
    encoding = TableEncoding.fit(frame[rows.train], columns)
    train, held_out, final = (_part(frame[part], plan, encoding) for part in (rows.train, rows.validation, rows.test))
    return PreparedTable(plan, columns, encoding, train, held_out, final, frame[rows.test])


def _part(frame: pl.DataFrame, target: TargetPlan, encoding: TableEncoding) -> EncodedRows:
    X, notes = encoding.encode(frame)
    return EncodedRows(X, target.encode(frame), notes)
