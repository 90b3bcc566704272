"""What every mistake starts from: a quantity in the writer's hands, and how it should have been computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from chainrule.explain.marking.own_values import OwnValues
from chainrule.explain.network.activated import Slope
from chainrule.explain.network.costs import HeadGradient, Share
from chainrule.explain.network.elements import Gradient
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.learned import Parameter
from chainrule.explain.network.structure import NetworkKind
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe
from chainrule.explain.quantities.rounding import Spread, product
from chainrule.steps import Step


@dataclass(frozen=True)
class Attempt:
    """A quantity in the writer's hands: its name, what the writer had, and how it should have been computed."""

    graph: Graph
    name: Name
    view: OwnValues
    recipe: Recipe

    @property
    def kind(self) -> NetworkKind:
        """The kind of quantity."""
        return self.graph.kind(self.name)

    @property
    def is_delta(self) -> bool:
        """Whether it is a gradient by what a layer makes: `dL/dz`, `dL/dh`."""
        return isinstance(self.kind, Gradient) and self.kind.of != "x"

    @property
    def place(self) -> tuple[int, int]:
        """The row and the unit of a value or of the gradient by it, from 0."""
        return self.graph.rows[self.name.row], self.name.index[0] - 1

    @property
    def right(self) -> Spread:
        """What it should have been, from the writer's entries."""
        return self.view.carried(self.recipe)

    def parts(self, parts: list[Part]) -> Spread:
        """A sum of other products."""
        return self.view.carried(Products(tuple(parts), ""))

    def head(self) -> int | None:
        """The head that a quantity belongs to: its loss, or the gradient by its output or that output's `z`."""
        if isinstance(self.kind, Share):
            return self.graph.head_index(self.name.layer)
        if isinstance(self.kind, HeadGradient):
            return self.graph.head_of[self.name.layer]
        if self.is_delta:
            mine = self.slot
            for i, slot in enumerate(self.graph.head_slots):
                step = self.graph.producers[slot]
                if mine == slot or (step is not None and step.layer.applies and mine == step.inputs[0]):
                    return i
        return None

    @property
    def slot(self) -> int:
        """The slot that a gradient is by."""
        return self.graph.slots[self.kind.of, self.name.layer]

    def activation(self) -> Step | None:
        """The activation step of `h` or `dh/dz`, or the one that reads what a gradient is by."""
        if self.name.kind == "h" or isinstance(self.kind, Slope):
            return self.graph.activation_steps.get(self.name.layer)
        if self.is_delta:
            readers = self.graph.program.readers(self.slot)
            for step in self.graph.activation_steps.values():
                if step.inputs[0] == self.slot and (self.kind.of == "z" or len(readers) == 1):
                    return step
        return None

    def learned(self, name: Name) -> bool:
        """Whether it is a parameter: W, b, or whatever a layer calls its own."""
        return isinstance(self.graph.kind(name), Parameter)


class Mistake(NamedTuple):
    """A mistake: its code, the sentence that says it, and what a quantity would be with it."""

    code: str
    text: str
    made: Callable[[Attempt], Iterator[Spread]]


def scaled(spread: Spread, factor: float) -> Spread:
    """A spread times a number."""
    return product(factor, [spread])


def pre_activation(graph: Graph, step: Step, name: Name) -> Name:
    """The `z` behind an `h` that an activation makes."""
    return graph.name_of(step.inputs[0], graph.rows[name.row], name.index[-1] - 1)
