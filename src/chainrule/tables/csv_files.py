"""CSV files: the text of the cells and its types, or an error that names the line to mend."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chainrule.errors import FileError, counted, quoted
from chainrule.tables.advice import way
from chainrule.tables.text_columns import typed_frame
from chainrule.tables.text_encodings import utf8
from chainrule.tables.wishes import Wishes

if TYPE_CHECKING:
    import polars as pl

_SEPARATORS: Final = (",", ";", "\t", "|")
_BOM: Final = b"\xef\xbb\xbf"
_SAID: Final = re.compile(rb"(?i)sep=(.)\r?\n")
_BLANK_LINES: Final = re.compile(rb"\n(\r?\n)+")


@dataclass(frozen=True)
class TextTable:
    """The cells of a text file, and what its separator says of decimal marks."""

    cells: pl.DataFrame
    comma: bool  # whether decimals have a comma, as where semicolons separate
    notes: tuple[str, ...] = ()


def read_csv(path: Path, wishes: Wishes | None = None) -> pl.DataFrame:
    """The table in a CSV file, each column in the type that all of its cells have.

    The first line holds the column names. The separator is the one of `,` `;` tab `|` that this
    line has most of (a `.tsv` file has tabs); where it is `;`, numbers may be written "1,5". Rows
    that are too short end in missing values, blank lines are skipped. Raises `FileError` for a
    file that isn't such a table.
    """
    read = read_cells(str(path), path.suffix.lower(), path.read_bytes(), wishes or Wishes())
    check_rows(str(path), read.cells)
    return typed_frame(read.cells, decimal_comma=read.comma)


def check_rows(name: str, frame: pl.DataFrame) -> None:
    """Raise a `FileError` where a file holds no row."""
    if frame.is_empty():
        raise FileError(f"{name} has column names but no rows: add rows below its first line")


def read_cells(name: str, suffix: str, raw: bytes, wishes: Wishes) -> TextTable:
    """The cells of a CSV file as text, by what is said of it."""
    import polars as pl

    raw, notes = utf8(name, raw, wishes.encoding)
    raw = raw.removeprefix(_BOM)
    if b"\n" not in raw and b"\r" in raw:  # the line ends of old Macs
        raw = raw.replace(b"\r", b"\n")
    said = _SAID.match(raw)
    if said:  # a first line such as sep=;
        raw = raw[said.end() :]
    separator = wishes.sign or (said and said[1].decode()) or _separator(suffix, raw)
    names = _header(name, raw, separator)
    if not wishes.header:
        names = [f"column_{i}" for i in range(1, len(names) + 1)]
    _refuse_repeated(name, names)
    try:
        frame = pl.read_csv(
            _without_blank_lines(raw), separator=separator, infer_schema=False, has_header=wishes.header
        )
        agree = frame.width == len(names)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        agree = False
    if agree:
        frame.columns = names
    else:
        frame = _read_slowly(name, raw.decode(), separator, names, wishes)
    if b' "' in raw:  # a space stood before the quote, which is then part of the cell
        late = frame.select(pl.all().str.contains(r'^\s+".*"\s*$').any()).row(0)
        columns = [column for column, has in zip(frame.columns, late, strict=True) if has]
        frame = frame.with_columns(pl.col(columns).str.replace(r'^\s+"(.*)"\s*$', "${1}"))
    return TextTable(frame, separator == ";", notes)


def _header(path: str, raw: bytes, separator: str) -> list[str]:
    try:
        lines = (line.group().decode() for line in re.finditer(rb"[^\n]*\n|[^\n]+", raw))
        records = csv.reader(lines, delimiter=separator, strict=True)
        return [name.strip() for name in next(record for record in records if record)]
    except csv.Error as error:
        raise FileError(f"{path} is not a whole CSV file: {error} in the line of column names") from None


def _separator(suffix: str, raw: bytes) -> str:
    if suffix == ".tsv":
        return "\t"
    first = re.search(rb"[^\r\n]+", raw)
    bare = re.sub(r'"[^"]*"', "", first.group().decode() if first else "")
    return max(_SEPARATORS, key=bare.count)


def _lines(text: str) -> Iterator[str]:
    """The lines one at a time: a file may be large, and its first line is wanted alone."""
    return (line.group() for line in re.finditer(r"[^\n]*\n|[^\n]+", text))


def _refuse_repeated(path: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            places = ", ".join(str(i) for i, other in enumerate(names, 1) if other == name)
            called = f'are called "{name}"' if name else "have no name"
            raise FileError(
                f"in {path} columns {places} {called}: give each its own name (the first line must hold the names)"
            )


def _without_blank_lines(raw: bytes) -> bytes:
    returns = b"\r" in raw[:4096] or b"\r" in raw
    if b"\n\n" not in raw and not (returns and b"\n\r\n" in raw) and raw[:1] not in b"\r\n":
        return raw
    if b'"' not in raw:
        return _BLANK_LINES.sub(b"\n", raw)
    kept, inside = [], False
    for line in raw.split(b"\n"):
        if inside or line.strip(b"\r"):
            kept.append(line)
        inside ^= line.count(b'"') % 2 == 1  # a quoted cell may hold blank lines
    return b"\n".join(kept)


def _read_slowly(path: str, text: str, separator: str, names: list[str], wishes: Wishes) -> pl.DataFrame:
    """What polars won't read, record by record: cells such as `5" pipe`, or the line to mend."""
    import polars as pl

    records = csv.reader(_lines(text), delimiter=separator, strict=True)
    cells: list[list[str]] = []
    width, start = len(names), 1
    try:
        for record in records:
            if len(record) > width:
                raise FileError(
                    f"{path} line {start} has {counted(len(record), 'field')} "
                    f"({quoted(record, limit=4)}) but the first line "
                    f"{'names' if wishes.header else 'has'} {width}: put cells that hold the separator in quotes, "
                    f"or say what separates them with {way('separator')}"
                )
            if record:
                cells.append(record + [""] * (width - len(record)))
            start = records.line_num + 1
    except csv.Error as error:
        raise FileError(
            f"{path} is not a whole CSV file: {error} in the row that begins in line {start}; "
            'a quote that opens a cell must close it, and a quote inside is written ""'
        ) from None
    return pl.DataFrame(cells[1:] if wishes.header else cells, schema=dict.fromkeys(names, pl.String), orient="row")
