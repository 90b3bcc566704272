"""`chainrule predict`: predictions on standard output or in a file, and tables that differ from the training's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr


def test_csv_on_standard_output(run, penguins, model):
    result = run("predict", model, penguins)
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "species"
    assert len(lines) == 345
    truth = pl.read_csv(penguins)["species"].to_list()
    assert np.mean([a == b for a, b in zip(lines[1:], truth, strict=True)]) > 0.97


def test_classes_do_not_act_on_a_terminal(run, monkeypatch):
    """Where a program reads them they are as they are in the table."""
    rows = "".join(f"{i % 7},{'a' if i % 7 < 4 else chr(27) + '[2Jb'}\n" for i in range(60))
    Path("t.csv").write_text(f"x,y\n{rows}", encoding="utf-8")
    result = run("train", "t.csv", "-t", "y", "--epochs", 60, "--members", 2)
    assert "\x1b[2J" not in result.out + result.err
    assert "\x1b[2Jb" in run("predict", "t.safetensors", "t.csv").out
    monkeypatch.setenv("FORCE_COLOR", "1")  # as at a terminal
    shown = run("predict", "t.safetensors", "t.csv").out
    assert "\x1b" not in shown
    assert r"\x1b[2Jb" in shown


def test_numbers(run, penguins, mass):
    lines = run("predict", mass, penguins).out.splitlines()
    assert lines[0] == "body_mass_g"
    values = np.array([float(line) for line in lines[1:]])
    assert 3000 < values.mean() < 5000
    np.testing.assert_array_equal(values, cr.load(mass).predict(penguins))


def test_probabilities(run, penguins, model):
    Path("out.csv").write_text(run("predict", model, penguins, "--probabilities").out, encoding="utf-8")
    frame = pl.read_csv("out.csv")
    names = [f"probability of {name}" for name in ("Adelie", "Chinstrap", "Gentoo")]
    assert frame.columns == ["species", *names]
    chances = frame.select(names).to_numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    best = np.array(["Adelie", "Chinstrap", "Gentoo"])[chances.argmax(axis=1)]
    assert (best == frame["species"].to_numpy()).all()


def test_no_probabilities_of_a_number(run, penguins, mass):
    message = run("predict", mass, penguins, "--probabilities").complaint
    assert message == '"body_mass_g" is a number, not a class: there are no probabilities to predict'


def test_an_interval(run, penguins, mass):
    Path("out.csv").write_text(run("predict", mass, penguins, "--interval", 0.8).out, encoding="utf-8")
    frame = pl.read_csv("out.csv")
    assert frame.columns == ["body_mass_g", "body_mass_g from", "body_mass_g to"]
    loaded = cr.load(mass)
    np.testing.assert_array_equal(frame.to_numpy()[:, 1:], loaded.predict_interval(penguins, 0.8))
    truth = pl.read_csv(penguins)["body_mass_g"].to_numpy()
    inside = (frame["body_mass_g from"].to_numpy() <= truth) & (truth <= frame["body_mass_g to"].to_numpy())
    assert 0.75 < inside[~np.isnan(truth.astype(float))].mean() < 0.95
    report = run("predict", mass, penguins, "--interval", 0.8, "--json").json
    assert len(report["predictions"]["body_mass_g to"]) == 344


def test_intervals_that_cannot_be(run, penguins, mass, model):
    assert (
        "coverage is 1.5; it must be a number in (0, 1)" in run("predict", mass, penguins, "--interval", 1.5).complaint
    )
    message = run("predict", model, penguins, "--interval", 0.9).complaint
    assert message == '"species" is a class, not a number: predict_proba says how sure the model is'
    assert "out-of-fold errors at most 0.99" in run("predict", mass, penguins, "--interval", 0.9999).complaint


@pytest.mark.parametrize("ending", ["csv", "parquet", "pq", "CSV"])
def test_a_file(run, penguins, model, ending):
    result = run("predict", model, penguins, "--out", f"p.{ending}")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"344 predictions saved to p.{ending}\n"
    frame = pl.read_csv(f"p.{ending}") if ending.lower() == "csv" else pl.read_parquet(f"p.{ending}")
    assert frame["species"].to_list() == run("predict", model, penguins).out.split()[1:]


def test_json(run, penguins, model):
    result = run("predict", model, penguins, "--json", "--probabilities")
    assert result.err == ""
    report = result.json
    assert (report["target"], report["rows"]) == ("species", 344)
    assert report["predictions"]["species"] == run("predict", model, penguins).out.split()[1:]
    assert len(report["predictions"]["probability of Gentoo"]) == 344


def test_json_beside_a_file(run, penguins, model):
    result = run("predict", model, penguins, "--json", "--out", "p.csv")
    assert result.json["rows"] == 344
    assert result.err == "344 predictions saved to p.csv\n"
    assert pl.read_csv("p.csv").height == 344


def test_the_target_needs_no_column_and_order_does_not_matter(run, penguins, model):
    expected = run("predict", model, penguins).out
    frame = pl.read_csv(penguins)
    frame.select(reversed(frame.columns)).drop("species").write_csv("new.csv")
    result = run("predict", model, "new.csv")
    assert (result.out, result.err) == (expected, "")


def test_missing_columns(run, penguins, model):
    frame = pl.read_csv(penguins)
    frame.drop("island", "sex").rename({"body_mass_g": "Body_Mass"}).write_csv("new.csv")
    message = run("predict", model, "new.csv").complaint
    assert message == (
        'the table lacks 3 columns of the training table: "island", "body_mass_g" (the table has "Body_Mass"), "sex"'
    )


def test_extra_columns(run, penguins, model):
    pl.read_csv(penguins).with_columns(pl.lit(1).alias("[extra] :cat:")).write_csv("new.csv")
    result = run("predict", model, "new.csv")
    assert result.status == 0
    assert result.out == run("predict", model, penguins).out
    assert result.err == 'note: columns not used in training are ignored: "[extra] :cat:"\n'


def test_unseen_categories_and_missing_values(run, penguins, model):
    frame = pl.read_csv(penguins)
    frame = frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 2).then(pl.lit("[/x] Mars")).otherwise("island").alias("island")
    )
    frame.write_csv("new.csv")
    result = run("predict", model, "new.csv")
    assert result.status == 0
    assert len(result.out.splitlines()) == 345
    assert result.err == (
        'note: column "island": 2 rows with a category not seen in training ("[/x] Mars"), encoded as no category\n'
    )


def test_values_that_cannot_be_what_the_column_holds(run, penguins, model):
    frame = pl.read_csv(penguins).with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("heavy")).otherwise("body_mass_g").alias("body_mass_g")
    )
    frame.write_csv("new.csv")
    message = run("predict", model, "new.csv").complaint
    assert 'column "body_mass_g"' in message
    assert '"heavy"' in message
    assert "row 4" in message


def test_rows_come_in_the_tables_order_and_one_at_a_time(run, penguins, model):
    frame = pl.read_csv(penguins)
    rows = []
    for i in (0, 200, 300):
        frame[i : i + 1].write_csv("one.csv")
        rows += run("predict", model, "one.csv").out.split()[1:]
    every = run("predict", model, penguins).out.split()[1:]
    assert rows == [every[0], every[200], every[300]]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("p.txt", '--out is "p.txt"; its name must end in .csv or .parquet'),
        ("p", '--out is "p"; its name must end in .csv or .parquet'),
        ("nowhere/p.csv", "can't save to nowhere/p.csv: there is no folder "),
        ("penguins.csv/p.csv", "is not a folder"),
        ("/proc/p.csv", "can't save to /proc/p.csv"),
        ("penguins.csv", "--out is penguins.csv, the file that is read: give it another name"),
        ("folder.csv", "can't save to folder.csv: it is a folder, and a file name is wanted"),
    ],
)
def test_an_output_that_cannot_be_written(run, penguins, model, out, message):
    Path("folder.csv").mkdir()
    before = Path(penguins).read_bytes()
    assert message in run("predict", model, penguins, "--out", out).complaint
    assert Path(penguins).read_bytes() == before


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_a_failing_run_keeps_the_old_predictions(run, penguins, model, monkeypatch, name):
    Path(name).write_bytes(b"older predictions")
    pl.read_csv(penguins).drop("sex").write_csv("new.csv")
    assert "lacks 1 column" in run("predict", model, "new.csv", "--out", name).complaint

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = run("predict", model, penguins, "--out", name).complaint
    assert message == f"can't save to {name}: No space left on device"
    assert Path(name).read_bytes() == b"older predictions"
    assert sorted(os.listdir()) == sorted(["new.csv", name, "penguins.csv", "species.safetensors"])


def test_a_table_in_the_place_of_the_model(run, penguins, model):
    for command in ("predict", "evaluate"):
        complaint = run(command, penguins, model).complaint
        assert complaint == "penguins.csv is a table: the model comes first, then the table"


def test_tables_that_cannot_be_read(run, model):
    Path("empty.csv").touch()
    Path("header.csv").write_text("island,sex\n", encoding="utf-8")
    assert "empty.csv is empty" in run("predict", model, "empty.csv").complaint
    assert "header.csv has column names but no rows" in run("predict", model, "header.csv").complaint
    assert "there is no file nope.csv" in run("predict", model, "nope.csv").complaint
    assert "Missing argument 'TABLE'" in run("predict", model).complaint
