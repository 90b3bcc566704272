"""What can't be read or computed gets a message that points at it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import InputError, explain_expression

MISTAKES = {
    "exp(x) + log(x - 3)": ("log of -2: a logarithm needs a number above 0", "log(x - 3)"),
    "sqrt(x - 3)": ("a square root needs", "sqrt(x - 3)"),
    "2 + 1/(x - 1)": ("a division by 0", "1/(x - 1)"),
    "(x - 1)**(-2)": ("0 to the power -2", "(x - 1)**(-2)"),
    "(x - 3)**0.5": ("a negative number has whole powers only", "(x - 3)**0.5"),
    "1 + exp(1000*x)": ("exp of 1000 is too large", "exp(1000*x)"),
    "f = sqrt(x - 1); 3*f": ("the derivative df/du does not exist where u = 0", "sqrt(x - 1)"),
    "x^2": ("a power is written **", "x^2"),
    "2x": ("a product needs a *", "2"),
    "2(x + 1)": ("a product needs a *", "2"),
    "sinn(x)": ('Did you mean "sin"?', "sinn"),
    "softmax(x)": ("several outputs", "softmax"),
    "max(x)": ("max(x, y)", "max(x)"),
    "log(x, 2)": ("takes 1 argument", "log(x, 2)"),
    "sin + 1": ('"sin" is a function', "sin"),
    "exp = x": ('"exp" is a function; take another name', "exp"),
    "h = g; g = x": ("used before it is computed", "g"),
    "g = x; g = 2*x": ("computed twice", "g = 2*x"),
    "f(z) = x": ("left of = stands one name", "f"),
    "x + 1; 2*x": ("used nowhere", "x + 1"),
    "x if x else 2": ("only numbers, names", "x if x else 2"),
    "x.real": ("only numbers, names", "x.real"),
    "__import__('os').abort()": ("a product needs a *", "__import__('os').abort"),
    "x // 2": ("a quotient is written /", "x // 2"),
    "x = = 1": ("can't be read", "="),
    "(x + 1": ("never closed", "("),
    "True + x": ("this is no number", "True"),
    "1e999*x": ("too large", "1e999"),
    "9**9**9*x": ("no value that a number can hold", "9**9**9"),
    "naïve_größe = x; 1/(naïve_größe - 1)": ("a division by 0", "1/(naïve_größe - 1)"),
    "a = x\nb = a/0": ("a division by 0", "a/0"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_the_message_points_at_the_spot(text: str) -> None:
    message, spot = MISTAKES[text]
    with pytest.raises(InputError) as caught:
        explain_expression(text, {"x": 1})
    said, shown, marks = str(caught.value).splitlines()
    assert message in said
    begin = marks.index("^")
    assert shown[begin : begin + marks.count("^")] == spot


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", {}, "is empty"),
        ("x + y", {"x": 1}, "no value is given for y; say x=1, y=1"),
        ("x", {"x": 1, "z": 2}, 'no variable "z"'),
        ("f = x", {"x": 1, "f": 2}, "is computed in the expression"),
        ("x", {"x": "one"}, "must be a finite number"),
        ("x", {"x": float("inf")}, "must be a finite number"),
        ("x", 1, "the value of each variable"),
        (3, {}, "an expression is a text"),
        ("x" * 5000, {}, "5,000 characters"),
        ("-" * 3000 + "x", {"x": 1}, "nested too deeply"),
        ("**".join("x" * 900), {"x": 1}, "nested too deeply"),
        ("x\0", {"x": 1}, "null bytes"),
    ],
)
def test_other_messages(text: object, at: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        explain_expression(text, at)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("q", 'there is no "q" in this expression'),
        ("k/x", "derivatives look like dk/dx"),
        ("dh/dx", "h is differentiated by f, g; all others are of the result"),
        ("dk/dc", "no way leads from a variable over c to k"),
    ],
)
def test_names_that_mean_nothing(name: str, message: str) -> None:
    work = explain_expression("c = exp(2); f = x**2; g = sin(x); h = f*g; k = c*h", {"x": 1})
    assert name not in work
    with pytest.raises(InputError, match=message):
        work[name]


def test_names_that_mean_nothing_where_nothing_is_given() -> None:
    with pytest.raises(InputError, match="derivatives look like dy/dx"):
        explain_expression("2*3", {})["k/x"]


@given(text=st.text(alphabet="xy12.+-*/()^=;, esinlogp\n", max_size=20))
def test_any_text_is_explained_or_refused(text: str) -> None:
    with suppress(InputError):
        explain_expression(text, {"x": 1.0, "y": 2.0}).to_text()
