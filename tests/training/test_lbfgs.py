"""L-BFGS: the optimum of convex problems, iterations as epochs, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from chainrule import (
    LBFGS,
    BatchNorm,
    Callback,
    ConvergedWeights,
    Dense,
    DivergenceError,
    Dropout,
    EarlyStopping,
    Input,
    LossBelow,
    Model,
    Network,
    TrainingError,
)  # fmt: skip

EXACT = LBFGS(gradient_tolerance=1e-10, loss_tolerance=0.0)


def flat_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max())


@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_is_scikit_learns(n_classes: int, C: float, engine: str) -> None:
    """It minimizes `C sum L + |W|^2 / 2`, we `sum L / n + l2 |W|^2`: the same optimum at `l2 = 1 / (2 C n)`.

    The objective is strongly convex in W with 2 l2, so a gradient of norm g leaves W within g / (2 l2) of the optimum:
    with theirs at 1e-8 (divided by C n) and ours at 1e-10 below 1e-7 for C = 10, n = 60.
    """
    X, y = problems.classes(60, n_classes=n_classes)
    theirs = LogisticRegression(C=C, tol=1e-8, max_iter=10_000).fit(X, y)
    binary = n_classes == 2
    network = Network.mlp(3, [], 1 if binary else 3, output="sigmoid" if binary else "softmax")
    loss = "binary_cross_entropy" if binary else "cross_entropy"
    model = Model(network, loss, EXACT, l2=1 / (2 * C * 60), dtype="float64", engine=engine)
    history = model.fit(X, y, epochs=1000)
    assert history.stopped_by.startswith("L-BFGS: ")
    W, b = model.parameters["output"]["W"], model.parameters["output"]["b"]
    assert flat_error(W.T, theirs.coef_) < 1e-6
    # a constant added to all logits changes nothing: intercepts are compared around their mean
    offset = 0 if binary else b.mean() - theirs.intercept_.mean()
    assert flat_error(b - offset, theirs.intercept_) < 1e-6
    probabilities = model.predict(X)
    expected = theirs.predict_proba(X)[:, 1:] if binary else theirs.predict_proba(X)
    assert flat_error(probabilities, expected) < 1e-6


def test_ridge_regression_is_solved(engine: str) -> None:
    X, y = problems.regression(30, 3)
    theirs = Ridge(alpha=0.6).fit(X, y[:, 0])  # sum of squares + alpha |W|^2
    model = Model(Network.mlp(3, [], 1), "squared_error", EXACT, l2=0.6 / 30, dtype="float64", engine=engine)
    model.fit(X, y, epochs=500)
    assert flat_error(model.parameters["output"]["W"][:, 0], theirs.coef_) < 1e-8
    assert flat_error(model.parameters["output"]["b"], np.array([theirs.intercept_])) < 1e-8


def test_an_epoch_is_an_iteration(engine: str) -> None:
    X, y = problems.regression(30, 3)
    seen = []
    model = Model(Network.mlp(3, [6], 1, activation="tanh"), "squared_error", "lbfgs", dtype="float64", engine=engine)
    history = model.fit(X, y, epochs=7, callbacks=lambda record: seen.append(model.evaluate(X, y)["loss"]))
    assert history.stopped_by == "epochs"
    assert [record.epoch for record in history] == [record.step for record in history] == [1, 2, 3, 4, 5, 6, 7]
    assert history["loss"] == pytest.approx(seen, rel=1e-12)
    assert all(a > b for a, b in zip(history["loss"], history["loss"][1:], strict=False))


def test_it_stops_by_itself(engine: str) -> None:
    X, y = problems.regression(30, 3)
    model = Model(Network.mlp(3, [], 1), "squared_error", "lbfgs", dtype="float64", engine=engine)
    history = model.fit(X, y, epochs=1000)
    assert len(history) < 100
    assert history.stopped_by.startswith("L-BFGS: convergence")


class StopAt(Callback):
    def on_epoch(self, run: Any, record: Any) -> bool:
        return record.epoch == 3


@pytest.mark.parametrize(
    ("options", "epochs", "reason"),
    [
        ({"callbacks": StopAt()}, 3, "a callback"),
        ({"stop": LossBelow(1e9)}, 1, "loss "),
        ({"stop": ConvergedWeights(1e9)}, 1, "the weights converged"),
    ],
)
def test_rules_and_callbacks_stop_it(options: dict[str, Any], epochs: int, reason: str, engine: str) -> None:
    X, y = problems.regression(30, 3)
    model = Model(Network.mlp(3, [6], 1, activation="tanh"), "squared_error", "lbfgs", dtype="float64", engine=engine)
    history = model.fit(X, y, epochs=50, **options)
    assert len(history) == epochs
    assert history.stopped_by.startswith(reason)


def test_early_stopping_restores_the_best_iteration(engine: str) -> None:
    X, y = problems.regression(40, 3)
    model = Model(Network.mlp(3, [30], 1, activation="tanh"), "squared_error", "lbfgs", dtype="float64", engine=engine)
    y = y + np.random.default_rng(0).normal(size=y.shape)  # noise, to be learned by heart
    history = model.fit(X[:15], y[:15], epochs=300, validation=(X[15:], y[15:]), stop=EarlyStopping(patience=5))
    losses = history["validation_loss"]
    assert history.best_epoch == int(np.argmin(losses)) + 1 < len(history)
    assert model.evaluate(X[15:], y[15:])["loss"] == min(losses)


def test_frozen_layers_and_batch_normalization(engine: str) -> None:
    network = Network([Input(3), Dense(5, activation="tanh", trainable=False, name="a"), BatchNorm(name="n"), Dense(1)])
    model = Model(network, "squared_error", "lbfgs", dtype="float64", engine=engine)
    before = problems.flat(model.parameters)
    X, y = problems.regression(30, 3)
    history = model.fit(X, y, epochs=30)
    assert history.last.loss < history.epochs[0].loss
    np.testing.assert_array_equal(model.parameters["a"]["W"], before["a/W"])
    assert (model.state["n"]["mean"] != 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_row_weights_count(dtype: str, engine: str) -> None:
    """Rows of weight 0 are not there."""
    X, y = problems.regression(30, 3)
    w = (np.arange(30) < 20).astype(float)
    models = [Model(Network.mlp(3, [], 1), "squared_error", "lbfgs", dtype=dtype, engine=engine) for _ in range(2)]
    models[0].fit(X, y, epochs=100, sample_weight=w)
    models[1].fit(X[:20], y[:20], epochs=100)
    tolerance = 1e-6 if dtype == "float64" else 1e-3
    problems.assert_same(problems.flat(models[0].parameters), problems.flat(models[1].parameters), tolerance)


def test_dropout_is_refused_with_the_reason() -> None:
    network = Network([Input(3), Dense(4), Dropout(0.5, name="noise"), Dense(1)])
    model = Model(network, "squared_error", "lbfgs")
    before = problems.flat(model.parameters)
    with pytest.raises(
        TrainingError, match=r'L-BFGS refuses dropout \(layer "noise"\).*a new random mask.*Train with Adam'
    ):
        model.fit(*problems.regression(10, 3))
    problems.assert_same(problems.flat(model.parameters), before)


def test_a_loss_that_isnt_finite_from_the_start(engine: str) -> None:
    model = Model(Network.mlp(3, [], 1), "squared_error", "lbfgs", dtype="float64", engine=engine)
    model.set_parameters({"output": {"W": np.full((3, 1), 1e200)}})
    with pytest.raises(DivergenceError, match="epoch 1, step 1"):
        model.fit(*problems.regression(10, 3))


def test_it_can_go_on(engine: str) -> None:
    """Its memory of past steps is not kept, so a resumed run is not the same to the bit; it goes down all the same."""
    X, y = problems.regression(30, 3)
    model = Model(Network.mlp(3, [6], 1, activation="tanh"), "squared_error", "lbfgs", dtype="float64", engine=engine)
    model.fit(X, y, epochs=5)
    history = model.fit(X, y, epochs=12, resume=True)
    assert [record.epoch for record in history] == list(range(1, 13))
    assert all(a > b for a, b in zip(history["loss"], history["loss"][1:], strict=False))
