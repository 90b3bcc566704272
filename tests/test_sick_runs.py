"""The generated runs are as sick, or as healthy, as they say: measured with NumPy, without any diagnosis."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np
import pytest
from sick_runs import CODES, HEALTHY, SICK, Run, healthy_runs, runs, sick_runs

import chainrule as cr

SEED = int(os.environ.get("CHAINRULE_RUNS_SEED", "1"))
FUNCTIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-np.clip(z, -500, 500))),
}
# What of the constant answer's loss may be left, where the rest is noise.
ROOM = {"overlap": 0.98, "rare": 0.92, "marks": 0.92, "little to be known": 0.96, "stopped early": 0.98}


@dataclass
class Measured:
    """What became of a run."""

    losses: list[float]
    validation: list[float]
    diverged: bool
    before: dict[str, float]  # the norm of each dense layer's gradient, untrained
    after: dict[str, float]
    dead: list[float]  # by hidden layer: the share of units that no row wakes
    saturated: list[float]  # the share of activations within a hundredth of their limits
    spread: float  # the largest standard deviation of an output
    last: float  # loss at the end, of rows held out where there are such
    baseline: float  # the loss of the best constant answer


def gradients(model: cr.Model, run: Run) -> dict[str, float]:
    try:
        _, found = model.loss_and_gradients(run.X, run.y, training=True)
    except cr.TrainingError:
        return {}
    layers = {name: [g.astype(float).ravel() for g in by.values()] for name, by in found.items() if "W" in by}
    return {name: float(np.linalg.norm(np.concatenate(parts))) for name, parts in layers.items()}


def activations(model: cr.Model, X: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """The hidden layers' activations, as far as they are of these three functions."""
    h, seen = X.astype(float), []
    for layer in model.network.layers[1:-1]:
        own, kept = model.parameters.get(layer.name, {}), model.state.get(layer.name, {})
        if "W" in own:
            h = h @ own["W"] + own["b"]
        elif kept:
            h = (h - kept["mean"]) / np.sqrt(kept["variance"] + 1e-5) * own["scale"] + own["shift"]
        function = layer.f if isinstance(layer, cr.Activation) else getattr(layer, "activation", None)
        if function is not None:
            if function.name not in FUNCTIONS:
                return []
            h = FUNCTIONS[function.name](h)
            seen.append((function.name, h))
    return seen


def constant_loss(run: Run) -> float:
    y = run.y if run.validation is None else run.validation[1]
    if y.dtype.kind == "f":
        return float(np.mean((y - run.y.mean()) ** 2))
    shares = np.bincount(run.y) / len(run.y)
    return float(-np.log(shares[y]).mean())


def measured(run: Run, X: np.ndarray | None = None, **options: object) -> Measured:
    """Train, and look; with other columns or options where such are given."""
    if X is not None:
        mean, scale = run.X.mean(axis=0), run.X.std(axis=0)
        held = (run.validation[0] - mean) / scale, run.validation[1]
        run = replace(run, X=(run.X - mean) / scale, validation=held)
    model, diverged = run.model(**options), False
    before = gradients(model, run)
    try:
        model.fit(run.X, run.y, validation=run.validation, **run.fit)
    except cr.DivergenceError:
        diverged = True
    hidden = activations(model, run.X)
    history = model.history
    return Measured(
        losses=list(history["loss"]) if history else [],
        validation=list(history["validation_loss"]) if history and run.validation else [],
        diverged=diverged,
        before=before,
        after=gradients(model, run),
        dead=[float((h.max(axis=0) <= 0).mean()) for name, h in hidden if name == "relu"],
        saturated=[
            float((np.abs(h) > 0.99 if name == "tanh" else np.abs(h - 0.5) > 0.49).mean())
            for name, h in hidden
            if name != "relu"
        ],
        spread=float(model.predict(run.X).std(axis=0).max()),
        last=model.evaluate(*(run.validation or (run.X, run.y)))["loss"],
        baseline=constant_loss(run),
    )


def faster(run: Run, factor: float) -> cr.Model:
    optimizer = run.model().optimizer
    return replace(optimizer, learning_rate=optimizer.learning_rate * factor)


def check_vanishing(run: Run, m: Measured) -> None:
    first, *_, last = m.before.values()
    assert first < 1e-2 * last
    assert first < 1e-3
    assert m.last > 0.95 * m.baseline


def check_exploding(run: Run, m: Measured) -> None:
    assert max(m.before.values()) > 1e3
    assert m.diverged or m.last > 10 * m.baseline


def check_dead(run: Run, m: Measured) -> None:
    assert max(m.dead) > (0.4 if "rate-too-high" in run.sick else 0.7)


def check_saturated(run: Run, m: Measured) -> None:
    assert max(m.saturated) > 0.75
    assert m.last > 0.95 * m.baseline


def check_too_fast(run: Run, m: Measured) -> None:
    assert m.diverged or m.last > 0.75 * m.baseline
    assert measured(run, optimizer=faster(run, 0.01)).last < min(0.75 * m.baseline, 0.6 * m.last)


def check_too_slow(run: Run, m: Measured) -> None:
    assert 0.85 * m.losses[0] < m.losses[-1] < m.losses[0]
    assert measured(run, optimizer=faster(run, 1e4)).last < 0.8 * m.last


def check_overfitting(run: Run, m: Measured) -> None:
    assert m.validation[-1] > 1.1 * min(m.validation)
    assert m.losses[-1] < 0.2 * m.validation[-1]


def check_leak(run: Run, m: Measured) -> None:
    assert m.last < 0.25 * m.baseline
    X, y = run.validation
    gap = np.abs(X.T[:, :, None] - run.X.T[:, None, :])  # column, row held out, training row
    nearest = run.y[gap.argmin(axis=2)]
    wrong = np.mean((nearest - y) ** 2 if y.dtype.kind == "f" else nearest != y, axis=1)
    wrong /= y.var() if y.dtype.kind == "f" else 1
    first, second = np.sort(wrong)[:2]
    assert first < 0.02  # one column alone tells the target
    assert second > 0.2  # and no other does


def check_constant(run: Run, m: Measured) -> None:
    assert m.spread < 1e-3 * run.y.std()
    assert m.last > 0.93 * m.baseline


def check_unscaled(run: Run, m: Measured) -> None:
    size = np.abs(run.X).mean(axis=0)
    assert size.max() > 50 * size.min()
    assert m.diverged or m.last > 0.55 * m.baseline
    assert measured(run, X=run.X).last < 0.75 * m.last


@pytest.mark.parametrize("kind", SICK)
def test_sick_runs_are_sick_in_the_way_that_they_say(kind) -> None:
    check = globals()[f"check_{kind.__name__}"]
    for run in runs(SEED, (kind,)):
        check(run, measured(run))


@pytest.mark.parametrize("kind", HEALTHY)
def test_healthy_runs_are_healthy(kind) -> None:
    for run in runs(SEED, (kind,)):
        m = measured(run)
        assert not m.diverged
        hard = [room for text, room in ROOM.items() if text in run.name]
        assert m.last < max([0.85, *hard]) * m.baseline, run.name
        assert m.losses[-1] < 0.95 * m.losses[0] or len(m.losses) < 10, run.name
        assert min(m.before.values()) > 1e-3 * max(m.before.values()), run.name
        assert max(m.before.values()) < 1e3, run.name
        assert max(m.dead, default=0) < 0.3, run.name
        assert max(m.saturated, default=0) < 0.3, run.name
        assert m.last < max(1.3 * min(m.validation, default=np.inf), 0.1 * m.baseline), run.name
        assert m.last < 4 * m.losses[-1] or m.last < 0.25 * m.baseline, run.name


def test_runs_differ_by_seed_and_are_the_same_for_one() -> None:
    one, again, other = (sick_runs(seed) + healthy_runs(seed) for seed in (SEED, SEED, SEED + 1))
    assert [run.name for run in one] == [run.name for run in other]
    assert len({run.name for run in one}) == 60
    for mine, same, theirs in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(mine.X, same.X)
        assert mine.X.shape != theirs.X.shape or not np.array_equal(mine.X, theirs.X)
    assert {code for run in one for code in run.sick} == CODES
    assert not any(run.sick for run in one[30:])
