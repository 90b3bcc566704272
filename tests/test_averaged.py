"""The mean of several networks as one network: its numbers, its gradients, and its derivation."""

from __future__ import annotations

import numpy as np
import problems
import pytest

import chainrule as cr

X, Y = problems.regression(20, 3)
LABELS = (Y.ravel() > 0).astype(int)
CASES = {
    "numbers": (cr.Network.mlp(3, [4], 1, activation="tanh"), "squared_error", Y),
    "yes or no": (cr.Network.mlp(3, [4], 1, activation="tanh", output="sigmoid"), "binary_cross_entropy", LABELS),
    "classes": (cr.Network.mlp(3, [4, 3], 2, activation="tanh", output="softmax"), "cross_entropy", LABELS),
    "normalized": (cr.Network.mlp(3, [4], 1, activation="tanh", batch_norm=True, dropout=0.2), "huber", Y),
}


@pytest.fixture(params=CASES)
def ensemble(request: pytest.FixtureRequest, engine: str) -> cr.Model:
    network, loss, targets = CASES[request.param]
    model = cr.Model.ensemble(network, loss, members=3, dtype="float64", engine=engine)
    model.fit(X, targets, epochs=3)
    model.targets = targets  # type: ignore[attr-defined]
    return model


def test_it_says_what_the_ensemble_says(ensemble: cr.Model) -> None:
    np.testing.assert_allclose(ensemble.member("mean").predict(X), ensemble.predict(X), rtol=1e-12)


def test_its_gradients_are_those_of_the_loss_of_the_mean(ensemble: cr.Model) -> None:
    """A weight's, held against differences of the loss of the ensemble's own predictions."""
    targets = ensemble.targets  # type: ignore[attr-defined]
    mean = ensemble.member("mean")
    loss, gradients = mean.loss_and_gradients(X, targets)
    head = ensemble.objective.heads[0]
    prepared = head.loss.prepare(targets, head.outputs, np.dtype("float64"), "output")

    def of_ensemble() -> float:
        return float(head.loss.rows(prepared, ensemble.predict(X)).mean())

    assert loss == pytest.approx(of_ensemble())
    layer = next(layer.name for layer in ensemble.network.layers if layer.name.startswith("hidden"))
    for member in range(3):
        weight = ensemble.network.layout.named(ensemble.training.parameters[member])[layer]["W"]
        at, step = (1, 2), 1e-6
        weight[at] += step
        above = of_ensemble()
        weight[at] -= 2 * step
        below = of_ensemble()
        weight[at] += step
        assert gradients[f"{layer}_{member + 1}"]["W"][at] == pytest.approx((above - below) / (2 * step), abs=1e-7)


def test_its_derivation_has_every_member(ensemble: cr.Model) -> None:
    targets = ensemble.targets  # type: ignore[attr-defined]
    mean = ensemble.member("mean")
    work = mean.explain(X[:1], targets[:1])
    assert work.loss == pytest.approx(mean.evaluate(X[:1], targets[:1])["loss"])
    each = [work[f"h[output_{i},1]"].value for i in (1, 2, 3)]
    assert work["h[output,1]"].value == pytest.approx(np.mean(each))
    assert work["scale[output,1]"].value == pytest.approx(1 / 3)


def test_several_heads_and_inputs() -> None:
    a, b = cr.Input(3, name="a"), cr.Input(1, name="b")
    both = cr.Concatenate(name="both")(a, b)
    h = cr.Dense(4, activation="tanh", name="h")(both)
    network = cr.Network(inputs=[a, b], outputs={"y": cr.Dense(1, name="y")(h), "z": cr.Dense(2, name="last")(h)})
    model = cr.Model.ensemble(network, {"y": "mse", "z": "huber"}, members=2)
    rows = {"a": X, "b": Y.reshape(-1, 1)}
    said, mean = model.predict(rows), model.member("mean").predict(rows)
    for head in ("y", "z"):
        np.testing.assert_allclose(mean[head], said[head], rtol=1e-4, atol=1e-6)
