"""How a quantity is computed from others: as a sum of products, or as a function that a layer, loss or optimizer gives.

A recipe can be evaluated with anybody's numbers (that is what marking does), with the interval of each number, and
shown as a formula tree whose symbols are the names of its inputs. `Quantities` is what can be derived: derivations,
paths, marking and renderers ask for no more of a calculation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula.tree import (
    Negative,
    Node,
    Number,
    Power,
    Symbol,
    evaluate,
    product_of,
    sum_of,
    symbols_of,
)
from chainrule.explain.quantities.names import Kind, Name
from chainrule.explain.quantities.rounding import Function, Spread, sum_of_products, through


class Part(NamedTuple):
    """One product of a sum: a coefficient times quantities.

    `label` names the coefficient in formulas; `outer` is the factor that is a gradient passed back, if one is.
    """

    factors: tuple[Name, ...]
    coefficient: float = 1.0
    label: str = ""
    outer: Name | None = None


@dataclass(frozen=True)
class Products:
    """A sum of products: `z = W x + ... + b`, and the chain rule itself."""

    parts: tuple[Part, ...]
    general: str
    route: str = "chain rule"

    @cached_property
    def inputs(self) -> tuple[Name, ...]:
        """The quantities it is computed from, each once."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.factors))

    @cached_property
    def outer(self) -> tuple[Name, ...]:
        """The gradients passed back that it is a sum over, each once."""
        return tuple(dict.fromkeys(part.outer for part in self.parts if part.outer is not None))

    def carry(self, values: Mapping[Name, Spread]) -> Spread:
        """The value from somebody's numbers, with the interval of their rounding."""
        return sum_of_products([(part.coefficient, [values[name] for name in part.factors]) for part in self.parts])

    def value(self, value: Callable[[Name], float]) -> float:
        """The value from plain numbers."""
        total = 0.0
        for part in self.parts:
            total += math.prod((value(name) for name in part.factors), start=part.coefficient)
        return total

    def tree(self) -> Node:
        """The formula in the names of its inputs."""
        return sum_of([_term(part) for part in self.parts])


def _term(part: Part) -> Node:
    if len(part.factors) == 2 and part.factors[0] == part.factors[1]:
        factors: list[Node] = [Power(Symbol(part.factors[0]), Number(2.0))]
    else:
        factors = [Symbol(name) for name in part.factors]
    coefficient = part.coefficient
    if abs(coefficient) != 1 or not factors:
        factors.insert(0, Number(abs(coefficient), part.label or None))
    body = product_of(factors)
    return Negative(body) if coefficient < 0 else body


@dataclass(frozen=True)
class FunctionOf:
    """A function of quantities, as the heart computes it.

    `formula` is its text there, bound to these inputs; `outer` are those of them that are gradients passed back.
    """

    inputs: tuple[Name, ...]
    function: Function
    general: str
    formula: Callable[[], Node | None] | None = None
    route: str = ""
    outer: tuple[Name, ...] = ()

    def carry(self, values: Mapping[Name, Spread]) -> Spread:
        """The value from somebody's numbers, with the interval of their rounding."""
        with np.errstate(all="ignore"):
            return through(self.function, [values[name] for name in self.inputs])

    def value(self, value: Callable[[Name], float]) -> float:
        """The value from plain numbers."""
        with np.errstate(all="ignore"):
            return float(self.function(np.array([[value(name) for name in self.inputs]], dtype=float))[0])

    def tree(self) -> Node | None:
        """The formula in the names of its inputs; None where there is only a function."""
        try:
            return None if self.formula is None else self.formula()
        except ValueError:  # the text of somebody's own function is in words: it is shown as it stands
            return None


def from_tree(tree: Node, general: str, route: str = "") -> FunctionOf:
    """A recipe that is a formula and nothing else."""
    names = tuple(name for name in symbols_of(tree) if isinstance(name, Name))

    def function(points: Doubles) -> Array:
        values = {name: points[:, i] for i, name in enumerate(names)}
        return np.broadcast_to(np.asarray(evaluate(tree, values), dtype=float), len(points))

    return FunctionOf(names, function, general, lambda: tree, route)


Recipe = Products | FunctionOf
Position = tuple[int, int, int, tuple[int, ...]]


class Located(NamedTuple):
    """A quantity with its value, its name as people write it, and where it stands in the order of computation."""

    name: Name
    value: float
    spelled: str
    position: Position


class Quantities(ABC):
    """The quantities of a calculation, by name: of a network and its loss (`network/graph.py`) or of a formula.

    `end` is what everything is differentiated: the loss, or an expression's result. Values, recipes and positions are
    asked for again and again: after the first time they are looked up.
    """

    end: Name
    kinds: Mapping[str, Kind]

    def __init__(self) -> None:
        self.value: Callable[[Name], float] = cache(self._value)
        self.recipes: Callable[[Name], tuple[Recipe, ...]] = cache(self._recipes)
        self.position: Callable[[Name], Position] = cache(self._position)

    @abstractmethod
    def _value(self, name: Name) -> float:
        """The value of a quantity."""

    @abstractmethod
    def _recipes(self, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute a quantity, the chain rule's first; none for what is given."""

    @abstractmethod
    def _position(self, name: Name) -> Position:
        """Where a quantity stands in the order of computation; positions compare."""

    @abstractmethod
    def parse(self, text: str) -> Name:
        """The name that a text spells, checked."""

    @abstractmethod
    def resolve(self, name: Name) -> Name:
        """The name as this calculation uses it; an `InputError` says what there is."""

    @abstractmethod
    def in_order(self) -> Iterator[Name]:
        """Every computed quantity, in the order of computation."""

    @abstractmethod
    def uses(self, name: Name) -> int:
        """How many later quantities are computed from one."""

    @abstractmethod
    def gradient_of(self, name: Name) -> Name:
        """The gradient by a quantity; of a gradient, itself."""

    @abstractmethod
    def value_of(self, gradient: Name) -> Name:
        """The quantity that a gradient is by."""

    def spelled(self, name: Name) -> str:
        """A name as people write it."""
        return str(name)

    def meaning(self, name: Name) -> str:
        """What a quantity is, in words."""
        return self.kinds[name.kind].meaning

    def is_given(self, name: Name) -> bool:
        """Whether it is a number of the exercise, not a result."""
        return self.kinds[name.kind].given

    def located(self, name: Name) -> Located:
        """A quantity with its value and its place."""
        return Located(name, self.value(name), self.spelled(name), self.position(name))
