"""Every way of a recipe, trained and weighed; and what happens when time, rows or networks are few."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.data import prepare_inputs
from chainrule.tables.calibration import averaging_temperature, fit_temperature
from chainrule.tables.portfolio import train_portfolio
from chainrule.tables.preparation import prepare_table
from chainrule.tables.recipe import recipe
from chainrule.tables.settings import Settings
from chainrule.tables.table_network import average_unseen
from chainrule.tables.weighing import Answered, weigh


def table(rows: int = 120, classes: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    a, c = rng.normal(size=rows), rng.choice(["x", "y", "z"], rows)
    y = 100 + 20 * a + np.where(c == "x", 30, 0) + rng.normal(size=rows)
    return pl.DataFrame({"a": a, "c": c, "y": np.where(y > 110, "high", "low") if classes else y})


class TestWeights:
    def test_what_helps_counts(self):
        rng = np.random.default_rng(0)
        truth = rng.normal(size=400)
        noise = rng.normal(size=(3, 400, 1))
        good, same, bad = truth[:, None] + noise * np.array([0.3, 0.3, 5.0])[:, None, None]
        weights = weigh([Answered([good, same, bad], truth, classes=False)])
        assert sum(weights) == pytest.approx(1)
        assert weights[2] == 0
        assert abs(weights[0] - 0.5) < 0.15, "two that err apart are better together"

    def test_of_probabilities(self):
        truth = np.array([0, 1, 1, 0])
        right = np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.7, 0.3]])
        assert weigh([Answered([1 - right, right], truth, classes=True)]) == [0.0, 1.0]
        assert weigh([Answered([right], truth, classes=True)]) == [1.0]
        nothing = Answered([right[:0], right[:0]], truth[:0], classes=True)
        assert weigh([nothing]) == [1.0, 0.0], "the first, where nothing is known"

    def test_best_is_no_worse_out_of_fold_than_each_of_its_kinds(self):
        prepared = prepare_table(table(), "y", validation=None)
        ways = [Settings(hidden=units, epochs=20, members=4) for units in ((), (16,), (8, 8))]
        alone = [cr.TableModel.fit(prepared, way, progress=False) for way in ways]
        best = cr.TableModel.fit(prepared, ways, progress=False)
        least = min(one.oof_scores["root_mean_squared_error"] for one in alone)
        assert best.oof_scores["root_mean_squared_error"] <= least * (1 + 1e-6)
        assert sum(best.weights) == pytest.approx(1)
        assert len(best.weights) == len(best.models)
        each = [one.predict(table()) for one in alone]
        outputs = [one.model.network for one in alone]
        kept = [outputs.index(model.network) for model in best.models]
        expected = sum(weight * each[i] for weight, i in zip(best.weights, kept, strict=True))
        np.testing.assert_allclose(best.predict(table()), np.clip(expected, *np.array(
            [best.calibration.low, best.calibration.high])), rtol=1e-4)  # fmt: skip


class TestWhoLeavesOutWhat:
    @pytest.mark.parametrize("classes", [True, False])
    def test_every_training_row_has_an_out_of_fold_prediction(self, classes):
        model = cr.TableModel.train(table(classes=classes), "y", epochs=3, progress=False)
        assert (model.members, model.oof_rows, model.rows["train"]) == (8, 96, 96)
        assert set(model.oof_scores) == set(model.oof_baseline) == set(model.test_scores)

    def test_the_same_folds_as_fit_members_makes(self):
        prepared = prepare_table(table(), "y", validation=None)
        settings = Settings(members=3, epochs=5, hidden=(4,), seed=9)
        trained = train_portfolio(prepared, [settings], progress=False)
        size = settings.steps(prepared, 64)[0]
        by_hand = cr.fit_members(
            settings.model(prepared), prepared.train.X, prepared.train.y, members=3, epochs=5, batch_size=size,
            stop=cr.EarlyStopping(20), progress=False,
        )  # fmt: skip
        average_unseen(by_hand.model, prepared.train.X["categories"])
        np.testing.assert_array_equal(trained.models[0].training.parameters, by_hand.model.training.parameters)
        np.testing.assert_array_equal(trained.judged[0].out_of_fold, by_hand.out_of_fold)

    def test_with_validation_each_holds_out_its_own(self):
        model = cr.TableModel.train(table(), "y", validation=0.3, members=3, epochs=2, progress=False)
        assert model.members == 3
        assert 36 < model.oof_rows < 96
        none = cr.TableModel.train(table(), "y", validation=0, members=3, epochs=2, progress=False)
        assert (none.oof_rows, none.oof_scores, none.calibration.temperature) == (0, {}, 1.0)
        assert none.histories[0]["validation_loss"] == [None, None]

    def test_one_network_is_what_it_was(self):
        """A single one holds out 0.15 of all rows, and its encoding doesn't see them."""
        prepared = prepare_table(table(), "y", validation=0.15)
        given = {"hidden": (4,), "epochs": 5, "patience": 20, "batch_size": 8}
        for options in ({"members": 1}, {"effort": "quick"}):
            model = cr.TableModel.train(table(), "y", **given, progress=False, **options)
            (way,) = recipe(prepared, **options, **given)
            plain = way.model(prepared)
            plain.fit(
                prepared.train.X, prepared.train.y, epochs=5, batch_size=8,
                validation=(prepared.validation.X, prepared.validation.y), stop=cr.EarlyStopping(20),
            )  # fmt: skip
            codes = [part.X["categories"] for part in (prepared.train, prepared.validation)]
            average_unseen(plain, np.concatenate(codes))
            assert model.model.training.parameters.tobytes() == plain.training.parameters.tobytes()
            assert model.rows == prepared.rows
            assert model.oof_rows == prepared.rows["validation"]

    def test_groups_stay_together_and_are_not_learned_from(self):
        frame = table().with_columns(pl.Series("who", np.arange(120) // 10))
        model = cr.TableModel.train(frame, "y", group="who", epochs=2, progress=False)
        assert "who" not in [column.name for column in model.encoding.columns]
        assert model.rows["train"] % 10 == model.rows["test"] % 10 == 0
        assert 16 <= model.rows["test"] <= 32
        assert model.predict(frame.drop("who")).shape == (120,)
        assert model.oof_rows == model.rows["train"]

    @pytest.mark.parametrize("group", ["nobody", "y"])
    def test_a_group_that_is_none(self, group):
        with pytest.raises(cr.InputError, match=f'"{group}", the'):
            cr.TableModel.train(table(), "y", group=group)

    def test_groups_that_are_few(self):
        frame = table().with_columns(pl.Series("who", ["a", "b", "c"] * 40))
        model = cr.TableModel.train(frame, "y", group="who", test=0, epochs=2, progress=False)
        assert (model.members, model.oof_rows) == (8, 120)
        with pytest.raises(cr.InputError, match="all rows are of one group"):
            cr.TableModel.train(frame.with_columns(who=pl.lit("a"), b=pl.col("a") ** 2), "y", group="who", test=0)

    def test_rows_without_a_group_are_each_one_of_their_own(self):
        frame = table().with_columns(pl.Series("who", [None] * 110 + ["a"] * 10))
        assert cr.TableModel.train(frame, "y", group="who", epochs=1, progress=False).members == 8


class TestTemperature:
    def test_it_is_that_of_one_divided_by_the_mean_s_softness(self):
        frame = table(300, classes=True)
        prepared = prepare_table(frame, "y", validation=None)
        settings = Settings(members=4, epochs=30)
        model = cr.TableModel.fit(prepared, settings, progress=False)
        trained = train_portfolio(prepared, [settings], progress=False)
        network = trained.models[0]
        (said,) = network.outputs(prepare_inputs(network.network, prepared.train.X, network.dtype))
        softened = averaging_temperature(said, said.mean(axis=0))
        (judged,) = trained.judged
        assert judged.softened == pytest.approx(softened, rel=1e-3)
        own = fit_temperature(judged.out_of_fold, judged.truth)
        assert model.calibration.temperature == pytest.approx(own / softened, rel=1e-3)

    def test_several_that_left_out_the_same_rows_are_heard_together(self):
        """All hold out the same rows, so what is said of them is the mean of all already."""
        prepared = prepare_table(table(300, classes=True), "y", validation=0.2)
        assert train_portfolio(prepared, [Settings(members=4, epochs=5)], progress=False).judged[0].softened == 1.0
        prepared = prepare_table(table(300, classes=True), "y", validation=None)
        softer = [
            train_portfolio(prepared, [Settings(members=6, folds=folds, epochs=10)], progress=False).judged[0].softened
            for folds in (6, 3)
        ]
        assert softer[0] > softer[1] > 1


class TestFew:
    @pytest.mark.parametrize("effort", ["quick", "good", "best"])
    @pytest.mark.parametrize("classes", [True, False])
    def test_ten_rows(self, effort, classes):
        model = cr.TableModel.train(table(10, classes), "y", effort=effort, epochs=5, progress=False)
        assert model.predict(table(10)).shape == (10,)
        assert model.rows["test"] == 2

    def test_a_class_of_two_rows(self):
        frame = table().with_columns(y=pl.Series(["seldom"] * 2 + ["often", "more often"] * 59))
        model = cr.TableModel.train(frame, "y", epochs=2, progress=False)
        assert model.target.classes == ("more often", "often", "seldom")
        assert model.oof_rows >= model.rows["train"] - 1

    def test_no_class_has_a_row_to_spare(self):
        frame = pl.DataFrame({"x": range(6), "y": list("abcabc")})
        model = cr.TableModel.train(frame, "y", test=0.5, epochs=2, progress=False)
        assert (model.members, model.oof_rows, model.rows["train"]) == (8, 0, 3)

    def test_a_time_limit_keeps_the_best_so_far(self):
        model = cr.TableModel.train(table(), "y", effort="best", epochs=100_000, time_limit=0.05, progress=False)
        assert 1 <= model.members <= 8
        assert model.left_out["no time"] >= 16
        assert {history.stopped_by.partition(" of ")[0] for history in model.histories} == {"the time limit"}
        assert np.isfinite(model.predict(table())).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"effort": "great"}, 'effort is \'great\'; it must be "quick", "good" or "best"'),
        ({"effort": "quikc"}, 'Did you mean "quick"'),
        ({"members": 0}, "members is 0"),
        ({"folds": 1}, "folds is 1"),
        ({"folds": 5, "validation": 0.2}, "leave folds out"),
        ({"folds": 5, "members": 1}, "one network leaves out a part of the rows in place of a fold"),
        ({"folds": 5, "members": 4}, "each fold is left out by a network of its own"),
        ({"folds": 500}, "folds is 500; of 96 rows"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"validation": 0.9, "test": 0.2}, "leave no rows for training"),
    ],
    ids=str,
)
def test_settings_that_cannot_be(options, message):
    with pytest.raises(cr.InputError, match=message):
        cr.TableModel.train(table(), "y", progress=False, **options)
