"""The way that a fit goes, recorded: every step or epoch, from the start on; on every engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import InputError, Model, Network, Trail


def made(engine: str, **options: Any) -> tuple[Model, np.ndarray]:
    network = Network.mlp(2, [3], 1, activation="tanh")
    return Model(network, "squared_error", "sgd", engine=engine, dtype="float64", **options), np.eye(2)[[0, 1] * 4]


@pytest.mark.parametrize(("every", "points"), [("step", 13), ("epoch", 4)])
def test_it_has_a_row_for_the_start_and_one_for_each_step_or_epoch(every: str, points: int, engine: str) -> None:
    model, X = made(engine)
    first = model.parameters["hidden"]["W"][1, 2], model.parameters["output"]["b"][0]
    trail = Trail("W[hidden,2,3]", "b[output,1]", every=every)
    model.fit(X, X[:, 0], epochs=3, batch_size=2, callbacks=trail)
    assert trail.values.shape == (points, 2)
    assert tuple(trail.values[0]) == first
    assert tuple(trail.values[-1]) == (model.parameters["hidden"]["W"][1, 2], model.parameters["output"]["b"][0])


def test_each_step_is_the_gradients(engine: str) -> None:
    model, X = made(engine)
    trail = Trail("W[output,2,1]")
    gradient = model.loss_and_gradients(X, X[:, 0])[1]["output"]["W"][1, 0]
    model.fit(X, X[:, 0], epochs=1, batch_size="full", shuffle=False, callbacks=trail)
    step = trail.values[1, 0] - trail.values[0, 0]
    assert step == pytest.approx(-model.history["learning_rate"][0] * gradient)


def test_it_changes_nothing_of_the_fit(engine: str) -> None:
    with_trail, X = made(engine)
    without, _ = made(engine)
    with_trail.fit(X, X[:, 0], epochs=3, callbacks=Trail("W[output,2,1]"))
    without.fit(X, X[:, 0], epochs=3)
    np.testing.assert_array_equal(with_trail.training.parameters, without.training.parameters)


def test_a_second_fit_begins_a_new_one(engine: str) -> None:
    model, X = made(engine)
    trail = Trail("W[output,2,1]", every="epoch")
    model.fit(X, X[:, 0], epochs=2, callbacks=trail)
    last = trail.values[-1].copy()
    model.fit(X, X[:, 0], epochs=4, callbacks=trail)
    assert len(trail.values) == 5
    assert trail.values[0] == last


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [((), {}, "records weights by name"), (("b[output,1]",), {"every": "hour"}, '"step" or "epoch"')],
)
def test_mistakes(names: Any, options: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Trail(*names, **options)


def test_an_unknown_weight_is_said_when_the_fit_begins(engine: str) -> None:
    model, X = made(engine)
    with pytest.raises(InputError, match="there is no layer"):
        model.fit(X, X[:, 0], callbacks=Trail("z[outptu,1]"))
