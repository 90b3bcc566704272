"""Derivations at a terminal: nothing wider than the window, nothing lost, colours only where they are wanted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chainrule import Model, Network, explain_expression
from chainrule.explain.derivation import Derivation
from chainrule.explain.output import AnyDerivation
from chainrule.explain.worksheets.worksheet import read_worksheet

SHEETS = sorted((Path(__file__).parents[3] / "examples" / "worksheets").glob("*.toml"))


NAMES = [*(path.stem for path in SHEETS), "expression", "rows"]


@pytest.fixture(scope="module")
def works() -> dict[str, AnyDerivation]:
    found: dict[str, AnyDerivation] = {path.stem: read_worksheet(path).derivation() for path in SHEETS}
    found["expression"] = explain_expression("f = x**2; g = sin(x); h = f*g; k = exp(h)", {"x": 1})
    model = Model(Network.mlp(12, [9], 3, activation="relu", output="softmax"), "cross_entropy", "sgd", seed=1)
    found["rows"] = model.explain(np.random.default_rng(0).normal(size=(30, 12)), np.eye(3)[[0, 1, 2] * 10])
    return found


Works = dict[str, AnyDerivation]


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_wider_than_the_window(works: Works, name: str, width: int) -> None:
    choices: list[dict] = [{}, {"weight": "x"}] if name == "expression" else [{}]
    if isinstance(work := works[name], Derivation):
        layers = list(work.model.parameters)
        choices += [{"layer": layers[-1]}, *([] if work.graph.forward_only else [{"weight": f"W[{layers[0]},1,1]"}])]
    for choice in choices:
        text = works[name].to_terminal(width, color=False, **choice)
        assert max(map(len, text.splitlines())) <= width
        assert "\x1b" not in text


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_there(works: Works, name: str) -> None:
    plain, shown = works[name].to_text(), works[name].to_terminal(90, color=False)
    numbers = re.compile(r"\d+\.\d+(?:e-?\d+)?")
    assert set(numbers.findall(plain)) == set(numbers.findall(shown))


def test_equals_signs_stand_under_each_other(works: Works) -> None:
    text = works["two_by_two_by_two"].to_terminal(80, color=False)
    assert (
        "net_o1 = w_5*out_h1 + w_6*out_h2 + b_o1\n       = 0.4*0.59327 + 0.45*0.596884 + 0.6\n       = 1.10591\n"
    ) in text
    assert "W hidden = ⎡0.15  0.25⎤\n           ⎣ 0.2   0.3⎦\n" in text


def test_values_are_coloured(works: Works) -> None:
    text = works["expression"].to_terminal(80)
    assert "\x1b[1;32m5.15743\x1b[0m" in text
    assert re.sub(r"\x1b\[[\d;]*m", "", text) == works["expression"].to_terminal(80, color=False)


def test_wide_arrays_lose_their_middle() -> None:
    model = Model(Network.mlp(8, [], 1), "squared_error", "sgd")
    text = model.explain([1234.5678] * 8, [0.0]).to_terminal(50, color=False)
    (line,) = [line for line in text.splitlines() if line.startswith("x = ")]
    assert "…" in line
    assert len(line) <= 50


def test_rich_is_loaded_by_terminals_alone() -> None:
    program = """if True:
        import sys, chainrule as cr
        cr.explain_expression("x**2", {"x": 1}).to_html()
        assert "rich" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
