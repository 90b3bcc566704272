"""The text of a worksheet taken apart: sections and texts, where every complaint names its line."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np

from chainrule.errors import FileError, did_you_mean, listed
from chainrule.explain.worksheets.toml_lines import line_of

FORMAT = "chainrule-worksheet/1"
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

    def wrong(self, message: str, *key: str) -> FileError:
        """The error for something at a key of the sheet."""
        line = line_of(self.toml, key)
        return FileError(f"{self.path}{f', line {line}' if line else ''}: {message}")

    def check_sections(self) -> None:
        """Refuse other formats, sections that don't exist, and sheets without those that they need."""
        if self.data.get("format") != FORMAT:
            found = self.data.get("format")
            raise self.wrong(
                f'format is {found!r}; this reads format = "{FORMAT}"' if found else f'it has no format = "{FORMAT}"',
                "format",
            )
        for key in self.data:
            if key not in SECTIONS:
                raise self.wrong(
                    f'there is no section "{key}".{did_you_mean(key, SECTIONS)} There are {listed(SECTIONS)}', key
                )
        for key in ("network", "parameters", "sample"):
            if not isinstance(self.data.get(key), dict):
                raise self.wrong(f"it has no [{key}]", key)

    def text(self, key: str) -> str:
        """The text of a key outside of all sections, empty where it was left out."""
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(f"{key} is {value!r}; it must be a text", key)
        return value

    def table(self, section: str, known: tuple[str, ...]) -> dict[str, Any]:
        """A section whose keys are known, empty where it was left out."""
        table = self.data.get(section, {})
        if not isinstance(table, dict):
            raise self.wrong(f"[{section}] must be a table", section)
        for key in table:
            if key not in known:
                raise self.wrong(
                    f'[{section}] has no "{key}".{did_you_mean(key, known)} It has {listed(known)}', section, key
                )
        return table

    def texts(self, section: str) -> dict[str, str]:
        """A section of texts by name, empty where it was left out."""
        table = self.data.get(section, {})
        if not isinstance(table, dict):
            raise self.wrong(f"[{section}] must be a table", section)
        for key, value in table.items():
            if isinstance(value, dict):
                raise self.wrong(f'put the name in quotes: "{key}..." = "..."', section, key)
            if not isinstance(value, str):
                raise self.wrong(
                    f'"{key}" is {value!r}: write it as text, "{key}" = "{value}"'
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
