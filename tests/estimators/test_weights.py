"""Row weights at their limits: below 0, of sum 0, and what else is no weight, row or number of threads."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import load_iris

from chainrule import MLPClassifier, MLPRegressor

X, y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
ROWS = np.arange(len(X))
PAIRS = [(MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)]
KINDS = pytest.mark.parametrize("ours", [MLPClassifier, MLPRegressor], ids=["classifier", "regressor"])


def fitted(kind: Any, weights: Any, **options: Any) -> Any:
    settings = {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0, "batch_size": 25, **options}
    if settings.get("solver") == "lbfgs":
        settings["batch_size"] = "auto"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**settings).fit(X, y, sample_weight=weights)


WEIGHTS = {
    "all": -np.ones(len(X)),
    "half, no batch of sum 0": np.where(ROWS % 2, -1.0, 1.0),
    "a tenth": np.where(ROWS % 10 == 0, -1.0, 1.0),
    "most": np.where(ROWS % 4 == 0, 0.5, -1.0),
}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["classifier", "regressor"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_weights_below_0_are_taken_as_scikit_learn_takes_them(ours, theirs, solver, weights, engine):
    own = fitted(ours, WEIGHTS[weights], solver=solver, engine=engine)
    other = fitted(theirs, WEIGHTS[weights], solver=solver)
    for one, two in zip(own.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-9)
    assert own.score(X, y) == pytest.approx(other.score(X, y), rel=1e-6)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["classifier", "regressor"])
def test_lbfgs_with_weights_that_are_all_below_0(ours, theirs, engine):
    weights = -np.ones(len(X))
    own, other = (fitted(kind, weights, solver="lbfgs", max_iter=10) for kind in (ours, theirs))
    np.testing.assert_allclose(own.loss_, other.loss_, rtol=1e-6)
    np.testing.assert_allclose(own.coefs_[0], other.coefs_[0], rtol=1e-5, atol=1e-7)


def test_lbfgs_says_that_a_loss_falls_without_end(engine):
    with pytest.raises(ValueError, match="negative sample weights reward wrong answers without end"):
        fitted(MLPClassifier, np.where(ROWS % 10 == 0, -1.0, 1.0), solver="lbfgs", max_iter=60, engine=engine)


@KINDS
@pytest.mark.parametrize(
    "options", [{"solver": "lbfgs"}, {"batch_size": 150}, {"batch_size": 10}, {"shuffle": False, "batch_size": 2}]
)
def test_weights_that_cancel_out_are_an_error(ours, options):
    with pytest.raises(ValueError, match=r"the sample weights of the rows (to train on|of a batch) sum to 0"):
        fitted(ours, np.where(ROWS % 2, -1.0, 1.0), **options)


@KINDS
def test_held_out_rows_that_weigh_nothing_are_an_error(ours):
    first = np.where(ROWS == 0, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"the sample weights of the (held-out rows|rows to train on) sum to 0"):
        fitted(ours, first, early_stopping=True)
    with pytest.raises(ValueError, match="the sample weights of the held-out rows sum to 0"):
        ours().fit(X, y, X_val=X, y_val=y, sample_weight_val=np.where(ROWS % 2, -1.0, 1.0))


@KINDS
def test_a_row_of_weight_0_does_not_count_even_alone_in_its_batch(ours):
    weights = np.where(ROWS % 3 == 0, 0.0, 1.0)
    model = fitted(ours, weights, batch_size=1, max_iter=2)
    assert all(np.isfinite(W).all() for W in model.coefs_)


@KINDS
def test_masks_are_not_lost(ours):
    model = fitted(ours, None, max_iter=1)
    masked_rows, masked_targets = np.ma.masked_array(X, mask=X > 1), np.ma.masked_array(y, mask=y == 1)
    for call in (
        lambda: model.fit(masked_rows, y),
        lambda: model.fit(X, masked_targets),
        lambda: model.fit(X, y, sample_weight=np.ma.masked_array(np.ones(len(X)), mask=y == 1)),
        lambda: model.predict(masked_rows),
        lambda: model.score(X, masked_targets),
    ):
        with pytest.raises(ValueError, match="has masked values, whose masks would be lost"):
            call()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(np.ma.masked_array(X, mask=False), y)  # where nothing is masked, nothing is lost


@KINDS
def test_complex_numbers_are_refused(ours):
    model = fitted(ours, None, max_iter=1)
    for call in (
        lambda: model.fit(X + 1j, y),
        lambda: model.fit(X, y + 1j),
        lambda: model.fit(X, y, sample_weight=y + 1j),
        lambda: model.predict(X + 1j),
    ):
        with pytest.raises(ValueError, match="Complex data not supported"):
            call()


@KINDS
@pytest.mark.parametrize("n_jobs", [2**20, 2**31, 2**40, 2**64, 10**400])
def test_more_threads_than_any_machine_has(ours, n_jobs):
    with pytest.raises(ValueError, match=r"n_jobs is .* more than 4,096 threads: -1 takes every core"):
        fitted(ours, None, n_jobs=n_jobs)


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "lbfgs"}])
@pytest.mark.parametrize("size", [1e154, 1e200, 1e300])
def test_targets_whose_squares_overflow(options, size):
    with pytest.raises(ValueError, match=r"`y` has numbers of size .*e\+\d+, the sum of whose squares is no float64"):
        MLPRegressor(max_iter=2, **options).fit(X, X[:, 0] * size)


def test_long_labels_are_not_echoed_and_do_not_act_on_a_terminal():
    model = MLPClassifier(max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, np.array(["a" * 10**5, "\x1b[2J"])[(y > 0) * 1])
    with pytest.raises(ValueError, match="`y` has classes not in") as caught:
        model.partial_fit(X, np.array(["a" * 10**5, "c" * 10**5])[(y > 0) * 1])
    assert len(str(caught.value)) < 5000
    assert "\x1b" not in str(caught.value)
