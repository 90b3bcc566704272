"""scikit-learn's own arguments give scikit-learn's own numbers, attributes, warnings and errors."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pairwise import pairwise
from registered import ENGINES
from sklearn import neural_network
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from chainrule import MLPClassifier, MLPRegressor, load

IRIS, SPECIES = load_iris(return_X_y=True)
DIABETES, PROGRESSION = load_diabetes(return_X_y=True)
DIABETES, PROGRESSION = DIABETES * 10, PROGRESSION / 100
LABELLED, LABELS = make_multilabel_classification(n_samples=80, n_features=5, n_classes=4, random_state=0)
LABELLED = LABELLED / 10
WEIGHTS = np.random.default_rng(0).uniform(0.1, 3, len(IRIS))

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS: list[dict[str, Any]] = [
    {},
    {"shuffle": False},
    {"batch_size": 20},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (7, 5), "activation": "logistic"},
    {"hidden_layer_sizes": [9], "activation": "tanh", "alpha": 0.5, "batch_size": 31},
    {"activation": "identity", "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "learning_rate_init": 0.01},
    {"solver": "sgd", "learning_rate_init": 0.05, "batch_size": 30},
    {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.0},
    {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.5, "nesterovs_momentum": False, "batch_size": 30},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.2, "power_t": 0.3, "batch_size": 30},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "n_iter_no_change": 2, "tol": 1e-2},
    {"early_stopping": True, "n_iter_no_change": 3, "batch_size": 30},
    {"early_stopping": True, "validation_fraction": 0.3, "solver": "sgd", "tol": 0.05},
]  # fmt: skip


def pair(cls: Any, twin: Any, X: Any, y: Any, **settings: Any) -> tuple[Any, Any]:
    """Ours and theirs, fitted in the same way."""
    engine = settings.pop("engine")
    weights = settings.pop("sample_weight", None)
    settings = {"max_iter": 50, "random_state": 3, **settings}
    return cls(engine=engine, **settings).fit(X, y, weights), twin(**settings).fit(X, y, weights)


def assert_same(ours: Any, theirs: Any, X: Any, loss_factor: float = 1.0) -> None:
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for a, b in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)
        assert a.dtype == b.dtype
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, atol=1e-9)
    np.testing.assert_allclose(ours.loss_, theirs.loss_, atol=1e-9)
    for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
        mine, yours = getattr(ours, name), getattr(theirs, name)
        assert (mine is None) == (yours is None), name
        if mine is not None:
            np.testing.assert_allclose(mine, yours, atol=1e-9)
    np.testing.assert_allclose(ours.predict(X[:20]), theirs.predict(X[:20]), atol=1e-8)


@pytest.mark.parametrize(
    ("settings", "problem", "engine"),
    pairwise(SETTINGS, ["three classes", "two classes", "labels", "numbers"], ENGINES),
    ids=str,
)
def test_the_same_numbers_shuffled_or_not(problem: str, settings: dict[str, Any], engine: str) -> None:
    if problem == "numbers":
        X, y, classes = DIABETES[:150], PROGRESSION[:150], (MLPRegressor, neural_network.MLPRegressor)
    else:
        classes = (MLPClassifier, neural_network.MLPClassifier)
        X, y = (LABELLED, LABELS) if problem == "labels" else (IRIS, SPECIES if "three" in problem else SPECIES > 0)
    ours, theirs = pair(*classes, X, y, **settings, engine=engine)
    assert_same(ours, theirs, X)
    if problem != "numbers":
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"batch_size": 40}, {"early_stopping": True}], ids=str)
def test_the_same_with_weights(settings: dict[str, Any], engine: str) -> None:
    """Their epoch's loss counts batches by rows, not by weight, and their penalty is divided by the weight."""
    settings = {"alpha": 1.0, "sample_weight": WEIGHTS, **settings}
    ours, theirs = pair(MLPClassifier, neural_network.MLPClassifier, IRIS, SPECIES, **settings, engine=engine)
    assert_same(ours, theirs, IRIS)
    ours, theirs = pair(MLPRegressor, neural_network.MLPRegressor, IRIS[:, :3], IRIS[:, 3], **settings, engine=engine)
    assert_same(ours, theirs, IRIS[:, :3])


def test_the_same_for_counts(engine: str) -> None:
    counts = np.round(PROGRESSION * 2)
    ours, theirs = pair(
        MLPRegressor, neural_network.MLPRegressor, DIABETES, counts, loss="poisson", batch_size=100, engine=engine
    )
    assert_same(ours, theirs, DIABETES)


@pytest.mark.parametrize(
    "settings",
    [{}, {"alpha": 1.0, "activation": "tanh"}, {"max_fun": 20}, {"alpha": 5.0, "sample_weight": WEIGHTS}],
    ids=["", "alpha", "max_fun", "weights"],
)
def test_the_same_with_lbfgs(settings: dict[str, Any], engine: str) -> None:
    settings = {"solver": "lbfgs", "hidden_layer_sizes": (6,), **settings, "engine": engine}
    for ours, theirs, X in (
        (*pair(MLPClassifier, neural_network.MLPClassifier, IRIS, SPECIES, **settings), IRIS),
        (*pair(MLPClassifier, neural_network.MLPClassifier, IRIS, SPECIES > 0, **settings), IRIS),
        (*pair(MLPRegressor, neural_network.MLPRegressor, DIABETES[:150], PROGRESSION[:150], **settings), DIABETES),
    ):
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-6)
        assert ours.predict(X) == pytest.approx(theirs.predict(X), abs=1e-4)
        assert not hasattr(ours, "loss_curve_")


def test_several_targets_follow_their_gradient_and_report_its_own_loss(engine: str) -> None:
    """Their loss is the mean over three targets, their gradient that of the sum: ours are both of the sum."""
    y = IRIS[:, 1:]
    settings = {"n_iter_no_change": 1000, "alpha": 0.0, "engine": engine}
    ours, theirs = pair(MLPRegressor, neural_network.MLPRegressor, IRIS[:, :1], y, **settings)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-8)
    np.testing.assert_allclose(ours.loss_curve_, 3 * np.array(theirs.loss_curve_), atol=1e-9)


def test_partial_fits_and_warm_starts_follow_theirs(engine: str) -> None:
    for settings in ({}, {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1}):
        ours = MLPClassifier(random_state=1, engine=engine, **settings)
        theirs = neural_network.MLPClassifier(random_state=1, **settings)
        for _ in range(4):
            for rows in (slice(0, 100), slice(50, 150)):
                for classifier in (ours, theirs):
                    classifier.partial_fit(IRIS[rows], SPECIES[rows], classes=[0, 1, 2])
        assert_same(ours, theirs, IRIS)
        ours, theirs = (one.set_params(warm_start=True, max_iter=7).fit(IRIS, SPECIES) for one in (ours, theirs))
        ours, theirs = (one.fit(IRIS[:140], SPECIES[:140]) for one in (ours, theirs))
        assert_same(ours, theirs, IRIS)
        ours, theirs = (one.partial_fit(IRIS, SPECIES) for one in (ours, theirs))
        assert_same(ours, theirs, IRIS)


def test_a_warm_start_that_improves_nothing_under_early_stopping() -> None:
    """Theirs keeps the last weights then, since its best ones are the same arrays; `restore_best` brings ours back."""
    settings: dict[str, Any] = {
        "early_stopping": True, "warm_start": True, "max_iter": 3, "solver": "sgd", "learning_rate_init": 0.05,
        "random_state": 0, "validation_fraction": 0.35, "tol": 0.0,
    }  # fmt: skip
    ours, restored = MLPClassifier(**settings), MLPClassifier(**settings, restore_best=True)
    theirs = neural_network.MLPClassifier(**settings)
    differed = False
    for _ in range(8):
        for one in (ours, theirs, restored):
            one.fit(IRIS, SPECIES)
        assert_same(ours, theirs, IRIS)
        assert ours.best_validation_score_ == max(ours.validation_scores_)
        differed = differed or bool((restored.coefs_[0] != ours.coefs_[0]).any())
    assert differed


def test_a_global_stream_is_used_as_theirs_is() -> None:
    for state in (None, "instance"):
        predictions = []
        for cls in (MLPClassifier, neural_network.MLPClassifier):
            np.random.seed(7)  # noqa: NPY002  # scikit-learn's own stream
            given = np.random.RandomState(5) if state else None
            classifier = cls(random_state=given, max_iter=5, batch_size=50, early_stopping=True)
            predictions.append(classifier.fit(IRIS, SPECIES).predict_proba(IRIS))
            after = np.random.rand() if given is None else given.rand()  # noqa: NPY002
            predictions[-1] = np.append(predictions[-1], after)
        np.testing.assert_allclose(*predictions, atol=1e-12)


def test_float32_trains_in_float32(engine: str) -> None:
    X = IRIS.astype(np.float32)
    classifier = MLPClassifier(max_iter=5, engine=engine).fit(X, SPECIES)
    assert {array.dtype for array in classifier.coefs_ + classifier.intercepts_} == {np.dtype(np.float32)}
    assert classifier.predict_proba(X).dtype == np.float32
    assert MLPRegressor(max_iter=5, engine=engine).fit(X, SPECIES).predict(X).dtype == np.float32


def test_assigned_weights_are_the_weights_used_next(engine: str) -> None:
    classifier = MLPClassifier((4,), max_iter=5, random_state=0, engine=engine).fit(IRIS, SPECIES)
    other = neural_network.MLPClassifier((4,), max_iter=9, random_state=1).fit(IRIS, SPECIES)
    classifier.coefs_, classifier.intercepts_ = other.coefs_, other.intercepts_  # new lists
    np.testing.assert_allclose(classifier.predict_proba(IRIS), other.predict_proba(IRIS), atol=1e-12)
    classifier.coefs_[1] = np.zeros((4, 3))  # one array in the list
    classifier.intercepts_[1][...] = 0  # elements of an array
    assert classifier.predict_proba(IRIS) == pytest.approx(1 / 3)
    wider = neural_network.MLPClassifier((6,), max_iter=9, random_state=1).fit(IRIS, SPECIES)
    classifier.coefs_, classifier.intercepts_ = wider.coefs_, wider.intercepts_  # even of another shape
    np.testing.assert_allclose(classifier.predict_proba(IRIS), wider.predict_proba(IRIS), atol=1e-12)
    classifier = MLPClassifier((4,), max_iter=5, random_state=0, engine=engine, warm_start=True).fit(IRIS, SPECIES)
    classifier.coefs_ = [np.zeros((4, 4)), np.zeros((4, 3))]
    classifier.intercepts_ = [np.zeros(4), np.zeros(3)]
    classifier.set_params(learning_rate_init=1e-12, max_iter=1).fit(IRIS, SPECIES)
    assert abs(classifier.coefs_[0]).max() < 1e-9
    classifier.coefs_[0] = np.zeros((4, 5))
    with pytest.raises(ValueError, match="shape"):
        classifier.predict(IRIS)


def test_weights_without_a_fit(engine: str) -> None:
    """A network put together from arrays, as people do with scikit-learn's."""
    for y in (SPECIES, SPECIES > 0):
        fitted = neural_network.MLPClassifier((4,), max_iter=9, random_state=1).fit(IRIS, y)
        ours = MLPClassifier((4,), engine=engine)
        for name in ("coefs_", "intercepts_", "n_layers_", "out_activation_", "classes_", "_label_binarizer"):
            setattr(ours, name, getattr(fitted, name))
        np.testing.assert_array_equal(ours.predict(IRIS), fitted.predict(IRIS))
        np.testing.assert_allclose(ours.predict_proba(IRIS), fitted.predict_proba(IRIS), atol=1e-12)
        without = MLPClassifier((4,), engine=engine)
        without.coefs_, without.intercepts_, without.classes_ = fitted.coefs_, fitted.intercepts_, fitted.classes_
        np.testing.assert_array_equal(without.predict(IRIS), fitted.predict(IRIS))
        assert without.partial_fit(IRIS, y).loss_ > 0
    numbers = neural_network.MLPRegressor(hidden_layer_sizes=(4,), max_iter=9).fit(IRIS[:, :2], IRIS[:, 2:])
    ours = MLPRegressor(hidden_layer_sizes=(4,), engine=engine)
    ours.coefs_, ours.intercepts_ = numbers.coefs_, numbers.intercepts_
    np.testing.assert_allclose(ours.predict(IRIS[:, :2]), numbers.predict(IRIS[:, :2]), atol=1e-12)
    assert ours.network_.count().total == 4 * 3 + 2 * 5


def test_private_names_that_people_read() -> None:
    for solver, rate in (("sgd", "invscaling"), ("sgd", "adaptive"), ("adam", "constant")):
        ours, theirs = pair(
            MLPClassifier, neural_network.MLPClassifier, IRIS, SPECIES, solver=solver, learning_rate=rate, engine="auto"
        )
        if solver == "sgd":  # Adam's there is the one corrected for its first steps
            assert ours._optimizer.learning_rate == pytest.approx(theirs._optimizer.learning_rate)
        assert ours._no_improvement_count == theirs._no_improvement_count
        assert ours._label_binarizer.y_type_ == theirs._label_binarizer.y_type_
        assert list(ours._label_binarizer.classes_) == list(theirs._label_binarizer.classes_)


def test_their_warnings() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Stochastic Optimizer: Maximum iterations \(3\) reached"):
        MLPClassifier(max_iter=3).fit(IRIS, SPECIES)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        MLPClassifier(solver="lbfgs", max_iter=3).fit(IRIS, SPECIES)
    with pytest.warns(UserWarning, match="Got `batch_size` less than 1 or larger"):
        MLPClassifier(max_iter=3, batch_size=1000).fit(IRIS, SPECIES)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_warnings_stand_at_the_call_and_filters_for_theirs_find_them(solver: str) -> None:
    classifier = MLPClassifier(max_iter=3, solver=solver, batch_size=1000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        classifier.fit(IRIS, SPECIES)
    assert caught
    assert {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")  # as in their examples
        classifier.fit(IRIS, SPECIES)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MLPClassifier(hidden_layer_sizes=(3.5,)).fit(IRIS, SPECIES), TypeError, r"whole numbers, got \[3.5\]"),
        (lambda: MLPClassifier(hidden_layer_sizes=(3, 0)).fit(IRIS, SPECIES), ValueError, "hidden_layer_sizes must be"),
        (lambda: MLPClassifier(solver="adma").fit(IRIS, SPECIES), ValueError, "The 'solver' parameter of"),
        (lambda: MLPClassifier().partial_fit(IRIS, SPECIES), ValueError, "classes must be passed"),
        (
            lambda: MLPClassifier(early_stopping=True).partial_fit(IRIS, SPECIES, classes=[0, 1, 2]),
            ValueError, "partial_fit does not support early_stopping=True",
        ),
        (lambda: MLPClassifier(solver="lbfgs").partial_fit, AttributeError, "partial_fit"),
        (lambda: MLPClassifier(early_stopping=True).fit(IRIS[:8], SPECIES[:8]), ValueError, "validation set is too"),
        (lambda: MLPClassifier().fit(IRIS, np.c_[SPECIES, SPECIES]), ValueError, "Multioutput target data"),
        (
            lambda: MLPClassifier().partial_fit(IRIS, SPECIES, classes=[0, 1, 2]).partial_fit(IRIS, SPECIES + 1),
            ValueError, "`y` has classes not in",
        ),
        (
            lambda: MLPClassifier(max_iter=2, warm_start=True).fit(IRIS, SPECIES).fit(IRIS[:80], SPECIES[:80]),
            ValueError, "warm_start can only be used where",
        ),
        (
            lambda: MLPRegressor(activation="identity", solver="sgd", learning_rate_init=9).fit(IRIS * 1e3, SPECIES),
            ValueError, r"Solver produced non-finite parameter weights\. .* preprocessed\. The loss became NaN",
        ),
    ],
)  # fmt: skip
def test_their_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_diverging_loss_with_early_stopping_ends_as_theirs(engine: str) -> None:
    """They go on to the last epoch with a loss of NaN, and bring back the last finite weights."""
    settings = {
        "activation": "identity", "solver": "sgd", "learning_rate_init": 1, "max_iter": 20, "early_stopping": True,
    }  # fmt: skip
    with np.errstate(all="ignore"):
        ours, theirs = pair(MLPRegressor, neural_network.MLPRegressor, IRIS, SPECIES, **settings, engine=engine)
    assert np.isnan(ours.validation_scores_[-1])
    assert isinstance(ours.validation_scores_[-1], float)
    assert len(ours.loss_curve_) == ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-6)


def test_verbose_says_what_theirs_says(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    settings = {
        "verbose": True, "early_stopping": True, "solver": "sgd", "learning_rate": "adaptive", "tol": 0.1,
        "learning_rate_init": 1e-3, "n_iter_no_change": 1,
    }  # fmt: skip
    for cls in (MLPClassifier, neural_network.MLPClassifier):
        cls(random_state=0, max_iter=40, **settings).fit(IRIS, SPECIES)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_scores_are_theirs() -> None:
    X, X_test, y, y_test = train_test_split(IRIS, SPECIES, random_state=0)
    ours, theirs = pair(MLPClassifier, neural_network.MLPClassifier, X, y, engine="auto")
    assert ours.score(X_test, y_test) == theirs.score(X_test, y_test)


def test_partial_fit_of_the_regressor_searches_on_with_lbfgs() -> None:
    """scikit-learn's classifier refuses it, its regressor doesn't."""
    settings: dict[str, Any] = {"hidden_layer_sizes": (5,), "solver": "lbfgs", "max_iter": 5, "random_state": 0}
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = X[:, 0] - X[:, 1] ** 2
    own, other = MLPRegressor(**settings), neural_network.MLPRegressor(**settings)
    for _ in range(3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own.partial_fit(X, y)
            other.partial_fit(X, y)
        np.testing.assert_allclose(own.coefs_[0], other.coefs_[0], rtol=1e-6, atol=1e-8)
        assert (own.n_iter_, own.n_features_in_) == (other.n_iter_, other.n_features_in_)


@pytest.mark.parametrize("classes", [[0], [1], [0, 1], [0, 5], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("y", [[[0, 0]], [[1, 1], [0, 1]], [[0, 1, 1], [0, 0, 1]]], ids=str)
def test_classes_of_several_labels_are_compared_as_theirs(classes: list[int], y: list[Any], tmp_path: Path) -> None:
    """With what `partial_fit` was told of, not with how many labels there are; and such an estimator can be saved."""
    X, targets = np.ones((len(y), 2)), np.array(y)

    def fitted(cls: Any) -> Any:
        try:
            return cls((3,)).partial_fit(X, targets, classes=classes)
        except ValueError as error:
            return str(error)

    ours, theirs = fitted(MLPClassifier), fitted(neural_network.MLPClassifier)
    if isinstance(theirs, str):
        assert ours == theirs
    else:
        ours.save(tmp_path / "saved")
        np.testing.assert_array_equal(load(tmp_path / "saved").predict_proba(X), ours.predict_proba(X))
