"""Ctrl-C: training stops after the step at hand; the second time it is an ordinary KeyboardInterrupt."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import problems
import pytest

from chainrule import Callback, CustomLoss, Model, Network
from chainrule.metrics import Metric
from chainrule.training.interrupt import interruptible

X, Y = problems.regression(12, 3)


class PressAtStep(Callback):
    def __init__(self, step: int, times: int = 1):
        self.step, self.times = step, times

    def on_step(self, run: Any) -> None:
        if run.state.step == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


def pressing_loss(at_call: int) -> CustomLoss:
    """The squared error, with Ctrl-C in the middle of one of its steps."""
    calls = iter(range(1, 10**6))

    def rows(y: np.ndarray, h: np.ndarray) -> np.ndarray:
        if next(calls) == at_call:
            signal.raise_signal(signal.SIGINT)
        return ((h - y) ** 2).sum(axis=1)

    return CustomLoss(rows, lambda y, h: 2 * (h - y))


def model(loss: Any = "squared_error", engine: str = "reference") -> Model:
    return Model(Network.mlp(3, [4], 1, dropout=0.2), loss, "adam", dtype="float64", engine=engine)


def test_it_stops_after_the_epoch_in_whose_callback_it_was_pressed(engine: str) -> None:
    trained = model(engine=engine)
    before = signal.getsignal(signal.SIGINT)

    def press(record: Any) -> None:
        if record.epoch == 2:
            signal.raise_signal(signal.SIGINT)

    history = trained.fit(X, Y, epochs=50, callbacks=press)
    assert len(history) == 2
    assert history.stopped_by == "interrupted"
    assert np.isfinite(trained.predict(X)).all()
    assert signal.getsignal(signal.SIGINT) is before


def test_it_stops_after_the_step_at_hand(engine: str) -> None:
    """Three steps an epoch; pressed during the one after the fifth: six are done, one epoch is recorded."""
    trained = model(engine=engine)
    history = trained.fit(X, Y, epochs=50, batch_size=4, callbacks=PressAtStep(5))
    assert trained.training.step == 6
    assert trained.training.batch == 0
    assert len(history) == 2, "the sixth step ended the second epoch"
    assert history.stopped_by == "interrupted"


@pytest.mark.parametrize("at_call", range(1, 8))
def test_within_a_step_the_step_is_finished(at_call: int) -> None:
    trained = model(pressing_loss(at_call))
    history = trained.fit(X, Y, epochs=3, batch_size=4)
    assert trained.training.step == at_call
    assert len(history) == at_call // 3
    assert history.stopped_by == "interrupted"


@pytest.mark.parametrize("at_call", range(1, 10))
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(at_call: int) -> None:
    """Parameters, optimizer and the recorded losses, though the epoch was cut in two."""
    whole, cut = model(pressing_loss(-1)), model(pressing_loss(at_call))
    whole.fit(X, Y, epochs=3, batch_size=4)
    cut.fit(X, Y, epochs=3, batch_size=4)
    cut.fit(X, Y, epochs=3, batch_size=4, resume=True)
    np.testing.assert_array_equal(cut.training.parameters, whole.training.parameters)
    np.testing.assert_array_equal(cut.training.slots, whole.training.slots)
    for name in ("loss", "learning_rate"):
        assert cut.history[name] == whole.history[name]


@pytest.mark.parametrize("at_call", range(1, 7))
def test_measuring_an_epoch_is_left_at_once_and_made_up_for(at_call: int, engine: str) -> None:
    """Pressed while the metrics of training or validation rows are computed: resumed, the epoch is measured first."""

    def pressing(y: Any, h: Any, w: Any) -> float:
        if next(calls) == at_call:
            signal.raise_signal(signal.SIGINT)
        return float(np.abs(y - h).mean())

    fit: dict[str, Any] = {"epochs": 3, "batch_size": 4, "validation": (X[:5], Y[:5])}
    histories = []
    for presses in (False, True):
        calls = iter(range(1, 100) if presses else [0] * 100)
        metric = Metric("pressing", pressing, higher_is_better=False, formula="")
        trained = Model(Network.mlp(3, [4], 1), "squared_error", "adam", engine=engine, metrics=metric)
        history = trained.fit(X, Y, **fit)
        if presses:
            assert history.stopped_by == "interrupted"
            assert len(history) == (at_call - 1) // 2
            assert trained.training.step == 3 * (len(history) + 1)
            history = trained.fit(X, Y, **fit, resume=True)
        histories.append([history[name] for name in ("loss", "validation_loss")])
        assert history.stopped_by == "epochs"
    assert histories[0] == histories[1]


@pytest.mark.parametrize("members", [1, 2])
def test_an_evaluation_of_lbfgs_is_left_at_once(members: int) -> None:
    trained = Model.ensemble(Network.mlp(3, [4], 1), pressing_loss(5 * members), "lbfgs", members=members)
    history = trained.fit(X, Y, epochs=50)
    assert history.stopped_by == "interrupted"
    assert np.isfinite(trained.predict(X)).all()


def test_pressed_twice_it_raises_at_once(engine: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    trained = model(engine=engine)
    with pytest.raises(KeyboardInterrupt):
        trained.fit(X, Y, epochs=50, batch_size=4, callbacks=PressAtStep(4, times=2))
    assert trained.training.step == 4
    assert np.isfinite(trained.predict(X)).all()
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_training_goes_on_without_a_handler(engine: str) -> None:
    results: list[Any] = []

    def work() -> None:
        with interruptible() as interrupt:
            results.append(interrupt.reason)
        results.append(len(model(engine=engine).fit(X, Y, epochs=2)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [None, 2]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Windows go to the whole console")
def test_a_real_ctrl_c_in_a_process_of_its_own(engine: str) -> None:
    """A long fit, SIGINT from outside: the process ends in good order with its history."""
    program = f"""
import numpy as np, chainrule as cr
X = np.random.default_rng(0).normal(size=(4000, 8))
model = cr.Model(cr.Network.mlp(8, [64, 64], 1), "squared_error", engine={engine!r})
first = lambda record: print("started", flush=True) if record.epoch == 1 else None
history = model.fit(X, X[:, 0], epochs=100_000, callbacks=first)
print(history.stopped_by, len(history) >= 1, np.isfinite(model.predict(X)).all(), flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert out == "interrupted True True\n"
    assert process.returncode == 0
