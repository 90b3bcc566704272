"""The diagram as SVG: well-formed, every number in it, no script, nothing that breaks out of it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from chainrule import Dense, Input, Model, Network
from chainrule.explain.diagram.binding import diagram_of
from chainrule.explain.diagram.drawn import Diagram
from chainrule.explain.formula.writer import shown
from chainrule.explain.render.svg import drawing, figure, legend, short, thickness
from chainrule.explain.worksheets.worksheet import read_worksheet

SHEETS = Path(__file__).parents[3] / "examples" / "worksheets"
SVG = "{http://www.w3.org/2000/svg}"


def small(highlight: str | None = "W[hidden,1,1]") -> Diagram:
    return diagram_of(read_worksheet(SHEETS / "two_by_two_by_two.toml").derivation(), highlight=highlight)


def test_every_unit_link_and_number_is_written() -> None:
    diagram = small()
    root = ElementTree.fromstring(drawing(diagram))
    circles = [c for g in root.iter(f"{SVG}g") for c in g.findall(f"{SVG}circle")]
    assert len(circles) == len(diagram.units)
    lines = [path for path in root.iter(f"{SVG}path") if "link" in path.attrib["class"].split()]
    assert len(lines) == len(diagram.links)
    titles = "\n".join(title.text or "" for title in root.iter(f"{SVG}title")).splitlines()
    bound = [b for u in diagram.units for b in (*u.values, *u.gradients, *u.learned, *u.learned_gradients)]
    bound += [b for link in diagram.links for b in (link.weight, link.gradient) if b is not None]
    assert len(bound) > 30
    for number in bound:
        assert f"{number.symbol} = {shown(number.value, diagram.digits)}" in titles
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    for link in diagram.links:
        if link.weight is not None:
            assert f"{link.weight.symbol} {short(link.weight.value)}" in texts
    highlighted = [path for path in root.iter(f"{SVG}path") if path.attrib["class"] == "path"]
    assert len(highlighted) == sum(link.on_path for link in diagram.links) == 3


def test_signs_are_dashes_too_and_size_is_thickness() -> None:
    model = Model(Network.mlp(2, [], 1), "squared_error", dtype="float64")
    model.set_parameters({"output": {"W": [[2.0], [-1.0]], "b": [0.0]}})
    root = ElementTree.fromstring(drawing(diagram_of(model.explain([1.0, 1.0], 1.0))))
    lines = {path.attrib["class"]: float(path.attrib["stroke-width"]) for path in root.iter(f"{SVG}path")}
    assert set(lines) == {"link plus", "link minus", "link passing"}
    assert lines["link plus"] == pytest.approx(thickness(2, 2))
    assert lines["link minus"] == pytest.approx(thickness(-1, 2))
    style = root.find(f"{SVG}style")
    assert style is not None
    assert re.search(r"\.minus \{[^}]*stroke-dasharray", style.text or "")


def test_it_says_what_it_is_to_those_who_cannot_see_it() -> None:
    root = ElementTree.fromstring(drawing(small()))
    assert root.attrib["role"] == "img"
    label = root.attrib["aria-label"]
    assert "hidden" in label
    assert "E_total = 0.298371" in label


def test_no_script_and_names_are_escaped() -> None:
    net = Network([Input(1, name="<x>"), Dense(2, name='"><script>'), Dense(1, name="a&b")])
    page = figure(diagram_of(Model(net, "squared_error").explain([1.0], 1.0), highlight='W["><script>,1,1]'))
    assert "<script" not in page
    ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert "&lt;script" in page or "&quot;&gt;" in page


def test_what_is_not_finite_is_drawn() -> None:
    model = Model(Network.mlp(1, [2], 1), "squared_error", dtype="float64")
    model.set_parameters({"hidden": {"W": [[1e300, -1e300]]}, "output": {"W": [[1e300], [1.0]]}})
    diagram = diagram_of(model.explain([1e300], 1.0))
    page = drawing(diagram)
    ElementTree.fromstring(page)
    assert "∞" in page
    assert not re.search(r'(?:x|y|d|width)="[^"]*(?:nan|inf)', page)
    assert diagram.largest == 1e300


def test_the_legend_says_what_is_there() -> None:
    assert "∂" in legend(small())
    assert "Highlighted: of the paths from w_1" in legend(small())
    assert "Highlighted" not in legend(small(None))
    model = Model(Network.mlp(2, [2], 1), "squared_error")
    bare = diagram_of(model.explain([0.0, 0.0]), values=False)
    assert "circles" not in legend(bare)
    rows = model.explain(np.ones((3, 2)), np.ones((3, 1)))
    assert "row 2" in legend(diagram_of(rows, row=2))


def test_pages_have_it_once() -> None:
    work = read_worksheet(SHEETS / "two_by_two_by_two.toml").derivation()
    for page in (work.to_html(), work.to_html(weight="W[hidden,1,1]"), work._repr_html_()):
        assert page.count("<svg") == page.count("<figcaption") == 1
        assert page.index("<h1") < page.index("<svg") < page.index("<h2")
    assert 'class="path"' not in work.to_html()
    assert 'class="path"' in work.to_html(weight="W[hidden,1,1]")
