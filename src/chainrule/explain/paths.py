"""Paths: a gradient as the sum, over all ways to the loss, of the product of the derivatives along each.

That sum is what the chain rule says; back-propagation finds the same number by going backward once and reusing every
`dL/d(value)`. Here both are done, and their multiplications counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chainrule.explain.names import Name
from chainrule.explain.recipes import FunctionOf, Products

if TYPE_CHECKING:
    from chainrule.explain.any_derivation import AnyDerivation
    from chainrule.explain.quantities import Quantities

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


def find_paths(derivation: AnyDerivation, name: Name) -> Paths:
    """The paths from a parameter, an input, or a value in between.

    Raises:
        InputError: the quantity has no gradient, so no paths lead from it.
    """
    graph = derivation.graph
    gradient = graph.gradient_of(name)
    search = _Search(graph)
    entries, penalty = search.entries(gradient)
    count = sum(search.count(node) for _, node in entries)
    paths: list[Path] = []
    if 0 < count <= LIMIT:
        for edge, node in entries:
            paths += [_join(edge, tail) for tail in search.tails(node)]
    lengths = sum(search.length(edge, node) for edge, node in entries)
    return Paths(
        name, count, tuple(paths), lengths - count, search.memoized(gradient), search.kept(gradient),
        graph.value(gradient), penalty,
    )  # fmt: skip


def _join(edge: Edge | None, tail: Path) -> Path:
    if edge is None:
        return tail
    return Path((*tail.edges, edge), tail.product * edge.factor)


class _Search:
    """Walks the recipes of gradients, which are sums of (gradient of a reader) * (local factors)."""

    def __init__(self, graph: Quantities):
        self.graph = graph
        self._counts: dict[Name, int] = {}
        self._lengths: dict[Name, int] = {}
        self._tails: dict[Name, list[Path]] = {}

    def entries(self, gradient: Name) -> tuple[list[tuple[Edge | None, Name]], float]:
        """Of a gradient: the edges with the gradients that they lead to, and what is no path (the penalty).

        The edge is None where nothing is multiplied: the gradient is that of the loss itself.
        """
        recipe, value = self.graph.recipes(gradient)[0], self.graph.value_of(gradient)
        if self.is_start(gradient) and not (isinstance(recipe, Products) and not recipe.parts):
            return [(None, gradient)], 0.0
        if isinstance(recipe, FunctionOf):
            outer = [n for n in recipe.inputs if self.graph.is_passed_back(n)]
            return [(self._probe(recipe, value, name), name) for name in outer], 0.0
        found: list[tuple[Edge | None, Name]] = []
        penalty = 0.0
        for part in recipe.parts:
            outer = [n for n in part.factors if self.graph.is_passed_back(n)]
            local = [n for n in part.factors if n not in outer]
            factor = part.coefficient
            for n in local:
                factor *= self.graph.value(n)
            if not outer:
                penalty += factor
                continue
            (reader,) = outer
            after = self.graph.value_of(reader)
            way = None if after == value and factor == 1 else Edge(value, after, tuple(local), factor)
            found.append((way, reader))
        return found, penalty

    def _probe(self, recipe: FunctionOf, value: Name, reader: Name) -> Edge:
        """The factor of one gradient in a linear function of gradients (batch normalization): its effect alone."""
        from chainrule.explain.recipes import evaluate

        def alone(n: Name) -> float:
            return float(n == reader) if self.graph.is_passed_back(n) else self.graph.value(n)

        return Edge(value, self.graph.value_of(reader), (), evaluate(recipe, alone))

    def is_start(self, gradient: Name) -> bool:
        """Whether a gradient comes from a loss directly, so that a path ends here."""
        recipe, *others = self.graph.recipes(gradient)
        if not any(self.graph.is_passed_back(n) for n in recipe.inputs):
            return True
        if isinstance(recipe, FunctionOf) or not others:
            return False
        # saturated outputs: dL/dh is infinite and dh/dz 0; loss and activation together give their finite product
        return not all(math.isfinite(self.graph.value(n)) for n in recipe.inputs)

    def count(self, gradient: Name) -> int:
        """How many paths lead from a value to the loss."""
        if gradient not in self._counts:
            if self.is_start(gradient):
                self._counts[gradient] = 1
            else:
                self._counts[gradient] = sum(self.count(node) for _, node in self.entries(gradient)[0])
        return self._counts[gradient]

    def lengths(self, gradient: Name) -> int:
        """The number of factors of all paths together: each has the loss's own, and one for every edge."""
        if gradient not in self._lengths:
            if self.is_start(gradient):
                self._lengths[gradient] = 1
            else:
                self._lengths[gradient] = sum(self.length(edge, node) for edge, node in self.entries(gradient)[0])
        return self._lengths[gradient]

    def length(self, edge: Edge | None, node: Name) -> int:
        """The factors of all paths that go on over one edge; None is no factor."""
        return self.lengths(node) + (0 if edge is None else self.count(node))

    def tails(self, gradient: Name) -> list[Path]:
        """All paths from a value to the loss, the loss's own derivative first."""
        if gradient not in self._tails:
            if self.is_start(gradient):
                factor = self.graph.value(gradient)
                edge = Edge(self.graph.value_of(gradient), self.graph.end, (gradient,), factor)
                self._tails[gradient] = [Path((edge,), factor)]
            else:
                self._tails[gradient] = [
                    _join(edge, tail) for edge, node in self.entries(gradient)[0] for tail in self.tails(node)
                ]
        return self._tails[gradient]

    def reached(self, gradient: Name) -> list[Name]:
        """Every gradient on the way, itself included."""
        found: dict[Name, None] = {gradient: None}
        waiting = [gradient]
        while waiting:
            current = waiting.pop()
            if self.is_start(current):
                continue
            for _, node in self.entries(current)[0]:
                if node not in found:
                    found[node] = None
                    waiting.append(node)
        return sorted(found, key=self.graph.position)

    def memoized(self, gradient: Name) -> int:
        """Multiplications when each gradient on the way is computed once: one for every edge."""
        ways = [self.entries(name)[0] for name in self.reached(gradient) if not self.is_start(name)]
        return sum(edge is not None for way in ways for edge, _ in way)

    def kept(self, gradient: Name) -> int:
        """The gradients that are kept on the way, the last one not counted."""
        return len(self.reached(gradient)) - 1
