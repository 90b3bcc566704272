"""`chainrule evaluate`: scores beside the baseline of the training rows."""

from __future__ import annotations

import polars as pl
import pytest

import chainrule as cr


def test_a_table_of_scores(run, penguins, model):
    result = run("evaluate", model, penguins)
    assert (result.status, result.err) == (0, "")
    lines = [line.rstrip() for line in result.out.splitlines()]
    assert lines[0] == "scores on 344 rows"
    assert lines[1].split() == ["score", "model", "baseline", "(majority", "class)", "better"]
    assert lines[3].split()[::3] == ["accuracy", "higher"]
    assert lines[4].split()[-1] == "lower"
    assert lines[5] == "out-of-fold scores of training (275 rows, by those of 2 networks that didn't train on them)"
    assert lines[8].split()[::3] == ["accuracy", "higher"]
    assert len(lines) == 10


def test_json(run, penguins, model):
    result = run("evaluate", model, penguins, "--json")
    assert result.err == ""
    report = result.json
    assert report["model"] == model
    assert (report["rows"], report["without_target"]) == (344, 0)
    assert report["scores"]["accuracy"] > 0.97
    assert report["baseline"]["accuracy"] == pytest.approx(152 / 344)
    assert (report["scores"], report["baseline"]) == cr.load(model).evaluate(penguins)
    assert report["networks"] == 2
    assert report["out_of_fold"]["rows"] == 275
    assert report["out_of_fold"]["scores"] == cr.load(model).oof_scores


def test_a_regression(run, penguins, mass):
    said = run("evaluate", mass, penguins).out
    assert "2 rows have no target and are left out" in said
    assert "scores on 342 rows" in said
    assert "baseline (mean)" in said
    names = [line.split()[0] for line in said.splitlines()]
    assert names.count("r2") == names.count("root") == names.count("mean") == 2, "of the table, and out of fold"
    assert "out-of-fold scores of training" in said


def test_rows_without_a_target(run, penguins, model):
    frame = pl.read_csv(penguins).with_columns(
        pl.when(pl.int_range(pl.len()) < 5).then(None).otherwise("species").alias("species")
    )
    frame.write_csv("new.csv")
    assert "5 rows have no target and are left out\n" in run("evaluate", model, "new.csv").out
    report = run("evaluate", model, "new.csv", "--json").json
    assert (report["rows"], report["without_target"]) == (339, 5)
    frame.with_columns(pl.lit(None).alias("species")).write_csv("new.csv")
    message = run("evaluate", model, "new.csv").complaint
    assert message == 'no row of the table has a value of the target "species": nothing can be scored'


def test_one_row_has_no_r2(run, penguins, mass):
    pl.read_csv(penguins)[:1].write_csv("one.csv")
    assert run("evaluate", mass, "one.csv", "--json").json["scores"]["r2"] is None
    assert "nan" in run("evaluate", mass, "one.csv").out


def test_what_is_odd_is_said_on_standard_error(run, penguins, model):
    pl.read_csv(penguins).with_columns(pl.lit("Mars").alias("island"), pl.lit(0).alias("[x]")).write_csv("new.csv")
    for flags in ([], ["--json"]):
        result = run("evaluate", model, "new.csv", *flags)
        assert result.status == 0
        assert result.err.splitlines() == [
            'note: columns not used in training are ignored: "[x]"',
            'note: column "island": 344 rows with a category not seen in training ("Mars"), encoded as no category',
        ]


def test_a_table_without_the_target(run, penguins, model):
    pl.read_csv(penguins).rename({"species": "Species"}).write_csv("new.csv")
    message = run("evaluate", model, "new.csv").complaint
    assert message.startswith('the table has no column "species", the target. Did you mean "Species"? Its columns are')


def test_a_class_that_the_model_does_not_know(run, penguins, model):
    pl.read_csv(penguins).with_columns(pl.lit("Emperor").alias("species")).write_csv("new.csv")
    message = run("evaluate", model, "new.csv").complaint
    assert 'column "species" has "Emperor" in rows 1, 2, 3, 4, 5 and 339 more of the data' in message
    assert "its classes are Adelie, Chinstrap, Gentoo" in message


def test_missing_columns(run, penguins, model):
    pl.read_csv(penguins).drop("sex").write_csv("new.csv")
    assert 'the table lacks 1 column of the training table: "sex"' in run("evaluate", model, "new.csv").complaint
