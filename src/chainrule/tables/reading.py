"""One door for every table: a CSV or Parquet file, a data frame, or the name of a small data set."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chainrule.errors import FileError, InputError, MissingDependencyError, counted, did_you_mean_file, listed, quoted
from chainrule.tables.advice import way
from chainrule.tables.csv_files import check_rows, read_cells
from chainrule.tables.file_formats import read_arrow, read_excel, read_json, read_json_lines, read_parquet
from chainrule.tables.frames import as_polars
from chainrule.tables.sources import Source, find_sources, is_elsewhere, is_packed, table_suffix, unpacked
from chainrule.tables.text_columns import read_numbers, read_text
from chainrule.tables.wishes import Wishes

if TYPE_CHECKING:
    import polars as pl

DATASETS: Final = ("iris", "wine", "digits", "breast_cancer", "diabetes")
"""The names that `read_table` knows besides paths."""


def read_table(
    source: object,
    *,
    missing: str | Sequence[str] = (),
    header: bool = True,
    separator: str | None = None,
    encoding: str | None = None,
) -> pl.DataFrame:
    """A table from a file, a data frame of any library, or one of scikit-learn's small data sets.

    A file is CSV (`.csv`, `.tsv`, `.txt`), Parquet, Arrow or Feather, JSON lines or Excel, as its ending says, and may
    be packed by gzip or zip; a folder or a pattern such as `parts/*.csv` is several files of the same columns, `-`
    standard input, `https://...` an address; `~` is the home folder. In text files numbers may be written for people
    (`1,133,976`, `$1,002.21`, `43.8%`, `3.188,44`), dates in any form that is clear, and empty cells, NA, n/a, null
    and ? are missing, among numbers also `-`, `.`, none and unknown. What is doubtful stays text. A data frame keeps
    its types. The data sets are `iris`, `wine`, `digits`, `breast_cancer` and `diabetes`, with the column to predict
    called `target`; a file of such a name in the current folder goes first.

    Arguments:
        source: the path, the data frame, or the name of the data set.
        missing: texts that stand for a missing value, besides the usual ones.
        header: whether the first line of a text file holds the names; if not, they are `column_1`, `column_2` ...
        separator: what stands between the cells of a text file; found when left out.
        encoding: of a text file, such as `"cp1252"`; found when left out.

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
        said = Wishes.of(missing=missing, header=header, separator=separator, encoding=encoding)
        gathered = gather(os.fsdecode(source), said)
        frame, found = read_text(gathered.frame, gathered.text, said, comma=gathered.comma)
        return read_numbers(frame, said, found, {}, None)
    frame = as_polars(source)
    if frame.is_empty():
        raise InputError(f"the table has {counted(frame.width, 'column')} and no rows: give at least one row")
    return frame


@dataclass(frozen=True)
class Gathered:
    """A table before its text is read: which columns are cells of text files, and what is to be said of the files."""

    frame: pl.DataFrame
    text: tuple[str, ...] = ()
    comma: bool = False
    notes: tuple[str, ...] = ()


def gather(name: str, wishes: Wishes | None = None) -> Gathered:
    """The table that a name stands for: a file, a folder or a pattern, `-`, an address, or a small data set.

    Raises:
        FileError: it can't be read; the message says which file, and what would be right.
    """
    said = wishes or Wishes()
    path = Path(name).expanduser()
    try:
        if not is_elsewhere(name):
            if name in DATASETS and not path.is_file():
                return Gathered(read_dataset(name))
            _check_is_there(path, name)
        sources, notes = find_sources(name, TABLE_ENDINGS)
        parts = [_gather_one(source, said) for source in sources]
    except OSError as error:
        raise FileError(f"{name} can't be read: {error.strerror or error}") from error
    if len(parts) == 1:
        (only,) = parts
        check_rows(sources[0].name, only.frame)
        return replace(only, notes=(*notes, *only.notes))
    return _joined(sources, parts, notes)


def _gather_one(source: Source, wishes: Wishes) -> Gathered:
    if source.path is not None and not is_packed(source.path.name) and source.suffix in _PARQUET:
        return Gathered(read_parquet(source), notes=_not_for_text(source.name, wishes))
    if source.suffix not in TABLE_ENDINGS and not (source.suffix == "" and is_packed(source.name)):
        ending = f'ends in "{Path(source.name).suffix}"' if Path(source.name).suffix else "has no ending"
        raise FileError(
            f"{source.name} {ending}: tables are read from {listed(TABLE_ENDINGS, limit=20)}; "
            "read other files with their own library and hand in the data frame"
        )
    source = unpacked(source, TABLE_ENDINGS)
    raw = source.bytes()
    start = raw[:6]
    suffix = source.suffix
    if suffix in _EXCEL or start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        frame, notes = read_excel(source)
        return Gathered(frame, tuple(frame.columns), notes=(*notes, *_not_for_text(source.name, wishes)))
    if suffix in _PARQUET or start.startswith(b"PAR1"):
        return Gathered(read_parquet(source), notes=_not_for_text(source.name, wishes))
    if suffix in _ARROW or start.startswith(b"ARROW1"):
        return Gathered(read_arrow(source), notes=_not_for_text(source.name, wishes))
    if suffix in _LINES or suffix == ".json":
        read = read_json_lines if suffix in _LINES else read_json
        return Gathered(read(source), notes=_not_for_text(source.name, wishes))
    read_as = read_cells(source.name, suffix, raw, wishes)
    return Gathered(read_as.cells, tuple(read_as.cells.columns), read_as.comma, read_as.notes)


def _not_for_text(name: str, wishes: Wishes) -> tuple[str, ...]:
    """That what is said of text files says nothing of this one."""
    given = [way(option) for option in ("separator", "encoding") if getattr(wishes, option) is not None]
    given += [] if wishes.header else [way("header", False)]
    return (f"{name} is no CSV file: {listed(given)} is for those",) if given else ()


def _joined(sources: Sequence[Source], parts: Sequence[Gathered], notes: Sequence[str]) -> Gathered:
    """The rows of several files of one schema; columns may stand in another order."""
    import polars as pl

    first = parts[0].frame.columns
    for source, part in zip(sources, parts, strict=True):
        lacking, more = set(first) - set(part.frame.columns), set(part.frame.columns) - set(first)
        if lacking or more:
            told = [f"lacks {quoted(sorted(lacking))}"] if lacking else []
            told += [f"has {quoted(sorted(more))} besides"] if more else []
            raise FileError(
                f"the columns of {source.name} aren't those of {sources[0].name}: it {' and '.join(told)}; "
                "files that are read together have the same columns"
            )
    try:
        frame = pl.concat([part.frame.select(first) for part in parts], how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise FileError(f"the files' columns have other types: {str(error).partition(chr(10))[0]}") from error
    check_rows(f"each of {listed(source.name for source in sources)}", frame)
    text = tuple(name for name in first if all(name in part.text for part in parts))
    said = (*notes, *(note for part in parts for note in part.notes))
    return Gathered(
        frame, text, any(part.comma for part in parts), (*said, f"{len(parts)} files are read as one table")
    )


def holds_tables(folder: Path) -> bool:
    """Whether a folder is of tables: some files stand in it whose names end as theirs, and no folders beside them."""
    inside = [one for one in folder.iterdir() if not one.name.startswith(".")]
    if not inside:
        return False
    has_folders = any(one.is_dir() for one in inside)
    return not has_folders and any(table_suffix(one.name) in TABLE_ENDINGS for one in inside)


def _check_is_there(path: Path, name: str) -> None:
    if path.exists() or re.search(r"[*?\[]", name):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise FileError(f"{path} is not a file")
        return
    if not path.parent.is_dir():
        raise FileError(f"there is no file {path}, nor a folder {path.parent}")
    others = [other.name for other in path.parent.iterdir() if table_suffix(other.name) in TABLE_ENDINGS]
    plain_name = path.parent == Path(".")
    raise FileError(
        f"there is no file {path}.{did_you_mean_file(path.name, [*others, *(DATASETS if plain_name else ())])} "
        f"Besides files, these data sets can be named: {listed(DATASETS)}"
    )


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


_PARQUET: Final = (".parquet", ".pq")
_ARROW: Final = (".feather", ".arrow", ".ipc")
_LINES: Final = (".jsonl", ".ndjson")
_EXCEL: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
TABLE_ENDINGS: Final = (".csv", ".tsv", ".txt", *_PARQUET, *_ARROW, *_LINES, ".json", *_EXCEL)
"""How the names of files end that are read as tables, packed (`.gz`, `.zip` ...) or not."""
