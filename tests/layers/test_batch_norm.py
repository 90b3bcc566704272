"""Batch normalization: the batch's statistics in training, running ones in prediction."""

from __future__ import annotations

import numpy as np
import problems
import pytest
from finite_differences import check_layer

from chainrule import BatchNorm, Dense, Dropout, Input, InputError, Model, Network, NetworkError
from chainrule.layers import Context

TRAINING, PREDICTION = Context(training=True), Context()
PLAIN = {"scale": np.ones(2), "shift": np.zeros(2)}
START = {"mean": np.zeros(2), "variance": np.ones(2)}


def test_training_brings_every_unit_to_mean_0_and_variance_1(rng: np.random.Generator) -> None:
    x = 3 + 5 * rng.normal(size=(50, 2))
    y, _, _ = BatchNorm(epsilon=1e-12).forward(PLAIN, START, (x,), TRAINING)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=0), 1, rtol=1e-12)


def test_scale_and_shift() -> None:
    x = np.array([[1.0, 10.0], [3.0, 30.0]])
    y, _, _ = BatchNorm(epsilon=1e-14).forward(
        {"scale": np.array([2.0, 3.0]), "shift": np.array([0.5, -0.5])}, START, (x,), TRAINING
    )
    np.testing.assert_allclose(y, [[-1.5, -3.5], [2.5, 2.5]], rtol=1e-12)


def test_running_statistics_follow_with_the_unbiased_variance() -> None:
    x = np.array([[1.0, 10.0], [3.0, 30.0], [8.0, 20.0]])
    state = {"mean": np.array([1.0, 2.0]), "variance": np.array([4.0, 9.0])}
    _, _, new = BatchNorm(momentum=0.25).forward(PLAIN, state, (x,), TRAINING)
    np.testing.assert_allclose(new["mean"], 0.75 * state["mean"] + 0.25 * x.mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(new["variance"], 0.75 * state["variance"] + 0.25 * x.var(axis=0, ddof=1), rtol=1e-15)
    assert state["mean"].tolist() == [1, 2], "the old state is left alone"


def test_prediction_uses_the_running_statistics_and_keeps_them() -> None:
    state = {"mean": np.array([1.0, 2.0]), "variance": np.array([4.0, 9.0])}
    y, _, new = BatchNorm(epsilon=1e-14).forward(PLAIN, state, (np.array([[3.0, 5.0]]),), PREDICTION)
    np.testing.assert_allclose(y, [[1.0, 1.0]], rtol=1e-12)
    assert new is state


@pytest.mark.parametrize("context", [TRAINING, PREDICTION], ids=["training", "prediction"])
def test_backward(context: Context, rng: np.random.Generator) -> None:
    check_layer(BatchNorm(), ((3,),), rng, context)


def test_it_starts_as_the_identity_of_normalized_units() -> None:
    network = Network([Input(3), BatchNorm(name="n"), Dense(1)])
    model = Model(network, "squared_error")
    assert {name: a.tolist() for name, a in model.parameters["n"].items()} == {"scale": [1] * 3, "shift": [0] * 3}
    assert {name: a.tolist() for name, a in model.state["n"].items()} == {"mean": [0] * 3, "variance": [1] * 3}
    scale, shift = (span.spec for span in network.steps[0].parameters)
    assert (scale.kind, scale.penalized, shift.kind, shift.penalized) == ("scale", False, "bias", False)


def test_one_row_a_batch_is_refused() -> None:
    model = Model(Network([Input(2), BatchNorm(name="n"), Dense(1)]), "squared_error")
    with pytest.raises(InputError, match=r'layer "n".* needs at least two rows a batch'):
        model.fit(np.zeros((4, 2)), np.zeros(4), batch_size=1, epochs=1)


def test_a_single_row_at_the_end_of_an_epoch_is_left_out(engine: str) -> None:
    """Its variance of 0 would drag the running one towards 0."""
    X, y = problems.regression(9, 2)
    ends = []
    for rows in (X, X[:8]):
        network = Network([Input(2), BatchNorm(name="n"), Dropout(0.3), Dense(1)])
        model = Model(network, "squared_error", dtype="float64", engine=engine)
        history = model.fit(rows, y[: len(rows)], batch_size=4, epochs=3, shuffle=False)
        assert history.last.step == 6
        ends.append(problems.flat(model.parameters) | problems.flat(model.state) | {"loss": np.array(history["loss"])})
    problems.assert_same(*ends)


def test_two_rows_at_the_end_are_trained_on(engine: str) -> None:
    X, y = problems.regression(10, 2)
    model = Model(Network([Input(2), BatchNorm(), Dense(1)]), "squared_error", engine=engine)
    assert model.fit(X, y, batch_size=4, epochs=2).last.step == 6


def test_a_row_order_of_one_row_is_refused() -> None:
    model = Model(Network([Input(2), BatchNorm(), Dense(1)]), "squared_error")
    with pytest.raises(InputError, match="the row order that `shuffle` returned has one row, and batch normalization"):
        model.fit(np.zeros((4, 2)), np.zeros(4), shuffle=lambda epoch: [2])


def test_a_frozen_layer_keeps_scale_and_shift_while_statistics_go_on(engine: str) -> None:
    model = Model(Network([Input(2), BatchNorm(trainable=False, name="n"), Dense(1)]), "squared_error", engine=engine)
    X, y = problems.regression(8, 2)
    model.fit(X + 3, y, epochs=3)
    assert model.parameters["n"]["scale"].tolist() == [1, 1]
    assert model.parameters["n"]["shift"].tolist() == [0, 0]
    assert (model.state["n"]["mean"] > 0.5).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 0}, r"BatchNorm: momentum is 0; it must be a number in \(0, 1\]"),
        ({"momentum": 1.1}, "momentum is 1.1"),
        ({"epsilon": 0}, "BatchNorm: epsilon is 0; it must be a number above 0"),
    ],
)
def test_fields_are_checked(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BatchNorm(**options)


def test_rows_must_be_vectors() -> None:
    with pytest.raises(NetworkError, match=r'BatchNorm "n" reads rows of shape \(2, 2\)'):
        Network([Input((2, 2)), BatchNorm(name="n")])
