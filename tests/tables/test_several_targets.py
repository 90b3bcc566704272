"""Table models of several targets: gender, age and mood of people learned together, with gaps in each."""

from __future__ import annotations

import numpy as np
import polars as pl
import problems
import pytest

import chainrule as cr
from chainrule.tables.preparation import prepare_table
from chainrule.tables.recipe import recipe
from chainrule.tables.settings import Settings

TARGETS = ["gender", "age", "mood"]


def people(rows: int = 500, gaps: float = 0.3, seed: int = 0) -> pl.DataFrame:
    X, y = problems.people(rows, seed, gaps=gaps)
    age = [None if np.isnan(value) else float(value) for value in y["age"]]
    return pl.DataFrame({**X, "gender": list(y["gender"]), "age": age, "mood": list(y["mood"])})


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return people()


@pytest.fixture(scope="module")
def model(frame: pl.DataFrame) -> cr.TableModel:
    return cr.TableModel.train(frame, TARGETS, members=3, hidden=(32,), epochs=60, progress=False)


def test_each_beats_its_baseline(model, frame):
    """Out of fold, on the test rows, and on people that nobody saw."""
    scores, baseline = model.evaluate(people(300, seed=7))
    for said, trivial in ((model.oof_scores, model.oof_baseline), (model.test_scores, model.test_baseline),
                          (scores, baseline)):  # fmt: skip
        assert list(said) == list(trivial) == TARGETS
        for name in ("gender", "mood"):
            assert said[name]["accuracy"] > trivial[name]["accuracy"] + 0.2
            assert said[name]["log_loss"] < 0.6 * trivial[name]["log_loss"]
        assert said["age"]["r2"] > 0.75
        assert said["age"]["root_mean_squared_error"] < 0.5 * trivial["age"]["root_mean_squared_error"]


def test_in_both_engines(frame, engine):
    made = cr.TableModel.train(frame, TARGETS, effort="quick", hidden=(16,), epochs=40, engine=engine, progress=False)
    assert made.model.engine_.name == engine
    assert made.test_scores["gender"]["accuracy"] > 0.8
    assert made.test_scores["age"]["r2"] > 0.5
    assert made.test_scores["mood"]["accuracy"] > made.test_baseline["mood"]["accuracy"] + 0.1


def test_answers_are_by_target(model, frame):
    few = frame.head(7)
    said = model.predict(few)
    assert list(said) == TARGETS
    assert {str(value) for value in said["gender"]} <= {"female", "male"}
    assert said["age"].dtype == np.float64
    chances = model.predict_proba(few)
    assert {name: own.shape for name, own in chances.items()} == {"gender": (7, 2), "mood": (7, 3)}
    for name, own in chances.items():
        classes = np.array(model.head(name).target.classes)
        np.testing.assert_array_equal(classes[own.argmax(axis=1)], said[name])
        np.testing.assert_allclose(own.sum(axis=1), 1, rtol=1e-5)
    bounds = model.predict_interval(few, coverage=0.8)
    assert list(bounds) == ["age"]
    assert ((bounds["age"][:, 0] < said["age"]) & (said["age"] < bounds["age"][:, 1])).all()
    spread = model.predict_spread(few)
    assert {name: own.shape for name, own in spread.items()} == {"gender": (7, 2), "age": (7,), "mood": (7, 3)}
    none = model.predict(few.head(0))
    assert {name: len(own) for name, own in none.items()} == dict.fromkeys(TARGETS, 0)
    assert model.predict_spread(few.head(0))["mood"].shape == (0, 3)


def test_calibration_is_each_target_s_own(model):
    assert model.head("age").calibration.temperature == 1.0
    assert model.head("gender").calibration.temperature != model.head("mood").calibration.temperature
    low, high = model.head("age").calibration.low, model.head("age").calibration.high
    assert 18 <= low < high <= 80
    known = {name: model.head(name).oof_rows for name in TARGETS}
    assert all(200 < rows < 330 for rows in known.values())
    assert model.oof_rows == max(known.values())


def test_saved_and_loaded(model, frame, tmp_path):
    model.save(tmp_path / "people")
    loaded = cr.load(tmp_path / "people")
    assert loaded.targets == model.targets
    for ask in ("predict", "predict_proba", "predict_interval", "predict_spread"):
        first, second = (getattr(one, ask)(frame) for one in (model, loaded))
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])
    assert loaded.evaluate(frame) == model.evaluate(frame)
    assert (loaded.oof_scores, loaded.test_baseline) == (model.oof_scores, model.test_baseline)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "people").read_bytes()


def test_what_is_missing_is_left_out_for_its_target_alone(model, frame):
    scores, _ = model.evaluate(frame)
    for name in TARGETS:
        known = frame.filter(pl.col(name).is_not_null())
        alone = model.evaluate(known.drop([other for other in TARGETS if other != name]))[0]
        assert list(alone) == [name]
        assert alone[name] == pytest.approx(scores[name])
    with pytest.raises(cr.InputError, match="no row of the table has a value of one of the targets gender, age, mood"):
        model.evaluate(frame.with_columns(pl.lit(None).alias(name) for name in TARGETS))
    with pytest.raises(cr.InputError, match='the table has no column "gender", the target'):
        model.evaluate(frame.drop(TARGETS))


def test_rows_that_know_nothing_are_left_out():
    frame = people(200, gaps=0.5)
    nothing = frame.select(pl.all_horizontal(pl.col(TARGETS).is_null())).to_series().sum()
    assert nothing > 5
    prepared = prepare_table(frame, TARGETS, validation=None)
    assert prepared.without_target == nothing
    assert sum(prepared.rows.values()) == 200 - nothing
    assert not np.isnan(prepared.train.ys).all(axis=0).any()


def test_the_scale_is_that_of_the_rows_that_know_it():
    prepared = prepare_table(people(200), TARGETS)
    age = prepared.train.ys[1]
    assert np.nanmean(age) == pytest.approx(0, abs=1e-5)
    assert np.nanstd(age) == pytest.approx(1, abs=1e-5)
    assert (prepared.task, prepared.outputs, prepared.n_outputs) == ("classification", (2, 1, 3), 6)
    with pytest.raises(cr.InputError, match="there are the targets gender, age, mood"):
        _ = prepared.target
    numbers = prepare_table(people(200), ["age", "pulse"])
    assert numbers.task == "regression"


def test_heads_begin_alike_and_count_as_told():
    prepared = prepare_table(people(300), TARGETS)
    usual = {head.head: head.weight for head in Settings().model(prepared).objective.heads}
    assert usual["age"] == 1.0
    assert usual["gender"] == pytest.approx(1 / np.log(2), rel=0.02)
    assert usual["mood"] == pytest.approx(1 / np.log(3), rel=0.05)
    told = Settings(loss_weights={"age": 3.0}).model(prepared).objective.heads
    assert {head.head: head.weight for head in told} == {**usual, "age": 3.0}
    with pytest.raises(cr.InputError, match=r'loss_weights: there is no target "agee". Did you mean "age"'):
        Settings(loss_weights={"agee": 1.0}).model(prepared)
    with pytest.raises(cr.InputError, match="loss_weights: age is 0"):
        Settings(loss_weights={"age": 0})
    for odd in (3, [1.0], "age"):
        with pytest.raises(cr.InputError, match=r"loss_weights is .* say it by target"):
            Settings(loss_weights=odd)


@pytest.mark.parametrize("hidden", [(), (8,), (8, 8)])
def test_networks_have_a_head_for_each(hidden):
    prepared = prepare_table(people(60).with_columns(kind=pl.Series(["a", "b", "c"] * 20)), TARGETS)
    network = Settings(hidden=hidden, bins=4).network(prepared)
    assert [(head.name, head.shape) for head in network.heads] == [("gender", (2,)), ("age", (1,)), ("mood", (3,))]
    assert list(network.input_shapes) == ["numbers", "categories"]
    made = cr.TableModel.train(
        people(60).with_columns(kind=pl.Series(["a", "b", "c"] * 20)), TARGETS, hidden=hidden, members=2, epochs=2,
        progress=False,
    )  # fmt: skip
    assert made.predict({**people(2).to_dict(as_series=False), "kind": ["z", "a"]}).keys() == set(TARGETS)


def test_every_effort_trains_and_portfolios_are_weighed_over_all(frame):
    small = frame.head(120)
    for effort, kinds in (("quick", 1), ("good", 1), ("best", 5)):
        prepared = prepare_table(small, TARGETS, validation=None)
        assert len(recipe(prepared, effort)) == kinds
    made = cr.TableModel.train(small, TARGETS, effort="best", members=2, epochs=3, progress=False)
    assert sum(made.weights) == pytest.approx(1)
    assert set(made.oof_scores) == set(TARGETS)
    if len(made.models) > 1:
        with pytest.raises(cr.InputError, match="ask for one by its number"):
            made.explain(small, 1, member="mean")


def test_a_rare_target_has_fewer_folds():
    frame = people(200, gaps=0.0)
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) < 12).then("age").otherwise(None).alias("age"))
    made = cr.TableModel.train(frame, TARGETS, test=0.0, members=4, hidden=(4,), epochs=2, progress=False)
    assert made.head("age").oof_rows == 12, "each was left out by some"
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) < 2).then("age").otherwise(None).alias("age"))
    two = cr.TableModel.train(frame, TARGETS, test=0.0, members=4, hidden=(4,), epochs=2, progress=False)
    assert two.head("age").oof_rows == 2
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) < 1).then("age").otherwise(None).alias("age"))
    with pytest.raises(cr.InputError, match='the target "age"'):
        cr.TableModel.train(frame, TARGETS, test=0.0, members=4, hidden=(4,), epochs=2, progress=False)


def test_groups_stay_together(frame):
    grouped = frame.with_columns(family=pl.int_range(pl.len()) // 4)
    made = cr.TableModel.train(grouped, TARGETS, group="family", members=2, hidden=(4,), epochs=2, progress=False)
    assert set(made.test_scores) == set(TARGETS)
    with pytest.raises(cr.InputError, match='the group is "age", the target'):
        cr.TableModel.train(frame, TARGETS, group="age")


def test_explained_as_a_whole_and_for_one_target(model, frame):
    has = frame.with_row_index("i", 1).drop_nulls(TARGETS)["i"].to_list()
    gap = frame.with_row_index("i", 1).filter(pl.col("age").is_null() & pl.col("mood").is_not_null())["i"][0]
    whole = model.explain(frame, row=has[0])
    parts = [model.explain(frame, row=has[0], target=name) for name in TARGETS]
    assert whole.loss - parts[0].loss == pytest.approx(parts[1].loss + parts[2].loss - 2 * _penalty(model), rel=1e-9)
    for name, own in zip(TARGETS, parts, strict=True):
        others = [other for other in TARGETS if other != name]
        assert all(f"loss[{other}" not in str(own["L"]) for other in others)
        assert own[f"dL/dz[{others[0]},1]"].value == 0
    text = whole.to_text()
    for line in ("gender=female", "y[mood,3]", "gender = ", "age = ", "mood = "):
        assert line in text
    lacking = model.explain(frame, row=gap)
    assert "no loss depends on it: age" in lacking.to_text().replace("gender; ", "")
    with pytest.raises(cr.InputError, match=r'the model has no target "agee". Did you mean "age"'):
        model.explain(frame, row=1, target="agee")
    forward = model.explain(frame.drop(TARGETS), row=1)
    assert "forward only" in forward.to_text()
    every = model.explain(frame.head(5))
    assert every.trace.n_rows == 5
    mean = model.explain(frame, row=has[0], member="mean")
    assert mean["h[age,1]"].value == pytest.approx(np.mean([
        model.explain(frame, row=has[0], member=i)["h[age,1]"].value for i in (1, 2, 3)
    ]))  # fmt: skip


def _penalty(model: cr.TableModel) -> float:
    return model.network(1).objective.penalty(model.network(1).training.parameters[0].astype(float))


def test_questions_that_are_of_one_target_say_so(model, frame):
    for ask in ("target", "baseline", "calibration"):
        with pytest.raises(cr.InputError, match=r"the model has the targets gender, age, mood: .*head\(\"gender\"\)"):
            getattr(model, ask)
    with pytest.raises(cr.InputError, match=r'the model has no target "ages". Did you mean "age"'):
        model.head("ages")
    numbers = cr.TableModel.train(frame, "age,pulse", members=1, hidden=(4,), epochs=1, progress=False)
    with pytest.raises(cr.InputError, match="age, pulse are numbers, not classes"):
        numbers.predict_proba(frame)
    classes = cr.TableModel.train(frame, "gender,mood", members=1, hidden=(4,), epochs=1, progress=False)
    with pytest.raises(cr.InputError, match="gender, mood are classes, not numbers"):
        classes.predict_interval(frame)
    assert "gender (classification), age (regression), mood (classification) from height" in repr(model)


def test_one_target_in_a_list_is_one_target():
    made = cr.TableModel.train("iris", ["target"], members=1, hidden=(4,), epochs=1, progress=False)
    assert made.predict("iris").shape == (150,)
    assert made.model.network.heads[0].name == "output"


def test_columns_that_are_called_by_numbers(frame):
    """As pandas calls those that nobody named: targets, a group, tasks and weights are said as the frame says them."""
    numbered = frame.to_pandas()
    numbered.columns = range(len(numbered.columns))
    age, gender, group = (frame.columns.index(name) for name in ("age", "gender", "height"))
    options = {"effort": "quick", "epochs": 2, "progress": False}
    model = cr.TableModel.train(
        numbered, [gender, age], task={age: "regression"}, loss_weights={age: 2.0}, group=group, **options
    )
    assert [target.name for target in model.targets] == [str(gender), str(age)] == list(model.predict(numbered))
    assert model.head(age).target.task == "regression"
    assert cr.TableModel.train(numbered, age, **options).target.name == str(age)
