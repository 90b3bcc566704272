"""`chainrule doctor`: what is wrong with the training of a saved model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.health.ailment import CODES


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """A model of arrays whose gradients vanish, and its rows as a table."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)).round(3)
    y = X[:, 0] - X[:, 1]
    pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y}).write_csv("rows.csv")
    model = cr.Model(cr.Network.mlp(3, [12] * 8, 1, activation="sigmoid"), "mse", cr.SGD(0.05))
    model.fit(X, y, epochs=5, progress=False)
    model.save("deep.safetensors")
    return model


def test_findings_with_remedies_and_the_layers(run, deep):
    result = run("doctor", "deep.safetensors", "--table", "rows.csv", "--target", "y")
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith(f"2 findings in 200 rows, 5 epochs: {CODES['vanishing']}")
    assert '1. Vanishing gradients, layer "hidden_1"' in lines
    assert result.out.count("What helps: ") == 2
    assert "give others with --validation FILE" in result.out
    assert [line.split()[0] for line in lines[-9:]] == [*(f"hidden_{i}" for i in range(1, 9)), "output"]


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_it_fits_the_screen(run, deep, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = run("doctor", "deep.safetensors", "--table", "rows.csv", "--target", "y")
    lines = result.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert [line.split()[0] for line in lines[-9:]] == [*(f"hidden_{i}" for i in range(1, 9)), "output"]


def test_json_is_what_python_says(run, deep):
    rows = ("--table", "rows.csv", "--target", "y", "--validation", "rows.csv")
    report = run("doctor", "deep.safetensors", *rows, "--json").json
    frame = pl.read_csv("rows.csv")
    X, y = frame.select("a", "b", "c").to_numpy(), frame["y"].to_numpy()
    said = cr.load("deep.safetensors").diagnose(X, y, validation=(X, y)).to_json()
    assert report == {"model": "deep.safetensors", "table": "rows.csv", "validation": "rows.csv", **said}
    assert {one["code"] for one in report["findings"]} == {"vanishing", "constant-output", "leak"}


def test_a_table_model_is_healthy(run, penguins, model):
    result = run("doctor", model, "--table", penguins, "--member", "2")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("Healthy: nothing was found in 344 rows")


def test_rows_without_a_target_are_left_out(run, penguins, mass):
    assert "342 rows" in run("doctor", mass, "--table", penguins, "--look-only").out.splitlines()[0]


def test_a_picture(run, deep):
    pytest.importorskip("matplotlib")
    result = run("doctor", "deep.safetensors", "--table", "rows.csv", "--target", "y", "--picture", "seen.png")
    assert result.out.splitlines()[-1] == "seen.png: Layer by step: how the training went"
    assert Path("seen.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Missing option '--table'"),
        (("--table", "none.csv"), "there is no file none.csv"),
        (("--table", "rows.csv"), "say with --target which column is the target"),
        (("--table", "rows.csv", "--target", "z"), 'rows.csv has no column "z"'),
        (("--table", "rows.csv", "--target", "y", "--member", "two"), '--member is "two"'),
        (("--table", "rows.csv", "--target", "y", "--picture", "x.png", "--look-only"), "leave --look-only out"),
        (("--table", "rows.csv", "--target", "y", "--picture", "x.doc"), "x.doc"),
    ],
)
def test_mistakes(run, deep, options, says):
    assert says in run("doctor", "deep.safetensors", *options).complaint


def test_a_model_of_pictures(run, deep):
    pictures = np.arange(24).reshape(6, 2, 2)
    images = cr.ImageModel.train(pictures, list("aabbcc"), test=0, hidden=(5,), epochs=1, progress=False)
    images.save("pictures.safetensors")
    assert "holds a model of pictures" in run("doctor", "pictures.safetensors", "--table", "rows.csv").complaint


@pytest.mark.parametrize("command", [("doctor",), ("plot", "histograms"), ("plot", "knobs", "--weight", "b[output,1]")])
def test_there_is_no_network_0(run, penguins, model, command):
    said = run(*command, model, "--table", penguins, "--member", "0").complaint
    assert "member is 0; the model has" in said
