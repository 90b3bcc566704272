"""Several stopping rules in one fit: each remembers for itself, and the weights that come back are those of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest

import chainrule as cr
from chainrule import Callback, EarlyStopping, LossBelow, Model, Network

X, Y = problems.regression(40, 3)
HELD_OUT = (X[25:], Y[25:])
OVERFITTING = Network.mlp(3, [30], 1, activation="tanh")  # its validation loss rises while its loss falls


class Keep(Callback):
    """The weights at the end of every epoch."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []

    def on_epoch(self, run: Any, record: Any) -> None:
        self.weights.append(run.state.parameters.copy())


def fitted(engine: str, *stop: Any, epochs: int = 200) -> tuple[Model, list[np.ndarray]]:
    model, keep = Model(OVERFITTING, "squared_error", cr.Adam(0.05), dtype="float64", engine=engine), Keep()
    model.fit(
        X[:25], Y[:25], epochs=epochs, batch_size=8, validation=HELD_OUT, stop=stop, callbacks=keep, progress=False
    )
    return model, keep.weights


def best(model: Model, name: str) -> int:
    return int(np.argmin(model.history[name])) + 1


def test_the_rule_that_restores_is_not_disturbed_by_one_that_does_not(engine: str) -> None:
    rules = EarlyStopping(3, monitor="validation_loss"), EarlyStopping(50, monitor="loss", restore_best=False)
    model, weights = fitted(engine, *rules)
    number = best(model, "validation_loss")
    assert number == len(model.history) - 3
    assert best(model, "loss") != number
    assert model.history.best_epoch == number
    assert model.history.best_by == str(rules[0])
    np.testing.assert_array_equal(model.training.parameters, weights[number - 1])


@pytest.mark.parametrize("first", [0, 1])
def test_the_weights_are_those_of_the_rule_that_stopped(first: int, engine: str) -> None:
    rules = [EarlyStopping(150, monitor="loss"), EarlyStopping(3, monitor="validation_loss")]
    stopper = rules[1]
    model, weights = fitted(engine, *(rules if first == 0 else reversed(rules)))
    number = best(model, "validation_loss")
    assert model.history.stopped_by.startswith("validation_loss")
    assert (model.history.best_epoch, model.history.best_by) == (number, str(stopper))
    np.testing.assert_array_equal(model.training.parameters, weights[number - 1])


def test_else_of_the_first_that_restores(engine: str) -> None:
    """Another kind of rule stopped, or nobody did."""
    watching = EarlyStopping(150, monitor="validation_loss"), EarlyStopping(150, monitor="loss")
    free, _ = fitted(engine, epochs=30)
    threshold = LossBelow(free.history["loss"][-1] * 1.01)
    for rules in ((*watching, threshold), (threshold, *watching), watching):
        model, weights = fitted(engine, *rules, epochs=30)
        number = best(model, "validation_loss")
        assert number < len(model.history)
        assert (model.history.best_epoch, model.history.best_by) == (number, str(watching[0]))
        np.testing.assert_array_equal(model.training.parameters, weights[number - 1])


class StopAt(Callback):
    def on_step(self, run: Any) -> bool:
        return run.state.step == 22


def test_what_each_remembers_goes_through_a_file(engine: str, tmp_path: Any) -> None:
    rules = EarlyStopping(20, monitor="loss"), EarlyStopping(9, monitor="validation_loss")
    whole, _ = fitted(engine, *rules)
    cut = Model(OVERFITTING, "squared_error", cr.Adam(0.05), dtype="float64", engine=engine)
    asked = {"X": X[:25], "y": Y[:25], "epochs": 200, "batch_size": 8, "validation": HELD_OUT, "stop": rules}
    cut.fit(**asked, callbacks=StopAt(), progress=False)
    cut.save(tmp_path / "cut.safetensors", training=True)
    loaded = cr.load(tmp_path / "cut.safetensors", engine=engine)
    assert set(loaded.training.bests) == {0, 1}
    loaded.fit(**asked, resume=True, progress=False)
    np.testing.assert_array_equal(loaded.training.parameters, whole.training.parameters)
    for name in ("best_epoch", "best_by", "stopped_by"):
        assert getattr(loaded.history, name) == getattr(whole.history, name)
