"""What can be derived: anything whose quantities have values, recipes, an order and gradients.

`network/graph.py` is that of a network and its loss, `expression/chain.py` that of a formula; derivations, paths,
marking and renderers ask for no more than this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Recipe

Position = tuple[int, int, int, int, tuple[int, ...]]


class Located(NamedTuple):
    """A quantity with its value, its name as people write it, and where it stands in the order of computation."""

    name: Name
    value: float
    spelled: str
    position: Position


class Quantities(Protocol):
    """The quantities of a calculation, by name."""

    @property
    def end(self) -> Name:
        """What everything is differentiated: the loss, or an expression's result."""

    def parse(self, text: str) -> Name:
        """The name that a text spells, checked."""

    def spelled(self, name: Name) -> str:
        """A name as people write it."""

    def located(self, name: Name) -> Located:
        """A quantity with its value and its place."""

    def meaning(self, name: Name) -> str:
        """What a quantity is, in words."""

    def is_given(self, name: Name) -> bool:
        """Whether it is a number of the exercise, not a result."""

    def resolve(self, name: Name) -> Name:
        """The name as this calculation uses it; an `InputError` says what there is."""

    def recipes(self, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute a quantity, the chain rule's first; none for what is given."""

    def value(self, name: Name) -> float:
        """The value of a quantity."""

    def position(self, name: Name) -> Position:
        """Where a quantity stands in the order of computation; positions compare."""

    def in_order(self) -> Iterator[Name]:
        """Every computed quantity, in the order of computation."""

    def uses(self, name: Name) -> int:
        """How many later quantities are computed from one."""

    def gradient_of(self, name: Name) -> Name:
        """The gradient by a quantity; of a gradient, itself."""

    def value_of(self, gradient: Name) -> Name:
        """The quantity that a gradient is by."""
