"""How a quantity is computed from others: as a sum of products, or as a function that a layer, loss or optimizer gives.

A recipe can be evaluated with anybody's numbers (that is what marking does), with the interval of each number, and
shown as a formula tree whose symbols are the names of its inputs. `Quantities` is what can be derived: derivations,
paths, marking and renderers ask for no more of a calculation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import Negative, Node, Number, Power, Symbol, evaluate, symbols_of
from chainrule.explain.formula.tree import product_of, sum_of
from chainrule.explain.quantities.names import Kind, Name

SAMPLES = 9  # points at which a function of one uncertain number is looked at
SLACK = 1.02  # a sampled extreme may miss the true one by the square of the spacing

Function = Callable[[Doubles], Array]  # (points, inputs) -> (points,)


class Spread(NamedTuple):
    """A number computed as written, and the least and the greatest that rounding of its sources could have made it."""

    point: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Spread:
        """A number without doubt."""
        return cls(value, value, value)

    @classmethod
    def around(cls, value: float, radius: float) -> Spread:
        """A number that was rounded by at most `radius`."""
        return cls(value, value - radius, value + radius)

    @property
    def radius(self) -> float:
        """The greatest distance of an end from the point."""
        return max(self.high - self.point, self.point - self.low)

    def widened(self, radius: float) -> Spread:
        """The same number with both ends moved out."""
        return Spread(self.point, self.low - radius, self.high + radius)


def product(coefficient: float, factors: Sequence[Spread]) -> Spread:
    """The exact interval of a product.

    >>> product(2, [Spread(1, 0.5, 1.5), Spread(-3, -3, -3)])
    Spread(point=-6, low=-9.0, high=-3.0)
    """
    point = low = high = coefficient
    for factor in factors:
        point *= factor.point
        if factor.low == factor.high:
            ends = (low * factor.low, high * factor.low)
        else:
            ends = (low * factor.low, low * factor.high, high * factor.low, high * factor.high)  # type: ignore[assignment]
        low, high = min(ends), max(ends)
    return Spread(point, low, high)


def sum_of_products(terms: Sequence[tuple[float, Sequence[Spread]]]) -> Spread:
    """A sum of products, each of a coefficient and its factors, with the intervals of the products added."""
    point = low = high = 0.0
    for coefficient, factors in terms:
        p, lo, hi = product(coefficient, factors)
        point, low, high = point + p, low + lo, high + hi
    return Spread(point, low, high)


def through(function: Function, sources: Sequence[Spread]) -> Spread:
    """The interval of a function of several numbers.

    One uncertain source is sampled over its interval. Several are varied one at a time around the point and their
    deviations added, which is right to first order; the corner that all of them push to is looked at too.
    """
    points = np.array([source.point for source in sources], dtype=float)
    uncertain = [i for i, source in enumerate(sources) if source.high > source.low]
    if not uncertain:
        value = float(function(points[None, :])[0])
        return Spread.exact(value)
    grid = np.repeat(points[None, :], 1 + SAMPLES * len(uncertain), axis=0)
    for k, i in enumerate(uncertain):
        block = slice(1 + k * SAMPLES, 1 + (k + 1) * SAMPLES)
        grid[block, i] = np.linspace(sources[i].low, sources[i].high, SAMPLES)
    values = function(grid)
    point = float(values[0])
    deviations = values[1:].reshape(len(uncertain), SAMPLES) - point
    down, up = np.minimum(deviations.min(axis=1), 0), np.maximum(deviations.max(axis=1), 0)
    low, high = point + SLACK * float(down.sum()), point + SLACK * float(up.sum())
    if len(uncertain) > 1:
        corners = np.repeat(points[None, :], 2, axis=0)
        for k, i in enumerate(uncertain):
            tried = grid[1 + k * SAMPLES : 1 + (k + 1) * SAMPLES, i]
            corners[0, i] = tried[int(deviations[k].argmin())]
            corners[1, i] = tried[int(deviations[k].argmax())]
        ends = function(corners)
        low, high = min(low, float(ends.min())), max(high, float(ends.max()))
    return Spread(point, low, high)


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
    n_rows: int = 1  # explained together

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

    def needed_for(self, name: Name, limit: int) -> list[Name]:
        """What a quantity is computed from, itself included: so many of the nearest, in the order of computation."""
        found = [name]
        known = set(found)
        for current in found:  # which grows behind the one looked at: nearest first
            for source in (name for recipe in self.recipes(current)[:1] for name in recipe.inputs):
                if source not in known and len(found) < limit:
                    known.add(source)
                    found += [source] if self.recipes(source) else []  # what is given has none
        return sorted(found, key=self.position)

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
