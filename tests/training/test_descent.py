"""The one training loop: its steps by hand, its epochs, what it records, what it leaves frozen, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import problems
import pytest
import registered

from chainrule import (
    SGD,
    Adam,
    AdamW,
    BatchNorm,
    Dense,
    Dropout,
    Input,
    InputError,
    Metric,
    Model,
    Network,
    random,
)  # fmt: skip
from chainrule.data import prepare_rows
from chainrule.engines.reference import ReferenceEngine
from chainrule.layers import Context
from chainrule.objective import Objective
from chainrule.training.batches import Shuffle, epoch_order


def rich_network() -> Network:
    """Everything that has a say in a step: dropout, batch normalization, sizes that need padding."""
    return Network(
        [
            Input(3, name="x"), Dense(5, activation="tanh", name="a"), BatchNorm(name="n"), Dropout(0.3, name="d"),
            Dense(1, name="out"),
        ]
    )  # fmt: skip


def rich_model(engine: str, optimizer: Any = "adam", **options: Any) -> Model:
    settings = {"l2": 0.01, "seed": 5, "dtype": "float64", "engine": engine, **options}
    return problems.make_model(rich_network(), "squared_error", optimizer, **settings)


def by_hand(
    model: Model, X: Any, y: Any, w: Any, orders: list[np.ndarray], batch: int, rate: float, clip: float
) -> list[float]:
    """Train by the definition: gradient of each batch, clipped by its norm, one update; the loss of each epoch."""
    engine = ReferenceEngine(model.network, model.objective)
    state, losses = model.training, []
    for order in orders:
        weighted, weights, penalties, steps = 0.0, 0.0, 0.0, 0
        for begin in range(0, len(order), batch):
            rows = order[begin : begin + batch]
            data = prepare_rows(model.network, model.objective, X[rows], y[rows], w[rows], model.dtype)
            result = engine.gradients(
                state.parameters, state.state, data, training=True, seed=model.seed, step=state.step
            )
            g = result.vector[0]
            g *= min(1.0, clip / np.linalg.norm(g))
            state.step += 1
            model.optimizer.update(state.parameters[0], g, state.slots[0], rate, state.step)
            state.state[...] = result.state
            weighted += result.sums.losses[0, 0]
            weights += result.sums.weights[0, 0]
            penalties += result.sums.penalties[0]
            steps += 1
        losses.append(weighted / weights + penalties / steps)
    return losses


@pytest.mark.parametrize(
    "shuffle",
    [True, False, "replace", lambda epoch: np.arange(7)[:: 1 if epoch else -1]],
    ids=["shuffled", "in order", "replace", "by a function"],
)
@pytest.mark.parametrize("batch", [1, 4, 10, "full"])
def test_a_fit_is_its_steps(batch: int | str, shuffle: Shuffle, engine: str) -> None:
    """Ten rows in batches of 4, 4 and 2, one row at a time, and all at once; with weights, penalties and clipping."""
    X, y = problems.regression(10, 3)
    w = np.linspace(0.5, 2, 10)
    size = 10 if batch == "full" else batch
    network = rich_network() if size > 1 else Network.mlp(3, [5], 1, activation="tanh", dropout=0.3)
    models = [
        Model(network, "squared_error", Adam(0.02), l2=0.01, seed=5, dtype="float64", engine=engine) for _ in range(2)
    ]
    orders = [epoch_order(10, shuffle, 5, epoch)[0] for epoch in range(3)]
    losses = by_hand(models[0], X, y, w, orders, size, 0.02, clip=0.8)
    history = models[1].fit(X, y, epochs=3, batch_size=batch, shuffle=shuffle, sample_weight=w, clip_norm=0.8)
    assert models[0].training.step == models[1].training.step == sum(-(-len(order) // size) for order in orders)
    # nine to thirty steps of a few hundred roundings each
    problems.assert_same(problems.flat(models[0].parameters), problems.flat(models[1].parameters), 1e-12)
    problems.assert_same(problems.flat(models[0].state), problems.flat(models[1].state), 1e-12)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)


def test_the_record_of_every_epoch(engine: str) -> None:
    X, y = problems.classes(40)
    network = Network.mlp(3, [4], 3, activation="tanh", output="softmax")
    model = Model(network, "cross_entropy", Adam(0.05), metrics=["accuracy"], l2=0.001, dtype="float64", engine=engine)
    validation = (X[30:], y[30:])
    seen = []

    def look(record: Any) -> None:
        seen.append((record, model.evaluate(X[:30], y[:30]), model.evaluate(*validation)))

    history = model.fit(X[:30], y[:30], epochs=4, batch_size=10, validation=validation, callbacks=look)
    assert [record.epoch for record in history] == [1, 2, 3, 4]
    assert [record.step for record in history] == [3, 6, 9, 12]
    assert history["learning_rate"] == [0.05] * 4
    assert history.stopped_by == "epochs"
    assert history is model.history
    assert all(a <= b for a, b in zip([0.0, *history["seconds"]], history["seconds"], strict=False))
    for record, training, held_out in seen:
        assert record.metrics == {"accuracy": training["accuracy"]}
        assert record.validation_loss == held_out["loss"]
        assert record.validation_metrics == {"accuracy": held_out["accuracy"]}
    assert history["accuracy"] == [record.metrics["accuracy"] for record, *_ in seen]
    assert history["validation_accuracy"] == [record.validation_metrics["accuracy"] for record, *_ in seen]
    assert history.last.loss < history.epochs[0].loss


def test_a_fit_goes_on_from_the_parameters_at_hand(engine: str) -> None:
    """Twice two epochs are four: parameters, optimizer and the random stream go on; only the history is new."""
    X, y = problems.regression(12, 3)
    whole, twice = rich_model(engine), rich_model(engine)
    whole.fit(X, y, epochs=4, batch_size=4)
    twice.fit(X, y, epochs=2, batch_size=4)
    history = twice.fit(X, y, epochs=2, batch_size=4)
    problems.assert_same(problems.flat(twice.parameters), problems.flat(whole.parameters))
    assert [record.epoch for record in history] == [1, 2]
    assert history["loss"] == whole.history["loss"][2:]


def test_one_seed_decides_everything(engine: str) -> None:
    X, y = problems.regression(12, 3)

    def trained(seed: int) -> dict[str, np.ndarray]:
        model = Model(rich_network(), "squared_error", seed=seed, engine=engine)
        model.fit(X, y, epochs=2, batch_size=4, validation=0.25)
        return problems.flat(model.parameters)

    problems.assert_same(trained(1), trained(1))
    assert not np.array_equal(trained(1)["a/W"], trained(2)["a/W"])


class TestValidation:
    def test_a_fraction_holds_rows_out_of_training(self, engine: str) -> None:
        """The rows of the split's own stream, in the order of the data: each is in one part, none in both."""
        X, y = problems.regression(20, 3)
        fraction, explicit = rich_model(engine), rich_model(engine)
        order = random.permutation(20, 5, 0, stream=random.SPLIT)
        out, into = np.sort(order[:5]), np.sort(order[5:])
        first = fraction.fit(X, y, epochs=2, batch_size=5, validation=0.25)
        second = explicit.fit(X[into], y[into], epochs=2, batch_size=5, validation=(X[out], y[out]))
        assert first["loss"] == second["loss"]
        assert first["validation_loss"] == second["validation_loss"]

    def test_row_weights_go_along(self, engine: str) -> None:
        X, y = problems.regression(20, 3)
        w = np.linspace(0.1, 3, 20)
        model = rich_model(engine)
        history = model.fit(X, y, epochs=1, sample_weight=w, validation=0.25)
        out = np.sort(random.permutation(20, 5, 0, stream=random.SPLIT)[:5])
        assert history["validation_loss"] == [model.evaluate(X[out], y[out], w[out])["loss"]]
        weighted = model.fit(X, y, epochs=1, validation=(X[out], y[out], w[out]))
        assert weighted["validation_loss"] == [model.evaluate(X[out], y[out], w[out])["loss"]]

    def test_at_least_one_row(self, engine: str) -> None:
        X, y = problems.regression(4, 3)
        history = rich_model(engine).fit(X, y, epochs=1, validation=0.01)
        assert history.last.step == 1
        assert history.last.validation_loss is not None

    @pytest.mark.parametrize(
        ("validation", "message"),
        [
            (0, r"fit: validation is 0; it must be a number in \(0, 1\)"),
            (1.0, "fit: validation is 1.0"),
            ("half", "fit: validation is 'half'"),
            ((1,), r"validation is a fraction, \(X, y\) or \(X, y, sample_weight\)"),
            ((np.zeros((2, 2)), np.zeros(2)), r"X has shape \(2, 2\)"),
            (0.99, "validation=0.99 of 4 rows leaves none to train on"),
        ],
    )
    def test_errors(self, validation: Any, message: str) -> None:
        X, y = problems.regression(4, 3)
        with pytest.raises(InputError, match=message):
            rich_model("reference").fit(X, y, validation=validation)


class TestFrozenLayers:
    @pytest.mark.parametrize(
        "optimizer", [SGD(0.1, momentum=0.9, weight_decay=0.1), AdamW(0.1, weight_decay=0.5)], ids=["sgd", "adamw"]
    )
    def test_they_dont_change_whatever_decays(self, optimizer: Any, engine: str) -> None:
        network = Network(
            [
                Input(3), Dense(5, activation="tanh", name="a"), Dense(4, activation="tanh", trainable=False, name="b"),
                Dense(2, trainable=False, name="c"), Dense(1, name="d"),
            ]
        )  # fmt: skip
        model = Model(network, "squared_error", optimizer, l2=0.1, dtype="float64", engine=engine)
        before = problems.flat(model.parameters)
        model.fit(*problems.regression(12, 3), epochs=3, batch_size=4)
        after = problems.flat(model.parameters)
        changed = {key for key in before if not np.array_equal(before[key], after[key])}
        assert changed == {"a/W", "a/b", "d/W", "d/b"}
        assert (after["a/W"] != before["a/W"]).all()

    def test_the_others_train_as_with_the_same_numbers_given(self, engine: str) -> None:
        """A frozen first layer is a fixed map of the data: training behind it is training on its outputs."""
        X, y = problems.regression(12, 3)
        frozen = Network([Input(3), Dense(4, activation="tanh", trainable=False, name="a"), Dense(1, name="out")])
        model = Model(frozen, "squared_error", "adam", dtype="float64", engine=engine)
        features = np.tanh(X @ model.parameters["a"]["W"] + model.parameters["a"]["b"])
        alone = Model(Network.mlp(4, [], 1), "squared_error", "adam", dtype="float64", engine=engine)
        alone.set_parameters({"output": model.parameters["out"]})
        model.fit(X, y, epochs=5, batch_size=3, shuffle=False)
        alone.fit(features, y, epochs=5, batch_size=3, shuffle=False)
        np.testing.assert_allclose(model.parameters["out"]["W"], alone.parameters["output"]["W"], rtol=0, atol=1e-13)

    def test_clipping_counts_trainable_gradients_only(self, engine: str) -> None:
        X, y = problems.regression(12, 3)
        network = Network([Input(3), Dense(4, trainable=False, name="a"), Dense(1, name="out")])
        model = Model(network, "squared_error", SGD(1.0), dtype="float64", engine=engine)
        before = problems.flat(model.parameters)
        model.fit(X, y, epochs=1, batch_size="full", clip_norm=0.01)
        after = problems.flat(model.parameters)
        moved = np.sqrt(sum(((after[k] - before[k]) ** 2).sum() for k in before))
        assert moved == pytest.approx(0.01, rel=1e-12)

    def test_with_nothing_to_train_nothing_changes(self, engine: str) -> None:
        network = Network([Input(3), Dense(1, trainable=False, name="out")])
        model = Model(network, "squared_error", engine=engine)
        before = problems.flat(model.parameters)
        history = model.fit(*problems.regression(12, 3), epochs=2)
        assert history["loss"][0] == pytest.approx(history["loss"][1], rel=1e-6)  # another order of a float32 sum
        problems.assert_same(problems.flat(model.parameters), before)


class TestMembers:
    """Several networks of one shape side by side."""

    def test_each_has_its_own_start_order_and_masks(self, engine: str) -> None:
        model = rich_model(engine, members=3)
        first, second, third = model.training.parameters.copy()
        assert not np.array_equal(first, second)
        assert not np.array_equal(second, third)
        alone = rich_model(engine)
        np.testing.assert_array_equal(alone.training.parameters[0], first)
        X, y = problems.regression(12, 3)
        model.fit(X, y, epochs=3, batch_size=4)
        alone.fit(X, y, epochs=3, batch_size=4)
        np.testing.assert_array_equal(model.training.parameters[0], alone.training.parameters[0])
        assert not np.isclose(model.training.parameters[1], model.training.parameters[2]).all()

    def test_two_members_are_two_runs_but_for_the_random_stream(self, engine: str) -> None:
        """No dropout, one order for both: each member is bit for bit the model that starts where it started."""
        X, y = problems.regression(12, 3)
        network = Network([Input(3), Dense(5, activation="tanh"), BatchNorm(), Dense(1)])

        def fitted(**options: Any) -> Model:
            model = Model.ensemble(network, "squared_error", l2=0.01, dtype="float64", engine=engine, **options)
            model.fit(X, y, epochs=4, batch_size=4, shuffle=False, clip_norm=1.0)
            return model

        starts = Model.ensemble(network, "squared_error", dtype="float64", members=2, seed=9).training.parameters
        both = fitted(members=starts)
        for member in range(2):
            one = fitted(members=starts[member : member + 1])
            np.testing.assert_array_equal(both.training.parameters[member], one.training.parameters[0])
            np.testing.assert_array_equal(both.training.state[member], one.training.state[0])
            np.testing.assert_array_equal(both.training.slots[member], one.training.slots[0])

    def test_they_answer_with_their_mean(self, engine: str) -> None:
        X, y = problems.regression(12, 3)
        model = rich_model(engine, members=2)
        ones = []
        for member in range(2):
            one = rich_model(engine)
            one.training.parameters[...] = model.training.parameters[member]
            ones.append(one)
        np.testing.assert_allclose(model.predict(X), (ones[0].predict(X) + ones[1].predict(X)) / 2, rtol=1e-14)
        losses = [one.evaluate(X, y)["loss"] for one in ones]
        assert model.evaluate(X, y)["loss"] == pytest.approx(sum(losses) / 2, rel=1e-14)

    @pytest.mark.parametrize("members", [0, -1, 1.5, True])
    def test_their_number(self, members: Any) -> None:
        with pytest.raises(InputError, match=r"Model: members is .*; it must be a whole number of at least 1"):
            rich_model("reference", members=members)

    def test_a_start_of_the_wrong_shape(self) -> None:
        with pytest.raises(InputError, match=r"members has shape \(1, 3\)"):
            rich_model("reference", members=np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "fit: epochs is 0; it must be a whole number of at least 1"),
        ({"epochs": 1.5}, "fit: epochs is 1.5"),
        ({"clip_norm": 0}, "fit: clip_norm is 0; it must be a number above 0"),
        ({"batch_size": 100}, "batch_size is 100 but there are 8 training rows"),
        ({"shuffle": "no"}, "shuffle is 'no'"),
        ({"callbacks": 3}, "a callback is a chainrule.Callback or a function of the epoch's record, not 3"),
        ({"stop": "early"}, "stop takes stopping rules"),
        ({"stop": [3]}, "stop takes stopping rules"),
    ],
)
def test_arguments_are_checked(options: dict[str, Any], message: str) -> None:
    model = rich_model("reference")
    before = problems.flat(model.parameters)
    with pytest.raises(InputError, match=message):
        model.fit(*problems.regression(8, 3), **options)
    problems.assert_same(problems.flat(model.parameters), before)


def test_data_that_cant_be_used_leave_the_last_history_alone(engine: str) -> None:
    model = rich_model(engine)
    model.fit(*problems.regression(8, 3), epochs=2)
    with pytest.raises(InputError):
        model.fit(np.zeros((8, 2)), np.zeros(8))
    assert len(model.history) == 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_stays_throughout(dtype: str, engine: str) -> None:
    model = Model(rich_network(), "quantile", "adam", dtype=dtype, engine=engine)
    model.fit(*problems.regression(8, 3), epochs=2, batch_size=4)
    state = model.training
    assert state.parameters.dtype == state.state.dtype == state.slots.dtype == dtype
    assert model.predict(np.zeros((2, 3))).dtype == dtype
    assert model.loss_and_gradients(np.zeros((2, 3)), np.zeros(2))[1]["a"]["W"].dtype == dtype


def test_a_metric_of_ones_own(engine: str) -> None:
    bias = Metric("bias", lambda y, h, w: float(np.average((h - y)[:, 0], weights=w)), False, "mean (h - y)")
    model = Model(rich_network(), "squared_error", metrics=[bias], engine=engine)
    history = model.fit(*problems.regression(8, 3), epochs=2)
    assert len(history["bias"]) == 2


def test_every_layer_and_loss_stays_in_float32_inside() -> None:
    """No array of a pass is float64 in a float32 model: memory and speed would be lost in silence."""
    for loss in registered.LOSSES:
        output = registered.usual_output(loss)
        for layer in registered.LAYER_NAMES:
            for fuse in (True, False):
                network = problems.network_with(layer, registered.ACTIVATIONS[4], output)
                objective = Objective(loss, fuse=fuse, loss_weights={"head": np.float64(2)})
                model = Model(network, objective, dtype="float32", engine="reference")
                engine = model._engine
                assert isinstance(engine, ReferenceEngine)
                X = {name: np.ones((4, *shape)) for name, shape in network.input_shapes.items()}
                y = problems.targets_for(loss, 4, 2, np.random.default_rng(0))
                data = prepare_rows(network, model.objective, X, y, np.ones(4), model.dtype)
                state = model.training
                p, s = network.layout.views(state.parameters[0]), network.state_layout.views(state.state[0])
                forward = engine.forward(p, s, data.inputs, Context(training=True, dtype="float32"))
                arrays = [
                    *(v for v in forward.values if v.dtype.kind == "f"),
                    *(a for memo in forward.memos for a in memo.values() if a.size > 2),
                ]
                deltas = engine._loss_deltas(forward.values, data, np.ones(1))
                grads = network.layout.zeros(1, "float32")
                arrays += engine.backward(p, forward.memos, deltas, network.layout.views(grads[0])).values()
                assert "float64" not in {a.dtype.name for a in arrays}, (loss.name, layer, fuse)
