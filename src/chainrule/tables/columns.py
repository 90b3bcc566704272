"""What each column of a table is taken for, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, counted, did_you_mean, listed, quoted
from chainrule.limits import COUNT, check
from chainrule.plain import shortened
from chainrule.tables.advice import way
from chainrule.tables.column_values import (
    LONG,
    PLURALS,
    Unit,
    as_categories,
    as_numbers,
    clean_text,
    holds_codes,
    is_declared_categorical,
    is_text,
    known,
    parsed_numbers,
    text_rows,
    unit_of,
)
from chainrule.tables.dates import iso_dates
from chainrule.tables.wishes import MAX_CATEGORIES

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["numeric", "categorical", "date", "dropped"]

NEARLY: Final = 0.9
"""The part of a text column that must be numbers for the rest to count as mistakes."""

# In 10 rows or fewer, a text that differs in every row may still be a category.
_FEW: Final = 10
_DIFFERENT: Final = 0.9
# So many categories are kept whatever they are; of more, each must stand in two rows on average.
_KEPT: Final = 1_000
_ROWS_EACH: Final = 2
_IDENTIFIER_NAME: Final = re.compile(r"(.*[_\s.-])?(id|ids|key|uuid|guid|identifier)", re.I)
_IDENTIFIER_ROWS: Final = 20  # fewer may all differ by chance
_ROW_NUMBER_NAME: Final = re.compile(r"|index|id|row|row[ _]?(id|number|names?)|unnamed: 0", re.I)
# $1,234.50, 12 %, 1 000 €: a currency, digits in threes or in one, a decimal point or comma.
_WRITTEN_NUMBER: Final = r"^[+-]?[$€£¥]?\s?(\d+|\d{1,3}([,.'_\s]\d{3})+)([.,]\d+)?\s?[%$€£¥]?$"
_HOW: Final[dict[Unit, str]] = {
    "number": "numbers",
    "boolean": "true/false, as 1 and 0",
    "date": "dates: how late, and year, month, weekday and hour where they vary",
    "duration": "durations, in days",
    "time": "times of day, in days",
}


@dataclass(frozen=True)
class ColumnPlan:
    """What one column is taken for: its kind, the reason, and what was counted to decide.

    `missing` counts the rows without a value, `distinct` the different values besides. `unit` says
    what the numbers of a numeric column are; it is `None` for the other kinds.

    >>> print(ColumnPlan("sex", "categorical", "text", missing=1, distinct=2))
    sex: categorical (text, 2 different, 1 missing)
    """

    name: str
    kind: Kind
    reason: str
    missing: int
    distinct: int
    unit: Unit | None = None

    def __str__(self) -> str:
        missing = f", {self.missing:,} missing" if self.missing else ""
        return f"{shortened(self.name)}: {self.kind} ({self.reason}, {self.distinct:,} different{missing})"


def plan_columns(
    frame: pl.DataFrame,
    target: str | Iterable[str] = (),
    *,
    max_categories: int = MAX_CATEGORIES,
    kinds: Mapping[str, Kind] | None = None,
    said: Mapping[str, Sequence[str]] | None = None,
) -> tuple[ColumnPlan, ...]:
    """A plan for each column besides the target (or targets), in the table's order.

    Numbers, truth values and times of day are numeric, dates are dates. Text is categorical. Dropped are columns
    with one value or none, text that differs in nearly every row, text with more than
    `max_categories` categories, numbered rows and identifiers. `kinds` decides for single columns instead; `said` is
    what is to be told besides of how columns are written.

    Rows with a missing target don't count. Give the whole table nevertheless, so that messages
    name its rows. Raises `InputError` for text in a column of numbers, for infinite numbers, for
    names that aren't in the table, and where no column would be left to learn from.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [31, None, 8], "sex": ["f", "m", "f"], "y": [1, 2, 3]})
    >>> for plan in plan_columns(frame, target="y"):
    ...     print(plan)
    age: numeric (numbers, 2 different, 1 missing)
    sex: categorical (text, 2 different)
    """
    check("plan_columns", "max_categories", max_categories, COUNT)
    targets = [target] if isinstance(target, str) else list(target)
    wanted = _checked_kinds(frame, targets, kinds or {})
    rows = _rows_with_target(frame, targets)
    counted_frame = frame if rows.size == frame.height else frame[rows - 1]
    plans = tuple(
        _told(_plan(column, rows, max_categories, wanted.get(column.name)), (said or {}).get(column.name, ()))
        for column in counted_frame
        if column.name not in targets
    )
    if all(plan.kind == "dropped" for plan in plans):
        why = listed(f'"{plan.name}" ({plan.reason})' for plan in plans)
        raise InputError(f"no column is left to learn from: {why or 'the table has no other columns'}")
    return plans


def _told(plan: ColumnPlan, said: Sequence[str]) -> ColumnPlan:
    """The plan with what is said of how its column is written."""
    return replace(plan, reason="; ".join([plan.reason, *said])) if said else plan


def _checked_kinds(frame: pl.DataFrame, targets: list[str], kinds: Mapping[str, Kind]) -> Mapping[str, Kind]:
    there = set(frame.columns)
    for name in [*targets, *kinds]:
        if name not in there:
            raise InputError(
                f'the table has no column "{name}".{did_you_mean(name, frame.columns)} '
                f"Its columns are {quoted(frame.columns, limit=30)}"
            )
    for name, kind in kinds.items():
        if kind not in get_args(Kind):
            raise InputError(f'the kind of column "{name}" is {kind!r}: it must be {quoted(get_args(Kind))}')
    return kinds


def _rows_with_target(frame: pl.DataFrame, targets: list[str]) -> NDArray[np.int64]:
    """The numbers, from 1, of the rows where at least one target is known."""
    if not targets:
        return np.arange(1, frame.height + 1)
    have = np.any([known(frame[name]).to_numpy() for name in targets], axis=0)
    if not have.any():
        raise InputError(f"every value of {quoted(targets)} is missing: give rows that have one")
    return np.flatnonzero(have) + 1


def _plan(column: pl.Series, rows: NDArray[np.int64], max_categories: int, wanted: Kind | None) -> ColumnPlan:
    missing = len(column) - int(known(column).sum())

    def dropped(reason: str, distinct: int) -> ColumnPlan:
        return ColumnPlan(column.name, "dropped", reason, missing, distinct)

    if wanted == "dropped":
        return dropped("as asked", _distinct(column))
    if missing == len(column):
        return dropped("all values are missing", 0)
    if not is_text(column) and unit_of(column) is None:
        if wanted is not None:
            raise InputError(
                f'column "{column.name}" holds {column.dtype} values, which can\'t be {wanted}: '
                "make columns of numbers or text from it"
            )
        return dropped(f"{column.dtype} values are neither numbers nor text", 0)
    unit, how = _numeric_reading(column, rows, wanted)
    if unit is not None:
        numbers = as_numbers(column, unit, rows)
        distinct = np.unique(numbers[~np.isnan(numbers)]).size
        if wanted is None and distinct == 1 and not missing:
            return dropped("all values are the same", 1)
        if wanted is None and _counts_rows(column.name, numbers):
            return dropped("it numbers the rows", distinct)
        if wanted is None and unit == "number" and _identifies(column.name, numbers, distinct):
            return dropped("an identifier: whole numbers, different in every row", distinct)
        if wanted == "date" and unit != "date":
            raise InputError(
                f'column "{column.name}" is to be a date and holds {PLURALS[unit]}: {_leave_out("date", column)}'
            )
        kind: Kind = "date" if unit == "date" and wanted != "numeric" else "numeric"
        return ColumnPlan(column.name, kind, how, missing, distinct, unit)
    if wanted == "date":
        raise InputError(f'column "{column.name}" is to be a date and holds none: {_leave_out("date", column)}')
    return _plan_categories(column, rows, max_categories, wanted, missing)


def _leave_out(option: str, column: pl.Series) -> str:
    return f"leave {way(option, column.name)} out"


def _identifies(name: str, numbers: NDArray[np.float64], distinct: int) -> bool:
    """Whether whole numbers are names of the rows, by what the column is called."""
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    return (
        distinct == numbers.size >= _IDENTIFIER_ROWS
        and bool(_IDENTIFIER_NAME.fullmatch(spelled))
        and bool((numbers == np.round(numbers)).all())
    )


def _plan_categories(
    column: pl.Series,
    rows: NDArray[np.int64],
    max_categories: int,
    wanted: Kind | None,
    missing: int,
) -> ColumnPlan:
    distinct = as_categories(column).drop_nulls().n_unique()
    why_not = _why_not_categories(column, distinct, missing, max_categories)
    if why_not and wanted is None:
        if is_text(column) and not is_declared_categorical(column) and distinct > 1:
            _refuse_written_numbers(column, rows)
        return ColumnPlan(column.name, "dropped", why_not, missing, distinct)
    if distinct > max_categories:
        raise InputError(
            f'column "{column.name}" has {counted(distinct, "different value")}, more than '
            f"the {max_categories:,} categories allowed: set {way('max_categories')} higher, or "
            f"{way('drop', column.name)}"
        )
    if wanted is not None:
        reason = "as asked"
    elif is_declared_categorical(column):
        reason = "categories"
    elif holds_codes(clean_text(column)):
        reason = "text, as some values begin with a zero"
    else:
        reason = "text"
    return ColumnPlan(column.name, "categorical", reason, missing, distinct)


def _why_not_categories(column: pl.Series, distinct: int, missing: int, max_categories: int) -> str | None:
    present = len(column) - missing
    if distinct == 1 and not missing:
        return "all values are the same"
    if distinct > _FEW and distinct >= _DIFFERENT * present:
        return "text that differs in nearly every row, such as a name or an identifier"
    if distinct > max_categories:
        return f"text with more than {max_categories:,} different values"
    if distinct > _KEPT and present < _ROWS_EACH * distinct:
        return "text that differs in most rows, such as a name or an identifier"
    return None


def _numeric_reading(column: pl.Series, rows: NDArray[np.int64], wanted: Kind | None) -> tuple[Unit | None, str]:
    """What the numbers of a column are and how they are taken; no unit if it has categories."""
    if wanted == "categorical":
        return None, ""
    unit = unit_of(column)
    if unit is not None:
        return unit, _HOW[unit]
    text = clean_text(column)
    if wanted is None and is_declared_categorical(column):
        return None, ""
    if iso_dates(text) is not None:
        return "date", f"text with {_HOW['date']}"
    if wanted == "numeric":
        return "number", "as asked"
    if number_like(column, text, rows, way("categorical", column.name)):
        return "number", "text in which every value is a number"
    return None, ""


def number_like(column: pl.Series, text: pl.Series, rows: NDArray[np.int64], otherwise: str) -> bool:
    """Whether every value of a text column is a number; `text` is the column, cleaned.

    Raises `InputError` naming the others where nearly every value is, with `otherwise` as the way
    out for who means them. Codes such as 007 and whole
    numbers of more than 15 digits aren't numbers, and neither is what stands beside them.
    """
    numbers = parsed_numbers(text)
    present, parsed = len(text) - text.null_count(), len(text) - numbers.null_count()
    if present == 0 or parsed < NEARLY * present or holds_codes(text) or text.str.contains(LONG).any():
        return False
    if parsed < present:
        bad = (text.is_not_null() & numbers.is_null()).to_numpy()
        raise InputError(
            f'column "{column.name}" has text in {text_rows(text, bad, rows)} among numbers: '
            f"put numbers there or leave the cells empty, or {otherwise}"
        )
    return True


def _refuse_written_numbers(column: pl.Series, rows: NDArray[np.int64]) -> None:
    """An error where a column would be lost only because its numbers are written for people."""
    text = clean_text(column)
    alike = text.str.contains(_WRITTEN_NUMBER).sum()
    if alike < NEARLY * (len(text) - text.null_count()):
        return
    bad = (text.is_not_null() & parsed_numbers(text).is_null()).to_numpy()
    if bad.any() and not holds_codes(text):
        raise InputError(
            f'column "{column.name}" has numbers written as text in {text_rows(text, bad, rows)}: '
            f"write them as plain numbers such as 1234.5, or {way('drop', column.name)}"
        )


def _counts_rows(name: str, numbers: NDArray[np.float64]) -> bool:
    if numbers.size < 2 or not _ROW_NUMBER_NAME.fullmatch(name.strip()):
        return False
    return bool((np.diff(numbers) == 1).all())


def _distinct(column: pl.Series) -> int:
    comparable = is_text(column) or unit_of(column) is not None
    return column.drop_nulls().n_unique() if comparable else 0
