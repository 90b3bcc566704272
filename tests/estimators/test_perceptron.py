"""Rows of the right form are predicted without a general look at them: only where that makes no difference."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris

from chainrule import MLPClassifier, MLPRegressor, TrainingError, load

X, y = load_iris(return_X_y=True)
FEW: dict[str, Any] = {"hidden_layer_sizes": (5,), "max_iter": 10, "random_state": 0}
FITTED: dict[str, Any] = {}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TARGETS = {
    "two": (MLPClassifier(**FEW), y > 0),
    "three": (MLPClassifier(**FEW), np.array(["a", "b", "c"])[y]),
    "one": (MLPClassifier(**FEW), np.zeros(150)),
    "a unit for each of two": (MLPClassifier(**FEW, loss="cross_entropy"), y > 0),
    "labels": (MLPClassifier(**FEW), np.c_[y > 0, y > 1].astype(int)),
    "targets": (MLPClassifier(**FEW, multi_output=True), np.c_[y, y > 1].astype(int)),
    "members": (MLPClassifier(**FEW, n_members=2), y),
    "numbers": (MLPRegressor(**FEW), X[:, 0]),
    "several": (MLPRegressor(**FEW, n_members=2, missing_values="mean"), X[:, :2]),
}


def fitted(case: str, dtype: Any) -> Any:
    key = f"{case} {np.dtype(dtype)}"
    if key not in FITTED:
        estimator, target = TARGETS[case]
        FITTED[key] = clone(estimator).fit(X.astype(dtype), target)
    return FITTED[key]


def slowly(estimator: Any, method: str, rows: Any) -> Any:
    """By the general way: it no longer knows what it was made ready for."""
    estimator._model.stands_for = None
    return getattr(estimator, method)(rows)


@given(
    case=st.sampled_from(sorted(TARGETS)), dtype=st.sampled_from([np.float32, np.float64]), n=st.integers(1, 4),
    scale=st.sampled_from([0.0, 1.0, 1e3]), seed=st.integers(0, 99),
)  # fmt: skip
def test_the_answers_are_those_of_the_general_way(case: str, dtype: Any, n: int, scale: float, seed: int) -> None:
    estimator = fitted(case, dtype)
    rows = (np.random.default_rng(seed).normal(size=(n, 4)) * scale).astype(dtype)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(estimator, method):
            general = slowly(estimator, method, rows)
            assert estimator._quick_model(rows) is not None
            quick = getattr(estimator, method)(rows)
            for a, b in zip(*([one] if isinstance(one, np.ndarray) else one for one in (quick, general)), strict=True):
                np.testing.assert_array_equal(a, b)
                assert a.dtype == b.dtype


@pytest.mark.parametrize(
    "rows",
    [
        X[0], X[:, :3], X[:0], X[:2].astype(int), X[:2].astype(np.float32), X[:4:2], np.asfortranarray(X[:5]),
        np.ma.masked_array(X[:2]), X[:2].tolist(), np.full((1, 4), np.nan), np.full((1, 4), np.inf),
        X[:2].astype(object),
    ],
    ids=repr,
)  # fmt: skip
def test_other_rows_take_the_general_way(rows: Any) -> None:
    estimator = fitted("three", np.float64)
    estimator.predict(X)
    assert estimator._quick_model(rows) is None


def test_tables_with_names_take_the_general_way() -> None:
    estimator = MLPClassifier(**FEW).fit(pd.DataFrame(X, columns=list("abcd")), y)
    estimator.predict(pd.DataFrame(X, columns=list("abcd")))
    with pytest.warns(UserWarning, match="valid feature names"):
        estimator.predict(X)


def test_what_changes_after_the_fit_counts(engine: str) -> None:
    """As with scikit-learn: the activation at the time of prediction, and the weights as they are then."""
    estimator = MLPClassifier(engine=engine, **FEW).fit(X, y)
    before = estimator.predict_proba(X)
    assert estimator._quick_model(X) is not None
    estimator.set_params(activation="tanh")
    assert abs(estimator.predict_proba(X) - before).max() > 1e-3
    estimator.activation = ["relu"]
    np.testing.assert_array_equal(estimator.predict_proba(X), before)
    estimator.activation[0] = "tanh"
    assert abs(estimator.predict_proba(X) - before).max() > 1e-3
    estimator.activation = "relu"
    kept = estimator.coefs_[1]
    estimator.coefs_[1] = np.zeros((5, 3))
    estimator.intercepts_[1] = np.zeros(3)
    for _ in range(2):
        assert estimator.predict_proba(X) == pytest.approx(1 / 3)
    estimator.coefs_[1][0, 0] = 5.0  # in the array that was assigned
    assert abs(estimator.predict_proba(X) - 1 / 3).max() > 0.01
    estimator.coefs_[1] = kept[:, :2]
    with pytest.raises(ValueError, match="shape"):
        estimator.predict(X)


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "score"])
def test_what_overflows_is_said_and_is_no_answer(method: str, members: int) -> None:
    """Infinity minus infinity, in the softmax; a label would be as wrong as a probability."""
    classifier = MLPClassifier(**FEW, n_members=members).fit(X, y)
    rows = np.vstack([X[:2], np.full((1, 4), 1e308)])
    for W in classifier.coefs_:
        W *= 1e3
    with pytest.raises(TrainingError, match="no finite number for row 2"):
        getattr(classifier, method)(rows, *([y[:3]] if method == "score" else []))
    assert len(classifier.predict(rows[:2])) == 2


CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "n_members": ("three", {"n_members": 4}),
    "fewer members": ("several", {"n_members": 1}),
    "batch_norm": ("three", {"batch_norm": True}),
    "output_activation": ("three", {"output_activation": "logistic"}),
    "a loss with a unit for each class": ("two", {"loss": "cross_entropy"}),
    "a loss with another output": ("numbers", {"loss": "poisson"}),
    "missing_values": ("several", {"missing_values": "zero"}),
    "multi_output": ("targets", {"multi_output": False}),
    "what predicts nothing": (
        "members",
        {
            "hidden_layer_sizes": (9, 9), "alpha": 9.0, "solver": "adamw", "dropout": 0.5, "initializer": "zeros",
            "random_state": 7, "class_weight": {0: 5.0, 1: 1.0, 2: 1.0},
        },
    ),
}  # fmt: skip


def everything(estimator: Any, target: Any) -> list[Any]:
    rows = np.where(np.arange(4) == 1, np.nan, X[:5]) if hasattr(estimator, "missing_means_") else X[:5]
    loss, gradients = estimator.loss_and_gradients(X, target)
    numbers = [estimator.predict(rows), estimator.score(X, target), loss]
    numbers += [array for layer in gradients.values() for array in layer.values()]
    if hasattr(estimator, "predict_proba"):
        proba = estimator.predict_proba(rows)
        numbers += proba if isinstance(proba, list) else [proba]
    return [np.asarray(one) for one in numbers]


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("way", ["here", "pickled", "saved"])
def test_parameters_of_the_fit_count_and_later_ones_do_not(case: str, way: str, tmp_path: Path) -> None:
    """As with scikit-learn, whose activation is the exception; in a copy, a pickle and a file too."""
    which, change = CHANGES[case]
    estimator, target = clone(TARGETS[which][0]), TARGETS[which][1]
    before = everything(estimator.fit(X, target), target)
    estimator.set_params(**change)
    if way == "pickled":
        estimator = pickle.loads(pickle.dumps(estimator))
    if way == "saved":
        estimator.save(tmp_path / "m.safetensors")
        estimator = load(tmp_path / "m.safetensors")
    assert {name: estimator.get_params()[name] for name in change} == change  # for the next fit
    for a, b in zip(before, everything(estimator, target), strict=True):
        np.testing.assert_array_equal(a, b)
    if way != "here":  # from then on, too
        for a, b in zip(
            before, everything(estimator.set_params(**TARGETS[which][0].get_params()), target), strict=True
        ):
            np.testing.assert_array_equal(a, b)


def test_a_fit_takes_the_parameters_of_now() -> None:
    estimator = MLPClassifier(**FEW).fit(X, y > 0)
    changed = {"n_members": 3, "batch_norm": True, "loss": "cross_entropy", "missing_values": "mean"}
    anew = MLPClassifier(**FEW, **changed).fit(X, y > 0)
    np.testing.assert_array_equal(estimator.set_params(**changed).fit(X, y > 0).predict_proba(X), anew.predict_proba(X))
    assert estimator.predict_proba(X, return_std=True)[1].max() > 0


def test_weights_that_somebody_assigned_are_one_network() -> None:
    estimator = MLPRegressor(hidden_layer_sizes=(), n_members=5)
    estimator.coefs_, estimator.intercepts_ = [np.ones((4, 1))], [np.zeros(1)]
    np.testing.assert_allclose(estimator.predict(X), X.sum(axis=1))
