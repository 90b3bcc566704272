"""What is to be predicted: classes or a number, and the way there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule import forms
from chainrule.errors import InputError, at_rows, counted, did_you_mean, listed, quoted
from chainrule.plain import shortened
from chainrule.tables.advice import way
from chainrule.tables.column_values import (
    as_categories,
    as_numbers,
    clean_text,
    is_declared_categorical,
    is_text,
    known,
    parsed_numbers,
    text_rows,
    unit_of,
)
from chainrule.tables.columns import number_like
from chainrule.tables.encoding import mean_and_scale
from chainrule.tables.frames import as_polars

if TYPE_CHECKING:
    import polars as pl

Task = Literal["classification", "regression"]
Class: TypeAlias = str | int | bool | float

_MOST_CLASSES: Final = 20
_LARGEST: Final = 1e150  # a number to predict: the sum of many such squares is finite


@dataclass(frozen=True)
class TargetPlan:
    """The column to predict: its task and how its values become numbers and return.

    Classification has `classes` in sorted order, in the type the user's table has, and `counts`,
    the rows of each. Regression has `mean` and `scale`, which are 0 and 1 until `fit`. `missing`
    counts the rows without a target, `reason` says how the task was found, and `doubt` is the other
    task where a few whole numbers might mean either (not saved). `left_out` are the classes of one row, which can't be
    both trained on and checked.

    >>> import polars as pl
    >>> plan = plan_target(pl.DataFrame({"y": ["no", "yes", "no", "yes", None]}), "y")
    >>> plan.classes, plan.counts, plan.missing
    (('no', 'yes'), (2, 2), 1)
    >>> plan.encode(pl.DataFrame({"y": ["yes", "no"]})).tolist(), plan.decode([1, 0]).tolist()
    ([1, 0], ['yes', 'no'])
    """

    name: str
    task: Task
    reason: str
    missing: int = 0
    classes: tuple[Class, ...] = ()
    counts: tuple[int, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    doubt: Task | None = field(default=None, compare=False)
    left_out: tuple[Class, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        missing = f", {counted(self.missing, 'row')} without it left out" if self.missing else ""
        what = f" with {len(self.classes)} classes" if self.classes else ""
        return f"{shortened(self.name)}: {self.task}{what} ({self.reason}{missing})"

    def known_rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of a frame whose target isn't missing."""
        return frame.filter(self.known(frame))

    def known(self, frame: pl.DataFrame) -> pl.Series:
        """Where a frame has the target: not missing, and no class that was left out because one row has it."""
        column = self.column(frame)
        has = known(column)
        if not self.left_out:
            return has
        return has & ~as_categories(column).is_in(_class_names(self.left_out).to_list()).fill_null(False)

    def fit(self, frame: pl.DataFrame) -> TargetPlan:
        """The plan with mean and scale of the training rows; for classes, the plan itself."""
        if self.task == "classification":
            return self
        mean, scale = mean_and_scale(self.values(frame))
        return replace(self, mean=mean, scale=scale)

    def encode(self, frame: object) -> NDArray[np.int64] | NDArray[np.float32]:
        """The targets of a data frame's rows as a network learns them, shape (rows,).

        Classes are their places in `classes`, int64; numbers are `(y - mean) / scale`, float32.
        Raises `InputError` for missing targets and for classes that the plan hasn't.
        """
        table = as_polars(frame)
        if self.task == "regression":
            return ((self.values(table) - self.mean) / self.scale).astype(np.float32)
        column = self._known_column(table)
        names = as_categories(column)
        places = names.replace_strict(
            _class_names(self.classes), range(len(self.classes)), default=-1, return_dtype=_int64()
        ).to_numpy()
        unseen = np.flatnonzero(places < 0)
        if unseen.size:
            wrong = names[unseen].unique(maintain_order=True)
            raise InputError(
                f'column "{self.name}" has {quoted(wrong)} in {at_rows(unseen + 1)}, '
                f"which the model doesn't know: its classes are {listed(self.classes)}"
            )
        return places

    def values(self, frame: object) -> NDArray[Any]:
        """The targets in the user's own values: classes, or float64 numbers; shape (rows,)."""
        table = as_polars(frame)
        if self.task == "classification":
            return self.decode(self.encode(table))
        return as_numbers(self._known_column(table))

    def decode(self, encoded: ArrayLike) -> NDArray[Any]:
        """Back to the user's own values: classes from their places, or `encoded * scale + mean`.

        >>> TargetPlan("y", "regression", "numbers", mean=10.0, scale=2.0).decode([-1.0, 0.5])
        array([ 8., 11.])
        """
        if self.task == "classification":
            return np.asarray(self.classes)[np.asarray(encoded, dtype=np.int64)]
        return np.asarray(encoded, dtype=np.float64) * self.scale + self.mean

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON values; `from_dict` gives it back exactly."""
        return {
            "name": self.name,
            "task": self.task,
            "reason": self.reason,
            "missing": self.missing,
            "classes": list(self.classes),
            "counts": list(self.counts),
            "mean": self.mean,
            "scale": self.scale,
            **({"left_out": list(self.left_out)} if self.left_out else {}),
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> TargetPlan:
        """The plan whose `to_dict` is given; raises `InputError` for anything else."""
        try:
            plan = cls(
                forms.text(form["name"]),
                _checked_task(form["task"]),
                forms.text(form["reason"]),
                forms.count(form["missing"]),
                forms.labels(form["classes"]),
                tuple(forms.count(count) for count in form["counts"]),
                forms.finite(form["mean"]),
                forms.finite(form["scale"]),
                left_out=forms.labels(form.get("left_out", [])),
            )
            kinds = {type(label) for label in plan.classes}
            if (plan.task == "classification") != bool(kinds) or len(kinds) > 1 or plan.scale <= 0:
                raise ValueError("task, classes and scale don't go together")
            if len(plan.counts) not in (0, len(plan.classes)):
                raise ValueError("there are other counts than classes")
            return plan
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"this isn't a target plan as chainrule writes it: {error!r}") from error

    def column(self, frame: pl.DataFrame) -> pl.Series:
        """The target's column of a frame; raises `InputError` where there is none."""
        if self.name not in frame.columns:
            raise InputError(
                f'the table has no column "{self.name}", the target.'
                f"{did_you_mean(self.name, frame.columns)} Its columns are "
                f"{quoted(frame.columns, limit=30)}"
            )
        return frame[self.name]

    def _known_column(self, frame: pl.DataFrame) -> pl.Series:
        column = self.column(frame)
        absent = np.flatnonzero(~known(column).to_numpy())
        if absent.size:
            raise InputError(
                f'the target "{self.name}" is missing in {at_rows(absent + 1)}: give it there or leave these rows out'
            )
        return column


def plan_target(frame: pl.DataFrame, name: str, task: Task | str | None = None) -> TargetPlan:
    """What the column to predict is: classes or a number.

    Text, truth values and categories are classes. So are whole numbers of which there are few: two
    different ones, up to five with five rows each, or up to 20 that are at most 5% of the rows.
    All else is a number to predict. `task` decides instead. Rows with a missing target are counted
    and left aside.

    Raises `InputError` for a name that isn't in the table, a target that is missing everywhere, has
    one value only or is infinite, fewer than two classes of more than one row, and text where numbers belong.
    Classes of one row are left out.

    >>> import polars as pl
    >>> print(plan_target(pl.DataFrame({"y": [0, 1, 1, 0]}), "y"))
    y: classification with 2 classes (2 different whole numbers in 4 rows)
    >>> print(plan_target(pl.DataFrame({"y": [0, 1, 1, 0]}), "y", task="regression"))
    y: regression (as asked)
    """
    wanted = None if task is None else _checked_task(task)
    column = TargetPlan(name, "regression", "").column(frame)
    have = known(column).to_numpy()
    rows = np.flatnonzero(have) + 1
    if not rows.size:
        raise InputError(f'the target "{name}" is missing in every row: give rows that have it')
    present = column.filter(known(column))
    _check_type(present)
    missing = frame.height - rows.size
    found, reason, doubt = (wanted, "as asked", None) if wanted else _inferred(present, rows)
    if found == "classification":
        classes, counts, alone = _classes(present, rows)
        return TargetPlan(name, found, reason, missing, classes, counts, doubt=doubt, left_out=alone)
    if wanted and is_text(present):
        _refuse_text(present, rows)
    _check_numbers(name, as_numbers(present, rows=rows), rows, present[0])
    return TargetPlan(name, found, reason, missing, doubt=doubt)


def _checked_task(task: object) -> Task:
    for known_task in get_args(Task):
        if task == known_task:
            return known_task
    raise InputError(
        f'the task is {task!r}: it must be "classification" or "regression".{did_you_mean(str(task), get_args(Task))}'
    )


def _check_type(column: pl.Series) -> None:
    if unit_of(column) not in (None, "number", "boolean"):
        raise InputError(
            f'the target "{column.name}" holds {column.dtype} values, which can\'t be predicted: '
            "make numbers of them, such as days from a fixed day"
        )
    if unit_of(column) is None and not is_text(column):
        raise InputError(
            f'the target "{column.name}" holds {column.dtype} values: it must hold numbers, text or true/false'
        )


def _inferred(column: pl.Series, rows: NDArray[np.int64]) -> tuple[Task, str, Task | None]:
    """The task, why, and the other one where that is in doubt."""
    if is_declared_categorical(column):
        return "classification", "categories", None
    if unit_of(column) == "boolean":
        return "classification", "true/false", None
    if is_text(column) and not number_like(column, clean_text(column), rows, way("task", "classification")):
        return "classification", "text", None
    numbers = as_numbers(column, rows=rows)
    distinct = np.unique(numbers).size
    if not (numbers == np.round(numbers)).all():
        return "regression", "numbers with fractions", None
    few = min(numbers.size / 5, 5)
    if distinct == 2 or distinct <= min(max(few, numbers.size / 20), _MOST_CLASSES):
        reason = f"{distinct:,} different whole numbers in {counted(numbers.size, 'row')}"
        return "classification", reason, None if distinct == 2 else "regression"
    doubt: Task | None = "classification" if distinct <= _MOST_CLASSES else None
    return "regression", f"{distinct:,} different numbers in {counted(numbers.size, 'row')}", doubt


def _classes(
    column: pl.Series, rows: NDArray[np.int64]
) -> tuple[tuple[Class, ...], tuple[int, ...], tuple[Class, ...]]:  # fmt: skip
    """The classes in sorted order, in the column's own type, the rows of each, and the classes of one row apart."""
    import polars as pl

    if not is_text(column):
        as_numbers(column, rows=rows)  # complains about infinite values
    own = clean_text(column) if is_text(column) else column
    if own.dtype.is_decimal():
        own = own.cast(pl.Float64)
    # One class may be written in two ways ("1" and "1.0"): the first of them stands for both.
    table = pl.DataFrame({"own": own, "name": as_categories(column)})
    table = table.group_by("name").agg(pl.col("own").min(), pl.len().alias("rows")).sort("own")
    classes = tuple(table["own"].to_list())
    counts = tuple(table["rows"].to_list())
    if len(classes) == 1:
        raise InputError(
            f'the target "{column.name}" has one class only, {shortened(repr(classes[0]))}: '
            "there is nothing to tell apart"
        )
    alone = [value for value, count in zip(classes, counts, strict=True) if count < 2]
    kept = [(value, count) for value, count in zip(classes, counts, strict=True) if count > 1]
    if alone and len(kept) < 2:
        which = f"class {quoted(alone)}" if len(alone) == 1 else f"classes {quoted(alone)}"
        raise InputError(
            f'the target "{column.name}" has one row only of {which}: each class needs at least 2, '
            "one to train and one to check; add rows or leave these out"
        )
    return tuple(value for value, _ in kept), tuple(count for _, count in kept), tuple(alone)


def _check_numbers(name: str, numbers: NDArray[np.float64], rows: NDArray[np.int64], first: object) -> None:
    if np.abs(numbers).max() > _LARGEST:
        far = rows[np.abs(numbers) > _LARGEST]
        raise InputError(
            f'the target "{name}" is beyond {_LARGEST:g} in {at_rows(far)}, so its square can\'t be measured: '
            "give it in another unit, or its logarithm"
        )
    if np.ptp(numbers) == 0:
        told = shortened(repr(first))
        raise InputError(f'the target "{name}" is {told} in every row: there is nothing to learn from one value')


def _class_names(classes: tuple[Class, ...]) -> pl.Series:
    import polars as pl

    return as_categories(pl.Series(values=list(classes)))


def _refuse_text(column: pl.Series, rows: NDArray[np.int64]) -> None:
    text = clean_text(column)
    bad = parsed_numbers(text).is_null().to_numpy()
    if bad.any():
        raise InputError(
            f'the target "{column.name}" has text in {text_rows(text, bad, rows)}, so it can\'t '
            f"be predicted as a number: put numbers there, or say {way('task', 'classification')}"
        )


def _int64() -> type[pl.Int64]:
    import polars as pl

    return pl.Int64
