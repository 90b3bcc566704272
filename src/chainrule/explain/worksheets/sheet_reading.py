"""The text of a worksheet taken apart: sections and texts, where every complaint names its line.

Python's reader of TOML doesn't tell on which line something stands. It has accepted the text before, so its tokens in
order are enough to know where each key begins.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import ChainruleError, FileError, did_you_mean, listed
from chainrule.plain import shortened

FORMAT = "chainrule-worksheet/1"
PROSE = ("title", "source")  # what may be of any length
LONGEST_NAME = 200  # characters of a name, a symbol, a number in [work]
DEEPEST, TOO_DEEP = 12, "{}: tables or brackets in it are nested deeper than any worksheet needs"
MOST_NUMBERS = 1_000_000  # weights, or values of a layer in all rows: far more than hands compute
SECTIONS = ("format", "title", "source", "network", "parameters", "sample", "update", "symbols", "work", "notation")
_TOKEN = re.compile(
    r'''
      """ (?: [^"\\]++ | \\. | "{1,2}(?!") )*+ "{3,5}  |  \'\'\' .*? \'{3,5}     # texts of several lines
    | " [^"\\]*+ (?: \\. [^"\\]*+ )*+ "  |  ' [^']* '                            # texts
    | \#[^\n]*  |  \n  |  [][{},=.]  |  [^][{},=.\#"'\s]+
    ''',
    re.DOTALL | re.VERBOSE,
)
_SHAPES = {
    "x": ": one row, or a list of rows of equal length",
    "y": ": one for each output, or a row of them for each row of x",
}
Key = tuple[str, ...]


class SheetReading:
    """One reading of a sheet; `path` is what messages call it."""

    def __init__(self, text: str, path: str):
        self.path = path
        self.toml = text.removeprefix("\ufeff")  # some editors begin a text with a byte-order mark
        try:
            self.data = tomllib.loads(self.toml)
        except tomllib.TOMLDecodeError as error:
            twice = ": the same name stands there twice" if "overwrite" in str(error) else ""
            raise FileError(f"{path} is no TOML: {error}{twice}") from None
        except ValueError:  # Python's own limit
            raise FileError(f"{path}: a number in it has thousands of digits") from None
        except RecursionError:
            raise FileError(TOO_DEEP.format(path)) from None

    def wrong(self, message: str, *key: str) -> FileError:
        """The error for something at a key of the sheet."""
        line = line_of(self.toml, key)
        return FileError(f"{self.path}{f', line {line}' if line else ''}: {message}")

    def misfit(self, what: str, value: object, wanted: str, *key: str) -> FileError:
        """The error for a value that is something else than is wanted."""
        return self.wrong(f"{what} is {shortened(repr(value))}; it must be {wanted}", *key)

    @contextmanager
    def blaming(self, *key: str, about: str = "") -> Iterator[None]:
        """What the rest of the house complains of, said with the line of a key; what names its line is left alone."""
        try:
            yield
        except FileError:
            raise
        except ChainruleError as error:
            raise self.wrong(f"{about}{error}", *key) from None

    def check_sections(self) -> None:
        """Refuse other formats, sections that don't exist, sheets without those that they need, endless names."""
        self._check_sizes()
        found = self.data.get("format")
        if found != FORMAT:
            is_no_sheet = f"format is {shortened(repr(found))}; this reads" if found else "it has no"
            raise self.wrong(f'{is_no_sheet} format = "{FORMAT}"', "format")
        self.table((), SECTIONS)
        for key in ("network", "parameters", "sample"):
            if not isinstance(self.data.get(key), dict):
                raise self.wrong(f"it has no [{key}]", key)

    def _check_sizes(self) -> None:
        """Refuse what would fill a message, or be no number to any computer."""
        waiting: list[tuple[tuple[str, ...], Any]] = [((key,), self.data[key]) for key in self.data if key not in PROSE]
        while waiting:
            path, value = waiting.pop()
            if len(path) > DEEPEST:
                raise FileError(TOO_DEEP.format(self.path))
            for text in (path[-1], value):
                if isinstance(text, str) and len(text) > LONGEST_NAME:
                    size = f"{len(text):,} characters; a name or a number has at most {LONGEST_NAME}"
                    raise self.wrong(f'"{shortened(text)}" has {size}', *path)
            if isinstance(value, int) and value.bit_length() > 1023:
                raise self.wrong(f"{shortened(repr(value))} is beyond what a number of this program holds", *path)
            if isinstance(value, dict | list):
                pairs = value.items() if isinstance(value, dict) else enumerate(value)
                waiting += [((*path, str(key)), inner) for key, inner in pairs if not isinstance(inner, float)]

    def text(self, key: str) -> str:
        """The text of a key outside of all sections, empty where it was left out."""
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise self.misfit(key, value, "a text", key)
        return value

    def array(self, value: Any, what: str, *key: str) -> Doubles:
        """The numbers in nested lists: finite ones, in rows of equal length. Messages call them `what`."""
        try:
            found = np.asarray(value, dtype=float) if _only_numbers(value) else None
        except (ValueError, OverflowError):
            found = None
        if found is None or not np.isfinite(found).all():
            wanted = "finite numbers" if found is not None else f"numbers{_SHAPES.get(what, '')}"
            raise self.wrong(f"{what} must be {wanted}", *key)
        return found

    def table(self, path: tuple[str, ...], known: tuple[str, ...]) -> dict[str, Any]:
        """The table at a path, its keys known; empty where it was left out."""
        table: Any = self.data
        for part in path:
            table = table.get(part, {})
        if not isinstance(table, dict):
            raise self.wrong(f"[{'.'.join(path)}] must be a table", *path)
        for key in table:
            if key not in known:
                there_is = f"[{path[-1]}] has no" if path else "there is no section"
                known_ones = f"{'It has' if path else 'There are'} {listed(known)}"
                raise self.wrong(f'{there_is} "{shortened(key)}".{did_you_mean(key, known)} {known_ones}', *path, key)
        return table

    def texts(self, section: str) -> dict[str, str]:
        """A section of texts by name, empty where it was left out."""
        table = self.data.get(section, {})
        if not isinstance(table, dict):
            raise self.wrong(f"[{section}] must be a table", section)
        for key, value in table.items():
            if isinstance(value, dict):
                raise self.wrong(f'put the name in quotes: "{shortened(key)}..." = "..."', section, key)
            if not isinstance(value, str):
                name, number = shortened(key), shortened(repr(value))
                raise self.wrong(
                    f'"{name}" is {number}: write it as text, "{name}" = "{number}"'
                    + ("; the digits written decide how exactly it is marked" if section == "work" else ""),
                    section, key,
                )  # fmt: skip
        return dict(table)


def _only_numbers(part: Any) -> bool:  # a text "0.5" and true are none
    if isinstance(part, list):
        return all(map(_only_numbers, part))
    return isinstance(part, int | float) and not isinstance(part, bool)


def line_of(text: str, path: Key) -> int | None:
    """The line of a key or of an element, or of the nearest thing around it that stands in the text.

    >>> text = 'title = "t"\\n[parameters]\\nhidden.W = [\\n  [1.0],\\n  [2.0]\\n]\\n'
    >>> line_of(text, ("parameters", "hidden", "W")), line_of(text, ("parameters", "hidden", "W", "1"))
    (3, 5)
    """
    lines = lines_of(text)
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)


def lines_of(text: str) -> dict[Key, int]:
    """The line on which everything begins, by its path; elements of arrays are numbered from "0"."""
    lines: dict[Key, int] = {}
    around: list[tuple[Key, int]] = []  # open arrays with the number of their element, inline tables with -1
    tables: dict[Key, int] = {}  # how many [[tables]] of a name there were
    section: Key = ()
    path: Key = ()
    mode, line, place = "key", 1, 0
    for token in _TOKEN.finditer(text):
        word, begin = token.group(), token.start()
        line, place = line + text.count("\n", place, begin), begin
        if word[0] == "#":
            continue
        if word == "\n":
            if not around:
                path, mode = section, "key"
        elif word in ("]", "}") and around:
            path, _ = around.pop()
            mode = "value"
        elif mode == "value":
            if word == ",":
                path, number = around.pop()
                around.append((path, number + 1 if number >= 0 else -1))
                path, mode = (path, "key") if number < 0 else ((*path, str(number + 1)), "value")
                continue
            lines.setdefault(path, line)
            if word in ("[", "{"):
                around.append((path, 0 if word == "[" else -1))
                path, mode = ((*path, "0"), "value") if word == "[" else (path, "key")
        elif word == "=":
            mode = "value"
        elif word == "[":  # of a header: within a value it would be no key
            path, mode = (), "tables" if mode == "header" else "header"
        elif word == "]":
            if mode == "tables":
                tables[path] = tables.get(path, -1) + 1
                path = (*path, str(tables[path]))
                lines[path] = line
            if mode != "key":
                section, mode = path, "key"
        elif word != ".":
            if mode != "key" and path in tables:
                path = (*path, str(tables[path]))
            path = (*path, tomllib.loads(f"key = {word}")["key"] if word[0] in "\"'" else word)
            lines.setdefault(path, line)
    return lines
