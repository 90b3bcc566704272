"""What belongs to a kind of quantity of a network: its names, its values, what they come from, who reads them."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.arrays import Doubles
from chainrule.explain.network.structure import Structure
from chainrule.explain.quantities.names import Kind, Name
from chainrule.explain.quantities.protocol import Position
from chainrule.explain.quantities.recipes import Recipe

GIVEN, FORWARD, LOSSES, TOTAL, BACKWARD, UPDATE = range(6)  # phases of the computation


@dataclass(frozen=True)
class NetworkKind(Kind):
    """A kind of quantity, asked about one of them in a network."""

    given: bool = False  # a number of the exercise, not a result
    of: str = ""  # of a gradient or an update, the kind of quantity that it is by

    needs_target = True  # without one it doesn't exist
    readers = 0  # quantities that have it among their inputs, where that doesn't depend on the network
    computed_by = 0  # the recipe that gives the value, where it is no number of the engine's

    def resolve(self, net: Structure, name: Name) -> Name:
        """The name as the network uses it.

        Raises:
            InputError: there is no such quantity here; the message says what there is.
        """
        return name

    def recipes(self, net: Structure, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute it, the chain rule's first; none for what is given."""
        return ()

    def array(self, net: Structure, name: Name) -> Doubles | None:
        """The engine's array that it is an element of, by rows and units or by indices; None where there is none."""
        return None

    def array_formula(self, net: Structure, name: Name, general: str) -> str:
        """The formula that gives all of the array at once."""
        return general

    def value(self, net: Structure, name: Name) -> float | None:
        """The engine's number; None where it has none, and the recipe is what there is."""
        array = self.array(net, name)
        place = (net.row_of(name), name.index[-1] - 1) if self.per_row else tuple(i - 1 for i in name.index)
        return None if array is None else float(array[place])

    def position(self, net: Structure, name: Name) -> Position:
        """Where it stands in the order of computation; positions compare."""
        return (GIVEN, 0, 0, name.row or 0, name.index)

    def uses(self, net: Structure, name: Name) -> int:
        """How many quantities (by their first recipe) have it among their inputs."""
        return self.readers
