"""The gradient of an output by the inputs, held against differences of the model's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import (
    BatchNorm,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputError,
    Model,
    Network,
    TrainingError,
)  # fmt: skip


def network(output: str = "softmax") -> Network:
    layers = [
        Input((3, 4)),
        Flatten(),
        Dense(7, activation="tanh"),
        BatchNorm(),
        Dropout(0.3),
        Dense(5, activation="silu"),
    ]
    return Network([*layers, Dense(3, activation=output)])


def differences(model: Model, X: np.ndarray, k: int, by_probability: bool) -> np.ndarray:
    """By central differences of what the model answers; of log-odds up to a constant where it answers probabilities."""
    gradient, step = np.zeros_like(X), 1e-5
    for place in np.ndindex(X.shape[1:]):
        ends = []
        for side in (1, -1):
            moved = X.copy()
            moved[(slice(None), *place)] += side * step
            answer = model.predict(moved)
            ends.append(np.log(answer) if by_probability else answer)
        gradient[(slice(None), *place)] = ((ends[0] - ends[1]) / (2 * step))[:, k]
    return gradient


@pytest.mark.parametrize("members", [1, 3])
def test_of_outputs_it_is_what_differences_say(engine: str, members: int, rng: np.random.Generator) -> None:
    model = Model.ensemble(network("linear"), "squared_error", members=members, dtype="float64", engine=engine)
    X = rng.normal(size=(6, 3, 4))
    model.fit(X, rng.normal(size=(6, 3)), epochs=3, batch_size=6)
    for k in range(3):
        np.testing.assert_allclose(model.saliency(X, k), differences(model, X, k, False), rtol=1e-6, atol=1e-9)


def test_of_classes_it_is_of_the_score_before_softmax(engine: str, rng: np.random.Generator) -> None:
    """`d log p_k / dx = dz_k/dx - sum_j p_j dz_j/dx`."""
    model = Model(network(), "cross_entropy", dtype="float64", engine=engine)
    X = rng.normal(size=(5, 3, 4))
    model.fit(X, [0, 1, 2, 0, 1], epochs=5, batch_size=5)
    scores, p = [model.saliency(X, k) for k in range(3)], model.predict(X)
    mean = sum(p[:, j, None, None] * scores[j] for j in range(3))
    for k in range(3):
        np.testing.assert_allclose(scores[k] - mean, differences(model, X, k, True), rtol=1e-6, atol=1e-9)


def test_where_the_network_is_sure_it_doesnt_vanish(engine: str) -> None:
    model = Model(Network.mlp(2, [], 2, output="softmax"), "cross_entropy", engine=engine)
    model.set_parameters({"output": {"W": [[900.0, 0], [0, 900]], "b": [0, 0]}})
    assert model.predict([[1.0, 0.0]]).tolist() == [[1, 0]]
    assert model.saliency([[1.0, 0.0]]).tolist() == [[900, 0]]


def test_the_answer_of_each_row_unless_somebody_says(rng: np.random.Generator) -> None:
    model = Model(network(), "cross_entropy")
    X = rng.normal(size=(20, 3, 4)).astype("float32")
    best = model.predict(X).argmax(axis=1)
    np.testing.assert_array_equal(model.saliency(X), model.saliency(X, best))
    np.testing.assert_allclose(model.saliency(X, 2)[:3], model.saliency(X[:3], [2, 2, 2]), rtol=1e-5, atol=1e-7)


def test_several_inputs_and_heads(engine: str) -> None:
    x, code = Input(2, name="x"), Input(1, dtype="integer", name="code")
    both = Concatenate()(Dense(3, name="d")(x), Embedding(4, 2)(code))
    heads = {"a": Dense(2)(both), "b": Dense(1)(both)}
    model = Model(Network(inputs=[x, code], outputs=heads), {"a": "squared_error", "b": "huber"}, engine=engine)
    rows = {"x": np.ones((3, 2)), "code": np.array([[0], [1], [3]])}
    found = model.saliency(rows, 1, head="a")
    assert list(found) == ["x"]
    W = model.parameters["d"]["W"] @ model.parameters[model.network.outputs["a"]]["W"][:3]
    np.testing.assert_allclose(found["x"], np.tile(W[:, 1], (3, 1)), rtol=1e-6)
    with pytest.raises(InputError, match="head is None; the network has a, b"):
        model.saliency(rows)


@pytest.mark.parametrize("output", [3, -1, [0, 1], 0.5, "cat", [[0]]], ids=str)
def test_an_output_that_isnt_there(output: Any) -> None:
    model = Model(network(), "cross_entropy")
    with pytest.raises(InputError, match="output is"):
        model.saliency(np.zeros((5, 3, 4)), output)


def test_codes_have_no_derivative() -> None:
    code = Input(1, dtype="integer", name="code")
    model = Model(Network(inputs=code, outputs=Dense(1)(Embedding(4, 2)(code))), "squared_error")
    with pytest.raises(InputError, match="no derivative by a code"):
        model.saliency(np.array([[1]]))


def test_a_spoilt_model() -> None:
    model = Model(Network.mlp(2, [], 1), "squared_error")
    model.set_parameters({"output": {"b": [np.inf]}})
    with pytest.raises(TrainingError, match="NaN or infinite"):
        model.saliency([[1.0, 2.0]])
