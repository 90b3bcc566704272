"""Networks and numbers as they are typed: `2-3-1`, `0.5,0.8;1,2`, `gender=1,age=0.5`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError, did_you_mean, listed

if TYPE_CHECKING:
    from chainrule.objective import HeadLoss

_SHAPE = re.compile(r"\d+([-,x]\d+)+$")


def is_shape(text: str) -> bool:
    """Whether a text is meant as the sizes of a network's layers.

    >>> is_shape("2-3-1"), is_shape("sheet-2.toml")
    (True, False)
    """
    return _SHAPE.match(text.strip()) is not None


def sizes(text: str) -> list[int]:
    """The sizes of the layers from input to output.

    >>> sizes("5-4-3-2-1")
    [5, 4, 3, 2, 1]
    """
    try:
        found = [int(part) for part in re.split("[-,]", text)]
    except ValueError:
        found = []
    if len(found) < 2 or min(found) < 1:
        raise InputError(f'"{text}" is no network; give the sizes of at least two layers, as in 5-4-3-2-1')
    return found


def rows_of(option: str, text: str, width: int, what: str) -> Doubles:
    """Numbers with commas between them, rows with semicolons, shape (rows, width).

    >>> rows_of("--x", "0.5,0.8; 1,2", 2, "input").tolist()
    [[0.5, 0.8], [1.0, 2.0]]
    """
    rows = []
    for number, row in enumerate(text.strip().rstrip(";").split(";"), 1):
        try:
            values = [float(part) for part in row.split(",")]
        except ValueError:
            raise InputError(
                f'{option} is "{text}"; it must be numbers with commas between them, as in 0.5,0.8'
            ) from None
        if not np.isfinite(values).all():
            raise InputError(f'{option} is "{text}"; it must be finite numbers')
        if len(values) != width:
            where = f" in row {number}" if ";" in text else ""
            raise InputError(
                f"{option} has {_counted(len(values), 'number')}{where}; {_counted(width, what)} would be right"
            )
        rows.append(values)
    return np.array(rows)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'es' if what.endswith('s') and n != 1 else 's' * (n != 1)}"


def targets_by_head(option: str, text: str, rows: int, of: Sequence[HeadLoss]) -> dict[str, list[float | None]]:
    """Targets of several heads, `gender=1,age=0.5`; a head that isn't named has no label in that row."""
    heads = {head.head: head for head in of}
    typed = [part.strip() for part in text.split(";")]
    if len(typed) != rows:
        raise InputError(
            f"{option} has {len(typed)} row{'s' * (len(typed) > 1)} and --x has {rows}: give each row its targets, "
            "with ; between them"
        )
    found: dict[str, list[float | None]] = {name: [None] * rows for name in heads}
    for row, part in enumerate(typed):
        for one in part.split(","):
            name, equals, number = (piece.strip() for piece in one.partition("="))
            try:
                value = float(number)
            except ValueError:
                equals = ""
            if not equals:
                example = ",".join(f"{head}=1" for head in heads)
                raise InputError(
                    f'{option} is "{text}"; the network has the heads {listed(heads)}: say the target of each by name, '
                    f"as in --y {example}; one that is left out has no label"
                )
            if name not in heads:
                raise InputError(
                    f'{option}: there is no head "{name}".{did_you_mean(name, heads)} There are {listed(heads)}'
                )
            if heads[name].outputs > 1 and heads[name].loss.name != "cross_entropy":
                raise InputError(
                    f'the head "{name}" has {heads[name].outputs} outputs: give its targets to Model.explain'
                )
            found[name][row] = value
    return found
