"""The picture of a training: every measured number in its place, white where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, texts

from chainrule import SGD, Doctor, InputError, Model, Network, plots

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(120, 3)), RNG.normal(size=120)


def watched(layers: int, engine: str = "auto", epochs: int = 5) -> Doctor:
    doctor = Doctor()
    model = Model(Network.mlp(3, [4] * layers, 1, activation="sigmoid"), "mse", SGD(0.1), engine=engine)
    model.fit(X, Y, epochs=epochs, callbacks=doctor, progress=False)
    return doctor


def test_every_number_is_in_its_place(engine):
    doctor = watched(3, engine)
    picture = plots.vitals(doctor)
    vitals = doctor.vitals
    layers = ["hidden_1", "hidden_2", "hidden_3", "output"]
    assert picture.values["layers"] == layers
    np.testing.assert_array_equal(picture.values["steps"], vitals.steps)
    dense, functions, read = [0, 2, 4, 6], [1, 3, 5, 7], [1, 3, 5, 6]  # a loss reads the last z
    for name, steps in (("gradient", dense), ("update", dense), ("flat", functions), ("spread", read)):
        np.testing.assert_array_equal(picture.values[name], vitals.of(name)[:, 0, steps].T)
        shown = np.ma.filled(drawn(picture)[name].get_array().astype(float), np.nan)
        known = np.nan_to_num(picture.values[name], nan=-1) > (0 if name != "flat" else -1)
        np.testing.assert_array_equal(shown[known], picture.values[name][known])
        assert np.isnan(shown[~known]).all()
    said = texts(picture)
    for layer in layers:
        assert said.count(layer) == 2
    assert {"length of the gradient", "share of outputs on flat ground", "step"} <= set(said)
    assert not any("$" in one for one in said)


def test_of_many_layers_first_and_last(engine):
    picture = plots.vitals(watched(60, engine, epochs=1))
    assert len(picture.values["layers"]) == 24
    assert picture.values["layers"][11:13] == ["hidden_12", "hidden_50"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_diagnosis_draws_itself(theme):
    found = Model(Network.mlp(3, [4], 1), "mse").diagnose(X, Y)
    picture = found.picture().in_theme(theme)
    assert "of a short training of a copy" in picture.caption
    assert picture.to_png()[1:4] == b"PNG"


def test_nothing_was_measured():
    with pytest.raises(InputError, match="nothing was measured"):
        plots.vitals(Model(Network.mlp(3, [4], 1), "mse").diagnose(X, Y, probe=False))
    with pytest.raises(InputError, match="takes a Diagnosis"):
        plots.vitals("x")
