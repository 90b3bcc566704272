"""What `fit` refuses, each with what would be right: rows without weight, a model at work, nothing to learn."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import problems
import pytest

import chainrule as cr
from chainrule import Callback, Dense, EarlyStopping, Input, InputError, Model, Network, TrainingError, random

X, Y = problems.regression(20, 3)


def new_model(engine: str, **options: Any) -> Model:
    return Model(Network.mlp(3, [4], 1), "squared_error", metrics=["mean_absolute_error"], engine=engine, **options)


class TestHeldOutRowsWithoutWeight:
    def weights(self, seed: int, of_held_out: float, of_others: float) -> np.ndarray:
        held_out = random.permutation(20, seed, 0, stream=random.SPLIT)[:5]
        weights = np.full(20, of_others)
        weights[held_out] = of_held_out
        return weights

    @pytest.mark.parametrize("stop", [(), EarlyStopping(2)])
    def test_their_loss_would_be_0(self, stop: Any, engine: str) -> None:
        model = new_model(engine, seed=3)
        with pytest.raises(InputError, match="sample_weight is 0 for all 5 rows held out for validation"):
            model.fit(X, Y, validation=0.25, sample_weight=self.weights(3, 0.0, 1.0), stop=stop, progress=False)
        assert not len(model.history)

    def test_nor_is_there_anything_to_learn_from(self, engine: str) -> None:
        with pytest.raises(InputError, match="sample_weight is 0 for all 15 rows that are left to train on"):
            new_model(engine, seed=3).fit(X, Y, validation=0.25, sample_weight=self.weights(3, 1.0, 0.0))

    def test_one_head_of_two(self, engine: str) -> None:
        network = Network.mlp(3, [4], {"a": 1, "b": 1})
        model = Model(network, dict.fromkeys("ab", "squared_error"), seed=3, engine=engine)
        weights = {"a": np.ones(20), "b": self.weights(3, 0.0, 1.0)}
        with pytest.raises(InputError, match="for all 5 rows held out"):
            model.fit(X, dict.fromkeys("ab", Y), validation=0.25, sample_weight=weights, progress=False)


class TestAModelAtWork:
    def test_fit_inside_its_own_callback(self, engine: str) -> None:
        model = new_model(engine)
        with pytest.raises(TrainingError, match="the model is being trained already"):
            model.fit(X, Y, epochs=3, callbacks=lambda record: model.fit(X, Y, epochs=1, progress=False))
        model.fit(X, Y, epochs=2, progress=False)  # it is free again
        assert [record.epoch for record in model.history] == [1, 2]

    def test_two_threads(self, engine: str) -> None:
        model, started, go_on, caught = new_model(engine), threading.Event(), threading.Event(), []

        class Wait(Callback):
            def on_epoch(self, run: Any, record: Any) -> None:
                started.set()
                assert go_on.wait(30)

        first = threading.Thread(target=lambda: model.fit(X, Y, epochs=2, callbacks=Wait(), progress=False))
        first.start()
        assert started.wait(30)
        try:
            model.fit(X, Y, epochs=7, progress=False)
        except TrainingError as error:
            caught.append(error)
        answers = [model.predict(X) for _ in range(3)]  # asking is allowed
        go_on.set()
        first.join()
        assert len(caught) == 1
        assert len(model.history) == 2
        assert all(np.isfinite(answer).all() for answer in answers)

    def test_many_threads_may_predict(self, engine: str) -> None:
        model, answers = new_model(engine), []
        expected = model.predict(X)
        threads = [threading.Thread(target=lambda: answers.append(model.predict(X))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 8
        for answer in answers:
            np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("members", [1, 2])
def test_lbfgs_with_nothing_to_learn(members: int, engine: str) -> None:
    network = Network([Input(3), Dense(1, trainable=False)])
    model = Model.ensemble(network, "squared_error", "lbfgs", members=members, engine=engine)
    with pytest.raises(TrainingError, match="L-BFGS has nothing to learn: the network has no parameter"):
        model.fit(X, Y, progress=False)


@pytest.mark.parametrize("threads", [2**40, 0, -1, 1.5])
def test_a_number_of_threads_that_no_machine_has(threads: Any, engine: str) -> None:
    with pytest.raises(InputError, match=r"Model: threads is .*; it must be a whole number in \[1, 4096\]"):
        new_model(engine, threads=threads)


@pytest.mark.parametrize("number", [1e160, -1e200])
def test_targets_whose_squares_overflow(number: float, engine: str) -> None:
    """The loss is infinite: said as a divergence, whatever the optimizer, and not by a traceback."""
    for optimizer in ("lbfgs", "adam"):
        model = Model(Network.mlp(3, [4], 1), "squared_error", optimizer, dtype="float64", engine=engine)
        with pytest.raises(cr.DivergenceError, match="the loss became NaN or infinite in epoch 1, step 1"):
            model.fit(X, np.full(20, number), progress=False)
