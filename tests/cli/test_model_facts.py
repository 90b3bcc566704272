"""`chainrule info MODEL`: what is said of a table model, of models of arrays, and of estimators."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr
from chainrule import MLPClassifier, Model, Network


def test_classes(run, model):
    said = run("info", model)
    assert (said.status, said.err) == (0, "")
    loaded = cr.load(model)
    assert said.out.startswith("table model of species: classification\n")
    assert "out-of-fold scores (275 rows)" in said.out
    assert "test scores" in said.out
    assert f"T = {loaded.calibration.temperature:.3g}" in said.out
    for column in loaded.encoding.columns:
        assert column.name in said.out
    facts = run("info", model, "--json").json
    assert facts["temperature"] == loaded.calibration.temperature
    assert facts["out_of_fold"]["scores"] == loaded.oof_scores
    assert facts["rows"] == loaded.rows
    assert [one["members"] for one in facts["networks"]] == [loaded.members]
    assert facts["networks"][0]["parameters"] == loaded.model.network.count().total
    kinds = {one["name"]: one["kind"] for one in facts["columns"]}
    assert kinds["island"] == "categorical"
    assert "numeric" in kinds.values()


def test_numbers(run, mass):
    loaded = cr.load(mass)
    facts = run("info", mass, "--json").json
    assert facts["interval"] == {"coverage": 0.9, "half_width": loaded.calibration.half_width(0.9)}
    assert "the half-width of intervals" in run("info", mass).out


def test_kinds_and_weights(run):
    trained = cr.TableModel.train("diabetes", "target", effort="best", members=2, epochs=2, hidden=(4,), progress=False)
    trained.save("best.safetensors")
    facts = run("info", "best.safetensors", "--json").json
    assert [one["weight"] for one in facts["networks"]] == pytest.approx(list(trained.weights))
    assert {one["members"] for one in facts["networks"]} == {2}


def test_arrays(run):
    X = np.linspace(-1, 1, 40)[:, None]
    Model.ensemble(Network.mlp(1, [5, 4], 1), "squared_error", members=3).save("m.safetensors")
    (facts,) = run("info", "m.safetensors", "--json").json["networks"]
    assert (facts["members"], facts["layers"], facts["parameters"]) == (3, "5-4-1", 39)
    few = {"max_iter": 2, "n_members": 2, "folds": 2, "early_stopping": True, "random_state": 0}
    with pytest.warns(ConvergenceWarning):
        estimator = MLPClassifier((5,), **few).fit(X, X[:, 0] > 0)
    estimator.save("e.safetensors")
    facts = run("info", "e.safetensors", "--json").json
    assert (facts["kind"], facts["folds"]) == ("MLPClassifier", 2)
    assert facts["out_of_fold"] == estimator.out_of_fold_score_
    assert "2 folds, out-of-fold score" in run("info", "e.safetensors").out


def test_a_file_that_is_none(run):
    assert "there" in run("info", "nothing.safetensors").complaint
