"""Notes 000 and 001: cross-entropies, the matrix example, why softmax, surfaces of sigmoid units, log-odds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from worked_values import assert_printed, work

from chainrule import Model, Network
from chainrule.activations import ReLU, Softmax, sigmoid


def test_binary_cross_entropy() -> None:
    """Written: y^ 0.7152 and L 1.2560, the rounding of a2 = 0.921 carried on."""
    network = Network.mlp(4, [4], 1, activation="sigmoid", output="sigmoid")
    model = Model(network, "binary_cross_entropy", dtype="float64")
    w1 = np.array([[0.9, 0.2, 0.4, 0.3], [-0.5, 0.4, 0.3, 0.3], [0.1, 0.1, -0.1, 0.2], [-0.2, 0.5, 0.5, 0.7]])
    model.set_parameters(
        {
            "hidden": {"W": w1.T, "b": [0.5] * 4},
            "output": {"W": [[0.5], [0.8], [-0.6], [0.3]], "b": [0.3]},
        }
    )
    numbers = work(model, [-0.6, -0.6, 0.2, 0.3], 0.0)
    assert_printed(numbers.z["hidden"], "0.01, 0.71, 0.42, 0.63")
    assert_printed(numbers.h["hidden"], "0.50, 0.67, 0.60, 0.65")
    assert_printed(numbers.z["output"], "0.921")
    assert_printed(numbers.h["output"], "0.715292")
    assert_printed(numbers.loss, "1.256292")
    assert_printed(math.floor(1e4 * float(sigmoid(np.array(0.921)))) / 1e4, "0.7152")
    assert_printed(-math.log(1 - 0.7152), "1.2560")


def test_cross_entropy_of_three_classes() -> None:
    """Written: a2 = 0.32, 0.29, 0.85. The last is a slip; y^ and L follow from it."""
    network = Network.mlp(4, [4], 3, activation="sigmoid", output="softmax", bias=False)
    model = Model(network, "cross_entropy", dtype="float64")
    w1 = np.array([[0.1, 0.3, 0.8, -0.4], [-0.3, -0.2, 0.5, 0.5], [-0.3, 0.1, 0.5, 0.4], [0.2, 0.5, -0.9, 0.7]])
    w2 = np.array([[0.3, 0.8, -0.2, -0.4], [0.5, -0.2, -0.3, 0.5], [0.2, 0.1, 0.6, 0.6]])
    model.set_parameters({"hidden": {"W": w1.T}, "output": {"W": w2.T}})
    x = [0.6, 0.4, 0.6, 0.1]
    numbers = work(model, x, [0.0, 0.0, 1.0])
    assert_printed(numbers.z["hidden"], "0.62, 0.09, 0.20, -0.15")
    assert_printed(numbers.h["hidden"], "0.65, 0.52, 0.55, 0.46")
    assert_printed(numbers.z["output"], "0.318059, 0.286947, 0.789735")
    assert_printed(numbers.h["output"], "0.279952, 0.271376, 0.448672")
    assert_printed(numbers.loss, "0.801462")
    assert_printed(numbers.z["output"][:2], "0.32, 0.29")
    assert abs(numbers.z["output"][2] - 0.85) > 0.06, "the slip"
    assert_printed(-math.log(0.4648), "0.7661")
    assert model.evaluate([x], [2])["loss"] == pytest.approx(numbers.loss, rel=1e-14)


def test_matrix_example(engine: str) -> None:
    model = Model(
        Network.mlp(2, [2], 1, activation="linear", bias=False), "squared_error", dtype="float64", engine=engine
    )
    model.set_parameters({"hidden": {"W": [[0.11, 0.12], [0.21, 0.08]]}, "output": {"W": [[0.14], [0.15]]}})
    assert_printed(work(model, [2, 3], 1.0).z["hidden"], "0.85, 0.48")
    assert_printed(model.predict([[2, 3]]), "0.191")


@pytest.mark.parametrize(
    ("a", "shares"), [([3, 4, 10, 3], [0.15, 0.20, 0.50, 0.15]), ([7, -2, 4, 1], [0.70, -0.20, 0.40, 0.10])]
)
def test_why_softmax_and_not_plain_normalization(a: list[float], shares: list[float]) -> None:
    """Dividing by the sum gives a negative 'probability' for (7, -2, 4, 1); softmax never does, and keeps the order."""
    a = np.array(a, dtype=float)
    np.testing.assert_allclose(a / a.sum(), shares, rtol=1e-14)
    h = Softmax().value(a[None])[0]
    assert (h > 0).all()
    assert h.sum() == pytest.approx(1, abs=1e-15)
    np.testing.assert_array_equal(np.argsort(h, kind="stable"), np.argsort(a, kind="stable"))
    np.testing.assert_allclose(h, np.exp(a) / np.exp(a).sum(), rtol=1e-14)


@pytest.mark.parametrize("weights", [(-2, 1, -1.5, 1.5, 1, -1), (2, -1, 2, -2, 1, -1)], ids=str)
def test_sigmoid_units_as_surfaces(weights: tuple[float, ...], engine: str) -> None:
    """h1, h2 and y^ over the plane, as the notes write them out, units by units."""
    w11, w12, w13, w14, w21, w22 = weights
    network = Network.mlp(2, [2], 1, activation="sigmoid", output="sigmoid")
    model = Model(network, "binary_cross_entropy", dtype="float64", engine=engine)
    model.set_parameters(
        {"hidden": {"W": [[w11, w13], [w12, w14]], "b": [0, 0]}, "output": {"W": [[w21], [w22]], "b": [0]}}
    )
    x1, x2 = (axis.ravel() for axis in np.meshgrid(np.linspace(-4, 4, 17), np.linspace(-4, 4, 17)))

    def s(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    h1, h2 = s(w11 * x1 + w12 * x2), s(w13 * x1 + w14 * x2)
    y = model.predict(np.stack([x1, x2], axis=1))[:, 0]
    np.testing.assert_allclose(y, s(w21 * h1 + w22 * h2), rtol=1e-14)
    at_zero = work(model, [0, 0], 0.0)
    assert at_zero.h["hidden"].tolist() == [0.5, 0.5]
    assert at_zero.h["output"].tolist() == [0.5], "1 x 0.5 - 1 x 0.5 = 0"
    on_edge = work(model, [-w12, w11], 0.0)
    assert on_edge.h["hidden"][0] == pytest.approx(0.5, abs=1e-15), "the unit's edge is the line w11 x1 + w12 x2 = 0"
    assert y.min() >= s(np.array(-1.0)), "h2 - h1 lies between -1 and 1"
    assert y.max() <= s(np.array(1.0))


def test_sigmoid_beside_relu() -> None:
    """Written: Sigmoid(5) = 0.01, Sigmoid(5000) = 0.2: slips. ReLU agrees."""
    five, many = sigmoid(np.array([5.0, 5000.0]))
    assert_printed(five, "0.993307")
    assert many == 1.0
    assert ReLU().value(np.array([5.0, -5.0])).tolist() == [5.0, 0.0]


def test_log_odds() -> None:
    """y = e^x / (e^x + 1) and log(y / (1 - y)) = x; at both ends by 1 - y = sigmoid(-x), which loses no digits."""
    x = np.array([-700.0, -30.0, -1.0, 0.0, 2.0, 30.0, 700.0])
    y = sigmoid(x)
    np.testing.assert_allclose(y[:6], np.exp(x[:6]) / (np.exp(x[:6]) + 1), rtol=1e-15)
    np.testing.assert_allclose(np.log(y) - np.log(sigmoid(-x)), x, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(("weights", "prediction", "error"), [((1, 1, 1), 60, 40), ((2, 1, 2), 100, 0)])
def test_ten_twenty_thirty(weights: tuple[float, ...], prediction: float, error: float, engine: str) -> None:
    for output in ("linear", "relu"):
        model = Model(Network.mlp(3, [], 1, output=output), "absolute_error", dtype="float64", engine=engine)
        model.set_parameters({"output": {"W": np.array(weights)[:, None], "b": [0]}})
        assert model.predict([[10, 20, 30]]).item() == prediction
        assert model.evaluate([[10, 20, 30]], [100])["loss"] == error


def test_mean_squared_loss_has_the_square_inside_the_sum(engine: str) -> None:
    """(1/5) sum (f(x_i) - y_i)^2, and its derivative term by term; the line with the square outside is a slip."""
    x, y = np.array([[0.1], [0.5], [-1.0], [2.0], [0.7]]), np.array([0.2, 0.9, 0.4, 0.1, 0.8])
    model = Model(Network.mlp(1, [], 1, output="sigmoid"), "squared_error", dtype="float64", engine=engine)
    model.set_parameters({"output": {"W": [[0.6]], "b": [-0.2]}})
    f = 1 / (1 + np.exp(-(0.6 * x[:, 0] - 0.2)))
    loss, gradients = model.loss_and_gradients(x, y)
    assert loss == pytest.approx(((f - y) ** 2).sum() / 5, rel=1e-14)
    assert abs(loss - ((f - y).sum() / 5) ** 2) > 0.1
    terms = 2 * (f - y) * f * (1 - f) * x[:, 0]
    assert gradients["output"]["W"].item() == pytest.approx(terms.sum() / 5, rel=1e-14)


def test_gradient_of_one_sigmoid_unit(engine: str) -> None:
    """With the half: (f(x) - y) f(x) (1 - f(x)) x."""
    model = Model(Network.mlp(1, [], 1, output="sigmoid"), "half_squared_error", dtype="float64", engine=engine)
    model.set_parameters({"output": {"W": [[1.5]], "b": [0.25]}})
    x, y = 0.8, 0.3
    f = 1 / (1 + math.exp(-(1.5 * x + 0.25)))
    _, gradients = model.loss_and_gradients([[x]], [y])
    assert gradients["output"]["W"].item() == pytest.approx((f - y) * f * (1 - f) * x, rel=1e-14)
