"""Scale: a factor for each unit, with rates and decay of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest
from finite_differences import check_layer

from chainrule import SGD, AdamW, Dense, Input, InputError, Model, Network, NetworkError, Scale
from chainrule.layers import Context


def test_forward_multiplies_unit_by_unit() -> None:
    y, _, _ = Scale().forward({"scale": np.array([2.0, -3.0])}, {}, (np.array([[1.0, 10.0], [4.0, 5.0]]),), Context())
    assert y.tolist() == [[2, -30], [8, -15]]


def test_backward(rng: np.random.Generator) -> None:
    check_layer(Scale(), ((4,),), rng, Context())


def test_it_starts_as_the_identity_and_counts_as_scales(engine: str) -> None:
    network = Network([Input(3), Scale(name="s"), Dense(2, name="d")])
    model = Model(network, "squared_error", engine=engine)
    assert model.parameters["s"]["scale"].tolist() == [1, 1, 1]
    assert [(layer.name, layer.total, layer.scales) for layer in network.count().layers] == [("s", 3, 3), ("d", 8, 0)]
    X = np.ones((2, 3), dtype="f4")
    plain = X @ model.parameters["d"]["W"] + model.parameters["d"]["b"]
    np.testing.assert_allclose(model.predict(X), plain, rtol=1e-6)


def test_an_update_by_hand(engine: str) -> None:
    """y = 3 w x, target 0, x = 2, w = 1: L = 36, dL/dw = 2 * 6 * 6 = 72."""
    network = Network([Input(1), Scale(rate_factor=0.5, name="s"), Dense(1, bias=False, trainable=False, name="d")])
    model = Model(network, "squared_error", SGD(0.001), dtype="float64", engine=engine)
    model.set_parameters({"d": {"W": [[3.0]]}})
    loss, gradients = model.loss_and_gradients([[2.0]], [0.0])
    assert (loss, gradients["s"]["scale"].tolist()) == (36, [72])
    model.fit([[2.0]], [0.0], epochs=1, progress=False)
    np.testing.assert_allclose(model.parameters["s"]["scale"], [1 - 0.0005 * 72], rtol=1e-15)


def test_no_decay_for_the_factors(engine: str) -> None:
    """A gradient of zero leaves only the decay."""
    network = Network([Input(2), Scale(decay_factor=0.0, name="s"), Dense(1, name="d")])
    model = Model(network, "squared_error", AdamW(0.1, weight_decay=0.5), dtype="float64", engine=engine)
    before = problems.flat(model.parameters)
    model.set_parameters({"d": {"b": [0.25]}})
    model.fit(np.zeros((4, 2)), np.full((4, 1), 0.25), epochs=1, progress=False)
    after = model.parameters
    assert after["s"]["scale"].tolist() == [1, 1]
    np.testing.assert_allclose(after["d"]["W"], before["d/W"] * (1 - 0.1 * 0.5), rtol=1e-15)


def test_a_frozen_one_stays(engine: str) -> None:
    model = Model(Network([Input(2), Scale(trainable=False, name="s"), Dense(1)]), "squared_error", engine=engine)
    model.fit(*problems.regression(8, 2), epochs=2, progress=False)
    assert model.parameters["s"]["scale"].tolist() == [1, 1]


@pytest.mark.parametrize("options", [{"rate_factor": -1}, {"decay_factor": float("nan")}, {"rate_factor": "fast"}])
def test_fields_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"Scale: (rate|decay)_factor is .*; it must be a number of at least 0"):
        Scale(**options)


def test_rows_must_be_vectors() -> None:
    with pytest.raises(NetworkError, match=r'Scale "s" reads rows of shape \(2, 2\)'):
        Network([Input((2, 2)), Scale(name="s")])
