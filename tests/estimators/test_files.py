"""Pickles, joblib, skops and our own file: prediction, scores and further training are the same afterwards."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris

import chainrule as cr
from chainrule import InputError, MLPClassifier, MLPRegressor

X, y = load_iris(return_X_y=True)
FEW: dict[str, Any] = {"hidden_layer_sizes": (6,), "max_iter": 12, "learning_rate_init": 0.02, "random_state": 0}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def by_pickle(estimator: Any, folder: Path) -> Any:
    return pickle.loads(pickle.dumps(estimator))


def by_joblib(estimator: Any, folder: Path) -> Any:
    joblib.dump(estimator, folder / "estimator.joblib")
    return joblib.load(folder / "estimator.joblib")


def by_skops(estimator: Any, folder: Path) -> Any:
    """Trusted are chainrule's own estimator types and nothing else."""
    skops = pytest.importorskip("skops.io")
    data = skops.dumps(estimator)
    name = type(estimator).__name__
    own = [f"chainrule.estimators.{name.removeprefix('MLP').lower()}.{name}"]
    assert set(skops.get_untrusted_types(data=data)) <= set(own)
    return skops.loads(data, trusted=own)


def by_our_file(estimator: Any, folder: Path) -> Any:
    estimator.save(folder / "estimator.safetensors")
    return cr.load(folder / "estimator.safetensors")


def by_copy(estimator: Any, folder: Path) -> Any:
    return copy.deepcopy(estimator)


WAYS = [by_pickle, by_joblib, by_skops, by_our_file, by_copy]
WORDS = np.array(["setosa", "versicolor", "virginica"])[y]
CASES: dict[str, tuple[Any, Any]] = {
    "classes": (MLPClassifier(**FEW), y),
    "words": (MLPClassifier(**FEW, early_stopping=True, class_weight={"setosa": 2.0}), WORDS),
    "objects": (MLPClassifier(**FEW, solver="sgd", learning_rate="adaptive"), WORDS.astype(object)),
    "labels": (MLPClassifier(**FEW), np.c_[y > 0, y > 1].astype(int)),
    "targets": (MLPClassifier(**FEW, multi_output=True), np.c_[y, y > 1].astype(int)),
    "numbers": (MLPRegressor(**FEW, missing_values="mean"), X[:, 0]),
    "ensemble": (MLPRegressor(**FEW, n_members=3, batch_norm=True, dropout=0.1), X[:, :2]),
    "bins": (MLPClassifier(**FEW, n_members=2, bins=4), y),
    "lbfgs": (MLPClassifier(**FEW, solver="lbfgs"), y),
    "schedule": (MLPClassifier(**FEW, schedule="cosine", activation=["silu"]), y),
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("case", CASES)
def test_nothing_changes(case: str, way: Callable[[Any, Path], Any], tmp_path: Path) -> None:
    estimator, target = CASES[case]
    estimator = copy.deepcopy(estimator).fit(X, target)
    loaded = way(estimator, tmp_path)
    assert type(loaded) is type(estimator)
    assert loaded.get_params() == estimator.get_params()
    assert vars(loaded).keys() - {"_training"} == vars(estimator).keys() - {"_model"}
    assert_equal(loaded, estimator, target)
    for one in (estimator, loaded):  # the optimizer's memory and the random stream, too
        if case not in ("lbfgs", "words"):
            one.partial_fit(X, target).partial_fit(X, target)
        one.set_params(warm_start=True, warm_start_optimizer=True).fit(X, target)
    assert_equal(loaded, estimator, target)
    again = way(loaded, tmp_path)
    assert_equal(again, estimator, target)


def assert_equal(loaded: Any, estimator: Any, target: Any) -> None:
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert loaded.score(X, target) == estimator.score(X, target)
    assert loaded.history_ == estimator.history_
    for a, b in zip(loaded.coefs_ + loaded.intercepts_, estimator.coefs_ + estimator.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_changed_after_loading_count(tmp_path: Path) -> None:
    for way in WAYS:
        loaded = way(MLPClassifier(**FEW).fit(X, y), tmp_path)
        loaded.coefs_[1][...] = 0
        loaded.intercepts_[1][...] = 0
        assert loaded.predict_proba(X) == pytest.approx(1 / 3)
        assert way(loaded, tmp_path).predict_proba(X) == pytest.approx(1 / 3)


def test_objects_of_ours_are_saved_and_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "estimator.safetensors"
    ours = MLPRegressor(cr.Huber(0.5), **FEW, solver=cr.Adam(cr.Cosine(0.01)), callbacks=print).fit(X, X[:, 0])
    ours.save(path)
    loaded = cr.load(path)
    assert loaded.loss == cr.Huber(0.5)
    assert loaded.solver == cr.Adam(cr.Cosine(0.01))
    assert loaded.callbacks is None
    assert cr.load(path, engine="reference").engine == "reference"
    own = cr.CustomLoss(lambda y, h: ((h - y) ** 4).sum(axis=1), lambda y, h: 4 * (h - y) ** 3)
    with pytest.raises(InputError, match=r"loss is .*files can't hold"):
        MLPRegressor(own, **FEW).fit(X, X[:, 0]).save(path)
    assert cr.load(path).loss == cr.Huber(0.5)  # the old file is still there


def assert_plain(name: str, value: Any) -> None:
    if isinstance(value, np.ndarray):
        assert value.dtype.kind in "fiubU" or {type(one) for one in value.tolist()} <= {str, int}, name
    elif isinstance(value, dict):
        for key, one in value.items():
            assert_plain(name, key)
            assert_plain(f"{name}[{key!r}]", one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            assert_plain(name, one)
    else:
        assert value is None or type(value) in (bool, int, float, str, np.float64, np.int64, np.bool_), name


@pytest.mark.parametrize("case", CASES)
def test_pickles_hold_arrays_and_plain_values(case: str) -> None:
    estimator, target = CASES[case]
    state = copy.deepcopy(estimator).fit(X, target).__getstate__()
    assert "_model" not in state
    for name, value in state.items():
        assert_plain(name, value)


def test_skops_asks_for_our_types_only() -> None:
    skops = pytest.importorskip("skops.io")
    for case, (estimator, target) in CASES.items():
        data = skops.dumps(copy.deepcopy(estimator).fit(X, target))
        untrusted = skops.get_untrusted_types(data=data)
        kind = type(estimator).__name__
        assert untrusted == [f"chainrule.estimators.{kind.removeprefix('MLP').lower()}.{kind}"], case


def test_folds_are_saved_and_where_schedules_stand(tmp_path: Path) -> None:
    estimator = MLPClassifier(**FEW, n_members=3, folds=3, early_stopping=True, bins=3, schedule="cosine").fit(X, y)
    for way in WAYS:
        loaded = way(estimator, tmp_path)
        assert (loaded.folds, loaded.out_of_fold_score_) == (3, estimator.out_of_fold_score_)
        assert loaded.knots_ == estimator.knots_
        now, then = loaded._ready_model().training, estimator._model.training
        assert (now.steps_per_epoch, now.total_steps) == (then.steps_per_epoch, then.total_steps) != (1, 1)
        np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))
        refit = loaded.fit(X, y)
        np.testing.assert_array_equal(refit.predict_proba(X), estimator.predict_proba(X))
