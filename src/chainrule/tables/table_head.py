"""One target of a table model: what is known of it, and what outputs of its head say in the target's own values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.tables.calibration import Calibration, fit_temperature
from chainrule.tables.portfolio import Judged
from chainrule.tables.scores import Baseline, Numbers, score
from chainrule.tables.target import TargetPlan

if TYPE_CHECKING:
    import polars as pl


@dataclass
class TableHead:
    """A target with its baseline, its calibration and its scores.

    Arguments:
        target: what is predicted, and how numbers become its values.
        baseline: the answer without a look at the columns.
        calibration: what was learned of out-of-fold rows about answers.
        test_scores: of the rows that training never saw.
        test_baseline: the baseline's, of the same rows.
        oof_scores: out of fold: of each training row by the networks that didn't train on it.
        oof_baseline: the baseline's, of the same rows.
        oof_rows: how many rows those are.
    """

    target: TargetPlan
    baseline: Baseline
    calibration: Calibration = field(default_factory=Calibration)
    test_scores: Numbers = field(default_factory=dict)
    test_baseline: Numbers = field(default_factory=dict)
    oof_scores: Numbers = field(default_factory=dict)
    oof_baseline: Numbers = field(default_factory=dict)
    oof_rows: int = 0

    @classmethod
    def learned(cls, target: TargetPlan, known: AnyArray, baseline: Baseline, judged: Judged) -> TableHead:
        """A head with the scores and the calibration that out-of-fold answers give.

        Arguments:
            target: what is predicted.
            known: its values in all rows of training, as the network learns them.
            baseline: of the rows that all networks trained on.
            judged: what the networks say of rows that they didn't train on.
        """
        truth, said = judged.truth, judged.out_of_fold
        made = cls(target, baseline, oof_rows=len(truth))
        answers: AnyArray = said
        if target.classes:
            own = fit_temperature(said, truth) if len(truth) else 1.0
            answers = Calibration(temperature=own).probabilities(said)
            if len(truth):
                made.calibration = Calibration(temperature=own / judged.softened)
        else:
            numbers, truth = target.decode(said)[:, 0], target.decode(truth)[:, None]
            made.calibration = Calibration.of_numbers(numbers, truth[:, 0], target.decode(known))
            answers = made.calibration.numbers(numbers)[:, None]
        if len(truth):
            made.oof_scores = score(target, truth, answers)
            made.oof_baseline = score(target, truth, baseline.predict(len(truth)))
        return made

    def calibrated(self, outputs: AnyArray) -> AnyArray:
        """Outputs of the head: probabilities as they should be; numbers as they are."""
        return self.calibration.probabilities(outputs) if self.target.classes else outputs

    def values(self, outputs: AnyArray) -> AnyArray:
        """What calibrated outputs (rows, units) say in the target's own values."""
        if self.target.classes:
            return self.target.decode(outputs.argmax(axis=1))
        return self.calibration.numbers(self.target.decode(outputs[:, 0]))

    def interval(self, outputs: AnyArray, coverage: float) -> Doubles:
        """An interval for each number, (rows, 2)."""
        half, predicted = self.calibration.half_width(coverage), self.values(outputs)
        return np.stack([predicted - half, predicted + half], axis=1)

    def score(self, frame: pl.DataFrame, outputs: AnyArray) -> tuple[Numbers, Numbers]:
        """Scores of calibrated outputs for rows that know the target, and those of the baseline."""
        if self.target.classes:
            truth: AnyArray = self.target.encode(frame)
        else:
            truth, outputs = self.target.values(frame)[:, None], self.values(outputs)[:, None]
        return score(self.target, truth, outputs), score(self.target, truth, self.baseline.predict(len(truth)))
