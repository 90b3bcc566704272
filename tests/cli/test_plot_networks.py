"""`chainrule plot network`, `histograms` and `knobs`: of trained models, worksheets and sizes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from chainrule import MLPClassifier, Model, Network, TableModel, load
from chainrule.explain.worksheets.worksheet import read_worksheet

pytest.importorskip("matplotlib")
SHEET = Path(__file__).parents[2] / "examples" / "worksheets" / "two_by_two_by_two.toml"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a table and models of it of every kind, and the table's numbers."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)).round(3)
    y = (X.sum(axis=1) > 0).astype(int)
    rows = "\n".join(f"{a},{b},{'yes' if c else 'no'},{c}" for (a, b), c in zip(X, y, strict=True))
    (folder / "rows.csv").write_text(f"a,b,kind,number\n{rows}\n")
    numbers = "\n".join(f"{a},{b},{c}" for (a, b), c in zip(X, y, strict=True))
    (folder / "numbers.csv").write_text(f"a,b,number\n{numbers}\n")
    table = TableModel.train({"a": X[:, 0], "b": X[:, 1], "kind": np.where(y, "yes", "no")}, "kind", hidden=(3,),
                             epochs=2, members=2, progress=False)  # fmt: skip
    table.save(folder / "table.safetensors")
    model = Model(Network.mlp(2, [3], 1, output="sigmoid"), "binary_cross_entropy", dtype="float64")
    model.save(folder / "model.safetensors")
    return folder, X, y


@pytest.fixture
def trained(made, tmp_path):
    """These files in the folder where commands run."""
    folder, X, y = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return X, y


def test_a_diagram_of_a_worksheet(run):
    facts = run("plot", "network", SHEET, "--weight", "W[hidden,1,1]", "--json").json
    work = read_worksheet(SHEET).derivation()
    assert facts["picture"] == "network.png"
    assert facts["values"]["weights"]["W[hidden,1,1]"] == 0.15
    assert facts["values"]["gradients"]["dL/dW[output,1,1]"] == pytest.approx(work["dL/dW[output,1,1]"].value, rel=1e-5)
    assert facts["values"]["path"][-1] == "h[output,1]"
    assert Path("network.png").read_bytes().startswith(b"\x89PNG")


def test_diagrams_of_sizes_and_of_models(run, trained):
    X, _ = trained
    assert len(run("plot", "network", "4-3-2", "--json").json["values"]["weights"]) == 23
    row = run("plot", "network", "2-2-1", "--x", "0.5,0.8", "--y", 1, "--json").json["values"]
    assert row["values"]["x[1]"] == 0.5
    assert "dL/dz[output,1]" in row["gradients"]
    values = run("plot", "network", "table.safetensors", "--json").json["values"]
    assert values["values"] == {}
    values = run(
        "plot", "network", "table.safetensors", "--table", "rows.csv", "--row", 3, "--member", 2, "--json"
    ).json
    assert values["values"]["values"]
    arrays = run(
        "plot", "network", "model.safetensors", "--table", "numbers.csv", "--target", "number", "--row", 3, "--json"
    )
    assert arrays.json["values"]["values"]["x[1]"] == pytest.approx(X[2, 0], rel=1e-5)


def test_histograms_with_and_without_rows(run, trained):
    X, y = trained
    alone = run("plot", "histograms", "model.safetensors", "--json").json["values"]
    assert "gradients" not in alone["hidden"]
    both = run("plot", "histograms", "model.safetensors", "--table", "numbers.csv", "--target", "number", "--json").json
    gradients = load("model.safetensors").loss_and_gradients(X, y)[1]["output"]
    sizes = np.abs(np.concatenate([gradients["W"].ravel(), gradients["b"]]))
    assert both["values"]["output"]["gradients"]["mean size"] == pytest.approx(sizes.mean(), rel=1e-5)
    table = run("plot", "histograms", "table.safetensors", "--table", "rows.csv", "--json").json["values"]
    assert table["output"]["gradients"]["count"] == table["output"]["weights"]["count"]


def test_knobs_of_one_weight_and_of_two(run, trained):
    X, y = trained
    command = ("plot", "knobs", "model.safetensors", "--table", "numbers.csv", "--target", "number", "--json")
    one = run(*command, "--weight", "W[hidden,1,2]", "--points", 5).json["values"]
    turned = load("model.safetensors").turn("W[hidden,1,2]", X=X, y=y, points=5)
    assert one["loss"] == pytest.approx(turned.loss.tolist(), rel=1e-5)
    assert one["gradient"] == pytest.approx(list(turned.gradient), rel=1e-5)
    two = run(*command, "--weight", "W[hidden,1,2]", "--weight", "b[output,1]", "--points", 4, "--reach", 1).json[
        "values"
    ]
    assert np.shape(two["loss"]) == (5, 5)
    table = run("plot", "knobs", "table.safetensors", "--table", "rows.csv", "--weight", "b[output,1]", "--points", 3)
    assert table.status == 0, table.err
    assert "The rows are those of rows.csv" in table.out.replace("\n  ", " ")


def test_estimators(run, trained):
    X, y = trained
    classifier = MLPClassifier(hidden_layer_sizes=(3,), max_iter=2, random_state=0, early_stopping=False)
    with pytest.warns(match="max_iter|Maximum|converge"):
        classifier.fit(X, y)
    classifier.save("classifier.safetensors")
    command = ("plot", "knobs", "classifier.safetensors", "--table", "numbers.csv", "--target", "number", "--json")
    assert len(run(*command, "--weight", "b[output,1]", "--points", 3).json["values"]["loss"]) == 3
    assert run("plot", "network", "classifier.safetensors", "--json").json["values"]["weights"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("network", "nothing.safetensors"), "nothing.safetensors"),
        (("network", "2-2-1", "--weight", "W[hidden,1,1]"), "give a row"),
        (("network", "2-2-1", "--row", "3"), "--row is a row of --table"),
        (("network", "2-2-1", "--x", "1,2", "--y", "1", "--weight", "W[hiden,1,1]"), 'Did you mean "hidden"'),
        (("network", "model.safetensors", "--table", "numbers.csv", "--target", "number"), "say which row"),
        (("knobs", "model.safetensors", "--table", "numbers.csv", "--weight", "b[output,1]"), "the model takes 2"),
        (("knobs", "table.safetensors", "--table", "rows.csv", "--weight", "b[outptu,1]"), 'Did you mean "output"'),
        (("knobs", "table.safetensors", "--table", "rows.csv", "--weight", "z[output,1]"), "is computed"),
        (("knobs", "table.safetensors", "--table", "rows.csv", "--target", "kind", "--weight", "b[output,1]"), "leave"),
        (("knobs", "table.safetensors", "--table", "rows.csv"), "Missing option '--weight'"),
        (
            ("knobs", "table.safetensors", "--table", "rows.csv", "--weight", "b[output,1]", "--reach", "0"),
            "reach is 0",
        ),
        (("histograms", "table.safetensors", "--member", "7"), "member is 7"),
    ],
)
def test_mistakes(run, trained, arguments, words):
    before = set(Path().iterdir())
    assert words in run("plot", *arguments).complaint
    assert set(Path().iterdir()) == before
