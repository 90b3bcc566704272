"""The helper that takes the place of products: nothing is left out, and little is there twice."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairwise import pairwise


@given(sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5))
def test_every_pair_is_there(sizes: list[int]) -> None:
    factors = [[f"{i}.{j}" for j in range(size)] for i, size in enumerate(sizes)]
    rows = pairwise(*factors)
    for i, j in combinations(range(len(factors)), 2):
        assert {(row[i], row[j]) for row in rows} == set(product(factors[i], factors[j]))
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(("sizes", "rows"), [((7, 14, 10), 140), ((2, 84, 2), 168), ((6, 5, 3), 30)])
def test_no_more_rows_than_the_two_largest_factors_need(sizes: tuple[int, ...], rows: int) -> None:
    assert len(pairwise(*map(range, sizes))) == rows
