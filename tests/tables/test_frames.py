"""Data frames of other libraries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from chainrule.errors import InputError
from chainrule.tables.frames import as_polars


def test_polars_frames_pass_as_they_are() -> None:
    frame = pl.DataFrame({"a": [1]})
    assert as_polars(frame) is frame
    assert as_polars(frame.lazy()).equals(frame)


def test_pandas_and_pyarrow_give_the_same() -> None:
    values = {"a": [1.5, None], "b": ["x", None], "c": [True, False]}
    expected = pl.DataFrame(values)
    assert as_polars(pd.DataFrame(values)).equals(expected)
    assert as_polars(pa.table(values)).equals(expected)


def test_pandas_peculiarities() -> None:
    frame = as_polars(
        pd.DataFrame(
            {
                0: pd.Categorical([1, 2, 1]),
                "mixed": np.array([1, "x", pd.NA], dtype=object),
                "truth": np.array([True, None, False], dtype=object),
                "whole": pd.array([1, None, 3], dtype="Int64"),
                "when": pd.to_datetime(["2020-01-01", None, "2020-01-02"]),
            },
            index=[7, 8, 9],
        )
    )
    assert frame.columns == ["0", "mixed", "truth", "whole", "when"]
    assert isinstance(frame["0"].dtype, pl.Categorical)
    assert frame["0"].to_list() == ["1", "2", "1"]
    assert frame["mixed"].to_list() == ["1", "x", None]
    assert frame["truth"].to_list() == [True, None, False]
    assert frame["whole"].to_list() == [1, None, 3]
    assert frame["when"].null_count() == 1


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]),
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
    ],
)
def test_repeated_names(frame: object) -> None:
    with pytest.raises(InputError, match='more than one column called "a": give each its own'):
        as_polars(frame)


def test_names_that_are_the_same_as_text() -> None:
    with pytest.raises(InputError, match='more than one column called "0"'):
        as_polars(pd.DataFrame({0: [1], "0": [2]}))


@pytest.mark.parametrize(
    "source",
    [
        {"z": np.array([1 + 2j, 3])},
        {"z": np.array([1 + 2j], dtype=np.complex64)},
        {"z": [1.5, 1 + 2j]},
        {"z": [1j, None]},
        pd.DataFrame({"z": [1 + 2j, 3]}),
        pd.DataFrame({"z": np.array([1j, "x"], dtype=object)}),
    ],
    ids=["complex128", "complex64", "mixed list", "list", "pandas", "pandas objects"],
)
def test_complex_numbers_keep_no_half_of_themselves(source: object) -> None:
    with pytest.raises(InputError, match=r'column "z" holds complex numbers: give their real and imaginary parts'):
        as_polars(source)


def test_masked_values_are_missing() -> None:
    masked = np.ma.masked_array([1.0, -999.0, 3.0], mask=[0, 1, 0])
    assert as_polars({"a": masked})["a"].to_list() == [1.0, None, 3.0]
    assert as_polars({"a": [np.ma.masked, 1.0]})["a"].to_list() == [None, 1.0]
    assert as_polars(pd.DataFrame({"a": masked}))["a"].to_list() == [1.0, None, 3.0]


@pytest.mark.parametrize("source", [None, 5, np.eye(2), [[1]], pd.Series([1])])
def test_what_is_no_table(source: object) -> None:
    with pytest.raises(InputError, match=r"a table is .*: it must be a path, a data frame"):
        as_polars(source)
