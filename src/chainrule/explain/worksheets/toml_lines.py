"""On which line of a TOML text something stands: Python's reader doesn't tell, and messages should.

Python's reader has accepted the text before, so its tokens in order are enough to know where each key begins.
"""

from __future__ import annotations

import re
import tomllib

_TOKEN = re.compile(
    r'''
      """ (?: [^"\\]++ | \\. | "{1,2}(?!") )*+ "{3,5}  |  \'\'\' .*? \'{3,5}     # texts of several lines
    | " [^"\\]*+ (?: \\. [^"\\]*+ )*+ "  |  ' [^']* '                            # texts
    | \#[^\n]*  |  \n  |  [][{},=.]  |  [^][{},=.\#"'\s]+
    ''',
    re.DOTALL | re.VERBOSE,
)
Path = tuple[str, ...]


def line_of(text: str, path: Path) -> int | None:
    """The line of a key or of an element, or of the nearest thing around it that stands in the text.

    >>> text = 'title = "t"\\n[parameters]\\nhidden.W = [\\n  [1.0],\\n  [2.0]\\n]\\n'
    >>> line_of(text, ("parameters", "hidden", "W")), line_of(text, ("parameters", "hidden", "W", "1"))
    (3, 5)
    """
    lines = lines_of(text)
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)


def lines_of(text: str) -> dict[Path, int]:
    """The line on which everything begins, by its path; elements of arrays are numbered from "0"."""
    lines: dict[Path, int] = {}
    around: list[tuple[Path, int]] = []  # open arrays with the number of their element, inline tables with -1
    tables: dict[Path, int] = {}  # how many [[tables]] of a name there were
    section: Path = ()
    path: Path = ()
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
