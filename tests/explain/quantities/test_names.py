"""Names of quantities: written and read back, in every spelling, and what is said of wrong ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import InputError
from chainrule.explain.network.graph import KINDS, parse
from chainrule.explain.quantities.names import Name
from chainrule.plain import visible

LAYERS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True).filter(lambda name: not name.startswith("row"))
INDICES = st.integers(1, 120)


@st.composite
def names(draw: st.DrawFn) -> Name:
    kind = draw(st.sampled_from(sorted(KINDS)))
    spec = KINDS[kind]
    layer = draw(LAYERS) if spec.layer or (spec.optional_layer and draw(st.booleans())) else ""
    n = draw(st.sampled_from(spec.indices))
    row = draw(INDICES) if spec.per_row and draw(st.booleans()) else None
    return Name(kind, layer, tuple(draw(st.lists(INDICES, min_size=n, max_size=n))), row)


@given(name=names())
def test_a_name_is_read_as_it_was_written(name: Name) -> None:
    assert parse(str(name)) == name


@given(name=names(), spaces=st.text(" ", max_size=2))
def test_spaces_and_the_signs_of_books_do_no_harm(name: Name, spaces: str) -> None:
    text = str(name).replace(",", f"{spaces},{spaces}").replace(";", f"{spaces};{spaces}")
    assert parse(f" {text}{spaces}") == name
    if name.kind.startswith("dL/d"):
        assert parse(str(name).replace("dL/d", "∂L/∂")) == name
    if name.kind.endswith("+"):
        assert parse(str(name).replace("+", "⁺")) == name


@given(text=st.text(max_size=20))
def test_any_text_is_a_name_or_is_explained(text: str) -> None:
    try:
        name = parse(text)
    except InputError as error:
        explained = str(error)
    else:
        explained = f"{text} is {name}"
    assert visible(text, lines=True) in visible(explained, lines=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_every_kind_is_a_name(kind: str) -> None:
    assert parse(KINDS[kind].example).kind == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("z[hidden,1", "is no name of a quantity"),
        ("Z[hidden,1]", r'no quantity "Z"'),
        ("dL/dw[hidden,1,1]", r'Did you mean "dL/dW"'),
        ("z[]", "doesn't say which layer: z\\[hidden,1\\]"),
        ("z[hidden,1,2]", "is not how z is indexed"),
        ("W[hidden,1]", r"W\[hidden,1,1\]"),
        ("h[row 0; output,1]", "rows count from 1"),
        ("L[row 1]", "belongs to all rows together"),
        ("z[hidden,-1]", "from 1"),
        ("z[hidden,x]", "from 1"),
        ("z[hidden,\u00b2]", "from 1"),
        ("z[hidden," + "9" * 5000 + "]", "from 1"),
    ],
)
def test_wrong_names_say_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(text)
