"""scikit-learn's own checks of an estimator: all of them, with no failure expected of any that treats rows alone.

Batch normalization, dropout and bins don't: the rows of a batch share its statistics, every row has masks of its own,
and knots are quantiles of the rows. Two checks ask that a row of weight 2 be the same as that row twice; for these
options alone that isn't so, in the way that scikit-learn provides for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import MLPClassifier, MLPRegressor

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", n_members=2, max_iter=100),
]
MORE = [
    MLPRegressor(max_iter=100),
    MLPClassifier(hidden_layer_sizes=(20,), n_members=2, missing_values="mean", clip_norm=10.0, max_iter=100),
    MLPClassifier((20,), solver="lbfgs", max_iter=100),
    MLPRegressor(solver="sgd", learning_rate_init=0.01, clip_norm=10.0, max_iter=100),
    MLPClassifier(multi_output=True, max_iter=100),
    MLPRegressor("huber", (20,), learning_rate_init=0.01, n_members=3, missing_values="zero", max_iter=100),
]

# a row of weight 2 is not that row twice here
ROWS_TOGETHER = [MLPRegressor(batch_norm=True, max_iter=100)]
MORE_TOGETHER = [
    MLPClassifier(batch_norm=True, max_iter=100),
    MLPClassifier(dropout=0.2, max_iter=100),
    MLPRegressor(
        hidden_layer_sizes=(20,), learning_rate_init=0.01, bins=4, max_iter=100
    ),  # knots are quantiles of rows
]
FOLDS: dict[str, Any] = {"early_stopping": True, "folds": 2, "n_members": 2, "learning_rate_init": 0.02,
                         "n_iter_no_change": 100, "max_iter": 100}  # fmt: skip
MORE_TOGETHER += [MLPClassifier((20,), **FOLDS), MLPRegressor(hidden_layer_sizes=(20,), **FOLDS)]


def not_the_same_as_twice(estimator: Any) -> dict[str, str]:
    """Checks that can't pass, with the reason, as scikit-learn asks for them."""
    twice = dict.fromkeys(
        ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"),
        "the mean and variance of a batch count its rows, whatever they weigh" if estimator.batch_norm
        else "a row that is there twice may be in two folds" if estimator.folds
        else "a row that is there twice has two dropout masks",
    )  # fmt: skip
    anew = dict.fromkeys(
        ("check_fit_score_takes_y", "check_n_features_in_after_fitting", "check_estimators_partial_fit_n_features"),
        "partial_fit goes on with a fit, as scikit-learn's own refuses to under early stopping",
    )
    return twice | (anew if estimator.folds else {})


# what scikit-learn runs for its own estimators only, or leaves to whoever needs it
NOT_RUN_BY_ITSELF = [
    estimator_checks.check_param_validation,
    estimator_checks.check_dataframe_column_names_consistency,
    estimator_checks.check_estimators_pickle,
]

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",  # a hundred epochs are few for some of the checks
    "ignore:Got `batch_size`",
)


@parametrize_with_checks(ESTIMATORS)
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@parametrize_with_checks(ROWS_TOGETHER, expected_failed_checks=not_the_same_as_twice)
def test_checks_where_rows_are_not_alone(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(MORE)
def test_checks_of_more_options(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(MORE_TOGETHER, expected_failed_checks=not_the_same_as_twice)
def test_checks_of_more_options_where_rows_are_not_alone(estimator: Any, check: Any) -> None:
    check(estimator)


def test_why_weights_are_not_repetitions_there() -> None:
    """Without the option the same data pass; with it, rows of weight 0 still count in a batch's mean."""
    X = np.random.default_rng(0).normal(size=(12, 3))
    y, weights = X[:, 0], np.array([0.0, 1, 2] * 4)
    repeated = np.repeat(np.arange(12), weights.astype(int))
    for batch_norm, same in ((False, True), (True, False)):
        by_weight, by_rows = (
            MLPRegressor(batch_norm=batch_norm, max_iter=5, shuffle=False, random_state=0, batch_size=len(rows))
            .fit(X[rows], y[rows], given)
            .predict(X)
            for rows, given in ((np.arange(12), weights), (repeated, None))
        )
        assert np.allclose(by_weight, by_rows, atol=1e-9) == same
    start = MLPRegressor(batch_norm=True, max_iter=1, random_state=0, learning_rate_init=1e-12)
    means = [start.fit(X, y, one)._model.state["hidden_norm"]["mean"].copy() for one in (None, weights)]
    np.testing.assert_array_equal(*means)


@pytest.mark.parametrize("check", NOT_RUN_BY_ITSELF, ids=lambda check: check.__name__)
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_checks_that_it_does_not_run_by_itself(cls: type, check: Any) -> None:
    check(cls.__name__, cls(max_iter=100))


ARRAY_API = """
from sklearn.utils.estimator_checks import estimator_checks_generator
from chainrule import MLPClassifier, MLPRegressor
done = 0
for estimator in (MLPClassifier(max_iter=20), MLPRegressor(max_iter=20)):
    for one, check in estimator_checks_generator(estimator):
        if "array_api" in check.func.__name__:
            check(one)
            done += 1
print(done)
"""


@pytest.mark.slow
def test_the_check_that_wants_an_environment_variable() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ARRAY_API], env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stdout == "2\n", run.stderr


def test_class_weights() -> None:
    estimator_checks.check_class_weight_classifiers("MLPClassifier", MLPClassifier())
    X, y = make_classification(n_samples=600, class_sep=0.5, random_state=0)
    rare = np.flatnonzero((np.arange(600) < 300) & ((y == 0) | (np.arange(600) % 8 == 0)))  # tested on equal shares
    parts = X[rare], y[rare], X[300:], y[300:]
    classifier = MLPClassifier((4,), alpha=10.0)
    estimator_checks.check_class_weight_balanced_classifiers("MLPClassifier", classifier, *parts, [0.9, 0.1])


@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPClassifier(multi_output=True)], ids=["labels", "targets"])
def test_several_labels_and_several_targets(estimator: MLPClassifier) -> None:
    for check in (
        estimator_checks.check_classifier_multioutput,
        estimator_checks.check_classifiers_multilabel_representation_invariance,
        estimator_checks.check_classifiers_multilabel_output_format_predict,
        estimator_checks.check_classifiers_multilabel_output_format_predict_proba,
    ):
        check("MLPClassifier", estimator)


def test_several_numbers() -> None:
    estimator_checks.check_regressor_multioutput("MLPRegressor", MLPRegressor())
