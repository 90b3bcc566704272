"""Interrupted at any step and resumed, a run is bit for bit the uninterrupted one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import problems
import pytest
import registered

import chainrule
from chainrule import (
    SGD,
    Adam,
    BatchNorm,
    Callback,
    ConvergedWeights,
    Cosine,
    Dense,
    Dropout,
    EarlyStopping,
    Input,
    InputError,
    LossBelow,
    Model,
    Network,
    OneCycle,
)  # fmt: skip
from chainrule.optimizers import Optimizer
from chainrule.training.state import TrainingState

X, Y = problems.regression(16, 3)
EPOCHS, PER_EPOCH = 3, 3  # twelve rows in batches of 5, 5 and 2; four are held out

NESTEROV = SGD(Cosine(0.05, warmup_epochs=1), momentum=0.9, nesterov=True, weight_decay=0.01)
ONE_CYCLE = Adam(OneCycle(0.05))


class StopAt(Callback):
    def __init__(self, step: int):
        self.step = step

    def on_step(self, run: Any) -> bool:
        return run.state.step == self.step


def model(optimizer: Optimizer, engine: str) -> Model:
    network = Network(
        [
            Input(3),
            Dense(5, activation="tanh"),
            BatchNorm(),
            Dropout(0.3),
            Dense(4, activation="relu", l1=0.01),
            Dense(1),
        ]
    )
    return Model(network, "huber", optimizer, l2=0.01, metrics=["r2"], seed=4, dtype="float64", engine=engine)


def fit(model: Model, **options: Any) -> None:
    asked = {
        "epochs": EPOCHS, "batch_size": 5, "validation": 0.25, "sample_weight": np.linspace(0.5, 2, 16),
        "clip_norm": 0.7, "stop": [EarlyStopping(patience=2), ConvergedWeights(1e-9)],
    }  # fmt: skip
    model.fit(X, Y, **{**asked, **options})


def everything(state: TrainingState) -> dict[str, Any]:
    """All of a training state but the clock's."""
    found = {name: value for name, value in vars(state).items() if name != "seconds"}
    found["history"] = [
        (r.epoch, r.step, r.loss, r.learning_rate, r.validation_loss, r.metrics, r.validation_metrics)
        for r in state.history
    ] + [state.history.best_epoch, state.history.best_by, state.history.stopped_by]
    bests = found.pop("bests")
    return found | {f"best {rule}": best for rule, best in bests.items()}


def assert_same_state(first: Model, second: Model) -> None:
    a, b = everything(first.training), everything(second.training)
    assert a.keys() == b.keys()
    for name in a:
        parts = [vars(x[name]) if hasattr(x[name], "__dict__") else {"": x[name]} for x in (a, b)]
        assert parts[0].keys() == parts[1].keys(), name
        for part in parts[0]:
            x, y = parts[0][part], parts[1][part]
            same = np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y
            assert same, f"{name}.{part}: {x} instead of {y}"


@pytest.mark.parametrize("optimizer", registered.SCHEDULED, ids=repr)
def test_at_every_step_with_every_optimizer(optimizer: Optimizer, engine: str) -> None:
    whole = model(optimizer, engine)
    fit(whole)
    for step in range(1, EPOCHS * PER_EPOCH + 1):
        cut = model(optimizer, engine)
        fit(cut, callbacks=StopAt(step))
        assert cut.training.step == step
        assert cut.history.stopped_by == "a callback"
        assert np.isfinite(cut.predict(X)).all()
        fit(cut, resume=True)
        assert_same_state(cut, whole)


@pytest.mark.parametrize(
    "shuffle",
    [False, "replace", lambda epoch: np.roll(np.arange(12), epoch)],
    ids=["in order", "replace", "by a function"],
)
def test_with_every_order_of_rows(shuffle: Any, engine: str) -> None:
    whole = model(NESTEROV, engine)
    fit(whole, shuffle=shuffle)
    for step in (2, 3, 7):
        cut = model(NESTEROV, engine)
        fit(cut, shuffle=shuffle, callbacks=StopAt(step))
        fit(cut, shuffle=shuffle, resume=True)
        assert_same_state(cut, whole)


def test_interrupted_again_and_again(engine: str) -> None:
    whole, cut = model(ONE_CYCLE, engine), model(ONE_CYCLE, engine)
    fit(whole)
    fit(cut, callbacks=StopAt(1))
    for step in range(2, EPOCHS * PER_EPOCH + 1):
        fit(cut, callbacks=StopAt(step), resume=True)
    fit(cut, resume=True)
    assert_same_state(cut, whole)


def test_in_single_precision(engine: str) -> None:
    def small() -> Model:
        return Model(Network.mlp(3, [4], 1, dropout=0.2), "squared_error", "adam", dtype="float32", engine=engine)

    whole, cut = small(), small()
    fit(whole)
    fit(cut, callbacks=StopAt(4))
    fit(cut, resume=True)
    assert_same_state(cut, whole)


@pytest.mark.parametrize("step", range(1, EPOCHS * PER_EPOCH + 1))
def test_through_a_file(step: int, engine: str, tmp_path: Path) -> None:
    """Saved with its training state where it was interrupted, loaded (in another process, as it were), resumed."""
    optimizer = ONE_CYCLE
    whole, cut = model(optimizer, engine), model(optimizer, engine)
    fit(whole)
    fit(cut, callbacks=StopAt(step))
    cut.save(tmp_path / "cut.safetensors", training=True)
    found = chainrule.load(tmp_path / "cut.safetensors", engine=engine)
    fit(found, resume=True)
    assert_same_state(found, whole)


def test_after_early_stopping_the_run_itself_goes_on_not_the_best_weights(engine: str) -> None:
    """The best weights were brought back; a resumed run takes up where it stood when it stopped."""
    optimizer = Adam(0.5)
    whole, cut = model(optimizer, engine), model(optimizer, engine)
    fit(whole, epochs=12, stop=EarlyStopping(patience=100))
    fit(cut, epochs=12, stop=EarlyStopping(patience=100), callbacks=StopAt(25))
    assert cut.training.latest is not None, "the best epoch is not the last one"
    fit(cut, epochs=12, stop=EarlyStopping(patience=100), resume=True)
    assert_same_state(cut, whole)


def test_more_epochs_than_before(engine: str) -> None:
    """A finished run is resumed with a larger number: as if it had been asked for from the start."""
    whole, cut = model(SGD(0.05), engine), model(SGD(0.05), engine)
    fit(whole, epochs=5, stop=())
    fit(cut, epochs=2, stop=())
    fit(cut, epochs=5, stop=(), resume=True)
    assert_same_state(cut, whole)


def test_a_finished_run_has_nothing_left_to_do(engine: str) -> None:
    done = model(SGD(0.05), engine)
    fit(done, stop=())
    before = everything(done.training)["history"], problems.flat(done.parameters)
    fit(done, stop=(), resume=True)
    assert everything(done.training)["history"] == before[0]
    problems.assert_same(problems.flat(done.parameters), before[1])


def test_a_fresh_model_may_be_resumed(engine: str) -> None:
    whole, fresh = model(SGD(0.05), engine), model(SGD(0.05), engine)
    fit(whole)
    fit(fresh, resume=True)
    assert_same_state(fresh, whole)


def test_a_new_fit_after_an_interruption_begins_a_new_epoch(engine: str) -> None:
    cut = model(SGD(0.05), engine)
    fit(cut, callbacks=StopAt(4))
    fit(cut, epochs=1, stop=())
    assert [record.epoch for record in cut.history] == [1]
    assert cut.training.step == 4 + PER_EPOCH
    assert cut.training.epoch == 3, "the interrupted epoch, the second, is over"


@pytest.mark.parametrize(
    "stop", [[], LossBelow(1e-9), [LossBelow(1e-9), ConvergedWeights(1e-9), LossBelow(1e-8)]], ids=str
)
def test_other_rules_than_before(stop: Any, engine: str) -> None:
    """Without the early stopping that it began with, the run ends where it ends: no old best weights come back."""
    optimizer = Adam(0.5)
    whole, cut = model(optimizer, engine), model(optimizer, engine)
    fit(whole, epochs=8, stop=())
    fit(cut, epochs=8, callbacks=StopAt(7))
    fit(cut, epochs=8, stop=stop, resume=True)
    assert len(cut.history) == 8
    problems.assert_same(problems.flat(cut.parameters), problems.flat(whole.parameters))


def test_a_resumed_run_with_fewer_rows_is_refused(engine: str) -> None:
    """The place in the middle of an epoch means nothing where the epoch has fewer steps."""
    cut = model(SGD(0.05), engine)
    fit(cut, callbacks=StopAt(5))
    with pytest.raises(InputError, match="the interrupted epoch had done 2 steps, but these rows make 1 in all"):
        cut.fit(X[:5], Y[:5], epochs=EPOCHS, batch_size=5, resume=True)
