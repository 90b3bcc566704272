"""A whole class's work on one sheet: everybody's marks, and the mistakes that are common."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import FileError, InputError
from chainrule.explain.marking.digits import read_number
from chainrule.explain.marking.marks import Marks
from chainrule.plain import shortened

if TYPE_CHECKING:
    from chainrule.explain.worksheets.worksheet import Worksheet

LONG_FORM = ("student", "symbol", "value")


@dataclass(frozen=True)
class CommonMistake:
    """A mistake that root errors were diagnosed as: who made it, and in which quantities."""

    code: str
    students: tuple[str, ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True)
class ClassMarks:
    """Every student's marks by name, and the mistakes, most frequent first."""

    students: dict[str, Marks]
    common: tuple[CommonMistake, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "students": {name: marks.to_dict() for name, marks in self.students.items()},
            "common": [{"code": m.code, "students": list(m.students), "symbols": list(m.symbols)} for m in self.common],
        }


def mark_class(sheet: Worksheet, path: str | Path) -> ClassMarks:
    """Mark a CSV of everybody's work.

    Raises:
        FileError: the file can't be read, or a cell is no number; the message says which line, whose and for what.
    """
    derivation = sheet.derivation()
    students: dict[str, Marks] = {}
    for student, cells in read_class(path).items():
        for symbol, (line, text) in cells.items():
            if text:
                try:
                    read_number(text)
                except InputError as error:
                    raise FileError(
                        f"{path}, line {line}, {shortened(student)}, {shortened(symbol)}: {error}"
                    ) from None
        students[student] = derivation.mark({symbol: text for symbol, (_, text) in cells.items()})
    return ClassMarks(students, common_mistakes(students))


def common_mistakes(students: Mapping[str, Marks]) -> tuple[CommonMistake, ...]:
    """The diagnoses of all root errors, by how many students made them."""
    who: dict[str, dict[str, None]] = {}
    where: dict[str, dict[str, None]] = {}
    for student, marks in students.items():
        for entry in marks.entries:
            if entry.diagnosis is not None:
                who.setdefault(entry.diagnosis.code, {})[student] = None
                where.setdefault(entry.diagnosis.code, {})[entry.symbol] = None
    codes = sorted(who, key=lambda code: (-len(who[code]), code))
    return tuple(CommonMistake(code, tuple(who[code]), tuple(where[code])) for code in codes)


def unknown_symbols(students: Mapping[str, Marks]) -> dict[str, str]:
    """The symbols that mean nothing on the sheet, each with why."""
    entries = (entry for marks in students.values() for entry in marks.entries)
    return {entry.symbol: entry.note or "" for entry in entries if entry.verdict == "unknown"}


Cells = dict[str, tuple[int, str]]  # a student's entries by symbol: the line, and what stands there


def read_class(path: str | Path) -> dict[str, Cells]:
    """Each student's entries with their lines: a student a row, or the long form; commas, semicolons or tabs."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        rows = _numbered_rows(text)
    except OSError as error:
        raise FileError(f"can't read {path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path} is no CSV in UTF-8: {error}") from None
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    if len(header) < 2:
        raise FileError(
            f"{path}: a first line with the columns is wanted: student, then the symbols; or {', '.join(LONG_FORM)}"
        )
    while header[-1] == "" and all(len(row) < len(header) or not row[-1].strip() for _, row in rows):
        header.pop()  # what a spreadsheet leaves at the right
        rows = [(line, row[: len(header)]) for line, row in rows]
    for i, name in enumerate(header):
        if not name and i > 0:
            raise FileError(f"{path}, line {rows[0][0]}: column {i + 1} has no name")
        if name in header[:i]:
            raise FileError(f'{path}, line {rows[0][0]}: there are two columns "{shortened(name)}"')
    for line, row in rows[1:]:
        if len(row) != len(header):
            quotes = '. A symbol that holds a comma stands in quotes, as in "z[hidden,1]", and so does such a number'
            raise FileError(f"{path}, line {line} has {len(row)} cells; the first line has {len(header)}{quotes}")
    columns = {name.lower(): i for i, name in enumerate(header)}
    is_long = set(columns) == set(LONG_FORM)
    students: dict[str, Cells] = {}
    for line, row in rows[1:]:
        student, *entry = (row[columns[name]].strip() for name in LONG_FORM) if is_long else [row[0].strip()]
        if not student:
            raise FileError(f"{path}, line {line} doesn't say whose it is: the student is missing")
        cells = students.setdefault(student, {})
        for symbol, value in [entry] if is_long else zip(header[1:], row[1:], strict=True):
            if symbol in cells:
                whose = shortened(student)
                twice = f"{whose} has {shortened(symbol)} twice" if is_long else f'there are two students "{whose}"'
                raise FileError(f"{path}, line {line}: {twice}")
            cells[symbol] = (line, value.strip())
    if not students:
        raise FileError(f"{path} has no students")
    return students


def _numbered_rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows that aren't empty, with the line that each begins on; what follows the first cell is the separator."""
    first = re.match(r'\s*(?:"[^"]*"|[^,;\t"\n]*)([,;\t])', text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=first.group(1) if first else ",", strict=True)
    rows, line = [], 1
    for row in reader:
        if any(cell.strip() for cell in row):
            rows.append((line, row))
        line = reader.line_num + 1
    return rows
