"""Vitals: measured in passing, the same by every engine, equal to what NumPy says of the network from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from registered import needs_native
from strategies import Problem, general_problems

from chainrule import Adam, Callback, Dense, Input, Model, Network
from chainrule.arrays import Array
from chainrule.engines.contract import Job, Outcome, Rows, Sums
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.engines.vitals import QUANTITIES, Vitals, sampled
from chainrule.objective import Objective
from chainrule.optimizers import SGD, Optimizer

STEPS = 7


def run(
    kind: type, model: Model, data: Rows, every: int, rule: Optimizer, clip: float | None = None
) -> tuple[Outcome, Array]:
    """Some steps of two rows (or three) from the model's parameters, and where they lead."""
    state, members = model.training, model.members
    parameters, kept = state.parameters.copy(), state.state.copy()
    slots = np.zeros((members, len(rule.slot_names), parameters.shape[1]), parameters.dtype)
    for of_member in slots:
        rule.start(of_member)
    engine = kind(model.network, model.objective)
    batch = 3 if model.network.state_layout.spans else 2
    order = np.stack([np.resize(np.roll(np.arange(len(data)), member), STEPS * batch) for member in range(members)])
    sums = Sums.zeros(members, len(model.objective.heads))
    job = Job(data, order, batch, np.full(STEPS, 0.01), 5, sums, rule, 3, clip, memory_from=5, every=every)
    engine.load(parameters, kept, slots)
    with np.errstate(all="ignore"):
        outcome = engine.run(job)
    engine.store(parameters, kept, slots)
    return outcome, parameters


def assert_alike(one: Vitals, other: Vitals, rtol: float = 1e-6) -> None:
    np.testing.assert_array_equal(one.steps, other.steps)
    np.testing.assert_allclose(one.losses, other.losses, rtol=rtol, atol=1e-12)
    for name in QUANTITIES:
        np.testing.assert_array_equal(np.isnan(one.of(name)), np.isnan(other.of(name)), err_msg=name)
        power = 2 if name == "noise" else 1  # the root of a difference that may be all rounding
        np.testing.assert_allclose(one.of(name) ** power, other.of(name) ** power, rtol, 1e-9, err_msg=name)


@needs_native
@given(
    problem=general_problems("reference"),
    every=st.integers(1, 4),
    clip=st.sampled_from([None, 0.1]),
    adam=st.booleans(),
)
def test_both_engines_measure_the_same(problem: Problem, every: int, clip: float | None, adam: bool) -> None:
    """Graphs with every layer, activation, loss and option; the first steps, before rounding has grown."""
    model = problem.model
    assume(problems.is_smooth(model, problem.data, training=True))
    rule = Adam(0.01, epsilon=1e-3) if adam else SGD(0.01, momentum=0.9)
    (native, _), (reference, _) = (
        run(kind, model, problem.data, every, rule, clip) for kind in (NativeEngine, ReferenceEngine)
    )
    assert native.vitals is not None
    assert reference.vitals is not None
    assume(native.steps == reference.steps == STEPS)
    assert list(native.vitals.steps) == [step for step in range(5, 5 + STEPS) if step % every == 0]
    first = slice(0, 1)
    assert_alike(
        *(Vitals(v.steps[first], v.losses[first], v.numbers[first]) for v in (native.vitals, reference.vitals))
    )


@needs_native
@given(
    problem=general_problems("reference"),
    every=st.integers(1, 4),
    clip=st.sampled_from([None, 0.1]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_looking_changes_no_bit(problem: Problem, every: int, clip: float | None, dtype: str) -> None:
    model = problem.model
    for name in ("parameters", "state"):
        setattr(model.training, name, getattr(model.training, name).astype(dtype))
    for kind in (NativeEngine, ReferenceEngine):
        (seen, after), (unseen, alone) = (run(kind, model, problem.data, k, Adam(0.01), clip) for k in (every, 0))
        np.testing.assert_array_equal(after, alone)
        assert unseen.vitals is None
        np.testing.assert_array_equal(seen.sums.losses, unseen.sums.losses)


def narrow(function: str, dtype: str, engine: str, **options: Any) -> Model:
    network = Network.mlp(4, [6, 5], 3, activation=function, output="softmax")
    return Model(network, Objective("cross_entropy"), SGD(0.05), seed=3, dtype=dtype, engine=engine, **options)


class Watch(Callback):
    """Parameters before and after each step, and what was measured there."""

    measures_every = 1  # type: ignore[assignment]

    def __init__(self, model: Model):
        self.seen, self.vitals = [model.training.parameters.copy()], []

    def on_vitals(self, run: Any, vitals: Vitals) -> None:
        self.vitals.append(vitals)

    def on_step(self, run: Any) -> None:
        self.seen.append(run.state.parameters.copy())


@pytest.mark.parametrize("function", ["relu", "sigmoid", "tanh", "gelu", "leaky_relu", "silu", "elu"])
def test_against_numpy(engine: str, function: str) -> None:
    """All of it worked out by hand from the model's weights, outside of every engine."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(0, 3, (16, 4)), rng.integers(0, 3, 16)
    model = narrow(function, "float64", engine, l2=0.3)
    watch = Watch(model)
    model.fit(X, y, epochs=3, batch_size=16, callbacks=watch, clip_norm=0.01, progress=False)
    vitals = Vitals.joined(watch.vitals)
    assert list(vitals.steps) == [0, 1, 2]
    steps = model.network.program.steps
    for sample, (before, after) in enumerate(zip(watch.seen, watch.seen[1:], strict=False)):
        plain = narrow(function, "float64", "reference")
        plain.training.parameters[...] = before
        loss, whole = plain.loss_and_gradients(X, y)
        np.testing.assert_allclose(vitals.losses[sample], [loss])
        own = [plain.loss_and_gradients(X[i : i + 1], y[i : i + 1])[1] for i in range(16)]  # each row's
        x = X
        for step in steps:
            numbers = dict(zip(QUANTITIES, vitals.numbers[sample, 0, step.index], strict=True))
            if isinstance(step.layer, Dense):
                W, b = (plain.parameters[step.name][name] for name in ("W", "b"))
                z = x @ W + b
                flat = [np.concatenate([g[step.name]["W"].ravel(), g[step.name]["b"]]) for g in (whole, *own)]
                length = np.linalg.norm(flat[0])
                np.testing.assert_allclose(numbers["gradient"], length)
                deviation = np.sqrt(((np.array(flat[1:]) - flat[0]) ** 2).sum(axis=1).mean() / 16)
                np.testing.assert_allclose(numbers["noise"], deviation / length, rtol=1e-8)
                moved = [v[0, s.slice] for s in step.parameters for v in (before, after)]
                change = sum(((b - a) ** 2).sum() for a, b in zip(moved[::2], moved[1::2], strict=True))
                np.testing.assert_allclose(numbers["update"], np.sqrt(change / sum((a**2).sum() for a in moved[::2])))
                shown = z
            else:
                f, d = step.layer.applies, 1e-6
                x = f.value(z)
                slope = np.abs(f.value(z + d) - f.value(z - d)) / (2 * d)
                if not f.coupled:
                    np.testing.assert_allclose(numbers["flat"], (slope < 0.01 - 1e-9).mean())
                    np.testing.assert_allclose(numbers["dead"], (slope < 0.01 - 1e-9).all(axis=0).mean())
                shown = x
            if step.index in (1, 3, 4):  # activations, and what the loss reads
                np.testing.assert_allclose(numbers["spread"], np.sqrt(shown.var(axis=0).mean()))
                np.testing.assert_allclose(numbers["size"], np.sqrt((shown**2).mean()))


def test_what_does_not_exist_is_nan(engine: str) -> None:
    model = Model(
        Network([Input(4), Dense(6, activation="relu", trainable=False, name="kept"), Dense(3, name="output")]),
        "squared_error", "sgd", engine=engine,
    )  # fmt: skip
    watch = Watch(model)
    model.fit(np.ones((8, 4)), np.ones((8, 3)), epochs=1, batch_size=8, callbacks=watch, progress=False)
    (vitals,) = watch.vitals
    there = {
        (step.name, name)
        for step in model.network.steps
        for name in QUANTITIES
        if not np.isnan(vitals.of(name)[0, 0, step.index])
    }
    activity = {"dead", "flat", "spread", "size"}
    learned = {"gradient", "update", "noise", "spread", "size"}
    assert there == {("kept", name) for name in activity} | {("output", name) for name in learned}


def test_members_have_their_own(engine: str) -> None:
    network = Network.mlp(4, [5], 1, activation="tanh")
    options: dict[str, Any] = {"dtype": "float64", "engine": engine}
    both = Model.ensemble(network, "squared_error", "sgd", members=2, **options)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    watch = Watch(both)
    both.fit(X, y, epochs=1, batch_size=12, callbacks=watch, progress=False)
    for member in (0, 1):
        one = both.anew(members=watch.seen[0][member : member + 1].copy())
        alone = Watch(one)
        one.fit(X, y, epochs=1, batch_size=12, callbacks=alone, progress=False)
        np.testing.assert_allclose(watch.vitals[0].numbers[:, member], alone.vitals[0].numbers[:, 0], rtol=1e-9)


def test_large_batches_are_looked_at_in_part(engine: str) -> None:
    """The first 256 rows: others may be whatever they are; the gradient is that of all."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2600, 4)), rng.normal(size=2600)
    found = []
    for rest in (1.0, 50.0):
        model = Model(Network.mlp(4, [70, 70], 1), "squared_error", "sgd", dtype="float64", engine=engine)
        watch = Watch(model)
        changed = np.concatenate([X[:256], X[256:] * rest])
        model.fit(changed, y, epochs=1, batch_size=2600, shuffle=False, callbacks=watch, progress=False)
        found.append(watch.vitals[0])
    for name in ("dead", "flat", "spread", "size"):
        np.testing.assert_array_equal(found[0].of(name), found[1].of(name))
    assert (found[1].of("gradient")[0, 0, 0] > 2 * found[0].of("gradient")[0, 0, 0]).all()


@pytest.mark.parametrize(
    ("every", "first", "n", "expected"), [(3, 0, 7, [0, 3, 6]), (3, 4, 5, [2]), (5, 1, 3, []), (0, 0, 9, [])]
)
def test_which_steps(every: int, first: int, n: int, expected: list[int]) -> None:
    assert list(sampled(every, first, n)) == expected


def test_a_step_that_diverges_was_not_done(engine: str) -> None:
    model = Model(Network.mlp(1, [], 1), "squared_error", SGD(1e300), dtype="float64", engine=engine)
    watch = Watch(model)
    with pytest.raises(Exception, match="NaN or infinite"):
        model.fit([[1.0], [2.0]], [3.0, 4.0], epochs=9, batch_size=2, callbacks=watch, progress=False)
    assert [len(vitals.steps) for vitals in watch.vitals] == [1, 0]
