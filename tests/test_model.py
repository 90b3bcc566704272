"""The model: construction, gradients, prediction, one network with several heads learning several things."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest

from chainrule import (
    Activation,
    Adam,
    Add,
    BatchNorm,
    Concatenate,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    Input,
    InputError,
    Metric,
    Model,
    Network,
    Objective,
    TrainingError,
)  # fmt: skip
from chainrule.layers import Layer


def test_people_gender_age_and_mood(engine: str) -> None:
    """Notes 000: one functional network with a binary, a regression and a three-class head learns all three."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4))
    gender = (X[:, 0] + X[:, 1] > 0).astype(float)
    age = 40 + 8 * X[:, 2]
    mood = np.digitize(X[:, 3] + X[:, 0], [-0.6, 0.6])
    x = Input(4, name="x")
    h = Dense(24, activation="relu", name="hidden")(x)
    network = Network(
        inputs=x,
        outputs={
            "gender": Dense(1, activation="sigmoid", name="gender")(h),
            "age": Dense(1, name="age")(h),
            "mood": Dense(3, activation="softmax", name="mood")(h),
        },
    )
    model = Model(
        network,
        Objective(
            {"gender": "binary_cross_entropy", "age": "squared_error", "mood": CrossEntropy()},
            loss_weights={"age": 0.01},
        ),
        Adam(0.02),
        metrics={"gender": ["accuracy"], "age": ["r2"], "mood": ["accuracy"]},
        engine=engine,
    )
    y = {"gender": gender, "age": age, "mood": mood}
    before = model.evaluate(X, y)
    model.fit(X, y, epochs=100)
    after = model.evaluate(X, y)
    assert after["loss"] < 0.2 * before["loss"]
    assert after["gender_accuracy"] > 0.95
    assert after["mood_accuracy"] > 0.9
    assert after["age_r2"] > 0.9
    outputs = model.predict(X)
    assert {name: array.shape for name, array in outputs.items()} == {
        "gender": (300, 1),
        "age": (300, 1),
        "mood": (300, 3),
    }
    np.testing.assert_allclose(outputs["mood"].sum(axis=1), 1, rtol=1e-6)


def test_two_inputs(engine: str) -> None:
    a, b = Input(2, name="a"), Input(3, name="b")
    network = Network(inputs=[a, b], outputs=Dense(1, name="out")(Concatenate()(a, b)))
    model = Model(network, "squared_error", dtype="float64", engine=engine)
    A, B = np.arange(8.0).reshape(4, 2), np.arange(12.0).reshape(4, 3)
    together = model.predict({"a": A, "b": B})
    W, bias = model.parameters["out"]["W"], model.parameters["out"]["b"]
    np.testing.assert_allclose(together, np.hstack([A, B]) @ W + bias, rtol=1e-14)
    assert len(model.fit({"b": B, "a": A}, np.ones(4), epochs=2)) == 2


class TestGradients:
    def test_evaluating_changes_nothing(self, engine: str) -> None:
        """No parameter, no statistic, no step: also in training mode."""
        network = Network([Input(3), Dense(4), BatchNorm(), Dropout(0.5), Dense(1)])
        model = Model(network, "squared_error", dtype="float64", engine=engine)
        X, y = problems.regression(8, 3)
        before = {**problems.flat(model.parameters), **problems.flat(model.state)}
        first = model.loss_and_gradients(X, y, training=True)
        second = model.loss_and_gradients(X, y, training=True)
        model.predict(X)
        model.evaluate(X, y)
        model.memo_report(X, y)
        problems.assert_same({**problems.flat(model.parameters), **problems.flat(model.state)}, before)
        assert model.training.step == 0
        assert first[0] == second[0], "the same mask: that of the next step"
        problems.assert_same(problems.flat(first[1]), problems.flat(second[1]))

    def test_training_and_prediction_differ_where_layers_do(self, engine: str) -> None:
        model = Model(Network.mlp(3, [20], 1, dropout=0.5), "squared_error", dtype="float64", engine=engine)
        X, y = problems.regression(8, 3)
        assert model.loss_and_gradients(X, y)[0] == pytest.approx(model.evaluate(X, y)["loss"], rel=1e-13)
        assert model.loss_and_gradients(X, y, training=True)[0] != model.loss_and_gradients(X, y)[0]

    def test_gradients_of_frozen_layers_are_told_too(self, engine: str) -> None:
        network = Network([Input(3), Dense(2, trainable=False, name="a"), Dense(1)])
        _, gradients = Model(network, "squared_error", engine=engine).loss_and_gradients(*problems.regression(8, 3))
        assert gradients["a"]["W"].any()

    def test_the_dropout_mask_moves_on_with_the_steps(self, engine: str) -> None:
        model = Model(Network.mlp(3, [20], 1, dropout=0.5), "squared_error", "sgd", dtype="float64", engine=engine)
        X, y = problems.regression(8, 3)
        first = model.loss_and_gradients(X, y, training=True)[0]
        values = problems.flat(model.parameters)
        model.fit(X, y, epochs=1)
        for key, array in values.items():
            layer, name = key.split("/")
            model.set_parameters({layer: {name: array}})
        assert model.loss_and_gradients(X, y, training=True)[0] != first


class TestPrediction:
    @pytest.mark.parametrize("rows", [0, 1, 5, 8192, 8193, 20_000])
    def test_rows_come_out_one_by_one_whatever_the_chunks(self, rows: int, engine: str) -> None:
        model = Model(Network.mlp(2, [3], 2, activation="tanh"), "squared_error", dtype="float64", engine=engine)
        X = np.random.default_rng(0).normal(size=(rows, 2))
        p = model.parameters
        expected = np.tanh(X @ p["hidden"]["W"] + p["hidden"]["b"]) @ p["output"]["W"] + p["output"]["b"]
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12, atol=1e-14)
        if rows:
            y = np.ones((rows, 2))
            assert model.evaluate(X, y)["loss"] == pytest.approx(((expected - 1) ** 2).sum(axis=1).mean(), rel=1e-11)

    @pytest.mark.parametrize("same", [Activation("linear"), Flatten(), Dropout(0.0), Dropout(0.5)], ids=repr)
    @pytest.mark.parametrize("join", [Add, Concatenate])
    def test_a_shortcut_around_a_layer_that_changes_nothing(self, same: Layer, join: type[Layer], engine: str) -> None:
        """Prediction passes such a value on as it is: an engine that recycles memory must not count it twice."""
        h = Dense(3, name="h")(Input(2, name="x"))
        network = Network(outputs=Dense(2, name="out")(Dense(3, name="next")(join()(h, same(h)))))
        model = Model(network, "squared_error", dtype="float64", engine=engine)
        p, X = model.parameters, np.random.default_rng(0).normal(size=(5, 2))
        value = X @ p["h"]["W"] + p["h"]["b"]
        joined = value + value if join is Add else np.hstack([value, value])
        expected = (joined @ p["next"]["W"] + p["next"]["b"]) @ p["out"]["W"] + p["out"]["b"]
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-13, atol=1e-15)
        loss = ((expected - 1) ** 2).sum(axis=1).mean()
        assert model.evaluate(X, np.ones((5, 2)))["loss"] == pytest.approx(loss, rel=1e-13)

    def test_it_takes_no_memory_of_the_last_one(self, engine: str) -> None:
        model = Model(Network.mlp(2, [3], 1), "squared_error", engine=engine)
        first = model.predict(np.ones((4, 2)))
        kept = first.copy()
        model.predict(np.zeros((4, 2)))
        np.testing.assert_array_equal(first, kept)


def test_parameters_are_views(engine: str) -> None:
    model = Model(Network.mlp(2, [], 1), "squared_error", engine=engine)
    model.parameters["output"]["W"][...] = 3.0
    assert model.predict([[1, 1]]).item() == 6.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "mlp"}, "network is 'mlp'; it must be a chainrule.Network, such as Network.mlp"),
        ({"loss": "squarred"}, 'there is no loss "squarred". Did you mean'),
        ({"optimizer": "adamm"}, 'there is no optimizer "adamm". Did you mean'),
        ({"seed": -1}, "seed is -1"),
        ({"dtype": "float16"}, 'dtype is \'float16\'; it must be "float32" or "float64"'),
        ({"dtype": "nonsense"}, "dtype is 'nonsense'"),
        ({"dtype": int}, "dtype is <class 'int'>"),
        ({"metrics": ["acuracy"]}, "there is no metric 'acuracy'. Did you mean"),
        ({"metrics": {"mood": ["accuracy"]}}, 'metrics: there is no head "mood"; there are output'),
        ({"engine": "gpu"}, 'engine is \'gpu\'; it must be "auto", "reference" or "native"'),
        ({"l2": -1}, "l2 is -1"),
    ],
)
def test_arguments_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Model(**{"network": Network.mlp(2, [3], 1), "loss": "squared_error", **options})


@pytest.mark.parametrize("given", ["accuracy", ["accuracy"], {"output": ["accuracy"]}], ids=str)
def test_metrics_in_every_form(given: Any) -> None:
    model = Model(Network.mlp(2, [], 3, output="softmax"), "cross_entropy", metrics=given)
    assert set(model.evaluate([[1, 2]], [0])) == {"loss", "accuracy"}


def test_a_metric_as_an_object_alone() -> None:
    metric = Metric("largest", lambda y, h, w: float(np.abs(h - y).max()), False, "max |h - y|")
    model = Model(Network.mlp(1, [], 1), "squared_error", metrics=metric, dtype="float64")
    model.set_parameters({"output": {"W": [[1.0]], "b": [0.0]}})
    assert model.evaluate([[1.0], [5.0]], [1.0, 2.0])["largest"] == 3.0


def test_repr_says_what_it_is() -> None:
    model = Model(Network.mlp(2, [3], 1), "huber", "sgd", engine="reference")
    assert repr(model) == (
        "<Model of <Network of 3 layers, 13 parameters, heads output: 1>, output: huber, sgd, float32, "
        "engine reference>"
    )


@pytest.mark.parametrize("rows", [1, 16, 17, 3000])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_none_is_refused_wherever_it_stands(
    engine: str, rows: int, wrong: float, rng: np.random.Generator
) -> None:
    """Numbers are looked at by whoever reads them first; a bounded function would make an answer of them."""
    model = Model(Network.mlp(5, [4], 2, activation="tanh", output="tanh"), "squared_error", engine=engine)
    X = rng.normal(size=(rows, 5)).astype(np.float32)
    row = int(rng.integers(rows))
    X[row, rng.integers(5)] = wrong
    for given in (X, X.astype(float), X.tolist(), np.asfortranarray(X)):
        with pytest.raises(InputError, match=f"NaN or infinite numbers .* in row {row} "):
            model.predict(given)


@pytest.mark.parametrize("rows", [1, 3000])
def test_numbers_whose_squares_are_too_large_are_numbers(engine: str, rows: int) -> None:
    model = Model(Network.mlp(2, [], 1), "squared_error", engine=engine)
    model.set_parameters({"output": {"W": [[1.0], [0.0]], "b": [0.0]}})
    assert (model.predict(np.full((rows, 2), 1e30, np.float32)) == np.float32(1e30)).all()


def test_a_mean_of_members_that_is_larger_than_any_number_is_no_answer(engine: str) -> None:
    model = Model.ensemble(Network.mlp(1, [], 1), "squared_error", members=2, engine=engine)
    model.training.parameters[...] = 3e38
    model.outputs((np.zeros((1, 1), np.float32),))
    with np.errstate(over="ignore"), pytest.raises(TrainingError, match="row 0"):
        model.predict(np.zeros((1, 1), np.float32))


def test_what_overflows_is_said_and_is_no_answer(engine: str) -> None:
    """Through two exponentials, to infinity minus infinity."""
    network = Network.mlp(1, [2], 1, activation="exponential")
    model = Model(network, "squared_error", dtype="float64", engine=engine)
    model.set_parameters({"hidden": {"W": [[1.0, 1.0]], "b": [0, 0]}, "output": {"W": [[1.0], [-1.0]], "b": [0]}})
    X, y = [[1.0], [1000.0]], [0.0, 0.0]
    assert model.predict(X[:1])[0, 0] == model.evaluate(X[:1], y[:1])["loss"] == 0
    with pytest.raises(TrainingError, match="no finite number for row 1"), np.errstate(all="ignore"):
        model.predict(X)
    model.set_parameters({"output": {"W": [[1.0], [1.0]]}})
    with pytest.raises(TrainingError, match="no finite number for row 1"), np.errstate(all="ignore"):
        model.predict(X)
    model.set_parameters({"output": {"W": [[1.0], [-1.0]]}})
    with pytest.raises(TrainingError, match="the loss of these rows is no number"):
        model.evaluate(X, y)
    with pytest.raises(TrainingError, match="the loss of these rows or its gradient is NaN or infinite"):
        model.loss_and_gradients(X, y)
