"""What every mistake starts from: a quantity in the writer's hands, and how it should have been computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from chainrule.explain.marking.own_values import OwnValues
from chainrule.explain.network.graph import Graph
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe
from chainrule.explain.quantities.rounding import Spread, product
from chainrule.steps import Step

BY_PARAMETERS = ("dL/dW", "dL/db", "dL/dscale", "dL/dshift")
DELTAS = ("dL/dz", "dL/dh")  # gradients by what an activation may read


@dataclass(frozen=True)
class Attempt:
    """A quantity in the writer's hands: its name, what the writer had, and how it should have been computed."""

    graph: Graph
    name: Name
    view: OwnValues
    recipe: Recipe

    @property
    def kind(self) -> str:
        """The kind of quantity."""
        return self.name.kind

    @property
    def right(self) -> Spread:
        """What it should have been, from the writer's entries."""
        return self.view.carried(self.recipe)

    def parts(self, parts: list[Part]) -> Spread:
        """A sum of other products."""
        return self.view.carried(Products(tuple(parts), ""))

    def head(self) -> int | None:
        """The head that a quantity belongs to: its loss, or the gradient by its output or that output's `z`."""
        if self.kind == "loss":
            return self.graph.head_index(self.name)
        if self.kind in ("dL/dh", "dL/dz", "dloss/dh"):
            for i, head in enumerate(self.graph.trace.heads):
                slot = self.graph.head_slot(head)
                mine = self.graph.slots.get((self.kind[-1], self.name.layer))
                if self.kind == "dloss/dh" and self.name.layer == head.head:
                    return i
                if mine in (slot, self._before(slot)):
                    return i
        return None

    def _before(self, slot: int) -> int | None:
        """The pre-activation of a slot that an activation makes."""
        for step in self.graph.activation_steps.values():
            if step.output == slot:
                return step.inputs[0]
        return None

    def activation(self) -> Step | None:
        """The activation step of `h` or `dh/dz`, or the one that reads what a gradient is by."""
        if self.kind in ("h", "dh/dz"):
            return self.graph.activation_steps.get(self.name.layer)
        if self.kind in DELTAS:
            slot = self.graph.slots[self.kind[-1], self.name.layer]
            readers = self.graph.program.readers(slot)
            for step in self.graph.activation_steps.values():
                if step.inputs[0] == slot and (self.kind == "dL/dz" or len(readers) == 1):
                    return step
        return None


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
    return graph.name_of(step.inputs[0], graph.row_of(name), name.index[-1] - 1)


def is_penalty(part: Part) -> bool:
    """Whether a summand of a gradient is the penalty's."""
    return not any(n.kind.startswith("dL/d") or n.kind == "loss" for n in part.factors)
