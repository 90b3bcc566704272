"""On which line of a TOML text something stands: Python's reader doesn't tell, and messages should."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[([^\]\[]+)\]\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


class SheetLines:
    """The line of every key, by its path.

    >>> lines = SheetLines('title = "t"\\n[parameters]\\nhidden.W = [[1]]\\n')
    >>> lines.of("parameters", "hidden", "W"), lines.of("title"), lines.of("parameters", "output")
    (3, 1, 2)
    """

    def __init__(self, text: str):
        self.places: dict[tuple[str, ...], int] = {}
        section: tuple[str, ...] = ()
        element = -1  # of a list of tables that goes over several lines
        key: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            if header := _HEADER.match(line):
                section, element = _parts(header.group(1)), -1
                self._note(section, number)
            elif found := _KEY.match(line):
                key, element = (*section, *_parts(found.group(1))), -1
                self._note(key, number)
                rest = line[found.end() :]
                for _ in range(rest.count("{")):
                    element += 1
                    self._note((*key, str(element)), number)
            elif line.lstrip().startswith("{"):
                element += 1
                self._note((*key, str(element)), number)

    def _note(self, path: tuple[str, ...], number: int) -> None:
        for length in range(1, len(path) + 1):
            self.places.setdefault(path[:length], number)

    def of(self, *path: str) -> int | None:
        """The line of a key, or of the nearest thing around it that stands in the text."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return None


def _parts(text: str) -> tuple[str, ...]:
    return tuple(a or b or c for a, b, c in _PART.findall(text))
