"""An engine elsewhere: what training changes is in a process of its own. It needs its class, and a line of one table.

The process computes by the reference engine, so every number must be that engine's, to the bit.
"""

from __future__ import annotations

import multiprocessing
import pickle
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import problems
import pytest

import chainrule as cr
from chainrule.arrays import Array
from chainrule.engines import choose
from chainrule.engines.contract import Engine, Gradients, Job, Outcome, Rows, Sums
from chainrule.engines.reference import ReferenceEngine
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.optimizers import LBFGS, Optimizer

X, Y = problems.regression(40, 3)
NETWORK = Network.mlp(3, [6], 1, activation="tanh", dropout=0.1, batch_norm=True)


def serve(door: Connection) -> None:
    """Answer calls of a reference engine until there are no more; a job asks through the door whether to stop."""
    engine = ReferenceEngine(*door.recv())
    vectors: list[Array] = []
    while True:
        name, arguments, options = door.recv()
        if name == "close":
            return
        if name == "load":
            vectors = [array.copy() for array in arguments]
            engine.load(*vectors)
            answer: Any = None
        elif name == "store":
            answer = vectors
        elif name == "run":
            (job,) = arguments
            job.should_stop = lambda: bool(door.send("stop?") or door.recv())
            with np.errstate(all="ignore"):
                answer = engine.run(job)
        else:
            answer = getattr(engine, name)(*arguments, **options)
        door.send(answer)


class Elsewhere(Engine):
    """The reference engine in another process."""

    name = "elsewhere"
    medium = "in another process"

    def __init__(self, network: Network, objective: NetworkObjective, threads: int | None = None):
        super().__init__(network, objective, threads)
        self._door, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=serve, args=(other,), daemon=True)
        with warnings.catch_warnings():  # from Python 3.12 on: where other threads run, a fork may hang
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        other.close()
        self._door.send((network, objective))

    @classmethod
    def covers(cls, network: Network, objective: NetworkObjective, optimizer: Optimizer) -> str | None:
        """All but L-BFGS, to have something that it doesn't cover."""
        return "the other process knows no L-BFGS" if isinstance(optimizer, LBFGS) else None

    def _ask(self, name: str, *arguments: Any, **options: Any) -> Any:
        self._door.send((name, arguments, options))
        return self._door.recv()

    def predict(self, parameters: Array, state: Array, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        return self._ask("predict", parameters, state, inputs)

    def losses(self, parameters: Array, state: Array, data: Rows) -> Sums:
        return self._ask("losses", parameters, state, data)

    def gradients(self, parameters: Array, state: Array, data: Rows, **how: Any) -> Gradients:
        return self._ask("gradients", parameters, state, data, **how)

    def load(self, parameters: Array, state: Array, slots: Array) -> None:
        self._ask("load", parameters, state, slots)

    def store(self, parameters: Array, state: Array, slots: Array) -> None:
        for here, there in zip((parameters, state, slots), self._ask("store"), strict=True):
            here[...] = there

    def run(self, job: Job) -> Outcome:
        should_stop = job.should_stop
        job.should_stop = bool  # functions of this process stay here
        self._door.send(("run", (job,), {}))
        while True:
            answer = self._door.recv()
            if answer != "stop?":
                return answer
            self._door.send(should_stop())

    def close(self) -> None:
        self._door.send(("close", (), {}))
        self._process.join()
        self._door.close()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The registration: one entry of one table. Processes end with the test."""
    made: list[Elsewhere] = []

    class Kept(Elsewhere):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setitem(choose.ENGINES, "elsewhere", Kept)
    yield
    for engine in made:
        engine.close()


def both(**options: Any) -> list[cr.Model]:
    return [
        problems.make_model(NETWORK, "squared_error", cr.Adam(0.02), dtype="float64", engine=name, seed=3, **options)
        for name in ("reference", "elsewhere")
    ]


def assert_equal(*models: cr.Model) -> None:
    first, *others = models
    for other in others:
        for name in ("parameters", "state", "slots"):
            np.testing.assert_array_equal(getattr(first.training, name), getattr(other.training, name), err_msg=name)
        for name in ("loss", "validation_loss"):
            assert first.history[name] == other.history[name]
        assert first.history.stopped_by == other.history.stopped_by
        assert first.history.best_epoch == other.history.best_epoch
        np.testing.assert_array_equal(first.predict(X), other.predict(X))
        assert first.evaluate(X, Y) == other.evaluate(X, Y)
        assert first.loss_and_gradients(X, Y)[0] == other.loss_and_gradients(X, Y)[0]


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("members", [1, 2])
def test_fit_predict_evaluate_and_gradients(members: int) -> None:
    models = both(members=members, l2=0.01)
    for model in models:
        model.fit(X, Y, epochs=4, batch_size=8, validation=0.2, clip_norm=1.0, progress=False)
    assert_equal(*models)


@pytest.mark.usefixtures("elsewhere")
def test_early_stopping_brings_the_best_weights_back() -> None:
    models = both()
    for model in models:
        model.fit(
            X, Y, epochs=60, batch_size=8, validation=0.3, stop=cr.EarlyStopping(2, min_delta=0.05), progress=False
        )
    assert models[0].history.best_epoch < len(models[0].history)
    assert_equal(*models)


class StopAt(cr.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, run: Any) -> bool:
        return run.state.step == self.step


@pytest.mark.usefixtures("elsewhere")
def test_stopped_in_an_epoch_and_resumed() -> None:
    """Callbacks after each step see its weights, and may change them."""
    whole, _ = both()
    whole.fit(X, Y, epochs=3, batch_size=8, progress=False)
    models = both()
    for model in models:
        model.fit(X, Y, epochs=3, batch_size=8, callbacks=StopAt(7), progress=False)
        assert model.training.batch == 2
        model.fit(X, Y, epochs=3, batch_size=8, resume=True, progress=False)
    assert_equal(*models)
    np.testing.assert_array_equal(whole.training.parameters, models[1].training.parameters)


@pytest.mark.usefixtures("elsewhere")
def test_a_divergence_goes_back_to_the_epoch_before() -> None:
    models = both()
    for model in models:
        model.fit(X, Y, epochs=1, batch_size=8, progress=False)
        model.set_parameters({"output": {"b": [1e200]}})
        with pytest.raises(cr.DivergenceError):
            model.fit(X, Y, epochs=1, batch_size=8, progress=False)
    np.testing.assert_array_equal(models[0].training.parameters, models[1].training.parameters)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.slow
def test_everything_that_names_engines_knows_it(tmp_path: Any) -> None:
    """The choice, the estimators, files, tables and the command line, from the one table."""
    assert cr.Model(NETWORK, "squared_error").engine_.name == "elsewhere"
    with pytest.raises(cr.EngineError, match="can't be used: the other process knows no L-BFGS"):
        cr.Model(Network.mlp(3, [], 1), "squared_error", "lbfgs", engine="elsewhere")
    with pytest.raises(cr.InputError, match='it must be "auto", "reference", "native" or "elsewhere"'):
        cr.Model(NETWORK, "squared_error", engine="gpu")
    model = cr.Model(NETWORK, "squared_error", engine="elsewhere")
    model.save(tmp_path / "m.safetensors")
    assert cr.load(tmp_path / "m.safetensors", engine="elsewhere").engine_.name == "elsewhere"
    assert pickle.loads(pickle.dumps(model)).engine_.name == "elsewhere"
    trained = cr.TableModel.train("iris", target="target", epochs=1, engine="elsewhere", progress=False)
    assert trained.model.engine_.name == "elsewhere"
    from chainrule.cli.info import _facts

    assert _facts()["engines"]["elsewhere"] == "in another process"


@pytest.mark.usefixtures("elsewhere")
def test_a_faster_engine_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Elsewhere, "missing", classmethod(lambda cls: "the other machine is off"))
    monkeypatch.delitem(choose.ENGINES, "native")  # which isn't compiled everywhere
    choice = cr.Model(NETWORK, "squared_error").engine_
    assert (choice.reason, choice.slower) == ("the other machine is off", True)
    with pytest.raises(cr.EngineError, match="the elsewhere engine can't be used: the other machine is off"):
        cr.Model(NETWORK, "squared_error", engine="elsewhere")
