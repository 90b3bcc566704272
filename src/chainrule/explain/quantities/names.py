"""The names of quantities: `z[hidden,1]`, `dL/dW[hidden,1,2]`, `h[row 2; output,1]`. Mathematics counts from 1.

A name is what derivations are asked by and what worksheets write; `notation.py` turns it into other people's
symbols.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from chainrule.errors import InputError, did_you_mean, listed


@dataclass(frozen=True)
class Kind:
    """What belongs to a kind of quantity: whether its name says a layer, how many indices, and whether rows have it."""

    meaning: str
    layer: bool
    indices: tuple[int, ...]
    per_row: bool
    optional_layer: bool = False


KINDS: dict[str, Kind] = {
    "x": Kind("input", False, (1,), True, optional_layer=True),
    "y": Kind("target", False, (1,), True, optional_layer=True),
    "W": Kind("weight", True, (2,), False),
    "b": Kind("bias", True, (1,), False),
    "scale": Kind("scale of batch normalization", True, (1,), False),
    "shift": Kind("shift of batch normalization", True, (1,), False),
    "z": Kind("pre-activation", True, (1,), True),
    "h": Kind("activation", True, (1,), True),
    "loss": Kind("one output's share of a row's loss", False, (0, 1), True, optional_layer=True),
    "penalty": Kind("penalties on the weights", False, (0,), False),
    "L": Kind("loss, penalties included", False, (0,), False),
    "dloss/dh": Kind("derivative of a head's loss alone", True, (1,), True),
    "dL/dh": Kind("gradient by an activation", True, (1,), True),
    "dh/dz": Kind("derivative of the activation", True, (1, 2), True),
    "dL/dz": Kind("gradient by a pre-activation (delta)", True, (1,), True),
    "back": Kind("what a layer passes back", True, (1,), True),
    "dz/dW": Kind("derivative of a pre-activation by a weight", True, (2,), True),
    "dz/db": Kind("derivative of a pre-activation by its bias", True, (1,), True),
    "dL/dW": Kind("gradient by a weight", True, (2,), False),
    "dL/db": Kind("gradient by a bias", True, (1,), False),
    "dL/dscale": Kind("gradient by a scale", True, (1,), False),
    "dL/dshift": Kind("gradient by a shift", True, (1,), False),
    "dL/dx": Kind("gradient by an input", False, (1,), True, optional_layer=True),
    "W+": Kind("weight after the update", True, (2,), False),
    "b+": Kind("bias after the update", True, (1,), False),
    "scale+": Kind("scale after the update", True, (1,), False),
    "shift+": Kind("shift after the update", True, (1,), False),
    "weights": Kind("number of weights", False, (0,), False, optional_layer=True),
    "biases": Kind("number of biases", False, (0,), False, optional_layer=True),
    "parameters": Kind("number of learned parameters", False, (0,), False, optional_layer=True),
}
COUNTS = ("weights", "biases", "parameters")
# Of an expression (`explain/expression`). Within a program these are names like others, `gradient[h]`; what people
# write and read for them, `dk/dh`, depends on the expression.
EXPRESSION_KINDS: dict[str, Kind] = {
    "variable": Kind("given", True, (0,), False),
    "value": Kind("value", True, (0,), False),
    "slope": Kind("local derivative", True, (0,), False),
    "gradient": Kind("derivative of the result", True, (0,), False),
}
GIVEN = frozenset({"x", "y", "W", "b", "scale", "shift", "variable"})
PARAMETERS = ("W", "b", "scale", "shift")
_SPELLINGS = {"∂": "d", "\u2212": "-", "\u2019": "'", "⁺": "+"}
_NAME = re.compile(r"([A-Za-z/+]+)(?:\[(.*)\])?$")
_ROW = re.compile(r"row\s*([0-9]{1,9})\s*(?:;|$)\s*(.*)$")
_INDEX = re.compile(r"[0-9]{1,9}")


class Name(NamedTuple):
    """The name of one scalar quantity; indices and rows count from 1, `row` is None where there is one row only.

    >>> str(parse("z[ row 2; hidden , 1 ]")), str(parse("dL/dW[hidden,1,2]")), str(parse("L"))
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

    @property
    def given(self) -> bool:
        """Whether it is a number of the exercise, not a result."""
        return self.kind in GIVEN


def kind_of(name: Name) -> Kind:
    """What belongs to the kind of a quantity."""
    return KINDS.get(name.kind) or EXPRESSION_KINDS[name.kind]


def plainly_spelled(text: str) -> str:
    """A name with the signs that people paste, `\u2202` and the like, as the plain ones that names have."""
    return "".join(_SPELLINGS.get(c, c) for c in text.strip())


def parse(text: str) -> Name:
    """The name that a text spells.

    Raises:
        InputError: it is no name of a quantity; the message says what is wrong and what would be right.
    """
    found = _NAME.match(plainly_spelled(text))
    if found is None:
        raise InputError(f'"{text}" is no name of a quantity; names look like z[hidden,1] or dL/dW[hidden,1,2]')
    kind_name, inside = found.group(1), found.group(2)
    kind = KINDS.get(kind_name)
    if kind is None:
        raise InputError(
            f'"{text}": there is no quantity "{kind_name}".{did_you_mean(kind_name, KINDS)} '
            f"There are {listed(KINDS, limit=40)}"
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
        raise InputError(f'"{text}" doesn\'t say which layer: {example(kind_name)}')
    if not all(_INDEX.fullmatch(part) and int(part) > 0 for part in parts) or len(parts) not in kind.indices:
        raise InputError(f'"{text}" is not how {kind_name} is indexed (from 1): {example(kind_name)}')
    if row is not None and not kind.per_row:
        raise InputError(f'"{text}" names a row, but {kind_name} belongs to all rows together: {example(kind_name)}')
    if row == 0:
        raise InputError(f'"{text}": rows count from 1')
    return Name(kind_name, layer, tuple(int(part) for part in parts), row)


def example(kind: str) -> str:
    """A name of this kind, spelled right.

    >>> example("dL/dW")
    'dL/dW[hidden,1,1]'
    """
    spec = KINDS[kind]
    return str(Name(kind, "hidden" if spec.layer else "", (1,) * spec.indices[-1]))
