"""Networks and numbers as they are typed: `2-3-1`, `0.5,0.8;1,2`."""

from __future__ import annotations

import re

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError

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
