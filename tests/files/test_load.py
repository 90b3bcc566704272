"""One call that loads whatever was saved, and refuses whatever wasn't, with one kind of error."""

from __future__ import annotations

import os
import pickle
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forging import OUT, changed, paths
from problems import regression

import chainrule as cr
from chainrule import container
from chainrule.engines.native import NativeEngine


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of files, each read at once: none has to reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(scope="module")
def array_model() -> cr.Model:
    network = cr.Network.mlp(3, [4], 1, batch_norm=True, dropout=0.1)
    model = cr.Model(network, "huber", cr.Adam(cr.Cosine(0.01)), metrics=["r2"], l2=0.1)
    X, y = regression()
    model.fit(X, y, epochs=2, batch_size=8, validation=0.25, stop=cr.EarlyStopping(5))
    return model


@pytest.fixture(scope="module")
def table_model() -> cr.TableModel:
    table = {
        "x": [float(i % 7) if i % 9 else None for i in range(40)],
        "sex": ["f", "m"] * 20,
        "y": ["a", "b", "c", "b"] * 10,
    }
    return cr.TableModel.train(table, "y", hidden=(4,), members=2, epochs=2, progress=False)


def test_a_model_and_a_table_model(array_model, table_model):
    array_model.save("a.safetensors")
    table_model.save("t.safetensors")
    assert type(cr.load("a.safetensors")) is cr.Model
    assert type(cr.load(Path("t.safetensors"))) is cr.TableModel


def test_the_engine(array_model, table_model):
    array_model.save("a.safetensors")
    table_model.save("t.safetensors")
    for name in ("a.safetensors", "t.safetensors"):
        with pytest.raises(cr.InputError, match="engine is 'nope'; it must be \"auto\"") as caught:
            cr.load(name, engine="nope")
        assert not isinstance(caught.value, cr.FileError)
        if NativeEngine.missing():
            with pytest.raises(cr.EngineError, match="the native engine can't be used"):
                cr.load(name, engine="native")
    assert cr.load("a.safetensors", engine="reference").engine_.name == "reference"
    assert cr.load("t.safetensors", engine="reference").model.engine_.name == "reference"


def test_loading_runs_no_code(monkeypatch):
    """Neither a pickle nor names of functions in the file are ever looked at."""

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, ("exploded",)

    Path("bomb.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(cr.FileError):
        cr.load("bomb.safetensors")
    model = cr.Model(cr.Network.mlp(2, [3], 1), "squared_error")
    for place, value in (
        ("loss", {"output": "os.mkdir"}),
        ("optimizer", "os:mkdir"),
        ("metrics", {"output": ["eval"]}),
    ):
        contents = model.to_contents()
        container.write(
            "a.safetensors", container.Contents("model", {**contents.form, place: value}, contents.tensors), "0"
        )
        with pytest.raises(cr.FileError, match=r"^a\.safetensors: the file's description of the model is damaged"):
            cr.load("a.safetensors")
    assert not Path("exploded").exists()


def test_a_file_of_another_kind():
    container.write("w.safetensors", container.Contents("worksheet", {}, {}), "0.1.0")
    with pytest.raises(cr.FileError, match=r'^w\.safetensors holds a "worksheet", which this version doesn\'t know$'):
        cr.load("w.safetensors")


def test_every_damage_by_accident_is_noticed(array_model, table_model):
    """Flipped bits and cut ends anywhere: a `FileError`, or the model as it was."""
    rng = np.random.default_rng(0)
    for saved, name in ((array_model, "a"), (table_model, "t")):
        saved.save(name)
        whole = Path(name).read_bytes()
        header = 8 + int.from_bytes(whole[:8], "little")
        places = [*range(24), *rng.integers(0, header, 150), *rng.integers(header, len(whole), 50)]
        for place in places:
            damaged = bytearray(whole)
            damaged[place] ^= 1 << int(rng.integers(8))
            Path("d").write_bytes(damaged)
            try:
                loaded = cr.load("d")
            except cr.FileError:
                continue
            again = loaded.model if isinstance(loaded, cr.TableModel) else loaded
            first = saved.model if isinstance(saved, cr.TableModel) else saved
            assert again.training.parameters.tobytes() == first.training.parameters.tobytes()
        for length in {0, 1, 8, 9, header - 1, header, len(whole) - 1, *rng.integers(0, len(whole), 40)}:
            Path("d").write_bytes(whole[:length])
            with pytest.raises(cr.FileError):
                cr.load("d")
        for data in (whole + b"\0", b"\0" * 100, rng.bytes(1000), b"{}"):
            Path("d").write_bytes(data)
            with pytest.raises(cr.FileError):
                cr.load("d")


@pytest.mark.usefixtures("no_sync")
@pytest.mark.parametrize(
    "value",
    [OUT, None, "x", -1, 10**15, [], {}, [[1]], {"name": "relu"}],
    ids=lambda value: "taken out" if value is OUT else str(value),
)
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_descriptions_by_another_hand(array_model, table_model, value, every):
    """Any entry of the JSON taken out or replaced, its checksum right: a `FileError` or a model, nothing else."""
    begin = len(str(value)) % every  # of the quick ones each takes others
    for saved in (array_model.to_contents(training=True), table_model.to_contents()):
        for path in islice(paths(saved.form), begin, None, every):
            form = changed(saved.form, path, value)
            container.write("d", container.Contents(saved.kind, form, saved.tensors), "0.1.0")
            with suppress(cr.FileError):
                assert isinstance(cr.load("d"), (cr.Model, cr.TableModel))


@pytest.mark.usefixtures("no_sync")
def test_tensors_by_another_hand(array_model):
    saved = array_model.to_contents(training=True)
    vectors = {name: array for name, array in saved.tensors.items() if "history" not in name and name != "times"}
    for name, array in vectors.items():
        for other in (
            None,
            array.astype(np.float64),
            array[..., None],
            np.zeros(0, np.float32),
            array.astype(np.int32),
        ):
            tensors = {key: value for key, value in saved.tensors.items() if key != name}
            if other is not None:
                tensors[name] = other
            container.write("d", container.Contents("model", saved.form, tensors), "0.1.0")
            with pytest.raises(cr.FileError, match=f'^d: the file is damaged: the tensor "{name}"'):
                cr.load("d")
