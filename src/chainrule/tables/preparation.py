"""A table made ready for training: what each column is taken for, which rows do what, and the arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from chainrule.arrays import AnyArray
from chainrule.errors import InputError, did_you_mean, listed, quoted
from chainrule.folds import random_parts
from chainrule.tables.columns import ColumnPlan, Kind, plan_columns
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.leaks import find_copies, find_leaks
from chainrule.tables.splits import Splits, split_rows
from chainrule.tables.table_reader import TableReader, read_training
from chainrule.tables.target import TargetPlan, Task
from chainrule.tables.targets import (
    check_known,
    encode_known,
    head_names,
    known_rows,
    plan_targets,
    strata,
)
from chainrule.tables.wishes import Wishes

if TYPE_CHECKING:
    import polars as pl

_SOME = 1e-6  # a fraction that takes one row
_TELLING, _RARE = 100, 0.1  # rows to tell from; a class is rare of which there is a tenth of its even share


@dataclass(frozen=True)
class EncodedRows:
    """Some rows as arrays: inputs as `TableEncoding.inputs` gives them, targets as the network learns them, notes.

    `ys` has an array for each target; of several, with NaN where a row has no value.
    """

    X: dict[str, AnyArray]
    ys: tuple[AnyArray, ...]
    notes: EncodingNotes

    @property
    def y(self) -> AnyArray:
        """The only target."""
        (y,) = self.ys
        return y

    def __len__(self) -> int:
        return len(self.ys[0])


@dataclass(frozen=True)
class PreparedTable:
    """Everything that is known before training: plans, encoding (fitted on the training rows alone) and parts.

    `validation` is held out from every network that is trained; it has no rows where each is to hold out its own.
    `groups` are those of the training rows, and then of the validation rows, as numbers. `without_target` counts the
    rows that were left out because they have no value of any target.
    """

    targets: tuple[TargetPlan, ...]
    columns: tuple[ColumnPlan, ...]
    encoding: TableEncoding
    train: EncodedRows
    validation: EncodedRows
    test: EncodedRows
    test_frame: pl.DataFrame
    groups: NDArray[np.int64] | None = None
    without_target: int = 0
    notes: tuple[str, ...] = ()
    reader: TableReader = field(default_factory=TableReader)

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each part has."""
        return {
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
        }

    @property
    def target(self) -> TargetPlan:
        """The only target."""
        if len(self.targets) > 1:
            raise InputError(f"there are the targets {listed(target.name for target in self.targets)}: see `targets`")
        return self.targets[0]

    @property
    def task(self) -> Task:
        """The task of the recipe: classification, unless all targets are numbers."""
        return "classification" if any(target.classes for target in self.targets) else "regression"

    @property
    def heads(self) -> tuple[str, ...]:
        """What the network's heads are called, one for each target."""
        return head_names(self.targets)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Outputs of each head: one for each class, or one."""
        return tuple(len(target.classes) or 1 for target in self.targets)

    def all_of(self, target: int) -> AnyArray:
        """A target in all rows but those of the test, as the network learns it."""
        return np.concatenate([self.train.ys[target], self.validation.ys[target]])

    @property
    def n_outputs(self) -> int:
        """Outputs of all heads."""
        return sum(self.outputs)


def prepare_table(
    table: Any,
    target: str | Sequence[str],
    *,
    task: Task | str | Mapping[str, Task | str] | None = None,
    validation: float | None = 0.15,
    test: float = 0.2,
    seed: int = 0,
    group: str | None = None,
    wishes: Wishes | None = None,
) -> PreparedTable:
    """Read a table, decide about its columns, split its rows (stratified for classes) and encode them.

    With `validation=None` nothing is held out from all, since each network leaves out rows of its own; there must be
    enough for that. Of several targets a row needs one. Rows that have the same in the column `group` stay together in
    every split, and the column isn't learned from.

    >>> prepared = prepare_table("iris", "target")
    >>> prepared.rows, prepared.train.X["numbers"].shape, prepared.target.classes
    ({'train': 97, 'validation': 23, 'test': 30}, (97, 4), ('setosa', 'versicolor', 'virginica'))
    """
    group = None if group is None else str(group)
    said = wishes or Wishes()
    given = read_training(table, target, said)
    frame, names, kinds = given.frame, given.targets, dict(given.kinds)
    plans = plan_targets(frame, names, _tasks(names, kinds, task))
    if group is not None and group not in frame.columns:
        raise InputError(
            f'the table has no column "{group}", the group.{did_you_mean(group, frame.columns)} '
            f"Its columns are {quoted(frame.columns, limit=30)}"
        )
    if group in names:
        raise InputError(f'the group is "{group}", the target: rows that belong together are told by another column')
    if group is not None:
        kinds[group] = "dropped"
    columns = tuple(
        plan_columns(
            frame, target=names, max_categories=said.limit, said=given.said,
            kinds={name: cast(Kind, kind) for name, kind in kinds.items() if name not in names},
        )
    )  # fmt: skip
    if all(column.kind == "dropped" for column in columns):
        why = "; ".join(str(column) for column in columns) or "it has no other column"
        raise InputError(f"no column is left to predict {quoted(names)} from: {why}")
    has = known_rows(plans, frame)
    notes = (*given.notes, *_notes(frame, plans, columns))
    left_out = int((~has).sum()) - (frame.height - len(plans[0].known_rows(frame)) - plans[0].missing)
    frame = frame.filter(has)
    shared = 0.0 if validation is None else validation
    labels = strata(plans, _encoded(plans, frame))
    groups = None if group is None else _groups(frame[group])
    if validation is None:
        split_rows(frame.height, _SOME, test, labels=labels, seed=seed)  # complains where there are too few rows
    if groups is None:
        rows = split_rows(frame.height, shared, test, labels=labels, seed=seed)
    else:
        rows = _split_groups(groups, shared, test, seed)
    plans = tuple(plan.fit(plan.known_rows(frame[rows.train])) for plan in plans)
    encoding = TableEncoding.fit(frame[rows.train], columns)
    train, held_out, final = (_part(frame[part], plans, encoding) for part in (rows.train, rows.validation, rows.test))
    check_known(plans, train.ys, "to train on")
    if groups is not None:
        groups = groups[np.concatenate([rows.train, rows.validation])]
    return PreparedTable(
        plans, columns, encoding, train, held_out, final, frame[rows.test], groups, left_out, notes, given.reader
    )


def _tasks(
    names: Sequence[str], kinds: Mapping[str, str], task: Task | str | Mapping[str, Task | str] | None
) -> Task | str | Mapping[str, Task | str] | None:  # fmt: skip
    """The tasks, also where a target is said to be numeric or categorical."""
    said: dict[str, Task | str] = {
        name: "regression" if kinds[name] == "numeric" else "classification"
        for name in names
        if kinds.get(name) in ("numeric", "categorical")
    }
    if not said or (task is not None and not isinstance(task, Mapping)):
        return task
    return said | dict(task or {})


def _notes(frame: pl.DataFrame, targets: Sequence[TargetPlan], columns: Sequence[ColumnPlan]) -> list[str]:
    """What people should know of a table before anything is trained on it."""
    notes = []
    for target in targets:
        if target.left_out:
            which = "class" if len(target.left_out) == 1 else "classes"
            notes.append(f'target "{target.name}": the {which} {quoted(target.left_out)} of one row each left out')
        rows = sum(target.counts)
        rarest = min(target.counts, default=0)
        if rows >= _TELLING and rarest < _RARE * rows / len(target.counts):
            name = target.classes[target.counts.index(rarest)]
            notes.append(
                f'target "{target.name}": the class "{name}" is rare, {rarest / rows:.1%} of the rows: accuracy says '
                "little of it"
            )
        notes += find_leaks(frame, target, columns)
    return [*notes, *find_copies(frame, columns)]


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


def _part(frame: pl.DataFrame, targets: Sequence[TargetPlan], encoding: TableEncoding) -> EncodedRows:
    X, notes = encoding.inputs(frame)
    return EncodedRows(X, _encoded(targets, frame), notes)


def _encoded(targets: Sequence[TargetPlan], frame: pl.DataFrame) -> tuple[AnyArray, ...]:
    """Every target of the rows as the network learns it; a single one is known in all of them."""
    if len(targets) == 1:
        return (targets[0].encode(frame),)
    return tuple(encode_known(target, frame) for target in targets)
