"""One door for every table: a path, a data frame, or the name of a small data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chainrule.errors import FileError, InputError, MissingDependencyError, did_you_mean_file, listed
from chainrule.tables.csv_files import read_csv
from chainrule.tables.datasets import DATASETS, read_dataset
from chainrule.tables.frames import as_polars
from chainrule.tables.messages import counted
from chainrule.tables.parquet_files import read_parquet

if TYPE_CHECKING:
    import polars as pl

_READERS: Final = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".parquet": read_parquet,
    ".pq": read_parquet,
}
TABLE_ENDINGS: Final = tuple(_READERS)


def read_table(source: object) -> pl.DataFrame:
    """A table from a file, a data frame of any library, or one of scikit-learn's small data sets.

    A file is CSV (`.csv`, `.tsv`, `.txt`) or Parquet (`.parquet`, `.pq`), as its ending says; `~`
    is the home folder. In CSV, empty cells and NA, N/A, n/a, NaN, nan, null, NULL, None and ? are
    missing. A data frame keeps its types. The data sets are `iris`, `wine`, `digits`,
    `breast_cancer` and `diabetes`, with the column to predict called `target`; a file of such a
    name in the current folder goes first. Raises `FileError` for a file that can't be read and
    `InputError` for a data frame that can't be used.

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
