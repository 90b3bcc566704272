"""The estimators among scikit-learn's other tools, and with the tables of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from chainrule import MLPClassifier, MLPRegressor, NetworkError

X, y = load_iris(return_X_y=True)
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
FAST: dict[str, Any] = {"hidden_layer_sizes": (6,), "max_iter": 40, "learning_rate_init": 0.02, "random_state": 0}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_pipeline_and_column_transformer() -> None:
    table = pd.DataFrame(X, columns=NAMES).assign(colour=np.where(y == 0, "blue", "red"))
    columns = ColumnTransformer([("numbers", StandardScaler(), NAMES), ("words", OneHotEncoder(), ["colour"])])
    assert make_pipeline(columns, MLPClassifier(**FAST)).fit(table, y).score(table, y) > 0.9


def test_cross_validation_calibration_importance_and_clone() -> None:
    classifier = MLPClassifier(**FAST)
    assert cross_val_score(make_pipeline(StandardScaler(), classifier), X, y, cv=3).mean() > 0.85
    assert CalibratedClassifierCV(classifier, cv=2).fit(X, y).predict_proba(X).shape == (150, 3)
    fitted = clone(classifier).fit(X, y)
    importance = permutation_importance(fitted, X, y, n_repeats=2, random_state=0).importances_mean
    assert importance.argmax() in (2, 3)  # the petals tell the species
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        again.predict(X)
    assert not hasattr(again, "network_")


def test_metadata_routing() -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = MLPClassifier(**FAST).set_fit_request(sample_weight=True, X_val=True, y_val=True)
        classifier.set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler(), classifier, transform_input=["X_val"])
        pipeline.named_steps["standardscaler"].set_fit_request(sample_weight=False)
        pipeline.fit(X, y, sample_weight=np.ones(150), X_val=X[::2], y_val=y[::2])
        network = pipeline[-1]
        scaled = pipeline[0].transform(X[::2])
        assert network.validation_scores_[-1] == network.score(scaled, y[::2])
        scores = cross_validate(
            MLPClassifier(**FAST).set_fit_request(sample_weight=True).set_score_request(sample_weight=False),
            X, y, cv=2, params={"sample_weight": np.ones(150)},
        )  # fmt: skip
        assert len(scores["test_score"]) == 2
        asks = {"X_val": True, "y_val": True, "sample_weight_val": True, "sample_weight": True}
        classifier = MLPClassifier(**FAST).set_fit_request(**asks).set_score_request(sample_weight=True)
        search = GridSearchCV(classifier, {"alpha": [0.1, 0.2]}, cv=2, error_score="raise")
        search.fit(X, y, X_val=X[:40], y_val=y[:40], sample_weight_val=np.ones(40), sample_weight=np.ones(150))
        assert search.best_estimator_.validation_scores_[-1] == search.best_estimator_.score(X[:40], y[:40])
        parts = MLPClassifier(**FAST).set_partial_fit_request(classes=True, X_val=True, y_val=True)
        assert parts.get_metadata_routing().partial_fit.requests["X_val"] is True


FRAMES = {
    "pandas": lambda array: pd.DataFrame(array, columns=NAMES),
    "polars": lambda array: pl.DataFrame(array, schema=NAMES),
    "pyarrow": lambda array: pa.table({name: array[:, i] for i, name in enumerate(NAMES)}),
}
LABELS = {
    "pandas": pd.Series(y).map({0: "setosa", 1: "versicolor", 2: "virginica"}),
    "polars": pl.Series(y).cast(pl.String),
    "pyarrow": pa.chunked_array([y.astype(str)]),
}


@pytest.mark.parametrize("library", FRAMES)
def test_tables_of_other_libraries(library: str) -> None:
    table, labels = FRAMES[library](X), LABELS[library]
    classifier = MLPClassifier(**FAST).fit(table, labels)
    assert list(classifier.feature_names_in_) == NAMES
    same = MLPClassifier(**FAST).fit(X, y)
    np.testing.assert_allclose(classifier.predict_proba(table), same.predict_proba(X))
    assert classifier.score(table, np.asarray(labels)) == same.score(X, y)
    with pytest.warns(UserWarning, match="valid feature names"):
        classifier.predict(X)
    regressor = MLPRegressor(**FAST).fit(table, X[:, 0])
    assert regressor.predict(table).shape == (150,)
    classifier.fit(table, labels, X_val=table, y_val=labels)
    assert classifier.validation_scores_[-1] == classifier.score(table, np.asarray(labels))


@pytest.mark.parametrize(("library", "n_jobs"), [("numpy", 1), *((library, 2) for library in ("numpy", *FRAMES))])
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
def test_grid_search(library: str, n_jobs: int) -> None:
    """With two jobs estimators go to worker processes and come back as pickles."""
    table, labels = (X, y) if library == "numpy" else (FRAMES[library](X), np.asarray(LABELS[library]))
    grid = {"alpha": [1e-4, 1.0], "n_members": [1, 2]}
    settings = {**FAST, "max_iter": 5}
    search = GridSearchCV(MLPClassifier(**settings), grid, cv=2, n_jobs=n_jobs, error_score="raise")
    search.fit(table, labels)
    alone = GridSearchCV(MLPClassifier(**settings), grid, cv=2, error_score="raise").fit(X, y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    assert search.best_estimator_.predict(table).shape == (150,)
    if library != "numpy":
        assert list(search.best_estimator_.feature_names_in_) == NAMES


def test_fitted_estimators_come_back_from_workers_as_they_were() -> None:
    """`cross_validate` returns the fitted ones of each fold."""
    folds = cross_validate(MLPRegressor(**FAST), X, X[:, 0], cv=2, n_jobs=2, return_estimator=True)
    for estimator, score in zip(folds["estimator"], folds["test_score"], strict=True):
        assert score <= 1
        assert estimator.partial_fit(X, X[:, 0]).predict(X).shape == (150,)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_sparse_rows(container: Any, settings: dict[str, Any]) -> None:
    rows = np.where(X > 2, X, 0)
    dense, thin = (MLPClassifier(**FAST, **settings).fit(kind(rows), y) for kind in (np.asarray, container))
    np.testing.assert_allclose(thin.coefs_[0], dense.coefs_[0])
    np.testing.assert_allclose(thin.predict_proba(container(rows)), dense.predict_proba(rows))
    regressor = MLPRegressor(**FAST).partial_fit(container(rows), X[:, 0])
    assert regressor.predict(container(rows)).shape == (150,)


def test_tags_are_true() -> None:
    tags = get_tags(MLPClassifier())
    assert tags.classifier_tags.multi_label
    assert tags.input_tags.sparse
    assert not tags.input_tags.allow_nan
    assert not tags.target_tags.multi_output
    assert get_tags(MLPClassifier(multi_output=True)).target_tags.multi_output
    assert get_tags(MLPRegressor()).target_tags.multi_output
    assert get_tags(MLPRegressor("poisson")).target_tags.positive_only
    assert not get_tags(MLPRegressor()).target_tags.positive_only


def test_scorers_take_them() -> None:
    fitted = MLPClassifier(**FAST).fit(X, y)
    assert get_scorer("roc_auc_ovr")(fitted, X, y) > 0.8
    assert get_scorer("r2")(MLPRegressor(**FAST).fit(X, X[:, 0]), X, X[:, 0]) > 0


def test_validation_rows_of_their_own() -> None:
    """`X_val` takes the place of the split: every row is trained on."""
    rows, held = np.arange(150) % 3 > 0, np.arange(150) % 3 == 0
    given = MLPClassifier(**FAST).fit(X[rows], y[rows], X_val=X[held], y_val=y[held])
    assert given.loss_curve_ == MLPClassifier(**FAST).fit(X[rows], y[rows]).loss_curve_  # it only looks
    assert len(given.validation_loss_curve_) == len(given.validation_scores_) == 40
    assert given.validation_scores_[-1] == given.score(X[held], y[held])
    early = MLPClassifier(**{**FAST, "max_iter": 400}, early_stopping=True, n_iter_no_change=5)
    early.fit(X[rows], y[rows], X_val=X[held], y_val=y[held])
    assert early.n_iter_ < 400
    assert early.t_ == 100 * early.n_iter_
    assert early.score(X[held], y[held]) == early.best_validation_score_
    weights = np.where(y[held] == 0, 1.0, 0.0)
    weighted = MLPClassifier(**FAST).fit(X[rows], y[rows], X_val=X[held], y_val=y[held], sample_weight_val=weights)
    assert weighted.validation_scores_[-1] == weighted.score(X[held], y[held], weights)
    slow = MLPClassifier(**FAST, solver="lbfgs", early_stopping=True, n_iter_no_change=3)
    assert slow.fit(X[rows], y[rows], X_val=X[held], y_val=y[held]).n_iter_ <= 40
    with pytest.raises(ValueError, match="X_val and y_val belong together"):
        MLPClassifier().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="classes not in"):
        MLPClassifier().fit(X[:100], y[:100], X_val=X, y_val=y)
    with pytest.raises(ValueError, match="features"):
        MLPClassifier().fit(X, y, X_val=X[:, :2], y_val=y)


def test_partial_fit_with_early_stopping() -> None:
    classifier = MLPClassifier(**FAST, early_stopping=True, n_iter_no_change=3)
    for _ in range(300):
        classifier.partial_fit(X[::2], y[::2], classes=[0, 1, 2], X_val=X[1::2], y_val=y[1::2])
        if classifier.stopped_:
            break
    assert classifier.stopped_
    assert classifier.score(X[1::2], y[1::2]) == classifier.best_validation_score_


def test_the_glass_box() -> None:
    classifier = MLPClassifier(**FAST).fit(X, y)
    assert classifier.network_.count().total == 6 * 5 + 3 * 7
    loss, gradients = classifier.loss_and_gradients(X, y)
    assert loss == pytest.approx(classifier.loss_, rel=0.1)
    step = 1e-6
    before = classifier.coefs_[0].copy()
    classifier.coefs_[0][2, 1] += step
    above = classifier.loss_and_gradients(X, y)[0]
    classifier.coefs_[0] = before
    assert (above - classifier.loss_and_gradients(X, y)[0]) / step == pytest.approx(
        gradients["hidden"]["W"][2, 1], rel=1e-3
    )
    assert (classifier.gradients(X, y)["hidden"]["W"] == gradients["hidden"]["W"]).all()
    assert MLPRegressor(**FAST).fit(X, X[:, :2]).gradients(X, X[:, :2])["output"]["b"].shape == (2,)
    assert not issubclass(NetworkError, AttributeError)


def test_explanations_have_the_same_numbers() -> None:
    classifier = MLPClassifier(**FAST, alpha=0.0).fit(X, y)
    gradients = classifier.gradients(X[:1], y[:1])
    work = classifier.explain(X[0], y[0])
    assert float(work["dL/dW[hidden,1,2]"]) == pytest.approx(gradients["hidden"]["W"][0, 1])
