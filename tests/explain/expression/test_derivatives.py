"""The chain rule of generated expressions against numerical derivatives with 50 digits."""

from __future__ import annotations

import math

import mpmath
import pytest
from generated import examples
from hypothesis import given, reject
from hypothesis import strategies as st

from chainrule import InputError, explain_expression
from chainrule.explain.expression.closed import written_out
from chainrule.explain.expression.functions import FUNCTIONS
from chainrule.explain.formula.writer import formula_text
from chainrule.explain.quantities.paths import LIMIT

# The same functions by another hand, for the numerical derivative.
ORACLE = {
    "exp": mpmath.exp, "log": mpmath.log, "sqrt": mpmath.sqrt, "sin": mpmath.sin, "cos": mpmath.cos,
    "tan": mpmath.tan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "arctan": mpmath.atan, "abs": abs,
    "tanh": mpmath.tanh, "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)), "linear": lambda z: z,
    "relu": lambda z: z if z > 0 else mpmath.mpf(0), "leaky_relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mpmath.exp(z) - 1,
    "selu": lambda z: mpmath.mpf("1.0507009873554805")
    * (z if z > 0 else mpmath.mpf("1.6732632423543772") * (mpmath.exp(z) - 1)),
    "gelu": lambda z: z * mpmath.ncdf(z), "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "mish": lambda z: z * mpmath.tanh(mpmath.log(1 + mpmath.exp(z))),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "max": max, "min": min, "Phi": mpmath.ncdf,
}  # fmt: skip
SMOOTH = ("exp", "sin", "cos", "tanh", "sigmoid", "arctan", "softplus", "silu", "gelu", "sqrt", "log")
VARIABLES = ("x", "y", "w")


def by_another_hand(text: str, at: dict[str, float], variable: str | None = None) -> float:
    """The value, or a derivative, as mpmath finds it: Python runs the text, nothing of ours reads it."""
    *named, last = (statement.strip() for statement in text.split(";"))

    def run(value: mpmath.mpf | None = None) -> mpmath.mpf:
        known = {"pi": mpmath.pi, "e": mpmath.e, **{name: mpmath.mpf(number) for name, number in at.items()}}
        if variable is not None:
            known[variable] = value
        for statement in named:
            exec(statement, dict(ORACLE), known)
        return eval(last.rpartition(" = ")[2], dict(ORACLE), known)

    with mpmath.workdps(50):
        return float(run() if variable is None else mpmath.diff(run, mpmath.mpf(at[variable])))


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, dict[str, float]]:
    """Statements that use each other's results, so that paths part and meet."""
    at = {name: round(draw(st.floats(0.2, 1.5)), 3) * draw(st.sampled_from([1, -1])) for name in VARIABLES}
    known = list(VARIABLES)

    def formula(depth: int) -> str:
        kind = draw(
            st.sampled_from(["name", "number", "call", "+", "-", "*", "/", "**"] if depth else ["name", "number"])
        )
        if kind == "name":
            return draw(st.sampled_from(known))
        if kind == "number":
            return str(draw(st.sampled_from([0.5, 1, 2, 3, 0.1, "pi"])))
        if kind == "call":
            return f"{draw(st.sampled_from(SMOOTH))}({formula(depth - 1)})"
        if kind == "**":
            return f"({formula(depth - 1)})**{draw(st.sampled_from(['2', '3', '(-1)', '0.5', '(1/3)', 'x']))}"
        return f"({formula(depth - 1)} {kind} {formula(depth - 1)})"

    lines = []
    for i in range(draw(st.integers(0, 3))):
        lines.append(f"s{i} = {formula(2)}")
        known.append(f"s{i}")
    return "; ".join([*lines, formula(3)]), at


@examples(200)
@given(program=programs())
def test_the_chain_rule_gives_the_numerical_derivative(program: tuple[str, dict[str, float]]) -> None:
    text, everything = program
    at = {name: value for name, value in everything.items() if name in text.replace("exp", "")}
    try:
        work = explain_expression(text, at)
        expected = by_another_hand(text, at)
        slopes = {variable: by_another_hand(text, at, variable) for variable in at}
    except (InputError, ZeroDivisionError, OverflowError):
        reject()
    except TypeError:  # a complex number: exactly, a root or a logarithm of something just below 0 is taken
        reject()
    if abs(work.value) > 1e6:
        reject()
    assert math.isclose(work.value, expected, rel_tol=1e-10, abs_tol=1e-10)
    for variable in at:
        paths = work.paths(variable)
        size = max([1.0, *(abs(path.product) for path in paths.paths)])
        if size > 1e6:
            continue
        gradient = work[f"d{work.graph.end.layer}/d{variable}"].value
        assert gradient == work.gradient[variable]
        if paths.count <= LIMIT:
            assert len(paths.paths) == paths.count
            assert math.isclose(paths.total, gradient, rel_tol=1e-10, abs_tol=1e-10 * size)
            assert paths.multiplications_apart == sum(len(path.edges) - 1 for path in paths.paths)
        assert math.isclose(gradient, slopes[variable], rel_tol=1e-9, abs_tol=1e-9 * size)
        closed = written_out(work.graph, work.graph.parse(variable))
        if closed is not None:
            written = formula_text(closed, work.notation.symbol, digits=17).replace("^", "**")
            assert math.isclose(by_another_hand(written, at), gradient, rel_tol=1e-9, abs_tol=1e-9 * size)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("x", [0.3, 1.7, -0.8])
def test_every_function_and_its_derivative(function: str, x: float) -> None:
    if function in ("log", "sqrt"):
        x = abs(x)
    text = f"{function}(x)"
    work = explain_expression(text, {"x": x})
    assert math.isclose(work.value, by_another_hand(text, {"x": x}), rel_tol=1e-13)
    assert math.isclose(work.gradient["x"], by_another_hand(text, {"x": x}, "x"), rel_tol=1e-12)


@pytest.mark.parametrize("text", ["max(x, y)", "min(x, y)", "max(0, x)", "max(y, 0) + min(y*x, 1)", "max(x, x)"])
@pytest.mark.parametrize("at", [{"x": 1.0, "y": 2.0}, {"x": 2.0, "y": -1.0}])
def test_the_greater_and_the_smaller_of_two(text: str, at: dict[str, float]) -> None:
    at = {name: value for name, value in at.items() if name in text.replace("max", "")}
    for variable, slope in explain_expression(text, at).gradient.items():
        assert math.isclose(slope, by_another_hand(text, at, variable), abs_tol=1e-12)


def test_no_derivative_at_the_corner_of_relu_is_taken_as_0_like_in_training() -> None:
    for text in ("relu(x)", "max(0, x)", "max(x, 0)", "abs(x)"):
        assert explain_expression(text, {"x": 0}).gradient == {"x": 0.0}


@pytest.mark.parametrize("text", ["exp(x**2)", "e**(x**2)"])
def test_the_decks_derivatives(text: str) -> None:
    work = explain_expression(text, {"x": 1.5})
    assert math.isclose(work.gradient["x"], 2 * 1.5 * math.exp(1.5**2), rel_tol=1e-14)
    assert "dy/dx = 2*x*exp(x^2) = 2*1.5*exp(1.5^2) = 28.463" in work.to_text()
    twice = explain_expression(f"exp({text})", {"x": 1.0})
    assert math.isclose(twice.gradient["x"], 2 * math.e * math.exp(math.e), rel_tol=1e-14)
    assert "dy/dx = 2*x*exp(x^2)*exp(exp(x^2))" in twice.to_text()
    assert r"2 \cdot x \cdot e^{x^{2}} \cdot e^{e^{x^{2}}}" in twice.to_latex()


def test_the_decks_graph_with_a_shared_factor() -> None:
    work = explain_expression("f = x**2; g = sin(x); h = f*g; k = exp(h)", {"x": 1})
    text = work.to_text()
    assert "dk/dx = dk/df*df/dx + dk/dg*dg/dx" in text
    assert "dk/dx = dk/dh*(dh/df*df/dx + dh/dg*dg/dx) = 2.31978*(0.841471*2 + 1*0.540302) = 5.15743" in text
    assert [[str(n.layer) for n in path.through] for path in work.paths("x").paths] == [["h", "f"], ["h", "g"]]


def test_hundreds_of_steps_one_after_another() -> None:
    lines = "; ".join(["a0=x*x"] + [f"a{i + 1}=-a{i}" for i in range(300)])
    work = explain_expression(lines, {"x": 2})
    assert work.gradient == {"x": 4.0}
    assert work.paths("x").count == 1
    assert work.to_text(weight="x")


def test_memoization_makes_a_deep_expression_cheap() -> None:
    """Each step reads the one before twice: 2^30 paths, 30 steps."""
    lines = "; ".join(f"s{i + 1} = sin(s{i})*s{i}" for i in range(30)).replace("s0", "x")
    work = explain_expression(lines, {"x": 0.9})
    paths = work.paths("x")
    assert paths.count == 2**30
    assert paths.multiplications_apart > 2**30
    assert paths.multiplications_memoized < 100
    assert math.isclose(work.gradient["x"], by_another_hand(lines + "; s30", {"x": 0.9}, "x"), rel_tol=1e-9)
    assert "1,073,741,824 paths lead to the result" in work.to_text(weight="x")
