"""A table made ready for training: what each column is taken for, which rows do what, and the arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.arrays import AnyArray
from chainrule.errors import InputError, did_you_mean, quoted
from chainrule.folds import random_parts
from chainrule.tables.columns import ColumnPlan, plan_columns
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.frames import as_polars
from chainrule.tables.reading import read_table
from chainrule.tables.splits import Splits, split_rows
from chainrule.tables.target import TargetPlan, Task, plan_target

if TYPE_CHECKING:
    import polars as pl

_SOME = 1e-6  # a fraction that takes one row


@dataclass(frozen=True)
class EncodedRows:
    """Some rows as arrays: inputs as `TableEncoding.inputs` gives them, targets as the network learns them, notes."""

    X: dict[str, AnyArray]
    y: AnyArray
    notes: EncodingNotes

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class PreparedTable:
    """Everything that is known before training: plans, encoding (fitted on the training rows alone) and parts.

    `validation` is held out from every network that is trained; it has no rows where each is to hold out its own.
    `groups` are those of the training rows, and then of the validation rows, as numbers.
    """

    target: TargetPlan
    columns: tuple[ColumnPlan, ...]
    encoding: TableEncoding
    train: EncodedRows
    validation: EncodedRows
    test: EncodedRows
    test_frame: pl.DataFrame
    groups: NDArray[np.int64] | None = None

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
    validation: float | None = 0.15,
    test: float = 0.2,
    seed: int = 0,
    group: str | None = None,
) -> PreparedTable:
    """Read a table, decide about its columns, split its rows (stratified for classes) and encode them.

    With `validation=None` nothing is held out from all, since each network leaves out rows of its own; there must be
    enough for that. Rows that have the same in the column `group` stay together in every split, and the column isn't
    learned from.

    >>> prepared = prepare_table("iris", "target")
    >>> prepared.rows, prepared.train.X["numbers"].shape, prepared.target.classes
    ({'train': 97, 'validation': 23, 'test': 30}, (97, 4), ('setosa', 'versicolor', 'virginica'))
    """
    frame = as_table(table)
    if not frame.height:
        raise InputError("the table has no rows: there is nothing to learn from")
    plan = plan_target(frame, target, task)
    if group is not None and group not in frame.columns:
        raise InputError(
            f'the table has no column "{group}", the group.{did_you_mean(group, frame.columns)} '
            f"Its columns are {quoted(frame.columns, limit=30)}"
        )
    if group == target:
        raise InputError(f'the group is "{group}", the target: rows that belong together are told by another column')
    columns = tuple(plan_columns(frame, target=target, kinds={} if group is None else {group: "dropped"}))
    if all(column.kind == "dropped" for column in columns):
        why = "; ".join(str(column) for column in columns) or "it has no other column"
        raise InputError(f'no column is left to predict "{target}" from: {why}')
    frame = plan.known_rows(frame)
    shared = 0.0 if validation is None else validation
    labels = plan.encode(frame) if plan.task == "classification" else None
    groups = None if group is None else _groups(frame[group])
    if validation is None:
        split_rows(frame.height, _SOME, test, labels=labels, seed=seed)  # complains where there are too few rows
    if groups is None:
        rows = split_rows(frame.height, shared, test, labels=labels, seed=seed)
    else:
        rows = _split_groups(groups, shared, test, seed)
    plan = plan.fit(frame[rows.train])
    encoding = TableEncoding.fit(frame[rows.train], columns)
    train, held_out, final = (_part(frame[part], plan, encoding) for part in (rows.train, rows.validation, rows.test))
    if groups is not None:
        groups = groups[np.concatenate([rows.train, rows.validation])]
    return PreparedTable(plan, columns, encoding, train, held_out, final, frame[rows.test], groups)


def _groups(column: pl.Series) -> NDArray[np.int64]:
    """The group of each row as a number; a row without one is a group of its own."""
    import polars as pl

    names = column.cast(pl.String, strict=False).to_list()
    codes = np.unique([f"={name}" if name is not None else f"{i}" for i, name in enumerate(names)], return_inverse=True)
    return codes[1].astype(np.int64)


def _split_groups(groups: NDArray[np.int64], validation: float, test: float, seed: int) -> Splits:
    """Whole groups for validation and test; the fractions are of the groups."""
    split_rows(groups.size, validation, test, seed=seed)  # complains about fractions and about too few rows
    final = random_parts(groups.size, 1, test, groups=groups, seed=seed)[0]
    share = validation / (1 - test)
    inner = random_parts(final.train.size, 1, share, groups=groups[final.train], seed=seed)[0]
    return Splits(final.train[inner.train], final.train[inner.held_out], final.held_out)


def _part(frame: pl.DataFrame, target: TargetPlan, encoding: TableEncoding) -> EncodedRows:
    X, notes = encoding.inputs(frame)
    return EncodedRows(X, target.encode(frame), notes)
