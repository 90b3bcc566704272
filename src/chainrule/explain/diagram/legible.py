"""Numbers at lines that can be read: each stands where nothing else is written, or is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chainrule.explain.diagram.drawn import ABOUT, TITLE, Group, Link, Point, Unit, short

PLAIN = 6.2  # the width of a character, in pixels
NARROW = 3.4  # of dots, blanks and such
BOLD = 7.8  # of a heading's
LINE = 10.0
TOUCHING = 4.5  # pixels by which boxes may overlap downwards: their letters don't meet
BESIDE = 2.0  # sideways
APART = 1.5  # what is better where there is a choice
SHIFTS = [k * sign for k in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4) for sign in (1, -1)]  # as shares of a line
NEAREST = 0.15  # to its ends

Box = tuple[float, float, float, float]  # left, top, right, bottom


def legible(links: Sequence[Link], units: Sequence[Unit], groups: Sequence[Group], radius: float) -> list[Link]:
    """The links, with numbers moved along their lines, or left out, where they would stand on something else.

    Those of the highlighted path come first, then the largest weights.

    Arguments:
        links, units, groups: of a diagram.
        radius: of the circles.
    """
    taken = [box for unit in units for box in _of_unit(unit, radius)]
    taken += [box for group in groups for box in _of_heading(group)]
    found = list(links)
    labelled = [i for i, link in enumerate(links) if link.label is not None]
    moving = []
    for i in sorted(labelled, key=lambda i: (not links[i].on_path, -_size(links[i]), i)):
        box = _of_link(links[i], links[i].label)
        if _meets(box, taken, TOUCHING):
            moving.append(i)
        else:
            taken.append(box)
    for i in moving:
        places = list(_along(links[i], units))
        ways = ((at, touching) for touching in (APART, TOUCHING) for at in places)
        free = next((at for at, touching in ways if not _meets(_of_link(links[i], at), taken, touching)), None)
        if free is not None:
            taken.append(_of_link(links[i], free))
        found[i] = replace(links[i], label=free)
    return found


def _size(link: Link) -> float:
    return 0.0 if link.weight is None else abs(link.weight.value)


def _along(link: Link, units: Sequence[Unit]) -> Iterator[Point]:
    """Other places for a link's number, the nearest first."""
    (x0, y0), (x1, y1) = units[link.source].place, units[link.target].place
    assert link.label is not None
    meant = (link.label[0] - x0) / (x1 - x0)
    for shift in SHIFTS:
        if NEAREST <= meant + shift <= 1 - NEAREST:
            yield x0 + (x1 - x0) * (meant + shift), y0 + (y1 - y0) * (meant + shift)


def _box(at: Point, text: str, lines: int = 1) -> Box:
    x, y = at
    half = _width(text) / 2
    return x - half, y - LINE * lines / 2, x + half, y + LINE * lines / 2


def _width(text: str) -> float:
    return sum(NARROW if letter in " .,-tlij" else PLAIN for letter in text)


def _of_link(link: Link, at: Point | None) -> Box:
    assert link.weight is not None
    assert at is not None
    symbol = "" if "[" in link.weight.symbol else f"{link.weight.symbol} "
    lines = [symbol + short(link.weight.value)]
    lines += [f"∂ {short(link.gradient.value)}"] if link.gradient is not None else []
    return _box(at, max(lines, key=_width), len(lines))


def _of_unit(unit: Unit, radius: float) -> Iterator[Box]:
    """A circle with what is written above and below it; dots with how many they stand for."""
    x, y = unit.place
    if unit.is_dots:
        yield _box((x, y + 7), f"{unit.folded:,} more", 2)
        return
    yield x - radius, y - radius, x + radius, y + radius
    yield _box((x, y - radius - 8), unit.above)
    below = [f"∂ {short(unit.gradients[0].value)}"] if unit.gradients else []
    below += [f"y {short(unit.target.value)}"] if unit.target is not None else []
    for i, text in enumerate(below):
        yield _box((x, y + radius + 8 + 11 * i), text)


def _of_heading(group: Group) -> Iterator[Box]:
    x, y = group.place
    yield _box((x, y - 4), group.title[:TITLE])
    yield _box((x, y + 10), group.about[:ABOUT])


def _meets(box: Box, taken: Sequence[Box], touching: float) -> bool:
    left, top, right, bottom = box
    return any(
        min(right, other[2]) - max(left, other[0]) > min(touching, BESIDE)
        and min(bottom, other[3]) - max(top, other[1]) > touching
        for other in taken
    )
