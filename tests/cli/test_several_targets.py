"""`--target gender,age,mood`: one network with three heads, from the table to predictions, scores and derivations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import problems
import pytest

import chainrule as cr

TARGETS = ["gender", "age", "mood"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def people(folder: Path) -> str:
    X, y = problems.people(400, gaps=0.3)
    age = [None if np.isnan(value) else round(float(value), 1) for value in y["age"]]
    frame = pl.DataFrame({**X, "gender": list(y["gender"]), "age": age, "mood": list(y["mood"])})
    frame.write_csv(folder / "people.csv")
    return str(folder / "people.csv")


@pytest.fixture(scope="module")
def model(folder: Path, people: str) -> str:
    path = folder / "people.safetensors"
    cr.TableModel.train(people, "gender,age,mood", members=2, hidden=(32,), epochs=60, progress=False).save(path)
    return str(path)


@pytest.mark.parametrize("how", [["--target", "gender,age,mood"], ["--target", "gender", "-t", "age", "-t", "mood"]])
def test_train(run, people, how):
    result = run("train", people, *how, "--members", "2", "--hidden", "32", "--epochs", "60", "-o", "m.safetensors")
    assert result.status == 0
    lines = [line.split() for line in result.out.splitlines()]
    for name, task in zip(TARGETS, ("classification:", "regression:", "classification:"), strict=True):
        assert next(line for line in lines if line[:1] == [name])[1:3] == ["target", task]
        assert f"out-of-fold scores of {name} (" in result.out
        assert f"test scores of {name} (" in result.out
    assert "rows that lack a target teach the others" in result.out
    assert "rows without any target left out" in result.out
    assert "columns-32-2+1+3" in result.out
    assert cr.load("m.safetensors").model.objective.heads[1].head == "age"


def test_train_says_it_to_programs(run, people):
    more = ("--members", "2", "--hidden", "32", "--epochs", "60", "--json", "--loss-weights", "age=2")
    report = run("train", people, "--target", "gender,age,mood", *more).json
    assert report["target"] == TARGETS
    assert report["task"] == {"gender": "classification", "age": "regression", "mood": "classification"}
    assert report["scores"].keys() == report["baseline"].keys() == report["out_of_fold"].keys() == set(TARGETS)
    for name in ("gender", "mood"):
        assert report["scores"][name]["accuracy"] > report["baseline"][name]["accuracy"] + 0.15
    assert report["scores"]["age"]["r2"] > 0.7
    assert report["out_of_fold"]["age"]["rows"] == cr.load(report["model"]).head("age").oof_rows
    assert report["temperature"]["age"] == 1.0
    assert cr.load(report["model"]).model.objective.heads[1].weight == 2.0


def test_predict(run, people, model):
    said = pl.read_csv(run("predict", model, people).out.encode())
    assert said.columns == TARGETS
    want = cr.load(model).predict(people)
    assert said["mood"].to_list() == want["mood"].tolist()
    np.testing.assert_allclose(said["age"], want["age"])
    all_ = pl.read_csv(run("predict", model, people, "--probabilities", "--interval", "0.8").out.encode())
    assert all_.columns == [
        *TARGETS, "gender: probability of female", "gender: probability of male", "mood: probability of calm",
        "mood: probability of happy", "mood: probability of sad", "age from", "age to",
    ]  # fmt: skip
    assert (all_["age from"] < all_["age"]).all()
    report = run("predict", model, people, "--json").json
    assert report["target"] == TARGETS
    assert list(report["predictions"]) == TARGETS


def test_evaluate(run, people, model):
    result = run("evaluate", model, people)
    assert result.status == 0
    for name in TARGETS:
        assert f"scores of {name} on " in result.out
        assert f"rows have no value of {name} and are left out" in result.out
        assert f"out-of-fold scores of {name} of training" in result.out
    report = run("evaluate", model, people, "--json").json
    assert (report["scores"], report["baseline"]) == cr.load(model).evaluate(people)
    known = pl.read_csv(people)["age"].drop_nulls().len()
    assert (report["rows"]["age"], report["without_target"]["age"]) == (known, 400 - known)
    pl.read_csv(people).drop("mood", "gender").write_csv("ages.csv")
    said = run("evaluate", model, "ages.csv").out
    assert "no row has a value of gender: it can't be scored" in said
    assert "scores of age on " in said
    assert list(run("evaluate", model, "ages.csv", "--json").json["scores"]) == ["age"]


def test_info(run, model):
    said = run("info", model).out
    assert "table model of gender: classification, age: regression, mood: classification" in said
    assert "classes of mood: calm, happy, sad" in said
    assert "32-2+1+3" in said
    facts = run("info", model, "--json").json
    assert [one["target"] for one in facts["targets"]] == TARGETS
    assert facts["targets"][1]["interval"]["half_width"] > 0


def test_explain(run, people, model):
    row = str(pl.read_csv(people).with_row_index("i", 1).drop_nulls(TARGETS)["i"][0])
    said = run("explain", model, "--table", people, "--row", row, "--layer", "age").out
    assert "dL/dz[age,1]" in said
    assert "y[mood,3]" in said
    only = run("explain", model, "--table", people, "--row", row, "--target", "mood").out
    assert "no loss depends on it: gender; age." in only
    message = run("explain", model, "--table", people, "--row", row, "--target", "moods").complaint
    assert message == 'the model has no target "moods". Did you mean "mood"? It predicts gender, age, mood'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-t", "gender,agee"], 'the table has no column "agee", one of the 2 targets. Did you mean "age"?'),
        (["-t", "gender,gender"], 'the target "gender" is named twice'),
        (["-t", "gender", "-t", "gender"], 'the target "gender" is named twice'),
        (["-t", "gender,"], 'the target is "gender,": name a column'),
        (["-t", "gender,age", "--task", "regression"], "say it by name, gender=regression"),
        (["-t", "gender,age", "--task", "ages=regression"], 'task: there is no target "ages"'),
        (["-t", "gender,age", "--task", "age=regressive"], "the task is 'regressive'"),
        (["-t", "gender,age", "--task", "gender=regression"], 'the target "gender" has text in rows'),
        (["-t", "gender,age", "--loss-weights", "age"], 'is "age"; it must be positive numbers by target'),
        (["-t", "gender,age", "--loss-weights", "age=-1"], '--loss-weights is "age=-1"; it must be positive numbers'),
        (["-t", "gender,age", "--loss-weights", "age=1,age=2"], "by target, each once"),
        (["-t", "gender,age", "--loss-weights", "mood=1"], 'loss_weights: there is no target "mood"'),
        (["-t", "gender,one"], 'the target "one" has one class only'),
        (["-t", "gender,none"], 'the target "none" is missing in every row'),
        (["-t", "age,pulse", "--label-smoothing", "0.1"], "all targets are numbers"),
    ],
)  # fmt: skip
def test_mistakes(run, people, options, message):
    pl.read_csv(people).with_columns(one=pl.lit("x"), none=pl.lit(None, pl.String)).write_csv("odd.csv")
    result = run("train", "odd.csv", *options)
    assert message in result.complaint
    assert not Path("odd.safetensors").exists()


class TestNetworksOfArrays:
    """`chainrule explain` of a saved `Model` with several heads: targets by name, those left out have no label."""

    @pytest.fixture
    def saved(self, tmp_path):
        x = cr.Input(2, name="x")
        h = cr.Dense(3, activation="tanh", name="body")(x)
        outputs = {"age": cr.Dense(1, name="age")(h), "mood": cr.Dense(3, activation="softmax", name="mood")(h)}
        network = cr.Network(inputs=x, outputs=outputs)
        made = cr.Model(network, {"age": "squared_error", "mood": "cross_entropy"}, dtype="float64")
        made.save(tmp_path / "m.safetensors")
        return made, str(tmp_path / "m.safetensors")

    def test_targets_by_name(self, run, saved):
        model, path = saved
        said = run("explain", path, "--x", "0.5,1", "--y", "age=0.5,mood=2").out
        loss = model.loss_and_gradients([[0.5, 1]], {"age": [0.5], "mood": [2]})[0]
        assert next(line for line in said.splitlines() if line.startswith("L = ")).endswith(f"= {loss:.6g}")
        said = run("explain", path, "--x", "0.5,1;1,1", "--y", "age=0.5; mood=2").out
        assert "no loss depends on it: age in row 2; mood in row 1." in said

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            ("1", "the network has the heads age, mood: say the target of each by name, as in --y age=1,mood=1"),
            ("age=old", 'is "age=old"; the network has the heads'),
            ("ages=1", '--y: there is no head "ages". Did you mean "age"'),
            ("age=1;age=2", "--y has 2 rows and --x has 1"),
            ("mood=7", 'labels of head "mood" must be whole numbers from 0 to 2'),
        ],
    )
    def test_mistakes(self, run, saved, y, message):
        assert message in run("explain", saved[1], "--x", "0.5,1", "--y", y).complaint


def test_doctor_looks_at_the_whole(run, people, model):
    """Rows that lack some targets train the network, so they are looked at too."""
    assert set(TARGETS) < run("doctor", model, "--table", people, "--json").json["layers"].keys()
    message = run("doctor", model, "--table", people, "--target", "age").complaint
    assert "learned the targets gender, age, mood together and is looked at as a whole: leave --target out" in message
