"""scikit-learn's own callback protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

from chainrule import MLPClassifier
from chainrule.estimators.callback_protocol import SUPPORTED

pytestmark = [
    pytest.mark.skipif(not SUPPORTED, reason="this scikit-learn has no callbacks"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
X, y = load_iris(return_X_y=True)


class Recorder:
    def __init__(self, stop_at: int = 1000) -> None:
        self.stop_at = stop_at
        self.calls: list[str] = []
        self.scores: list[float] = []

    def setup(self, estimator: Any, context: Any) -> None:
        self.calls.append("setup")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any = None, y: Any = None, fitted_estimator: Any = None
    ) -> bool:
        self.calls.append(f"end {context.task_name}")
        if fitted_estimator is None:  # a task of a search
            return False
        self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) >= self.stop_at


def test_the_fit_and_every_epoch_are_tasks() -> None:
    recorder = Recorder()
    classifier = MLPClassifier(max_iter=3, random_state=0).set_callbacks(recorder).fit(X, y)
    epoch = ["begin epoch", "end epoch"]
    assert recorder.calls == ["setup", "begin fit", *epoch * 3, "end fit", "teardown"]
    assert recorder.scores[-1] == classifier.score(X, y)
    curve = MLPClassifier(max_iter=3, random_state=0).fit(X, y, X_val=X, y_val=y).validation_scores_
    np.testing.assert_allclose(recorder.scores[:3], curve)


def test_a_callback_can_stop_the_fit() -> None:
    recorder = Recorder(stop_at=2)
    assert MLPClassifier(max_iter=50).set_callbacks(recorder).fit(X, y).n_iter_ == 2
    assert recorder.calls[-1] == "teardown"


def test_it_is_torn_down_after_an_error() -> None:
    recorder = Recorder()
    with pytest.raises(ValueError, match="NaN"):
        MLPClassifier().set_callbacks(recorder).fit(np.full((10, 2), np.nan), np.arange(10))
    assert recorder.calls[-1] == "teardown"


def test_scikit_learns_own_monitor() -> None:
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    MLPClassifier(max_iter=3).set_callbacks(monitor).fit(X, y)
    log = monitor.get_logs()
    assert log is not None


class Propagated(Recorder):
    """A callback that a search hands down to what it fits."""

    @property
    def max_propagation_depth(self) -> int | None:
        return None


def test_a_search_hands_its_callbacks_down() -> None:
    recorder = Propagated()
    search = GridSearchCV(MLPClassifier(max_iter=2, random_state=0), {"alpha": [0.1, 0.2]}, cv=2, error_score="raise")
    search.set_callbacks(recorder).fit(X, y)
    assert recorder.calls.count("begin epoch") == recorder.calls.count("end epoch") == 5 * 2  # four fits and the last
    assert recorder.calls[0] == "setup"
    assert recorder.calls.count("setup") == recorder.calls.count("teardown") == 1  # the search's own business
    search.best_estimator_.fit(X, y)  # by itself it has no callbacks


def test_scikit_learns_own_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    from sklearn.callback import ProgressBar

    MLPClassifier(max_iter=2).set_callbacks(ProgressBar()).fit(X, y)
    assert "MLPClassifier" in capsys.readouterr().out
