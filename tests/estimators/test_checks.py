"""scikit-learn's own checks of an estimator: all of them, with no failure expected."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import MLPClassifier, MLPRegressor

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(max_iter=100),
    MLPClassifier(solver="lbfgs", max_iter=100),
    MLPRegressor(solver="sgd", learning_rate_init=0.01, clip_norm=10.0, max_iter=100),
    MLPClassifier(multi_output=True, max_iter=100),
    MLPClassifier(hidden_layer_sizes=(20,), n_members=2, missing_values="mean", clip_norm=10.0, max_iter=100),
    MLPRegressor("huber", (20,), learning_rate_init=0.01, n_members=3, missing_values="zero", max_iter=100),
]

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


@pytest.mark.parametrize("check", NOT_RUN_BY_ITSELF, ids=lambda check: check.__name__)
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_checks_that_it_does_not_run_by_itself(cls: type, check: Any) -> None:
    check(cls.__name__, cls(max_iter=100))


def test_class_weights() -> None:
    estimator_checks.check_class_weight_classifiers("MLPClassifier", MLPClassifier())


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
