"""One derivation in every form."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from chainrule import Model, Network
from chainrule.explain.notation import STYLES
from chainrule.explain.worksheet import read_worksheet

SHEETS = sorted((Path(__file__).parents[2] / "examples" / "worksheets").glob("*.toml"))


class Balanced(HTMLParser):
    """Checks that what is opened is closed, and that nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "iframe")
        assert not any(name in ("src", "href") and value != "data:," for name, value in attrs)
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("notation", [None, *STYLES])
@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_every_sheet_in_every_form_and_notation(path: Path, notation: str | None) -> None:
    work = read_worksheet(path).derivation(notation)
    for choice in ({}, {"weight": "W[hidden,1,1]"}, {"layer": "output", "unit": 1}):
        assert work.to_text(**choice)
        assert work.to_markdown(**choice).count("$") % 2 == 0
        latex = work.to_latex(**choice)
        assert latex.count("{") == latex.count("}")
        page = Balanced()
        page.feed(work.to_html(**choice))
        assert not page.open
    assert json.loads(work.to_json())["quantities"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_the_latex_compiles(path: Path, tmp_path: Path) -> None:
    (tmp_path / "sheet.tex").write_text(read_worksheet(path).derivation().to_latex(), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_large_network_is_summarised() -> None:
    work = Model(Network.mlp(20, [30, 20], 5), "squared_error", "sgd").explain([0.1] * 20, [0.0] * 5)
    text = work.to_text()
    assert "choose a layer" in text
    assert len(text.splitlines()) < 20


def test_a_whole_small_sheet_takes_less_than_fifty_milliseconds() -> None:
    sheet = read_worksheet(SHEETS[-1])
    sheet.derivation().to_html()
    begun = time.perf_counter()
    sheet.derivation().to_html()
    assert time.perf_counter() - begun < 0.05
