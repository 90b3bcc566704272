"""The objective: heads and their losses, what is fused, penalties by layer, reductions, what can't be trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import problems
import pytest
from registered import LOSSES, label, outputs_for

from chainrule import Activation, Add, CrossEntropy, Dense, Huber, Input, InputError, Model, Network, TrainingError
from chainrule.losses import get_loss
from chainrule.objective import Objective
from chainrule.parameters import ParameterRun

TWO = {"a": "squared_error", "b": "cross_entropy"}


def two_heads() -> Network:
    h = Dense(4, activation="tanh", name="h")(Input(3))
    return Network(outputs={"a": Dense(1, name="a")(h), "b": Dense(3, activation="softmax", name="b")(h)})


class TestHeads:
    def test_one_loss_for_one_head_in_any_form(self) -> None:
        network = Network.mlp(2, [], 1)
        for given in ("huber", Huber(), Huber, {"name": "huber"}, {"output": "huber"}, {"output": Huber()}):
            (head,) = Objective(given).on(network).heads
            assert head.loss == Huber()
            assert (head.head, head.weight, head.outputs) == ("output", 1.0, 1)

    def test_several(self) -> None:
        objective = Objective(TWO, loss_weights={"b": 0.3}).on(two_heads())
        assert [(head.head, head.loss.name, head.weight) for head in objective.heads] == [
            ("a", "squared_error", 1.0), ("b", "cross_entropy", 0.3),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("loss", "outputs", "output", "message"),
        [
            ("cross_entropy", 3, "linear", 'output="softmax".* for one class of several, or output="sigmoid"'),
            ("cross_entropy", 1, "linear", 'use output="sigmoid" and the loss "binary_cross_entropy"'),
            ("binary_cross_entropy", 2, "tanh", 'a tanh output doesn\'t make; use .*output="sigmoid"'),
            ("poisson", 1, "linear", 'reads positive numbers.*output="exponential"'),
        ],
    )
    def test_a_head_that_makes_any_number_is_no_probability(
        self, loss: str, outputs: int, output: str, message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            Objective(loss).on(Network.mlp(2, [], outputs, output=output))

    @pytest.mark.parametrize(
        ("loss", "options", "message"),
        [
            ("squared_error", {}, r"loss: the network has the heads a, b; say it for each: \{'a': ...\}"),
            ({"a": "squared_error"}, {}, "loss: nothing is said for these heads: b"),
            ({**TWO, "c": "huber"}, {}, 'loss: there is no head "c"; there are a, b'),
            (TWO, {"loss_weights": {"c": 1}}, 'loss_weights: there is no head "c"; there are a, b'),
            (TWO, {"loss_weights": 2}, "loss_weights is 2; say it by head, as in {'a': 2}"),
            (TWO, {"loss_weights": "a"}, "loss_weights is 'a'; say it by head"),
            (TWO, {"loss_weights": {"a": -1}}, "loss_weights: a is -1; it must be a number of at least 0"),
            (TWO, {"l1": -0.1}, "l1 is -0.1; it must be a number of at least 0"),
            (TWO, {"l2": float("inf")}, "l2 is inf"),
            (TWO, {"convention": "keras"}, 'convention is \'keras\'; it must be "chainrule" or "sklearn"'),
            (
                TWO,
                {"convention": "sklearn", "reduction": "sum"},
                'reduction "sum" exists in the convention "chainrule" only',
            ),
            (TWO, {"reduction": "average"}, 'reduction is \'average\'; it must be "mean" or "sum"'),
            ({**TWO, "a": "huuber"}, {}, 'Did you mean "huber"'),
        ],
    )
    def test_errors(self, loss: Any, options: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message):
            problems.make_model(two_heads(), loss, **options)

    def test_a_head_is_a_vector(self) -> None:
        network = Network([Input((2, 2)), Activation("tanh", name="t")])
        with pytest.raises(InputError, match=r'head "t" makes rows of shape \(2, 2\); a loss takes vectors'):
            Objective("squared_error").on(network)


class TestFusing:
    @pytest.mark.parametrize("loss", LOSSES, ids=label)
    def test_known_pairs_and_no_others(self, loss: Any) -> None:
        for output in outputs_for(loss):
            network = Network.mlp(2, [], 2, output=output)
            (head,) = Objective(loss).on(network).heads
            (plain,) = Objective(loss, fuse=False).on(network).heads
            assert head.fused == (loss.fuses_with == output.name)
            assert not plain.fused
            assert plain.slot == network.heads[0].slot
            if head.fused:
                assert head.slot == network.steps[-1].inputs[0]
                assert head.skips == network.steps[-1].index

    @pytest.mark.parametrize(
        "make",
        [
            lambda p: {"p": p, "q": Dense(1, name="q")(p)},
            lambda p: {"p": p, "q": p},
        ],
        ids=["read by a layer", "another head"],
    )
    def test_not_where_the_activation_is_read_again(self, make: Callable[[Any], Any], engine: str) -> None:
        """The gradient that comes back through the activation would be lost: both routes must give the same one."""
        p = Dense(1, activation="sigmoid", name="p")(Input(2, name="x"))
        network = Network(outputs=make(p))
        loss = {"p": "binary_cross_entropy", "q": "squared_error"}
        assert not Objective(loss).on(network).heads[0].fused
        X, y = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([1.0, 0.0])
        results = [
            Model(network, Objective(loss, fuse=fuse), dtype="float64", seed=2, engine=engine).loss_and_gradients(
                X, {"p": y, "q": y}
            )
            for fuse in (True, False)
        ]
        assert results[0][0] == pytest.approx(results[1][0], rel=1e-14)
        np.testing.assert_allclose(results[0][1]["p"]["W"], results[1][1]["p"]["W"], rtol=1e-13)

    def test_the_pre_activation_may_be_read_by_others(self, engine: str) -> None:
        """Only the activation's own backward pass is skipped: `z` sums the gradients of all its readers."""
        z = Dense(3, name="z")(Input(2, name="x"))
        p = Activation("softmax", name="p")(z)
        network = Network(outputs={"p": p, "q": Dense(1, name="q")(Add()(z, Activation("tanh", name="t")(z)))})
        loss = {"p": "cross_entropy", "q": "squared_error"}
        X, y = np.array([[1.0, 2.0], [0.5, -1.0]]), {"p": [0, 2], "q": [1.0, 0.0]}
        fused = Model(network, loss, dtype="float64", engine=engine)
        plain = Model(network, Objective(loss, fuse=False), dtype="float64", engine=engine)
        assert fused.objective.heads[0].fused
        for name in ("W", "b"):
            a, b = (model.loss_and_gradients(X, y)[1]["z"][name] for model in (fused, plain))
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


class TestPenalties:
    def test_a_layer_may_say_otherwise(self) -> None:
        network = Network(
            [
                Input(2),
                Dense(2, name="a"),
                Dense(2, l2=0.5, name="b"),
                Dense(2, l1=0.1, l2=0.0, name="c"),
                Dense(1, name="d"),
            ]
        )
        objective = Objective("squared_error").on(network, l1=0.0, l2=0.25)
        charges = {}
        for span in network.layout.spans:
            for run in objective.penalties:
                if run.begin <= span.slice.start < run.end:
                    charges[span.key] = (run.l1, run.l2)
        assert charges == {"a/W": (0, 0.25), "b/W": (0, 0.5), "c/W": (0.1, 0), "d/W": (0, 0.25)}
        vector = np.zeros(network.layout.size)
        named = network.layout.named(vector)
        for arrays, value in zip(named.values(), (1.0, -2.0, 3.0, 4.0), strict=True):
            arrays["W"][...] = value
            arrays["b"][...] = 100  # free of charge
        assert objective.penalty(vector) == pytest.approx(4 * 0.25 + 4 * 4 * 0.5 + 4 * 3 * 0.1 + 2 * 16 * 0.25)

    def test_weights_of_one_charge_are_one_run(self) -> None:
        network = Network.mlp(3, [5, 4], 2)
        (run,) = Objective("squared_error").on(network, l2=0.1).penalties
        weights = [span for span in network.layout.spans if span.spec.kind == "weight"]
        assert run == ParameterRun(0, weights[-1].slice.stop, l1=0.0, l2=0.1)
        assert Objective("squared_error").on(network).penalties == ()

    def test_the_penalty_is_added_once_per_step_whatever_the_batch(self, engine: str) -> None:
        """Batches of 2 and of 4 rows: the charge is the same, and so it is with `reduction="sum"`."""
        network, X = Network.mlp(2, [], 1), np.zeros((4, 2))
        for reduction in ("mean", "sum"):
            objective = Objective("squared_error", reduction=reduction)
            model = Model(network, objective, l2=0.5, dtype="float64", engine=engine)
            model.set_parameters({"output": {"W": [[1.0], [2.0]], "b": [0.0]}})
            for rows in (1, 2, 4):
                assert model.loss_and_gradients(X[:rows], np.zeros(rows))[0] == pytest.approx(2.5, rel=1e-15)
                assert model.evaluate(X[:rows], np.zeros(rows))["loss"] == pytest.approx(2.5, rel=1e-15)


class TestReduction:
    X, y = np.array([[1.0], [2.0], [3.0]]), np.array([0.0, 0.0, 0.0])

    def model(self, engine: str, **options: Any) -> Model:
        network = Network.mlp(1, [], 1)
        model = problems.make_model(network, "squared_error", dtype="float64", engine=engine, **options)
        model.set_parameters({"output": {"W": [[1.0]], "b": [0.0]}})
        return model

    @pytest.mark.parametrize(
        ("reduction", "weights", "loss", "slope"),
        [
            ("mean", None, 14 / 3, 28 / 3),
            ("sum", None, 14, 28),
            ("mean", [1, 0, 2], 19 / 3, 38 / 3),
            ("sum", [1, 0, 2], 19, 38),
            ("mean", [5, 5, 5], 14 / 3, 28 / 3),
            ("sum", [5, 5, 5], 70, 140),
        ],
    )
    def test_weighted_rows(self, reduction: Any, weights: Any, loss: float, slope: float, engine: str) -> None:
        model = self.model(engine, reduction=reduction)
        found, gradients = model.loss_and_gradients(self.X, self.y, weights)
        assert found == pytest.approx(loss, rel=1e-15)
        assert gradients["output"]["W"].item() == pytest.approx(slope, rel=1e-15)
        assert model.evaluate(self.X, self.y, weights)["loss"] == pytest.approx(loss, rel=1e-15)

    def test_a_row_of_weight_2_is_that_row_twice(self, engine: str) -> None:
        model = self.model(engine)
        weighted = model.loss_and_gradients(self.X, self.y, [1, 2, 1])
        repeated = model.loss_and_gradients(self.X[[0, 1, 1, 2]], self.y[[0, 1, 1, 2]])
        assert weighted[0] == pytest.approx(repeated[0], rel=1e-15)

    def test_heads_are_divided_by_their_own_weights(self, engine: str) -> None:
        """A row that is masked in one head still counts in the other."""
        model = Model(two_heads(), Objective(TWO, loss_weights={"a": 2.0, "b": 3.0}), dtype="float64", engine=engine)
        X = np.random.default_rng(0).normal(size=(3, 3))
        y = {"a": [1.0, 2.0, 3.0], "b": [0, 1, 2]}
        masked, _ = model.loss_and_gradients(X, y, {"a": [1, 0, 0]})
        out = model.predict(X)
        a = (out["a"][0, 0] - 1.0) ** 2
        b = -np.log(out["b"][[0, 1, 2], [0, 1, 2]]).mean()
        assert masked == pytest.approx(2 * a + 3 * b, rel=1e-14)

    def test_a_batch_whose_rows_all_weigh_nothing_changes_nothing(self, engine: str) -> None:
        model = Model(Network.mlp(1, [], 1), "squared_error", "sgd", dtype="float64", engine=engine)
        before = model.parameters["output"]["W"].copy()
        seen = []
        model.fit(self.X, self.y + 1, epochs=1, batch_size=1, shuffle=False, sample_weight=[0, 0, 1],
                  callbacks=lambda record: seen.append(record.loss))  # fmt: skip
        assert np.isfinite(seen).all()
        assert (model.parameters["output"]["W"] != before).any()


class TestThreshold:
    def test_training_through_it_is_refused_with_the_reason(self) -> None:
        network = Network([Input(2), Dense(2, activation="threshold", name="unit"), Dense(1)])
        model = Model(network, "squared_error")
        X, y = np.zeros((2, 2)), np.zeros(2)
        for attempt in (model.fit, model.loss_and_gradients, model.memo_report):
            with pytest.raises(TrainingError, match=r'layer "unit" can\'t be trained through.*derivative that is zero'):
                attempt(X, y)

    def test_forward_works(self, engine: str) -> None:
        model = Model(Network.mlp(2, [], 1, output="threshold"), "squared_error", engine=engine)
        model.set_parameters({"output": {"W": [[1.0], [1.0]], "b": [-1.5]}})
        X = [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert model.predict(X).ravel().tolist() == [0, 0, 0, 1]
        assert model.evaluate(X, [0, 0, 0, 1])["loss"] == 0

    def test_before_all_parameters_it_is_a_fixed_map_of_the_data(self, engine: str) -> None:
        network = Network([Input(2), Activation("threshold"), Dense(1)])
        history = Model(network, "squared_error", engine=engine).fit([[1, 0], [0, 1]], [1.0, 2.0], epochs=2)
        assert len(history) == 2


def test_formulas_are_there_for_every_loss() -> None:
    for loss in LOSSES:
        assert get_loss(loss.name).formula
    assert CrossEntropy().fused_formula
