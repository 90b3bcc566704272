"""Loss curves: every number of the history, where it belongs, and the epoch that was kept."""

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
from chainrule.training.history import EpochRecord, History

pytest.importorskip("matplotlib")
X = np.random.default_rng(0).normal(size=(40, 2))
Y = (X[:, 0] > 0).astype(int)


def fitted(members: int = 1, **options) -> cr.Model:
    network = cr.Network.mlp(2, [8], 1, output="sigmoid")
    make = cr.Model if members == 1 else lambda *a, **k: cr.Model.ensemble(*a, members=members, **k)
    model = make(network, "binary_cross_entropy", metrics=["accuracy"])
    model.fit(X, Y, **{"epochs": 12, "validation": 0.25, "progress": False, **options})
    return model


def test_every_curve_of_a_fit():
    model = fitted(stop=cr.EarlyStopping(patience=3))
    picture, history = plots.losses(model), model.history
    found = drawn(picture)
    for name in ("loss", "validation_loss", "accuracy", "validation_accuracy"):
        x, y = line(found[f"{name}-network 1"])
        assert x.tolist() == [record.epoch for record in history]
        assert y.tolist() == history[name]
    x, y = line(found["best-validation_loss-network 1"])
    assert x.tolist() == [history.best_epoch]
    assert y.tolist() == [history["validation_loss"][history.best_epoch - 1]]
    assert {"training", "validation", "weights kept", "loss", "accuracy", "epoch"} <= set(texts(picture))
    assert f"The ring is epoch {history.best_epoch}" in picture.caption


def test_a_history_draws_itself():
    history = fitted().history
    assert history.plot().values["network 1"]["loss"].tolist() == history["loss"]
    assert "learning rate" in texts(history.plot(rates=True))


def test_a_loaded_model_has_its_curves(tmp_path):
    model = fitted(stop=cr.EarlyStopping(patience=3))
    model.save(tmp_path / "m.safetensors")
    again = plots.losses(cr.load(tmp_path / "m.safetensors")).values["network 1"]
    for name, values in plots.losses(model).values["network 1"].items():
        np.testing.assert_array_equal(again[name], values)


def test_several_networks_are_a_line_each():
    table = cr.TableModel.train("iris", "target", members=3, hidden=(4,), epochs=6, progress=False)
    picture = plots.losses(table)
    found = drawn(picture)
    for i, history in enumerate(table.histories, 1):
        assert line(found[f"loss-network {i}"])[1].tolist() == history["loss"]
    assert picture.caption.startswith("3 networks of")
    assert texts(picture).count("training") == 1


def test_estimators_too():
    classifier = cr.MLPClassifier((4,), max_iter=5, early_stopping=True, random_state=0)
    with pytest.warns(UserWarning, match="converge"):
        classifier.fit(X, Y)
    curves = plots.losses(classifier).values["network 1"]
    assert curves["loss"].tolist() == classifier.loss_curve_
    assert curves["validation_score"].tolist() == classifier.validation_scores_


@examples(30)
@given(st.lists(st.floats(1e-8, 1e8), min_size=1, max_size=60), st.booleans())
def test_any_losses_are_drawn_as_they_are(values, held_out):
    records = [EpochRecord(i, i, v, 0.1, 0.0, v / 2 if held_out else None) for i, v in enumerate(values, 1)]
    picture = plots.losses(History(records, "epochs"))
    found = drawn(picture)
    assert line(found["loss-network 1"])[1].tolist() == values
    assert ("validation_loss-network 1" in found) == held_out
    scale = found["loss-network 1"].axes.get_yscale()
    assert scale == ("log" if max(values) > 30 * min(min(values), min(values) / 2 if held_out else 1e9) else "linear")


def test_what_isnt_finite_is_a_gap():
    records = [EpochRecord(i, i, v, 0.1, 0.0) for i, v in enumerate([1.0, float("inf"), 0.5], 1)]
    y = line(drawn(History(records).plot())["loss-network 1"])[1]
    assert np.isnan(y).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (History, "no epoch to draw"),
        (lambda: cr.Model(cr.Network.mlp(2, [], 1), "squared_error"), "no epoch to draw: the model hasn't been fitted"),
        (list, "list has no loss curves"),
        (int, "int has no loss curves: give a History"),
    ],
)
def test_mistakes(make, words):
    with pytest.raises(InputError, match=words):
        plots.losses(make())


def test_a_model_of_pictures_has_its_curves():
    pictures = np.arange(24).reshape(6, 2, 2)
    model = cr.ImageModel.train(pictures, list("aabbcc"), test=0, members=2, epochs=3, progress=False)
    assert line(drawn(plots.losses(model))["loss-network 1"])[1].tolist() == model.history["loss"]
