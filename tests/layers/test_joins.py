"""Add, Concatenate and Flatten: layers without parameters that join branches and turn rows into vectors."""

from __future__ import annotations

import numpy as np
import pytest
from finite_differences import check_layer

from chainrule import Add, Concatenate, Dense, Flatten, Input, Network, NetworkError
from chainrule.layers import Context


def test_add_sums_element_by_element() -> None:
    a, b, c = np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]]), np.array([[100.0, 200.0]])
    y, _, _ = Add().forward({}, {}, (a, b, c), Context())
    assert y.tolist() == [[111, 222]]


def test_concatenate_puts_units_side_by_side() -> None:
    y, _, _ = Concatenate().forward({}, {}, (np.array([[1.0, 2.0]]), np.array([[3.0]]), np.array([[4.0]])), Context())
    assert y.tolist() == [[1, 2, 3, 4]]


def test_flatten_lets_the_last_axis_run_fastest() -> None:
    y, _, _ = Flatten().forward({}, {}, (np.arange(12.0).reshape(2, 2, 3),), Context())
    assert y.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (Add(), ((3,), (3,))),
        (Add(), ((2, 2), (2, 2), (2, 2))),
        (Concatenate(), ((3,), (1,))),
        (Concatenate(), ((1,), (2,), (3,))),
        (Flatten(), ((2, 3),)),
        (Flatten(), ((4,),)),
        (Flatten(), ((2, 1, 2),)),
    ],
    ids=str,
)
def test_backward(layer: Add, shapes: tuple[tuple[int, ...], ...], rng: np.random.Generator) -> None:
    check_layer(layer, shapes, rng, Context())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda x: Add(name="a")(x, Dense(2)(x)),
            r'Add "a" reads rows of shapes \(\(3,\), \(2,\)\); they must all be the same',
        ),
        (lambda x: Add(name="a")(x), 'Add "a" reads two or more values; it was given 1'),
        (lambda x: Concatenate(name="c")(x), 'Concatenate "c" reads two or more values; it was given 1'),
        (lambda x: Dense(2, name="d")(x, x), r'Dense "d" reads 1 value\(s\); it was given 2'),
        (lambda x: Dense(2, name="d")(), r'Dense "d" reads 1 value\(s\); it was given 0'),
    ],
)
def test_what_can_be_joined(make: object, message: str) -> None:
    x = Input(3)
    with pytest.raises(NetworkError, match=message):
        Network(inputs=None, outputs=make(x))


def test_concatenate_takes_vectors() -> None:
    image = Input((2, 2))
    with pytest.raises(NetworkError, match=r'Concatenate "c" reads rows of shape \(2, 2\); it takes vectors'):
        Network(inputs=image, outputs=Concatenate(name="c")(image, Flatten()(image)))
