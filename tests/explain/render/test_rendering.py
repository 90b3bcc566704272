"""One derivation in every form."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from chainrule import Model, Network
from chainrule.explain.quantities.notation import STYLES
from chainrule.explain.worksheets.worksheet import read_worksheet

SHEETS = sorted((Path(__file__).parents[3] / "examples" / "worksheets").glob("*.toml"))


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


MANY_SIDED = ("three_classes", "four_three_two_one", "mean_squared_loss")  # several units, layers, rows
CASES = [
    (path, notation) for path in SHEETS for notation in (None, *STYLES) if notation is None or path.stem in MANY_SIDED
]


@pytest.mark.parametrize(("path", "notation"), CASES, ids=[f"{path.stem}-{notation}" for path, notation in CASES])
def test_every_sheet_in_every_form_and_notation(path: Path, notation: str | None) -> None:
    sheet = read_worksheet(path)
    work = sheet.derivation(notation)
    layers = list(sheet.model.parameters)
    choices: list[dict] = [{}, {"layer": layers[-1], "unit": 1}]
    if sheet.y is not None:
        choices.append({"weight": f"W[{layers[0]},1,1]"})
    for choice in choices:
        assert work.to_text(**choice)
        assert work.to_markdown(**choice).count("$") % 2 == 0
        latex = work.to_latex(**choice)
        assert latex.count("{") == latex.count("}")
        page = Balanced()
        page.feed(work.to_html(**choice))
        assert not page.open
    assert json.loads(work.to_json())["quantities"]


def test_a_large_network_is_summarised() -> None:
    work = Model(Network.mlp(20, [30, 20], 5), "squared_error", "sgd").explain([0.1] * 20, [0.0] * 5)
    text = work.to_text()
    assert "choose a layer" in text
    assert len(text.splitlines()) < 20
