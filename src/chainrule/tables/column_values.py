"""The values of one column as numbers or as categories, whichever type they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, at_rows, quoted
from chainrule.tables.dates import in_days, iso_dates

if TYPE_CHECKING:
    import polars as pl

Unit = Literal["number", "boolean", "date", "duration", "time"]
"""What the numbers of a column are. Dates, durations and times are counted in days."""

PLURALS: Final[dict[Unit, str]] = {
    "number": "numbers",
    "boolean": "true/false",
    "date": "dates",
    "duration": "durations",
    "time": "times of day",
}

# "007" is a code, not the number 7: as a number it would lose its zeros.
CODE: Final = r"^[+-]?0[0-9]+$"

# Whole numbers so long aren't told apart as floats: they are codes too.
LONG: Final = r"^[+-]?[0-9]{16,}$"

# What may be written in several ways: numbers, truth values, text with spaces around it, none.
_SEVERAL_WAYS: Final = r"(?i)[0-9]|\s|^$|^(true|false)$"


def is_text(series: pl.Series) -> bool:
    """Whether a column holds text, be it plain or a data frame library's categories."""
    import polars as pl

    return series.dtype in (pl.String, pl.Categorical, pl.Enum)


def is_declared_categorical(series: pl.Series) -> bool:
    """Whether a data frame says itself that the column holds categories."""
    import polars as pl

    return series.dtype in (pl.Categorical, pl.Enum)


def unit_of(series: pl.Series) -> Unit | None:
    """What the numbers of a column are, or nothing where the type isn't one of numbers."""
    import polars as pl

    dtype = series.dtype
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype in (pl.Date, pl.Datetime):
        return "date"
    if dtype == pl.Duration:
        return "duration"
    return "time" if dtype == pl.Time else None


def evaluated(expression: pl.Expr, series: pl.Series) -> pl.Series:
    """An expression of `pl.col("value")` for a column: one query, where each method of a series is one of its own."""
    return series.to_frame("value").select(expression.alias("value")).to_series().alias(series.name)


def clean_text(series: pl.Series) -> pl.Series:
    """A text column without spaces around its values, blank ones missing."""
    import polars as pl

    return evaluated(pl.col("value").str.strip_chars().replace("", None), series.cast(pl.String))


def known(series: pl.Series) -> pl.Series:
    """Where a column has a value: not missing, not NaN, not blank."""
    import polars as pl

    if is_text(series):
        return clean_text(series).is_not_null()
    if series.dtype.is_float():
        return pl.Series(~np.isnan(series.to_numpy()))  # missing is NaN in NumPy
    if not series.null_count():
        return pl.Series(np.ones(len(series), dtype=bool))
    return series.is_not_null()


def holds_codes(text: pl.Series) -> bool:
    """Whether a text column has whole numbers that begin with a zero, so is one of codes."""
    return bool(text.str.contains(CODE).any())


def parsed_numbers(text: pl.Series) -> pl.Series:
    """Text as numbers, missing where it isn't one; the text "nan" isn't."""
    import polars as pl

    return text.cast(pl.Float64, strict=False).fill_nan(None)


def as_numbers(series: pl.Series, unit: Unit = "number", rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """A column as float64 numbers, NaN where missing, shape (rows,).

    True is 1 and false 0; dates count the days since 1970-01-01. `rows` are the rows' numbers
    for messages, 1, 2, … unless given. Raises `InputError` for text that isn't a number, for
    infinite numbers and for a column whose values aren't what `unit` says.

    >>> import polars as pl
    >>> as_numbers(pl.Series([True, None, False])).tolist()
    [1.0, nan, 0.0]
    """
    import polars as pl

    if series.dtype == pl.Null:
        return np.full(len(series), np.nan)
    if is_text(series):
        numbers = _numbers_in_text(series, unit, rows)
    else:
        _check_unit(series, unit)
        numbers = _plain_numbers(series)
    values = numbers.to_numpy().astype(np.float64)  # a copy: polars' own memory is read-only
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise InputError(
            f'column "{series.name}" is infinite in {at_rows(_numbered(infinite, rows))}: '
            "put finite numbers there or leave the cells empty"
        )
    return values


def as_categories(series: pl.Series) -> pl.Series:
    """A column as category names, missing where the value is missing or blank.

    The same category has the same name in every type: 1, 1.0, "1" and "1.0" are "1"; true and
    "True" are "true".

    >>> import polars as pl
    >>> as_categories(pl.Series(["1.0", " a", "True", ""])).to_list()
    ['1', 'a', 'true', None]
    """
    import polars as pl

    if is_text(series):
        # Few distinct values, many rows: the patterns run once per distinct value.
        raw = series.cast(pl.String)
        distinct = raw.unique()
        if not distinct.str.contains(_SEVERAL_WAYS).any():
            return raw
        distinct = distinct.drop_nulls()
        names = evaluated(_one_spelling(pl.col("value").str.strip_chars()), distinct)
        return raw if names.equals(distinct) else raw.replace(distinct, names)
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary, pl.Duration):
        raise InputError(f'column "{series.name}" holds {series.dtype} values, which can\'t be categories')
    if series.dtype.is_float():
        return evaluated(_float_name(pl.col("value").fill_nan(None)), series)
    return series.cast(pl.String)


def text_rows(series: pl.Series, bad: NDArray[np.bool_], rows: NDArray[np.int64] | None = None) -> str:
    """The rows where a column of numbers has text, and some of what it says there, for messages."""
    where = np.flatnonzero(bad)
    examples = series.filter(bad).unique(maintain_order=True).head(3)
    return f"{at_rows(_numbered(where, rows))} ({quoted(examples)})"


def _numbers_in_text(series: pl.Series, unit: Unit, rows: NDArray[np.int64] | None) -> pl.Series:
    import polars as pl

    text = clean_text(series)
    numbers = parsed_numbers(text)
    if unit == "boolean":
        truth = text.str.to_lowercase()
        numbers = numbers.fill_null(
            truth.replace_strict({"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64)
        )
    elif unit != "number":
        dates = iso_dates(text) if unit == "date" else None
        numbers = pl.repeat(None, len(text), dtype=pl.Float64, eager=True)
        if dates is not None:
            numbers = _plain_numbers(dates)
    bad = (text.is_not_null() & numbers.is_null()).to_numpy()
    if bad.any():
        right = PLURALS[unit] + (" such as 2024-01-31" if unit == "date" else "")
        raise InputError(
            f'column "{series.name}" has text in {text_rows(text, bad, rows)} where '
            f"{PLURALS[unit]} belong: put {right} there or leave the cells empty"
        )
    return numbers


def _check_unit(series: pl.Series, unit: Unit) -> None:
    found = unit_of(series)
    alike = ("number", "boolean")
    if found != unit and not (found in alike and unit in alike):
        held = PLURALS[found] if found else f"{series.dtype} values"
        raise InputError(f'column "{series.name}" holds {held} where {PLURALS[unit]} belong: give {PLURALS[unit]}')


def _plain_numbers(series: pl.Series) -> pl.Series:
    """Numbers, truth values and times as Float64."""
    import polars as pl

    return in_days(series) if series.dtype.is_temporal() else series.cast(pl.Float64)


def _one_spelling(text: pl.Expr) -> pl.Expr:
    """The category names of texts without spaces around: numbers and truth values in their one spelling."""
    import polars as pl

    number, truth = text.cast(pl.Float64, strict=False), text.str.to_lowercase()
    # Whole numbers stay as they are: as floats, those beyond 2**53 would lose digits.
    plain = text.str.contains(r"^(0|-?[1-9][0-9]*)$") | text.str.contains(CODE)
    return (
        pl.when(text == "")
        .then(None)
        .when(number.is_finite().fill_null(False) & ~plain)
        .then(_float_name(number))
        .when(truth.is_in(("true", "false")))
        .then(truth)
        .otherwise(text)
    )


def _float_name(number: pl.Expr) -> pl.Expr:
    import polars as pl

    return number.cast(pl.String).str.replace(r"^(-?[0-9]+)\.0$", "${1}").replace("-0", "0")


def _numbered(where: NDArray[np.int64], rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
    return where + 1 if rows is None else rows[where]
