"""Rows that hold every pair of values, in place of every combination.

A mistake in a formula shows with one value, one in how two things meet (a loss fused with an activation, an activation
computed in place behind a layer) with a pair. Three at once are what the generated networks are for. So where a product
of three factors stood, rows that hold each value and each pair find the same: for 7 layers, 14 activations and 10
losses 140 in place of 980.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any


def pairwise(*factors: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every pair of values of two factors, in few rows: factor by factor (IPO: Lei and Tai, 1998).

    >>> pairwise("ab", "xy", "12")
    [('a', 'x', '1'), ('a', 'y', '2'), ('b', 'x', '2'), ('b', 'y', '1')]
    """
    order = sorted(range(len(factors)), key=lambda i: -len(factors[i]))  # the two largest as a product, then the rest
    sizes = [len(factors[i]) for i in order]
    rows = [list(row) for row in product(*map(range, sizes[:2]))]
    for new in range(2, len(sizes)):
        missing = {(old, a, b) for old in range(new) for a in range(sizes[old]) for b in range(sizes[new])}
        used: Counter[int] = Counter()

        def gain(row: list[int], value: int, missing: set = missing, used: Counter = used) -> tuple[int, int]:
            return sum((old, row[old], value) in missing for old in range(len(row))), -used[value]

        for row in rows:
            best = max(range(sizes[new]), key=lambda value: gain(row, value))  # asked at once
            missing -= {(old, a, best) for old, a in enumerate(row)}
            used[best] += 1
            row.append(best)
        while missing:
            old, a, b = min(missing)
            row = [a if i == old else next((c for c in range(sizes[i]) if (i, c, b) in missing), 0) for i in range(new)]
            missing -= {(i, c, b) for i, c in enumerate(row)}
            rows.append([*row, b])
    places = [order.index(i) for i in range(len(factors))]
    return [tuple(factors[i][row[place]] for i, place in enumerate(places)) for row in rows]
