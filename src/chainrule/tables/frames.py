"""Any data frame (pandas, pyarrow, polars, DuckDB, …) as a polars data frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError
from chainrule.tables.columns_by_name import from_columns
from chainrule.tables.messages import quoted

if TYPE_CHECKING:
    import polars as pl


def as_polars(source: object) -> pl.DataFrame:
    """A data frame of any library, or columns by name, as one of polars, column names as text.

    Raises `InputError` for what isn't a data frame, and for two columns of one name.

    >>> import pandas
    >>> as_polars(pandas.DataFrame({"age": [31.0, None]})).to_dict(as_series=False)
    {'age': [31.0, None]}
    """
    import narwhals as nw
    import polars as pl

    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, Mapping):
        return from_columns(source)
    try:
        wrapped = nw.from_native(source)  # type: ignore[call-overload]  # anything may be tried
    except nw.exceptions.DuplicateError:
        raise _repeated(source) from None
    except TypeError:
        raise InputError(
            f"a table is {_described(source)}: it must be a path, a data frame, or the name of a data set"
        ) from None
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect("polars")
    return _converted(wrapped)


def _converted(wrapped: Any) -> pl.DataFrame:
    import narwhals as nw
    import polars as pl

    try:
        names = [str(name) for name in wrapped.columns]
    except nw.exceptions.DuplicateError:
        raise _repeated(wrapped.to_native()) from None
    if len(set(names)) < len(names):
        raise _repeated(wrapped)
    columns = []
    for name, given in zip(names, wrapped.iter_columns(), strict=True):
        column = _column(given).alias(name)
        # pandas' categories may be numbers; they were declared to be categories nevertheless.
        if given.dtype == nw.Categorical and column.dtype not in (pl.Categorical, pl.Enum):
            column = column.cast(pl.String).cast(pl.Categorical)
        columns.append(column)
    return pl.DataFrame(columns)


def _column(given: Any) -> pl.Series:
    import polars as pl

    try:
        column: pl.Series = given.to_polars()
    # A pandas column of Python objects: values of several types, or no pyarrow to convert them.
    except (TypeError, ValueError, ImportError, pl.exceptions.PolarsError):
        values = [None if _is_missing(value) else value for value in given.to_list()]
        try:
            return pl.Series(values=values, strict=True)
        except TypeError:
            return pl.Series(values=[None if v is None else str(v) for v in values])
    return column


def _repeated(frame: Any) -> InputError:
    # pyarrow's tables have their names in `column_names`, their data in `columns`.
    names = getattr(frame, "column_names", None) or frame.columns
    counts = Counter(str(name) for name in names)
    twice = [name for name, count in counts.items() if count > 1]
    return InputError(f"the table has more than one column called {quoted(twice)}: give each its own name")


def _is_missing(value: object) -> bool:
    """None, NaN, and pandas' own NA and NaT, which no import is needed to know."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _described(source: object) -> str:
    return "None" if source is None else f"of type {type(source).__name__}"
