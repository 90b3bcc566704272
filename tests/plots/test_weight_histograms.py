"""Histograms: they count every weight, and the gradients are those of the model."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn

from chainrule import InputError, MLPRegressor, Model, Network, TableModel, plots

pytest.importorskip("matplotlib")


def made(hidden, engine="auto", **options) -> tuple[Model, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    return Model(Network.mlp(3, hidden, 1, **options), "squared_error", engine=engine), X, X[:, 0]


def test_every_weight_and_gradient_is_counted(engine):
    model, X, y = made([20, 10], engine)
    picture = plots.histograms(model, X, y)
    gradients = model.loss_and_gradients(X, y)[1]
    found = drawn(picture)
    for layer, arrays in model.parameters.items():
        weights = np.concatenate([array.ravel() for array in arrays.values()])
        counted = picture.values[layer]["weights"]
        assert sum(counted["counts"]) == counted["count"] == weights.size
        assert counted["edges"][0] == pytest.approx(weights.min())
        assert counted["edges"][-1] == pytest.approx(weights.max())
        assert (counted["mean"], counted["sd"]) == pytest.approx((weights.mean(), weights.std()))
        sizes = np.abs(np.concatenate([array.ravel() for array in gradients[layer].values()]))
        counted = picture.values[layer]["gradients"]
        assert counted["zeros"] == (sizes == 0).sum()
        assert sum(counted["counts"]) + counted["zeros"] == counted["count"] == sizes.size
        assert counted["mean size"] == pytest.approx(sizes.mean(), rel=1e-5)
        np.testing.assert_array_equal(
            found[f"weights-{layer}"].get_data().values, picture.values[layer]["weights"]["counts"]
        )


def test_relu_that_never_fires_is_told_of():
    model, X, y = made([5])
    model.set_parameters({"hidden": {"b": [-100.0] * 5}})
    found = plots.histograms(model, X, y).values["hidden"]["gradients"]
    assert found["zeros"] == found["count"] == 20
    plots.histograms(model, X, y).to_png()


def test_deep_networks_show_the_first_and_last_layers():
    model, X, y = made([4] * 20)
    picture = plots.histograms(model, X, y)
    assert list(picture.values) == [f"hidden_{i}" for i in (1, 2, 3, 4, 18, 19, 20)] + ["output"]
    assert "The 13 layers in the middle are left out" in picture.caption


def test_models_of_every_kind():
    table = TableModel.train("iris", target="target", hidden=(4,), epochs=1, members=1, progress=False)
    assert "output" in plots.histograms(table).values
    X, y = np.eye(3), np.array([1.0, 2.0, 3.0])
    regressor = MLPRegressor(hidden_layer_sizes=(4,), max_iter=500, solver="lbfgs").fit(X, y)
    assert plots.histograms(regressor, X, y).values["output"]["gradients"]["count"] == 5
    with pytest.raises(InputError, match="give its network"):
        plots.histograms(table, X, y)
    with pytest.raises(InputError, match="both, X and y"):
        plots.histograms(regressor, X)


def test_ticks_of_sizes_are_powers_of_ten_each_once():
    model, X, y = made([])
    model.set_parameters({"output": {"W": [[0.0], [0.0], [0.0]], "b": [0.0]}})
    for targets in (y, np.full(30, 0.3), 1e-7 * y):
        figure = plots.histograms(model, X, targets).figure()
        figure.draw_without_rendering()
        axis = figure.axes[-1].xaxis
        low, high = axis.get_view_interval()
        ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        said = [tick.label1.get_text() for tick in ticks]
        assert len(said) == len(set(said)) > 0
        assert [float(text) for text in said] == pytest.approx([10 ** tick.get_loc() for tick in ticks])


def test_weights_that_are_all_the_same_are_one_bar_around_their_number():
    model, _, _ = made([4])
    model.set_parameters({"hidden": {"W": np.full((3, 4), 0.25), "b": np.full(4, 0.25)}})
    found = plots.histograms(model).values["hidden"]["weights"]
    counts, edges = np.array(found["counts"]), np.array(found["edges"])
    bar = int(counts.argmax())
    assert counts[bar] == counts.sum() == 16
    assert edges[bar : bar + 2].mean() == pytest.approx(0.25)
    assert edges[bar + 1] - edges[bar] < 0.05


def test_weights_too_large_to_square():
    model = Model(Network.mlp(3, [], 1), "squared_error", dtype="float64")
    model.set_parameters({"output": {"W": [[1e300], [-1e300], [0.0]]}})
    assert sum(plots.histograms(model).values["output"]["weights"]["counts"]) == 4
