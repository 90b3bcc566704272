"""Members that each stop by a fold of their own, and columns that are taken as piecewise-linear functions too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils import check_random_state

from chainrule import MLPClassifier, MLPRegressor
from chainrule.estimators.fitting import member_streams
from chainrule.folds import fold_parts

X, y = load_iris(return_X_y=True)
X_numbers, y_numbers = load_diabetes(return_X_y=True)
FEW: dict[str, Any] = {
    "hidden_layer_sizes": (6,), "max_iter": 15, "learning_rate_init": 0.02, "random_state": 3, "early_stopping": True,
}  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def parts_of(estimator: Any, n_rows: int, labels: Any = None) -> Any:
    seed = check_random_state(estimator.random_state).randint(2**31 - 1)
    return fold_parts(n_rows, estimator.n_members, estimator.folds, labels=labels, seed=int(seed))


@pytest.mark.parametrize("estimator", [MLPClassifier(**FEW), MLPClassifier(**FEW, solver="sgd", bins=3)], ids=str)
def test_a_member_is_what_a_fit_of_its_own_would_be(estimator: Any) -> None:
    ensemble = clone(estimator).set_params(n_members=3, folds=3).fit(X, y)
    if estimator.bins:  # their knots are those of all rows
        assert ensemble.knots_ == clone(estimator).fit(X, y).knots_
        return
    streams = member_streams(check_random_state(3), 3)
    for i, part in enumerate(parts_of(ensemble, len(X), y)):
        alone = clone(estimator).set_params(random_state=streams[i])
        alone.fit(X[part.train], y[part.train], X_val=X[part.held_out], y_val=y[part.held_out])
        np.testing.assert_array_equal(
            ensemble._model.training.parameters[i], alone._model.training.parameters[0], strict=True
        )
        if not i:
            assert ensemble.validation_scores_ == alone.validation_scores_
            assert ensemble.n_iter_ == alone.n_iter_


def test_the_score_of_all_rows() -> None:
    ensemble = MLPRegressor(**FEW, n_members=4, folds=2, n_jobs=1).fit(X_numbers, y_numbers)
    said, counts = np.zeros(len(X_numbers)), np.zeros(len(X_numbers))
    for i, part in enumerate(parts_of(ensemble, len(X_numbers))):
        said[part.held_out] += ensemble._model.outputs((X_numbers[part.held_out],))[0][i, :, 0]
        counts[part.held_out] += 1
    assert (counts == 2).all()
    right = 1 - np.square(y_numbers - said / 2).sum() / np.square(y_numbers - y_numbers.mean()).sum()
    assert ensemble.out_of_fold_score_ == pytest.approx(right)
    assert not hasattr(ensemble.set_params(folds=None).fit(X_numbers, y_numbers), "out_of_fold_score_")


@pytest.mark.parametrize("targets", ["words", "labels", "several", "numbers"])
def test_every_kind_of_target(targets: str) -> None:
    truth = {
        "words": np.array(["a", "b", "c"])[y], "labels": np.c_[y > 0, y > 1].astype(int),
        "several": np.c_[y, y > 1].astype(int), "numbers": X[:, :2],
    }[targets]  # fmt: skip
    which = MLPRegressor if targets == "numbers" else MLPClassifier
    more = {"multi_output": True} if targets == "several" else {}
    estimator = which(**FEW, **more, n_members=2, folds=2, bins=4).fit(X, truth)
    assert estimator.predict(X).shape == truth.shape
    assert np.isfinite(estimator.out_of_fold_score_)


def test_threads_change_nothing() -> None:
    one, two = (MLPClassifier(**FEW, n_members=3, folds=3, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_what_does_not_go_with_folds() -> None:
    fit = {"folds": 3, "n_members": 3}
    for change, says in (
        ({"early_stopping": False}, "folds=3 needs early_stopping=True"),
        ({"solver": "lbfgs"}, "not L-BFGS"),
        ({"n_members": 2}, "folds=3 needs as many members or more, one for each fold; n_members is 2"),
        ({"warm_start": True}, "warm_start=True goes on"),
        ({"folds": 150, "n_members": 150}, "needs two rows in each at least; there are n_samples=150"),
        ({"folds": 1}, "'folds' parameter of MLPClassifier must be"),
        ({"bins": -1}, "'bins' parameter of MLPClassifier must be"),
        ({"bins": 2, "hidden_layer_sizes": ()}, "bins needs a hidden layer"),
    ):
        with pytest.raises(ValueError, match=says):
            MLPClassifier(**{**FEW, **fit, **change}).fit(X, y)
    with pytest.raises(ValueError, match="leave X_val and y_val out"):
        MLPClassifier(**FEW, **fit).fit(X, y, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="partial_fit goes on"):
        MLPClassifier(**FEW, **fit).partial_fit(X, y, classes=[0, 1, 2], X_val=X, y_val=y)


def test_members_that_diverge_are_left_out_and_said() -> None:
    far = X.copy()
    far[0] = 1e60  # one member only doesn't train on this row
    settings = {**FEW, "n_members": 3, "folds": 3, "solver": "sgd", "activation": "identity"} | {
        "learning_rate_init": 0.001
    }
    with pytest.warns(UserWarning, match="2 members of 3, which diverged: left out") as caught:
        estimator = MLPRegressor(**settings).fit(far, X[:, 0])
    assert {one.filename for one in caught} == {__file__}
    assert len(estimator._model.training.parameters) == 1
    assert np.isfinite(estimator.predict(X)).all()
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        MLPRegressor(**FEW, n_members=3, folds=3, activation="identity").fit(X * 1e200, X[:, 0])


def test_one_warning_for_all_members_where_fit_was_called() -> None:
    with pytest.warns(ConvergenceWarning) as caught:
        MLPClassifier(**{**FEW, "max_iter": 1}, n_members=3, folds=3).fit(X, y)
    assert [one.filename for one in caught] == [__file__]


def test_functions_of_columns() -> None:
    wave = np.linspace(-3, 3, 300)[:, None]
    target = np.sin(4 * wave[:, 0])
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (16,),
        "max_iter": 300,
        "random_state": 0,
        "n_iter_no_change": 300,
    }
    plain, pieces = (MLPRegressor(**settings, bins=bins).fit(wave, target) for bins in (0, 24))
    assert pieces.score(wave, target) > max(0.95, plain.score(wave, target))
    assert len(pieces.knots_) == 1
    assert len(pieces.knots_[0]) == 25
    assert not hasattr(plain, "knots_")
    assert [node.layer.name for node in pieces.network_.nodes][1:4] == ["hidden", "hidden_pieces", "hidden_sum"]
    gradients = pieces.gradients(wave, target)
    assert gradients["hidden_pieces"]["W"].shape == (24, 16)
    work = pieces.explain(wave[0], target[0])
    assert work["h[output,1]"].value == pytest.approx(pieces.predict(wave[:1])[0])
    assert not hasattr(pieces.set_params(bins=0).fit(wave, target), "knots_")


def test_functions_begin_at_zero_so_the_first_weights_are_those_without() -> None:
    for more in ({}, {"batch_norm": True}, {"initializer": "he_normal"}):
        settings = {**FEW, **more, "early_stopping": False, "max_iter": 1, "learning_rate_init": 1e-300}
        plain, pieces = (MLPRegressor(**settings, bins=bins).fit(X_numbers, y_numbers) for bins in (0, 5))
        if "initializer" not in more:
            np.testing.assert_array_equal(plain.coefs_[0], pieces.coefs_[0])
        W = pieces._model.parameters["hidden_pieces"]["W"]
        assert abs(W).max() < 1e-200


def test_functions_of_sparse_columns() -> None:
    thin = np.where(np.random.default_rng(0).random((200, 5)) < 0.3, 1.5, 0.0) * np.arange(1, 201)[:, None]
    settings = {**FEW, "early_stopping": False}
    dense, sparse = (MLPRegressor(**settings, bins=6).fit(table, thin[:, 0]) for table in (thin, csr_array(thin)))
    assert dense.knots_ == sparse.knots_
    thinner = np.where(thin > 260, thin, 0.0)  # few enough numbers for a sparse product
    for table in (thin, thinner):
        np.testing.assert_allclose(dense.predict(table), sparse.predict(csr_array(table)))


def test_columns_without_pieces_make_the_network_without() -> None:
    flags = (X.mean(axis=0) < X).astype(float)
    estimator = MLPClassifier(**FEW, bins=8).fit(flags, y)
    assert not hasattr(estimator, "knots_")
    assert "hidden_pieces" not in [node.layer.name for node in estimator.network_.nodes]


def test_folds_and_bins_in_a_grid() -> None:
    search = GridSearchCV(MLPClassifier(**FEW, n_members=2), {"folds": [None, 2], "bins": [0, 4]}, cv=2).fit(X, y)
    assert set(search.best_params_) == {"folds", "bins"}
