"""Input: shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import Dense, Input, Network, NetworkError


@pytest.mark.parametrize(
    ("given", "shape"),
    [(4, (4,)), ((28, 28), (28, 28)), ([2, 3], (2, 3)), (np.int64(4), (4,)), ((np.int64(2), 3), (2, 3))],
)
def test_shapes(given: Any, shape: tuple[int, ...]) -> None:
    """`X.shape[1]` is a plain number, but `y.max() + 1` and many others are NumPy's."""
    layer = Input(given)
    assert layer.shape == shape
    assert all(type(n) is int for n in layer.shape)
    assert layer.output_shape(()) == shape


@pytest.mark.parametrize("shape", [0, -1, (), (3, 0), (2.5,), True, "4", 4.0, None])
def test_shapes_that_are_none(shape: Any) -> None:
    with pytest.raises(NetworkError, match=r"Input: shape is .*; it must be a whole number of at least 1, or several"):
        Input(shape)


def test_an_input_stands_first() -> None:
    with pytest.raises(NetworkError, match="a chain has one Input, at its beginning"):
        Network([Input(4), Dense(3), Input(3), Dense(1)])
