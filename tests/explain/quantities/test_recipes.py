"""Intervals of rounding: they hold everything that the sources could have been, and little else."""

from __future__ import annotations

import math
from itertools import product as corners

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.explain.quantities.recipes import SLACK, Spread, product, through

NUMBERS = st.floats(-100, 100)


@st.composite
def spreads(draw: st.DrawFn, numbers: st.SearchStrategy[float] = NUMBERS) -> Spread:
    low, point, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return draw(st.sampled_from([Spread(point, low, high), Spread.exact(point)]))


@given(coefficient=NUMBERS, factors=st.lists(spreads(), max_size=4))
def test_a_product_reaches_from_its_least_to_its_greatest_corner(coefficient: float, factors: list[Spread]) -> None:
    found = product(coefficient, factors)
    ends = [coefficient * math.prod(corner) for corner in corners(*((f.low, f.high) for f in factors))]
    scale = max(1.0, *map(abs, ends))
    assert math.isclose(found.low, min(ends), abs_tol=1e-12 * scale)
    assert math.isclose(found.high, max(ends), abs_tol=1e-12 * scale)
    assert math.isclose(found.point, coefficient * math.prod(f.point for f in factors), abs_tol=1e-12 * scale)


@given(spread=spreads(), radius=st.floats(0, 10))
def test_widening(spread: Spread, radius: float) -> None:
    wide = spread.widened(radius)
    assert wide.low <= spread.low <= spread.point <= spread.high <= wide.high
    assert math.isclose(wide.radius, spread.radius + radius, abs_tol=1e-12)
    assert math.isclose(Spread.around(spread.point, radius).radius, radius, abs_tol=1e-12)


FUNCTIONS = {  # monotone: their extremes are at the ends
    "exp": lambda p: np.exp(p[:, 0]),
    "sigmoid": lambda p: 1 / (1 + np.exp(-p[:, 0])),
    "cube": lambda p: p[:, 0] ** 3,
    "minus": lambda p: -p[:, 0],
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(source=spreads(st.floats(-5, 5)))
def test_a_function_of_one_number_reaches_over_its_values(name: str, source: Spread) -> None:
    function = FUNCTIONS[name]
    found = through(function, [source])
    at = function(np.array([[source.low], [source.point], [source.high]]))
    room = (SLACK - 1) * (at.max() - at.min()) + 1e-12 * max(1.0, np.abs(at).max())
    assert found.point == at[1]
    assert at.min() - room <= found.low <= at.min() + 1e-12 * max(1.0, abs(at.min()))
    assert at.max() - 1e-12 * max(1.0, abs(at.max())) <= found.high <= at.max() + room


@given(sources=st.lists(spreads(), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_a_linear_function_of_several_numbers_holds_every_choice(sources: list[Spread], seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(-2, 2, len(sources))
    found = through(lambda points: points @ weights, sources)
    for _ in range(20):
        chosen = np.array([rng.uniform(s.low, s.high) if s.high > s.low else s.point for s in sources])
        assert found.low - 1e-9 <= float(chosen @ weights) <= found.high + 1e-9


@given(first=spreads(st.floats(-3, 3)), second=spreads(st.floats(-3, 3)))
def test_softmax_of_two_numbers_holds_its_corners(first: Spread, second: Spread) -> None:
    def share(points: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(points[:, 1] - points[:, 0]))

    found = through(share, [first, second])
    least, greatest = share(np.array([[first.low, second.high], [first.high, second.low]]))
    assert found.low <= least + 1e-12
    assert found.high >= greatest - 1e-12


def test_what_is_certain_stays_certain() -> None:
    assert through(lambda points: points.sum(axis=1), [Spread.exact(1.0), Spread.exact(2.0)]) == Spread.exact(3.0)
    assert product(2.0, []) == Spread.exact(2.0)


def test_a_hill_inside_the_interval_is_seen() -> None:
    found = through(lambda points: -(points[:, 0] ** 2), [Spread(0.5, -1.0, 1.0)])
    assert found.high >= 0
    assert found.low <= -1
