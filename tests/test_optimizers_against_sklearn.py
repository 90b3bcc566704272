"""scikit-learn's convention of SGD and Adam against its own optimizers, on the same gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from chainrule import SGD, Adam
from chainrule.optimizers import Optimizer

# fifty steps of a few roundings each, of numbers of size 1
TOLERANCE = 1e-13

PAIRS: list[tuple[Optimizer, Any, dict[str, Any]]] = [
    (SGD(momentum=0.9, convention="sklearn"), SGDOptimizer, {"momentum": 0.9, "nesterov": False}),
    (SGD(momentum=0.9, nesterov=True, convention="sklearn"), SGDOptimizer, {"momentum": 0.9, "nesterov": True}),
    (SGD(convention="sklearn"), SGDOptimizer, {"momentum": 0.0, "nesterov": False}),
    (Adam(convention="sklearn"), AdamOptimizer, {}),
    (
        Adam(beta1=0.5, beta2=0.9, epsilon=1e-3, convention="sklearn"),
        AdamOptimizer,
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    ),
]


# scikit-learn's Adam has one rate; that of its SGD may change
CASES = [(*row, falling) for row in PAIRS for falling in ([False, True] if row[1] is SGDOptimizer else [False])]


@pytest.mark.parametrize(
    ("ours", "kind", "options", "falling"), CASES, ids=[f"{row[0].name}-{i}" for i, row in enumerate(CASES)]
)
def test_fifty_steps(
    ours: Optimizer, kind: Any, options: dict[str, Any], falling: bool, rng: np.random.Generator
) -> None:
    start = rng.normal(size=6)
    theirs_w, w = [start.copy()], start.copy()
    theirs = kind(theirs_w, learning_rate_init=0.01, **options)
    slots = np.zeros((len(ours.slot_names), 6))
    ours.start(slots)
    for t in range(1, 51):
        rate = 0.01 / (1 + t // 10) if falling else 0.01
        theirs.learning_rate = rate if kind is SGDOptimizer else theirs.learning_rate
        g = rng.normal(size=6)
        theirs.update_params(theirs_w, [g.copy()])
        ours.update(w, g, slots, rate, t)
        np.testing.assert_allclose(w, theirs_w[0], rtol=0, atol=TOLERANCE)
