"""Dense: an affine map, its gradients, its sugar, its fields."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from finite_differences import check_layer

from chainrule import SGD, Activation, AdamW, Dense, Input, InputError, Model, Network, NetworkError
from chainrule.activations import ReLU, Tanh
from chainrule.initializers import Constant, HeNormal
from chainrule.layers import Context


def test_forward_is_x_w_plus_b() -> None:
    """The matrix example of the notes: (2, 3) . [[.11, .12], [.21, .08]] = (.85, .48), and that . (.14, .15) = .191."""
    first, second = Dense(2, bias=False), Dense(1)
    z, _, _ = first.forward({"W": np.array([[0.11, 0.12], [0.21, 0.08]])}, {}, (np.array([[2.0, 3.0]]),), Context())
    np.testing.assert_allclose(z, [[0.85, 0.48]], rtol=1e-15)
    o, _, _ = second.forward({"W": np.array([[0.14], [0.15]]), "b": np.array([0.5])}, {}, (z,), Context())
    np.testing.assert_allclose(o, [[0.191 + 0.5]], rtol=1e-15)


@pytest.mark.parametrize("bias", [True, False])
def test_backward(bias: bool, rng: np.random.Generator) -> None:
    check_layer(Dense(3, bias=bias), ((4,),), rng, Context())


def test_nobody_computes_a_gradient_that_nobody_wants() -> None:
    parameters, memo = {"W": np.ones((2, 2)), "b": np.ones(2)}, {"x": np.ones((1, 2))}
    (d_x,), gradients = Dense(2).backward(parameters, memo, np.ones((1, 2)), wanted=False)
    assert d_x is None
    assert set(gradients) == {"W", "b"}


def test_an_activation_is_sugar_for_a_layer_after_it() -> None:
    sugar = Network([Input(2), Dense(3, activation="tanh", name="d")])
    kinds = [type(step.layer) for step in sugar.steps]
    assert kinds == [Dense, Activation]
    assert [step.name for step in sugar.steps] == ["d", "d"]
    assert sugar.steps[0].layer.activation is None
    assert sugar.steps[1].layer.f == Tanh()
    assert len(Network([Input(2), Dense(3)]).steps) == 1


def test_specs() -> None:
    layer = Dense(3, l1=0.1, l2=0.2, penalize_bias=True, trainable=False, initializer="he_normal")
    weights, bias = layer.parameter_specs(((4,),))
    assert (weights.name, weights.shape, weights.kind, weights.penalized) == ("W", (4, 3), "weight", True)
    assert (bias.name, bias.shape, bias.kind, bias.penalized) == ("b", (3,), "bias", True)
    assert (weights.l1, weights.l2, weights.trainable, bias.trainable) == (0.1, 0.2, False, False)
    assert weights.initializer == HeNormal()
    assert bias.initializer == Constant(0.0)
    assert not Dense(3).parameter_specs(((4,),))[1].penalized
    assert [spec.name for spec in Dense(3, bias=False).parameter_specs(((4,),))] == ["W"]


def test_weights_and_biases_learn_at_rates_of_their_own(engine: str) -> None:
    """L = (w x + b - y)^2 with x = 2, y = -1: dL/dw = 4, dL/db = 2; w = 0 and b = 0 have nothing to decay."""
    layer = Dense(1, initializer="zeros", rate_factor=0.5, bias_rate_factor=0.1, name="d")
    model = Model(Network([Input(1), layer]), "squared_error", SGD(0.5), dtype="float64", engine=engine)
    model.fit([[2.0]], [-1.0], epochs=1, progress=False)
    np.testing.assert_allclose(model.parameters["d"]["W"], [[-0.5 * 0.5 * 4]], rtol=1e-15)
    np.testing.assert_allclose(model.parameters["d"]["b"], [-0.5 * 0.1 * 2], rtol=1e-15)


@pytest.mark.parametrize("decay", [1.0, 0.0])
def test_a_bias_decays_by_its_own_factor(decay: float, engine: str) -> None:
    """A gradient of zero leaves only the decay, which a rate of its own multiplies too."""
    layer = Dense(1, decay_factor=0.25, bias_decay_factor=decay, bias_rate_factor=0.5, name="d")
    optimizer = AdamW(0.1, weight_decay=0.4)
    model = Model(Network([Input(1), layer]), "squared_error", optimizer, dtype="float64", engine=engine)
    model.set_parameters({"d": {"W": [[3.0]], "b": [2.0]}})
    model.fit([[0.0]], [2.0], epochs=1, progress=False)
    np.testing.assert_allclose(model.parameters["d"]["W"], [[3 * (1 - 0.1 * 0.4 * 0.25)]], rtol=1e-15)
    np.testing.assert_allclose(model.parameters["d"]["b"], [2 * (1 - 0.05 * 0.4 * decay)], rtol=1e-15)


def test_an_explanation_shows_the_rate_of_each() -> None:
    layer = Dense(1, bias_rate_factor=0.1, name="d")
    model = Model(Network([Input(1), layer]), "half_squared_error", SGD(0.5), dtype="float64")
    model.set_parameters({"d": {"W": [[2.0]], "b": [1.0]}})
    work = model.explain([3.0], 5.0)
    assert str(work["W+[d,1,1]"]).startswith("W+[d,1,1] = W[d,1,1] - 0.5*dL/dW[d,1,1] = ")
    assert str(work["b+[d,1]"]).startswith("b+[d,1] = b[d,1] - 0.05*dL/db[d,1] = ")


@pytest.mark.parametrize(
    "layer",
    [
        Dense(2, name="d"),
        Dense(2, activation="leaky_relu", bias=False, name="d"),
        Dense(2, activation=ReLU(), initializer="orthogonal", bias_initializer=Constant(0.1), l1=0.0, l2=0.1, name="d"),
        Dense(2, penalize_bias=True, trainable=False, name="d"),
        Dense(2, rate_factor=0.5, decay_factor=0.0, bias_rate_factor=0.1, bias_decay_factor=2.0, name="d"),
    ],
    ids=["plain", "activation", "initializers", "flags", "factors"],
)
def test_json_form(layer: Dense) -> None:
    network = Network([Input(3), layer])
    assert Network.from_json(network.to_json()) == network
    assert network.layers[1] == layer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "Dense: units is 0; it must be a whole number of at least 1"),
        ({"units": 2.5}, "Dense: units is 2.5"),
        ({"units": "2"}, "Dense: units is '2'"),
        ({"units": 2, "l1": -1}, "Dense: l1 is -1; it must be a number of at least 0"),
        ({"units": 2, "l2": float("nan")}, "Dense: l2 is nan"),
        ({"units": 2, "rate_factor": -1}, "Dense: rate_factor is -1; it must be a number of at least 0"),
        ({"units": 2, "bias_decay_factor": "no"}, "Dense: bias_decay_factor is 'no'"),
        ({"units": 2, "activation": "rellu"}, 'no activation "rellu". Did you mean "relu"'),
        ({"units": 2, "initializer": "hee"}, 'no initializer "hee". Did you mean "he"'),
        ({"units": 2, "bias_initializer": 3}, "initializer is 3"),
    ],
)
def test_fields_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Dense(**options)


def test_rows_must_be_vectors() -> None:
    with pytest.raises(
        NetworkError, match=r'Dense "d" reads rows of shape \(2, 3\); it takes vectors: put Flatten\(\) before'
    ):
        Network([Input((2, 3)), Dense(1, name="d")])
