"""Metrics against scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics as theirs
from registered import nothing_missing

from chainrule import InputError, Metric
from chainrule.metrics import METRICS, accuracy, get_metric, higher_is_better, r2

TOLERANCE = 1e-13  # a few roundings of sums of 50 numbers near 1


@pytest.fixture(params=[False, True], ids=["equal weights", "weights"])
def weights(request: pytest.FixtureRequest, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.1, 2, 50) if request.param else np.ones(50)


# the same of scikit-learn's; accuracy, which takes labels, is held against its own below
REGRESSION = [
    ("r2", lambda y, h, w: theirs.r2_score(y, h, sample_weight=w)),
    ("mean_absolute_error", lambda y, h, w: theirs.mean_absolute_error(y, h, sample_weight=w)),
    (
        "root_mean_squared_error",
        lambda y, h, w: math.sqrt(theirs.mean_squared_error(y, h, sample_weight=w)),
    ),
]


def test_every_metric_is_held_against_scikit_learn() -> None:
    nothing_missing({name for name, _ in REGRESSION} | {"accuracy"}, METRICS, "REGRESSION of tests/test_metrics.py")


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(("name", "expected"), REGRESSION)
def test_regression(name: str, expected: object, outputs: int, weights: np.ndarray, rng: np.random.Generator) -> None:
    y, h = rng.normal(size=(50, outputs)), rng.normal(size=(50, outputs))
    assert METRICS[name].function(y, h, weights) == pytest.approx(expected(y, h, weights), rel=TOLERANCE)


def test_accuracy_of_labels_one_hot_rows_and_probabilities(weights: np.ndarray, rng: np.random.Generator) -> None:
    h, labels = rng.dirichlet(np.ones(4), 50), rng.integers(4, size=50)
    expected = theirs.accuracy_score(labels, h.argmax(axis=1), sample_weight=weights)
    assert accuracy(labels, h, weights) == pytest.approx(expected, rel=TOLERANCE)
    assert accuracy(np.eye(4)[labels], h, weights) == pytest.approx(expected, rel=TOLERANCE)


def test_accuracy_of_yes_or_no(weights: np.ndarray, rng: np.random.Generator) -> None:
    h, y = rng.random((50, 1)), rng.integers(2, size=(50, 1)).astype(float)
    expected = theirs.accuracy_score(y[:, 0], h[:, 0] >= 0.5, sample_weight=weights)
    assert accuracy(y, h, weights) == pytest.approx(expected, rel=TOLERANCE)


def test_r2_of_a_constant_target_is_not_a_number() -> None:
    assert math.isnan(r2(np.ones((3, 1)), np.ones((3, 1)), np.ones(3)))


def test_perfect_predictions() -> None:
    y = np.array([[1.0], [2.0]])
    scores = {name: metric.function(y, y, np.ones(2)) for name, metric in METRICS.items() if name != "accuracy"}
    assert scores == {"r2": 1, "mean_absolute_error": 0, "root_mean_squared_error": 0}


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("loss", False), ("validation_loss", False), ("accuracy", True), ("validation_accuracy", True),
        ("mood_accuracy", True), ("validation_mood_accuracy", True), ("r2", True), ("age_mean_absolute_error", False),
        ("unknown", False),
    ],
)  # fmt: skip
def test_which_way_is_better(name: str, higher: bool) -> None:
    assert higher_is_better(name) is higher


def test_names_and_objects() -> None:
    own = Metric("bias", lambda y, h, w: float((h - y).mean()), False, "mean (h - y)")
    assert get_metric(own) is own
    assert get_metric("r2") is METRICS["r2"]
    for given in ("acuracy", 3, None):
        with pytest.raises(InputError, match="there is no metric"):
            get_metric(given)
    with pytest.raises(InputError, match='Did you mean "accuracy"'):
        get_metric("acuracy")
