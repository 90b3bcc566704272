"""Embedding: each code as a learned row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import Dense, Embedding, Input, InputError, Model, Network
from chainrule.layers import Context


def test_forward_and_backward() -> None:
    layer, W = Embedding((3, 2), 2), np.arange(10.0).reshape(5, 2)
    y, memo, _ = layer.forward({"W": W}, {}, (np.array([[2, 1], [0, 1]], dtype="i4"),), Context())
    assert y.tolist() == [[4, 5, 8, 9], [0, 1, 8, 9]]
    (nothing,), gradients = layer.backward({"W": W}, memo, np.array([[1.0, 2, 3, 4], [10, 20, 30, 40]]))
    assert nothing is None
    assert gradients["W"].tolist() == [[10, 20], [0, 0], [1, 2], [0, 0], [33, 44]]


def test_rows_start_about_as_long_as_one_hot_ones() -> None:
    model = Model(Network([Input(1, dtype="integer"), Embedding(2000, 16, name="e"), Dense(1)]), "squared_error")
    lengths = np.linalg.norm(model.parameters["e"]["W"], axis=1)
    assert abs(lengths.mean() - 1) < 0.05
    count = model.network.count()
    assert (count.layers[0].total, count.layers[0].weights) == (32000, 32000)


def test_codes_of_one_category_become_neighbours(engine: str) -> None:
    """Two codes that mean the same learn the same."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 8, (400, 1))
    network = Network([Input(1, dtype="integer"), Embedding(8, 3, name="e"), Dense(1)])
    model = Model(network, "squared_error", dtype="float64", engine=engine)
    model.fit(codes, np.sin(codes // 2), epochs=200, progress=False)
    predicted = model.predict(np.arange(8)[:, None]).ravel()
    np.testing.assert_allclose(predicted, np.sin(np.arange(8) // 2), atol=0.05)


@pytest.mark.parametrize("options", [{"dimension": 0}, {"dimension": 2, "rate_factor": -1}, {"dimension": 2, "l2": -1}])
def test_fields_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"Embedding: (dimension|rate_factor|l2) is .*; it must be a"):
        Embedding(3, **options)
