"""The names of quantities: `z[hidden,1]`, `dL/dW[hidden,1,2]`, `h[row 2; output,1]`. Mathematics counts from 1.

A name is what derivations are asked by and what worksheets write; `notation.py` turns it into other people's symbols.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from chainrule.errors import InputError, did_you_mean, listed

COUNTS = ("weights", "biases", "parameters")
_SPELLINGS = {"∂": "d", "\u2212": "-", "\u2019": "'", "⁺": "+"}
_NAME = re.compile(r"([^\W\d][\w/+]*)(?:\[(.*)\])?$")
_PLAIN = re.compile(r"[A-Za-z/+]+")
_ROW = re.compile(r"row\s*([0-9]{1,9})\s*(?:;|$)\s*(.*)$")
_INDEX = re.compile(r"[0-9]{1,9}")


class Name(NamedTuple):
    """The name of one scalar quantity; indices and rows count from 1, `row` is None where there is one row only.

    >>> str(Name("z", "hidden", (1,), 2)), str(Name("dL/dW", "hidden", (1, 2))), str(Name("L"))
    ('z[row 2; hidden,1]', 'dL/dW[hidden,1,2]', 'L')
    """

    kind: str
    layer: str = ""
    index: tuple[int, ...] = ()  # type: ignore[assignment]  # hides a method of tuples that nobody needs here
    row: int | None = None

    def __str__(self) -> str:
        parts = [self.layer, *map(str, self.index)] if self.layer else [str(i) for i in self.index]
        inside = ",".join(parts)
        if self.row is not None:
            inside = f"row {self.row}; {inside}" if inside else f"row {self.row}"
        return f"{self.kind}[{inside}]" if inside else self.kind


@dataclass(frozen=True)
class Kind:
    """How names of one kind look, and what it is in words.

    Arguments:
        spelled: what stands before the bracket.
        meaning: in words.
        indices: how many there may be.
        layer: whether a name says which layer.
        per_row: whether each row has its own.
        optional_layer: whether a layer may be said where there are several.
        given: whether it is a number of the exercise, not a result.
    """

    spelled: str
    meaning: str
    indices: tuple[int, ...] = (1,)
    layer: bool = True
    per_row: bool = True
    optional_layer: bool = False
    given: bool = False

    @property
    def example(self) -> str:
        """A name of this kind, spelled right."""
        return str(Name(self.spelled, "hidden" if self.layer else "", (1,) * self.indices[-1]))


def plainly_spelled(text: str) -> str:
    """A name with the signs that people paste, `\u2202` and the like, as the plain ones that names have."""
    return "".join(_SPELLINGS.get(c, c) for c in text.strip())


def parse(text: str, kinds: Mapping[str, Kind]) -> Name:
    """The name that a text spells, of one of these kinds.

    Raises:
        InputError: it is no name of a quantity; the message says what is wrong and what would be right.
    """
    found = _NAME.match(plainly_spelled(text))
    spelled, inside = found.groups() if found is not None else ("", "")
    kind = kinds.get(spelled)
    if kind is None and _PLAIN.fullmatch(spelled) is None:
        raise InputError(f'"{text}" is no name of a quantity; names look like z[hidden,1] or dL/dW[hidden,1,2]')
    if kind is None:
        raise InputError(
            f'"{text}": there is no quantity "{spelled}".{did_you_mean(spelled, kinds)} '
            f"There are {listed(kinds, limit=40)}"
        )
    row: int | None = None
    inside = (inside or "").strip()
    if with_row := _ROW.match(inside):
        row, inside = int(with_row.group(1)), with_row.group(2)
    parts = [part.strip() for part in inside.split(",")] if inside.strip() else []
    layer = ""
    if kind.layer or (kind.optional_layer and parts and not _INDEX.fullmatch(parts[0])):
        layer = parts.pop(0) if parts else ""
    if kind.layer and not layer:
        raise InputError(f'"{text}" doesn\'t say which layer: {kind.example}')
    if not all(_INDEX.fullmatch(part) and int(part) > 0 for part in parts) or len(parts) not in kind.indices:
        raise InputError(f'"{text}" is not how {spelled} is indexed (from 1): {kind.example}')
    if row is not None and not kind.per_row:
        raise InputError(f'"{text}" names a row, but {spelled} belongs to all rows together: {kind.example}')
    if row == 0:
        raise InputError(f'"{text}": rows count from 1')
    return Name(spelled, layer, tuple(int(part) for part in parts), row)
