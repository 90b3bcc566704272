"""The derivation of a table's rows: the same numbers as the model's own, and what each of them means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chainrule import InputError, TableModel, read_table
from chainrule.explain.document.blocks import Paragraph, Table
from chainrule.explain.formula.writer import shown

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture(scope="module")
def model() -> TableModel:
    return TableModel.train(PENGUINS, target="species", hidden=(3,), members=1, epochs=2, progress=False)


@pytest.fixture(scope="module")
def mass() -> TableModel:
    return TableModel.train(PENGUINS, target="body_mass_g", hidden=(3,), members=1, epochs=2, progress=False)


def test_rows_as_one_batch_have_the_loss_and_the_gradients_of_the_model(model: TableModel) -> None:
    frame = read_table(PENGUINS).head(5)
    work = model.explain(frame)
    X, _ = model.encoding.inputs(frame)
    loss, gradients = model.model.loss_and_gradients(X, model.target.encode(frame))
    assert work.loss == pytest.approx(loss, rel=1e-5)
    for layer in ("hidden_numbers", "hidden_pieces", "hidden_categories"):
        right = gradients[layer]["W"]
        found = [[work[f"dL/dW[{layer},{i + 1},{j}]"].value for j in (1, 2, 3)] for i in range(len(right))]
        np.testing.assert_allclose(found, right, rtol=1e-3, atol=1e-6)
    (meaning,) = work.notes
    assert isinstance(meaning, Table)
    assert meaning.columns == ("", "meaning")


def test_a_row_is_the_table_s(model: TableModel) -> None:
    frame = read_table(PENGUINS)
    for row in (1, 17, frame.height):
        work, alone = model.explain(PENGUINS, row), model.explain(frame.slice(row - 1, 1))
        assert [q.value for q in work] == [q.value for q in alone]
    for row in (0, -1, frame.height + 1, 1.5, True):
        with pytest.raises(InputError, match=r"the table has 344 rows, from 1 to 344"):
            model.explain(frame, row)  # type: ignore[arg-type]


def test_a_prediction_is_said_in_the_target_s_own_values(model: TableModel, mass: TableModel) -> None:
    frame = read_table(PENGUINS).head(3)
    for rows in (frame, frame.drop("species")):
        text = model.explain(rows, 2).notes[1].text
        begin = f"Predicted, with temperature {shown(model.calibration.temperature)}: species = "
        said = text[text.index(begin) + len(begin) :]
        label, _, chance = said.removesuffix(".").partition(", with probability ")
        assert label == model.predict(rows)[1]
        assert float(chance) == pytest.approx(model.predict_proba(rows)[1].max(), rel=1e-5)
    for rows in (frame, frame.drop("body_mass_g")):
        said = mass.explain(rows, 2).notes[1].text
        value = said.removeprefix("Predicted: body_mass_g = ").removesuffix(", in the table's own units.")
        assert float(value) == pytest.approx(mass.predict(rows)[1], rel=1e-5)
    assert len(model.explain(frame).notes) == 1, "of several rows nothing is said"


def test_what_the_numbers_mean(model: TableModel, mass: TableModel) -> None:
    frame = read_table(PENGUINS)
    missing = int(np.flatnonzero(frame["bill_length_mm"].is_null().to_numpy())[0]) + 1
    meaning, _ = model.explain(frame, missing).notes
    assert isinstance(meaning, Table)
    inputs = [*(f"x[numbers,{i}]" for i in range(1, 9)), "x[categories,1]", "x[categories,2]"]
    assert [row[0] for row in meaning.rows] == [*inputs, "y[1]", "y[2]", "y[3]"]
    told = {row[1]: row[2:] for row in meaning.rows}
    assert told["bill_length_mm"][0] == ""
    assert told["bill_length_mm is missing"] == ("", "1")
    assert told["species=Adelie"] == ("Adelie", "1")
    meaning, _ = mass.explain(frame, 1).notes
    assert isinstance(meaning, Table)
    name, standardized = meaning.rows[-1][1], float(meaning.rows[-1][3])
    assert name == "body_mass_g"
    assert mass.target.decode([standardized])[0] == pytest.approx(float(meaning.rows[-1][2]), rel=1e-4)


def test_without_the_target_there_is_the_forward_pass(model: TableModel) -> None:
    frame = read_table(PENGUINS)
    expected = model.model.predict(model.encoding.inputs(frame.head(1))[0])[0]
    for given in (frame.head(1).drop("species"), frame.head(1).with_columns(species=pl.lit(None, pl.String))):
        work = model.explain(given)
        np.testing.assert_allclose([work[f"h[output,{k}]"].value for k in (1, 2, 3)], expected, rtol=1e-4)
        with pytest.raises(InputError, match="depends on the target"):
            work["L"]


def test_what_is_odd_about_the_row_is_said(model: TableModel) -> None:
    frame = read_table(PENGUINS).head(1).with_columns(island=pl.lit("Elba"), more=pl.lit(1))
    said = [note.text for note in model.explain(frame).notes if isinstance(note, Paragraph)]
    assert len(said) == 3
    assert "Columns not used in training are ignored" in said[1]
    assert '"Elba"' in said[2]
    with pytest.raises(InputError, match="lacks 1 column"):
        model.explain(frame.drop("sex"))


def test_many_features_are_summed_up() -> None:
    model = TableModel.train("digits", target="target", hidden=(2,), members=1, epochs=1, progress=False)
    meaning, predicted = model.explain("digits", 3).notes
    assert predicted.text.startswith("This network: target = ")
    assert isinstance(meaning, Paragraph)
    assert meaning.text.startswith("There are 6")
    assert meaning.text.endswith("the target is target.")


def test_one_network_of_several() -> None:
    team = TableModel.train(PENGUINS, target="body_mass_g", hidden=(3,), members=3, epochs=2, progress=False)
    frame = read_table(PENGUINS).head(1)
    alone = tuple(team.encoding.inputs(frame)[0].values())
    for member in (1, 2, 3):
        work = team.explain(frame, member=member)
        assert work.notes[0].text == f"This is network {member} of 3; the prediction is the mean of all."
        assert work["h[output,1]"].value == pytest.approx(team.model.outputs(alone)[0][member - 1, 0, 0], rel=1e-4)
        assert f"of all networks: body_mass_g = {shown(float(team.predict(frame)[0]))}" in work.notes[2].text
    for member in (0, 4, "median"):
        with pytest.raises(InputError, match='the model has 3 networks, from 1, or "mean"'):
            team.explain(frame, member=member)  # type: ignore[arg-type]


def test_the_mean_of_all_networks() -> None:
    team = TableModel.train(PENGUINS, target="species", hidden=(3,), members=3, epochs=2, progress=False)
    frame = read_table(PENGUINS).head(2)
    work = team.explain(frame, 2, member="mean")
    assert work.notes[0].text == "These are all 3 networks beside each other, and their mean."
    X, _ = team.encoding.inputs(frame)
    expected = team.model.predict(X)[1]
    np.testing.assert_allclose([work[f"h[output,{k}]"].value for k in (1, 2, 3)], expected, rtol=1e-5)
    said = [work[f"h[output_{i},1]"].value for i in (1, 2, 3)]
    assert work["h[output,1]"].value == pytest.approx(np.mean(said))
    assert work.paths("W[hidden_numbers_2,1,1]").count > 1


def test_a_category_is_the_row_of_weights_that_it_adds(model: TableModel) -> None:
    """A row of the sheet: sex=FEMALE is a row of W, and that row is what z has of it."""
    frame = read_table(PENGUINS).head(3)
    work = model.explain(frame, 2)
    meaning = work.notes[0]
    assert isinstance(meaning, Table)
    (said,) = [row for row in meaning.rows if row[0] == "x[categories,2]"]
    name, _, number = said[1].partition(": row ")
    assert name == f"sex={frame['sex'][1]}"
    row = int(number.removesuffix(" of W"))
    weights = model.model.parameters["hidden_categories"]["W"]
    for j in (1, 2, 3):
        assert f"W[hidden_categories,{row},{j}]" in repr(work[f"z[hidden_categories,{j}]"])
        assert work[f"W[hidden_categories,{row},{j}]"].value == pytest.approx(float(weights[row - 1, j - 1]))
