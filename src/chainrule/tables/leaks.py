"""Columns that tell the target alone, or say the same as another: named, not dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import listed
from chainrule.tables.advice import way
from chainrule.tables.column_values import as_categories, as_numbers, is_text

if TYPE_CHECKING:
    import polars as pl

    from chainrule.arrays import Doubles
    from chainrule.tables.columns import ColumnPlan
    from chainrule.tables.target import TargetPlan

_ROWS: Final = 100_000  # that are looked at
_FEWEST: Final = 20  # rows, below which columns agree by chance
_SAME: Final = 0.9995  # of the variance of a number that another tells
_ERRORS: Final = 0.01  # of the rows that a column may tell wrongly
_OF_BASELINE: Final = 0.1  # and of those that the most frequent class would
_ROWS_EACH: Final = 5  # of a value, on average, before it may tell anything


def find_leaks(frame: pl.DataFrame, target: TargetPlan, columns: Sequence[ColumnPlan]) -> list[str]:
    """What is to be said of columns that equal or nearly determine the target alone.

    A number tells a target that is a number if a line through both leaves less than 0.05% of its variance, or of the
    variance of the ranks; it tells classes if they are parted by so few bounds between its values that hardly a row is
    wrong. A category does if hardly a row has another class, or number, than most of its category.

    >>> import polars as pl
    >>> from chainrule.tables.columns import plan_columns
    >>> from chainrule.tables.target import plan_target
    >>> frame = pl.DataFrame({"paid": [2.0 * i for i in range(40)], "price": [0.5 * i for i in range(40)]})
    >>> find_leaks(frame, plan_target(frame, "price"), plan_columns(frame, "price"))[0][:57]
    'column "paid" tells the target "price" alone: is it known'
    """
    frame = frame.filter(target.known(frame)).head(_ROWS)
    if frame.height < _FEWEST:
        return []
    y = target.encode(frame) if target.classes else target.values(frame)
    return [
        f'column "{column.name}" tells the target "{target.name}" alone: is it known before the target is? '
        f"If not, or if it is the target in other words, it leaks: {way('drop', column.name)}"
        for column in columns
        if column.kind != "dropped" and _tells(frame[column.name], column, np.asarray(y), bool(target.classes))
    ]


def find_copies(frame: pl.DataFrame, columns: Sequence[ColumnPlan]) -> list[str]:
    """What is to be said of columns that say the same in other words: each value of one goes with one of the other.

    >>> import polars as pl
    >>> from chainrule.tables.columns import plan_columns
    >>> frame = pl.DataFrame({"deck": [1, 2, 3, 2] * 9, "class": ["a", "b", "c", "b"] * 9})
    >>> find_copies(frame, plan_columns(frame))
    ['columns deck, class say the same in other words: one would do, and drop=["class"] leaves the others out']
    """
    import polars as pl

    frame = frame.head(_ROWS)
    alike: dict[bytes, list[str]] = {}
    if frame.height < _FEWEST:
        return []
    for column in columns:
        if column.kind == "dropped" or column.distinct < 2:
            continue
        series = frame[column.name]
        if column.distinct * 2 > frame.height:
            key = as_numbers(series, column.unit).tobytes() if column.unit else b""
        else:
            values = as_categories(series) if is_text(series) else series
            places = values.to_frame("v").select(pl.col("v").rank("dense")).to_series().fill_null(0).to_numpy()
            _, first, code = np.unique(places, return_index=True, return_inverse=True)
            key = np.argsort(np.argsort(first))[code].astype(np.int32).tobytes()
        if key:
            alike.setdefault(key, []).append(column.name)
    return [
        f"columns {listed(names)} say the same in other words: one would do, and {_ways(names[1:])} leaves the "
        f"others out"
        for names in alike.values()
        if len(names) > 1
    ]


def _ways(names: Sequence[str]) -> str:
    return " ".join(way("drop", name) for name in names)


def _tells(series: pl.Series, plan: ColumnPlan, y: Doubles, classes: bool) -> bool:
    if plan.kind == "categorical" or plan.distinct * _ROWS_EACH <= len(y):
        if plan.distinct * _ROWS_EACH > len(y):
            return False
        codes = np.unique(as_categories(series).fill_null("\0").to_numpy(), return_inverse=True)[1].astype(np.int64)
        if _groups_tell(codes, y, classes):
            return True
    if plan.kind == "categorical":
        return False
    x = as_numbers(series, plan.unit or "number")
    has = ~np.isnan(x)
    if has.sum() < max(_FEWEST, 0.9 * len(y)):
        return False
    return _bounds_tell(x[has], y[has]) if classes else _line_tells(x[has], y[has])


def _groups_tell(codes: NDArray[np.int64], y: Doubles, classes: bool) -> bool:
    groups = int(codes.max()) + 1
    if not classes:
        sums, counts = np.bincount(codes, y, groups), np.bincount(codes, minlength=groups)
        left = y - (sums / counts)[codes]
        return bool(np.var(left) < (1 - _SAME) * np.var(y))
    table = np.zeros((groups, int(y.max()) + 1), dtype=np.int64)
    np.add.at(table, (codes, y.astype(np.int64)), 1)
    wrong, baseline = len(y) - table.max(axis=1).sum(), len(y) - table.sum(axis=0).max()
    return bool(wrong <= min(_ERRORS * len(y), _OF_BASELINE * baseline))


def _bounds_tell(x: Doubles, y: Doubles) -> bool:
    """Whether classes lie one after the other along a number."""
    order = np.argsort(x, kind="stable")
    label = y[order]
    several = len(np.unique(label))
    changes = np.count_nonzero(np.diff(label))
    baseline = len(y) - np.bincount(label.astype(np.int64)).max()
    return bool(several > 1 and changes - (several - 1) <= min(_ERRORS * len(y), _OF_BASELINE * baseline))


def _line_tells(x: Doubles, y: Doubles) -> bool:
    return any(_correlation(a, b) ** 2 > _SAME for a, b in ((x, y), (_ranks(x), _ranks(y))))


def _correlation(x: Doubles, y: Doubles) -> float:
    a, b = x / (np.abs(x).max() or 1), y / (np.abs(y).max() or 1)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else 0.0


def _ranks(x: Doubles) -> Doubles:
    ranks: Doubles = np.unique(x, return_inverse=True)[1].astype(np.float64)
    return ranks
