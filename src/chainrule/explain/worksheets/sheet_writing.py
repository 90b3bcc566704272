"""Worksheets as text: a new one, and one whose `[work]` is filled in with the rest left as it stands."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from chainrule.errors import InputError
from chainrule.explain.worksheets.worksheet import FORMAT

_COMMENTS = {"parameters": f"{'':18}# W: a row for each input, a column for each unit"}
_HEADER = re.compile(r"\s*\[")
_ENTRY = re.compile(r"""(\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)\s*=\s*)("(?:[^"\\]|\\.)*"|'[^']*')(.*)$""")


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def value_text(value: Any) -> str:
    """A number, a text, or lists and tables of them, as TOML writes them.

    >>> value_text([0.5, 1, -0.0]), value_text({"name": "adam", "units": 2})
    ('[0.5, 1, 0]', '{ name = "adam", units = 2 }')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {value_text(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(value_text(entry) for entry in value) + "]"
    return f"{value + 0.0:.12g}"


def new_sheet(title: str, source: str, remark: str, sections: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of a worksheet without `[work]`; the tables of a list, such as layers, stand one below the other."""
    lines = [f"format = {quoted(FORMAT)}", f"title  = {quoted(title)}", f"source = {quoted(source)}", ""]
    lines += [f"# {line}" for line in remark.splitlines()]
    for section, table in sections.items():
        lines += ["", f"[{section}]{_COMMENTS.get(section, '')}"]
        for key, value in table.items():
            is_long = isinstance(value, list) and isinstance(value[0], Mapping)
            text = (
                "\n".join(["[", *(f"  {value_text(entry)}," for entry in value), "]"]) if is_long else value_text(value)
            )
            lines.append(f"{quoted(key) if section == 'symbols' else key} = {text}")
    return "\n".join(lines) + "\n"


def with_work(text: str, entries: Mapping[str, str]) -> str:
    """A worksheet's text with entries put into its `[work]`; all else, comments too, stays as it stands.

    Raises:
        InputError: `[work]` is written in a way that entries can't be put into.

    >>> print(with_work('title = "t"\\n[work]\\n"z" = ""  # mine\\n', {"z": "0.44", "L": "1"}))
    title = "t"
    [work]
    "z" = "0.44"  # mine
    "L" = "1"
    <BLANKLINE>
    """
    before = tomllib.loads(text).get("work", {})
    lines = text.removesuffix("\n").split("\n")  # not splitlines: texts may hold other ends of lines
    start = next((i for i, line in enumerate(lines) if line.strip().partition("#")[0].strip() == "[work]"), None)
    if start is None:
        lines += ([""] if lines and lines[-1].strip() else []) + ["[work]"]
        start = len(lines) - 1
    end = next((i for i in range(start + 1, len(lines)) if _HEADER.match(lines[i])), len(lines))
    left = dict(entries)
    for i in range(start + 1, end):
        if found := _ENTRY.match(lines[i]):
            (key,) = tomllib.loads(found.group(1) + '""')
            if key in left:
                lines[i] = found.group(1) + quoted(left.pop(key)) + found.group(3)
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    lines[end:end] = [f"{quoted(key)} = {quoted(value)}" for key, value in left.items()]
    made = "\n".join(lines) + "\n"
    try:
        filled = tomllib.loads(made)["work"]
    except (tomllib.TOMLDecodeError, KeyError):
        filled = None
    if filled != {**before, **entries}:
        raise InputError(
            'answers can\'t be put into this [work]: give each entry a line of its own, "symbol" = "number"'
        )
    return made
