"""The choice of the engine: made once, recorded with its reason, never in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from registered import needs_native

from chainrule import CustomLoss, Dense, EngineError, Input, InputError, Model, Network, compiled
from chainrule.activations import ACTIVATIONS, Tanh
from chainrule.compiled import native_of
from chainrule.engines import choose
from chainrule.engines.native import NativeEngine
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES, SquaredError
from chainrule.optimizers import OPTIMIZERS, Adam

NETWORK = Network.mlp(2, [3], 1)
OWN = CustomLoss(lambda y, h: ((h - y) ** 2).sum(axis=1), lambda y, h: 2 * (h - y))


def test_reference_is_there_for_who_asks() -> None:
    model = Model(NETWORK, "squared_error", engine="reference")
    assert (model.engine_.name, str(model.engine_)) == ("reference", "reference (asked for)")
    assert model._engine.name == "reference"


def test_auto_takes_the_fastest_that_there_is_and_says_why() -> None:
    model = Model(NETWORK, "squared_error", engine="auto")
    missing = NativeEngine.missing()
    assert model.engine_.name == ("reference" if missing else "native")
    assert model._engine.name == model.engine_.name
    assert model.engine_.reason
    if missing:
        assert model.engine_.reason == missing


def test_native_raises_where_it_cant() -> None:
    if NativeEngine.missing():
        with pytest.raises(EngineError, match="native"):
            Model(NETWORK, "squared_error", engine="native")
    else:
        assert Model(NETWORK, "squared_error", engine="native").engine_.name == "native"
        with pytest.raises(EngineError):
            Model(NETWORK, OWN, engine="native")


def test_auto_covers_what_native_cant() -> None:
    model = Model(NETWORK, OWN, engine="auto")
    assert model.engine_.name == "reference"
    assert model.engine_.reason


def test_engines_that_dont_exist() -> None:
    with pytest.raises(InputError, match='engine is \'cuda\'; it must be "auto", "reference" or "native"'):
        Model(NETWORK, "squared_error", engine="cuda")


@dataclass(frozen=True)
class OwnDense(Dense):
    """A subclass may compute anything."""


@dataclass(frozen=True)
class OwnTanh(Tanh):
    """A subclass may compute anything."""


@dataclass(frozen=True)
class OwnAdam(Adam):
    """A subclass may compute anything."""


@dataclass(frozen=True)
class OwnSquares(SquaredError):
    """A subclass may compute anything."""


NOT_COVERED: dict[str, Callable[..., Model]] = {
    'the layer "own", a OwnDense': lambda **o: Model(
        Network([Input(2), OwnDense(1, name="own")]), "squared_error", **o
    ),
    'the activation of "hidden", OwnTanh': lambda **o: Model(
        Network.mlp(2, [3], 1, activation=OwnTanh()), "squared_error", **o
    ),
    'the loss of "output", OwnSquares': lambda **o: Model(NETWORK, OwnSquares(), **o),
    'the loss of "output", CustomLoss': lambda **o: Model(NETWORK, OWN, **o),
    "the optimizer OwnAdam": lambda **o: Model(NETWORK, "squared_error", OwnAdam(), **o),
}


@needs_native
@pytest.mark.parametrize(("what", "make"), NOT_COVERED.items(), ids=NOT_COVERED)
def test_what_the_core_does_not_know_is_named_and_logged_once(
    what: str, make: Callable[..., Model], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "_said", set())
    reason = f"the native core doesn't cover the model: it doesn't know {what}"
    with pytest.raises(EngineError) as caught:
        make(engine="native")
    assert str(caught.value) == f"the native engine can't be used: {reason}"
    for _ in range(2):
        model = make(engine="auto")
        assert str(model.engine_) == f"reference ({reason})"
        model.fit([[0.0, 1.0]], [1.0], epochs=1, progress=False)
    assert [record.message for record in caplog.records] == [f"training with the reference engine, in NumPy: {reason}"]


@needs_native
def test_what_was_asked_for_is_not_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    for options, switch in (({"engine": "reference"}, "1"), ({"engine": "auto"}, "0"), ({"engine": "auto"}, "1")):
        monkeypatch.setenv("CHAINRULE_NATIVE", switch)
        Model(NETWORK, "squared_error", **options).fit([[0.0, 1.0]], [1.0], epochs=1, progress=False)
    assert not caplog.records


@needs_native
@pytest.mark.parametrize("off", ["0", "off", "No", " false "])
def test_switched_off(off: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_NATIVE", off)
    assert Model(NETWORK, "squared_error").engine_.name == "reference"
    with pytest.raises(EngineError, match="CHAINRULE_NATIVE=0 switches the native core off"):
        Model(NETWORK, "squared_error", engine="native")


@needs_native
def test_a_core_that_cant_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken library is another thing than one that was never compiled."""

    def fail(name: str) -> None:
        raise ImportError("undefined symbol: philox")

    monkeypatch.setattr(compiled, "import_module", fail)
    compiled._load.cache_clear()
    try:
        assert NativeEngine.missing() == "the native core can't be loaded: undefined symbol: philox"
        assert Model(NETWORK, "squared_error").engine_.name == "reference"
    finally:
        compiled._load.cache_clear()


@needs_native
def test_everything_of_our_own_is_covered() -> None:
    """A new layer, activation, loss or optimizer has to be put into the core, or to be named here as not covered."""
    for table in (LAYERS, ACTIVATIONS, LOSSES, OPTIMIZERS):
        assert {cls for cls in table.values() if native_of(cls) is None} <= {Input}
