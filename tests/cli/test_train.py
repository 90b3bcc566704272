"""`chainrule train`: what it says, what it saves, and what each flag changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import chainrule as cr

FAST = ("--epochs", "4", "--hidden", "8")


def test_whole_numbers_that_may_be_classes(run):
    Path("t.csv").write_text("x,rating\n" + "".join(f"{i * 0.7},{i % 10}\n" for i in range(100)))
    said = 'if the numbers of "rating" are classes, say --task classification\n'
    assert said in run("train", "t.csv", "-t", "rating", *FAST).out
    assert "--task" not in run("train", "t.csv", "-t", "rating", "--task", "regression", *FAST).out
    Path("t.csv").write_text("x,rating\n" + "".join(f"{i * 0.7},{i % 3}\n" for i in range(100)))
    said = 'if the numbers of "rating" are a quantity, say --task regression\n'
    assert said in run("train", "t.csv", "-t", "rating", *FAST).out


def test_the_plan_the_run_and_the_result_are_said(run, penguins):
    result = run("train", penguins, "--target", "species", "--members", 1, *FAST)
    assert result.status == 0
    assert result.err == ""
    lines = [line.rstrip() for line in result.out.splitlines()]
    assert lines[0].split() == ["column", "taken", "for", "why", "missing"]
    assert lines[2].split() == ["species", "target", "classification:", "text"]
    assert lines[3].split() == ["island", "categorical", "text"]
    assert lines[4].split() == ["bill_length_mm", "numeric", "numbers", "2"]
    assert lines[8].split() == ["sex", "categorical", "text", "11"]
    assert lines[10] == (
        "223 training rows in batches of 13: 18 steps x 4 epochs = 72 steps at most; 6 columns-8-3: 1,163 parameters"
    )
    assert lines[11] == "held out: 52 rows to decide when to stop and 69 rows for the test"
    assert lines[12].startswith("4 epochs in ")
    assert lines[12].endswith(" s: as many as allowed")
    assert lines[14] == "out-of-fold scores (52 rows, by the network that didn't train on them)"
    assert lines[20] == "test scores (69 rows)"
    for begin in (15, 21):
        assert lines[begin].split() == ["score", "model", "baseline", "(majority", "class)", "better"]
        assert [line.split()[0] for line in lines[begin + 2 : begin + 4]] == ["accuracy", "log"]
    assert lines[-1] == "saved to penguins.safetensors"
    assert "\n\n\n" not in result.out
    assert not result.out.startswith("\n")
    assert Path("penguins.safetensors").is_file()


def test_dropped_columns_say_why(run):
    frame = pl.DataFrame(
        {
            "name": [f"person {i}" for i in range(40)],
            "same": [1] * 40,
            "empty": [None] * 40,
            "id": list(range(40)),
            "age": [i * 7 % 23 for i in range(40)],
            "y": ["a", "b"] * 20,
        }
    )
    frame.write_csv("people.csv")
    said = run("train", "people.csv", "-t", "y", *FAST).out
    rows = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert "text that differs in nearly every row" in rows["name"]
    assert "all values are the same" in rows["same"]
    assert "all values are missing" in rows["empty"]
    assert "it numbers the rows" in rows["id"]
    assert all("dropped" in rows[name] for name in ("name", "same", "empty", "id"))
    assert "numeric" in rows["age"]


def test_early_stopping_says_which_weights_are_kept(run, penguins):
    result = run("train", penguins, "-t", "species", "--members", 1, "--patience", 2, "--learning-rate", 0.05)
    text = " ".join(result.out.split())
    assert "s: validation loss hasn't improved for 2 epochs (best" in text
    best = cr.load("penguins.safetensors").history.best_epoch
    assert f"; the weights of epoch {best} are kept" in text


def test_many_columns_share_lines(run):
    said = run("train", "digits", "-t", "target", "--epochs", 1).out
    lines = said[: said.index("training rows")].splitlines()
    assert len(lines) < 10
    assert any("pixel_0_1, pixel_0_2, pixel_0_3, pixel_0_4 and 57 more" in line for line in lines)
    assert any("dropped" in line and "pixel_0_0, pixel_4_0, pixel_4_7" in line for line in lines)


def test_eighty_columns(run, penguins, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    pl.read_csv(penguins).with_columns(pl.lit("x" * 70 + "y").alias("n" * 120)).write_csv(penguins)
    said = run("train", penguins, "-t", "species", *FAST).out
    assert max(map(len, said.splitlines())) <= 80
    assert "n" * 10 in said


def test_programs_get_whole_lines(run, penguins):
    said = run("train", penguins, "-t", "species", *FAST).out
    assert any(len(line) > 90 for line in said.splitlines())


def test_json_is_one_object_with_what_programs_need(run, penguins):
    result = run("train", penguins, "--target", "species", "--members", 1, "--json", *FAST)
    assert result.err == ""
    report = result.json
    assert report["model"] == "penguins.safetensors"
    assert report["rows"] == {"train": 223, "validation": 52, "test": 69}
    assert set(report["scores"]) == set(report["baseline"]) == {"accuracy", "log_loss"}
    assert report["scores"]["accuracy"] > 0.5
    assert report["baseline"]["accuracy"] == pytest.approx(30 / 69)
    assert report["epochs"] == 4
    assert 0 < report["seconds"] < 60
    assert (report["target"], report["task"], report["without_target"]) == ("species", "classification", 0)
    assert 147 < report["parameters"] <= 147 + 8 * (4 * 32 + 2 * 2), "a dense layer of one-hot columns, and pieces"
    assert report["stopped_by"] == "epochs"
    assert report["engine"] in ("reference", "native")
    assert [c["name"] for c in report["columns"]] == pl.read_csv(penguins).columns[1:]
    assert report["columns"][-1] == {"name": "sex", "kind": "categorical", "reason": "text", "missing": 11}


def test_json_of_a_regression(run, penguins):
    report = run("train", penguins, "-t", "body_mass_g", "--json", "--epochs", 30, "--members", 2).json
    assert set(report["scores"]) == {"r2", "root_mean_squared_error", "mean_absolute_error"}
    assert report["task"] == "regression"
    assert report["without_target"] == 2
    assert sum(report["rows"].values()) == 342
    assert report["scores"]["r2"] > 0.7
    assert abs(report["baseline"]["r2"]) < 0.1
    assert 500 < report["baseline"]["root_mean_squared_error"] < 1100  # in grams


def test_json_writes_what_is_no_number_as_null(run):
    pl.DataFrame({"x": [0.1, 0.2, 0.3, 0.5, 0.8], "y": [0.1, 0.4, 0.9, 1.6, 2.5]}).write_csv("t.csv")
    report = run("train", "t.csv", "-t", "y", "--json", "--epochs", 2).json
    assert report["rows"]["test"] == 1
    assert report["scores"]["r2"] is None  # of one row


def test_quiet_says_nothing(run, penguins):
    result = run("train", penguins, "-t", "species", "--quiet", *FAST)
    assert (result.status, result.out, result.err) == (0, "", "")
    assert run("train", penguins, "-t", "species", "-q", "--json", *FAST).json["epochs"] == 4
    assert Path("penguins.safetensors").is_file()


def test_quiet_says_errors(run, penguins):
    assert "specis" in run("train", penguins, "-t", "specis", "--quiet").complaint


def test_eight_networks_by_default(run, penguins):
    result = run("train", penguins, "--target", "species", *FAST)
    assert (result.status, result.err) == (0, "")
    lines = [line.rstrip() for line in result.out.splitlines()]
    assert lines[10] == (
        "8 networks, each on 240 of 275 training rows in batches of 15: 16 steps x 4 epochs = 64 steps at most; "
        "6 columns-8-3: 1,155 parameters"
    )
    assert lines[11] == (
        "held out: by each network one of 8 folds (34 rows) to decide when to stop and 69 rows for the test"
    )
    assert lines[12].startswith("8 networks in ")
    assert lines[12].endswith(" s: 4 epochs, each with the weights of its best (epoch 4)")
    assert lines[14] == "out-of-fold scores (275 rows, by networks that didn't train on them)"
    assert lines[20] == "test scores (69 rows)"
    report = run("train", penguins, "--target", "species", "--json", *FAST).json
    assert report["out_of_fold"]["rows"] == 275
    assert set(report["out_of_fold"]["scores"]) == set(report["scores"])
    assert [network["epochs"] for network in report["networks"]] == [4] * 8
    assert (report["epochs"], report["best_epoch"], report["stopped_by"]) == (4, None, "epochs")
    assert (report["weights"], report["left_out"]) == ([1.0], {"diverged": 0, "no time": 0})
    assert 0.1 < report["temperature"] < 10


def test_the_kinds_of_best_are_said(run, penguins):
    result = run("train", penguins, "-t", "body_mass_g", "--effort", "best", "--epochs", 3)
    assert result.out.count("8 networks, each on ") == 5
    model = cr.load("penguins.safetensors")
    assert model.members == 8 * len(model.models)
    if len(model.models) > 1:
        assert f"of {len(model.models)} kinds, weighted" in " ".join(result.out.split())


@pytest.mark.parametrize(
    ("name", "task", "score", "least"),
    [
        ("iris", "classification", "accuracy", 0.75),
        pytest.param("wine", "classification", "accuracy", 0.9, marks=pytest.mark.slow),
        pytest.param("digits", "classification", "accuracy", 0.85, marks=pytest.mark.slow),
        pytest.param("breast_cancer", "classification", "accuracy", 0.9, marks=pytest.mark.slow),
        ("diabetes", "regression", "r2", 0.2),
    ],
)
def test_data_sets_by_name(run, name, task, score, least):
    report = run("train", name, "-t", "target", "--json", "--epochs", 15, "--members", 2).json
    assert report["task"] == task
    assert report["scores"][score] > least > report["baseline"][score]
    assert report["model"] == f"{name}.safetensors"
    assert run("evaluate", report["model"], name, "--json").json["rows"] == sum(report["rows"].values())


def test_parquet(run, penguins):
    pl.read_csv(penguins).write_parquet("birds.parquet")
    first = run("train", penguins, "-t", "species", "--json", *FAST).json
    second = run("train", "birds.parquet", "-t", "species", "--json", *FAST).json
    assert second["model"] == "birds.safetensors"
    assert second["rows"] == first["rows"]
    assert [c["kind"] for c in second["columns"]] == [c["kind"] for c in first["columns"]]


def test_rows_without_a_target_are_left_out_and_counted(run, penguins):
    said = run("train", penguins, "-t", "sex", *FAST).out
    assert "11 rows without a target left out" in said
    assert run("train", penguins, "-t", "sex", "--json", *FAST).json["without_target"] == 11


def test_the_model_can_be_named_and_goes_to_this_folder_otherwise(run, penguins):
    Path("data").mkdir()
    Path(penguins).rename("data/penguins.csv")
    assert run("train", "data/penguins.csv", "-t", "species", "-q", *FAST).status == 0
    assert Path("penguins.safetensors").is_file()
    result = run("train", "data/penguins.csv", "-t", "species", "--out", "data/m.safetensors", "--json", *FAST)
    assert result.json["model"] == "data/m.safetensors"
    assert isinstance(cr.load("data/m.safetensors"), cr.TableModel)


def test_odd_names_are_printed_as_they_are(run):
    rows = 30
    frame = pl.DataFrame({"[red]x": range(rows), ":cat: [/]": [0.5 * i * i for i in range(rows)], "é": ["a", "b"] * 15})
    frame.write_csv("[bold]t.csv")
    result = run("train", "[bold]t.csv", "-t", "é", *FAST)
    assert result.status == 0
    assert result.err == ""
    assert "[red]x" in result.out
    assert ":cat: [/]" in result.out
    assert "saved to [bold]t.safetensors" in result.out


def test_the_same_seed_gives_the_same_model(run, penguins):
    models = [_trained(run, penguins, *FAST, "--dropout", "0.2") for _ in range(2)]
    for layer, arrays in models[0].model.parameters.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, models[1].model.parameters[layer][name])
    assert models[0].test_scores == models[1].test_scores


def _trained(run, penguins: str, *flags: object, target: str = "species") -> Any:
    result = run("train", penguins, "-t", target, "-q", "-o", "m.safetensors", *flags)
    assert result.status == 0, result.err
    return cr.load("m.safetensors")


def _report(run, penguins: str, *flags: object) -> Any:
    return run("train", penguins, "-t", "species", "--json", *FAST, *flags).json


class TestEachFlagHasItsEffect:
    @pytest.mark.parametrize(
        ("given", "units"), [("8", [8]), ("12,5", [12, 5]), ("7, 6,5", [7, 6, 5]), ("none", []), ("NONE", [])]
    )
    def test_hidden(self, run, penguins, given, units):
        model = _trained(run, penguins, "--epochs", 1, "--hidden", given).model
        assert [layer.units for layer in model.network.layers if isinstance(layer, cr.Dense)] == [*units, 3]

    @pytest.mark.parametrize("name", ["tanh", "sigmoid", "gelu", "silu", "leaky_relu", "elu", "softmax"])
    def test_activation(self, run, penguins, name):
        model = _trained(run, penguins, *FAST, "--activation", name).model
        first = next(layer for layer in model.network.layers if isinstance(layer, cr.Activation))
        assert first.function.name == name

    def test_dropout(self, run, penguins):
        model = _trained(run, penguins, *FAST, "--dropout", 0.25).model
        assert [layer.rate for layer in model.network.layers if isinstance(layer, cr.Dropout)] == [0.25]

    def test_bins(self, run, penguins):
        model = _trained(run, penguins, *FAST, "--bins", 4).model
        (pieces,) = [layer for layer in model.network.layers if isinstance(layer, cr.PiecewiseLinear)]
        assert max(len(knots) for knots in pieces.knots) == 5
        assert not any(
            isinstance(layer, cr.PiecewiseLinear)
            for layer in _trained(run, penguins, *FAST, "--bins", 0).model.network.layers
        )

    def test_label_smoothing(self, run, penguins):
        model = _trained(run, penguins, *FAST, "--label-smoothing", 0.25).model
        assert model.objective.heads[0].loss == cr.CrossEntropy(0.25)

    def test_batch_norm(self, run, penguins):
        model = _trained(run, penguins, *FAST, "--batch-norm").model
        kinds = [type(layer) for layer in model.network.layers]
        assert kinds[kinds.index(cr.BatchNorm) + 1] is cr.Activation

    @pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lbfgs"])
    def test_optimizer(self, run, penguins, name):
        model = _trained(run, penguins, *FAST, "--optimizer", name).model
        assert model.optimizer.name == name
        assert len(model.history) == 4

    def test_learning_rate(self, run, penguins):
        model = _trained(run, penguins, *FAST, "--learning-rate", 0.03).model
        assert model.optimizer == cr.AdamW(0.03, weight_decay=0.3)
        assert model.history["learning_rate"] == [0.03] * 4

    @pytest.mark.parametrize(("given", "steps"), [("50", 5), ("full", 1), ("auto", 18), ("223", 1), ("1", 223)])
    def test_batch_size(self, run, penguins, given, steps):
        model = _trained(run, penguins, "--members", 1, "--epochs", 1, "--hidden", 4, "--batch-size", given).model
        assert model.history.last.step == steps

    def test_epochs(self, run, penguins):
        assert _report(run, penguins, "--epochs", 7)["epochs"] == 7

    def test_patience(self, run, penguins):
        flags = ("--members", 1, "--epochs", 100, "--learning-rate", 0.1)
        few, many = (_report(run, penguins, *flags, "--patience", n) for n in (1, 5))
        assert few["epochs"] < many["epochs"] < 100
        assert few["epochs"] == few["best_epoch"] + 1
        assert many["epochs"] == many["best_epoch"] + 5

    def test_l2(self, run, penguins):
        sizes = [_size(_trained(run, penguins, *FAST, "--l2", l2).model) for l2 in (0, 1.0)]
        assert sizes[1] < 0.8 * sizes[0]

    def test_clip_norm(self, run, penguins):
        model = _trained(run, penguins, *FAST, "--optimizer", "sgd", "--clip-norm", 1e-6).model
        fresh = cr.Model(model.network, "cross_entropy", seed=0)
        for layer, arrays in fresh.parameters.items():
            if layer == "hidden_categories":  # codes without rows are averages
                continue
            np.testing.assert_allclose(model.parameters[layer]["W"], arrays["W"], atol=1e-4)

    def test_validation_and_test(self, run, penguins):
        rows = _report(run, penguins, "--members", 1, "--validation", 0.3, "--test", 0.1)["rows"]
        assert (round(rows["validation"] / 34.4), round(rows["test"] / 34.4)) == (3, 1)

    def test_members_and_folds(self, run, penguins):
        assert _trained(run, penguins, *FAST, "--members", 3).members == 3
        assert _trained(run, penguins, *FAST, "--folds", 10).members == 10
        said = run("train", penguins, "-t", "species", "--members", 6, "--folds", 3, *FAST).out
        assert "6 networks, each on 183 of 275 training rows" in said
        assert "by each network one of 3 folds (91 rows)" in said

    def test_effort(self, run, penguins):
        assert _trained(run, penguins, *FAST, "--effort", "quick").members == 1
        assert _trained(run, penguins, *FAST, "--effort", "quick", "--members", 2).members == 2
        assert _trained(run, penguins, *FAST, "--effort", "good").members == 8

    def test_validation_of_each(self, run, penguins):
        said = run("train", penguins, "-t", "species", "--members", 3, "--validation", 0.2, *FAST).out
        assert "3 networks, each on 206 of 275 training rows" in said
        assert "held out: by each network 69 rows to decide when to stop and 69 rows for the test" in said

    def test_group(self, run, penguins):
        report = _report(run, penguins, "--group", "island")
        dropped = [c for c in report["columns"] if c["name"] == "island"]
        assert dropped[0]["kind"] == "dropped"
        assert report["rows"]["test"] in (52, 124, 168)  # one island

    def test_time_limit(self, run, penguins):
        flags = ("--epochs", 10**6, "--patience", 10**6, "--time-limit", 0.2)
        result = run("train", penguins, "-t", "species", *flags)
        assert result.status == 0
        said = "note: the time limit of 0.2 s ended training; the saved model is what was learned until then\n"
        assert result.err == said
        assert "that there was no time for" in " ".join(result.out.split())
        assert cr.load("penguins.safetensors").members < 8

    def test_no_validation_trains_all_epochs(self, run, penguins):
        report = _report(run, penguins, "--validation", 0, "--epochs", 30, "--learning-rate", 0.1, "--patience", 1)
        assert report["rows"]["validation"] == 0
        assert (report["epochs"], report["best_epoch"]) == (30, None)
        said = run("train", penguins, "-t", "species", "--validation", 0, *FAST).out
        assert "held out: 69 rows for the test\n" in said

    def test_no_test_has_no_scores(self, run, penguins):
        report = _report(run, penguins, "--test", 0)
        assert (report["scores"], report["baseline"], report["rows"]["test"]) == ({}, {}, 0)
        said = run("train", penguins, "-t", "species", "--test", 0, "--validation", 0, *FAST).out
        assert "held out: nothing\n" in said
        assert "score" not in said

    def test_seed(self, run, penguins):
        first, second = (_trained(run, penguins, *FAST, "--seed", seed) for seed in (0, 2**64 - 1))
        assert (first.model.seed, second.model.seed) == (0, 2**64 - 1)
        assert first.encoding != second.encoding  # other rows, other means
        assert (first.model.parameters["output"]["W"] != second.model.parameters["output"]["W"]).all()

    def test_engine(self, run, penguins):
        assert _report(run, penguins, "--engine", "reference")["engine"] == "reference"

    def test_task(self, run, penguins):
        frame = pl.read_csv(penguins).with_columns((pl.col("flipper_length_mm") > 200).cast(pl.Int64).alias("long"))
        frame.write_csv(penguins)
        assert _trained(run, penguins, *FAST, target="long").target.classes == (0, 1)
        assert _trained(run, penguins, *FAST, "--task", "regression", target="long").target.classes == ()


def _size(model: Any) -> float:
    return sum(float(np.square(arrays["W"]).sum()) for arrays in model.parameters.values())


LABELS = {
    "text": (["no", "yes", "Ja"], pl.String),
    "int": ([3, 10, 200], pl.Int64),
    "bool": ([False, True], pl.Boolean),
    "codes": (["007", "08", "x"], pl.String),
    "float": ([-0.5, 0.5], pl.Float64),
}


@pytest.mark.parametrize(
    ("kind", "ending"),
    [("text", "csv"), ("int", "parquet"), ("bool", "csv"), ("codes", "parquet"), ("codes", "csv"), ("float", "parquet")]
    + [
        pytest.param(kind, ending, marks=pytest.mark.slow)
        for kind, ending in (("text", "parquet"), ("int", "csv"), ("bool", "parquet"), ("float", "csv"))
    ],
)
def test_class_labels_come_back_in_their_own_type(run, kind, ending):
    labels, dtype = LABELS[kind]
    rng = np.random.default_rng(0)
    places = rng.integers(len(labels), size=120)
    frame = pl.DataFrame({"a": places + rng.normal(0, 0.1, 120), "b": rng.normal(size=120)})
    frame = frame.with_columns(pl.Series("y", [labels[i] for i in places], dtype=dtype))
    table = f"t.{ending}"
    frame.write_csv(table) if ending == "csv" else frame.write_parquet(table)
    flags = ["--task", "classification"] if kind == "float" else []
    assert (
        run("train", table, "-t", "y", "-q", "--learning-rate", 0.03, "--epochs", 40, "--members", 2, *flags).status
        == 0
    )

    assert run("predict", "t.safetensors", table, "--out", "p.parquet").status == 0
    predicted = pl.read_parquet("p.parquet")
    assert predicted["y"].dtype == dtype
    assert (predicted["y"] == frame["y"]).mean() > 0.95
    answers = run("predict", "t.safetensors", table, "--json").json["predictions"]["y"]
    assert answers == predicted["y"].to_list()
    assert {type(answer) for answer in answers} == {type(labels[0])}
    assert run("predict", "t.safetensors", table).out == predicted.write_csv()
    assert run("evaluate", "t.safetensors", table, "--json").json["scores"]["accuracy"] > 0.95
