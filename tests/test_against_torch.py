"""Outputs, losses and gradients against PyTorch in float64: within 1e-10, absolute up to 1 and relative above."""

from __future__ import annotations

import numpy as np
import problems
import pytest
import registered
from generated import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from pairwise import pairwise
from strategies import general_problems

from chainrule import BatchNorm, Dense, Input, Model, Network
from chainrule.activations import ActivationFunction
from chainrule.data import prepare_rows
from chainrule.engines.contract import Rows
from chainrule.losses import Loss, get_loss
from chainrule.objective import Objective

torch = pytest.importorskip("torch")
oracle = pytest.importorskip("torch_oracle")

TOLERANCE = 1e-10


def assert_agrees(model: Model, data: Rows, *, training: bool) -> None:
    answer = oracle.ask(model, data, training=training)
    state = model.training
    ours = model._engine.gradients(
        state.parameters, state.state, data, training=training, seed=model.seed, step=state.step
    )
    np.testing.assert_allclose(ours.loss[0], answer.loss, rtol=TOLERANCE, atol=TOLERANCE)
    gradients = problems.flat(model.network.layout.named(ours.vector[0]))
    assert gradients.keys() == answer.gradients.keys()
    for key, gradient in gradients.items():
        np.testing.assert_allclose(gradient, answer.gradients[key], rtol=TOLERANCE, atol=TOLERANCE, err_msg=key)
    for key, array in problems.flat(model.network.state_layout.named(ours.state[0])).items():
        np.testing.assert_allclose(array, answer.state[key], rtol=TOLERANCE, atol=TOLERANCE, err_msg=key)
    if not training:
        outputs = model._engine.predict(state.parameters, state.state, data.inputs)
        for head, output in zip(model.network.heads, outputs, strict=True):
            np.testing.assert_allclose(output[0], answer.outputs[head.name], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("activation", "loss", "engine"),
    pairwise(registered.ACTIVATIONS, registered.LOSSES, registered.ENGINES),
    ids=registered.label,
)
def test_every_activation_and_loss(
    activation: ActivationFunction, loss: Loss, engine: str, rng: np.random.Generator
) -> None:
    """Each pair on one engine or the other: that the two are one is for the gradient checks to say."""
    output = registered.usual_output(loss)
    hidden = [4] if activation.name == "exponential" else [4, 3]  # three in a row explode
    network = Network.mlp(3, hidden, 2, activation=activation, output=output)

    def make() -> Model:
        return Model(network, loss, dtype="float64", engine=engine)

    model, data = problems.smooth_problem(make, loss, rng, rows=5, training=False)
    assert_agrees(model, data, training=False)


@pytest.mark.parametrize(("loss", "output", "fuse", "engine"), registered.heads(), ids=registered.label)
def test_every_output_activation(
    loss: Loss, output: ActivationFunction, fuse: bool, engine: str, rng: np.random.Generator
) -> None:
    network = Network.mlp(3, [4], 3, activation="tanh", output=output)
    model = Model(network, Objective(loss, fuse=fuse), dtype="float64", seed=int(rng.integers(1000)), engine=engine)
    labels = loss.name == "cross_entropy"
    y = problems.targets_for(loss, 5, 3, rng, labels=labels)
    data = prepare_rows(network, model.objective, rng.normal(size=(5, 3)), y, None, model.dtype)
    assert_agrees(model, data, training=True)


@examples(150)
@given(data=st.data(), training=st.booleans())
def test_generated_networks(data: st.DataObject, training: bool, engine: str) -> None:
    """Branches, heads, weights, penalties, batch normalization, dropout: all as generated for the gradient checks.

    Kinks don't matter here (both take the derivative from the left); poles do: near them every engine loses digits.
    """
    problem = data.draw(general_problems(engine))
    assume("convention" not in problem.options)  # PyTorch has no such thing
    assume(problems.is_smooth(problem.model, problem.data, training=training))
    assert_agrees(problem.model, problem.data, training=training)


@pytest.mark.parametrize("f", registered.ACTIVATIONS, ids=registered.label)
def test_activations_at_extremes_and_at_their_kink(f: ActivationFunction) -> None:
    z = np.array([[-1000.0, -30.0, -1.0, 0.0, 1.0, 30.0, 700.0 if f.name == "exponential" else 1000.0]])
    tensor = torch.tensor(z, requires_grad=True)
    theirs = oracle.activation(f, tensor)
    cotangent = np.linspace(1, 2, z.size)[None]
    theirs.backward(torch.from_numpy(cotangent))
    h = f.value(z)
    np.testing.assert_allclose(h, theirs.detach().numpy(), rtol=1e-13, atol=1e-13)
    ours = f.backward(z if f.needs == "z" else h, cotangent)
    np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("loss", "logits", "target"),
    [
        ("binary_cross_entropy", [[1000.0], [-1000.0], [1000.0], [-30.0]], [[0.0], [0.0], [1.0], [0.3]]),
        ("cross_entropy", [[1000.0, -1000.0], [-1000.0, 1000.0], [0.0, 30.0]], [1, 1, 0]),
        ("poisson", [[-1000.0], [5.0], [0.0]], [[3.0], [0.0], [1.0]]),
    ],
)
def test_losses_at_extreme_logits(loss: str, logits: list, target: list, engine: str) -> None:
    """One unit of weight 1: the logits are the data."""
    k = len(logits[0])
    network = Network(
        [
            Input(k),
            Dense(k, activation=registered.usual_output(get_loss(loss)), initializer="zeros", bias=False, name="d"),
        ]
    )
    model = Model(network, loss, dtype="float64", engine=engine)
    model.set_parameters({"d": {"W": np.eye(k)}})
    data = prepare_rows(network, model.objective, logits, target, None, model.dtype)
    answer = oracle.ask(model, data, training=True)
    value, gradients = model.loss_and_gradients(logits, target)
    assert value == pytest.approx(answer.loss, rel=1e-14)
    np.testing.assert_allclose(gradients["d"]["W"], answer.gradients["d/W"], rtol=1e-12, atol=1e-12)


def test_running_statistics_over_an_epoch(engine: str, rng: np.random.Generator) -> None:
    """Ten batches, weights trained along: the running mean and variance are PyTorch's after each of them."""
    network = Network(
        [Input(3), BatchNorm(momentum=0.3, name="n"), Dense(2, activation="tanh"), BatchNorm(name="m"), Dense(1)]
    )
    model = Model(network, "squared_error", "sgd", dtype="float64", engine=engine)
    X, y = 2 + rng.normal(size=(40, 3)), rng.normal(size=(40, 1))
    p, s = oracle.leaves(model), oracle.running(model)
    steps = torch.optim.SGD(p.values(), lr=0.01)
    for begin in range(0, 40, 4):
        batch = prepare_rows(network, model.objective, X[begin : begin + 4], y[begin : begin + 4], None, model.dtype)
        steps.zero_grad()
        oracle.total_loss(model, p, oracle.forward(model, p, s, batch.inputs, True), batch).backward()
        steps.step()
    model.fit(X, y, epochs=1, batch_size=4, shuffle=False)
    for ours, theirs in ((model.state, s), (model.parameters, p)):
        for key, array in problems.flat(ours).items():
            np.testing.assert_allclose(array, theirs[key].detach().numpy(), rtol=0, atol=TOLERANCE, err_msg=key)
    np.testing.assert_allclose(
        model.predict(X), oracle.forward(model, p, s, (X,), False)[-1].detach().numpy(), rtol=0, atol=TOLERANCE
    )
