"""`TableModel` as a user of the API meets it: any data frame in, the target's own values out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import chainrule as cr
from chainrule.tables.preparation import prepare_table
from chainrule.tables.settings import Settings

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
FEW: dict[str, Any] = {"epochs": 5, "hidden": (8,), "members": 2, "progress": False}


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return cr.read_table(PENGUINS)


@pytest.fixture(scope="module")
def species(frame: pl.DataFrame) -> cr.TableModel:
    return cr.TableModel.train(frame, "species", members=2, epochs=20, progress=False)


@pytest.fixture(scope="module")
def mass(frame: pl.DataFrame) -> cr.TableModel:
    return cr.TableModel.train(frame, "body_mass_g", members=2, epochs=20, progress=False)


def same_parameters(first: cr.TableModel, second: cr.TableModel) -> bool:
    return first.model.training.parameters.tobytes() == second.model.training.parameters.tobytes()


class TestTablesOfAnyKind:
    def test_train_and_predict(self, frame, tmp_path):
        frame.write_parquet(tmp_path / "p.parquet")
        tables = {
            "path": PENGUINS,
            "text": str(PENGUINS),
            "parquet": tmp_path / "p.parquet",
            "polars": frame,
            "lazy": frame.lazy(),
            "pandas": pd.read_csv(PENGUINS),
            "pyarrow": frame.to_arrow(),
            "lists": frame.to_dict(as_series=False),
            "series": frame.to_dict(),
            "arrays": {name: frame[name].to_list() for name in frame.columns},
        }
        expected = cr.TableModel.train(tables["path"], "species", **FEW)
        answers = expected.predict(frame)
        for name, table in tables.items():
            model = cr.TableModel.train(table, "species", **FEW)
            assert same_parameters(model, expected), name
            assert (model.predict(table) == answers).all(), name
            assert model.evaluate(table) == expected.evaluate(frame), name

    def test_arrays_by_name(self):
        rng = np.random.default_rng(0)
        table = {"a": rng.normal(size=50), "b": rng.integers(0, 9, 50), "y": rng.normal(size=50)}
        model = cr.TableModel.train(table, "y", **FEW)
        assert model.predict(table).shape == (50,)
        assert model.predict({"a": np.zeros(2), "b": [1, 2]}).shape == (2,)

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (None, "a table is None: it must be a path, a data frame"),
            (5, "a table is of type int"),
            ([[1, 2]], "a table is of type list"),
            (np.ones((3, 2)), "a table is of type ndarray"),
            ("nope.csv", "there is no file nope.csv"),
            ({"species": "Adelie"}, 'column "species" is of type str; it must be a list of values, one for each row'),
            ({"species": 5}, 'column "species" is of type int; it must be a list of values'),
            ({"species": ["a"], "x": [1, 2]}, 'the columns have different numbers of rows: "species" 1, "x" 2'),
            ({}, "the table has no rows: there is nothing to learn from"),
            ({"species": [], "x": []}, "the table has no rows: there is nothing to learn from"),
            (pd.DataFrame({"species": [], "x": []}), "the table has no rows: there is nothing to learn from"),
        ],
        ids=lambda value: str(value)[:20],
    )
    def test_what_is_no_table(self, table, message):
        with pytest.raises(cr.InputError) as caught:
            cr.TableModel.train(table, "species", **FEW)
        assert message in str(caught.value)

    def test_values_of_several_types(self, frame):
        table = {"x": [1, "two", 3.0, None] * 10, "y": [0.5, 1.5, 2.5, 3.5] * 10}
        model = cr.TableModel.train(table, "y", **FEW)
        assert model.encoding.feature_names == ("x=1", "x=3", "x=two", "x is missing")

    def test_it_says_what_it_predicts_from_what(self, species):
        assert repr(species) == (
            "<TableModel of species (classification) from "
            "island, bill_length_mm, bill_depth_mm, flipper_length_mm and 2 more>"
        )

    def test_a_target_that_is_not_there(self, frame):
        with pytest.raises(cr.InputError, match=r'no column "Specis", the target\. Did you mean "species"'):
            cr.TableModel.train(frame, "Specis")


class TestAnswers:
    def test_classes(self, species, frame):
        answers = species.predict(frame)
        assert answers.shape == (344,)
        assert set(answers) == {"Adelie", "Chinstrap", "Gentoo"}
        assert (answers == frame["species"].to_numpy()).mean() > 0.95

    def test_probabilities(self, species, frame):
        chances = species.predict_proba(frame)
        assert chances.shape == (344, 3)
        np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
        assert (np.array(species.target.classes)[chances.argmax(axis=1)] == species.predict(frame)).all()

    def test_numbers(self, mass, frame):
        answers = mass.predict(frame)
        assert (answers.shape, answers.dtype) == ((344,), np.float64)
        assert 3000 < answers.mean() < 5000
        with pytest.raises(cr.InputError, match='"body_mass_g" is a number, not a class: there are no probabilities'):
            mass.predict_proba(frame)

    @pytest.mark.parametrize("model", ["species", "mass"])
    def test_no_rows(self, request, frame, model):
        model = request.getfixturevalue(model)
        empty = frame.drop(model.target.name)[:0]
        for table in (empty, empty.to_pandas(), empty.to_arrow(), empty.to_dict(as_series=False)):
            answers = model.predict(table)
            assert answers.shape == (0,)
            assert answers.dtype == model.predict(frame).dtype
        assert model.predict_spread(empty).shape == ((0, 3) if model.target.classes else (0,))
        if model.target.classes:
            assert model.predict_proba(empty).shape == (0, 3)
        else:
            assert model.predict_interval(empty).shape == (0, 2)
        with pytest.raises(cr.InputError, match=f'no row of the table has a value of the target "{model.target.name}"'):
            model.evaluate(frame[:0])

    def test_one_row_at_a_time(self, mass, frame):
        every = mass.predict(frame)
        for i in (0, 5, 343):
            row = {name: [value] for name, value in frame.drop("body_mass_g").row(i, named=True).items()}
            np.testing.assert_allclose(mass.predict(row), every[i], rtol=1e-5)

    def test_the_target_needs_no_column(self, species, frame):
        assert (species.predict(frame.drop("species")) == species.predict(frame)).all()
        with pytest.raises(cr.InputError, match='no column "species", the target'):
            species.evaluate(frame.drop("species"))

    def test_what_is_odd_is_noted(self, species, frame):
        odd = frame.with_columns(pl.lit("Mars").alias("island"), pl.lit(1).alias("moon"))
        answers, notes = species.predict_with_notes(odd)
        assert len(answers) == 344
        assert notes.unseen == {"island": 344}
        assert notes.extra_columns == ("moon",)
        assert species.evaluate_with_notes(odd)[2] == notes

    def test_missing_columns(self, species, frame):
        with pytest.raises(cr.InputError, match='the table lacks 1 column of the training table: "sex"'):
            species.predict(frame.drop("sex"))

    @pytest.mark.parametrize("name", ["iris", "diabetes"])
    def test_data_sets(self, name):
        model = cr.TableModel.train(name, "target", **FEW)
        assert len(model.predict(name)) == sum(model.rows.values())


class TestScores:
    @pytest.mark.parametrize(("members", "validation", "train"), [(1, 0.15, 223), (8, None, 275)])
    def test_test_scores_are_those_of_the_test_rows(self, frame, members, validation, train):
        model = cr.TableModel.train(frame, "species", **{**FEW, "members": members})
        prepared = prepare_table(frame, "species", validation=validation)
        assert (model.test_scores, model.test_baseline) == model.evaluate(prepared.test_frame)
        assert model.rows == prepared.rows == {"train": train, "validation": 275 - train, "test": 69}

    def test_rows_without_a_target_are_left_out(self, species, mass, frame):
        assert mass.evaluate(frame) == mass.evaluate(frame.filter(pl.col("body_mass_g").is_not_null()))
        half = frame.with_columns(
            pl.when(pl.int_range(pl.len()) % 2 == 0).then("species").otherwise(None).alias("species")
        )
        assert species.evaluate(half) == species.evaluate(frame[::2])
        with pytest.raises(cr.InputError, match="nothing can be scored"):
            species.evaluate(frame.with_columns(pl.lit(None).alias("species")))

    def test_against_numbers_by_hand(self, mass, frame):
        known = frame.filter(pl.col("body_mass_g").is_not_null())
        truth, answers = known["body_mass_g"].to_numpy(), mass.predict(known)
        scores, baseline = mass.evaluate(known)
        assert scores["mean_absolute_error"] == pytest.approx(np.abs(truth - answers).mean())
        assert scores["root_mean_squared_error"] == pytest.approx(math.sqrt(np.square(truth - answers).mean()))
        assert scores["r2"] == pytest.approx(1 - np.square(truth - answers).sum() / (truth.var() * len(truth)))
        assert baseline["mean_absolute_error"] == pytest.approx(np.abs(truth - mass.target.mean).mean())

    def test_a_class_that_is_unknown(self, species, frame):
        with pytest.raises(cr.InputError, match=r'"Emperor".*its classes are Adelie, Chinstrap, Gentoo'):
            species.evaluate(frame.with_columns(pl.lit("Emperor").alias("species")))

    def test_no_test_rows(self, frame):
        model = cr.TableModel.train(frame, "species", test=0, **FEW)
        assert (model.test_scores, model.test_baseline) == ({}, {})
        assert model.rows["test"] == 0

    def test_no_validation_rows(self, frame):
        model = cr.TableModel.train(frame, "species", validation=0, **FEW)
        assert model.history.best_epoch is None
        assert model.history["validation_loss"] == [None] * 5


class TestSaving:
    @pytest.mark.parametrize("model", ["species", "mass"])
    def test_round_trip(self, request, frame, tmp_path, model):
        model = request.getfixturevalue(model)
        model.save(tmp_path / "m.safetensors")
        loaded = cr.load(tmp_path / "m.safetensors")
        assert isinstance(loaded, cr.TableModel)
        assert same_parameters(loaded, model)
        assert loaded.predict(frame).tobytes() == model.predict(frame).tobytes()
        assert loaded.predict(frame).dtype == model.predict(frame).dtype
        assert (loaded.encoding, loaded.target, loaded.baseline) == (model.encoding, model.target, model.baseline)
        assert (loaded.rows, loaded.test_scores, loaded.test_baseline) == (
            model.rows, model.test_scores, model.test_baseline,
        )  # fmt: skip
        assert loaded.history == model.history
        assert loaded.evaluate(frame) == model.evaluate(frame)
        loaded.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()

    def test_every_type_of_class(self, tmp_path):
        rng = np.random.default_rng(0)
        for labels in (["b", "ä"], [3, -7], [True, False], [0.5, 2.0]):
            places = rng.integers(2, size=60)
            table = pl.DataFrame({"x": places + rng.normal(0, 0.1, 60), "y": [labels[i] for i in places]})
            model = cr.TableModel.train(table, "y", task="classification", **FEW)
            model.save(tmp_path / "m.safetensors")
            answers = cr.load(tmp_path / "m.safetensors").predict(table)
            assert (answers == model.predict(table)).all()
            assert type(answers[0].item()) is type(labels[0])
            assert pl.Series(answers).dtype == table["y"].dtype

    def test_dates_and_times_keep_their_meaning(self, tmp_path):
        days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 3, 30), eager=True).alias("day")
        table = pl.DataFrame({"day": days, "y": np.arange(len(days)) ** 1.5})
        model = cr.TableModel.train(table, "y", members=2, epochs=60, progress=False)
        model.save(tmp_path / "m.safetensors")
        text = table.with_columns(pl.col("day").dt.to_string())
        np.testing.assert_array_equal(cr.load(tmp_path / "m.safetensors").predict(text), model.predict(table))


class TestFitting:
    def test_callbacks(self, frame):
        seen: list[int] = []
        for members in (1, 2):
            seen.clear()
            callbacks = [lambda record: seen.append(record.epoch)]
            cr.TableModel.train(frame, "species", callbacks=callbacks, **{**FEW, "members": members})
            assert sorted(seen) == sorted([1, 2, 3, 4, 5] * members)

    def test_divergence(self, frame):
        with pytest.raises(cr.DivergenceError, match="Try a smaller learning rate"):
            cr.TableModel.train(frame, "species", learning_rate=1e30, **FEW)

    def test_a_prepared_table_can_be_used_twice(self, frame):
        prepared = prepare_table(frame, "species")
        settings = Settings(hidden=(4,), epochs=2)
        models = [cr.TableModel.fit(prepared, settings, progress=False) for _ in range(2)]
        assert same_parameters(*models)
        assert cr.TableModel.fit(prepared, Settings(epochs=1), progress=False).rows == prepared.rows
