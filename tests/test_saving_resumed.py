"""Training cut in two, saved in between, and gone on with as if nothing had happened."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import registered
from problems import classes, regression
from round_trips import assert_same_state, saved_and_loaded

import chainrule as cr
from chainrule.training.stopping import Stop


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Pause(cr.Callback):
    """Stops after a number of steps in all."""

    def __init__(self, steps: int):
        self.steps = steps

    def on_step(self, run: Any) -> bool:
        return run.state.step >= self.steps


class TestResume:
    @pytest.mark.parametrize("optimizer", registered.SCHEDULED, ids=repr)
    def test_a_run_cut_in_two_is_the_same_run(self, optimizer, engine):
        """Cut in the middle of an epoch, saved, loaded and gone on with: bit for bit what one run gives."""
        X, y = regression(rows=40)

        def model() -> cr.Model:
            network = cr.Network.mlp(3, [6, 5], 1, activation="tanh", dropout=0.2, batch_norm=True)
            return cr.Model(network, "squared_error", optimizer, l2=1e-3, seed=3, engine=engine)

        plan: dict[str, Any] = {"epochs": 7, "batch_size": 8, "validation": 0.25, "stop": cr.EarlyStopping(3)}
        whole = model()
        whole.fit(X, y, **plan)

        first = model()
        first.fit(X, y, **plan, callbacks=Pause(10))  # an epoch has 4 steps
        assert first.training.step == 10
        first.save("m.safetensors", training=True)
        second = cr.load("m.safetensors", engine=engine)
        assert isinstance(second, cr.Model)
        assert_same_state(first, second)
        second.fit(X, y, **plan, resume=True)
        assert_same_state(whole, second)

    def test_in_many_pieces(self):
        X, y = classes()

        def model() -> cr.Model:
            return cr.Model(cr.Network.mlp(3, [8], 3, output="softmax", dropout=0.5), "cross_entropy", cr.Adam(0.02))

        plan: dict[str, Any] = {"epochs": 5, "batch_size": 7, "shuffle": "replace", "clip_norm": 0.5}
        whole = model()
        whole.fit(X, y, **plan)
        pieces = model()
        for cut in itertools.count(3, 5):
            pieces.fit(X, y, **plan, callbacks=Pause(cut), resume=True)
            pieces = saved_and_loaded(pieces, training=True)
            if pieces.history.stopped_by == "epochs":
                break
        assert_same_state(whole, pieces)

    def test_past_the_best_epoch(self):
        """The best weights were brought back at the end; a resumed run goes on from the last ones."""
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(40, 3)), rng.normal(size=40)  # nothing but noise: soon overfitted

        def model() -> cr.Model:
            return cr.Model(cr.Network.mlp(3, [32], 1), "squared_error", cr.SGD(0.03), seed=1)

        plan: dict[str, Any] = {"batch_size": 4, "validation": 0.4, "stop": cr.EarlyStopping(50)}
        whole = model()
        whole.fit(X, y, epochs=12, **plan)
        first = model()
        first.fit(X, y, epochs=6, **plan)
        assert first.history.best_epoch < 6
        second = saved_and_loaded(first, training=True)
        assert_same_state(first, second)
        second.fit(X, y, epochs=12, **plan, resume=True)
        assert_same_state(whole, second)

    def test_a_rule_of_ones_own_remembers(self):
        """Whatever it likes to call it; and what comes back is its own best epoch, known by no name of chainrule's."""

        @dataclass(frozen=True)
        class Patience(Stop):
            name = "patience"

            @property
            def restores(self):
                return True

            def best_epoch(self, memory):
                return memory.get("at")

            def look(self, epoch, memory):
                memory["seen"] = [*memory.get("seen", []), epoch.record.loss]
                if epoch.record.validation_loss < memory.get("least", math.inf):
                    memory.update(at=epoch.record.epoch, least=epoch.record.validation_loss)
                return "enough" if len(memory["seen"]) == 9 else None

        X, y = regression()
        plan: dict[str, Any] = {"epochs": 12, "batch_size": 4, "validation": 0.4, "stop": [Patience()]}

        def model() -> cr.Model:
            return cr.Model(cr.Network.mlp(3, [32], 1), "squared_error", cr.SGD(0.03), seed=1)

        whole, part = model(), model()
        whole.fit(X, y, **plan)
        part.fit(X, y, **plan | {"epochs": 5})
        loaded = saved_and_loaded(part, training=True)
        assert_same_state(part, loaded)
        loaded.fit(X, y, **plan, resume=True)
        assert_same_state(whole, loaded)
        assert loaded.history.stopped_by == "enough"
        with pytest.raises(cr.InputError, match=r"EarlyStopping\(.* can't go on from .*\(seen, at, least\)"):
            saved_and_loaded(part, training=True).fit(X, y, **plan | {"stop": cr.EarlyStopping()}, resume=True)

    @pytest.mark.parametrize("value", [{1: 2}, (1, 2), {"a": {3}}, [np.ones(2)], 1j], ids=str)
    def test_a_memory_that_would_be_another_is_refused(self, value):
        @dataclass(frozen=True)
        class Odd(Stop):
            name = "odd"

            def look(self, epoch, memory):
                memory.update(plain=[1, 2.5, "x", None, True, np.float32(0.5), {"a": math.inf}], odd=value)

        model = cr.Model(cr.Network.mlp(3, [], 1), "squared_error")
        model.fit(*regression(), epochs=1, stop=Odd())
        with pytest.raises(cr.InputError, match=r"stopping rule 1 remembers odd: .* can't be saved"):
            model.save("m.safetensors", training=True)
        model.save("m.safetensors")

    def test_lbfgs_goes_on_from_its_weights(self):
        """SciPy's memory of curvature isn't saved (decision 6): the same minimum by other steps."""
        X, y = regression()
        model = cr.Model(
            cr.Network.mlp(3, [4], 1, activation="tanh"), "squared_error", "lbfgs", l2=0.01, dtype="float64"
        )
        model.fit(X, y, epochs=10)
        first = list(model.history["loss"])
        loaded = saved_and_loaded(model, training=True)
        assert_same_state(model, loaded)
        loaded.fit(X, y, epochs=60, resume=True)
        losses = loaded.history["loss"]
        assert losses[:10] == first
        assert all(b <= a for a, b in itertools.pairwise(losses))
        assert losses[-1] < first[-1]
        assert [record.epoch for record in loaded.history] == list(range(1, len(losses) + 1))

    def test_a_checkpoint(self):
        X, y = regression()

        def model() -> cr.Model:
            return cr.Model(cr.Network.mlp(3, [8], 1, dropout=0.1), "squared_error", cr.Adam(0.01))

        whole, part = model(), model()
        whole.fit(X, y, epochs=6)
        part.fit(X, y, epochs=6, callbacks=[cr.Checkpoint("c.safetensors"), lambda record: record.epoch == 4])
        loaded = cr.load("c.safetensors")
        assert len(loaded.history) == 4
        loaded.fit(X, y, epochs=6, resume=True)
        assert_same_state(whole, loaded)

    def test_members_side_by_side(self):
        X, y = regression()

        def model() -> cr.Model:
            return cr.Model.ensemble(cr.Network.mlp(3, [4], 1, batch_norm=True), "squared_error", members=3)

        whole, part = model(), model()
        whole.fit(X, y, epochs=4, batch_size=6)
        part.fit(X, y, epochs=4, batch_size=6, callbacks=Pause(6))
        loaded = saved_and_loaded(part, training=True)
        assert_same_state(part, loaded)
        loaded.fit(X, y, epochs=4, batch_size=6, resume=True)
        assert_same_state(whole, loaded)

    def test_without_training_a_run_begins_anew(self):
        X, y = regression()
        model = cr.Model(cr.Network.mlp(3, [4], 1), "squared_error")
        model.fit(X, y, epochs=3)
        loaded = saved_and_loaded(model)
        assert loaded.training.step == 0
        assert not loaded.training.slots.any()
        assert len(loaded.history) == 3
