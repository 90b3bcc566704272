"""Paths: a gradient as the sum, over all ways to the loss, of the product of the derivatives along each.

That sum is what the chain rule says; back-propagation finds the same number by going backward once and reusing every
`dL/d(value)`. Here both are done, and their multiplications counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.protocol import Quantities
from chainrule.explain.quantities.recipes import FunctionOf, Products

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


@dataclass(frozen=True)
class _Way:
    """One step from a gradient toward the loss, before anybody asks for its factor; `alone` is no factor at all."""

    reader: Name  # the gradient that it leads to
    local: tuple[Name, ...] = ()
    coefficient: float = 1.0
    linear: FunctionOf | None = None  # of the gradients, where the factor is its effect
    alone: bool = False


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
        search.memoized(reached), len(reached) - 1, graph.value(gradient), search.penalty(gradient),
    )  # fmt: skip


class _Search:
    """Walks the recipes of gradients, which are sums of (gradient of a reader) * (local factors)."""

    def __init__(self, graph: Quantities):
        self.graph = graph
        self._ways: dict[Name, tuple[_Way, ...]] = {}
        self._counts: dict[Name, int] = {}
        self._lengths: dict[Name, int] = {}
        self._tails: dict[Name, list[Path]] = {}

    def ways(self, gradient: Name) -> tuple[_Way, ...]:
        """Where a gradient comes from; nothing where a path ends."""
        if gradient not in self._ways:
            self._ways[gradient] = () if self.is_start(gradient) else tuple(self._found(gradient))
        return self._ways[gradient]

    def _found(self, gradient: Name) -> Iterator[_Way]:
        recipe, value = self.graph.recipes(gradient)[0], self.graph.value_of(gradient)
        if isinstance(recipe, FunctionOf):
            yield from (_Way(n, linear=recipe) for n in recipe.outer)
            return
        for part in recipe.parts:
            if part.outer is not None:
                local = tuple(n for n in part.factors if n != part.outer)
                alone = not local and part.coefficient == 1 and self.graph.value_of(part.outer) == value
                yield _Way(part.outer, local, part.coefficient, alone=alone)

    def penalty(self, gradient: Name) -> float:
        """What of a gradient is no path: the penalty's part."""
        recipe = self.graph.recipes(gradient)[0]
        if isinstance(recipe, FunctionOf) or self.is_start(gradient):
            return 0.0
        value, apart = self.graph.value, (part for part in recipe.parts if part.outer is None)
        return sum(part.coefficient * math.prod(map(value, part.factors)) for part in apart) + 0.0

    def is_start(self, gradient: Name) -> bool:
        """Whether a gradient comes from a loss directly, so that a path ends here."""
        recipe, *others = self.graph.recipes(gradient)
        if isinstance(recipe, FunctionOf) or not others or not recipe.outer:
            return not recipe.outer
        # saturated outputs: dL/dh is infinite and dh/dz 0; loss and activation together give their finite product
        return not all(math.isfinite(self.graph.value(n)) for n in recipe.outer)

    def leads_nowhere(self, gradient: Name) -> bool:
        """Whether no loss depends on the value: its gradient is an empty sum."""
        recipe = self.graph.recipes(gradient)[0]
        return isinstance(recipe, Products) and not recipe.parts

    def edge(self, gradient: Name, way: _Way) -> Edge | None:
        """A way with its factor; None where nothing is multiplied."""
        if way.alone:
            return None
        value, after = self.graph.value_of(gradient), self.graph.value_of(way.reader)
        if way.linear is not None:
            return Edge(value, after, (), self._effect(way.linear, way.reader))
        factor = way.coefficient * math.prod(self.graph.value(n) for n in way.local)
        return Edge(value, after, way.local, factor)

    def _effect(self, recipe: FunctionOf, reader: Name) -> float:
        """The factor of one gradient in a linear function of gradients (batch normalization): its effect alone."""

        def alone(n: Name) -> float:
            return float(n == reader) if n in recipe.outer else self.graph.value(n)

        return recipe.value(alone)

    def count(self, gradient: Name) -> int:
        """How many paths lead from a value to the loss."""
        if gradient not in self._counts:
            ways = self.ways(gradient)
            ends = self.is_start(gradient) and not self.leads_nowhere(gradient)
            self._counts[gradient] = sum(self.count(way.reader) for way in ways) if ways else int(ends)
        return self._counts[gradient]

    def lengths(self, gradient: Name) -> int:
        """The number of factors of all paths together: each has the loss's own, and one for every edge."""
        if gradient not in self._lengths:
            ways = self.ways(gradient)
            inner = sum(self.lengths(way.reader) + (not way.alone) * self.count(way.reader) for way in ways)
            self._lengths[gradient] = inner if ways else self.count(gradient)
        return self._lengths[gradient]

    def tails(self, gradient: Name) -> list[Path]:
        """All paths from a value to the loss, the loss's own derivative first."""
        if gradient not in self._tails:
            ways = self.ways(gradient)
            self._tails[gradient] = found = []
            if not ways and self.count(gradient):
                factor = self.graph.value(gradient)
                found.append(Path((Edge(self.graph.value_of(gradient), self.graph.end, (gradient,), factor),), factor))
            for way in ways:
                edge = self.edge(gradient, way)
                for tail in self.tails(way.reader):
                    longer = tail if edge is None else Path((*tail.edges, edge), tail.product * edge.factor)
                    found.append(longer)
        return self._tails[gradient]

    def reached(self, gradient: Name) -> list[Name]:
        """Every gradient on the way, itself included."""
        found: dict[Name, None] = {gradient: None}
        waiting = [gradient]
        while waiting:
            for way in self.ways(waiting.pop()):
                if way.reader not in found:
                    found[way.reader] = None
                    waiting.append(way.reader)
        return list(found)

    def memoized(self, reached: Iterable[Name]) -> int:
        """Multiplications when each gradient on the way is computed once: one for every edge."""
        return sum(not way.alone for name in reached for way in self.ways(name))
