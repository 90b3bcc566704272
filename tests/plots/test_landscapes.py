"""Landscapes: the curve and the surface are what was turned, the slope touches, the trail lies where the fit went."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts

from chainrule import InputError, Model, Network, Trail, plots

pytest.importorskip("matplotlib")


def made(inputs=2, engine="auto", hidden=(3,), output="sigmoid", **options):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, inputs))
    network = Network.mlp(inputs, list(hidden), 1, activation="tanh", output=output)
    loss = "binary_cross_entropy" if output == "sigmoid" else "squared_error"
    return Model(network, loss, dtype="float64", engine=engine, **options), X, (X[:, 0] > 0).astype(float)


def test_a_curve_with_its_slope_and_the_place_where_it_is(engine):
    model, X, y = made(3, engine)
    turned = model.turn("W[hidden,1,2]", X=X, y=y, points=21)
    picture = plots.knobs(turned)
    found = drawn(picture)
    x, loss = line(found["loss"])
    np.testing.assert_array_equal(x, turned.values[0])
    np.testing.assert_array_equal(loss, turned.loss)
    now = [float(value[0]) for value in line(found["now"])]
    assert now == pytest.approx([turned.at[0], turned.loss_now])
    ends, heights = line(found["slope"])
    assert (heights[1] - heights[0]) / (ends[1] - ends[0]) == pytest.approx(turned.gradient[0])
    assert heights.mean() == pytest.approx(turned.loss_now)
    assert picture.values["lowest"] == list(turned.lowest)
    assert "regions" not in picture.values
    assert {"W[hidden,1,2]", "loss"} <= set(texts(picture))


def test_regions_of_the_plane_at_positions_of_the_knob():
    model, X, y = made()
    turned = model.turn("W[output,1,1]", X=X, y=y)
    picture = plots.knobs(turned)
    regions = picture.values["regions"]
    assert len(regions["at"]) == len(regions["outputs"]) == 5
    assert turned.at[0] in regions["at"]
    assert sum(name.startswith("region-") for name in drawn(picture)) == 5
    k = regions["at"].index(turned.at[0])
    corner = [X[:, i].min() - 0.15 * np.ptp(X[:, i]) for i in (0, 1)]
    assert regions["outputs"][k][0][0] == pytest.approx(model.predict([corner])[0, 0])
    assert any("(now)" in text for text in texts(picture))


def test_three_classes_have_regions_too():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    model = Model(Network.mlp(2, [4], 3, output="softmax"), "cross_entropy")
    picture = plots.knobs(model.turn("b[output,2]", X=X, y=rng.integers(3, size=30)))
    assert set(np.unique(picture.values["regions"]["outputs"])) <= {0, 1, 2}


def test_a_surface_with_the_way_that_training_went(engine):
    model, X, y = made(3, engine)
    trail = Trail("W[output,1,1]", "b[output,1]")
    model.fit(X, y, epochs=10, callbacks=trail)
    turned = model.turn("b[output,1]", "W[output,1,1]", X=X, y=y, points=9, trail=trail)
    picture = plots.knobs(turned)
    found = drawn(picture)
    np.testing.assert_array_equal(np.stack(line(found["trail"]), axis=1), trail.values[:, ::-1])
    assert [float(value[0]) for value in line(found["start"])] == trail.values[0, ::-1].tolist()
    assert [float(value[0]) for value in line(found["now"])] == list(turned.at)
    assert np.asarray(picture.values["loss"]).shape == turned.loss.shape
    assert "20 steps of training leads from the square to the star" in picture.caption
    for theme in ("light", "dark"):
        assert picture.in_theme(theme).to_png()[1:4] == b"PNG"


def test_a_trail_over_one_weight():
    model, X, y = made(3)
    trail = Trail("b[output,1]", every="epoch")
    model.fit(X, y, epochs=5, callbacks=trail)
    turned = model.turn("b[output,1]", X=X, y=y, trail=trail)
    x, heights = line(drawn(plots.knobs(turned))["trail"])
    np.testing.assert_array_equal(x, trail.values[:, 0])
    np.testing.assert_allclose(heights, turned.loss_at(trail.values))


def test_flat_and_broken_landscapes_are_drawn():
    model, X, y = made(3)
    model.set_parameters({"output": {"W": [[0.0], [0.0], [0.0]]}})
    flat = model.turn("W[hidden,1,1]", "W[hidden,2,1]", X=X, y=y, points=5)
    assert np.ptp(flat.loss) == 0
    plots.knobs(flat).to_png()
    plots.knobs(model.turn("W[hidden,1,1]", X=X, y=y)).to_png()
    steps = Model(Network.mlp(2, [3], 1, activation="threshold"), "squared_error")
    picture = plots.knobs(steps.turn("W[hidden,1,1]", X=X[:, :2], y=y))
    assert picture.values["gradient"] is None
    assert "slope" not in drawn(picture)
    bursting = Model(Network.mlp(1, [1], 1, activation="exponential"), "squared_error", dtype="float64")
    for names in (("W[hidden,1,1]",), ("W[hidden,1,1]", "b[hidden,1]")):
        turned = bursting.turn(*names, X=[[1.0]], y=[1.0], values=[[0.0, 1.0, 1e6]] * len(names))
        plots.knobs(turned).to_png()


def test_mistakes():
    with pytest.raises(InputError, match="knobs draws what"):
        plots.knobs("W[hidden,1,1]")


@pytest.mark.parametrize("names", [("W[output,1,1]",), ("W[output,1,1]", "b[output,1]")])
def test_where_the_loss_is_finite_nowhere_it_is_said(names):
    model = Model(Network.mlp(2, [1], 1, activation="linear"), "squared_error", dtype="float64")
    model.set_parameters({"hidden": {"W": [[1e300], [1e300]]}, "output": {"W": [[1e300]]}})
    turned = model.turn(*names, X=[[1.0, 2.0]], y=[1.0], points=3)
    with pytest.raises(InputError, match=r"finite at none of the values of W\[output,1,1\]"):
        plots.knobs(turned)


def test_a_curve_without_slope_has_no_lowest_place_and_the_weight_isnt_taken_for_the_loss():
    model, X, y = made(3)
    model.set_parameters({"output": {"W": [[0.0], [0.0], [0.0]]}})
    turned = model.turn("W[hidden,1,1]", X=X, y=y)
    picture = plots.knobs(turned)
    assert "it is the same everywhere" in picture.caption
    assert "lowest" not in picture.caption
    assert f"now: {turned.at[0]:.4g}, loss {turned.loss_now:.4g}" in texts(picture)
