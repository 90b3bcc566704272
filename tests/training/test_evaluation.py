"""Evaluation: the loss as in prediction, metrics by head."""

from __future__ import annotations

import numpy as np
import problems
import pytest

from chainrule import BatchNorm, Dense, Dropout, Input, Model, Network


def two_heads(engine: str) -> Model:
    h = Dense(4, activation="tanh", name="h")(Input(3))
    network = Network(outputs={"age": Dense(1, name="age")(h), "mood": Dense(3, activation="softmax", name="mood")(h)})
    return Model(
        network,
        {"age": "squared_error", "mood": "cross_entropy"},
        metrics={"age": ["r2", "mean_absolute_error"], "mood": ["accuracy"]},
        dtype="float64",
        engine=engine,
    )


def test_metrics_are_called_by_their_head(engine: str) -> None:
    model = two_heads(engine)
    X, labels = problems.classes(30)
    age = X[:, 0] + 40
    found = model.evaluate(X, {"age": age, "mood": labels})
    out = model.predict(X)
    by_head = {"age_loss", "age_r2", "age_mean_absolute_error", "mood_loss", "mood_accuracy"}
    assert set(found) == {"loss", *by_head}
    assert found["mood_accuracy"] == np.mean(out["mood"].argmax(axis=1) == labels)
    assert found["age_mean_absolute_error"] == pytest.approx(np.abs(out["age"][:, 0] - age).mean())
    history = model.fit(X, {"age": age, "mood": labels}, epochs=1)
    assert history["mood_accuracy"] == [model.evaluate(X, {"age": age, "mood": labels})["mood_accuracy"]]


def test_several_yes_or_no_outputs_must_all_be_right(engine: str) -> None:
    network = Network.mlp(2, [], 2, output="sigmoid")
    model = Model(network, "binary_cross_entropy", metrics=["accuracy"], dtype="float64", engine=engine)
    model.set_parameters({"output": {"W": [[9.0, 0.0], [0.0, 9.0]], "b": [0.0, 0.0]}})
    X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
    y = (X > 0).astype(float)
    assert model.evaluate(X, y)["accuracy"] == 1.0  # the greater of two answers says nothing where both are yes
    y[3] = [1, 1]
    assert model.evaluate(X, y)["accuracy"] == 0.75


def test_the_loss_is_that_of_prediction(engine: str) -> None:
    """No dropout, running statistics: exactly the loss of what `predict` says."""
    network = Network([Input(3), Dense(5, activation="tanh"), BatchNorm(), Dropout(0.5), Dense(1)])
    model = Model(network, "squared_error", dtype="float64", engine=engine)
    X, y = problems.regression(30, 3)
    model.fit(X, y, epochs=3)
    assert model.evaluate(X, y)["loss"] == pytest.approx(((model.predict(X) - y) ** 2).sum(axis=1).mean(), rel=1e-13)


def test_weights_enter_loss_and_metrics(engine: str) -> None:
    model = Model(Network.mlp(3, [4], 1), "squared_error", metrics=["r2"], dtype="float64", engine=engine)
    X, y = problems.regression(30, 3)
    w = np.repeat([1.0, 0.0], 15)
    assert model.evaluate(X, y, w) == pytest.approx(model.evaluate(X[:15], y[:15]), rel=1e-12)
