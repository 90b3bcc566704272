"""How much each of several models counts, from what they say of rows that they didn't train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.arrays import AnyArray, Doubles

_ROUNDS: Final = 25  # of choosing


@dataclass(frozen=True, eq=False)
class Answered:
    """What several models say of one target in the same rows, and what is right.

    `said` are probabilities where `classes`, else numbers; `truth` the places of the right classes, or the right
    numbers. `weight` is how much the target counts beside others.
    """

    said: Sequence[Doubles]
    truth: AnyArray
    classes: bool
    weight: float = 1.0

    def loss(self, mean: Doubles) -> float:
        """The loss of what a mean of the models says."""
        return self.weight * _loss(mean, self.truth, self.classes) if len(self.truth) else 0.0


def weigh(answered: Sequence[Answered]) -> list[float]:
    """Weights of models, not negative and of sum 1, by greedy choice: each round takes the one that helps most.

    Arguments:
        answered: what they say of each target.

    >>> right, wrong = np.array([[1.0], [2.0]]), np.array([[5.0], [5.0]])
    >>> weigh([Answered([wrong, right], np.array([1.0, 2.0]), classes=False)])
    [0.0, 1.0]
    """
    models = len(answered[0].said)
    if models == 1 or not any(len(one.truth) for one in answered):
        return [1.0, *[0.0] * (models - 1)]
    chosen = np.zeros(models)
    totals = [np.zeros_like(one.said[0]) for one in answered]
    for taken in range(1, _ROUNDS + 1):
        losses = [
            sum(one.loss((total + one.said[i]) / taken) for one, total in zip(answered, totals, strict=True))
            for i in range(models)
        ]
        best = int(np.argmin(losses))
        chosen[best] += 1
        for one, total in zip(answered, totals, strict=True):
            total += one.said[best]
    return [float(weight) for weight in chosen / chosen.sum()]


def _loss(said: Doubles, truth: AnyArray, classes: bool) -> float:
    if not classes:
        return float(np.square(said[:, 0] - truth).mean())
    return float(-np.log(np.maximum(said[np.arange(len(truth)), truth], np.finfo(np.float32).tiny)).mean())
