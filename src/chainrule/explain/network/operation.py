"""What a step of a network is to its derivation: how each unit is computed, and what the step passes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Recipe
from chainrule.layers.element import Learned, Read
from chainrule.steps import Step

CHAIN = "sum over readers of dL/d(reader) d(reader)/d(value)"


class Operation(ABC):
    """One step, in scalars; rows and units count from 0."""

    step: Step
    back_formula: str = CHAIN
    takes_penalty_in: bool = False  # whether a gradient by a learned number reads that number anyway

    @abstractmethod
    def value(self, row: int, unit: int) -> Recipe:
        """How a unit is computed."""

    @abstractmethod
    def passed_back(self, row: int, read: Read) -> list[Part]:
        """What the step contributes to the gradient by an element that it reads."""

    def back(self, row: int, read: Read) -> Recipe | None:
        """The same as one function of all that the step reads, where it is no sum of products."""
        return None

    @abstractmethod
    def gradient(self, learned: Learned) -> Recipe:
        """The gradient by a learned number, over all rows, with the penalty's part."""

    def slopes(self, row: int, unit: int) -> Iterator[Name]:
        """The derivatives of a unit by what it is a function of, where they are quantities of their own."""
        return iter(())

    def local(self, row: int, learned: Learned) -> Iterator[Name]:
        """The derivatives of the units by a learned number, where they are quantities of their own."""
        return iter(())

    @abstractmethod
    def uses_of_element(self, row: int, slot: int, unit: int) -> int:
        """How many quantities of the step are computed from an element that it reads."""

    @abstractmethod
    def uses_of_gradient(self, row: int, unit: int) -> int:
        """How many quantities are computed from the gradient by a unit of the output."""

    @abstractmethod
    def uses_of_learned(self, learned: Learned) -> int:
        """How many quantities of the step, in all rows, are computed from a learned number."""

    def uses_of_output(self, n: int) -> int:
        """How many quantities of the step itself are computed from one of its n units."""
        return 0
