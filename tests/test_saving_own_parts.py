"""Models with losses, metrics and activations of one's own: what is saved of them, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from problems import QUARTIC, regression
from round_trips import branched, branched_data, saved_and_loaded

import chainrule as cr
from chainrule import losses
from chainrule.activations import ActivationFunction
from chainrule.schedules import Schedule


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class TestOwnParts:
    def test_a_loss_of_ones_own(self):
        X, y = regression()
        model = cr.Model(cr.Network.mlp(3, [4], 1), QUARTIC)
        model.fit(X, y, epochs=2)
        loaded = saved_and_loaded(model)
        assert loaded.predict(X).tobytes() == model.predict(X).tobytes()
        for attempt in (
            lambda: loaded.fit(X, y),
            lambda: loaded.evaluate(X, y),
            lambda: loaded.loss_and_gradients(X, y),
        ):
            with pytest.raises(cr.ChainruleError, match="quartic"):
                attempt()
        whole = cr.load("m.safetensors", loss=QUARTIC)
        assert whole.evaluate(X, y) == model.evaluate(X, y)
        whole.fit(X, y, epochs=1)

    def test_a_loss_of_ones_own_for_one_head(self):
        X, y = branched_data()
        model = cr.Model(branched(), {"size": QUARTIC, "kind": "cross_entropy"})
        loaded = saved_and_loaded(model)
        assert loaded.predict(X)["kind"].tobytes() == model.predict(X)["kind"].tobytes()
        whole = cr.load("m.safetensors", loss={"size": QUARTIC, "kind": "cross_entropy"})
        assert whole.evaluate(X, y) == model.evaluate(X, y)

    def test_saved_again_without_its_loss(self):
        model = cr.Model(cr.Network.mlp(3, [], 1), QUARTIC)
        again = saved_and_loaded(saved_and_loaded(model))
        assert again.network == model.network
        assert cr.load("m.safetensors", loss=QUARTIC).objective == model.objective

    def test_a_mistake_in_the_loss_is_not_the_files(self):
        cr.Model(cr.Network.mlp(3, [], 1), QUARTIC).save("m.safetensors")
        for loss, message in (("qartic", 'no loss "qartic"'), (5, "loss is 5"), ({"other": "mse"}, "other")):
            with pytest.raises(cr.InputError, match=message) as caught:
                cr.load("m.safetensors", loss=loss)
            assert not isinstance(caught.value, cr.FileError)

    def test_metrics_of_ones_own_are_left_out(self):
        own = cr.Metric("own", lambda target, output, weights: 1.0, True, "1")
        model = cr.Model(cr.Network.mlp(3, [], 1), "squared_error", metrics=["r2", own])
        assert [m.name for m in saved_and_loaded(model).metrics["output"]] == ["r2"]

    def test_what_nobody_could_load_is_not_saved(self):
        @dataclass(frozen=True)
        class Square(ActivationFunction):
            name = "square"

        @dataclass(frozen=True)
        class ReLU(ActivationFunction):  # called as one of ours, and is another
            name = "relu"

        @dataclass(frozen=True)
        class Halving(Schedule):
            name = "halving"

        for model, what in (
            (cr.Model(cr.Network.mlp(2, [3], 1, activation=Square()), "squared_error"), 'activation "square"'),
            (cr.Model(cr.Network.mlp(2, [3], 1, activation=ReLU()), "squared_error"), "isn't the same"),
            (cr.Model(cr.Network.mlp(2, [3], 1), "squared_error", cr.SGD(Halving(0.1))), 'schedule "halving"'),
        ):
            with pytest.raises(cr.InputError, match=f"^the model can't be saved: files hold no code.*{what}"):
                model.save("m.safetensors")
        assert not Path("m.safetensors").exists()

    def test_a_loss_class_of_ones_own(self):
        @dataclass(frozen=True)
        class Own(losses.SquaredError):
            name = "own"

        model = cr.Model(cr.Network.mlp(3, [], 1), Own())
        loaded = saved_and_loaded(model)
        assert loaded.network == model.network
        assert cr.load("m.safetensors", loss=Own()).objective == model.objective
