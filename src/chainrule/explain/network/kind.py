"""What belongs to a kind of quantity of a network: its names, its values, what they come from, who reads them."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.arrays import Doubles
from chainrule.explain.network.structure import Structure
from chainrule.explain.quantities.names import Kind, Name
from chainrule.explain.quantities.recipes import Recipe

Stage = tuple[int, int, int]
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

    def array(self, net: Structure, layer: str) -> Doubles | None:
        """The engine's numbers of a layer, by rows and units or by indices; None where the recipe is what there is."""
        return None

    def array_formula(self, net: Structure, layer: str, general: str) -> str:
        """The formula that gives all of the array at once."""
        return general

    def stage(self, net: Structure, layer: str) -> Stage:
        """Where those of a layer stand in the order of computation; stages compare."""
        return (GIVEN, 0, 0)

    def uses(self, net: Structure, name: Name) -> int:
        """How many quantities (by their first recipe) have it among their inputs."""
        return self.readers
