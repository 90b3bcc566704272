"""L-BFGS for several members: each ends where it would alone, whatever the others do."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import problems
import pytest

from chainrule import BatchNorm, Callback, Dense, DivergenceError, EarlyStopping, Input, LossBelow, Model, Network

X, Y = problems.regression(30, 3)
NETWORK = Network.mlp(3, [6], 1, activation="tanh")


def ensemble(engine: str, members: Any = 3, network: Network = NETWORK, **options: Any) -> Model:
    return Model.ensemble(
        network, "squared_error", "lbfgs", dtype="float64", engine=engine, members=members, seed=4, l2=1e-3, **options
    )


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Any:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("L-BFGS")]


@pytest.mark.parametrize("epochs", [7, 500])
def test_each_member_is_what_it_would_be_alone(epochs: int, engine: str) -> None:
    together = ensemble(engine)
    starts = together.training.parameters.copy()
    history = together.fit(X, Y, epochs=epochs)
    lengths, losses = [], []
    for member, start in enumerate(starts):
        alone = ensemble(engine, start[None])
        lengths.append(len(alone.fit(X, Y, epochs=epochs)))
        losses.append(alone.history["loss"])
        np.testing.assert_allclose(together.training.parameters[member], alone.training.parameters[0], atol=1e-10)
    assert len(history) == max(lengths)  # a member that is content waits for the others
    last = [curve[-1] for curve in losses]
    assert history.last.loss == pytest.approx(np.mean(last))
    if epochs == 7:
        np.testing.assert_allclose(history["loss"], np.mean(losses, axis=0))
        assert history.stopped_by == "epochs"
    else:
        assert len(set(lengths)) > 1
        assert history.stopped_by.startswith("L-BFGS: convergence")


def test_the_number_of_threads_changes_nothing() -> None:
    one, two = (ensemble("auto", 4, threads=threads) for threads in (1, 2))
    for model in (one, two):
        model.fit(X, Y, epochs=30)
    np.testing.assert_array_equal(one.training.parameters, two.training.parameters)


def test_statistics_of_batch_normalization_are_each_members_own(engine: str) -> None:
    network = Network([Input(3), Dense(5, name="a"), BatchNorm(name="n"), Dense(1)])
    model = ensemble(engine, 2, network)
    model.fit(X, Y, epochs=10)
    assert (model.training.state[0] != model.training.state[1]).any()


class StopAt(Callback):
    def on_epoch(self, run: Any, record: Any) -> bool:
        return record.epoch == 3


class Broken(Callback):
    def on_epoch(self, run: Any, record: Any) -> bool:
        raise RuntimeError("broken")


def test_rules_and_callbacks_stop_them_all(engine: str) -> None:
    assert len(ensemble(engine).fit(X, Y, epochs=50, callbacks=StopAt())) == 3
    assert ensemble(engine).fit(X, Y, epochs=50, stop=LossBelow(1e9)).stopped_by.startswith("loss ")
    best = ensemble(engine).fit(X[:10], Y[:10], epochs=200, validation=(X[10:], Y[10:]), stop=EarlyStopping(patience=3))
    assert best.best_epoch is not None
    assert best.best_epoch <= len(best)


def test_errors_end_them_all(engine: str) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        ensemble(engine).fit(X, Y, epochs=50, callbacks=Broken())
    model = ensemble(engine)
    model.training.parameters[1] = 1e200
    with pytest.raises(DivergenceError, match="epoch 1, step 1"):
        model.fit(X, Y)
