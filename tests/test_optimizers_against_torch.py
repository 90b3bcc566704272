"""Fifty steps of every optimizer against PyTorch's in float64, within 1e-9; and clipping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import problems
import pytest
from pairwise import pairwise
from registered import ENGINES, nothing_missing

from chainrule import (
    SGD,
    Activation,
    AdaGrad,
    Adam,
    AdamW,
    Dense,
    Input,
    Model,
    Network,
    RMSProp,
    Scale,
    TrainingError,
)  # fmt: skip
from chainrule.data import prepare_rows
from chainrule.layers import ParameterSpec, Shape
from chainrule.optimizers import OPTIMIZERS, Optimizer

torch = pytest.importorskip("torch")
oracle = pytest.importorskip("torch_oracle")

TOLERANCE = 1e-9
ROWS, BATCH, EPOCHS = 20, 4, 10  # five steps an epoch, fifty in all

# ours, PyTorch's of the same name, its options
PAIRS: list[tuple[Optimizer, str, dict[str, Any]]] = [
    (SGD(0.05), "SGD", {"lr": 0.05}),
    (SGD(0.05, momentum=0.9), "SGD", {"lr": 0.05, "momentum": 0.9}),
    (SGD(0.05, momentum=0.9, dampening=0.3), "SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
    (SGD(0.02, momentum=0.9, nesterov=True), "SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    (SGD(0.05, weight_decay=0.1), "SGD", {"lr": 0.05, "weight_decay": 0.1}),
    (
        SGD(0.02, momentum=0.8, nesterov=True, weight_decay=0.1),
        "SGD",
        {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    ),
    (AdaGrad(0.1), "Adagrad", {"lr": 0.1}),
    (AdaGrad(0.1, rate_decay=0.05), "Adagrad", {"lr": 0.1, "lr_decay": 0.05}),
    (AdaGrad(0.1, initial_accumulator=0.3), "Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.3}),
    (AdaGrad(0.1, epsilon=0.01, weight_decay=0.1), "Adagrad", {"lr": 0.1, "eps": 0.01, "weight_decay": 0.1}),
    (RMSProp(0.01), "RMSprop", {"lr": 0.01}),
    (RMSProp(0.01, rho=0.9, epsilon=1e-3), "RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-3}),
    (RMSProp(0.01, centered=True), "RMSprop", {"lr": 0.01, "centered": True}),
    (RMSProp(0.01, momentum=0.9), "RMSprop", {"lr": 0.01, "momentum": 0.9}),
    (
        RMSProp(0.01, rho=0.9, momentum=0.5, centered=True, weight_decay=0.1),
        "RMSprop",
        {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "centered": True, "weight_decay": 0.1},
    ),
    (Adam(0.02), "Adam", {"lr": 0.02}),
    (Adam(0.02, beta1=0.7, beta2=0.9, epsilon=1e-3), "Adam", {"lr": 0.02, "betas": (0.7, 0.9), "eps": 1e-3}),
    (Adam(0.02, beta2=0.5, amsgrad=True), "Adam", {"lr": 0.02, "betas": (0.9, 0.5), "amsgrad": True}),
    (Adam(0.02, weight_decay=0.1), "Adam", {"lr": 0.02, "weight_decay": 0.1}),
    (AdamW(0.02), "AdamW", {"lr": 0.02}),
    (AdamW(0.02, weight_decay=0.3, beta1=0.8, epsilon=1e-4), "AdamW",
     {"lr": 0.02, "weight_decay": 0.3, "betas": (0.8, 0.999), "eps": 1e-4}),
    (AdamW(0.02, beta2=0.5, amsgrad=True), "AdamW", {"lr": 0.02, "betas": (0.9, 0.5), "amsgrad": True}),
]  # fmt: skip


def test_every_optimizer_has_its_twin() -> None:
    """L-BFGS is SciPy's; PyTorch's has another line search."""
    nothing_missing({row[0].name for row in PAIRS} | {"lbfgs"}, OPTIMIZERS, "PAIRS of test_optimizers_against_torch.py")


class SlowDense(Dense):
    """A dense layer of one's own, whose weights learn at half the rate and decay not at all."""

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        W, b = super().parameter_specs(shapes)
        return replace(W, rate_factor=0.5, decay_factor=0.0), replace(b, rate_factor=2.0)


SCALED = [Input(3), Scale(rate_factor=0.25, decay_factor=0.0, name="s"), Dense(5, activation="tanh", name="a"),
          Scale(rate_factor=3.0, decay_factor=0.5, name="t"), Scale(name="u"), Dense(2, name="z")]  # fmt: skip
SLOW = [Input(3), Dense(5, activation="tanh", bias_rate_factor=0.1, bias_decay_factor=0.0, name="a"),
        Dense(2, rate_factor=0.5, decay_factor=2.0, bias_rate_factor=3.0, bias_decay_factor=0.5, name="z")]  # fmt: skip
OWN = [Input(3), SlowDense(5, name="a"), Activation("tanh", name="f"), Dense(2, name="z")]


NETWORKS = {"scales": SCALED, "dense": SLOW, "a layer of one's own": OWN}


@pytest.mark.parametrize(
    ("optimizer", "layers", "engine"),
    pairwise([pair for pair in PAIRS if "amsgrad" not in pair[2]], list(NETWORKS), ENGINES),
    ids=lambda value: str(value)[:40],
)
def test_factors_are_groups_of_parameters(
    optimizer: tuple[Optimizer, str, dict[str, Any]], layers: str, engine: str
) -> None:
    """PyTorch gives groups of parameters a learning rate and a weight decay of their own."""
    (ours, name, options), network = optimizer, NETWORKS[layers]
    engine = "reference" if network is OWN else engine
    model = Model(Network(network), "squared_error", ours, dtype="float64", seed=1, engine=engine)
    X, y = problems.regression(ROWS, 3, 2)
    data = prepare_rows(model.network, model.objective, X, y, None, model.dtype)
    p = oracle.leaves(model)
    decay = options.get("weight_decay", 0.01 if name == "AdamW" else 0.0)
    groups = [
        {
            "params": [p[span.key]],
            "lr": options["lr"] * span.spec.rate_factor,
            "weight_decay": decay * span.spec.decay_factor,
        }
        for span in model.network.layout.spans
    ]
    theirs = getattr(torch.optim, name)(groups, **options)
    for step in range(EPOCHS * ROWS // BATCH):
        begin = step * BATCH % ROWS
        batch = data.take(np.arange(begin, begin + BATCH))
        theirs.zero_grad()
        oracle.total_loss(model, p, oracle.forward(model, p, {}, batch.inputs, True), batch).backward()
        theirs.step()
    model.fit(X, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False)
    for key, array in problems.flat(model.parameters).items():
        np.testing.assert_allclose(array, p[key].detach().numpy(), rtol=0, atol=TOLERANCE, err_msg=key)


def test_factors_that_lbfgs_cant_honour_are_refused(engine: str) -> None:
    model = Model(Network(SCALED), "squared_error", "lbfgs", engine=engine)
    with pytest.raises(TrainingError, match="L-BFGS has no learning rate that a rate_factor could multiply"):
        model.fit(*problems.regression(ROWS, 3, 2))


def network() -> Network:
    return Network.mlp(3, [5, 4], 2, activation="tanh")


@pytest.mark.parametrize(("ours", "name", "options"), PAIRS, ids=[f"{row[1]}-{i}" for i, row in enumerate(PAIRS)])
def test_fifty_steps(ours: Optimizer, name: str, options: dict[str, Any], engine: str) -> None:
    model = Model(network(), "squared_error", ours, dtype="float64", seed=1, engine=engine)
    X, y = problems.regression(ROWS, 3, 2)
    data = prepare_rows(model.network, model.objective, X, y, None, model.dtype)
    p = oracle.leaves(model)
    theirs = getattr(torch.optim, name)(p.values(), **options)
    for step in range(EPOCHS * ROWS // BATCH):
        begin = step * BATCH % ROWS
        batch = data.take(np.arange(begin, begin + BATCH))
        theirs.zero_grad()
        oracle.total_loss(model, p, oracle.forward(model, p, {}, batch.inputs, True), batch).backward()
        theirs.step()
    model.fit(X, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False)
    assert model.training.step == 50
    moved = 0.0
    for key, array in problems.flat(model.parameters).items():
        np.testing.assert_allclose(array, p[key].detach().numpy(), rtol=0, atol=TOLERANCE, err_msg=key)
        moved = max(moved, float(np.abs(array).max()))
    assert moved > 0.1


@pytest.mark.parametrize("clip_norm", [0.01, 0.5, 1e6])
def test_clipping_by_the_global_norm(clip_norm: float, engine: str) -> None:
    """One SGD step of rate 1 is the clipped gradient itself.

    PyTorch divides by `norm + 1e-6`, we by `norm`: so its clipped gradient is shorter,
    by `clip_norm * 1e-6 / norm` at most.
    """
    model = Model(network(), "squared_error", SGD(1.0), dtype="float64", seed=1, engine=engine)
    X, y = problems.regression(ROWS, 3, 2)
    before = problems.flat(model.parameters)
    data = prepare_rows(model.network, model.objective, X, y, None, model.dtype)
    p = oracle.leaves(model)
    oracle.total_loss(model, p, oracle.forward(model, p, {}, data.inputs, True), data).backward()
    norm = float(torch.nn.utils.clip_grad_norm_(p.values(), clip_norm))
    model.fit(X, y, epochs=1, batch_size="full", clip_norm=clip_norm)
    after = problems.flat(model.parameters)
    bound = clip_norm * 1e-6 / norm + 1e-12 if norm > clip_norm else 1e-12
    ours = {key: before[key] - after[key] for key in before}
    for key in before:
        np.testing.assert_allclose(ours[key], p[key].grad.numpy(), rtol=0, atol=bound)
    length = np.sqrt(sum((g**2).sum() for g in ours.values()))
    assert length == pytest.approx(min(norm, clip_norm), rel=1e-10)
