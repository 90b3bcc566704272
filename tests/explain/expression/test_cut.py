"""How an expression is cut into steps: one operation each, and nothing twice."""

from __future__ import annotations

import pytest

from chainrule.explain.expression.cut import Steps, cut
from chainrule.explain.expression.statements import read_expression


def steps_of(text: str) -> Steps:
    return cut(*read_expression(text))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("exp(exp(x**2))", "u v y"),
        ("exp(x*y) + x*y", "u v f"),  # x*y once: y is a variable, so the result is f
        ("x*y + exp(x)", "u f"),  # a product that is read by nothing else stands in the sum
        ("(x + 1)*(1 + x)", "u y"),  # the same, whatever the order
        ("sin(x)/sin(x)", "u y"),
        ("f = x**2; g = x**2; f + g", "f y"),  # g is another name of f
        ("f = x*y; x*y", "f"),
        ("w1*x1 + w2*x2 + b", "y"),  # as the pre-activation of a unit
        ("-x/2 + 3*x", "y"),
        ("2*3", "y"),
        ("x", "y"),
        ("y = x; y", "f"),  # y is another name of x
        ("u = sin(x); exp(u) + exp(sin(x)) + cos(exp(x))", "u v w u1 y"),
    ],
)
def test_the_steps(text: str, names: str) -> None:
    found = [step.name.layer for step in steps_of(text).steps]
    assert len(found) == len(set(found)) == len(names.split())
    assert found[-1] == names.split()[-1]


def test_letters_of_variables_are_not_taken_for_steps() -> None:
    found = [step.name.layer for step in steps_of("sin(u) + cos(v) + exp(y + f)").steps]
    assert not {"u", "v", "y", "f"}.intersection(found)


def test_coefficients_are_exact() -> None:
    (step,) = steps_of("x/3 + x/3 + x/3 - 0.1*w + 0.3*w").steps
    assert [str(term.coefficient) for term in step.terms] == ["1", "1/5"]


def test_what_cancels_is_gone_but_its_variable_is_known() -> None:
    steps = steps_of("x - x")
    assert not steps.steps[0].inputs
    assert [name.layer for name in steps.given] == ["x"]
