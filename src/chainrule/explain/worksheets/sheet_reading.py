"""The text of a worksheet taken apart: sections and texts, where every complaint names its line."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np

from chainrule.errors import FileError, did_you_mean, listed
from chainrule.explain.worksheets.toml_lines import line_of
from chainrule.plain import shortened

FORMAT = "chainrule-worksheet/1"
PROSE = ("title", "source")  # what may be of any length
LONGEST_NAME = 200  # characters of a name, a symbol, a number in [work]
DEEPEST, TOO_DEEP = 12, "{}: tables or brackets in it are nested deeper than any worksheet needs"
MOST_NUMBERS = 1_000_000  # weights, or values of a layer in all rows: far more than hands compute
SECTIONS = ("format", "title", "source", "network", "parameters", "sample", "update", "symbols", "work", "notation")


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
            raise self.wrong(f"{key} is {shortened(repr(value))}; it must be a text", key)
        return value

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


def numbers(value: Any) -> Any:
    """An array of the numbers in nested lists; None where something else is among them, or the rows differ."""

    def only_numbers(part: Any) -> bool:  # a text "0.5" and true are none
        if isinstance(part, list):
            return all(map(only_numbers, part))
        return isinstance(part, int | float) and not isinstance(part, bool)

    try:
        return np.asarray(value, dtype=float) if only_numbers(value) else None
    except (ValueError, OverflowError):
        return None
