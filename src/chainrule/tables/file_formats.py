"""Tables whose files know their types: Parquet, Arrow and Feather, JSON, Excel."""

from __future__ import annotations

import io
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chainrule.errors import FileError, MissingDependencyError, counted, listed
from chainrule.tables.sources import Source

if TYPE_CHECKING:
    import polars as pl


def read_parquet(source: Source) -> pl.DataFrame:
    """The table in a Parquet file; its own types are kept.

    Raises `FileError` for a file that isn't whole, has no rows, or has two columns of one name.
    """
    import polars as pl

    if source.content is not None:
        if not source.content:
            raise FileError(f"{source.name} is empty: it must be a Parquet file")
        return _read("Parquet", source, lambda: pl.read_parquet(io.BytesIO(source.content or b"")))
    if source.path is not None and source.path.stat().st_size == 0:
        raise FileError(f"{source.name} is empty: it must be a Parquet file")
    return _read(
        "Parquet", source, lambda: pl.read_parquet(source.path or "", glob=False, hive_partitioning=False)
    )  # fmt: skip


def read_arrow(source: Source) -> pl.DataFrame:
    """The table in an Arrow or Feather file, or in an Arrow stream; its own types are kept."""
    import polars as pl

    raw = source.bytes()
    read = pl.read_ipc if raw.startswith(b"ARROW1") else pl.read_ipc_stream
    return _read("Arrow", source, lambda: read(io.BytesIO(raw)))


def read_json_lines(source: Source) -> pl.DataFrame:
    """The table in a file with one JSON object a line; a key that a line lacks is missing there."""
    import polars as pl

    raw = source.bytes()
    try:
        frame = pl.read_ndjson(io.BytesIO(raw), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise FileError(f"{source.name} isn't one JSON object a line: {_odd_line(raw) or error}") from error
    if odd := _odd_line(raw.partition(b"\n")[0]):
        raise FileError(f"{source.name} isn't one JSON object a line: {odd}")
    return _with_rows(source, frame)


def read_json(source: Source) -> pl.DataFrame:
    """The table in a JSON array of objects."""
    import polars as pl

    raw = source.bytes()
    if raw.lstrip()[:1] != b"[":
        return read_json_lines(source)
    try:
        rows = json.loads(raw)
    except ValueError as error:
        raise FileError(f"{source.name} isn't JSON: {error}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise FileError(f"{source.name} must be an array of objects, one for each row")
    try:
        return _with_rows(source, pl.DataFrame(rows, infer_schema_length=None))
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise FileError(f"{source.name} holds values of several kinds in one column: {error}") from error


def read_excel(source: Source) -> tuple[pl.DataFrame, list[str]]:
    """The first sheet of an Excel file, and a note where there are more.

    Raises `MissingDependencyError` without the library that reads it.
    """
    import polars as pl

    try:
        fastexcel: Any = import_module("fastexcel")
    except ImportError as error:
        raise MissingDependencyError(
            f"{source.name} is an Excel file: pip install 'chainrule[excel]', or save it as CSV"
        ) from error
    try:
        book = fastexcel.read_excel(source.bytes())
        names = list(book.sheet_names)
        sheet = book.load_sheet(names[0], header_row=None, dtypes="string")
        cells = pl.DataFrame(sheet)
    except Exception as error:  # the library has many kinds, the readers below it still more
        reason = str(error).partition("\n")[0]
        raise FileError(f"{source.name} can't be read as Excel ({reason}): save it again, or as CSV") from error
    notes = [f'{source.name}: the sheet "{names[0]}" is read, not {listed(names[1:])}'] if len(names) > 1 else []
    empty = pl.all_horizontal(pl.all().is_null())
    above = cells.select(empty).to_series() if cells.width else pl.Series([], dtype=pl.Boolean)
    full = [i for i in range(min(cells.height, _TITLES)) if cells.row(i).count(None) == 0]
    first = full[0] if full else 0
    if first and sum(not blank for blank in above[:first]):
        notes.append(f"{source.name}: what stands above line {first + 1}, which names the columns, is left out")
    rows = cells[first + 1 :].filter(~empty)
    if not rows.height:
        raise FileError(f"{source.name} has no rows below its header")
    titles = [str(title or "").strip() for title in cells.row(first)]
    twice = {title for title in titles if titles.count(title) > 1}
    if twice:
        raise FileError(
            f"{source.name} has more than one column called {listed(sorted(twice))}: give each its own name"
        )
    rows.columns = titles
    return rows, notes


_TITLES: Final = 20  # lines that may stand above the names


def _read(kind: str, source: Source, read: Any) -> pl.DataFrame:
    import polars as pl

    try:
        frame: pl.DataFrame = read()
    except pl.exceptions.DuplicateError as error:
        raise FileError(f"two columns of {source.name} have the same name: give each its own ({error})") from error
    # A damaged file can make the reader panic, and a panic isn't a PolarsError.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).partition("\n")[0]
        raise FileError(
            f"{source.name} can't be read as {kind} ({reason}): write it again, or give a CSV file"
        ) from error
    return _with_rows(source, frame)


def _with_rows(source: Source, frame: pl.DataFrame) -> pl.DataFrame:
    if frame.is_empty():
        raise FileError(f"{source.name} has no rows: give a table with at least one")
    return frame


def _odd_line(raw: bytes) -> str:
    """The first line that is no JSON object."""
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            return f"line {number} ({error})"
        if not isinstance(found, dict):
            return f"line {number} holds {counted(len(found), 'value') if isinstance(found, list) else 'a value'}"
    return ""
