"""Models to tensors and JSON and back: bit for bit, and training that goes on as if nothing had happened."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import problems
import pytest
import registered
from problems import QUARTIC, classes, regression

import chainrule as cr
from chainrule import container, losses
from chainrule.activations import ActivationFunction
from chainrule.schedules import Schedule
from chainrule.training.history import EpochRecord
from chainrule.training.stopping import Stop


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def assert_same_state(first: cr.Model, second: cr.Model, *, training: bool = True) -> None:
    """Every vector and every counter of two models is equal, bit for bit; seconds apart, which are measured."""
    assert first.network == second.network
    assert (first.seed, first.dtype, first.optimizer) == (second.seed, second.dtype, second.optimizer)
    a, b = first.training, second.training
    pairs = [(a.parameters, b.parameters), (a.state, b.state)]
    if training:
        pairs.append((a.slots, b.slots))
        for name in ("step", "epoch", "batch", "first_step", "first_epoch", "rate", "memories", "plateau"):
            assert getattr(a, name) == getattr(b, name), name
        assert a.bests.keys() == b.bests.keys()
        named = [(getattr(a, name), getattr(b, name)) for name in ("latest", "epoch_start")]
        for one, other in (*named, *((best, b.bests[rule]) for rule, best in a.bests.items())):
            assert (one is None) == (other is None)
            if one is not None:
                pairs += [(one.parameters, other.parameters), (one.state, other.state)]
        assert (a.partial is None) == (b.partial is None)
    for one, other in pairs:
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    assert_same_history(first, second)


def assert_same_history(first: cr.Model, second: cr.Model) -> None:
    forms = [model.history.to_dict() for model in (first, second)]
    for form in forms:
        for record in form["epochs"]:
            del record["seconds"]
    assert forms[0] == forms[1]


def saved_and_loaded(model: cr.Model, **options: Any) -> cr.Model:
    model.save("m.safetensors", **options)
    loaded = cr.load("m.safetensors")
    assert isinstance(loaded, cr.Model)
    return loaded


def branched() -> cr.Network:
    """Three inputs, every kind of layer, two heads."""
    a, b, c = cr.Input(3, name="a"), cr.Input((2, 2), name="b"), cr.Input(1, dtype="integer", name="c")
    scaled = cr.Scale(rate_factor=2.0, decay_factor=0.0)(a)
    left = cr.Dropout(0.2)(cr.Activation("gelu")(cr.BatchNorm(name="norm")(cr.Dense(4, bias=False)(scaled))))
    right = cr.Dense(4, activation={"name": "leaky_relu", "slope": 0.2}, l2=0.01, initializer="orthogonal")(
        cr.Flatten()(b)
    )
    joined = cr.Concatenate()(cr.Add()(left, right), a, cr.OneHot(5, first=7)(c))
    heads = {"size": cr.Dense(2, name="size")(joined), "kind": cr.Dense(3, activation="softmax", name="kind")(joined)}
    return cr.Network(inputs=[a, b, c], outputs=heads)


def branched_data(rows: int = 30) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    X = {"a": rng.normal(size=(rows, 3)), "b": rng.normal(size=(rows, 2, 2)), "c": rng.integers(7, 12, (rows, 1))}
    return X, {"size": rng.normal(size=(rows, 2)), "kind": rng.integers(3, size=rows)}


class TestRoundTrip:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("training", [False, True])
    def test_every_layer_two_inputs_two_heads(self, dtype, training):
        model = cr.Model(
            branched(),
            cr.Objective(
                {"size": cr.Huber(delta=0.5), "kind": cr.CrossEntropy(label_smoothing=0.1)}, loss_weights={"size": 0.5}
            ),
            cr.SGD(cr.Cosine(0.05, warmup_epochs=1), momentum=0.9, nesterov=True),
            metrics={"kind": ["accuracy"], "size": ["r2"]}, l1=1e-4, l2=1e-3, seed=7,
            dtype=dtype,
        )  # fmt: skip
        X, y = branched_data()
        model.fit(X, y, epochs=3, batch_size=8, validation=0.2, stop=cr.EarlyStopping(2))
        loaded = saved_and_loaded(model, training=training)
        assert_same_state(model, loaded, training=training)
        assert loaded.objective == model.objective
        assert loaded.metrics == model.metrics
        for head, output in model.predict(X).items():
            assert output.tobytes() == loaded.predict(X)[head].tobytes()
        assert model.evaluate(X, y) == loaded.evaluate(X, y)
        assert model.state["norm"]["mean"].any()

    @pytest.mark.parametrize(
        "options",
        [
            {"loss": "mse"}, {"loss": cr.Quantile(level=0.9)}, {"loss": "huber", "reduction": "sum"},
            {"loss": "squared_error", "fuse": False}, {"loss": "squared_error", "l1": np.float32(0.1)},
            {"loss": "squared_error", "seed": 2**64 - 1}, {"loss": "squared_error", "optimizer": cr.LBFGS(memory=3)},
            {"loss": "squared_error", "optimizer": cr.Adam(np.float64(0.003), amsgrad=True, convention="torch")},
            {"loss": "squared_error", "optimizer": cr.AdamW(cr.OneCycle(0.1, rise=0.2), weight_decay=0.3)},
            {"loss": "squared_error", "members": 3},
        ],
        ids=str,
    )  # fmt: skip
    def test_options(self, options):
        X, y = regression()
        model = problems.make_model(cr.Network.mlp(3, [4], 1), **options)
        model.fit(X, y, epochs=2)
        loaded = saved_and_loaded(model)
        assert_same_state(model, loaded, training=False)
        assert loaded.objective == model.objective
        assert model.predict(X).tobytes() == loaded.predict(X).tobytes()
        assert saved_and_loaded(loaded).predict(X).tobytes() == model.predict(X).tobytes()

    def test_numpy_whole_numbers_in_the_network(self):
        y = np.array([0, 1, 2])
        network = cr.Network.mlp(2, [np.int32(4)], y.max() + 1, output="softmax")
        model = cr.Model(network, "cross_entropy")
        assert saved_and_loaded(model).predict(np.ones((1, 2))).tobytes() == model.predict(np.ones((1, 2))).tobytes()

    def test_numbers_that_are_not_finite(self):
        model = cr.Model(cr.Network.mlp(2, [], 1), "squared_error", metrics=["r2"])
        model.fit(np.ones((4, 2)), np.ones(4), epochs=1)
        assert np.isnan(model.history["r2"][0])
        loaded = saved_and_loaded(model)
        assert np.isnan(loaded.history["r2"][0])
        model.parameters["output"]["W"][0, 0] = -np.inf
        with pytest.raises(cr.TrainingError, match="the parameter output/W holds NaN or infinite numbers"):
            model.save("m.safetensors")

    def test_a_fresh_model(self):
        model = cr.Model(cr.Network.mlp(2, [3], 1), "squared_error")
        assert_same_state(model, saved_and_loaded(model, training=True))

    def test_the_file_is_smaller_without_training(self):
        X, y = regression()
        model = cr.Model(cr.Network.mlp(3, [64, 64], 1), "squared_error")
        model.fit(X, y, epochs=1)
        sizes = []
        for training in (False, True):
            model.save("m.safetensors", training=training)
            sizes.append(Path("m.safetensors").stat().st_size)
        assert sizes[1] > 2 * sizes[0]

    def test_the_engine_is_chosen_where_the_model_is_loaded(self, engine):
        cr.Model(cr.Network.mlp(2, [], 1), "squared_error").save("m.safetensors")
        assert cr.load("m.safetensors", engine=engine).engine_.name == engine


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


class TestLongHistories:
    """What there is to say of an epoch lies in tensors, so there may be any number of them."""

    def test_the_description_of_many_is_that_of_few(self):
        """What the JSON had to say of each epoch would soon be more than a file's header may hold."""
        rng = np.random.default_rng(0)
        forms = []
        for epochs in (20, 20_000):
            model = cr.Model(cr.Network.mlp(1, [], 1), "squared_error")
            model.training.history = cr.History(
                [
                    EpochRecord(i, 3 * i, loss, 0.1, float(i), loss / 2, {"r2": loss}, {"r2": -loss})
                    for i, loss in enumerate(rng.uniform(size=epochs).tolist(), start=1)
                ],
                "epochs",
                17,
            )
            assert saved_and_loaded(model, training=True).history == model.history
            forms.append(container.read("m.safetensors").form)
        assert forms[0] == forms[1]

    def test_epochs_that_lack_a_number(self):
        model = cr.Model(cr.Network.mlp(1, [], 1), "squared_error")
        model.training.history = cr.History(
            [
                EpochRecord(1, 10, 0.5, 0.1, 1.5),
                EpochRecord(2, 20, math.nan, 0.1, 2.5, math.inf, {"r2": 1.0}, {}),
                EpochRecord(3, 30, 0.25, 0.1, 3.5, math.nan, {"r2": 0.5, "mine/own ?": 0.25}, {"r2": math.nan}),
            ]
        )
        assert repr(list(saved_and_loaded(model).history)) == repr(list(model.history))


RUN = """
import numpy as np, chainrule as cr
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3)); y = X[:, 0]
model = cr.Model(cr.Network.mlp(3, [4], 1, batch_norm=True, dropout=0.1), "squared_error", metrics=["r2"])
model.fit(X, y, epochs=5, batch_size=8, validation=0.2, stop=cr.EarlyStopping(3))
model.save("model", training=True)
table = {"x": [float(i % 7) for i in range(40)], "sex": ["f", "m"] * 20, "y": ["a", "b", "c", "b"] * 10}
cr.TableModel.train(table, "y", hidden=(4,), members=2, epochs=3, progress=False).save("table")
cr.MLPClassifier((4,), max_iter=3, random_state=0, early_stopping=True).fit(X, y > 0).save("estimator")
"""


def test_two_runs_write_the_same_bytes_but_for_the_times(tmp_path):
    """Each in a process of its own, with another seed of hashes."""
    written: dict[str, list[bytes]] = {"model": [], "table": [], "estimator": []}
    for seed in "12":
        folder = tmp_path / seed
        folder.mkdir()
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-W", "ignore", "-c", RUN], cwd=folder, env=environment, check=True)
        for kind, those in written.items():
            data = (folder / kind).read_bytes()
            if kind != "estimator":  # which keeps no times
                length = int.from_bytes(data[:8], "little")
                begin, end = json.loads(data[8 : 8 + length])["times"]["data_offsets"]
                assert end > begin
                data = data[: 8 + length + begin] + data[8 + length + end :]
            those.append(data)
    for first, second in written.values():
        assert first == second
