"""Notations: every quantity has a symbol, no two the same one, and an author's symbols are taken apart as meant."""

from __future__ import annotations

import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Dense, Input, InputError, Model, Network
from chainrule.explain.derivation import Derivation
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import STYLES, Notation, Ratio, Sign, get_notation, read_symbol


@st.composite
def derivations(draw: st.DrawFn) -> Derivation:
    sizes = draw(st.lists(st.sampled_from([1, 2, 3, 11]), min_size=2, max_size=5))
    output = draw(st.sampled_from(["linear", "sigmoid", "softmax"])) if sizes[-1] > 1 else "sigmoid"
    model = Model(
        Network.mlp(sizes[0], sizes[1:-1], sizes[-1], activation="sigmoid", output=output, bias=draw(st.booleans())),
        "cross_entropy" if output == "softmax" else "squared_error", "sgd", l2=draw(st.sampled_from([0.0, 0.1])),
    )  # fmt: skip
    rows = draw(st.integers(1, 2))
    target = [1.0] + [0.0] * (sizes[-1] - 1)
    return model.explain([[0.5] * sizes[0]] * rows, [target] * rows)


def every_name(work: Derivation) -> list[Name]:
    quantities = [quantity for quantity, _ in zip(work, range(400), strict=False)]
    given = {name: None for quantity in quantities for name in quantity.inputs}
    return list(dict.fromkeys([*given, *(quantity.name for quantity in quantities)]))


@pytest.mark.parametrize("style", STYLES)
@examples(25)
@given(work=derivations())
def test_no_two_quantities_have_the_same_symbol(style: str, work: Derivation) -> None:
    notation = get_notation(style, work.graph.places)
    seen: dict[str, Name] = {}
    for name in every_name(work):
        symbol = notation.text(name)
        assert symbol
        assert seen.setdefault(symbol, name) == name, (symbol, seen[symbol], name)


@pytest.mark.parametrize("style", STYLES)
def test_with_several_heads_too(style: str) -> None:
    x = Input(2, name="x")
    heads = {name: Dense(2, name=name)(x) for name in ("first", "second")}
    model = Model(Network(inputs=x, outputs=heads), dict.fromkeys(heads, "squared_error"), l2=0.1)
    work = model.explain([1.0, 2.0], {"first": [0.5, 1.5], "second": [1.0, 2.0]}, notation=style)
    symbols = {name: work.notation.text(name) for name in every_name(work)}
    assert len(set(symbols.values())) == len(symbols)


@pytest.mark.parametrize("style", STYLES)
@examples(10)
@given(work=derivations())
def test_symbols_have_parts_that_make_up_their_text(style: str, work: Derivation) -> None:
    notation = get_notation(style, work.graph.places)
    for name in every_name(work):
        written = notation.written(name)
        assert isinstance(written, (Sign, Ratio))
        if style != "ours":
            assert written.text == notation.text(name)
        assert isinstance(written, Ratio) == ("/" in name.kind)


LETTERS = st.from_regex(r"[A-Za-z\u03b1-\u03c9ŷ]{1,5}'{0,2}", fullmatch=True)
SCRIPTS = st.from_regex(r"([0-9]+(,[0-9]+)*|o[0-9])?", fullmatch=True)


@given(letter=LETTERS, below=SCRIPTS, plus=st.booleans())
def test_an_authors_symbol_is_taken_apart(letter: str, below: str, plus: bool) -> None:
    for text in (f"{letter}_{below}" if below else letter, f"{letter}[{below}]" if below else letter):
        assert read_symbol(text + "+" * plus) == Sign(letter, below, "", plus)


@given(above=LETTERS, below=LETTERS, script=SCRIPTS)
def test_an_authors_derivative_is_a_ratio(above: str, below: str, script: str) -> None:
    symbol = f"{below}_{script}" if script else below
    for d in "d∂":
        found = read_symbol(f"{d}{above}/{d}{symbol}")
        assert found == Ratio(Sign(above), Sign(below, script))


@pytest.mark.parametrize("text", ["5x4 + 4x3", "Loss (60)", "max(0, 5)", "a/b", "dL/dO/dx", "1st", "", "total error"])
def test_other_symbols_stay_whole(text: str) -> None:
    assert read_symbol(text).text == text


def test_an_authors_symbols_come_before_the_style() -> None:
    work = Model(Network.mlp(2, [2], 1), "squared_error").explain([1.0, 2.0], 1.0)
    own = {Name("h", "hidden", (1,)): "H1", Name("W", "output", (1, 1)): "w1"}
    notation = Notation("a-h", work.notation.places, own)
    assert notation.text(Name("h", "hidden", (1,))) == "H1"
    assert notation.text(Name("dL/dh", "hidden", (1,))) == "dL/dH_1"
    assert notation.text(Name("W+", "output", (1, 1))) == "w_1+"
    assert notation.text(Name("W+", "output", (2, 1))) == "w_212+"


def test_an_unknown_notation_is_explained() -> None:
    work = Model(Network.mlp(2, [2], 1), "squared_error").explain([1.0, 2.0], 1.0)
    with pytest.raises(InputError, match=r'no notation "Z-h".*Did you mean "Z-H"'):
        get_notation("Z-h", work.graph.places)
