"""What every mistake starts from: a quantity in the writer's hands, and how it should have been computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from chainrule.explain.marking.verdicts import OwnValues
from chainrule.explain.network.costs import HeadGradient, Share
from chainrule.explain.network.elements import Gradient, Slope
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.learned import Parameter
from chainrule.explain.network.structure import NetworkKind
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Function, Part, Products, Recipe, Spread, product, through
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
    def slot(self) -> int:
        """The slot that a gradient is by."""
        return self.graph.slots[self.kind.of, self.name.layer]

    @cached_property
    def right(self) -> Spread:
        """What it should have been, from the writer's entries."""
        return self.view.carried(self.recipe)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The products that it is a sum of; none where it is no such sum."""
        return self.recipe.parts if isinstance(self.recipe, Products) else ()

    @cached_property
    def head(self) -> int | None:
        """The head that a quantity belongs to: its loss, or the gradient by its output or that output's `z`."""
        if isinstance(self.kind, Share):
            return self.graph.head_index(self.name.layer)
        if isinstance(self.kind, HeadGradient):
            return self.graph.head_of[self.name.layer]
        if self.is_delta:
            for i, slot in enumerate(self.graph.head_slots):
                step = self.graph.producers[slot]
                if self.slot == slot or (step is not None and step.layer.applies and self.slot == step.inputs[0]):
                    return i
        return None

    @cached_property
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

    def scaled(self, factor: float) -> Spread:
        """What it should have been, times a number."""
        return product(factor, [self.right])

    def summed(self, parts: list[Part]) -> Spread:
        """A sum of other products."""
        return self.view.carried(Products(tuple(parts), ""))

    def reweighted(self, factor: Callable[[Part], float]) -> Spread:
        """The same sum with other coefficients."""
        return self.summed([Part(part.factors, part.coefficient * factor(part)) for part in self.parts])

    def through(self, function: Function, *names: Name) -> Spread:
        """A function of the writer's numbers."""
        return through(function, [self.view.lookup(name) for name in names])

    def exchanged(self, instead: Mapping[Name, Name]) -> Iterator[Spread]:
        """The recipe with other quantities in the place of some; nothing where there are none."""
        if instead:
            yield self.view.carried(self.recipe, {n: self.view.lookup(other) for n, other in instead.items()})


class Mistake(NamedTuple):
    """A mistake: the sentence that says it, and what a quantity would be with it."""

    text: str
    made: Callable[[Attempt], Iterator[Spread]]


def pre_activation(graph: Graph, step: Step, name: Name) -> Name:
    """The `z` behind an `h` that an activation makes."""
    return graph.name_of(step.inputs[0], graph.rows[name.row], name.index[-1] - 1)
