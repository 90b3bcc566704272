"""Notes 000, 002, 003 and 004: how many weights, how many steps."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule import SGD, Model, Network
from chainrule.engines.contract import Rows
from chainrule.training.run import Plan


@pytest.mark.parametrize(
    ("sizes", "bias", "weights", "biases", "total"),
    [
        ([5, 4, 3, 2, 1], True, 40, 10, 50),  # notes 000, "weight calculator": 32 is written, a slip
        ([4, 3, 2, 1], False, 20, 0, 20),  # notes 002
        ([4, 3, 2], False, 18, 0, 18),  # notes 003
        ([3, 3, 1], True, 12, 4, 16),  # notes 004
    ],
    ids=str,
)
def test_counts(sizes: list[int], bias: bool, weights: int, biases: int, total: int) -> None:
    count = Network.mlp(sizes[0], sizes[1:-1], sizes[-1], bias=bias).count()
    assert (count.weights, count.biases, count.total) == (weights, biases, total)


@pytest.mark.parametrize(("batch", "steps"), [(100, 100), (1, 10_000), (10_000, 1), (3000, 4)])
def test_steps_of_an_epoch_over_10_000_rows(batch: int, steps: int) -> None:
    network = Network.mlp(1, [], 1)
    model = Model(network, "squared_error")
    data = Rows((np.zeros((10_000, 1)),), (np.zeros((10_000, 1)),), (None,))
    plan = Plan(model._engine, model.optimizer, data, 100, batch, 0)
    assert plan.steps_per_epoch == steps


def test_a_hundred_epochs_in_batches_of_100_are_10_000_steps(engine: str) -> None:
    X = np.linspace(-1, 1, 10_000)[:, None]
    model = Model(Network.mlp(1, [], 1), "squared_error", SGD(0.01), engine=engine)
    history = model.fit(X, 2 * X[:, 0], epochs=100, batch_size=100)
    assert [record.step for record in history][:3] == [100, 200, 300]
    assert history.last.step == 10_000
    assert history.last.epoch == len(history) == 100


def test_old_and_new_weight() -> None:
    """Notes 000: 50 - 1 x 2 = 48, and 50 - 1 x (-2) = 52: a weight moves against its gradient."""
    for gradient, new in ((2.0, 48.0), (-2.0, 52.0)):
        w = np.array([50.0])
        SGD(1.0).update(w, np.array([gradient]), np.zeros((1, 1)), 1.0, 1)
        assert w.tolist() == [new]
