"""Scores, and those of the trivial prediction."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.metrics import METRICS, higher_is_better
from chainrule.tables.scores import REGRESSION, Baseline, score
from chainrule.tables.target import TargetPlan

CLASSES = TargetPlan("y", "classification", "text", classes=("a", "b", "c"), counts=(5, 3, 2))
NUMBERS = TargetPlan("y", "regression", "numbers", mean=10.0, scale=2.0)


def test_classification():
    chances = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.0, 0.0, 1.0]])
    scores = score(CLASSES, np.array([0, 1, 1, 2]), chances)
    assert scores["accuracy"] == 0.75
    assert scores["log_loss"] == pytest.approx(-(math.log(0.5) + math.log(0.8) + math.log(0.3)) / 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_of_zero_still_gives_a_number(dtype):
    scores = score(CLASSES, np.array([1]), np.array([[1, 0, 0]], dtype=dtype))
    assert scores["accuracy"] == 0
    assert 80 < scores["log_loss"] < 100


def test_regression():
    truth, predicted = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [3.0], [2.0]])
    scores = score(NUMBERS, truth, predicted)
    assert tuple(scores) == REGRESSION
    assert scores["mean_absolute_error"] == 1
    assert scores["root_mean_squared_error"] == pytest.approx(math.sqrt(5 / 3))
    assert scores["r2"] == pytest.approx(1 - 5 / (14 / 3))


def test_one_row_has_no_r2():
    assert math.isnan(score(NUMBERS, np.array([[1.0]]), np.array([[2.0]]))["r2"])


def test_the_baseline_of_classes_is_their_shares():
    baseline = Baseline.fit(CLASSES, np.array([0, 0, 0, 1]))
    assert baseline.shares == (0.75, 0.25, 0.0)
    assert baseline.name == "majority class"
    assert baseline.predict(2).tolist() == [[0.75, 0.25, 0.0]] * 2
    assert score(CLASSES, np.array([0, 1]), baseline.predict(2))["accuracy"] == 0.5


def test_the_baseline_of_numbers_is_their_mean():
    baseline = Baseline.fit(NUMBERS, np.array([-1.0, 1.0]))
    assert (baseline.mean, baseline.name) == (10.0, "mean")
    truth = np.array([[8.0], [12.0]])
    assert score(NUMBERS, truth, baseline.predict(2)) == {
        "r2": 0.0, "root_mean_squared_error": 2.0, "mean_absolute_error": 2.0,
    }  # fmt: skip


def test_which_scores_are_better_when_higher():
    assert higher_is_better("accuracy")
    assert higher_is_better("r2")
    assert not higher_is_better("log_loss")
    assert not higher_is_better("root_mean_squared_error")
    assert set(REGRESSION) <= set(METRICS)
