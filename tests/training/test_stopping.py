"""Stopping rules, each on its own and in a fit."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import problems
import pytest

from chainrule import (
    SGD,
    Adam,
    BatchNorm,
    Callback,
    Constant,
    ConvergedWeights,
    Dense,
    EarlyStopping,
    Input,
    InputError,
    LossBelow,
    Model,
    Network,
    TimeLimit,
)  # fmt: skip
from chainrule.training import run
from chainrule.training.history import EpochRecord
from chainrule.training.stopping import Epoch, Stop

W = np.ones(4)


def epoch(number: int, loss: float = 1.0, before: Any = W, after: Any = W, **fields: Any) -> Epoch:
    return Epoch(EpochRecord(number, number, loss, 0.1, float(number), **fields), np.asarray(before), np.asarray(after))


def stops_after(rule: Stop, losses: list[float], **fields: Any) -> tuple[int | None, dict[str, Any]]:
    """The epoch in which a rule says stop, and its memory then."""
    memory: dict[str, Any] = {}
    for number, loss in enumerate(losses, 1):
        if rule.look(epoch(number, loss, **fields), memory):
            return number, memory
    return None, memory


class TestEarlyStopping:
    @pytest.mark.parametrize(
        ("rule", "losses", "stops", "best"),
        [
            (EarlyStopping(patience=2), [5, 4, 3, 2, 1], None, 5),
            (EarlyStopping(patience=2), [5, 4, 6, 6], 4, 2),
            (EarlyStopping(patience=2), [5, 4, 6, 3.9, 6, 6], 6, 4),
            (EarlyStopping(patience=1), [5, 5], 2, 1),
            (EarlyStopping(patience=2, min_delta=0.5), [5, 4.6, 4.4, 4.3, 4.3], 5, 3),
            (EarlyStopping(patience=2, mode="max"), [1, 2, 3, 2, 2], 5, 3),
            (EarlyStopping(patience=3), [math.nan, 5, 4, 3, 2, 1], None, 6),
            (EarlyStopping(patience=3), [math.inf, math.inf, 5, 4, 3], None, 5),
            (EarlyStopping(patience=2), [5, math.nan, 4, math.nan, math.nan], 5, 3),
        ],
    )
    def test_patience(self, rule: EarlyStopping, losses: list[float], stops: int | None, best: int) -> None:
        """Also where the first numbers are none (R2 of a constant, a validation loss that overflows)."""
        found, memory = stops_after(rule, losses)
        assert (found, memory["best_epoch"]) == (stops, best)

    def test_the_validation_loss_is_watched_where_there_is_one(self) -> None:
        rule, memory = EarlyStopping(patience=1), {}
        assert rule.look(epoch(1, 5, validation_loss=1.0), memory) is None
        reason = rule.look(epoch(2, 4, validation_loss=2.0), memory)
        assert reason == "validation_loss hasn't improved for 1 epochs (best 1 in epoch 1)"

    @pytest.mark.parametrize(
        ("monitor", "values", "best"),
        [("validation_accuracy", [0.5, 0.6, 0.55], 2), ("validation_mean_absolute_error", [0.5, 0.6, 0.55], 1)],
    )
    def test_metrics_know_which_way_is_better(self, monitor: str, values: list[float], best: int) -> None:
        rule, memory = EarlyStopping(patience=5, monitor=monitor), {}
        for number, value in enumerate(values, 1):
            rule.look(epoch(number, validation_metrics={monitor.removeprefix("validation_"): value}), memory)
        assert memory["best_epoch"] == best

    def test_a_metric_that_isnt_measured(self) -> None:
        rule = EarlyStopping(monitor="validation_acuracy")
        with pytest.raises(InputError, match=r'watches "validation_acuracy".*there are loss, accuracy, validation_r2'):
            rule.look(epoch(1, metrics={"accuracy": 1.0}, validation_metrics={"r2": 1.0}), {})

    def test_the_best_weights_come_back_with_their_statistics(self, engine: str) -> None:
        """Rates that jump after epoch 3 spoil the model; what comes back is epoch 3, to the bit."""
        X, y = problems.regression(24, 3)
        network = Network([Input(3), Dense(6, activation="tanh"), BatchNorm(), Dense(1)])

        class Jump(Constant):
            def rates(self, steps: Any, steps_per_epoch: int, total_steps: int) -> np.ndarray:
                return np.where(steps // steps_per_epoch < 3, 0.01, 1.0)

        model = Model(network, "squared_error", Adam(Jump(0.01)), dtype="float64", engine=engine)
        snapshots = []

        def keep(record: EpochRecord) -> None:
            snapshots.append((problems.flat(model.parameters), problems.flat(model.state)))

        history = model.fit(
            X, y, epochs=20, batch_size=8, stop=EarlyStopping(patience=3), callbacks=keep, shuffle=False
        )
        assert len(history) < 20
        assert history.best_epoch == int(np.argmin(history["loss"])) + 1 == len(history) - 3
        assert history.stopped_by.startswith("loss hasn't improved for 3 epochs")
        problems.assert_same(problems.flat(model.parameters), snapshots[history.best_epoch - 1][0])
        problems.assert_same(problems.flat(model.state), snapshots[history.best_epoch - 1][1])

    def test_they_come_back_after_any_end(self, engine: str) -> None:
        X, y = problems.regression(24, 3)
        values = []

        def model() -> Model:
            return Model(Network.mlp(3, [6], 1), "squared_error", Adam(0.5), dtype="float64", seed=3, engine=engine)

        plain = model()
        losses = plain.fit(X[:12], y[:12], epochs=9, validation=(X[12:], y[12:]))["validation_loss"]
        best = int(np.argmin(losses[:-1])) + 1
        for n in (best + 1, 9):
            kept = model()
            kept.fit(X[:12], y[:12], epochs=n, validation=(X[12:], y[12:]), stop=EarlyStopping(patience=100))
            values.append(kept.evaluate(X[12:], y[12:])["loss"])
        assert values == [min(losses[: best + 1]), min(losses)]

    def test_they_come_back_when_stopped_in_the_middle_of_an_epoch(self, engine: str) -> None:
        """Ctrl-C (here a callback) during the epoch right after the best one: the model must be the best one's."""

        class StopAt(Callback):
            def on_step(self, run: Any) -> bool:
                return run.state.step == 8

        X, y = problems.regression(24, 3)
        model = Model(Network.mlp(3, [6], 1), "squared_error", Adam(0.01), dtype="float64", engine=engine)
        snapshots = []
        history = model.fit(
            X, y, epochs=9, batch_size=8, stop=EarlyStopping(), shuffle=False,
            callbacks=[StopAt(), lambda record: snapshots.append(problems.flat(model.parameters))],
        )  # fmt: skip
        assert history.best_epoch == len(history) == 2
        problems.assert_same(problems.flat(model.parameters), snapshots[1])

    def test_or_stay_where_they_are(self, engine: str) -> None:
        X, y = problems.regression(24, 3)
        runs = []
        for stop in ([], EarlyStopping(patience=100, restore_best=False)):
            model = Model(Network.mlp(3, [6], 1), "squared_error", Adam(0.5), dtype="float64", engine=engine)
            model.fit(X, y, epochs=5, stop=stop)
            runs.append(problems.flat(model.parameters))
        problems.assert_same(*runs)


class TestConvergedWeights:
    @pytest.mark.parametrize(("moved", "stops"), [(1.9e-3, True), (2.1e-3, False), (0.0, True)])
    def test_relative_to_their_length(self, moved: float, stops: bool) -> None:
        """|W| = 2, tolerance 1e-3: a move of 0.002 is the limit."""
        reason = ConvergedWeights(1e-3).look(epoch(1, before=W, after=W + np.array([moved, 0, 0, 0])), {})
        assert (reason is not None) == stops

    def test_in_a_fit(self, engine: str) -> None:
        """Gradient descent on a parabola halves the distance in every epoch, until W_new is W_old to 1e-6."""
        model = Model(Network.mlp(1, [], 1, bias=False), "half_squared_error", SGD(0.5), dtype="float64", engine=engine)
        model.set_parameters({"output": {"W": [[1.0]]}})
        history = model.fit([[1.0]], [3.0], epochs=100, stop=ConvergedWeights(1e-6))
        # the distance is 2^(1-n) after n epochs; an epoch moves by as much; |W| is near 3
        assert len(history) == 20
        assert 2.0**-19 / 3 <= 1e-6 < 2.0**-18 / 3
        assert history.stopped_by.startswith("the weights converged: an epoch moved them by 6.36e-07 of their length")


class TestLossBelow:
    def test_either_loss(self) -> None:
        assert LossBelow(0.5).look(epoch(1, 0.5), {}) == "loss 0.5 is at most 0.5"
        assert LossBelow(0.5).look(epoch(1, 0.51), {}) is None
        watched = LossBelow(0.5, "validation_loss")
        assert watched.look(epoch(1, 9.0, validation_loss=0.25), {}) == "validation_loss 0.25 is at most 0.5"
        with pytest.raises(InputError, match='watches "validation_loss", which isn\'t measured: give a validation set'):
            watched.look(epoch(1, 9.0), {})

    def test_in_a_fit(self, engine: str) -> None:
        X, y = problems.regression(24, 3)
        free = Model(Network.mlp(3, [6], 1), "squared_error", Adam(0.05), engine=engine).fit(X, y, epochs=30)["loss"]
        threshold = free[10]
        model = Model(Network.mlp(3, [6], 1), "squared_error", Adam(0.05), engine=engine)
        history = model.fit(X, y, epochs=30, stop=LossBelow(threshold))
        expected = next(i for i, loss in enumerate(free, 1) if loss <= threshold)
        assert len(history) == expected
        assert history.stopped_by.startswith("loss ")


class TestTimeLimit:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A clock that goes on by one second at every look, so that no test waits."""
        ticks = itertools.count()
        monkeypatch.setattr(run.time, "perf_counter", lambda: float(next(ticks)))

    def test_it_stops_after_a_step_in_the_middle_of_an_epoch(self) -> None:
        """The reference engine asks after every step, so the steps done are the seconds allowed."""
        X, y = problems.regression(24, 3)
        model = Model(Network.mlp(3, [6], 1), "squared_error", "adam", engine="reference")
        history = model.fit(X, y, epochs=5, batch_size=1, stop=TimeLimit(10))
        assert history.stopped_by == "the time limit of 10 s"
        assert len(history) == 0
        assert 1 <= model.training.step <= 11
        assert model.training.batch == model.training.step

    def test_it_stops_at_the_end_of_an_epoch(self, engine: str) -> None:
        X, y = problems.regression(24, 3)
        model = Model(Network.mlp(3, [6], 1), "squared_error", "adam", engine=engine)
        history = model.fit(X, y, epochs=1000, batch_size="full", stop=TimeLimit(30))
        assert history.stopped_by == "the time limit of 30 s"
        assert 1 <= len(history) <= 31
        assert np.isfinite(model.predict(X)).all()


def test_several_rules_at_once(engine: str) -> None:
    X, y = problems.regression(24, 3)
    model = Model(Network.mlp(3, [6], 1), "squared_error", Adam(0.05), engine=engine)
    history = model.fit(X, y, epochs=50, stop=[EarlyStopping(patience=50), LossBelow(1e9), TimeLimit(1e9)])
    assert len(history) == 1
    assert history.stopped_by.startswith("loss ")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(patience=0), "EarlyStopping: patience is 0; it must be a whole number of at least 1"),
        (lambda: EarlyStopping(min_delta=-1), "EarlyStopping: min_delta is -1"),
        (lambda: EarlyStopping(mode="maximum"), "mode"),
        (lambda: ConvergedWeights(0), "ConvergedWeights: tolerance is 0"),
        (lambda: LossBelow(math.nan), "LossBelow: threshold is nan"),
        (lambda: LossBelow(0.1, "validation"), "monitor"),
        (lambda: TimeLimit(0), "TimeLimit: seconds is 0; it must be a number above 0"),
    ],
)
def test_fields_are_checked(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
