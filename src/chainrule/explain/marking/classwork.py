"""A whole class's work on one sheet: everybody's marks, and the mistakes that are common."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import FileError, InputError
from chainrule.explain.marking.marks import Marks, mark

if TYPE_CHECKING:
    from chainrule.explain.worksheet import Worksheet

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
        FileError: the file can't be read, or a cell is no number; the message says which line.
    """
    derivation = sheet.derivation()
    students: dict[str, Marks] = {}
    for student, (line, work) in read_class(path).items():
        try:
            students[student] = mark(derivation, work, sheet.symbols)
        except InputError as error:
            raise FileError(f"{path}, line {line}, {student}: {error}") from None
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


def read_class(path: str | Path) -> dict[str, tuple[int, dict[str, str]]]:
    """Each student's entries with the line that they begin on: a student a row, or the long form."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise FileError(f"can't read {path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path} is no CSV in UTF-8: {error}") from None
    if not rows or len(rows[0]) < 2:
        raise FileError(f"{path}: a first line with the columns is wanted: student, then the symbols; or {LONG_FORM}")
    header = [cell.strip() for cell in rows[0]]
    long = tuple(name.lower() for name in header) == LONG_FORM
    students: dict[str, tuple[int, dict[str, str]]] = {}
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            broken = any(cell.count("[") > cell.count("]") for cell in header)
            mend = '. A symbol that holds a comma stands in quotes, as in "z[hidden,1]"' if broken else ""
            raise FileError(f"{path}, line {line} has {len(row)} cells; the first line has {len(header)}{mend}")
        if long:
            student, symbol, value = (cell.strip() for cell in row)
            work = students.setdefault(student, (line, {}))[1]
            if symbol in work:
                raise FileError(f"{path}, line {line}: {student} has {symbol} twice")
            work[symbol] = value
        else:
            student = row[0].strip()
            if student in students:
                raise FileError(f'{path}, line {line}: there are two students "{student}"')
            students[student] = (line, dict(zip(header[1:], (cell.strip() for cell in row[1:]), strict=True)))
    if not students:
        raise FileError(f"{path} has no students")
    return students
