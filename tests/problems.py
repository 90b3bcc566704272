"""Small problems: targets suited to a loss, a network around a layer, parameters away from kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from registered import AROUND, INPUTS, KINKS, loss_kinks

from chainrule import Activation, BatchNorm, Dense, Input, Model, Network, PiecewiseLinear, losses
from chainrule.activations import ActivationFunction
from chainrule.data import prepare_rows
from chainrule.engines.contract import Engine, Job, Outcome, Rows
from chainrule.engines.reference import ReferenceEngine
from chainrule.layers import Context
from chainrule.layers.base import as_value
from chainrule.losses import Loss
from chainrule.objective import Objective
from chainrule.training.state import TrainingState

QUARTIC = losses.CustomLoss(
    row_losses=lambda y, h: ((h - y) ** 4).sum(axis=1), output_gradient=lambda y, h: 4 * (h - y) ** 3, title="quartic"
)


def targets_for(loss: Loss, rows: int, outputs: int, rng: np.random.Generator, labels: bool = False) -> np.ndarray:
    """Targets inside what the loss is defined for; for cross-entropy labels, or one-hot and soft rows."""
    if loss.reads == "positive numbers":
        return rng.poisson(2.0, (rows, outputs)).astype(float)
    if loss.yes_or_no:
        return rng.choice([0.0, 1.0, 0.3], (rows, outputs))
    if loss.reads == "probabilities" and labels:
        return rng.integers(outputs, size=rows)
    if loss.reads == "probabilities":
        soft = rng.dirichlet(np.ones(outputs), rows)
        hard = np.eye(outputs)[rng.integers(outputs, size=rows)]
        return np.where(rng.random((rows, 1)) < 0.5, soft, hard)
    return rng.normal(size=(rows, outputs))


def network_with(
    layer: str, activation: ActivationFunction, output: str | ActivationFunction, outputs: int = 2
) -> Network:
    """A small network in which one layer type has parameters before and behind it, and the activation too."""
    x = INPUTS.get(layer, Input(3, name="x"))
    assert layer in AROUND, f"{layer}: a registered layer without a network around it in tests/registered.py"
    return Network(
        inputs=x, outputs=Dense(outputs, activation=output, name="head")(AROUND[layer](as_value(x), activation))
    )


def inputs_for(network: Network, rows: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Rows for every input: normal numbers, or codes that the network's layers take."""
    X = {}
    for slot in network.program.inputs:
        size = (rows, *slot.shape)
        low, high = np.array([(known.start, known.stop) for known in slot.codes or [range(100)]]).T
        X[slot.name] = rng.normal(size=size) if slot.dtype == "float" else rng.integers(low, high, size)
    return X


def make_model(network: Network, loss: Any, optimizer: Any = "adam", *, members: Any = 1, **options: Any) -> Model:
    """A model from options of its own and of its objective: what tests with a table of options take."""
    names = ("loss_weights", "reduction", "convention", "fuse")
    objective = Objective(loss, **{name: options.pop(name) for name in names if name in options})
    return Model.ensemble(network, objective, optimizer, members=members, **options)


def run_job(engine: Engine, state: TrainingState, job: Job) -> Outcome:
    """Do a job from a training state, and leave in it what came of it."""
    engine.load(state.parameters, state.state, state.slots)
    outcome = engine.run(job)
    engine.store(state.parameters, state.state, state.slots)
    return outcome


def randomize(model: Model, rng: np.random.Generator) -> None:
    """Parameters far enough from 0 that neither `|w|` nor a dead unit is at its kink: sizes from 0.2 to 1.2."""
    for span in model.network.layout.spans:
        sizes = rng.uniform(0.2, 1.2, span.shape)
        if span.spec.kind == "scale":
            drawn = sizes
        else:
            fan = span.shape[0] if span.spec.kind == "weight" else 4
            drawn = sizes * rng.choice([-1.0, 1.0], span.shape) * np.sqrt(2 / fan)
        model.training.parameters[0, span.slice] = drawn.reshape(-1)
    for span in model.network.state_layout.spans:  # running statistics that prediction and evaluation use
        start = rng.uniform(0.5, 1.5, span.shape) if span.name == "variance" else rng.normal(size=span.shape) / 4
        model.training.state[0, span.slice] = start


def is_smooth(model: Model, data: Rows, *, training: bool) -> bool:
    """Whether the objective is smooth around the parameters: nothing within 1e-3 of a kink or near a pole.

    Kinks: pre-activations of kinked activations, differences `h - y` of absolute losses, Huber's `|h - y| = delta`.
    Poles: `1 / std` of a batch that hardly varies, `1 / h` of an improbable outcome where loss and head aren't fused.
    """
    reference = ReferenceEngine(model.network, model.objective)
    network, state = model.network, model.training
    parameters, kept = network.layout.views(state.parameters[0]), network.state_layout.views(state.state[0])
    with np.errstate(all="ignore"):  # exp of exp may overflow: then the problem is no smooth one either
        forward = reference.forward(parameters, kept, data.inputs, Context(training, model.seed, state.step))
    if not all(np.isfinite(value).all() for value in forward.values):
        return False
    gaps = [np.inf]
    for step, memo in zip(network.steps, forward.memos, strict=True):
        if isinstance(step.layer, Activation):
            z = forward.values[step.inputs[0]]
            gaps += [np.abs(z - kink).min() for kink in KINKS.get(step.layer.f.name, ())]
        if isinstance(step.layer, PiecewiseLinear):
            x = forward.values[step.inputs[0]]
            gaps += [np.abs(x[:, i] - knot).min() for i, own in enumerate(step.layer.knots) for knot in own]
        if isinstance(step.layer, BatchNorm):
            gaps.append(memo["std"].min() / 100)  # a std of 0.1 and above
    for head, target in zip(model.objective.heads, data.targets, strict=True):
        value = forward.values[head.slot]
        gaps += [np.abs(value - target - kink).min() for kink in loss_kinks(head.loss)]
        if head.loss.reads != "any number" and not head.fused:
            low = np.minimum(value, 1 - value) if head.loss.yes_or_no else value
            gaps.append(low.min() / 10)  # probabilities from 0.01
    if not all((np.abs(value) < 100).all() for value in forward.values):  # exponentials of exponentials
        return False
    return min(gaps) > 1e-3


def smooth_problem(
    make: Callable[[], Model],
    loss: Loss,
    rng: np.random.Generator,
    rows: int = 4,
    outputs: int = 2,
    training: bool = True,
) -> tuple[Model, Rows]:
    """A model and rows at which its objective is smooth, drawn again until it is."""
    for _ in range(200):
        model = make()
        randomize(model, rng)
        X = inputs_for(model.network, rows, rng)
        y = targets_for(loss, rows, outputs, rng)
        data = prepare_rows(model.network, model.objective, X, y, rng.uniform(0.5, 2, rows), model.dtype)
        if is_smooth(model, data, training=training):
            return model, data
    raise AssertionError("no smooth point found in 200 draws")


def regression(rows: int = 24, inputs: int = 3, outputs: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a smooth function, for tests of training."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, inputs))
    return X, np.sin(X @ rng.normal(size=(inputs, outputs)))


def classes(rows: int = 60, inputs: int = 3, n_classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clouds with labels 0 ... n_classes - 1."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=rows)
    return rng.normal(size=(rows, inputs)) + 1.5 * rng.normal(size=(n_classes, inputs))[y], y


def people(rows: int, seed: int = 0, *, gaps: float = 0.0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """People by what is known of them, and three things to learn at once: their gender, their age and their mood.

    Each is plain to see from some columns, up to noise, so that a trivial answer is far from the best. `gaps` is the
    share of labels that are missing, drawn for each by itself: NaN for numbers, None for texts.
    """
    rng = np.random.default_rng(seed)
    female, age = rng.random(rows) < 0.5, rng.uniform(18, 80, rows)
    sleep = rng.normal(7, 1.2, rows)
    friends = rng.poisson(3, rows)
    score = 1.2 * (sleep - 7) + 0.5 * (friends - 3) - 0.01 * (age - 49) + 0.5 * rng.normal(size=rows)
    X = {
        "height": rng.normal(178 - 13 * female, 6),
        "hair": rng.normal(8 + 18 * female, 7).clip(0),
        "pulse": rng.normal(72, 4, rows) + 5 * female,
        "lens": 60 - 0.9 * age + rng.normal(0, 5, rows),
        "sleep": sleep,
        "friends": friends.astype(float),
    }
    moods = np.array(["sad", "calm", "happy"])[np.digitize(score, [-0.8, 0.8])]
    y = {"gender": np.where(female, "female", "male").astype(object), "age": age, "mood": moods.astype(object)}
    for values in y.values():
        values[rng.random(rows) < gaps] = None
    return X, y


def flat(named: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Named arrays under one key each, copied: `"hidden/W"`."""
    return {f"{layer}/{name}": array.copy() for layer, arrays in named.items() for name, array in arrays.items()}


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray], tolerance: float = 0.0) -> None:
    """The same keys, and arrays that are equal bit for bit (or within an absolute tolerance)."""
    assert first.keys() == second.keys()
    for key in first:
        np.testing.assert_allclose(first[key], second[key], rtol=0, atol=tolerance, err_msg=key)
