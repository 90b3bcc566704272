"""Surfaces have the values of the units: by hand for the source's two weight sets, by the layers for others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn import drawn, texts

import chainrule as cr
from chainrule import plots
from chainrule.errors import InputError

pytest.importorskip("matplotlib")
SHEETS = Path(__file__).parents[2] / "examples" / "worksheets"


def sigma(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize(("number", "w"), [(1, (-2, 1, -1.5, 1.5, 1, -1)), (2, (2, -1, 2, -2, 1, -1))])
def test_the_sources_two_weight_sets(number, w):
    model = cr.read_worksheet(SHEETS / f"sigmoid_surface_{number}.toml").model
    picture = plots.surfaces(model, labels=["h1", "h2", "ŷ"])
    x, y = np.meshgrid(picture.values["x"], picture.values["y"])
    h1, h2 = sigma(w[0] * x + w[1] * y), sigma(w[2] * x + w[3] * y)
    expected = {"h[hidden,1]": h1, "h[hidden,2]": h2, "h[output,1]": sigma(w[4] * h1 + w[5] * h2)}
    assert list(picture.values)[2:] == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(picture.values[name], values, rtol=1e-12)
    assert {"h1", "h2", "ŷ", "x1", "x2"} <= set(texts(picture))
    assert sum(name.startswith("surface-") for name in drawn(picture)) == 3


def test_pre_activations_and_whole_layers():
    model = cr.Model(cr.Network.mlp(2, [3], 1, activation="relu"), "squared_error", dtype="float64")
    values = plots.surfaces(model, ["z[hidden,2]", "hidden", "output,1"], reach=2, cells=5).values
    x = np.stack([one.ravel() for one in np.meshgrid(values["x"], values["y"])], axis=1)
    weights = model.parameters["hidden"]
    z = x @ weights["W"] + weights["b"]
    np.testing.assert_allclose(values["z[hidden,2]"].ravel(), z[:, 1], rtol=1e-12)
    for unit in (1, 2, 3):
        np.testing.assert_allclose(values[f"h[hidden,{unit}]"].ravel(), np.maximum(z, 0)[:, unit - 1], rtol=1e-12)
    np.testing.assert_allclose(values["h[output,1]"].ravel(), model.predict(x)[:, 0], rtol=1e-12)


def test_of_many_units_some_are_drawn_and_the_output_is_among_them():
    model = cr.Model(cr.Network.mlp(2, [300], 1), "squared_error")
    picture = plots.surfaces(model, cells=4)
    names = list(picture.values)[2:]
    assert len(names) == 12
    assert names[-1] == "h[output,1]"
    assert "289 more units aren't drawn" in picture.caption


def test_a_unit_that_is_the_same_everywhere_is_a_plane():
    model = cr.Model(cr.Network.mlp(2, [1], 1), "squared_error")
    model.set_parameters({"hidden": {"W": [[0.0], [0.0]], "b": [2.0]}})
    low, high = drawn(plots.surfaces(model, ["hidden"], cells=3))["surface-1"].axes.get_zlim()
    assert low < 2 < high


@pytest.mark.parametrize(
    ("units", "words"),
    [
        (["hiden"], 'no layer "hiden" for the unit hiden. Did you mean "hidden"'),
        (["h[hidden,4]"], "layer hidden has no unit 4; its units are 1 to 3"),
        (["h[hidden,0]"], "no unit 0"),
        (["]"], 'no layer "]"'),
    ],
)
def test_mistakes(units, words):
    model = cr.Model(cr.Network.mlp(2, [3], 1), "squared_error")
    with pytest.raises(InputError) as caught:
        plots.surfaces(model, units)
    assert words in str(caught.value)


def test_what_has_no_surfaces():
    wide = cr.Model(cr.Network.mlp(5, [3], 1), "squared_error")
    with pytest.raises(InputError, match="reads 5 inputs: choose two"):
        plots.surfaces(wide)
    with pytest.raises(InputError, match="History is no model of arrays"):
        plots.surfaces(cr.History())
    with pytest.raises(InputError, match="there are 4 surfaces and 1 labels"):
        plots.surfaces(cr.Model(cr.Network.mlp(2, [3], 1), "squared_error"), labels=["h1"])


def test_values_without_end_are_no_surface():
    model = cr.Model(cr.Network.mlp(2, [1], 1, activation="linear"), "squared_error", dtype="float64")
    model.set_parameters({"hidden": {"W": [[1e300], [1.0]]}, "output": {"W": [[1e300]]}})
    with pytest.raises(InputError, match=r"h\[output,1\] is NaN or infinite there"):
        plots.surfaces(model)
    assert drawn(plots.surfaces(model, ["hidden"], cells=3))
