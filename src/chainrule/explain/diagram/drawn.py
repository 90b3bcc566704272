"""What there is to draw of a network: groups of units, units, links, each with its numbers. Lengths are in pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from chainrule.errors import counted
from chainrule.explain.formula.writer import shown
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.paths import Path

Point = tuple[float, float]
MANY_LINES = 60
TITLE, ABOUT = 16, 20  # characters of a heading's two lines


class Bound(NamedTuple):
    """A number of the derivation: its name, its symbol in the derivation's notation, its value."""

    name: Name
    symbol: str
    value: float


def short(value: float) -> str:
    """A number with three digits, as short as can be.

    >>> [short(value) for value in (0.5932699, -0.00001234, 123456.0, 0.15, float("inf"))]
    ['0.593', '-1.2e-5', '1.2e5', '0.15', '∞']
    """
    if math.isnan(value):
        return "?"
    text = shown(value, 3)
    if "e" in text:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return text.replace("infinity", "∞")


@dataclass(frozen=True)
class Group:
    """The units of a layer, with what works on each of them alone (its activation, dropout ...).

    Arguments:
        layers: the names of the layers, the first being what others call it.
        functions: what is done, in words: `("sigmoid",)`; empty for inputs.
        size: how many units there are, those left out of the picture included.
        place: the middle of its heading.
        is_head: whether it is an output of the network.
    """

    layers: tuple[str, ...]
    functions: tuple[str, ...]
    size: int
    place: Point
    is_input: bool = False
    is_head: bool = False

    @property
    def title(self) -> str:
        """What it is called."""
        return self.layers[0]

    @property
    def about(self) -> str:
        """What else a heading says: how many units, and what they are."""
        if self.is_input or not self.functions:
            units = counted(self.size, "input" if self.is_input else "unit")
        else:
            units = f"{self.size:,}"
        return " \u00d7 ".join([units, *([", ".join(self.functions)] if self.functions else [])])


@dataclass(frozen=True)
class Unit:
    """A circle; or dots, where `folded` units are left out.

    Arguments:
        group: the index of its group; None for the loss.
        number: which unit of the group, from 1; 0 for dots and for the loss.
        label: a short symbol.
        values: what is computed in it, in order; the last is its output.
        gradients: of the loss by those, in the same order.
        learned: biases and other numbers that are learned for this unit alone; then the gradients by them.
        target: what its output should be.
    """

    group: int | None
    number: int
    place: Point
    label: str = ""
    values: tuple[Bound, ...] = ()
    gradients: tuple[Bound, ...] = ()
    learned: tuple[Bound, ...] = ()
    learned_gradients: tuple[Bound, ...] = ()
    target: Bound | None = None
    folded: int = 0
    on_path: bool = False

    @property
    def is_dots(self) -> bool:
        """Whether it stands for units that are left out."""
        return self.folded > 0

    @property
    def above(self) -> str:
        """What is written above it: its symbol, and its bias where it has one."""
        bias = next((one for one in self.learned if one.name.kind == "b"), None)
        return self.label + (f"   b {short(bias.value)}" if bias is not None else "")

    @property
    def is_loss(self) -> bool:
        """Whether it is the loss."""
        return self.group is None


@dataclass(frozen=True)
class Link:
    """A line from unit to unit, by their indices in the diagram.

    Arguments:
        weight: the number learned for it; None where the value passes as it is.
        gradient: of the loss by that.
        factor: what the value is multiplied by where nothing is learned.
        bends: points between, where it leads around other units.
        label: where its number can stand, or None where there is no room for it.
        on_path: whether it belongs to the highlighted path.
    """

    source: int
    target: int
    weight: Bound | None = None
    gradient: Bound | None = None
    factor: float = 1.0
    bends: tuple[Point, ...] = ()
    label: Point | None = None
    on_path: bool = False


@dataclass(frozen=True)
class Diagram:
    """A network drawn: groups, units and links in their places.

    Arguments:
        width, height: of the whole.
        radius: of a unit.
        folded: where layers are left out, the place of the dots and how many they are.
        path: the highlighted path of the derivation; None where there is none.
        start: what it begins at.
        hops: where the path leads from unit to unit of one layer, as softmax lets it: their indices.
        row: whose numbers these are, from 1; None where there are weights alone.
        rows: how many rows the derivation has.
        left_out: whether lines lack their numbers because others stand in the way.
    """

    width: float
    height: float
    radius: float
    groups: tuple[Group, ...]
    units: tuple[Unit, ...]
    links: tuple[Link, ...]
    digits: int = 6
    folded: tuple[Point, int] | None = None
    path: Path | None = None
    start: Bound | None = None
    hops: tuple[tuple[int, int], ...] = ()
    row: int | None = None
    rows: int = 1
    left_out: bool = False

    @property
    def largest(self) -> float:
        """The largest size of a finite weight: what thickness is measured by."""
        sizes = (abs(link.weight.value) for link in self.links if link.weight is not None)
        return max(filter(math.isfinite, sizes), default=0.0)

    @property
    def is_dense(self) -> bool:
        """Whether there are so many lines that they would hide what is written among them."""
        return len(self.links) > MANY_LINES

    @property
    def has_gradients(self) -> bool:
        """Whether gradients are bound to it."""
        return any(unit.gradients for unit in self.units)

    @property
    def says(self) -> str:
        """The diagram in a sentence, for those who can't see it."""
        layers = ", ".join(f"{group.title} ({group.about})" for group in self.groups)
        return f"Diagram of the network: {layers}"
