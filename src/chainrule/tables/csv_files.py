"""CSV files: the text of the cells and its types, or an error that names the line to mend."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chainrule.errors import FileError, counted, quoted
from chainrule.tables.column_values import CODE
from chainrule.tables.dates import first_known, iso_dates

if TYPE_CHECKING:
    import polars as pl

MISSING: Final = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?")
"""The cells of a text file that count as missing."""

_SEPARATORS: Final = (",", ";", "\t", "|")
_ZIP: Final = b"PK\x03\x04"
_TRUTH: Final = ("true", "false")
_COMMA_NUMBER: Final = r"^[+-]?\d*(,\d+)?$"
_BLANK_LINES: Final = re.compile(rb"\n(\r?\n)+")


def read_csv(path: Path) -> pl.DataFrame:
    """The table in a CSV file, each column in the type that all of its cells have.

    The first line holds the column names. The separator is the one of `,` `;` tab `|` that this
    line has most of (a `.tsv` file has tabs); where it is `;`, numbers may be written "1,5". Rows
    that are too short end in missing values, blank lines are skipped. Raises `FileError` for a
    file that isn't such a table.
    """
    import polars as pl

    raw = path.read_bytes()
    text = _decoded(path, raw)
    if "\n" not in text and "\r" in text:  # the line ends of old Macs
        text = text.replace("\r", "\n")
        raw = text.encode()
    separator, names = _header(path, text)
    try:
        frame = pl.read_csv(_without_blank_lines(raw), separator=separator, infer_schema=False)
        agree = frame.width == len(names)
    except pl.exceptions.PolarsError:
        agree = False
    if agree:
        frame.columns = names
    else:
        frame = _read_slowly(path, text, separator, names)
    if frame.is_empty():
        raise FileError(f"{path} has column names but no rows: add rows below its first line")
    return typed_frame(frame, decimal_comma=separator == ";")


def _decoded(path: Path, raw: bytes) -> str:
    if not raw or raw.isspace():
        raise FileError(f"{path} is empty: it must hold a line of column names, then rows")
    if raw.startswith(_ZIP):
        raise FileError(f"{path} is a workbook (or another ZIP archive), not CSV: open it and save it as CSV")
    mend = "save it as UTF-8, or read it with pandas.read_csv(..., encoding=...) and hand in the data frame"
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileError(f"{path} is UTF-16 text, not UTF-8: {mend}")
    if b"\0" in raw[:4096]:
        raise FileError(f"{path} is not a text file: it has zero bytes near its start")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileError(
            f"{path} is not UTF-8 text: line {line} has the byte 0x{raw[error.start]:02x} "
            f"({_in_windows_text(raw, error.start)}): {mend}"
        ) from None


def _in_windows_text(raw: bytes, at: int) -> str:
    """What the bytes around a wrong one say in the encoding that such files mostly have."""
    around = raw[max(0, at - 10) : at + 10].decode("cp1252", errors="replace")
    return f"in the encoding cp1252 it reads {around!r}"


def _header(path: Path, text: str) -> tuple[str, list[str]]:
    separator = "\t" if path.suffix.lower() == ".tsv" else _separator(text)
    try:
        records = csv.reader(_lines(text), delimiter=separator, strict=True)
        names = [name.strip() for name in next(record for record in records if record)]
    except csv.Error as error:
        raise FileError(f"{path} is not a whole CSV file: {error} in the line of column names") from None
    _refuse_repeated(path, names)
    return separator, names


def _separator(text: str) -> str:
    first = re.search(r"[^\r\n]+", text)
    bare = re.sub(r'"[^"]*"', "", first.group() if first else "")
    return max(_SEPARATORS, key=bare.count)


def _lines(text: str) -> Iterator[str]:
    """The lines one at a time: a file may be large, and its first line is wanted alone."""
    return (line.group() for line in re.finditer(r"[^\n]*\n|[^\n]+", text))


def _refuse_repeated(path: Path, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            places = ", ".join(str(i) for i, other in enumerate(names, 1) if other == name)
            called = f'are called "{name}"' if name else "have no name"
            raise FileError(
                f"in {path} columns {places} {called}: give each its own name (the first line must hold the names)"
            )


def _without_blank_lines(raw: bytes) -> bytes:
    if not _BLANK_LINES.search(raw):
        return raw
    if b'"' not in raw:
        return _BLANK_LINES.sub(b"\n", raw)
    kept, inside = [], False
    for line in raw.split(b"\n"):
        if inside or line.strip(b"\r"):
            kept.append(line)
        inside ^= line.count(b'"') % 2 == 1  # a quoted cell may hold blank lines
    return b"\n".join(kept)


def _read_slowly(path: Path, text: str, separator: str, names: list[str]) -> pl.DataFrame:
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
                    f"({quoted(record, limit=4)}) but the first line names {width}: "
                    "put cells that hold the separator in quotes"
                )
            if record:
                cells.append(record + [""] * (width - len(record)))
            start = records.line_num + 1
    except csv.Error as error:
        raise FileError(
            f"{path} is not a whole CSV file: {error} in the row that begins in line {start}; "
            'a quote that opens a cell must close it, and a quote inside is written ""'
        ) from None
    return pl.DataFrame(cells[1:], schema=dict.fromkeys(names, pl.String), orient="row")


def typed_frame(frame: pl.DataFrame, *, decimal_comma: bool = False) -> pl.DataFrame:
    """A frame of text with each column in the type that all of its cells have.

    Spaces around a cell are ignored and the cells in `MISSING` become missing. The whole column
    decides: one word among ten thousand numbers leaves the column text. With `decimal_comma`,
    "1,5" is a number.

    >>> import polars as pl
    >>> typed_frame(pl.DataFrame({"a": ["1", "NA"], "b": [" x", "None"]})).to_dict(as_series=False)
    {'a': [1, None], 'b': ['x', None]}
    """
    import polars as pl

    frame = frame.with_columns(pl.all().str.strip_chars())
    frame = frame.with_columns(pl.when(~pl.all().is_in(MISSING)).then(pl.all()).name.keep())
    with_codes = frame.select(pl.all().str.contains(CODE).any()).row(0)
    return frame.with_columns(
        _typed(column, codes, decimal_comma) for column, codes in zip(frame, with_codes, strict=True)
    )


def _typed(text: pl.Series, codes: bool, decimal_comma: bool) -> pl.Series:
    import polars as pl

    if text.null_count() == len(text):
        return text
    numbers = text
    if decimal_comma and text.str.contains(_COMMA_NUMBER).all():
        numbers = text.str.replace(",", ".", literal=True)
    for dtype in (pl.Int64, pl.Float64):
        cast = numbers.cast(dtype, strict=False)
        if cast.null_count() == text.null_count():
            return text if codes else cast
    if first_known(text).lower() in _TRUTH:  # a look at one cell spares most columns of words the work
        truth = text.str.to_lowercase()
        if truth.is_in(_TRUTH).all():
            return truth == "true"
    dates = iso_dates(text)
    return text if dates is None else dates
