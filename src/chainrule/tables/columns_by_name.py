"""Columns by name, as lists or arrays, as a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InputError, listed

if TYPE_CHECKING:
    import polars as pl


def from_columns(columns: Mapping[Any, Any]) -> pl.DataFrame:
    """A data frame of columns that are given by name, all of the same number of rows.

    Values of several types in one column are numbers if all of them are, and text otherwise.

    >>> from_columns({"age": [31, None], "sex": ["f", "m"]}).shape
    (2, 2)
    """
    import polars as pl

    made = {str(name): _column(str(name), values) for name, values in columns.items()}
    heights = {name: len(column) for name, column in made.items()}
    if len(set(heights.values())) > 1:
        lengths = listed(f'"{name}" {height}' for name, height in heights.items())
        raise InputError(f"the columns have different numbers of rows: {lengths}")
    return pl.DataFrame(made)


def _column(name: str, values: Any) -> pl.Series:
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
        return pl.Series(values, strict=True)
    except TypeError:  # values of several types: numbers are numbers, all else is text
        known = [value for value in values if value is not None]
        if all(isinstance(value, (int, float, np.number)) for value in known):
            return pl.Series([None if value is None else float(value) for value in values])
        return pl.Series([None if value is None else str(value) for value in values])
