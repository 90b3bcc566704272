"""Long formulas over several lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.explain.render.terminal import SMALLEST, wrap_formula

NAMES = st.sampled_from(
    ["x", "dL/dz[hidden,1]", "W[output,12,3]", "0.00390625", "exp(-z[1])", "(-0.5)", "(2,552 more)"]
)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("a + b", 12, ["a + b"]),
        ("aaaa*bbbb + cccc*dddd", 14, ["aaaa*bbbb", "  + cccc*dddd"]),  # before + sooner than before *
        ("exp(aaaaaa + bbbbb) + c", 20, ["exp(aaaaaa + bbbbb)", "  + c"]),  # outside of brackets
        ("exp(aaaaaaaaa + bbbbbbbbb)", 18, ["exp(aaaaaaaaa", "  + bbbbbbbbb)"]),  # inside where there is nothing else
        ("dL/dz[hidden,1]*dz/dh[hidden,1]", 24, ["dL/dz[hidden,1]", "  *dz/dh[hidden,1]"]),  # no name is cut
        ("1 if aaaaaaaaaa > 0 else 0.01", 22, ["1 if aaaaaaaaaa > 0", "  else 0.01"]),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", 12, ["aaaaaaaaaaaaaaaaaaaaaaaa"]),
    ],
)
def test_where_lines_break(text: str, width: int, lines: list[str]) -> None:
    assert wrap_formula(text, width) == lines


@given(
    terms=st.lists(st.lists(NAMES, min_size=1, max_size=3), min_size=1, max_size=8),
    signs=st.lists(st.sampled_from([" + ", " - "]), min_size=8, max_size=8),
    width=st.integers(1, 100),
)
def test_nothing_is_lost_and_lines_fit(terms: list[list[str]], signs: list[str], width: int) -> None:
    products = ["*".join(term) for term in terms]
    text = products[0] + "".join(sign + product for sign, product in zip(signs, products[1:], strict=False))
    lines = wrap_formula(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(line.startswith("  ") for line in lines[1:])
    longest = max(len(name) for term in terms for name in term)
    assert all(len(line) <= max(width, SMALLEST, 2 * longest + 8) for line in lines)
