"""Fits that are fed with augmented rows: the same by every engine, however they are cut, resumed or shared out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import problems
import pytest

from chainrule import (
    Augment,
    Callback,
    DivergenceError,
    EarlyStopping,
    Flatten,
    Input,
    InputError,
    Model,
    Network,
    fit_members,
    load,
)
from chainrule.layers import Dense
from chainrule.training import feed as feeding

X = np.random.default_rng(0).normal(size=(30, 4, 5)).astype("float32")
Y = np.arange(30) % 3
AUGMENT = Augment(shift=0.2, rotate=15, scale=0.1, flip="horizontal", erase=0.3, noise=0.1, mixup=0.3)


def make(engine: str, members: int = 1, **options: Any) -> Model:
    network = Network([Input((4, 5)), Flatten(), Dense(6, activation="tanh"), Dense(3, activation="softmax")])
    return Model.ensemble(network, "cross_entropy", members=members, engine=engine, seed=2, **options)


def fit(model: Model, **options: Any) -> Model:
    model.fit(X, Y, **{"epochs": 4, "batch_size": 8, "augment": AUGMENT, **options})
    return model


def assert_same(one: Model, other: Model) -> None:
    np.testing.assert_array_equal(one.training.parameters, other.training.parameters)
    assert [r.loss for r in one.history] == [r.loss for r in other.history]


class Steps(Callback):
    """Watches steps, so that each is a job of its own; stops after some."""

    def __init__(self, stop: int = 10**9):
        self.stop = stop

    def on_step(self, run: Any) -> bool:
        return run.state.step == self.stop


@pytest.mark.parametrize("members", [1, 3])
def test_it_is_training_on_the_rows_that_augment_makes(engine: str, members: int) -> None:
    """Epoch by epoch, with rows augmented by hand in the order of the epoch."""
    model, by_hand = make(engine, members, dtype="float64"), make(engine, members, dtype="float64")
    model.fit(X, Y, epochs=3, batch_size=8, augment=AUGMENT)
    data = by_hand._rows(X, Y)
    for epoch in range(3):
        orders = feeding.epoch_order(30, True, 2, epoch, members)
        made = [
            AUGMENT.rows(data, order, by_hand.objective.heads, batch_size=8, seed=2, epoch=epoch, member=member)
            for member, order in enumerate(orders)
        ]
        rows = feeding._together(made)
        order = np.arange(30 * members).reshape(members, 30)
        by_hand.fit_rows(rows, epochs=1, batch_size=8, shuffle=lambda _, order=order: order, keep_schedule=True)
    np.testing.assert_array_equal(model.training.parameters, by_hand.training.parameters)


@pytest.mark.parametrize("shuffle", [True, False, "replace", lambda epoch: np.arange(30)[:: (-1) ** epoch]])
@pytest.mark.parametrize("members", [1, 2])
def test_how_epochs_are_cut_changes_no_bit(
    engine: str, shuffle: Any, members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(make(engine, members), shuffle=shuffle)
    stepwise = fit(make(engine, members), shuffle=shuffle, callbacks=Steps())
    assert_same(whole, stepwise)
    monkeypatch.setattr(feeding, "_NUMBERS", 2 * 8 * 20 * members)  # two steps a part
    assert_same(whole, fit(make(engine, members), shuffle=shuffle))


@pytest.mark.parametrize("step", [1, 4, 7, 8, 9])
def test_saved_and_resumed_it_is_the_uninterrupted_run(engine: str, step: int, tmp_path: Path) -> None:
    whole, stopped = fit(make(engine)), fit(make(engine), callbacks=Steps(step))
    assert stopped.training.step == step
    stopped.save(tmp_path / "m.safetensors", training=True)
    again = load(tmp_path / "m.safetensors", engine=engine)
    assert_same(whole, fit(again, resume=True))


def test_engines_agree() -> None:
    both = [fit(make(engine, dtype="float64"), epochs=2) for engine in ("reference", "auto")]
    np.testing.assert_allclose(*(model.training.parameters for model in both), rtol=1e-9, atol=1e-11)


def test_it_changes_training_alone(engine: str) -> None:
    """Metrics of the training rows and the validation are of rows as they are."""
    model = make(engine, metrics=["accuracy"])
    model.fit(X, Y, epochs=3, augment=AUGMENT, validation=(X, Y), stop=EarlyStopping(10, restore_best=False))
    last = model.history.last
    assert last is not None
    scores = model.evaluate(X, Y)
    assert last.metrics["accuracy"] == scores["accuracy"] == last.validation_metrics["accuracy"]
    assert last.validation_loss == pytest.approx(scores["loss"], rel=1e-6)
    assert last.loss != pytest.approx(scores["loss"], rel=1e-3)


def test_members_that_train_by_themselves(engine: str) -> None:
    """Each is what it is alone, however many threads there are."""
    together = fit_members(make(engine), X, Y, members=2, epochs=3, batch_size=8, augment=AUGMENT, progress=False)
    alone = make(engine).anew(seed=3)
    part = together.parts[1].train
    alone.fit(X[part], Y[part], epochs=3, batch_size=8, augment=AUGMENT)
    np.testing.assert_array_equal(together.model.training.parameters[1], alone.training.parameters[0])


def test_noise_and_mixup_for_plain_rows(engine: str) -> None:
    rows, targets = problems.regression(24, 3)
    models = [Model(Network.mlp(3, [5], 1), "squared_error", engine=engine) for _ in range(3)]
    for model, augment in zip(
        models, (Augment(noise=0.1, mixup=0.4), Augment(noise=0.1, mixup=0.4), None), strict=True
    ):
        model.fit(rows, targets, epochs=3, augment=augment, sample_weight=np.linspace(0, 2, 24))
    assert_same(models[0], models[1])
    assert models[0].history.last.loss != models[2].history.last.loss


def test_the_thread_ends_with_the_fit(engine: str) -> None:
    def raises(record: Any) -> None:
        raise RuntimeError("enough")

    model = make(engine)
    with pytest.raises(RuntimeError, match="enough"):
        fit(model, callbacks=raises)
    assert not [thread for thread in threading.enumerate() if "augments" in thread.name]


def test_what_goes_wrong_in_the_thread_is_raised(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Augment.rows

    def fails(self: Augment, *given: Any, epoch: int, **options: Any) -> Any:
        if epoch == 2:
            raise MemoryError("no room")
        return own(self, *given, epoch=epoch, **options)

    monkeypatch.setattr(Augment, "rows", fails)
    model = make(engine)
    with pytest.raises(MemoryError, match="no room"):
        fit(model)
    assert len(model.history) == 2


def test_divergence_names_the_layer_of_the_augmented_batch(engine: str) -> None:
    model = make(engine, optimizer="sgd")
    with pytest.raises(DivergenceError, match='first in layer "flatten"'):
        fit(model, augment=Augment(noise=1e39))


def test_lbfgs_refuses_it() -> None:
    with pytest.raises(InputError, match="L-BFGS compares losses"):
        fit(make("auto", optimizer="lbfgs"), batch_size="auto")


def test_what_doesnt_fit_is_said_before_training(engine: str) -> None:
    model = Model(Network.mlp(20, [], 3, output="softmax"), "cross_entropy", engine=engine)
    with pytest.raises(InputError, match="say which picture a row is"):
        model.fit(X.reshape(30, 20), Y, augment=AUGMENT)
    with pytest.raises(InputError, match=r"it must be a chainrule\.Augment"):
        model.fit(X.reshape(30, 20), Y, augment="much")
