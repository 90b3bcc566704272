"""Networks side by side: each is what it would be alone, whatever happens to the others."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

import numpy as np
import problems
import pytest

import chainrule as cr
from chainrule.folds import Part, fold_parts

X, Y = problems.regression(60, 3)
STOP = cr.EarlyStopping(4)


def model(engine: str = "auto", **options: Any) -> cr.Model:
    network = cr.Network.mlp(3, [6], 1, activation="tanh", dropout=0.2, batch_norm=True)
    return cr.Model(network, "squared_error", options.pop("optimizer", "adam"), seed=7, engine=engine, **options)


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_each_is_bit_for_bit_what_it_is_alone(engine: str, threads: int | None) -> None:
    trained = cr.fit_members(model(engine), X, Y, members=4, epochs=20, batch_size=8, stop=STOP, threads=threads)
    assert trained.model.members == 4
    for i, part in enumerate(trained.parts):
        alone = cr.Model(model().network, "squared_error", seed=7 + i, engine=engine)
        held_out = X[part.held_out], Y[part.held_out]
        alone.fit(X[part.train], Y[part.train], validation=held_out, epochs=20, batch_size=8, stop=STOP)
        for mine, own in ((trained.model.training.parameters, alone.training.parameters),
                          (trained.model.training.state, alone.training.state)):  # fmt: skip
            assert mine[i].tobytes() == own[0].tobytes()
        assert trained.histories[i]["loss"] == alone.history["loss"]
        assert (trained.histories[i].best_epoch, trained.histories[i].stopped_by) == (
            alone.history.best_epoch, alone.history.stopped_by,
        )  # fmt: skip
        np.testing.assert_array_equal(trained.out_of_fold[part.held_out], alone.predict(X[part.held_out]))
        np.testing.assert_array_equal(trained.model.member(i + 1).predict(X), alone.predict(X))


def test_the_prediction_is_the_mean() -> None:
    trained = cr.fit_members(model(), X, Y, members=3, epochs=3)
    each = [trained.model.member(number).predict(X) for number in (1, 2, 3)]
    np.testing.assert_allclose(trained.model.predict(X), np.mean(each, axis=0), rtol=1e-5)


def test_the_model_that_was_given_stays_as_it_is() -> None:
    given = model()
    before = given.training.parameters.copy()
    cr.fit_members(given, X, Y, members=3, epochs=3)
    np.testing.assert_array_equal(given.training.parameters, before)
    assert len(given.history) == 0


def test_more_members_than_folds_are_averaged_out_of_fold() -> None:
    trained = cr.fit_members(model(), X, Y, members=6, folds=3, epochs=3)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([part.held_out for part in trained.parts])), np.repeat(np.arange(60), 2)
    )
    row = int(trained.parts[0].held_out[0])
    whose = [i for i, part in enumerate(trained.parts) if row in part.held_out]
    said = [trained.model.member(i + 1).predict(X[row : row + 1])[0, 0] for i in whose]
    assert len(whose) == 2
    assert trained.out_of_fold[row, 0] == pytest.approx(np.mean(said), rel=1e-6)


def test_a_part_of_their_own_none_and_parts_that_are_given() -> None:
    own = cr.fit_members(model(), X, Y, members=3, validation=0.2, epochs=2)
    assert [len(part.held_out) for part in own.parts] == [12] * 3
    assert 0 < np.isnan(own.out_of_fold).mean() < 1
    none = cr.fit_members(model(), X, Y, members=2, validation=0, epochs=2)
    assert np.isnan(none.out_of_fold).all()
    assert none.histories[0]["validation_loss"] == [None] * 2
    given = cr.fit_members(model(), X, Y, parts=[(range(40), list(range(50, 60)))], epochs=2)
    assert given.model.members == 1
    assert np.isfinite(given.out_of_fold[50:]).all()
    assert np.isnan(given.out_of_fold[:50]).all()


def test_groups_and_classes() -> None:
    groups, labels = np.arange(60) % 7, np.arange(60) % 2
    for part in cr.fit_members(model(), X, Y, members=3, groups=groups, epochs=1).parts:
        assert not set(groups[part.train]) & set(groups[part.held_out])
    for part in cr.fit_members(model(), X, Y, members=3, stratify=labels, epochs=1).parts:
        assert labels[part.held_out].mean() == 0.5


def test_several_heads_inputs_and_weights() -> None:
    x, z = cr.Input(3, name="x"), cr.Input(1, name="z")
    joined = cr.Concatenate()(x, z)
    network = cr.Network(
        inputs=[x, z],
        outputs={"a": cr.Dense(1, name="a")(joined), "b": cr.Dense(2, activation="softmax", name="b")(joined)},
    )
    both = cr.Model(network, {"a": "squared_error", "b": "cross_entropy"}, dtype="float64")
    rows, targets = {"x": X, "z": Y.reshape(-1, 1)}, {"a": Y, "b": (Y.ravel() > 0).astype(int)}
    trained = cr.fit_members(both, rows, targets, members=3, epochs=2, sample_weight=np.linspace(0.5, 1, 60))
    assert {name: said.shape for name, said in trained.out_of_fold.items()} == {"a": (60, 1), "b": (60, 2)}
    np.testing.assert_allclose(trained.out_of_fold["b"].sum(axis=1), 1)


def test_lbfgs() -> None:
    network = cr.Network.mlp(3, [4], 1, activation="tanh")
    trained = cr.fit_members(cr.Model(network, "squared_error", "lbfgs", seed=1), X, Y, members=3, epochs=15)
    for i, part in enumerate(trained.parts):
        alone = cr.Model(network, "squared_error", "lbfgs", seed=1 + i)
        alone.fit(X[part.train], Y[part.train], validation=(X[part.held_out], Y[part.held_out]), epochs=15)
        assert alone.training.parameters[0].tobytes() == trained.model.training.parameters[i].tobytes()


class TestWhatGoesWrong:
    def outlier(self) -> tuple[Any, Any, list[Part]]:
        """Rows of which the first makes a network diverge; only the second member has it."""
        inputs, targets = X.copy(), Y.copy()
        inputs[0], targets[0] = 1e18, 1e18
        own = fold_parts(59, 3, 3)
        parts = [Part(part.train + 1, part.held_out + 1) for part in own]
        return inputs, targets, [parts[0], Part(np.append(0, parts[1].train), parts[1].held_out), parts[2]]

    def test_a_member_that_diverges_is_left_out_and_said(self, caplog) -> None:
        inputs, targets, parts = self.outlier()
        plain = cr.Model(cr.Network.mlp(3, [4], 1), "squared_error", "sgd", seed=3)
        with caplog.at_level(logging.WARNING, "chainrule"):
            trained = cr.fit_members(plain, inputs, targets, parts=parts, epochs=5)
        assert list(trained.left_out) == [1]
        assert isinstance(trained.left_out[1], cr.DivergenceError)
        assert "1 member of 3 diverged and is left out: " in caplog.text
        assert trained.model.members == len(trained.histories) == 2
        assert np.isnan(trained.out_of_fold[parts[1].held_out]).all()
        alone = cr.Model(plain.network, "squared_error", "sgd", seed=5)
        alone.fit(inputs[parts[2].train], targets[parts[2].train], epochs=5)
        assert alone.training.parameters[0].tobytes() == trained.model.training.parameters[1].tobytes()

    def test_all_diverge(self) -> None:
        with pytest.raises(cr.DivergenceError, match="became NaN or infinite in epoch 1"):
            cr.fit_members(model(optimizer=cr.SGD(1e30)), X, Y, members=3, epochs=3)

    def test_a_mistake_ends_all_of_them(self) -> None:
        def wrong(record: Any) -> None:
            if record.epoch == 3:
                raise ZeroDivisionError

        begun = time.perf_counter()
        with pytest.raises(ZeroDivisionError):
            cr.fit_members(model(), X, Y, members=4, epochs=10**6, callbacks=[wrong])
        assert time.perf_counter() - begun < 20

    @pytest.mark.parametrize("threads", [1, 2])
    def test_ctrl_c_ends_all_with_the_best_so_far(self, threads: int) -> None:
        def press(record: Any) -> None:
            if record.epoch == 5:
                signal.raise_signal(signal.SIGINT)

        before = signal.getsignal(signal.SIGINT)
        options: dict[str, Any] = {"epochs": 10**4, "threads": threads, "callbacks": [press]}
        trained = cr.fit_members(model(), X, Y, members=4, stop=cr.EarlyStopping(10**6), **options)
        assert signal.getsignal(signal.SIGINT) is before
        assert trained.model.members + len(trained.left_out) == 4
        assert set(trained.left_out.values()) <= {None}
        assert {history.stopped_by for history in trained.histories} == {"interrupted"}
        assert all(history.best_epoch is not None for history in trained.histories)
        assert np.isfinite(trained.model.predict(X)).all()

    def test_outside_the_main_thread(self) -> None:
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(cr.fit_members(model(), X, Y, members=2, epochs=2)))
        thread.start()
        thread.join()
        assert found[0].model.members == 2

    def test_a_time_limit_too_short_for_one_epoch(self) -> None:
        class Slow(cr.Callback):
            def on_step(self, run: Any) -> None:
                time.sleep(0.01)

        trained = cr.fit_members(
            model("reference"), X, Y, members=4, epochs=3, batch_size=2, time_limit=0.03, callbacks=[Slow()], threads=2
        )
        assert 1 <= trained.model.members <= 2
        assert {history.stopped_by for history in trained.histories} == {"the time limit of 0.03 s"}
        assert all(len(history) == 0 for history in trained.histories)
        assert trained.model.training.step > 0
        assert np.isfinite(trained.model.predict(X)).all()

    def test_a_model_that_is_none(self) -> None:
        with pytest.raises(cr.InputError, match=r"model is adam; it must be a chainrule\.Model"):
            cr.fit_members("adam", X, Y)  # type: ignore[arg-type]
        with pytest.raises(cr.InputError, match="L-BFGS takes all rows"):
            cr.fit_members(model(optimizer="lbfgs"), X, Y, batch_size=8)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"members": 0}, "members is 0"),
            ({"members": 3, "folds": 4}, "3 members can't leave out 4 folds"),
            ({"folds": 3, "validation": 0.2}, "give folds or validation, not both"),
            ({"validation": 1.0}, "fraction is 1.0"),
            ({"members": 61}, "folds is 61; of 60 rows"),
            ({"time_limit": 0}, "time_limit is 0"),
            ({"threads": 0}, "threads is 0"),
            ({"epochs": 0}, "epochs is 0"),
            ({"batch_size": 1000}, "batch_size is 1000 but there are 52 training rows"),
            ({"groups": [1] * 60}, "all rows are of one group"),
            ({"members": 1}, "one member leaves out no fold"),
            ({"parts": []}, "parts has none"),
            ({"parts": [([0, 1], [60])]}, "two lists of row numbers from 0 to 59"),
            ({"parts": [([], [1])]}, "to train on"),
            ({"parts": [([0.5], [1])]}, "a part must be two lists"),
            ({"parts": [5]}, "a part must be two lists"),
            ({"parts": [([0, 1], [2], [3])]}, "a part must be two lists"),
        ],
        ids=str,
    )
    def test_arguments(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(cr.InputError, match=message):
            cr.fit_members(model(), X, Y, **options)


def test_files_keep_the_history_of_each(tmp_path) -> None:
    trained = cr.fit_members(model(), X, Y, members=3, epochs=300, batch_size=8, stop=cr.EarlyStopping(2)).model
    trained.save(tmp_path / "m", training=True)
    loaded = cr.load(tmp_path / "m")
    assert loaded.histories == trained.histories
    assert len({len(history) for history in loaded.histories}) > 1
    np.testing.assert_array_equal(loaded.predict(X), trained.predict(X))
    loaded.fit(X, Y, epochs=2)
    assert (len(loaded.history), loaded.histories) == (2, [loaded.history])


def test_one_of_several() -> None:
    together = cr.Model.ensemble(cr.Network.mlp(3, [4], 1), "squared_error", members=3)
    together.fit(X, Y, epochs=2)
    second = together.member(2)
    np.testing.assert_array_equal(second.training.parameters[0], together.training.parameters[1])
    assert second.history == together.history
    assert second.explain(X[0], Y[0]).loss == pytest.approx(second.evaluate(X[:1], Y[:1])["loss"], rel=1e-5)
    for number in (0, 4, 1.5, "median"):
        with pytest.raises(cr.InputError, match="the model has 3, from 1 to 3"):
            together.member(number)
