"""Where the units of a picture stand: by depth from left to right, layers of one depth below each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chainrule.explain.diagram.drawn import Point

MOST_UNITS = 8  # of a layer; of more, the first and the last are drawn
FIRST, LAST = 5, 2
CROWDED = 14  # circles in a column of several layers: of these fewer are drawn
FEWER_FIRST, FEWER_LAST = 2, 1
MOST_COLUMNS = 10  # of more, the first and the last
FIRST_COLUMNS, LAST_COLUMNS = 5, 4
HEADING = 44.0  # height of a layer's heading
BETWEEN = 26.0  # layers of one depth
MARGIN = 14.0


def shown_units(size: int, keep: Collection[int] = (), *, fewer: bool = False) -> list[tuple[int, int]]:
    """Which units of a layer are drawn, from 1, each with 0; where some are left out, 0 with how many.

    >>> shown_units(3)
    [(1, 0), (2, 0), (3, 0)]
    >>> shown_units(300, keep=[7])
    [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (0, 1), (7, 0), (0, 291), (299, 0), (300, 0)]
    >>> shown_units(300, fewer=True)
    [(1, 0), (2, 0), (0, 297), (300, 0)]
    """
    if size <= MOST_UNITS:
        return [(unit, 0) for unit in range(1, size + 1)]
    first, last = (FEWER_FIRST, FEWER_LAST) if fewer else (FIRST, LAST)
    kept = (unit for unit in keep if unit <= size)
    units = sorted({*range(1, first + 1), *kept, *range(size - last + 1, size + 1)})
    found = [(units[0], 0)]
    for before, unit in pairwise(units):
        found += [(0, unit - before - 1)] * (unit - before > 1) + [(unit, 0)]
    return found


def shown_columns(count: int) -> tuple[list[int], int]:
    """Which columns are drawn, from 0, and how many are left out after the first few."""
    if count <= MOST_COLUMNS:
        return list(range(count)), 0
    left = count - FIRST_COLUMNS - LAST_COLUMNS
    return [*range(FIRST_COLUMNS), *range(count - LAST_COLUMNS, count)], left


@dataclass(frozen=True)
class Box:
    """What is to be placed: a layer in a column with so many circles and dots."""

    column: int
    circles: int


@dataclass(frozen=True)
class Spacing:
    """How far things stand apart: units of a layer, and columns, each from the one before."""

    units: float
    columns: Sequence[float]
    radius: float


@dataclass(frozen=True)
class Places:
    """Where everything stands: the heading and the circles of each box, and the size of the whole."""

    headings: tuple[Point, ...]
    circles: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def place(boxes: Sequence[Box], spacing: Spacing, widest: float) -> Places:
    """Columns from left to right, the boxes of each below each other and in the middle.

    Arguments:
        boxes: in any order; those of one column from top to bottom.
        spacing: how far apart.
        widest: the room for headings: half of it stands left of the first column and right of the last.
    """
    heights = [HEADING + (box.circles - 1) * spacing.units + 2 * spacing.radius + 30 for box in boxes]
    columns: dict[int, list[int]] = {}
    for i, box in enumerate(boxes):
        columns.setdefault(box.column, []).append(i)
    tall = max(sum(heights[i] for i in column) + BETWEEN * (len(column) - 1) for column in columns.values())
    xs, x = {}, MARGIN + widest / 2
    for column in sorted(columns):
        x += spacing.columns[column]
        xs[column] = x
    headings: dict[int, Point] = {}
    circles: dict[int, tuple[Point, ...]] = {}
    for column, inside in columns.items():
        y = MARGIN + (tall - sum(heights[i] for i in inside) - BETWEEN * (len(inside) - 1)) / 2
        for i in inside:
            headings[i] = (xs[column], y + 12)
            first = y + HEADING + spacing.radius + 8
            circles[i] = tuple((xs[column], first + k * spacing.units) for k in range(boxes[i].circles))
            y += heights[i] + BETWEEN
    order = range(len(boxes))
    return Places(
        tuple(headings[i] for i in order), tuple(circles[i] for i in order), x + widest / 2 + MARGIN, tall + 2 * MARGIN
    )


def around(start: Point, end: Point, between: Iterable[Point], radius: float, lane: float) -> tuple[Point, ...]:
    """The bends of a line that would run through circles: below all that stand between; none where its way is free.

    >>> around((0, 0), (200, 0), [(100, 5)], 10, 60)
    ((60.0, 60), (140.0, 60))
    >>> around((0, 0), (200, 0), [(100, 50)], 10, 60)
    ()
    """
    (x0, y0), (x1, y1) = start, end
    met = [x for x, y in between if x0 < x < x1 and abs(y0 + (y1 - y0) * (x - x0) / (x1 - x0) - y) < radius + 3]
    if not met:
        return ()
    room = 4.0 * radius
    return (max(min(met) - room, (x0 + min(met)) / 2), lane), (min(max(met) + room, (x1 + max(met)) / 2), lane)
