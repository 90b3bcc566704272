"""Mix: a learned place between two values; values, gradients and steps worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from finite_differences import check_layer

from chainrule import SGD, Activation, Dense, Input, InputError, Mix, Model, Network, NetworkError
from chainrule.layers import Context


def gated(**options: object) -> Network:
    x = Input(2, name="x")
    return Network(inputs=x, outputs=Dense(1, bias=False, name="d")(Mix(**options, name="m")(x, Activation("relu")(x))))


def test_between_two_values() -> None:
    a, b = np.array([[0.0, 4.0, 1.0]]), np.array([[8.0, 8.0, 1.0]])
    y, _, _ = Mix().forward({"mix": np.array([0.0, 0.25, 3.0])}, {}, (a, b), Context())
    assert y.tolist() == [[0, 5, 1]]


def test_backward(rng: np.random.Generator) -> None:
    check_layer(Mix(), ((4,), (4,)), rng, Context())


def test_a_step_by_hand(engine: str) -> None:
    """x = (-2, 3), relu (0, 3), mix (1/2, 1): y = (-1, 3); W = (4, 1): o = -1, L = 1/2 (o - 1)^2, dL/do = -2.

    dL/dy = (-8, -2); dL/dmix = (-8 * 2, 0); at a rate factor of 1/4 a step of 0.1 adds 0.4 to the first.
    """
    model = Model(gated(rate_factor=0.25), "half_squared_error", SGD(0.1), dtype="float64", engine=engine)
    model.set_parameters({"m": {"mix": [0.5, 1.0]}, "d": {"W": [[4.0], [1.0]]}})
    loss, gradients = model.loss_and_gradients([[-2.0, 3.0]], [1.0])
    assert (loss, gradients["m"]["mix"].tolist()) == (2, [-16, 0])
    model.fit([[-2.0, 3.0]], [1.0], epochs=1, progress=False)
    np.testing.assert_allclose(model.parameters["m"]["mix"], [0.9, 1.0], rtol=1e-15)


def test_it_is_explained_as_a_sum_of_products() -> None:
    model = Model(gated(), "half_squared_error", SGD(0.1), dtype="float64")
    model.set_parameters({"m": {"mix": [0.5, 1.0]}, "d": {"W": [[4.0], [1.0]]}})
    work = model.explain([-2.0, 3.0], 1.0)
    assert work["h[m,1]"].value == -1
    assert "mix[m,1]" in str(work["h[m,1]"])
    assert work["dL/dmix[m,1]"].value == -16
    assert work["dL/dx[1]"].value == pytest.approx(-8 * 0.5)
    assert work["dL/dx[2]"].value == pytest.approx(-2)


def test_one_value_twice(engine: str) -> None:
    """y = x whatever the mix is, and so is the gradient."""
    first = Dense(3, name="a")(x := Input(2, name="x"))
    model = Model(
        Network(inputs=x, outputs=Mix(name="m")(first, first)), "squared_error", dtype="float64", engine=engine
    )
    plain = Model(Network(inputs=x, outputs=first), "squared_error", dtype="float64", engine=engine)
    model.set_parameters({"m": {"mix": [0.5, 2.0, -1.0]}})
    plain.set_parameters({"a": model.parameters["a"]})
    X, y = np.ones((4, 2)), np.zeros((4, 3))
    ours, theirs = (each.loss_and_gradients(X, y)[1] for each in (model, plain))
    np.testing.assert_allclose(ours["a"]["W"], theirs["a"]["W"], rtol=1e-14)
    assert not ours["m"]["mix"].any()


def test_rows_must_be_alike_and_vectors() -> None:
    x = Input(3, name="x")
    with pytest.raises(NetworkError, match=r'Mix "m" reads rows of shapes \(\(3,\), \(2,\)\); they must be the same'):
        Network(inputs=x, outputs=Mix(name="m")(x, Dense(2)(x)))
    with pytest.raises(NetworkError, match=r"reads 2 value\(s\); it was given 1"):
        Network(inputs=x, outputs=Mix(name="m")(x))
    with pytest.raises(InputError, match="Mix: rate_factor is -1; it must be a number of at least 0"):
        Mix(rate_factor=-1)
