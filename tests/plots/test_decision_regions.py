"""Regions are what the model predicts, at every cell; labels stand in their regions, points where the data are."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule import plots
from chainrule.errors import InputError
from chainrule.plots.decision_regions import MOST_POINTS

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(3)
X = RNG.normal(size=(80, 2)) * 2
Y2, Y3 = (X[:, 0] > X[:, 1]).astype(int), RNG.integers(0, 3, 80)


def network(outputs: int, units: int = 6, inputs: int = 2, **options) -> cr.Model:
    options = {"seed": 0, "metrics": (), **options}
    output, loss = ("sigmoid", "binary_cross_entropy") if outputs == 1 else ("softmax", "cross_entropy")
    return cr.Model(cr.Network.mlp(inputs, [units], outputs, activation="tanh", output=output), loss, **options)


def grid(picture) -> np.ndarray:
    return np.stack([one.ravel() for one in np.meshgrid(picture.values["x"], picture.values["y"])], axis=1)


@pytest.mark.parametrize("units", [2, 300])
@pytest.mark.parametrize("outputs", [1, 3])
def test_regions_are_the_models_predictions(outputs, units):
    model = network(outputs, units)
    model.fit(X, Y2 if outputs == 1 else Y3, epochs=5, progress=False)
    picture = plots.regions(model, X, Y2 if outputs == 1 else Y3, cells=37)
    said = model.predict(grid(picture))
    expected = (said[:, 0] >= 0.5) if outputs == 1 else said.argmax(axis=1)
    np.testing.assert_array_equal(picture.values["region"].ravel(), expected.astype(int))
    image = drawn(picture)["regions"].get_array()
    colours = {k: {tuple(c) for c in image[picture.values["region"] == k].tolist()} for k in np.unique(expected)}
    assert all(len(one) == 1 for one in colours.values())
    assert len(set.union(*colours.values())) == len(colours)


@examples(15)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_labels_stand_in_their_regions(seed, classes):
    model = network(classes, seed=seed)
    picture = plots.regions(model, reach=4, cells=41)
    x, y, region = (picture.values[name] for name in ("x", "y", "region"))
    labels = {name: artist for name, artist in drawn(picture).items() if name.startswith("region-")}
    for name, artist in labels.items():
        at = artist.get_position()
        assert region[np.abs(y - at[1]).argmin(), np.abs(x - at[0]).argmin()] == int(name.removeprefix("region-"))
        assert artist.get_text() == name.removeprefix("region-")
    sizes = {k: (region == k).mean() for k in range(classes)}
    assert all(f"region-{k}" in labels for k, size in sizes.items() if size > 0.3)


def test_points_are_the_data_of_their_class():
    picture = plots.regions(network(3), X, Y3, cells=20)
    found = drawn(picture)
    for k in range(3):
        np.testing.assert_array_equal(np.stack(line(found[f"points-{k}"]), axis=1), X[np.equal(Y3, k)])
    assert len({found[f"points-{k}"].get_marker() for k in range(3)}) == 3
    assert "80 rows." in picture.caption


def test_many_points_are_thinned_and_said():
    many = RNG.normal(size=(5000, 2))
    picture = plots.regions(network(1), many, (many[:, 0] > 0).astype(int), cells=10)
    drawn_points = sum(len(line(one)[0]) for name, one in drawn(picture).items() if name.startswith("points"))
    assert drawn_points == MOST_POINTS
    assert f"5,000 rows, of which {MOST_POINTS} are drawn" in picture.caption


def test_other_inputs_are_held_at_their_medians():
    model = network(1, inputs=4)
    data = RNG.normal(size=(31, 4))
    picture = plots.regions(model, data, columns=(3, 1), cells=12)
    rows = np.tile(np.median(data, axis=0), (144, 1))
    rows[:, [2, 0]] = grid(picture)
    expected = (model.predict(rows)[:, 0] >= 0.5).astype(int)
    np.testing.assert_array_equal(picture.values["region"].ravel(), expected)
    assert f"x2 = {np.median(data[:, 1]):.4g}, x4 = {np.median(data[:, 3]):.4g}" in picture.caption
    assert "Regions over x3 and x1" in texts(picture)


def test_a_regressions_levels():
    model = cr.Model(cr.Network.mlp(2, [4], 1), "squared_error")
    picture = plots.regions(model, X, cells=15)
    np.testing.assert_array_equal(picture.values["answer"].ravel(), model.predict(grid(picture))[:, 0])
    np.testing.assert_array_equal(drawn(picture)["levels"].get_array(), picture.values["answer"])


def test_an_estimators_labels():
    labels = np.array(["no", "yes"])[Y2]
    classifier = cr.MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, labels)
    picture = plots.regions(classifier, X, labels, cells=21)
    said = np.array(picture.values["classes"])[picture.values["region"].ravel()]
    np.testing.assert_array_equal(said, classifier.predict(grid(picture)))


def test_estimators_of_named_columns():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"width": X[:, 0], "height": X[:, 1], "age": RNG.normal(size=80)})
    classifier = cr.MLPClassifier((4,), solver="lbfgs", random_state=0).fit(frame, Y2)
    picture = plots.regions(classifier, frame, Y2, columns=("age", "width"), cells=7)
    rows = pd.DataFrame({"width": grid(picture)[:, 1], "height": np.median(X[:, 1]), "age": grid(picture)[:, 0]})
    np.testing.assert_array_equal(picture.values["region"].ravel(), classifier.predict(rows))
    with pytest.raises(InputError, match=r'no input "widht"\. Did you mean "width"'):
        plots.regions(classifier, frame, columns=("age", "widht"))


def test_table_estimators():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"width": X[:, 0], "height": X[:, 1]})
    classifier = cr.TableClassifier(members=1, settings={"hidden": (4,), "epochs": 2}).fit(
        frame, np.array(["a", "b"])[Y2]
    )
    picture = plots.regions(classifier, frame, np.array(["a", "b"])[Y2], cells=7)
    rows = pd.DataFrame(grid(picture), columns=["width", "height"])
    said = np.array(picture.values["classes"])[picture.values["region"].ravel()]
    np.testing.assert_array_equal(said, classifier.predict(rows))
    assert "points-0" in drawn(picture)


def test_one_of_several_heads():
    x = cr.Input(2, name="x")
    body = cr.Dense(5, activation="tanh", name="body")(x)
    heads = {"yes": cr.Dense(1, activation="sigmoid")(body), "mood": cr.Dense(3, activation="softmax")(body),
             "age": cr.Dense(1)(body)}  # fmt: skip
    losses = {"yes": "binary_cross_entropy", "mood": "cross_entropy", "age": "squared_error"}
    model = cr.Model(cr.Network(inputs=x, outputs=heads), losses)
    picture = plots.regions(model, X, {"mood": Y3}, target="mood", cells=9)
    said = model.predict(grid(picture))
    np.testing.assert_array_equal(picture.values["region"].ravel(), said["mood"].argmax(axis=1))
    assert "Regions of mood over x1 and x2" in texts(picture)
    some = np.where(np.arange(len(Y3)) < 7, np.nan, Y3)
    found = drawn(plots.regions(model, X, {"mood": some}, target="mood", cells=9))
    points = sum(len(found[f"points-{k}"].get_xdata()) for k in range(3) if f"points-{k}" in found)
    assert points == len(X) - 7, "rows without a label aren't drawn"
    levels = plots.regions(model, X, target="age", cells=9).values["answer"]
    np.testing.assert_array_equal(levels.ravel(), said["age"][:, 0])
    with pytest.raises(InputError, match="the model has 3 heads, yes, mood, age: choose one with target"):
        plots.regions(model, X)
    with pytest.raises(InputError, match=r'no head "mod"\. Did you mean "mood"'):
        plots.regions(model, X, target="mod")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(5)
    rows = 120
    columns = {
        "length": rng.normal(5, 1, rows).tolist(), "width": [None, *rng.normal(2, 1, rows - 1).tolist()],
        "age": rng.integers(1, 80, rows).tolist(), "colour": rng.choice(["red", "blue", "blue"], rows).tolist(),
    }  # fmt: skip
    columns["kind"] = ["big" if one > 5 else "small" for one in columns["length"]]
    return columns, cr.TableModel.train(columns, "kind", members=1, hidden=(4,), epochs=3, test=0.0, progress=False)


def test_a_tables_columns_with_the_others_at_typical_values(table):
    columns, model = table
    picture = plots.regions(model, columns, columns=("width", "length"), cells=9)
    cells = grid(picture)
    asked = {"width": cells[:, 0], "length": cells[:, 1], "age": [float(np.median(columns["age"]))] * 81}
    said = model.predict({**asked, "colour": ["blue"] * 81})
    np.testing.assert_array_equal(np.array(model.target.classes)[picture.values["region"].ravel()], said)
    assert f"age = {np.median(columns['age']):.4g}, colour = blue" in picture.caption
    assert "119 rows" in picture.caption  # one has no width
    assert {"big", "small", "width", "length"} <= set(texts(picture))


def test_one_of_a_tables_several_targets(table):
    columns, _ = table
    columns = columns | {"weight": [2.0 * one for one in columns["length"]]}
    model = cr.TableModel.train(columns, ["kind", "weight"], members=1, hidden=(4,), epochs=3, test=0.0, progress=False)
    pair = ("width", "length")
    picture = plots.regions(model, columns, columns=pair, target="kind", cells=6)
    cells = grid(picture)
    typical = {"age": [float(np.median(columns["age"]))] * 36, "colour": ["blue"] * 36}
    said = model.predict({"width": cells[:, 0], "length": cells[:, 1], **typical})
    np.testing.assert_array_equal(np.array(picture.values["classes"])[picture.values["region"].ravel()], said["kind"])
    levels = plots.regions(model, columns, columns=pair, target="weight", cells=6).values["answer"]
    np.testing.assert_allclose(levels.ravel(), said["weight"])
    with pytest.raises(InputError, match="the model has 2 targets, kind, weight: choose one with target"):
        plots.regions(model, columns, columns=pair)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "reads 3 columns of numbers (length, width, age): choose two of them"),
        ({"columns": ("length", "colour")}, 'no column of numbers "colour"'),
        ({"columns": ("length", "lenght")}, 'no column of numbers "lenght". Did you mean "length"'),
        ({"columns": ("length", "length")}, "a plane takes two different ones"),
        ({"columns": ("length", "width"), "cells": 1}, "cells is 1"),
    ],
)
def test_mistakes_with_tables(table, arguments, words):
    columns, model = table
    with pytest.raises(InputError) as caught:
        plots.regions(model, columns, **arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("make", "arguments", "words"),
    [
        (lambda: network(1, inputs=3), {"reach": 1}, "reads 3 inputs: choose two with columns"),
        (lambda: network(1, inputs=3), {"reach": 1, "columns": (1, 2)}, "give X too, whose medians"),
        (lambda: network(1, inputs=1), {"reach": 1}, "reads one input; a plane takes two"),
        (lambda: network(1, inputs=3), {"X": X, "columns": (1, 2)}, "X has shape (80, 2); (rows, 3) would be right"),
        (lambda: network(1, inputs=3), {"reach": 1, "columns": (0, 2)}, "two different numbers from 1 to 3"),
        (lambda: network(1), {}, "there are no data to show the range"),
        (lambda: network(1), {"reach": -1}, "reach is -1; it must be a number in"),
        (lambda: network(1), {"X": np.where(X > 3, np.nan, X)}, "X holds numbers that are missing or infinite"),
        (lambda: network(1), {"X": [["a", "b"]]}, "X holds what is no number"),
        (lambda: network(1), {"X": X, "y": ["a"] * 80}, "numbers its classes from 0"),
        (lambda: network(1), {"X": X, "names": ["a"]}, "1 names for 2 inputs"),
        (lambda: network(1), {"X": X, "y": Y2[:5]}, "y has shape (5,); (80,) would be right"),
        (lambda: network(1), {"X": X, "y": Y2 + 5}, "classes that the model doesn't know"),
        (lambda: network(20), {"reach": 1}, "20 classes; regions of at most 12"),
        (lambda: cr.Model(cr.Network.mlp(2, [], 3), "squared_error"), {"reach": 1}, "gives 3 numbers"),
        (lambda: "model", {}, "str is no fitted model"),
    ],
)
def test_mistakes(make, arguments, words):
    with pytest.raises(InputError) as caught:
        plots.regions(make(), **arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize("size", [0.0, 1.0, 1e20, -1e30])
def test_data_of_one_point_have_a_plane_around_them(size):
    model = cr.Model(cr.Network.mlp(2, [3], 1, output="sigmoid"), "binary_cross_entropy")
    picture = plots.regions(model, np.full((5, 2), size), np.ones(5), cells=5)
    assert (np.diff(picture.values["x"]) > 0).all()
    assert picture.values["x"][0] < size < picture.values["x"][-1]
    alone = plots.regions(model, np.full((1, 2), size), np.ones(1), cells=5)
    assert "the data, 1 row." in alone.caption
