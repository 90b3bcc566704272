"""One door for every table: a CSV or Parquet file, a data frame, or the name of a small data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chainrule.errors import FileError, InputError, MissingDependencyError, counted, did_you_mean_file, listed
from chainrule.tables.csv_files import read_csv
from chainrule.tables.frames import as_polars

if TYPE_CHECKING:
    import polars as pl

DATASETS: Final = ("iris", "wine", "digits", "breast_cancer", "diabetes")
"""The names that `read_table` knows besides paths."""


def read_table(source: object) -> pl.DataFrame:
    """A table from a file, a data frame of any library, or one of scikit-learn's small data sets.

    A file is CSV (`.csv`, `.tsv`, `.txt`) or Parquet (`.parquet`, `.pq`), as its ending says; `~`
    is the home folder. In CSV, empty cells and NA, N/A, n/a, NaN, nan, null, NULL, None and ? are
    missing. A data frame keeps its types. The data sets are `iris`, `wine`, `digits`,
    `breast_cancer` and `diabetes`, with the column to predict called `target`; a file of such a
    name in the current folder goes first.

    Arguments:
        source: the path, the data frame, or the name of the data set.

    Raises:
        FileError: a file can't be read.
        InputError: a data frame can't be used.

    >>> frame = read_table("iris")
    >>> frame.shape, frame["target"][0]
    ((150, 5), 'setosa')
    """
    try:
        import polars  # noqa: F401  # all that follows needs it
    except ImportError as error:
        raise MissingDependencyError("tables are read with polars: pip install polars") from error
    if isinstance(source, (str, os.PathLike)):
        return _read_named(os.fspath(source))
    frame = as_polars(source)
    if frame.is_empty():
        raise InputError(f"the table has {counted(frame.width, 'column')} and no rows: give at least one row")
    return frame


def _read_named(name: str | bytes) -> pl.DataFrame:
    path = Path(os.fsdecode(name)).expanduser()
    try:
        if str(path) in DATASETS and not path.is_file():
            return read_dataset(str(path))
        _check_is_file(path)
        return _reader(path)(path)
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}") from error


def _reader(path: Path) -> Callable[[Path], pl.DataFrame]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        ending = f'ends in "{path.suffix}"' if path.suffix else "has no ending"
        raise FileError(
            f"{path} {ending}: tables are read from {listed(_READERS)}; "
            "read other files with their own library and hand in the data frame"
        )
    return reader


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise FileError(f"{path} is a folder: name one file in it")
    if path.is_file():
        return
    if not path.parent.is_dir():
        raise FileError(f"there is no file {path}, nor a folder {path.parent}")
    if path.exists():
        raise FileError(f"{path} is not a file")
    others = [other.name for other in path.parent.iterdir() if other.suffix.lower() in _READERS]
    plain_name = path.parent == Path(".")
    raise FileError(
        f"there is no file {path}.{did_you_mean_file(path.name, [*others, *(DATASETS if plain_name else ())])} "
        f"Besides files, these data sets can be named: {listed(DATASETS)}"
    )


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


def read_dataset(name: str) -> pl.DataFrame:
    """One of `DATASETS`: the columns under scikit-learn's names, then `target`.

    Classes have their names (`setosa`), those of `digits` are the digits; `diabetes` has numbers.
    """
    import polars as pl

    try:
        datasets: Any = import_module("sklearn.datasets")
    except ImportError as error:
        raise MissingDependencyError(
            f'the data set "{name}" comes with scikit-learn: pip install scikit-learn'
        ) from error
    bunch: Any = getattr(datasets, f"load_{name}")()
    target = bunch.target
    if "target_names" in bunch:
        target = np.asarray(bunch.target_names)[target]
    columns = zip(map(str, bunch.feature_names), bunch.data.T, strict=True)
    frame = pl.DataFrame([pl.Series(column, values) for column, values in columns])
    return frame.with_columns(pl.Series("target", target.tolist()))


_READERS: Final = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".parquet": read_parquet,
    ".pq": read_parquet,
}
TABLE_ENDINGS: Final = tuple(_READERS)
"""How the names of files end that are read as tables."""
