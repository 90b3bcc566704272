"""`chainrule explain`: what the first argument is, trained models, networks without a file, wrong mixtures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr

EXAMPLES = Path(__file__).parents[2] / "examples"
SHEET, PENGUINS = EXAMPLES / "worksheets" / "two_sigmoid_units.toml", EXAMPLES / "penguins.csv"


def values(out: str) -> dict[str, float]:
    return {entry["name"]: entry["value"] for entry in json.loads(out)["quantities"]}


def of(work, update: bool = False) -> dict[str, float]:
    return {str(q.name): q.value for q in work if update or not q.name.kind.endswith("+")}


@pytest.fixture(scope="module")
def small_models(tmp_path_factory):
    """Table models with three hidden units, so that everything can be compared."""
    folder = tmp_path_factory.mktemp("small")
    for target in ("species", "body_mass_g"):
        model = cr.TableModel.train(PENGUINS, target=target, hidden=(3,), members=2, epochs=3, progress=False)
        model.save(folder / f"{target}.safetensors")
    return folder


def test_a_worksheet_in_every_form(run):
    for form, begin in (
        ("text", "Two sigmoid"),
        ("markdown", "# Two"),
        ("latex", "\\documentclass"),
        ("html", "<!DOC"),
    ):
        shown = run("explain", SHEET, "--format", form)
        assert shown.status == 0
        assert shown.out.startswith(begin), form
    assert values(run("explain", SHEET, "--format", "json").out)["dL/dz[output,1]"] == pytest.approx(
        -0.261536, abs=1e-6
    )
    layer = values(run("explain", SHEET, "--layer", "hidden", "--unit", 2, "--format", "json").out)
    assert list(layer)[:2] == ["z[hidden,2]", "h[hidden,2]"]
    assert not any("output" in name for name in layer)
    run("explain", SHEET, "--weight", "W[hidden,1,1]", "--out", "w.txt")
    assert "Paths from" in Path("w.txt").read_text()
    assert 'Did you mean "latex"' in run("explain", SHEET, "--format", "latx").complaint


def test_a_network_without_a_file_is_what_the_model_of_that_seed_says(run):
    shown = run(
        "explain", "2-2-1", "--activation", "sigmoid", "--x", "0.5,0.8", "--y", "1", "--seed", 3, "--format", "json"
    )
    network = cr.Network.mlp(2, [2], 1, activation="sigmoid")
    model = cr.Model(network, "squared_error", cr.SGD(), seed=3, dtype="float64")
    assert values(shown.out) == of(model.explain([0.5, 0.8], [1]))


@pytest.mark.parametrize(
    ("arguments", "loss", "output", "y"),
    [
        (["--output", "sigmoid", "--y", "1"], "binary_cross_entropy", "sigmoid", [1]),
        (["--loss", "cross_entropy", "--y", "2"], "cross_entropy", "softmax", [2]),
        (["--loss", "cross_entropy", "--y", "0,1,0"], "cross_entropy", "softmax", [0, 1, 0]),
        (["--loss", "huber", "--y", "1,2,3"], "huber", "linear", [1, 2, 3]),
    ],
)
def test_loss_and_output_go_together(run, arguments, loss, output, y):
    units = 1 if len(y) == 1 and loss != "cross_entropy" else 3
    shown = run("explain", f"2-4-{units}", "--x", "1,-2", *arguments, "--format", "json")
    model = cr.Model(cr.Network.mlp(2, [4], units, output=output), loss, dtype="float64")
    assert values(shown.out)["L"] == model.explain([1, -2], np.array(y)).loss


def test_an_update_is_derived_where_one_is_asked_for(run):
    plain = ["explain", "2-1", "--x", "1,2", "--y", "3", "--format", "json"]
    assert not any("+" in name for name in values(run(*plain).out))
    model = cr.Model(cr.Network.mlp(2, [], 1), "squared_error", cr.Adam(0.1), dtype="float64")
    shown = values(run(*plain, "--optimizer", "adam", "--learning-rate", 0.1).out)
    assert shown == of(model.explain([1, 2], [3]), update=True)
    assert "W+[output,1,1]" in values(run(*plain, "--learning-rate", 0.1).out)


def test_without_a_target_there_is_the_forward_pass(run):
    shown = run("explain", "2-2-1", "--x", "1,2;3,4")
    assert "No target is given: forward only" in shown.out
    assert "z[row 2; output,1]" in shown.out
    only = run("explain", "2-2-1", "--x", "1,2;3,4", "--row", 2)
    assert "row 1" not in only.out


def test_a_table_model_and_a_row(run, penguins, small_models):
    model = small_models / "species.safetensors"
    shown = values(run("explain", model, "--table", penguins, "--row", 17, "--format", "json").out)
    loaded = cr.load(model)
    assert shown == of(loaded.explain("penguins.csv", 17))
    frame = cr.read_table("penguins.csv").slice(16, 1)
    X, _ = loaded.encoding.inputs(frame)
    assert shown == of(loaded.model.explain(X, loaded.target.encode(frame)))
    outputs = [shown[f"h[output,{k}]"] for k in (1, 2, 3)]
    np.testing.assert_allclose(outputs, loaded.network(1).predict(X)[0], rtol=1e-4)
    second = values(run("explain", model, "--table", penguins, "--row", 17, "--member", 2, "--format", "json").out)
    outputs = [second[f"h[output,{k}]"] for k in (1, 2, 3)]
    np.testing.assert_allclose(outputs, loaded.network(2).predict(X)[0], rtol=1e-4)
    message = run("explain", model, "--table", penguins, "--member", 3).complaint
    assert message == 'member is 3; the model has 2 networks, from 1, or "mean"'
    text = run("explain", model, "--table", penguins, "--row", 17)
    assert "penguins.csv, row 17" in text.out
    assert "x[numbers,1]     bill_length_mm                        38.7" in text.out
    assert "y[1]             species=Adelie" in text.out
    one = run("explain", model, "--table", penguins, "--row", 17, "--layer", "output", "--unit", 1)
    assert "dL/dz[output,1]" in one.out


def test_a_table_without_the_target_is_explained_forward(run, penguins, small_models):
    pl.read_csv(penguins).head(1).drop("species").write_csv("new.csv")
    assert "forward only" in run("explain", small_models / "species.safetensors", "--table", "new.csv").out


def test_a_number_as_the_target(run, penguins, small_models):
    mass = small_models / "body_mass_g.safetensors"
    shown = values(run("explain", mass, "--table", penguins, "--row", 2, "--format", "json").out)
    loaded = cr.load(mass)
    X, _ = loaded.encoding.inputs(cr.read_table(penguins).slice(1, 1))
    assert shown["z[output,1]"] == pytest.approx(loaded.network(1).predict(X)[0, 0], rel=1e-5)


def array_model() -> cr.Model:
    model = cr.Model(cr.Network.mlp(2, [3], 2, output="softmax"), "cross_entropy", "sgd", seed=5)
    model.save("array.safetensors")
    return model


def test_a_model_of_arrays(run):
    model = array_model()
    typed = run("explain", "array.safetensors", "--x", "0.5,-1;1,2", "--y", "1;0", "--format", "json")
    assert values(typed.out) == of(model.explain([[0.5, -1], [1, 2]], [1, 0]))
    Path("rows.csv").write_text("a,b,class\n1,2,0\n0.5,-1,1\n")
    by_table = ["explain", "array.safetensors", "--table", "rows.csv", "--row", 2, "--format", "json"]
    assert values(run(*by_table, "--target", "class").out) == of(model.explain([0.5, -1], 1))
    assert "say with --target which column" in run(*by_table).complaint
    Path("rows.csv").write_text("a,b\n1,2\n0.5,-1\n")
    assert values(run(*by_table, "--y", "1").out) == of(model.explain([0.5, -1], 1))
    assert set(values(run(*by_table).out)) == set(of(model.explain([0.5, -1])))
    Path("rows.csv").write_text("a,b\n1,2\n0.5,?\n")
    assert 'row 2: column "b" has None' in run(*by_table).complaint


def test_a_saved_model_is_known_by_whatever_name(run):
    array_model()
    Path("array.safetensors").rename("array.model")
    assert run("explain", "array.model", "--x", "1,2").status == 0
    assert "no column" in run("explain", "array.model", "--table", "iris", "--row", 1, "--target", "no").complaint


@pytest.mark.parametrize("named", [False, True])
def test_an_estimator(run, named):
    frame = cr.read_table("iris")
    X, y = frame.drop("target"), frame["target"].to_numpy()
    given = X if named else X.to_numpy()
    classifier = cr.MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0).fit(given, y)
    classifier.save("iris.safetensors")
    expected = of(classifier.explain(given[16:17], y[16:17]))
    if named:
        frame.write_csv("rows.csv")
        shown = run(
            "explain", "iris.safetensors", "--table", "rows.csv", "--row", 17, "--target", "target", "--format", "json"
        )
    else:
        x = ",".join(map(str, X.row(16)))
        shown = run("explain", "iris.safetensors", "--x", x, "--y", "setosa", "--format", "json")
        wrong = run("explain", "iris.safetensors", "--x", x, "--y", "rose").complaint
        assert wrong == '"rose" is none of the classes: they are setosa, versicolor, virginica'
        assert "forward only" in run("explain", "iris.safetensors", "--x", x).out
    assert values(shown.out) == expected
    model = classifier._ready_model()
    assert expected == of(model.explain(X.to_numpy()[16], list(classifier.classes_).index("setosa")))


def test_a_regressor(run):
    X, y = np.linspace(-1, 1, 20).reshape(10, 2), np.linspace(0, 1, 10)
    regressor = cr.MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", max_iter=2000, random_state=0).fit(X, y)
    regressor.save("r.safetensors")
    shown = values(run("explain", "r.safetensors", "--x", "0.5,0.25", "--y", "0.3", "--format", "json").out)
    assert shown == of(regressor.explain([0.5, 0.25], 0.3))
    assert shown["z[output,1]"] == pytest.approx(regressor.predict([[0.5, 0.25]])[0], rel=1e-9)


def two_heads() -> None:
    x = cr.Input(2, name="x")
    heads = {"a": cr.Dense(1, name="a")(x), "b": cr.Dense(1, name="b")(x)}
    model = cr.Model(cr.Network(inputs=x, outputs=heads), {"a": "squared_error", "b": "huber"})
    model.save("heads.safetensors")
    inputs = [cr.Input(1, name="u"), cr.Input(2, name="v")]
    joined = cr.Dense(1, name="out")(cr.Concatenate()(*inputs))
    cr.Model(cr.Network(inputs=inputs, outputs=joined), "squared_error").save("inputs.safetensors")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say what to explain: a worksheet (sheet.toml), the sizes of a network"),
        (("2-2-1",), "say what goes in: --x with 2 numbers, as in --x 0.5,0.8"),
        (("2-2-1", "--x", "1,2,3"), "--x has 3 numbers; 2 inputs would be right"),
        (("2-2-1", "--x", "1,2;3"), "--x has 1 number in row 2; 2 inputs would be right"),
        (("2-2-1", "--x", "1,two"), "must be numbers with commas between them"),
        (("2-2-1", "--x", "1,nan"), "must be finite numbers"),
        (("2-2-1", "--x", "1,2", "--y", "1;2"), "--y has 2 rows and --x has 1"),
        (("2-2-2", "--x", "1,2", "--y", "1"), "--y has 1 number; 2 outputs would be right"),
        (("2-2-2", "--x", "1,2", "--y", "5", "--loss", "cross_entropy"), "whole numbers from 0 to 1"),
        (("2-2-1", "--x", "1,2", "--table", "a.csv"), "--table is for a trained model"),
        (("2-2-1", "--x", "1,2", "--activation", "sigmiod"), 'Did you mean "sigmoid"'),
        (("2-2-1", "--x", "1,2", "--optimizer", "lbfgs"), "no update that can be worked by hand"),
        (("2-2-3", "--x", "1,2", "--loss", "cross_entropy", "--output", "linear"), 'output="softmax"'),
        (("2x2x1", "--x", "1,2"), '"2x2x1" is no network'),
        ((SHEET, "--layer", "hiden", "--format", "json"), 'Did you mean "hidden"'),
        ((SHEET, "--seed", "3"), "--seed is for a network without a file"),
        ((SHEET, "--x", "3"), "--x is for a network without a file or a trained model"),
        (("heads.safetensors", "--x", "1,2", "--y", "1"), "the network has the heads a, b"),
        (("inputs.safetensors", "--x", "1,2"), "has the inputs u (1,), v (2,)"),
        (("heads.safetensors",), "by --table FILE --row N or by --x; none is given"),
        (("heads.safetensors", "--x", "1,2", "--table", "iris"), "both is given"),
        (("heads.safetensors", "--table", "iris", "--row", "151"), "--row is 151; the table has 150 rows"),
        (("heads.safetensors", "--table", "iris"), "say which row, as in --row 1; the table has 150"),
        (("heads.safetensors", "--x", "1,2", "--seed", "1"), "--seed is for a network without a file"),
        (("nothing.safetensors", "--x", "1"), "there is no file nothing.safetensors"),
        (("nothing.toml",), "can't read nothing.toml"),
    ],
)
def test_mistakes_are_said(run, arguments, message):
    two_heads()
    assert message in run("explain", *arguments).complaint


def test_a_table_model_knows_its_columns(run, penguins, small_models):
    model = small_models / "species.safetensors"
    for more in (("--x", "1,2"), ("--table", penguins, "--row", 1, "--y", "1")):
        assert 'knows its columns, the target "species" too' in run("explain", model, *more).complaint
    frame = pl.read_csv(penguins).head(2).with_columns(species=pl.lit("Emperor"))
    frame.write_csv("odd.csv")
    complaint = run("explain", model, "--table", "odd.csv", "--row", 2).complaint
    assert complaint.startswith('odd.csv, row 2: column "species" has "Emperor"')
    assert "which the model doesn't know" in complaint


def test_several_heads_are_explained_forward(run):
    two_heads()
    shown = run("explain", "heads.safetensors", "--x", "1,2")
    assert "z[a,1]" in shown.out
    assert "z[b,1]" in shown.out
