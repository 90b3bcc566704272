"""Callbacks: when they are called, what they see, how they stop a fit; checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import problems
import pytest

import chainrule
from chainrule import Callback, Checkpoint, EarlyStopping, InputError, Model, Network
from chainrule.training.callbacks import EpochFunction, get_callback


def model(engine: str, **options: Any) -> Model:
    network = Network.mlp(3, [4], 1, activation="tanh", dropout=0.2)
    return Model(network, "squared_error", "adam", dtype="float64", engine=engine, **options)


class Recorder(Callback):
    def __init__(self, stop_at_step: int = -1, stop_at_epoch: int = -1):
        self.calls: list[str] = []
        self.stop_at_step, self.stop_at_epoch = stop_at_step, stop_at_epoch

    def on_start(self, run: Any) -> None:
        self.calls.append(f"start {run.model.training.step}")

    def on_step(self, run: Any) -> bool:
        self.calls.append(f"step {run.state.step}")
        return run.state.step == self.stop_at_step

    def on_epoch(self, run: Any, record: Any) -> bool:
        assert run.state.history.last is record
        self.calls.append(f"epoch {record.epoch}")
        return record.epoch == self.stop_at_epoch

    def on_end(self, run: Any) -> None:
        self.calls.append(f"end {run.state.history.stopped_by}")


X, Y = problems.regression(6, 3)
WHOLE = ["start 0", "step 1", "step 2", "epoch 1", "step 3", "step 4", "epoch 2", "end epochs"]


def test_the_order_of_calls(engine: str) -> None:
    recorder = Recorder()
    model(engine).fit(X, Y, epochs=2, batch_size=3, callbacks=recorder)
    assert recorder.calls == WHOLE


@pytest.mark.parametrize(
    ("recorder", "calls", "steps"),
    [
        (Recorder(stop_at_step=1), ["start 0", "step 1", "end a callback"], 1),
        (Recorder(stop_at_step=2), ["start 0", "step 1", "step 2", "end a callback"], 2),
        (Recorder(stop_at_step=3), [*WHOLE[:5], "end a callback"], 3),
        (Recorder(stop_at_epoch=1), [*WHOLE[:4], "end a callback"], 2),
    ],
    ids=["first step", "last step of an epoch", "third step", "epoch"],
)
def test_true_stops(recorder: Recorder, calls: list[str], steps: int, engine: str) -> None:
    recorder = Recorder(recorder.stop_at_step, recorder.stop_at_epoch)
    trained = model(engine)
    history = trained.fit(X, Y, epochs=2, batch_size=3, callbacks=[recorder])
    assert recorder.calls == calls
    assert trained.training.step == steps
    assert history.stopped_by == "a callback"


def test_a_plain_function_of_the_record(engine: str) -> None:
    seen = []
    model(engine).fit(X, Y, epochs=5, callbacks=lambda record: seen.append(record.epoch) or record.epoch == 3)
    assert seen == [1, 2, 3]


def test_only_true_itself_stops(engine: str) -> None:
    """A function that returns a number, as `list.append(...) or 1` does, goes on."""
    assert len(model(engine).fit(X, Y, epochs=3, callbacks=lambda record: 1)) == 3


def test_all_callbacks_are_called_when_one_stops(engine: str) -> None:
    first, second = Recorder(stop_at_step=1), Recorder()
    model(engine).fit(X, Y, epochs=2, batch_size=3, callbacks=[first, second])
    assert second.calls == ["start 0", "step 1", "end a callback"]


def test_looking_at_every_step_changes_nothing(engine: str) -> None:
    watched, free = model(engine), model(engine)
    first = watched.fit(X, Y, epochs=3, batch_size=2, callbacks=Recorder())
    second = free.fit(X, Y, epochs=3, batch_size=2)
    problems.assert_same(problems.flat(watched.parameters), problems.flat(free.parameters))
    assert first["loss"] == second["loss"]


def test_an_exception_comes_through_and_leaves_the_model_usable(engine: str) -> None:
    def fail(record: Any) -> None:
        if record.epoch == 2:
            raise ZeroDivisionError

    trained, whole = model(engine), model(engine)
    with pytest.raises(ZeroDivisionError):
        trained.fit(X, Y, epochs=4, batch_size=3, callbacks=fail)
    assert len(trained.history) == 2
    trained.fit(X, Y, epochs=4, batch_size=3, resume=True)
    whole.fit(X, Y, epochs=4, batch_size=3)
    problems.assert_same(problems.flat(trained.parameters), problems.flat(whole.parameters))


def test_what_a_callback_is() -> None:
    recorder = Recorder()
    assert get_callback(recorder) is recorder
    assert isinstance(get_callback(print), EpochFunction)
    for given in (3, None, "print"):
        with pytest.raises(InputError, match=r"a callback is a chainrule.Callback or a function of the epoch's record"):
            get_callback(given)


class TestCheckpoint:
    @pytest.mark.parametrize("every", [1, 2, 5])
    def test_a_file_after_some_epochs_goes_on_bit_for_bit(self, every: int, tmp_path: Path, engine: str) -> None:
        """The process dies (an exception) in epoch 4: what the file holds is taken up and ends where no break would."""
        path = tmp_path / "model.safetensors"

        def die(record: Any) -> None:
            if record.epoch == 4:
                raise SystemError

        whole = model(engine)
        options = {"epochs": 6, "batch_size": 4, "validation": 0.25, "stop": EarlyStopping(patience=20)}
        whole.fit(X, Y, **options)
        dying = model(engine)
        with pytest.raises(SystemError):
            dying.fit(X, Y, **options, callbacks=[Checkpoint(path, every), die])
        if every > 4:
            assert not path.exists()
            return
        found = chainrule.load(path, engine=engine)
        assert len(found.history) == 4 // every * every
        found.fit(X, Y, **options, resume=True)
        problems.assert_same(problems.flat(found.parameters), problems.flat(whole.parameters))
        assert found.history["loss"] == whole.history["loss"]
        assert found.history["validation_loss"] == whole.history["validation_loss"]
        assert found.history.best_epoch == whole.history.best_epoch

    def test_the_end_is_saved(self, tmp_path: Path, engine: str) -> None:
        path = tmp_path / "model.safetensors"
        trained = model(engine)
        trained.fit(X, Y, epochs=3, callbacks=Checkpoint(path, every=2))
        found = chainrule.load(path, engine=engine)
        np.testing.assert_array_equal(found.predict(X), trained.predict(X))
        assert len(found.history) == 3
        assert found.history.stopped_by == "epochs"

    def test_a_folder_that_isnt_there_is_said_before_training(self, tmp_path: Path) -> None:
        trained = model("reference")
        with pytest.raises(InputError, match="there is no folder"):
            trained.fit(X, Y, epochs=1, callbacks=Checkpoint(tmp_path / "none" / "model.safetensors"))
        assert trained.training.step == 0

    @pytest.mark.parametrize("every", [0, 1.5])
    def test_fields_are_checked(self, every: Any) -> None:
        with pytest.raises(InputError, match="Checkpoint: every is"):
            Checkpoint("x.safetensors", every)
