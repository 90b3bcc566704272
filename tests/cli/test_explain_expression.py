"""`chainrule explain --expression`."""

from __future__ import annotations

import pytest


def test_the_decks_example(run) -> None:
    result = run("explain", "--expression", "exp(exp(x**2))", "--at", "x=1")
    assert (result.status, result.err) == (0, "")
    assert "dy/dx = 2*x*exp(x^2)*exp(exp(x^2)) = 2*1*exp(1^2)*exp(exp(1^2)) = 82.3871" in result.out


@pytest.mark.parametrize(
    ("form", "sign"), [("markdown", "$"), ("latex", r"\frac"), ("html", "<mfrac>"), ("json", '"dk/dx"')]
)
def test_every_format(run, form: str, sign: str) -> None:
    result = run("explain", "--expression", "f = x**2; k = sin(f)*f", "--at", "x=0.5", "--format", form)
    assert (result.status, result.err) == (0, "")
    assert sign in result.out


def test_one_variable_and_values_that_are_expressions(run) -> None:
    result = run("explain", "--expression", "sin(w)*x", "--at", "w=pi/2, x=1/4", "--weight", "w")
    assert "Paths from w to y" in result.out
    assert "Paths from x" not in result.out
    again = run("explain", "--expression", "sin(w)*x", "--at", "w=pi/2", "--at", "x=1/4", "--weight", "w")
    assert again.out == result.out


def test_a_mistake_is_pointed_at(run) -> None:
    result = run("explain", "--expression", "1 + log(x - 1)", "--at", "x=0.5")
    assert (result.status, result.out) == (2, "")
    assert result.err.splitlines() == [
        "error: log of -0.5: a logarithm needs a number above 0",
        "  1 + log(x - 1)",
        "      ^^^^^^^^^^",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--expression", "x"], "no value is given for x"),
        (["--expression", "x", "--at", "x"], "looks like --at x=1"),
        (["--expression", "x", "--at", "x=1,x=2"], 'gives "x" two values'),
        (["--expression", "x", "--at", "x=1/0"], "--at x: a division by 0"),
        (["--expression", "x", "--at", "x=1", "--notation", "a-h"], "--notation is for networks"),
        (["--expression", "x", "--at", "x=1", "--layer", "hidden"], "no layers, units or rows"),
        (["sheet.toml", "--expression", "x"], "explain one of them"),
        (["sheet.toml", "--at", "x=1"], "--at is the point of an --expression"),
        ([], "say what to explain"),
    ],
)
def test_mistakes_of_the_command(run, arguments: list[str], message: str) -> None:
    result = run("explain", *arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


def test_colours_where_somebody_looks(run, monkeypatch) -> None:
    arguments = ("explain", "--expression", "exp(x)*x", "--at", "x=1")
    plain = run(*arguments).out
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    coloured = run(*arguments).out
    assert "\x1b[1;32m5.43656\x1b[0m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert ";32m" not in run(*arguments).out
    assert run(*arguments, "--format", "json").out.startswith("{")
