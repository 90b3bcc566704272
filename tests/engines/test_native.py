"""The native engine gives the numbers of the reference engine, within what rounding explains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import problems
import pytest
import registered
from hypothesis import assume, given
from hypothesis import strategies as st
from registered import needs_native
from rounding import assert_within, bounds, gamma
from strategies import Problem, general_problems, seeds

import chainrule as cr
from chainrule import Adam, BatchNorm, Dense, Dropout, Input, Model, Network, random
from chainrule.engines.contract import Engine, Job, Rows, Sums
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.optimizers import SGD, Optimizer
from chainrule.schedules import (
    Schedule,
)

pytestmark = needs_native
dtypes = pytest.mark.parametrize("dtype", ["float64", "float32"])


def answers(engine: Engine, parameters: np.ndarray, state: np.ndarray, data: Rows, training: bool) -> dict[str, Any]:
    """Everything that an engine says about rows, as arrays by name."""
    with np.errstate(all="ignore"):
        result = engine.gradients(parameters, state, data, training=training, seed=3, step=5)
        outputs = engine.predict(parameters, state, data.inputs)
        sums = engine.losses(parameters, state, data)
    said = {"loss": result.loss, "state": result.state, "losses": sums.losses, "penalties": sums.penalties}
    for span in engine.network.layout.spans:
        said[f"gradient of {span.key}"] = result.vector[:, span.slice]
    for head, output in zip(engine.network.heads, outputs, strict=True):
        said[f"output {head.name}"] = output
    return said


def cast(data: Rows, dtype: str) -> Rows:
    parts = (data.inputs, data.targets, data.weights)
    return Rows(*(tuple(a if a is None or a.dtype.kind != "f" else a.astype(dtype) for a in part) for part in parts))


@dtypes
@given(problem=general_problems("reference"), training=st.booleans(), seed=seeds)
def test_generated_networks(dtype: str, problem: Problem, training: bool, seed: int) -> None:
    """Outputs, losses, penalties, gradients and statistics of graphs with every layer, activation, loss and option."""
    model = problem.model
    assume(problems.is_smooth(model, problem.data, training=training))
    assume(problems.is_smooth(model, problem.data, training=False))
    rough = cast(problem.data, dtype)
    parameters, state = (v.astype(dtype) for v in (model.training.parameters, model.training.state))
    size = gamma(model.network, len(rough), np.dtype(dtype))
    model.training.parameters, model.training.state = parameters, state
    exact, bound = bounds(
        lambda engine, p, s, d: answers(engine, p, s, d, training),
        model, cast(rough, "float64"), size, np.random.default_rng(seed),
    )  # fmt: skip
    native = NativeEngine(model.network, model.objective)
    assert_within(answers(native, parameters, state, rough, training), exact, bound)


X, LABELS = problems.classes(90, 5, 4)
SMALL = Network.mlp(5, [12, 9], 4, activation="tanh", output="softmax")


def fitted(engine: str, network: Network = SMALL, **options: Any) -> Model:
    settings = {"loss": "cross_entropy", "optimizer": Adam(0.01), "dtype": "float64", "seed": 1}
    fit = {"X": X, "y": LABELS, "epochs": 20, "batch_size": 16, "progress": False}
    settings.update({k: options.pop(k) for k in list(options) if k not in (
        "X", "y", "epochs", "batch_size", "validation", "sample_weight", "shuffle", "stop", "clip_norm", "resume",
    )})  # fmt: skip
    model = problems.make_model(network, engine=engine, **settings)
    model.fit(**{**fit, **options})
    return model


def assert_same_curves(network: Network = SMALL, **options: Any) -> None:
    """Losses of all epochs and the parameters after them, to 1e-9: 100 steps do not let 1e-16 grow to that."""
    native, reference = (fitted(engine, network, **options) for engine in ("native", "reference"))
    for name in ("loss", "validation_loss", "learning_rate"):
        if reference.history[name][0] is not None:
            np.testing.assert_allclose(native.history[name], reference.history[name], rtol=1e-9, err_msg=name)
    assert native.history.stopped_by == reference.history.stopped_by
    for a, b in ((native.training.parameters, reference.training.parameters),
                 (native.training.state, reference.training.state)):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("optimizer", [*registered.STEPWISE, SGD(0.001, momentum=1.0)], ids=repr)
def test_curves_of_every_optimizer(optimizer: Optimizer) -> None:
    assert_same_curves(optimizer=optimizer)


@pytest.mark.parametrize("schedule", registered.SCHEDULES, ids=registered.label)
def test_curves_of_every_schedule(schedule: Schedule) -> None:
    assert_same_curves(optimizer=Adam(replace(schedule, rate=0.02)))


@pytest.mark.parametrize(
    "options",
    [
        {"l2": 0.01}, {"l1": 0.003}, {"l1": 0.003, "l2": 0.01, "clip_norm": 0.05}, {"clip_norm": 0.1},
        {"reduction": "sum", "optimizer": SGD(0.005)}, {"convention": "sklearn", "l2": 0.1},
        {"sample_weight": np.linspace(0, 2, 90)}, {"validation": 0.2}, {"members": 3, "l2": 0.01},
        {"members": 2, "clip_norm": 0.05}, {"shuffle": False}, {"shuffle": "replace"}, {"batch_size": "full"},
        {"batch_size": 1, "epochs": 3}, {"batch_size": 89}, {"fuse": False},
        {"optimizer": "lbfgs", "batch_size": "auto", "l2": 0.01, "epochs": 5},
    ],
    ids=lambda options: " ".join(options),
)  # fmt: skip
def test_curves_of_every_option(options: dict[str, Any]) -> None:
    assert_same_curves(**options)


def branched() -> Network:
    x = Input(5, name="x")
    trunk = Dense(8, activation="gelu", name="trunk")(x)
    side = Dense(8, activation="silu", name="side")(Dropout(0.2, name="d")(x))
    both = cr.Concatenate(name="both")(cr.Add(name="sum")(trunk, side), x)
    mood = Dense(4, activation="softmax", name="mood")(both)
    age = Dense(1, name="age")(Dense(6, activation="softplus", l1=0.01, penalize_bias=True)(trunk))
    return Network(inputs=x, outputs={"mood": mood, "age": age})


def test_curves_of_branches_and_heads() -> None:
    targets = {"mood": LABELS, "age": np.sin(X[:, 0])}
    weights = {"mood": np.linspace(0.5, 1, 90)}
    assert_same_curves(
        branched(), loss={"mood": "cross_entropy", "age": "huber"}, y=targets, loss_weights={"age": 0.3},
        sample_weight=weights, l2=0.01,
    )  # fmt: skip


def test_curves_with_dropout() -> None:
    """The masks are the same, or the curves would part in the first step."""
    network = Network.mlp(5, [12, 9], 4, activation="elu", output="softmax", dropout=0.3)
    assert_same_curves(network)
    assert_same_curves(network, members=2)


def test_curves_with_batch_norm() -> None:
    """Without biases before it: their gradient is 0, and Adam would make steps of what rounding leaves of it."""
    network = Network.mlp(5, [12, 9], 4, activation="tanh", output="softmax", batch_norm=True, bias=False)
    assert_same_curves(network)
    with_bias = Network.mlp(5, [12, 9], 4, activation="tanh", output="softmax", batch_norm=True)
    assert_same_curves(with_bias, optimizer=SGD(0.05, momentum=0.9))


def test_curves_with_frozen_layers() -> None:
    layers = [Input(5), Dense(7, activation="mish", trainable=False), BatchNorm(trainable=False),
              Dense(6, activation="selu"), Dense(4, activation="softmax")]  # fmt: skip
    assert_same_curves(Network(layers), l2=0.01)


@given(n=st.integers(1, 3000), seed=st.integers(0, 2**64 - 1), epoch=st.integers(0, 2**33), member=st.integers(0, 9))
def test_shuffles(n: int, seed: int, epoch: int, member: int) -> None:
    """Bit for bit the order that NumPy's sort gives."""
    keys = random.joined_words(n, seed, epoch, random.SHUFFLE, member, 0)
    np.testing.assert_array_equal(random.permutation(n, seed, epoch, member), np.argsort(keys, kind="stable"))


@given(
    n=st.integers(0, 300), seed=st.integers(0, 2**64 - 1), step=st.integers(0, 2**33), member=st.integers(0, 9),
    begin=st.integers(0, 2**20).map(lambda half: 2 * half),
)  # fmt: skip
def test_keys(n: int, seed: int, step: int, member: int, begin: int) -> None:
    """Bit for bit what NumPy draws."""
    drawn = random.keys(n, seed, step, random.INITIALIZE, member, begin)
    np.testing.assert_array_equal(drawn, random.joined_words(n, seed, step, random.INITIALIZE, member, begin))


@given(rate=st.floats(0, 0.99), seed=st.integers(0, 2**64 - 1), step=st.integers(0, 2**33), width=st.integers(1, 70))
def test_masks(rate: float, seed: int, step: int, width: int) -> None:
    """A layer of ones, summed with the weight 1 each: the gradient by that weight is the mask itself."""
    network = Network([Input(width), Dropout(rate), Dense(1, bias=False)])
    model = Model(network, "squared_error", dtype="float64")
    data = Rows((np.ones((2, width)),), (np.zeros((2, 1)),), (None,))
    state = model.training
    state.parameters[:] = 0
    state.parameters[0, :width] = 1
    native, reference = (
        engine(network, model.objective).gradients(
            state.parameters, state.state, data, training=True, seed=seed, step=step
        ).vector
        for engine in (NativeEngine, ReferenceEngine)
    )  # fmt: skip
    np.testing.assert_allclose(native, reference, rtol=1e-12)


WIDE = Network.mlp(40, [120, 90], 7, activation="relu", output="softmax", dropout=0.2, batch_norm=True)


@dtypes
@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.5}, {"members": 2}, {"l2": 0.01, "l1": 0.001}], ids=repr)
def test_any_number_of_threads_gives_the_same_bits(dtype: str, options: dict[str, Any]) -> None:
    rows, labels = problems.classes(700, 40, 7)
    models = [
        fitted("native", WIDE, X=rows, y=labels, batch_size=200, epochs=3, dtype=dtype, threads=threads, validation=0.2,
               optimizer=SGD(0.05, momentum=0.9), **options)
        for threads in (1, 2, 3, 7, None)
    ]  # fmt: skip
    first = models[0]
    for model in models[1:]:
        np.testing.assert_array_equal(model.training.parameters, first.training.parameters)
        np.testing.assert_array_equal(model.training.state, first.training.state)
        np.testing.assert_array_equal(model.predict(rows), first.predict(rows))
        assert model.history["loss"] == first.history["loss"]
        assert model.history["validation_loss"] == first.history["validation_loss"]
        assert model.evaluate(rows, labels) == first.evaluate(rows, labels)


def wide_branches() -> Network:
    """Wide enough that every kind of step is shared out."""
    x, y = Input(40, name="x"), Input(9, name="y")
    trunk = Dense(130, activation="gelu", name="trunk")(x)
    side = BatchNorm(name="norm")(Dense(130, activation="mish", name="side")(y))
    both = cr.Concatenate(name="both")(cr.Add(name="sum")(trunk, side), Dropout(0.3, name="drop")(x))
    mood = Dense(7, activation="softmax", name="mood")(Dense(90, activation="softmax", name="attention")(both))
    age = Dense(1, name="age")(Dense(60, activation="elu", l1=0.01, name="last")(trunk))
    return Network(inputs=[x, y], outputs={"mood": mood, "age": age})


@dtypes
@pytest.mark.parametrize("batch_size", [500, "full"])
def test_branches_with_any_number_of_threads(dtype: str, batch_size: Any) -> None:
    rng = np.random.default_rng(0)
    rows = {"x": rng.normal(size=(1500, 40)), "y": rng.normal(size=(1500, 9))}
    targets = {"mood": rng.integers(0, 7, 1500), "age": rng.normal(size=1500)}
    losses = {"mood": "cross_entropy", "age": "huber"}
    models = [
        fitted("native", wide_branches(), X=rows, y=targets, loss=losses, dtype=dtype,
               batch_size=batch_size, epochs=2, threads=threads, sample_weight={"mood": np.linspace(0, 1, 1500)})
        for threads in (1, 2, 3, 7)
    ]  # fmt: skip
    first = models[0]
    for model in models[1:]:
        np.testing.assert_array_equal(model.training.parameters, first.training.parameters)
        np.testing.assert_array_equal(model.training.state, first.training.state)
        for name, output in model.predict(rows).items():
            np.testing.assert_array_equal(output, first.predict(rows)[name])
        assert model.evaluate(rows, targets) == first.evaluate(rows, targets)


@pytest.mark.parametrize(
    "options", [{}, {"members": 2, "clip_norm": 0.5}, {"convention": "sklearn", "l2": 0.1}], ids=repr
)
def test_batches_that_go_through_in_parts(options: dict[str, Any]) -> None:
    """Many rows at once: the masks, the mean and the weights are those of one batch, whatever the parts and threads."""
    rows, labels = problems.classes(5000, 40, 7)
    network = Network.mlp(40, [60], 7, activation="tanh", output="softmax", dropout=0.2)
    fit = {"X": rows, "y": labels, "batch_size": 4500, "epochs": 2, "optimizer": SGD(0.5, momentum=0.9)}
    fit["sample_weight"] = np.linspace(0, 2, 5000)
    reference = fitted("reference", network, **fit, **options)
    models = [fitted("native", network, threads=threads, **fit, **options) for threads in (1, 2, 7)]
    for model in models:
        np.testing.assert_array_equal(model.training.parameters, models[0].training.parameters)
    np.testing.assert_allclose(models[0].training.parameters, reference.training.parameters, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(models[0].history["loss"], reference.history["loss"], rtol=1e-11)
    (loss, first), (_, again), (meant, right) = (
        model.loss_and_gradients(rows, labels) for model in (models[0], models[1], reference)
    )
    assert loss == pytest.approx(meant, rel=1e-9)
    for layer, parameters in first.items():
        for name, gradient in parameters.items():
            np.testing.assert_array_equal(gradient, again[layer][name])
            np.testing.assert_allclose(gradient, right[layer][name], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "two"])
def test_a_number_of_threads_that_makes_no_sense(threads: Any) -> None:
    with pytest.raises(cr.InputError, match="threads"):
        Model(SMALL, "cross_entropy", threads=threads)


def test_every_instruction_set() -> None:
    """Each one that this processor has gives the curves of the reference engine."""
    from chainrule import _native

    best = _native.instruction_set()
    try:
        for name in _native.instruction_sets():
            _native.use_instruction_set(name)
            assert _native.instruction_set() == name
            for network in (SMALL, Network.mlp(5, [33, 17], 4, activation="gelu", output="softmax")):
                assert_same_curves(network, epochs=10)
            test_any_number_of_threads_gives_the_same_bits("float32", {})
    finally:
        _native.use_instruction_set(best)
    with pytest.raises(ValueError, match=r"avx9000.* doesn't run here"):
        _native.use_instruction_set("avx9000")


def test_jobs_cut_anywhere_add_up_to_the_same_bits() -> None:
    """Penalties included, whose value the core keeps up while weights change."""
    rng = np.random.default_rng(0)
    for options in ({"l1": 0.01, "l2": 0.02}, {"l2": 0.3, "convention": "sklearn"}):
        model = problems.make_model(Network.mlp(30, [300, 65], 3), "squared_error", Adam(0.01), **options)
        data = Rows((rng.normal(size=(50, 30)).astype("f4"),), (rng.normal(size=(50, 3)).astype("f4"),), (None,))
        ends = []
        for cuts in ((5,), (1, 1, 1, 1, 1), (3, 2)):
            state, sums, done = model.training, Sums.zeros(1, 1), 0
            p, slots = state.parameters.copy(), state.slots.copy()
            for n in cuts:
                order = np.arange(done * 10, (done + n) * 10)[None]
                job = Job(data, order, 10, np.full(n, 0.01), done, sums, model.optimizer, 0)
                sums = problems.run_job(model._engine, replace(state, parameters=p, slots=slots), job).sums
                done += n
            ends.append((p, sums))
        for p, sums in ends[1:]:
            np.testing.assert_array_equal(p, ends[0][0])
            assert (sums.losses, sums.penalties, sums.steps) == (
                ends[0][1].losses, ends[0][1].penalties, ends[0][1].steps
            )  # fmt: skip


@dtypes
def test_predicting_any_number_of_rows(dtype: str) -> None:
    """Each row's output is the same bits whatever stands around it."""
    model = Model(SMALL, "cross_entropy", dtype=dtype, engine="native")
    rows = np.random.default_rng(0).normal(size=(2000, 5)).astype(dtype)
    whole = model.predict(rows)
    assert model.predict(rows[:0]).shape == (0, 4)
    for n in (1, 2, 3, 15, 16, 17, 95, 97, 1999):
        np.testing.assert_array_equal(model.predict(rows[:n]), whole[:n])
    np.testing.assert_array_equal(np.concatenate([model.predict(row[None]) for row in rows[:50]]), whole[:50])
