"""Parquet files: what is read, and what the error says where it can't be."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from chainrule.errors import FileError
from chainrule.tables.parquet_files import read_parquet


def test_types_are_kept(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, None], "b": [True, False], "c": ["NA", ""]})
    frame.write_parquet(tmp_path / "t.parquet")
    assert read_parquet(tmp_path / "t.parquet").equals(frame)


@pytest.mark.parametrize("damaged", [b"hello", b"PAR1" + b"x" * 40 + b"PAR1"])
def test_unreadable(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(damaged)
    with pytest.raises(FileError, match=r"t\.parquet can't be read as Parquet .*: write it again"):
        read_parquet(path)


def test_empty_and_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"")
    with pytest.raises(FileError, match="is empty"):
        read_parquet(path)
    pl.DataFrame({"a": []}).write_parquet(path)
    with pytest.raises(FileError, match="has no rows"):
        read_parquet(path)


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(FileError, match=r"two columns of .* have the same name.*'a'"):
        read_parquet(path)
