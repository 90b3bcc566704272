"""Analytic gradients against central differences: every layer x activation x loss, and generated networks."""

from __future__ import annotations

import numpy as np
import problems
import pytest
import registered
from finite_differences import check_gradients
from generated import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from pairwise import pairwise
from strategies import general_problems

from chainrule import Activation, Dense, Dropout, Flatten, Input, Model, Network
from chainrule.activations import ActivationFunction
from chainrule.losses import Loss
from chainrule.objective import Objective


@pytest.mark.parametrize(
    ("layer", "activation", "loss"),
    pairwise(registered.LAYER_NAMES, registered.ACTIVATIONS, registered.LOSSES),
    ids=registered.label,
)
def test_every_layer_activation_and_loss(
    layer: str, activation: ActivationFunction, loss: Loss, engine: str, rng: np.random.Generator
) -> None:
    """Each pair of the three on each engine; three that only together go wrong are left to the generated networks."""
    output = registered.usual_output(loss)
    network = problems.network_with(layer, activation, output)

    def make() -> Model:
        return Model(network, loss, seed=3, dtype="float64", engine=engine)

    model, data = problems.smooth_problem(make, loss, rng)
    check_gradients(model, data, training=True)


@pytest.mark.parametrize(("loss", "output", "fuse", "engine"), registered.heads(), ids=registered.label)
def test_every_output_activation_and_loss(
    loss: Loss, output: ActivationFunction, fuse: bool, engine: str, rng: np.random.Generator
) -> None:
    network = Network.mlp(3, [3], 2, activation="tanh", output=output)

    def make() -> Model:
        return Model(network, Objective(loss, fuse=fuse), dtype="float64", engine=engine)

    model, data = problems.smooth_problem(make, loss, rng)
    assert model.objective.heads[0].fused == (fuse and loss.fuses_with == output.name)
    check_gradients(model, data, training=False)


@pytest.mark.parametrize("activation", registered.ACTIVATIONS, ids=registered.label)
def test_a_loss_of_ones_own(activation: ActivationFunction, rng: np.random.Generator) -> None:
    network = problems.network_with("Dense", activation, "linear")
    model, data = problems.smooth_problem(
        lambda: Model(network, problems.QUARTIC, dtype="float64", engine="reference"), problems.QUARTIC, rng
    )
    check_gradients(model, data, training=True)


@pytest.mark.parametrize(
    ("first", "second", "between"),
    pairwise(
        ["sigmoid", "tanh", "softmax", "exponential", "relu", "gelu"],
        ["tanh", "sigmoid", "softmax", "gelu", "exponential"],
        [(), (Flatten,), (Dropout,)],
    ),
    ids=lambda value: value if isinstance(value, str) else "-".join(layer.__name__ for layer in value),
)
def test_activations_in_a_row(first: str, second: str, between: tuple, engine: str, rng: np.random.Generator) -> None:
    """Each backward pass needs its own z or h: an engine that computes in place must not overwrite the other's."""
    layers = [layer() for layer in between]
    network = Network([Input(3), Dense(3, activation=first), *layers, Activation(second), Dense(2)])
    loss = registered.LOSSES[0]
    for training in (True, False):
        model, data = problems.smooth_problem(
            lambda: Model(network, loss, dtype="float64", engine=engine), loss, rng, training=training
        )
        check_gradients(model, data, training=training)


@pytest.mark.parametrize("training", [True, False], ids=["training", "prediction"])
def test_batch_norm_uses_the_batch_or_the_running_statistics(
    training: bool, engine: str, rng: np.random.Generator
) -> None:
    loss = registered.LOSSES[0]
    network = problems.network_with("BatchNorm", registered.ACTIVATIONS[2], "linear")
    model, data = problems.smooth_problem(
        lambda: Model(network, loss, dtype="float64", engine=engine), loss, rng, training=training
    )
    check_gradients(model, data, training=training)


@examples(150)
@given(data=st.data(), training=st.booleans())
def test_generated_networks(data: st.DataObject, training: bool, engine: str) -> None:
    problem = data.draw(general_problems(engine))
    assume(problems.is_smooth(problem.model, problem.data, training=training))
    check_gradients(problem.model, problem.data, training=training)


@pytest.mark.parametrize("penalize_bias", [False, True])
@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
def test_penalties_enter_once_and_by_their_formula(l1: float, l2: float, penalize_bias: bool, engine: str) -> None:
    """`2 l2 W + l1 sign(W)` on top of the gradient without, and `l2 sum W^2 + l1 sum |W|` on top of the loss."""
    network = Network([Input(2), Dense(2, penalize_bias=penalize_bias, name="d")])
    X, y = np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 2.0]]), np.zeros((3, 2))
    values = {"d": {"W": [[0.5, -0.25], [0.0, 2.0]], "b": [1.0, -3.0]}}
    results = []
    for charge in ({}, {"l1": l1, "l2": l2}):
        model = Model(network, "squared_error", dtype="float64", engine=engine, **charge)
        model.set_parameters(values)
        results.append(model.loss_and_gradients(X, y))
    (bare, gradients), (charged, charged_gradients) = results
    w, b = np.array(values["d"]["W"]), np.array(values["d"]["b"]) * penalize_bias
    penalty = l2 * ((w**2).sum() + (b**2).sum()) + l1 * (np.abs(w).sum() + np.abs(b).sum())
    assert charged - bare == pytest.approx(penalty, rel=1e-13)
    for name, array in (("W", w), ("b", b)):
        added = charged_gradients["d"][name] - gradients["d"][name]
        np.testing.assert_allclose(added, 2 * l2 * array + l1 * np.sign(array), rtol=0, atol=1e-13)
