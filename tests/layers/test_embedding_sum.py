"""EmbeddingSum: exactly one-hot columns times W."""

from __future__ import annotations

import math

import numpy as np
import problems
import pytest

from chainrule import Adam, AdamW, Dense, EmbeddingSum, Input, Model, Network, OneHot
from chainrule.layers import Context


def test_forward_and_backward() -> None:
    layer, W = EmbeddingSum((3, 2), 2), np.arange(10.0).reshape(5, 2)
    z, memo, _ = layer.forward({"W": W}, {}, (np.array([[2, 1], [0, 1]], dtype="i4"),), Context())
    assert z.tolist() == [[12, 14], [8, 10]]
    (nothing,), gradients = layer.backward({"W": W}, memo, np.array([[1.0, 2], [10, 20]]))
    assert nothing is None
    assert gradients["W"].tolist() == [[10, 20], [0, 0], [1, 2], [0, 0], [11, 22]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [Adam(0.02), AdamW(0.02, weight_decay=0.1)], ids=["adam", "adamw"])
def test_it_is_a_dense_layer_over_one_hot_columns(optimizer: Adam, dtype: str, engine: str) -> None:
    rng = np.random.default_rng(0)
    codes, y = rng.integers(0, 50, (200, 3)), rng.normal(size=(200, 1))
    x = Input(3, dtype="integer", name="x")
    first = EmbeddingSum(50, 9, "zeros", name="first")(x), Dense(9, bias=False, name="first")(OneHot(50)(x))
    W = rng.normal(size=(150, 9)) / 3
    ends = []
    for z in first:
        network = Network(inputs=x, outputs=Dense(1, name="out", initializer="zeros")(z))
        model = Model(network, "squared_error", optimizer, dtype=dtype, engine=engine)
        model.set_parameters({"first": {"W": W}, "out": {"W": np.ones((9, 1))}})
        model.fit(codes, y, epochs=4, batch_size=16, progress=False)
        ends.append(problems.flat(model.parameters) | {"slots": model.training.slots})
    problems.assert_same(*ends, tolerance={"float32": 2e-4, "float64": 1e-11}[dtype])


def test_it_starts_as_a_dense_layer_over_as_many_numbers() -> None:
    network = Network([Input(4, dtype="integer"), EmbeddingSum(1000, 20, name="e"), Dense(1)])
    W = Model(network, "squared_error").parameters["e"]["W"]
    limit = math.sqrt(6 / 24)
    assert 0.99 * limit < np.abs(W).max() <= limit
    zeros = Network([Input(4, dtype="integer"), EmbeddingSum(1000, 20, "zeros", name="e"), Dense(1)])
    assert not Model(zeros, "squared_error").parameters["e"]["W"].any()


def test_threads_change_nothing() -> None:
    rng = np.random.default_rng(0)
    codes, y = rng.integers(0, 700, (600, 12)), rng.normal(size=(600, 1))
    ends = []
    for threads in (1, 2, 3):
        network = Network([Input(12, dtype="integer"), EmbeddingSum(700, 128), Dense(1)])
        model = Model(network, "squared_error", seed=3, threads=threads)
        model.fit(codes, y, epochs=3, batch_size=128, progress=False)
        ends.append(problems.flat(model.parameters))
    problems.assert_same(ends[0], ends[1])
    problems.assert_same(ends[0], ends[2])
