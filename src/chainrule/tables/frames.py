"""Any data frame (pandas, pyarrow, polars, DuckDB, …) as a polars data frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InputError, listed, quoted

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


def from_columns(columns: Mapping[Any, Any]) -> pl.DataFrame:
    """A data frame of columns that are given by name, all of the same number of rows.

    Values of several types in one column are numbers if all of them are, and text otherwise.

    >>> from_columns({"age": [31, None], "sex": ["f", "m"]}).shape
    (2, 2)
    """
    import polars as pl

    made = {str(name): _listed_column(str(name), values) for name, values in columns.items()}
    heights = {name: len(column) for name, column in made.items()}
    if len(set(heights.values())) > 1:
        lengths = listed(f'"{name}" {height}' for name, height in heights.items())
        raise InputError(f"the columns have different numbers of rows: {lengths}")
    return pl.DataFrame(made)


def _listed_column(name: str, values: Any) -> pl.Series:
    import polars as pl

    is_list = isinstance(values, (Sequence, np.ndarray, pl.Series)) and not isinstance(values, (str, bytes))
    if not is_list or (isinstance(values, np.ndarray) and values.ndim != 1):
        kind = (
            f"an array of shape {values.shape}"
            if isinstance(values, np.ndarray)
            else f"of type {type(values).__name__}"
        )
        raise InputError(f'column "{name}" is {kind}; it must be a list of values, one for each row')
    try:
        return _without_complex(name, pl.Series(values, strict=True))
    except TypeError:  # values of several types: numbers are numbers, all else is text
        values = [None if value is np.ma.masked else value for value in values]
        known = [value for value in values if value is not None]
        _refuse_complex(name, known)
        if all(isinstance(value, (int, float, np.number)) for value in known):
            return pl.Series([None if value is None else float(value) for value in values])
        return pl.Series([None if value is None else str(value) for value in values])


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
        column = _without_complex(name, _column(given)).alias(name)
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
    except (TypeError, ValueError, ImportError, NotImplementedError, pl.exceptions.PolarsError):
        values = [None if _is_missing(value) else value for value in given.to_list()]
        try:
            return pl.Series(values=values, strict=True)
        except TypeError:
            return pl.Series(values=[None if v is None else str(v) for v in values])
    return column


def _without_complex(name: str, column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype == pl.Object:
        _refuse_complex(name, column)
    return column


def _refuse_complex(name: str, values: Iterable[Any]) -> None:
    """As text or as real parts alone they would be other values than those that were given."""
    if any(isinstance(value, (complex, np.complexfloating)) for value in values):
        raise InputError(f'column "{name}" holds complex numbers: give their real and imaginary parts as two columns')


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
