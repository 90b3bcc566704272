"""Activations as they are drawn, beside the numbers of the activations and differences of them."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts

from chainrule import plots
from chainrule.activations import ACTIVATIONS, LeakyReLU
from chainrule.errors import InputError

pytest.importorskip("matplotlib")


def test_every_activation_is_drawn_with_its_derivative():
    picture = plots.activations()
    found = drawn(picture)
    assert list(picture.values) == list(ACTIVATIONS)
    for name in ACTIVATIONS:
        for key in ("h", "dh/dz"):
            x, y = line(found[f"{name}-{key}"])
            np.testing.assert_array_equal(x, picture.values[name]["z"])
            np.testing.assert_array_equal(y, picture.values[name][key])
    shown = texts(picture)
    assert set(ACTIVATIONS) <= set(shown)
    assert {"h", "dh/dz", "z"} <= set(shown)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_is_the_slope_of_the_curve(name):
    curve = plots.activations(name).values[name]
    z, h, slope = curve["z"], curve["h"], curve["dh/dz"]
    differences = (h[2:] - h[:-2]) / (z[2:] - z[:-2])
    away = np.abs(z[1:-1]) > 0.05  # from the kink at 0
    np.testing.assert_allclose(slope[1:-1][away], differences[away], atol=2e-3 * max(1, np.nanmax(np.abs(slope))))


@pytest.mark.parametrize(("name", "key", "broken"), [
    ("relu", "h", False), ("relu", "dh/dz", True), ("threshold", "h", True), ("threshold", "dh/dz", False),
    ("elu", "dh/dz", False), ("selu", "dh/dz", True), ("sigmoid", "dh/dz", False),
])  # fmt: skip
def test_what_jumps_at_0_is_broken_there(name, key, broken):
    assert np.isnan(plots.activations(name).values[name][key]).sum() == broken


def test_the_exponential_leaves_room_for_what_is_small():
    figure = plots.activations("exponential", reach=10).figure()
    assert figure.axes[0].get_ylim()[1] < 12


def test_objects_with_options_are_called_by_them():
    picture = plots.activations(LeakyReLU(slope=0.2), "leaky_relu")
    assert list(picture.values) == ["LeakyReLU(slope=0.2)", "leaky_relu"]
    assert picture.values["LeakyReLU(slope=0.2)"]["h"][0] == pytest.approx(-0.8)


def test_softmax_says_what_it_is_drawn_with():
    picture = plots.activations("softmax")
    assert "Softmax is that of (z, 0)" in picture.caption
    z, h = picture.values["softmax"]["z"], picture.values["softmax"]["h"]
    np.testing.assert_allclose(h, np.exp(z) / (np.exp(z) + 1), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 14])
def test_nothing_overlaps_however_many_there_are(n):
    figure = plots.activations(*list(ACTIVATIONS)[:n]).figure()
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert len(boxes) == n
    for i, one in enumerate(boxes):
        assert one.x0 >= 0
        assert one.x1 <= 801
        assert not any(one.shrunk(0.97, 0.97).overlaps(other.shrunk(0.97, 0.97)) for other in boxes[i + 1 :])


@pytest.mark.parametrize("reach", [1e-6, 50, 1e6])
def test_any_reach_is_drawn(reach):
    picture = plots.activations(reach=reach)
    drawn(picture)
    z, h = picture.values["exponential"]["z"], picture.values["exponential"]["h"]
    np.testing.assert_array_equal(np.isnan(h), z > np.log(np.finfo(float).max))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((("relux",), 4.0), 'no activation "relux". Did you mean "relu"'),
        ((("relu", "relu"), 4.0), "relu is named twice"),
        ((("relu",), 0), "reach is 0; it must be a number in"),
        ((("relu",), float("inf")), "reach is inf"),
    ],
)
def test_mistakes(arguments, words):
    names, reach = arguments
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        plots.activations(*names, reach=reach)
