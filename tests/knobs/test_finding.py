"""Weights by name: every manner of writing that explain knows leads to the same number."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule import InputError, Model, Network
from chainrule.data import prepare_rows
from chainrule.explain.quantities.notation import STYLES
from chainrule.knobs.finding import Knob, knobs_of


def find(model: Model, *names: str) -> list[Knob]:
    rows = prepare_rows(model.network, model.objective, np.ones((2, 2)), np.ones((2, 1)), None, np.dtype("float64"))
    return knobs_of(model, names, rows)


def said_of(model: Model, written: str) -> str:
    """The name that is found, or what is said where none is."""
    try:
        return find(model, written)[0].name
    except InputError as error:
        return str(error)


def test_every_learned_number_is_found_in_its_place() -> None:
    model = Model(Network.mlp(2, [3, 2], 1, batch_norm=True), "squared_error")
    for span in model.network.layout.spans:
        for index in np.ndindex(*span.shape):
            name = f"{span.name}[{span.layer},{','.join(str(i + 1) for i in index)}]"
            (knob,) = find(model, name)
            assert knob == Knob(name, span.offset + int(np.ravel_multi_index(index, span.shape)))


@pytest.mark.parametrize("style", [style for style in STYLES if style != "ours"])
def test_symbols_of_a_notation_are_names_too_or_said_to_be_several(style: str) -> None:
    model = Model(Network.mlp(2, [3], 1), "squared_error")
    work = model.explain([1.0, 2.0], 1.0, notation=style)
    found = 0
    for name in ("W[hidden,1,2]", "W[hidden,2,3]", "b[hidden,2]", "W[output,3,1]", "b[output,1]"):
        symbol = work[name].symbol
        for written in (symbol, symbol.replace("_", "").replace("^", ""), symbol.replace("_", "_{") + "}"):
            said = said_of(model, written)
            assert name in said
            assert said == name or "can be several weights" in said
            found += said == name
    assert found >= 3


def test_signs_that_people_paste() -> None:
    model = Model(Network.mlp(2, [3], 1), "squared_error")
    assert find(model, " W[ hidden , 1 , 2 ] ")[0].name == "W[hidden,1,2]"
