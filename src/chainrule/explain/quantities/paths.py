"""Paths: a gradient as the sum, over all ways to the loss, of the product of the derivatives along each.

That sum is what the chain rule says; back-propagation finds the same number by going backward once and reusing every
`dL/d(value)`. Here both are done, and their multiplications counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Quantities

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
    places = {gradient: _place(graph, gradient)}
    waiting = [gradient]
    while waiting:
        for way in places[waiting.pop()].ways:
            if way.reader not in places:
                places[way.reader] = _place(graph, way.reader)
                waiting.append(way.reader)
    counts: dict[Name, int] = {}  # paths to the loss
    lengths: dict[Name, int] = {}  # factors of all of them: each has the loss's own, and one for every edge
    order = sorted(places, key=graph.position)  # from the loss on
    for each in order:
        ways = places[each].ways
        counts[each] = sum(counts[way.reader] for way in ways) + places[each].is_end
        inner = sum(lengths[way.reader] + (not way.alone) * counts[way.reader] for way in ways)
        lengths[each] = inner if ways else counts[each]
    tails: dict[Name, list[Path]] = {gradient: []}
    for each in order if counts[gradient] <= LIMIT else ():
        tails[each] = list(_tails(graph, each, places, tails))
    memoized = sum(not way.alone for place in places.values() for way in place.ways)
    return Paths(
        name, counts[gradient], tuple(tails[gradient]), lengths[gradient] - counts[gradient],
        memoized, len(places) - 1, graph.value(gradient), places[gradient].penalty,
    )  # fmt: skip


def _place(graph: Quantities, gradient: Name) -> _Place:
    """Where a gradient comes from: its recipe is a sum of (gradient of a reader) * (local factors)."""
    recipe, *others = graph.recipes(gradient)
    by = graph.value_of(gradient)
    if isinstance(recipe, FunctionOf):
        return _Place(by, tuple(_Way(n, linear=recipe) for n in recipe.outer), is_end=not recipe.outer)
    # saturated outputs: dL/dh is infinite and dh/dz 0; loss and activation together give their finite product
    saturated = others and not all(math.isfinite(graph.value(n)) for n in recipe.outer)
    if saturated or not recipe.outer:
        return _Place(by, is_end=bool(recipe.parts))  # an empty sum: no loss depends on the value
    ways, penalty = [], 0.0
    for part in recipe.parts:
        if part.outer is None:
            penalty += part.coefficient * math.prod(map(graph.value, part.factors))
            continue
        local = tuple(n for n in part.factors if n != part.outer)
        alone = not local and part.coefficient == 1 and graph.value_of(part.outer) == by
        ways.append(_Way(part.outer, local, part.coefficient, alone=alone))
    return _Place(by, tuple(ways), penalty=penalty)


def _tails(
    graph: Quantities, gradient: Name, places: Mapping[Name, _Place], tails: Mapping[Name, list[Path]]
) -> Iterator[Path]:
    """All paths from a value to the loss, the loss's own derivative first."""
    by, ways, is_end, _ = places[gradient]
    if is_end:
        factor = graph.value(gradient)
        yield Path((Edge(by, graph.end, (gradient,), factor),), factor)
    for way in ways:
        if way.alone:
            yield from tails[way.reader]
            continue
        edge = Edge(by, places[way.reader].by, way.local, _factor(graph, way))
        for tail in tails[way.reader]:
            yield Path((*tail.edges, edge), tail.product * edge.factor)


def _factor(graph: Quantities, way: _Way) -> float:
    if way.linear is None:
        return way.coefficient * math.prod(map(graph.value, way.local))
    outer = way.linear.outer  # batch normalization: the effect of one gradient alone
    return way.linear.value(lambda n: float(n == way.reader) if n in outer else graph.value(n))


def main_path(graph: Quantities, name: Name, row: int | None = None) -> Path:
    """The path to the loss that takes, at every fork, the way that contributes most to the gradient; in one row or any.

    It costs as much as it is long, however many others there are; of no edges where no loss depends on the quantity.
    """
    gradient, edges = graph.gradient_of(name), list[Edge]()
    while not (place := _place(graph, gradient)).is_end:
        ways = [way for way in place.ways if row is None or way.reader.row in (None, row)]
        if not ways:
            return Path((), 0.0)
        way = max(ways, key=lambda way: _size(_factor(graph, way) * graph.value(way.reader)))
        if not way.alone:
            edges.append(Edge(place.by, graph.value_of(way.reader), way.local, _factor(graph, way)))
        gradient = way.reader
    edges.append(Edge(place.by, graph.end, (gradient,), graph.value(gradient)))
    return Path(tuple(reversed(edges)), math.prod(edge.factor for edge in edges))


def _size(number: float) -> float:
    return 0.0 if math.isnan(number) else abs(number)
