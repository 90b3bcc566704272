"""Networks and numbers as they are typed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import InputError
from chainrule.cli.shapes import is_shape, rows_of, sizes


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=6), st.sampled_from("-,"))
def test_sizes_read_back(layers: list[int], between: str) -> None:
    text = between.join(map(str, layers))
    assert is_shape(text)
    assert sizes(text) == layers


@given(st.integers(1, 4), st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=1, max_size=4))
def test_rows_read_back(width: int, rows: list[list[float]]) -> None:
    rows = [row[:width] for row in rows]
    text = "; ".join(", ".join(map(repr, row)) for row in rows)
    np.testing.assert_array_equal(rows_of("--x", text, width, "input"), rows)


@pytest.mark.parametrize("text", ["sheet.toml", "2-2-1.toml", "2", "-1-2", "model-2-2", ""])
def test_what_is_no_shape(text: str) -> None:
    assert not is_shape(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2", r"--y has 2 numbers; 1 class would be right"),
        ("1;2,3", r"--y has 2 numbers in row 2; 1 class would be right"),
        ("", "must be numbers with commas"),
        ("1;;2", "must be numbers with commas"),
        ("inf", "must be finite"),
    ],
)
def test_rows_that_cant_be_used(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rows_of("--y", text, 1, "class")
