"""The scalar form of a layer: what one unit is made of. Derivations print it, and marking recomputes it.

A unit is a sum of terms, each a coefficient times sources: elements that the layer reads, or learned numbers. Indices
count from 0, as in arrays. The derivative by a source needs no formula of its own: it is the term without the source.
"""

from __future__ import annotations

from typing import NamedTuple


class Read(NamedTuple):
    """An element, in the same row, of one of the values that a layer reads."""

    unit: int
    input: int = 0


class Learned(NamedTuple):
    """A learned number of the layer: `Learned("W", (i, j))`."""

    name: str
    index: tuple[int, ...]  # type: ignore[assignment]  # hides a method of tuples that nobody needs here


Source = Read | Learned


class Term(NamedTuple):
    """A product: `coefficient * factor * factor ...`"""

    factors: tuple[Source, ...]
    coefficient: float = 1.0
