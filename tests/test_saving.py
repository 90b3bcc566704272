"""Models to tensors and JSON and back: bit for bit, and the same bytes from every run."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import problems
import pytest
from problems import regression
from round_trips import assert_same_state, branched, branched_data, saved_and_loaded

import chainrule as cr
from chainrule import container
from chainrule.training.history import EpochRecord


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_two_runs_write_the_same_bytes_but_for_the_times(tmp_path, monkeypatch):
    """One in a process of its own, with another seed of hashes."""
    written: dict[str, list[bytes]] = {"model": [], "table": [], "estimator": []}
    for where in ("here", "elsewhere"):
        folder = tmp_path / where
        folder.mkdir()
        if where == "here":
            monkeypatch.chdir(folder)
            exec(RUN, {})
        else:
            seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
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
