"""A loss that isn't finite: where it appeared, what to try, and the weights of the epoch before."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest

from chainrule import (
    SGD,
    AdaGrad,
    Adam,
    CustomLoss,
    Dense,
    DivergenceError,
    Dropout,
    EarlyStopping,
    Exponential,
    Input,
    Model,
    Network,
    random,
)  # fmt: skip
from chainrule.layers import dropout

X, Y = problems.regression(12, 3)


def test_it_names_epoch_step_and_layer_and_says_what_to_try(engine: str) -> None:
    """Rates that grow a millionfold from epoch to epoch: the first epochs are fine, a later one isn't."""
    schedule = Exponential(1e-3, factor=1e6)
    model = Model(
        Network.mlp(3, [4], 1, activation="relu"), "squared_error", SGD(schedule), dtype="float64", engine=engine
    )
    ends = []
    with pytest.raises(DivergenceError) as caught:
        model.fit(X, Y, epochs=50, batch_size=4, callbacks=lambda record: ends.append(problems.flat(model.parameters)))
    error = caught.value
    assert error.epoch == len(model.history) + 1 >= 2
    assert (error.epoch - 1) * 3 < error.step <= error.epoch * 3
    assert error.layer in ("hidden", "output", None)
    text = str(error)
    assert f"the loss became NaN or infinite in epoch {error.epoch}, step {error.step}" in text
    assert "Try a smaller learning rate, clip_norm=1.0" in text
    assert text.endswith(f"The model has the weights of epoch {error.epoch - 1}.")
    problems.assert_same(problems.flat(model.parameters), ends[-1])
    assert np.isfinite(model.predict(X)).all()
    assert model.history.stopped_by == "diverged"


@pytest.mark.parametrize("bad", ["first", "second", "third"])
def test_the_first_layer_that_isnt_finite_is_named(bad: str, engine: str) -> None:
    network = Network(
        [
            Input(3), Dense(4, activation="tanh", name="first"), Dense(4, activation="relu", name="second"),
            Dense(1, activation="exponential", name="third"),
        ]
    )  # fmt: skip
    model = Model(network, "squared_error", dtype="float64", engine=engine)
    weights = model.parameters[bad]["W"].copy()
    model.set_parameters({bad: {"W": np.full_like(weights, np.nan)}})
    with pytest.raises(DivergenceError) as caught:
        model.fit(X, Y, epochs=3)
    assert (caught.value.layer, caught.value.epoch, caught.value.step) == (bad, 1, 1)
    assert f'first in layer "{bad}"' in str(caught.value)
    assert str(caught.value).endswith("The model has the weights of the start.")


def test_the_loss_alone_may_be_infinite(engine: str) -> None:
    """Squaring 1e200 overflows, though every layer is finite."""
    model = Model(Network.mlp(3, [], 1), "squared_error", dtype="float64", engine=engine)
    model.set_parameters({"output": {"W": np.full((3, 1), 1e200)}})
    with pytest.raises(DivergenceError, match=r"in the loss itself \(every layer's output is finite\)") as caught:
        model.fit(X, Y, epochs=1)
    assert caught.value.layer is None


def test_clipping_isnt_advised_to_who_clips(engine: str) -> None:
    model = Model(Network.mlp(3, [], 1), "squared_error", dtype="float64", engine=engine)
    model.set_parameters({"output": {"W": np.full((3, 1), 1e200)}})
    with pytest.raises(DivergenceError) as caught:
        model.fit(X, Y, epochs=1, clip_norm=0.5)
    assert "clip_norm" not in str(caught.value)


class OneBadRow:
    """The squared error, infinite at one call: what the optimizer remembers by then is as it was."""

    def __init__(self, at_call: int):
        self.at_call, self.calls = at_call, 0

    def __call__(self, y: np.ndarray, h: np.ndarray) -> np.ndarray:
        self.calls += 1
        return np.full(len(y), np.inf) if self.calls == self.at_call else ((h - y) ** 2).sum(axis=1)


@pytest.mark.parametrize("at_call", [1, 2, 3, 4, 6, 7])
def test_the_weights_go_back_to_where_the_epoch_began(at_call: int) -> None:
    loss = CustomLoss(OneBadRow(at_call), lambda y, h: 2 * (h - y))
    model = Model(Network.mlp(3, [4], 1), loss, Adam(0.1), dtype="float64", engine="reference")
    ends = [problems.flat(model.parameters)]
    with pytest.raises(DivergenceError) as caught:
        model.fit(X, Y, epochs=5, batch_size=4, callbacks=lambda record: ends.append(problems.flat(model.parameters)))
    assert (caught.value.epoch, caught.value.step) == ((at_call - 1) // 3 + 1, at_call)
    assert len(ends) == caught.value.epoch
    problems.assert_same(problems.flat(model.parameters), ends[-1])
    assert not model.training.slots.any(), "what the optimizer remembers may be spoilt: it starts anew"


def test_an_accumulator_starts_anew_where_it_started(engine: str) -> None:
    model = Model(
        Network.mlp(3, [], 1), "squared_error", AdaGrad(initial_accumulator=0.5), dtype="float64", engine=engine
    )
    model.set_parameters({"output": {"W": np.full((3, 1), 1e200)}})
    with pytest.raises(DivergenceError):
        model.fit(X, Y, epochs=1)
    assert (model.training.slots == 0.5).all()


def test_training_can_go_on_with_a_fit() -> None:
    """A new fit counts from 1 again, and learns."""
    bad = OneBadRow(5)
    loss = CustomLoss(bad, lambda y, h: 2 * (h - y))
    model = Model(
        Network.mlp(3, [4], 1), loss, Adam(Exponential(0.01, factor=0.5)), dtype="float64", engine="reference"
    )
    with pytest.raises(DivergenceError):
        model.fit(X, Y, epochs=50, batch_size=4)
    history = model.fit(X, Y, epochs=20, batch_size=4)
    assert [record.epoch for record in history][:2] == [1, 2]
    assert history["learning_rate"][:2] == [0.01, 0.005]
    assert history.last.loss < history.epochs[0].loss


def test_resuming_after_it_keeps_the_place_in_the_schedule() -> None:
    """A second fit diverges in its epoch 3; resumed, epochs 3 and 4 have the rates of epochs 3 and 4."""
    bad = OneBadRow(-1)
    schedule = Exponential(0.01, factor=0.5)
    loss = CustomLoss(bad, lambda y, h: 2 * (h - y))
    model = Model(Network.mlp(3, [4], 1), loss, SGD(schedule), dtype="float64", engine="reference")
    model.fit(X, Y, epochs=2, batch_size=4)
    bad.at_call = bad.calls + 8
    with pytest.raises(DivergenceError) as caught:
        model.fit(X, Y, epochs=4, batch_size=4)
    assert (caught.value.epoch, caught.value.step) == (3, 8)
    history = model.fit(X, Y, epochs=4, batch_size=4, resume=True)
    assert [record.epoch for record in history] == [1, 2, 3, 4]
    assert history["learning_rate"] == pytest.approx([0.01, 0.005, 0.0025, 0.00125], rel=1e-14)


def drawn_masks(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Every mask that the reference engine draws from now on."""
    masks: list[np.ndarray] = []

    def keep_mask(*arguments: Any) -> np.ndarray:
        masks.append(random.keep_mask(*arguments))
        return masks[-1]

    monkeypatch.setattr(dropout, "keep_mask", keep_mask)
    return masks


def test_going_on_draws_new_masks_and_the_optimizer_counts_from_its_new_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam, which corrects by its number of steps, goes on as one that begins with these weights."""
    masks = drawn_masks(monkeypatch)
    bad = OneBadRow(8)
    network = Network([Input(3), Dense(8, activation="tanh"), Dropout(0.5), Dense(1)])
    model = Model(network, CustomLoss(bad, lambda y, h: 2 * (h - y)), Adam(0.01), dtype="float64", engine="reference")
    with pytest.raises(DivergenceError):
        model.fit(X, Y, epochs=5, batch_size=4)
    assert (model.training.step, model.training.memory_from) == (6, 6), "the steps of the epoch that was undone are not"
    kept, before = list(masks[:6]), len(masks)
    begun, gradient = problems.flat(model.parameters), model.loss_and_gradients(X[:4], Y[:4], training=True)[1]
    model.fit(X[:4], Y[:4], epochs=1, batch_size=4, shuffle=False)
    assert not any(np.array_equal(mask, old) for mask in masks[before:] for old in kept)
    for key, values in problems.flat(gradient).items():  # Adam's first step goes as far as the rate says
        change = problems.flat(model.parameters)[key] - begun[key]
        np.testing.assert_allclose(change[values != 0], -0.01 * np.sign(values[values != 0]), rtol=1e-3)


def test_both_engines_go_on_alike_after_it(engine: str) -> None:
    """Weights that overflow, then good ones: with dropout and Adam, so masks and corrections must agree."""
    ends = []
    for name in ("reference", engine):
        network = Network([Input(3), Dense(8, activation="tanh"), Dropout(0.5), Dense(1, name="output")])
        model = Model(network, "squared_error", Adam(0.01), dtype="float64", engine=name)
        model.fit(X, Y, epochs=2, batch_size=4)
        good = model.parameters["output"]["W"].copy()
        model.set_parameters({"output": {"W": np.full_like(good, 1e200)}})
        with pytest.raises(DivergenceError):
            model.fit(X, Y, epochs=1, batch_size=4)
        model.set_parameters({"output": {"W": good}})
        model.fit(X, Y, epochs=2, batch_size=4)
        assert (model.training.step, model.training.memory_from) == (12, 6)
        ends.append(problems.flat(model.parameters))
    problems.assert_same(*ends, tolerance=1e-12)


def test_early_stopping_gives_back_the_epoch_before_too() -> None:
    bad = OneBadRow(8)
    model = Model(
        Network.mlp(3, [4], 1),
        CustomLoss(bad, lambda y, h: 2 * (h - y)),
        Adam(0.01),
        dtype="float64",
        engine="reference",
    )
    ends: list[Any] = []
    with pytest.raises(DivergenceError, match="The model has the weights of epoch 2"):
        model.fit(
            X,
            Y,
            epochs=5,
            batch_size=4,
            stop=EarlyStopping(),
            callbacks=lambda r: ends.append(problems.flat(model.parameters)),
        )
    problems.assert_same(problems.flat(model.parameters), ends[1])


def test_no_warning_escapes(engine: str) -> None:
    """Overflows on the way are part of the error, not noise beside it (warnings are errors in these tests)."""
    model = Model(Network.mlp(3, [4], 1, activation="relu"), "squared_error", SGD(1e30), dtype="float32", engine=engine)
    with pytest.raises(DivergenceError):
        model.fit(X, Y, epochs=20)
