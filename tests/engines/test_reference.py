"""The reference engine, asked in the words of the contract: passes, members, jobs, divergence, chunks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import problems
import pytest

from chainrule import SGD, Adam, BatchNorm, Dense, Dropout, Input, Network
from chainrule.engines.choose import choose
from chainrule.engines.contract import Engine, Job, Rows, Sums
from chainrule.engines.reference import PREDICT_ROWS, ReferenceEngine
from chainrule.layers import Context
from chainrule.objective import Objective
from chainrule.optimizers import Optimizer
from chainrule.parameters import ParameterRun
from chainrule.training.state import TrainingState

NETWORK = Network(
    [Input(3, name="x"), Dense(5, activation="tanh", name="a"), BatchNorm(name="n"), Dense(1, name="out")]
)
NOISY = Network([Input(3, name="x"), Dense(5, name="a"), Dropout(0.5, name="d"), Dense(1, name="out")])


def made(engine: str, network: Network = NETWORK, optimizer: Optimizer = Adam(), **changes: Any) -> Engine:  # noqa: B008  # frozen
    objective = replace(Objective("squared_error").on(network, l2=0.01), **changes)
    return choose(engine, network, objective, optimizer)[0]


def rows(n: int = 12) -> Rows:
    X, y = problems.regression(n, 3)
    return Rows((X,), (y,), (None,))


def job(
    network: Network, state: TrainingState, optimizer: Optimizer, order: np.ndarray, batch: int, **options: Any
) -> Job:
    n_steps = -(-order.shape[1] // batch)
    given = {
        "data": rows(), "order": order,
        "batch_size": batch, "rates": np.full(n_steps, 0.05), "first_step": 0,
        "sums": Sums.zeros(len(state.parameters), 1), "rule": optimizer, "seed": 3,
    }  # fmt: skip
    return Job(**{**given, **options})


def test_the_engine_fixture_is_what_it_says(engine: str) -> None:
    assert made(engine).name == engine


def test_members_are_separate_runs(engine: str) -> None:
    """Two members with an order each: bit for bit two jobs of one member. Without dropout nothing else differs."""
    e, optimizer = made(engine), Adam()
    both = TrainingState.initial(NETWORK, optimizer, 7, "float64", members=2)
    orders = np.stack([np.arange(12), np.arange(12)[::-1]]).astype(np.int64)
    alone = []
    for member in range(2):
        one = TrainingState.initial(NETWORK, optimizer, 7, "float64")
        one.parameters[0] = both.parameters[member]
        e_one = made(engine)
        problems.run_job(e_one, one, job(NETWORK, one, optimizer, orders[member : member + 1], 5))
        alone.append(one)
    outcome = problems.run_job(e, both, job(NETWORK, both, optimizer, orders, 5))
    sums = outcome.sums
    assert outcome.steps == sums.steps == 3
    for member, one in enumerate(alone):
        np.testing.assert_array_equal(both.parameters[member], one.parameters[0])
        np.testing.assert_array_equal(both.state[member], one.state[0])
        np.testing.assert_array_equal(both.slots[member], one.slots[0])
    assert sums.losses[0] != sums.losses[1]


def test_members_have_masks_of_their_own(engine: str) -> None:
    e, optimizer = made(engine, NOISY, SGD()), SGD()
    state = TrainingState.initial(NOISY, optimizer, 7, "float64", members=2)
    state.parameters[1] = state.parameters[0]
    data = rows()
    result = e.gradients(state.parameters, state.state, data, training=True, seed=3, step=0)
    assert result.loss[0] != result.loss[1]
    quiet = e.gradients(state.parameters, state.state, data, training=False, seed=3, step=0)
    assert quiet.loss[0] == quiet.loss[1]
    np.testing.assert_array_equal(quiet.vector[0], quiet.vector[1])


def test_an_epoch_cut_into_jobs_is_the_same_epoch(engine: str) -> None:
    optimizer, order = Adam(), np.arange(12)[None].astype(np.int64)
    whole, cut = (TrainingState.initial(NOISY, optimizer, 7, "float64") for _ in range(2))
    parts = Sums.zeros(1, 1)
    sums = problems.run_job(made(engine, NOISY), whole, job(NOISY, whole, optimizer, order, 3)).sums
    e = made(engine, NOISY)
    for step in range(4):
        part = job(NOISY, cut, optimizer, order[:, 3 * step : 3 * step + 3], 3, first_step=step, sums=parts)
        parts = problems.run_job(e, cut, part).sums
    np.testing.assert_array_equal(cut.parameters, whole.parameters)
    assert (sums.losses == parts.losses).all()
    assert sums.steps == parts.steps == 4


@pytest.mark.parametrize("stop_after", [1, 2, 4])
def test_should_stop_is_asked_after_steps(stop_after: int) -> None:
    """The reference engine asks after every step."""
    optimizer, asked = Adam(), []
    state = TrainingState.initial(NETWORK, optimizer, 7, "float64")

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) == stop_after

    order = np.arange(12)[None].astype(np.int64)
    asks = job(NETWORK, state, optimizer, order, 3, should_stop=should_stop)
    outcome = problems.run_job(made("reference"), state, asks)
    assert outcome.steps == outcome.sums.steps == len(asked) == stop_after
    assert outcome.stopped


@pytest.mark.parametrize("member", [0, 1])
def test_a_diverged_step_changes_nothing_in_any_member(member: int, engine: str) -> None:
    optimizer = Adam()
    state = TrainingState.initial(NETWORK, optimizer, 7, "float64", members=2)
    data = rows()
    data.targets[0][7] = np.inf  # met by one member in step 1 (of 0, 1, 2), by the other never
    good, bad = np.array([0, 1, 2, 3, 4, 5]), np.array([0, 1, 2, 7, 4, 5])
    orders = np.stack([bad, good] if member == 0 else [good, bad]).astype(np.int64)
    first = TrainingState.initial(NETWORK, optimizer, 7, "float64", members=2)
    problems.run_job(made(engine), first, job(NETWORK, first, optimizer, orders[:, :3], 3))
    with np.errstate(all="ignore"):
        outcome = problems.run_job(made(engine), state, job(NETWORK, state, optimizer, orders, 3, data=data))
    assert (outcome.diverged, outcome.diverged_member, outcome.steps, outcome.sums.steps) == (1, member, 1, 1)
    np.testing.assert_array_equal(state.parameters, first.parameters)
    np.testing.assert_array_equal(state.slots, first.slots)
    np.testing.assert_array_equal(state.state, first.state)


def test_only_trainable_runs_change(engine: str) -> None:
    optimizer = Adam(weight_decay=0.1)
    state = TrainingState.initial(NETWORK, optimizer, 7, "float64")
    before = state.parameters.copy()
    span = NETWORK.layout.spans[1]
    order = np.arange(12)[None].astype(np.int64)
    runs = (
        ParameterRun(0, span.offset, trainable=False), ParameterRun(span.offset, span.slice.stop),
        ParameterRun(span.slice.stop, NETWORK.layout.size, trainable=False),
    )  # fmt: skip
    one = made(engine, optimizer=optimizer, runs=runs)
    problems.run_job(one, state, job(NETWORK, state, optimizer, order, 4))
    changed = state.parameters[0] != before[0]
    assert changed[span.slice].all()
    assert not np.delete(changed, np.arange(span.slice.start, span.slice.stop)).any()


def test_sums_are_those_of_the_rows(engine: str) -> None:
    """Weighted sums and weights, so that parts can be added whatever they weigh."""
    e = made(engine)
    state = TrainingState.initial(NETWORK, Adam(), 7, "float64")
    X, y = problems.regression(12, 3)
    w = np.linspace(0, 2, 12)
    whole = e.losses(state.parameters, state.state, Rows((X,), (y,), (w,)))
    parts = [
        e.losses(state.parameters, state.state, Rows((X[s],), (y[s],), (w[s],))) for s in (slice(0, 5), slice(5, 12))
    ]
    assert whole.losses.item() == pytest.approx(sum(part.losses.item() for part in parts), rel=1e-13)
    assert whole.weights.item() == pytest.approx(w.sum(), rel=1e-15)
    (prediction,) = e.predict(state.parameters, state.state, (X,))
    assert whole.losses.item() == pytest.approx(w @ ((prediction[0] - y) ** 2)[:, 0], rel=1e-13)


def test_many_rows_go_through_in_chunks(engine: str) -> None:
    e = made(engine)
    state = TrainingState.initial(NETWORK, Adam(), 7, "float64")
    n = 2 * PREDICT_ROWS + 5
    X, y = problems.regression(n, 3)
    (output,) = e.predict(state.parameters, state.state, (X,))
    for part in (slice(0, 7), slice(PREDICT_ROWS - 3, PREDICT_ROWS + 3), slice(n - 4, n)):
        (few,) = e.predict(state.parameters, state.state, (X[part],))
        np.testing.assert_allclose(output[:, part], few, rtol=1e-12)
    sums = e.losses(state.parameters, state.state, Rows((X,), (y,), (None,)))
    assert sums.losses.item() == pytest.approx(((output[0] - y) ** 2).sum(), rel=1e-11)
    assert sums.weights.item() == n


def test_gradients_change_nothing(engine: str) -> None:
    e, data = made(engine), rows()
    state = TrainingState.initial(NETWORK, Adam(), 7, "float64")
    p, s = state.parameters.copy(), state.state.copy()
    result = e.gradients(state.parameters, state.state, data, training=True, seed=3, step=0)
    np.testing.assert_array_equal(state.parameters, p)
    np.testing.assert_array_equal(state.state, s)
    assert (result.state != s)[:, :5].all(), "the new statistics are handed back"
    assert result.vector.shape == p.shape


def test_the_first_layer_that_isnt_finite() -> None:
    e = made("reference")
    assert isinstance(e, ReferenceEngine)
    state = TrainingState.initial(NETWORK, Adam(), 7, "float64")
    X = rows().inputs
    assert e.first_not_finite(state.parameters[0], state.state[0], X, Context()) is None
    named = NETWORK.layout.named(state.parameters[0])
    named["out"]["b"][...] = np.inf
    assert e.first_not_finite(state.parameters[0], state.state[0], X, Context()) == "out"
    named["n"]["shift"][2] = np.nan
    assert e.first_not_finite(state.parameters[0], state.state[0], X, Context()) == "n"


def test_values_that_several_steps_read_sum_their_gradients() -> None:
    """x -> h, read by two heads and by itself twice: the delta of h is the sum of all that come back."""
    from chainrule import Add

    h = Dense(2, name="h")(Input(2, name="x"))
    network = Network(outputs={"a": Dense(1, name="a")(h), "b": Add(name="b")(h, h), "h": h})
    objective = Objective(dict.fromkeys(("a", "b", "h"), "half_squared_error")).on(network)
    e = ReferenceEngine(network, objective)
    state = TrainingState.initial(network, Adam(), 7, "float64")
    X = np.array([[1.0, -2.0]])
    data = Rows((X,), (np.zeros((1, 1)), np.zeros((1, 2)), np.zeros((1, 2))), (None,) * 3)
    named = network.layout.named(state.parameters[0])
    value = X @ named["h"]["W"] + named["h"]["b"]
    a = value @ named["a"]["W"] + named["a"]["b"]
    expected = a @ named["a"]["W"].T + 2 * (2 * value) + value
    result = e.gradients(state.parameters, state.state, data, training=True, seed=0, step=0)
    np.testing.assert_allclose(network.layout.named(result.vector[0])["h"]["b"], expected[0], rtol=1e-14)
