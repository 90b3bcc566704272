"""Paths: a gradient as the sum, over all ways to the loss, of the product of the derivatives along each.

That sum is what the chain rule says; back-propagation finds the same number by going backward once and reusing every
`dL/d(value)`. Here both are done, and their multiplications counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.protocol import Quantities
from chainrule.explain.quantities.recipes import FunctionOf

LIMIT = 1000  # paths that are written out


@dataclass(frozen=True)
class Edge:
    """One factor of a path: the derivative of `after` by `before`; `names` are the quantities whose product it is."""

    before: Name
    after: Name
    names: tuple[Name, ...]
    factor: float


@dataclass(frozen=True)
class Path:
    """One way from a quantity to the loss: its edges from the loss backward, and the product of their factors."""

    edges: tuple[Edge, ...]
    product: float

    @property
    def through(self) -> tuple[Name, ...]:
        """The values on the way, from the loss's side."""
        return tuple(edge.before for edge in self.edges[:-1])


@dataclass(frozen=True)
class Paths:
    """All paths of one quantity, and what it would cost to go them one by one.

    `count` is how many there are; `paths` holds them when there are at most `LIMIT`. `multiplications_apart` counts the
    factors multiplied when every path is multiplied by itself, `multiplications_memoized` when every gradient on
    the way is computed once and reused, `kept` the numbers that reuse keeps. `penalty` is what penalties add.
    """

    name: Name
    count: int
    paths: tuple[Path, ...]
    multiplications_apart: int
    multiplications_memoized: int
    kept: int
    memoized: float
    penalty: float

    @cached_property
    def total(self) -> float:
        """The sum of the paths' products and the penalty's part."""
        return sum(path.product for path in self.paths) + self.penalty

    @property
    def bytes(self) -> int:
        """The memory of the numbers that reuse keeps, in float64."""
        return 8 * self.kept


class _Way(NamedTuple):
    """One step from a gradient toward the loss, before anybody asks for its factor; `alone` is no factor at all."""

    reader: Name  # the gradient that it leads to
    local: tuple[Name, ...] = ()
    coefficient: float = 1.0
    linear: FunctionOf | None = None  # of the gradients, where the factor is its effect
    alone: bool = False


class _Place(NamedTuple):
    """A gradient on the way: what it is by, the ways on, whether a path ends here, and what is no path."""

    by: Name
    ways: tuple[_Way, ...] = ()
    is_end: bool = False
    penalty: float = 0.0


def find_paths(graph: Quantities, name: Name) -> Paths:
    """The paths from a parameter, an input, or a value in between.

    Raises:
        InputError: the quantity has no gradient, so no paths lead from it.
    """
    gradient = graph.gradient_of(name)
    search = _Search(graph)
    reached = sorted(search.reached(gradient), key=graph.position)
    for each in reached:  # from the loss on, so that every count finds those that it needs
        search.lengths(each)
    count = search.count(gradient)
    if count <= LIMIT:
        for each in reached:
            search.tails(each)
    return Paths(
        name, count, tuple(search.tails(gradient)) if count <= LIMIT else (), search.lengths(gradient) - count,
        search.memoized(reached), len(reached) - 1, graph.value(gradient), search.place(gradient).penalty,
    )  # fmt: skip


class _Search:
    """Walks the recipes of gradients, which are sums of (gradient of a reader) * (local factors)."""

    def __init__(self, graph: Quantities):
        self.graph = graph
        self._places: dict[Name, _Place] = {}
        self._counts: dict[Name, int] = {}
        self._lengths: dict[Name, int] = {}
        self._tails: dict[Name, list[Path]] = {}

    def place(self, gradient: Name) -> _Place:
        """Where a gradient comes from."""
        if gradient not in self._places:
            self._places[gradient] = self._found(gradient)
        return self._places[gradient]

    def _found(self, gradient: Name) -> _Place:
        recipe, *others = self.graph.recipes(gradient)
        by = self.graph.value_of(gradient)
        if isinstance(recipe, FunctionOf):
            return _Place(by, tuple(_Way(n, linear=recipe) for n in recipe.outer), is_end=not recipe.outer)
        # saturated outputs: dL/dh is infinite and dh/dz 0; loss and activation together give their finite product
        saturated = others and not all(math.isfinite(self.graph.value(n)) for n in recipe.outer)
        if saturated or not recipe.outer:
            return _Place(by, is_end=bool(recipe.parts))  # an empty sum: no loss depends on the value
        ways, penalty = [], 0.0
        for part in recipe.parts:
            if part.outer is None:
                penalty += part.coefficient * math.prod(map(self.graph.value, part.factors))
                continue
            local = tuple(n for n in part.factors if n != part.outer)
            alone = not local and part.coefficient == 1 and self.graph.value_of(part.outer) == by
            ways.append(_Way(part.outer, local, part.coefficient, alone=alone))
        return _Place(by, tuple(ways), penalty=penalty)

    def edge(self, before: Name, way: _Way) -> Edge:
        """A way with its factor."""
        after = self.place(way.reader).by
        if way.linear is not None:
            return Edge(before, after, (), self._effect(way.linear, way.reader))
        factor = way.coefficient * math.prod(self.graph.value(n) for n in way.local)
        return Edge(before, after, way.local, factor)

    def _effect(self, recipe: FunctionOf, reader: Name) -> float:
        """The factor of one gradient in a linear function of gradients (batch normalization): its effect alone."""

        def alone(n: Name) -> float:
            return float(n == reader) if n in recipe.outer else self.graph.value(n)

        return recipe.value(alone)

    def count(self, gradient: Name) -> int:
        """How many paths lead from a value to the loss."""
        if gradient not in self._counts:
            place = self.place(gradient)
            self._counts[gradient] = sum(self.count(way.reader) for way in place.ways) + place.is_end
        return self._counts[gradient]

    def lengths(self, gradient: Name) -> int:
        """The number of factors of all paths together: each has the loss's own, and one for every edge."""
        if gradient not in self._lengths:
            ways = self.place(gradient).ways
            inner = sum(self.lengths(way.reader) + (not way.alone) * self.count(way.reader) for way in ways)
            self._lengths[gradient] = inner if ways else self.count(gradient)
        return self._lengths[gradient]

    def tails(self, gradient: Name) -> list[Path]:
        """All paths from a value to the loss, the loss's own derivative first."""
        if gradient not in self._tails:
            place = self.place(gradient)
            self._tails[gradient] = found = []
            if place.is_end:
                factor = self.graph.value(gradient)
                found.append(Path((Edge(place.by, self.graph.end, (gradient,), factor),), factor))
            for way in place.ways:
                if way.alone:
                    found += self.tails(way.reader)
                    continue
                edge = self.edge(place.by, way)
                found += [Path((*tail.edges, edge), tail.product * edge.factor) for tail in self.tails(way.reader)]
        return self._tails[gradient]

    def reached(self, gradient: Name) -> list[Name]:
        """Every gradient on the way, itself included."""
        found: dict[Name, None] = {gradient: None}
        waiting = [gradient]
        while waiting:
            for way in self.place(waiting.pop()).ways:
                if way.reader not in found:
                    found[way.reader] = None
                    waiting.append(way.reader)
        return list(found)

    def memoized(self, reached: Iterable[Name]) -> int:
        """Multiplications when each gradient on the way is computed once: one for every edge."""
        return sum(not way.alone for name in reached for way in self.place(name).ways)
