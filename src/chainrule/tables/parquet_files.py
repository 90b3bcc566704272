"""Parquet files: the table, or an error that says why it can't be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import FileError

if TYPE_CHECKING:
    import polars as pl


def read_parquet(path: Path) -> pl.DataFrame:
    """The table in a Parquet file; its own types are kept.

    Raises `FileError` for a file that isn't whole, has no rows, or has two columns of one name.
    """
    import polars as pl

    if path.stat().st_size == 0:
        raise FileError(f"{path} is empty: it must be a Parquet file")
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except pl.exceptions.DuplicateError as error:
        raise FileError(f"two columns of {path} have the same name: give each its own ({error})") from error
    # A damaged file can make the reader panic, and a panic isn't a PolarsError.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).partition("\n")[0]
        raise FileError(f"{path} can't be read as Parquet ({reason}): write it again, or give a CSV file") from error
    if frame.is_empty():
        raise FileError(f"{path} has no rows: give a table with at least one")
    return frame
