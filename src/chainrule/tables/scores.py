"""How good predictions are, beside what the trivial prediction scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.metrics import METRICS
from chainrule.tables.target import TargetPlan

Numbers = dict[str, float]
REGRESSION = ("r2", "root_mean_squared_error", "mean_absolute_error")


@dataclass(frozen=True)
class Baseline:
    """The trivial prediction: the shares of the classes in the training rows, or the mean of their targets."""

    shares: tuple[float, ...] = ()
    mean: float = 0.0

    @classmethod
    def fit(cls, target: TargetPlan, encoded: AnyArray) -> Baseline:
        """The baseline of training rows, whose targets are given as `TargetPlan.encode` gives them."""
        if target.task == "regression":
            return cls(mean=float(target.mean))
        counts = np.bincount(encoded.astype(np.int64), minlength=len(target.classes))
        return cls(shares=tuple(float(share) for share in counts / counts.sum()))

    @property
    def name(self) -> str:
        """What it predicts."""
        return "majority class" if self.shares else "mean"

    def predict(self, n_rows: int) -> Doubles:
        """The same prediction for every row: probabilities (rows, classes), or numbers (rows, 1)."""
        row = self.shares or (self.mean,)
        return np.tile(np.array(row), (n_rows, 1))


def score(target: TargetPlan, truth: AnyArray, predicted: AnyArray) -> Numbers:
    """Scores by name.

    Classification: `accuracy`, and `log_loss`, the mean of `-log p(true class)`; `truth` holds places in
    `target.classes`, `predicted` probabilities (rows, classes). Regression: `r2` and two errors in the target's own
    unit; both arrays are (rows, 1).
    """
    ones = np.ones(len(truth))
    if target.task == "regression":
        return {name: METRICS[name].function(truth, predicted, ones) for name in REGRESSION}
    smallest = np.finfo(np.float32).tiny  # a probability that rounds to 0 still gives a number
    true_class = np.maximum(predicted[np.arange(len(truth)), truth], smallest)
    return {
        "accuracy": METRICS["accuracy"].function(truth, predicted, ones),
        "log_loss": float(-np.log(true_class).mean()),
    }
