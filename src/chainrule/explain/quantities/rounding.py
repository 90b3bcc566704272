"""What rounding can do: a number with the interval that it may lie in, carried through sums, products and functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from chainrule.arrays import Array, Doubles

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
