"""Pieces of error messages about tables: which rows, which values, which name was meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import listed


def at_rows(rows: Sequence[int] | NDArray[np.int64], limit: int = 5) -> str:
    """The rows of a complaint, counted from 1; a file's line of names isn't counted.

    >>> at_rows([4])
    'row 4 of the data'
    >>> at_rows(range(1, 100), limit=2)
    'rows 1, 2 and 97 more of the data'
    """
    return f"row{'' if len(rows) == 1 else 's'} {listed(rows, limit)} of the data"


def quoted(values: Iterable[object], limit: int = 5) -> str:
    """Values or names in quotes.

    >>> quoted(["n/a", "-"])
    '"n/a", "-"'
    """
    return listed((f'"{value}"' for value in values), limit)


def counted(number: int, thing: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(2500, "row")
    ('1 row', '2,500 rows')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant, or nothing; upper and lower case count as the same.

    >>> nearest("Specis", ["species", "island"])
    'species'
    """
    folded = {candidate.casefold(): candidate for candidate in candidates}
    found = get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def meant(name: str, candidates: Iterable[str]) -> str:
    """The end of a sentence about a wrong name.

    >>> meant("SPECIES", ["species"])
    ' Did you mean "species"?'
    """
    near = nearest(name, candidates)
    return "" if near is None else f' Did you mean "{near}"?'
