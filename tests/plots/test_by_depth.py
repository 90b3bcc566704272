"""The demonstration by depth: the networks cut out what the formulas under them say, and what geometry says."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn

from chainrule import InputError, plots
from chainrule.plots.by_depth import REACH, threshold_model, weights_told

pytest.importorskip("matplotlib")
SIDE = np.linspace(-REACH, REACH, 65)  # in eighths, which are exact: edges and corners are among them
POINTS = np.stack([one.ravel() for one in np.meshgrid(SIDE, SIDE)], axis=1)


def geometry(layers: int) -> np.ndarray:
    x, y = POINTS.T
    if layers == 1:
        return x + y >= 0
    if layers == 2:
        return (x >= -2) & (y >= -2) & (x + y <= 1)
    tall, flat = (x >= -3) & (x <= -1) & (y >= -3) & (y <= 3), (x >= -3) & (x <= 2) & (y >= -3) & (y <= -1)
    return tall | flat | ((x >= 0) & (y >= 0) & (x + y <= 3))


def told(layers: int) -> np.ndarray:
    """What the formulas in the picture compute, each read as Python."""
    known = {"x1": POINTS[:, 0], "x2": POINTS[:, 1], "step": lambda z: (np.asarray(z) >= 0).astype(float)}
    for text in weights_told(f"{layers} layer{'s' * (layers > 1)}"):
        name, formula = text.split("=", 1)
        known[name.strip()] = eval(formula, {"__builtins__": {}}, known)  # its own formulas, nobody else's
    return np.asarray(known["y"]) == 1


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_network_formulas_and_geometry_agree(layers):
    said = threshold_model(layers).predict(POINTS)[:, 0] == 1
    np.testing.assert_array_equal(said, geometry(layers))
    np.testing.assert_array_equal(said, told(layers))
    assert len(threshold_model(layers).network.layers) == layers + 1


def test_one_layer_is_convex_two_are_three_arent():
    """Whether the middle of any two points of the region is in the region."""
    rng = np.random.default_rng(0)
    for layers, convex in ((1, True), (2, True), (3, False)):
        model = threshold_model(layers)
        inside = POINTS[model.predict(POINTS)[:, 0] == 1]
        pairs = rng.integers(0, len(inside), (4000, 2))
        middles = (inside[pairs[:, 0]] + inside[pairs[:, 1]]) / 2
        assert (model.predict(middles) == 1).all() == convex


def test_the_picture_shows_regions_cuts_and_weights():
    picture = plots.depth(cells=65)
    found = drawn(picture)
    for layers, cuts in ((1, 1), (2, 3), (3, 9)):
        name = f"{layers} layer{'s' * (layers > 1)}"
        np.testing.assert_array_equal(found[f"region-{name}"].get_array(), picture.values[name])
        np.testing.assert_array_equal(picture.values[name].ravel(), geometry(layers))
        assert found[f"weights-{name}"].get_text().split("\n") == weights_told(name)
        assert sum(one.startswith(f"line-{name}") for one in found) == cuts
        model = threshold_model(layers)
        first = next(iter(model.parameters.values()))
        for i in range(cuts):
            xs, ys = np.array(found[f"line-{name}-{i + 1}"].get_data(), float)
            on_it = xs * first["W"][0, i] + ys * first["W"][1, i] + first["b"][i]
            np.testing.assert_allclose(on_it, 0, atol=1e-12)


def test_numbers_stand_on_the_side_where_their_unit_is_1():
    found = drawn(plots.depth(cells=9))
    for layers in (2, 3):
        first = next(iter(threshold_model(layers).parameters.values()))
        for i in range(len(first["b"])):
            at = found[f"number-{layers} layers-{i + 1}"].get_position()
            assert np.dot(at, first["W"][:, i]) + first["b"][i] > 0
            assert max(map(abs, at)) < REACH


@pytest.mark.parametrize("cells", [-1, 1, 2.5, 10**9])
def test_cells_that_nobody_can_draw(cells):
    with pytest.raises(InputError, match=r"cells is .*a whole number from 2 to 1,000"):
        plots.depth(cells)
