"""The choice of the engine: made once, recorded with its reason, never in silence."""

from __future__ import annotations

import pytest

from chainrule import CustomLoss, EngineError, InputError, Model, Network
from chainrule.engines.choose import native_missing

NETWORK = Network.mlp(2, [3], 1)
OWN = CustomLoss(lambda y, h: ((h - y) ** 2).sum(axis=1), lambda y, h: 2 * (h - y))


def test_reference_is_there_for_who_asks() -> None:
    model = Model(NETWORK, "squared_error", engine="reference")
    assert (model.engine_.name, str(model.engine_)) == ("reference", "reference (asked for)")
    assert model._engine.name == "reference"


def test_auto_takes_the_fastest_that_there_is_and_says_why() -> None:
    model = Model(NETWORK, "squared_error", engine="auto")
    missing = native_missing()
    assert model.engine_.name == ("reference" if missing else "native")
    assert model._engine.name == model.engine_.name
    assert model.engine_.reason
    if missing:
        assert model.engine_.reason == missing


def test_native_raises_where_it_cant() -> None:
    if native_missing():
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
