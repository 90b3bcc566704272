"""What isn't finite never leaves: not at the end of a fit, not into a file, not as an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest

import chainrule as cr
from chainrule import SGD, Adam, BatchNorm, CustomLoss, Dense, DivergenceError, EarlyStopping, Input, Model, Network

X, Y = problems.regression(12, 3)


def flat(model: Model) -> np.ndarray:
    return np.concatenate([model.training.parameters.ravel(), model.training.state.ravel()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("epochs", [1, 3])
def test_the_last_step_of_an_epoch(epochs: int, dtype: str, engine: str) -> None:
    """One step an epoch, and a rate that overflows the weights: no later loss tells it."""
    rate = 1e300 if dtype == "float64" else 1e38
    network = Network.mlp(3, [4], 1, activation="tanh")
    model = Model(network, "squared_error", SGD(rate), dtype=dtype, engine=engine)
    before = flat(model)
    with pytest.raises(DivergenceError) as caught:
        model.fit(1e9 * X, 1e9 * Y, epochs=epochs, batch_size="full", progress=False)
    assert str(caught.value).startswith("the weights became NaN or infinite in epoch 1, step 1, first in layer ")
    assert str(caught.value).endswith("The model has the weights of the start.")
    assert (caught.value.epoch, caught.value.step) == (1, 1)
    assert model.history.stopped_by == "diverged"
    np.testing.assert_array_equal(flat(model), before)
    assert np.isfinite(model.predict(X)).all()


def test_of_a_later_epoch(engine: str) -> None:
    """The model has the weights of the epoch before, which the next epoch would have begun with."""
    schedule = cr.StepDecay(1e-3, every=2, factor=1e308)
    model = Model(Network.mlp(3, [4], 1, activation="tanh"), "squared_error", SGD(schedule), dtype="float64",
                  engine=engine)  # fmt: skip
    ends = []
    with pytest.raises(DivergenceError, match=r"epoch 3, step 3.*The model has the weights of epoch 2") as caught:
        model.fit(X, 1e9 * Y, epochs=3, batch_size="full", callbacks=lambda record: ends.append(flat(model)))
    assert caught.value.epoch == 3
    np.testing.assert_array_equal(flat(model), ends[-1])


def test_stopped_in_the_middle_of_an_epoch() -> None:
    class Stop(cr.Callback):
        def on_step(self, run: Any) -> bool:
            return True

    model = Model(Network.mlp(3, [], 1), "squared_error", SGD(1e300), dtype="float64")
    with pytest.raises(DivergenceError):
        model.fit(1e9 * X, 1e9 * Y, epochs=2, batch_size=4, callbacks=Stop(), progress=False)
    assert np.isfinite(flat(model)).all()


@pytest.mark.parametrize("batch_size", [4, "full"])
def test_a_loss_of_ones_own_whose_gradient_is_nan(batch_size: Any) -> None:
    loss = CustomLoss(lambda y, h: ((h - y) ** 2).sum(axis=1), lambda y, h: np.full_like(h, np.nan))
    model = Model(Network.mlp(3, [4], 1), loss, Adam(0.1), dtype="float64")
    before = flat(model)
    with pytest.raises(DivergenceError):
        model.fit(X, Y, epochs=1, batch_size=batch_size, progress=False)
    np.testing.assert_array_equal(flat(model), before)


@pytest.mark.parametrize("members", [1, 2])
def test_and_lbfgs(members: int) -> None:
    loss = CustomLoss(lambda y, h: ((h - y) ** 2).sum(axis=1), lambda y, h: np.full_like(h, np.nan))
    model = Model.ensemble(Network.mlp(3, [4], 1), loss, "lbfgs", members=members, dtype="float64")
    before = flat(model)
    with pytest.raises(DivergenceError, match="the gradient became NaN or infinite in epoch 1, step 1"):
        model.fit(X, Y, progress=False)
    np.testing.assert_array_equal(flat(model), before)


def test_batch_norm_of_inputs_that_overflow(engine: str) -> None:
    """Each is finite in float32; the sum of their squares isn't."""
    network = Network([Input(3), BatchNorm(name="n"), Dense(1)])
    model = Model(network, "squared_error", "sgd", dtype="float32", engine=engine)
    before = flat(model)
    with pytest.raises(DivergenceError):
        model.fit(3e25 * X, Y, epochs=1, batch_size="full", progress=False)
    np.testing.assert_array_equal(flat(model), before)
    assert np.isfinite(model.predict(X)).all()


def test_early_stopping_cant_bring_it_back(engine: str) -> None:
    model = Model(Network.mlp(3, [], 1), "squared_error", SGD(1e300), dtype="float64", engine=engine)
    with pytest.raises(DivergenceError):
        model.fit(1e9 * X, 1e9 * Y, epochs=9, batch_size="full", stop=EarlyStopping(2), progress=False)
    assert np.isfinite(flat(model)).all()


def spoilt(engine: str, value: float = np.nan) -> Model:
    model = Model(Network.mlp(3, [4], 1, batch_norm=True), "squared_error", engine=engine)
    model.set_parameters({"output": {"W": np.full((4, 1), value)}})
    return model


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_somebody_set_are_neither_saved_nor_predicted_from(
    value: float, engine: str, tmp_path: Any
) -> None:
    model = spoilt(engine, value)
    said = r"the parameter output/W holds NaN or infinite numbers: set it anew \(set_parameters\), or train a new model"
    with pytest.raises(cr.TrainingError, match=said):
        model.predict(X)
    with pytest.raises(cr.TrainingError, match=said):
        model.save(tmp_path / "m.safetensors")
    assert not (tmp_path / "m.safetensors").exists()


def test_nor_statistics(engine: str) -> None:
    model = Model(Network.mlp(3, [4], 1, batch_norm=True), "squared_error", engine=engine)
    model.set_state({"hidden_norm": {"variance": [1, np.inf, 1, 1]}})
    with pytest.raises(
        cr.TrainingError,
        match="the statistic hidden_norm/variance holds NaN",
    ):
        model.predict(X)


def test_changed_through_a_view(engine: str) -> None:
    model = Model(Network.mlp(3, [4], 1), "squared_error", engine=engine)
    view = model.parameters["hidden"]["W"]
    model.predict(X)
    view[0, 0] = np.inf
    with pytest.raises(cr.TrainingError, match="the parameter hidden/W holds"):
        model.predict(X)


def test_an_answer_that_is_none(engine: str) -> None:
    """Finite weights, finite inputs, and infinity less infinity on the way."""
    x = Input(1, name="x")
    branches = [Dense(1, name=name, bias=False)(x) for name in "ab"]
    network = Network(inputs=x, outputs=cr.Add(name="sum")(*branches))
    model = Model(network, "squared_error", dtype="float64", engine=engine)
    model.set_parameters({"a": {"W": [[1e300]]}, "b": {"W": [[-1e300]]}})
    with pytest.raises(cr.TrainingError, match=r"no finite number for row 1 \(rows count from 0\)"):
        model.predict([[1.0], [1e300]])


def test_a_loss_beyond_all_numbers_is_infinite_and_no_number_is_an_error(engine: str) -> None:
    model = Model(Network.mlp(1, [], 1), "squared_error", dtype="float64", engine=engine)
    model.set_parameters({"output": {"W": [[1e200]], "b": [0.0]}})
    assert model.evaluate([[1.0], [2.0]], [0.0, 1.0])["loss"] == np.inf
    model = Model(Network([Input(1), Dense(1)]), CustomLoss(lambda y, h: (h - h)[:, 0] * np.inf, lambda y, h: h),
                  dtype="float64", engine="reference")  # fmt: skip
    with pytest.raises(cr.TrainingError, match="the loss of these rows is no number"):
        model.evaluate([[1.0]], [0.0])


def test_an_epochs_loss_that_overflows_by_its_sum() -> None:
    """Each step's loss is finite, and the sum over the rows isn't."""
    loss = CustomLoss(lambda y, h: np.full(len(y), 8e307 / len(y)), lambda y, h: np.zeros_like(h))
    model = Model(Network.mlp(3, [], 1), loss, SGD(0.1), dtype="float64")
    with pytest.raises(DivergenceError, match="the loss became NaN or infinite in epoch 1, step 3"):
        model.fit(X, Y, epochs=1, batch_size=4, progress=False)
