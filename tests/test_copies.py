"""Models and what holds them, pickled and copied: independent, and in the middle of their training too."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import problems
import pytest

import chainrule as cr
from chainrule import Adam, Callback, EarlyStopping, Model, Network
from chainrule.explain.render.text import to_text

X, Y = problems.regression(40, 3)
NETWORK = Network.mlp(3, [6], 1, activation="tanh", dropout=0.1, batch_norm=True)
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)), "deepcopy": copy.deepcopy, "copy": copy.copy,
}  # fmt: skip
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


class StopAt(Callback):
    def on_step(self, run: Any) -> bool:
        return run.state.step == 13


def new_model(engine: str, **options: Any) -> Model:
    return Model.ensemble(NETWORK, "squared_error", Adam(0.02), seed=4, engine=engine, **{"members": 2, **options})


def fit(model: Model, **options: Any) -> None:
    model.fit(X, Y, epochs=6, batch_size=8, validation=0.3, stop=EarlyStopping(2), progress=False, **options)


def flat(model: Model) -> np.ndarray:
    state = model.training
    return np.concatenate([state.parameters.ravel(), state.state.ravel(), state.slots.ravel()])


@each_way
def test_a_copy_answers_alike_and_lives_alone(way: Callable[[Any], Any], engine: str) -> None:
    model = new_model(engine, threads=1)
    fit(model)
    before = flat(model)
    other = way(model)
    assert (other.engine_, other.network, other.objective) == (model.engine_, model.network, model.objective)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    np.testing.assert_array_equal(flat(other), before)
    assert other.history.to_dict() == model.history.to_dict()
    fit(other)
    other.set_parameters({"output": {"b": [5.0]}})
    np.testing.assert_array_equal(flat(model), before)
    assert (flat(other) != before).any()


@each_way
def test_in_the_middle_of_an_epoch_it_goes_on_bit_for_bit(way: Callable[[Any], Any], engine: str) -> None:
    whole, cut = new_model(engine), new_model(engine)
    fit(whole)
    fit(cut, callbacks=StopAt())
    assert cut.training.batch
    other = way(cut)
    fit(other, resume=True)
    np.testing.assert_array_equal(flat(other), flat(whole))
    assert other.history["loss"] == whole.history["loss"]
    assert other.history.best_epoch == whole.history.best_epoch


def test_while_it_trains(engine: str) -> None:
    """A callback may keep a copy: it isn't being trained."""
    kept = []
    model = new_model(engine)
    fit(model, callbacks=lambda record: kept.append(copy.deepcopy(model)))
    fit(kept[0])
    assert len(kept[0].history)


@each_way
def test_of_a_table(way: Callable[[Any], Any], engine: str) -> None:
    trained = cr.TableModel.train(
        "iris", target="target", hidden=(4,), members=2, epochs=2, engine=engine, progress=False
    )
    other = way(trained)
    probabilities = trained.predict_proba("iris")
    np.testing.assert_array_equal(other.predict_proba("iris"), probabilities)
    assert other.test_scores == trained.test_scores
    other.model.set_parameters({"output": {"b": [9.0, 0.0, 0.0]}})
    np.testing.assert_array_equal(trained.predict_proba("iris"), probabilities)


@each_way
def test_of_an_estimator(way: Callable[[Any], Any], engine: str) -> None:
    """`warm_start` trains the weights that are there: those of the copy must be others."""
    trained = cr.MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0, engine=engine)
    trained.partial_fit(X, Y[:, 0])
    other, answers = way(trained), trained.predict(X)
    np.testing.assert_array_equal(other.predict(X), answers)
    trained.partial_fit(X, Y[:, 0])
    np.testing.assert_array_equal(other.predict(X), answers)
    other.partial_fit(X, Y[:, 0])
    np.testing.assert_array_equal(other.predict(X), trained.predict(X))


SHEET = Path(__file__).parent.parent / "examples" / "worksheets" / "binary_cross_entropy.toml"
EXPRESSION = "u = x**2 * e; y = exp(u) + z"
# what is derived, and a quantity of it
DERIVATIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "a row": (lambda: small().explain([0.5, 1.0], 2.0, notation="a-h"), "dL/dz[hidden,1]"),
    "a batch": (lambda: small().explain(X[:2, :2], Y[:2], training=True), "dL/dW[hidden,2,1]"),
    "without an update": (lambda: small().explain([0.5, 1.0], 2.0).again(title="Plain", update=False), "L"),
    "an expression": (lambda: cr.explain_expression(EXPRESSION, {"x": 1, "z": 0.25}, digits=4), "dy/dx"),
    "a worksheet": (lambda: cr.read_worksheet(SHEET).derivation(), "L"),
}


def small() -> Model:
    return Model(Network.mlp(2, [1], 1, activation="tanh", dropout=0.1, batch_norm=True), "squared_error", "adam")


@each_way
@pytest.mark.parametrize(("make", "name"), DERIVATIONS.values(), ids=DERIVATIONS)
def test_derivations(make: Callable[[], Any], name: str, way: Callable[[Any], Any]) -> None:
    work = make()
    assert work[name].routes  # what was asked for already is no hindrance
    other = way(work)
    assert (other.title, other.to_text()) == (work.title, work.to_text())
    assert repr(way(work[name])) == repr(work[name])
    right = {name: f"{work[name].value:.6g}"}
    assert other.mark(right).counts["correct"] == work.mark(right).counts["correct"] == 1


@each_way
def test_documents(way: Callable[[Any], Any]) -> None:
    document = small().explain([0.5, 1.0], 2.0).document(layer="hidden")
    assert to_text(way(document)) == to_text(document)
    document = cr.explain_expression(EXPRESSION, {"x": 1, "z": 0.25}).document(weight="x")
    assert to_text(way(document)) == to_text(document)
