"""An expression's derivation by name, in every form, and marked."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chainrule import InputError, explain_expression
from chainrule.explain.derivation_of_expression import ExpressionDerivation

SHARED = "f = x**2; g = sin(x); h = f*g; k = exp(h)"


@pytest.fixture
def shared() -> ExpressionDerivation:
    return explain_expression(SHARED, {"x": 1})


def test_quantities_by_name(shared: ExpressionDerivation) -> None:
    assert shared["k"].value == shared.value
    assert shared["dk/dx"].value == shared["∂k/∂x"].value == shared.gradient["x"]
    assert repr(shared["dh/df"]) == "dh/df = g = 0.841471"
    assert shared["f"].uses == 2
    assert [q.symbol for q in shared] == [
        "f", "g", "h", "k", "dk/dh", "dh/df", "dh/dg", "dk/dg", "dg/dx", "dk/df", "df/dx", "dk/dx"
    ]  # fmt: skip


def test_a_value_that_the_result_reads_directly_and_otherwise() -> None:
    work = explain_expression("u = exp(x); y = u*x", {"x": 1})
    assert repr(work["dy/dx"]) == "dy/dx = dy/du*du/dx + dy/dx|direct = 1*2.71828 + 2.71828 = 5.43656"
    assert work["dy/dx|direct"].value == work["u"].value
    assert r"\left.\frac{\partial y}{\partial x}\right|_{\text{direct}}" in work.to_latex()
    assert "<mtext>direct</mtext>" in work.to_html()
    assert work.paths("x").multiplications_apart == 1


def test_json_names_quantities_as_people_do(shared: ExpressionDerivation) -> None:
    found = {q["name"]: q for q in json.loads(shared.to_json())["quantities"]}
    assert found["dk/df"]["inputs"] == ["dk/dh", "dh/df"]
    assert found["dk/df"]["formula"] == "dk/dh*dh/df"
    only = json.loads(shared.to_json(weight="f"))["quantities"]
    assert [q["name"] for q in only][-1] == "dk/df"


def test_several_variables_and_one_of_them() -> None:
    work = explain_expression("sigmoid(w*x + b)", {"w": 0.5, "x": 2, "b": -1})
    assert work.gradient == {"w": 0.5, "x": 0.125, "b": 0.25}
    text = work.to_text(weight="w")
    assert "Paths from w to y" in text
    assert "Paths from b to y" not in text


def test_a_variable_without_effect() -> None:
    work = explain_expression("g = sin(z); k = x - x + 3", {"x": 1, "z": 2})
    assert work.gradient == {"x": 0.0, "z": 0.0}
    assert all(f"k does not depend on {name}" in work.to_text() for name in ("x", "z"))
    moving = explain_expression("g = sin(z); k = x - x + 3*g", {"x": 1, "z": 0})
    assert moving.gradient == {"x": 0.0, "z": 3.0}
    assert "k does not depend on z" not in moving.to_text()


def test_marks(shared: ExpressionDerivation) -> None:
    marks = shared.mark({"h": "0.841", "k": "2.32", "dk/dh": "2.32", "dk/df": "1.59", "df/dx": "2", "dk/dx": "4.43"})
    assert [entry.verdict for entry in marks.entries] == ["correct"] * 3 + ["wrong", "correct", "follows"]
    assert marks.first_wrong == "dk/df"
    assert marks["dk/df"].name == "dk/df"


def test_many_steps_are_summarised() -> None:
    text = explain_expression("; ".join(f"s{i + 1} = sin(s{i}*x)" for i in range(100)), {"x": 1, "s0": 2}).to_text()
    assert "Too many steps" in text
    assert len(text.splitlines()) < 25


def test_layers_units_and_rows_are_of_networks(shared: ExpressionDerivation) -> None:
    with pytest.raises(ValueError, match="no layers, units or rows"):
        shared.to_text(layer="hidden")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_latex_compiles(tmp_path: Path) -> None:
    """With Greek letters, names with marks, both derivatives of one pair, cases."""
    work = explain_expression("τ = 2*x; θ_1 = max(τ, x)/3; élan = θ_1**1.5; élan*τ*alpha", {"x": 1, "alpha": 2})
    (tmp_path / "expression.tex").write_text(work.to_latex(), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "expression.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("digits", [0, -1, 2.5, 2**63, 10**30, True, None, "6", []])
def test_digits_that_cannot_be_are_refused_at_once(digits: Any) -> None:
    with pytest.raises(InputError, match=r"^explain: digits is .*; it must be a whole number in \[1, 100\]$"):
        explain_expression("x**2", {"x": 1}, digits=digits)


def test_digits_may_be_more_than_a_float_is_known_by() -> None:
    assert "0.1000000000000000055511151231257827" in explain_expression("x**2", {"x": 0.1}, digits=60).to_text()
