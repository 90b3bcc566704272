"""The HTML in a headless browser with the network cut off: nothing fetched, no errors, formulas laid out and readable.

Skipped where Playwright (PyPI) or Chromium is missing; `CHAINRULE_CHROMIUM` names one in another place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule import Model, Network
from chainrule.explain.derivation import Derivation
from chainrule.explain.worksheets.worksheet import read_worksheet

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("CHAINRULE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]  # fmt: skip
SHEETS = sorted((Path(__file__).parents[3] / "examples" / "worksheets").glob("*.toml"))
WIDTHS = (1280, 390)

# What is laid out how: boxes of formulas and of their smallest signs, and what hangs over.
MEASURE = """() => {
  const box = e => e.getBoundingClientRect();
  const formulas = [...document.querySelectorAll("math")].map(box);
  const sizes = [...document.querySelectorAll("mi, mn, mtext")].map(e => parseFloat(getComputedStyle(e).fontSize));
  return {
    formulas: formulas.length,
    flat: formulas.filter(b => b.width < 2 || b.height < 5).length,
    huge: formulas.filter(b => b.height > 400).length,
    smallest: Math.min(...sizes),
    fractions: [...document.querySelectorAll("mfrac")].filter(e => {
      const [above, below] = [...e.children].map(box);
      return above.bottom > below.top + 1;
    }).length,
    page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    hidden: [...document.querySelectorAll(".sides")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    background: getComputedStyle(document.querySelector(".chainrule")).backgroundColor,
    ink: getComputedStyle(document.querySelector(".chainrule")).color,
  };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def measure(
    browser: Any, html: str, path: Path, width: int, *others: int, scheme: str = "light"
) -> list[dict[str, Any]]:
    """Open a page with the network cut off, look at it in some widths; fails when it asks for anything or complains."""
    path.write_text(html, encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, color_scheme=scheme)
    try:
        page = context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        found = [page.evaluate(MEASURE)]
        for other in others:
            page.set_viewport_size({"width": other, "height": 900})
            found.append(page.evaluate(MEASURE))
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert not complaints
        return found
    finally:
        context.close()


def check(found: dict[str, Any], width: int) -> None:
    assert found["formulas"] > 0
    assert (found["flat"], found["huge"], found["fractions"]) == (0, 0, 0), found
    assert found["smallest"] >= 8, "the smallest sign is too small to read"
    assert found["page"] <= 0, f"the page is {found['page']} px too wide for {width} px"


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * (i % 8 > 0), id=path.stem) for i, path in enumerate(SHEETS)],
)
def test_every_worksheet_is_laid_out(path: Path, browser: Any, tmp_path: Path) -> None:
    html = read_worksheet(path).derivation().to_html()
    for width, found in zip(WIDTHS, measure(browser, html, tmp_path / "sheet.html", *WIDTHS), strict=True):
        check(found, width)
        # on a narrow screen the widest matrix may scroll in its own box
        assert found["hidden"] <= (width == 390), "a formula hangs over"


@pytest.mark.parametrize("weight", ["W[hidden_1,1,1]", pytest.param("W[output,1,1]", marks=pytest.mark.slow)])
def test_the_paths_of_a_weight_are_laid_out(weight: str, browser: Any, tmp_path: Path) -> None:
    html = read_worksheet(SHEETS[0].parent / "four_three_two_one.toml").derivation().to_html(weight=weight)
    for width, found in zip(WIDTHS, measure(browser, html, tmp_path / "paths.html", *WIDTHS), strict=True):
        check(found, width)
        assert found["hidden"] == 0


def large() -> Derivation:
    model = Model(Network.mlp(20, [30, 20], 5, output="softmax"), "cross_entropy", "adam", l2=0.01)
    return model.explain([0.1] * 20, 2)


@pytest.mark.parametrize("choice", [{}, {"layer": "output", "unit": 1}, {"weight": "W[hidden_2,1,1]"}], ids=str)
def test_a_large_network_is_laid_out(choice: dict[str, Any], browser: Any, tmp_path: Path) -> None:
    html = large().to_html(**choice)
    for width, found in zip(WIDTHS, measure(browser, html, tmp_path / "large.html", *WIDTHS), strict=True):
        assert found["page"] <= 0
        if choice:
            check(found, width)


def test_there_is_light_on_dark(browser: Any, tmp_path: Path) -> None:
    html = read_worksheet(SHEETS[-1]).derivation().to_html()
    (light,) = measure(browser, html, tmp_path / "sheet.html", 1280)
    (dark,) = measure(browser, html, tmp_path / "sheet.html", 1280, scheme="dark")

    def brightness(color: str) -> float:
        return sum(float(part) for part in color.removeprefix("rgb(").rstrip(")").split(",")) / 3

    assert brightness(light["background"]) - brightness(light["ink"]) > 150
    assert brightness(dark["ink"]) - brightness(dark["background"]) > 150


def test_what_notebooks_show_is_laid_out_too(browser: Any, tmp_path: Path) -> None:
    part = read_worksheet(SHEETS[-1]).derivation()._repr_html_()
    (found,) = measure(browser, f"<!DOCTYPE html><meta charset='utf-8'><body>{part}", tmp_path / "part.html", 800)
    check(found, 800)


# Of the diagram: letters too small to read, words outside of it, its width beside that of its box, its colours.
DIAGRAM = """() => {
  const box = e => e.getBoundingClientRect();
  const figure = document.querySelector(".chainrule-diagram"), svg = figure.querySelector("svg");
  const scale = box(svg).width / svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll("text")].filter(e => getComputedStyle(e).display !== "none");
  const color = (selector, what) => getComputedStyle(svg.querySelector(selector))[what];
  return {
    smallest: Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize) * scale)),
    outside: texts.filter(e => box(e).left < box(svg).left - 1 || box(e).right > box(svg).right + 1).length,
    texts: texts.length,
    width: box(svg).width, room: figure.clientWidth,
    page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ink: color("text", "fill"), paper: color("circle", "fill"), plus: color(".plus", "stroke"),
    dashes: svg.querySelector(".minus") ? color(".minus", "strokeDasharray") : "",
  };
}"""


def diagram(browser: Any, html: str, path: Path, width: int, scheme: str = "light") -> dict[str, Any]:
    path.write_text(html, encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, color_scheme=scheme)
    try:
        page = context.new_page()
        page.goto(path.as_uri())
        return page.evaluate(DIAGRAM)
    finally:
        context.close()


@pytest.mark.parametrize(
    "sheet",
    ["two_by_two_by_two", "four_three_two_one"]
    + [pytest.param(name, marks=pytest.mark.slow) for name in ("four_three_two", "three_three_one")],
)
def test_the_diagram_can_be_read_wide_and_narrow(sheet: str, browser: Any, tmp_path: Path) -> None:
    html = read_worksheet(SHEETS[0].parent / f"{sheet}.toml").derivation().to_html()
    wide = diagram(browser, html, tmp_path / "wide.html", 1280)
    narrow = diagram(browser, html, tmp_path / "narrow.html", 390)
    for found in (wide, narrow):
        assert found["smallest"] >= 8.5
        assert found["outside"] == 0
        assert found["page"] <= 0
    assert wide["width"] <= wide["room"]
    assert narrow["texts"] < wide["texts"], "gradients at lines and symbols are left to the formulas below"
    if sheet == "two_by_two_by_two":
        assert narrow["width"] <= narrow["room"], "three columns fit a telephone"


@pytest.mark.slow
def test_the_diagram_of_a_large_network_can_be_read(browser: Any, tmp_path: Path) -> None:
    model = Model(Network.mlp(300, [300, 300], 10, output="softmax"), "cross_entropy")
    html = model.explain([0.1] * 300, 2).to_html(weight="W[hidden_2,150,222]")
    for width in WIDTHS:
        found = diagram(browser, html, tmp_path / "large.html", width)
        assert found["smallest"] >= 8
        assert found["page"] <= 0


@pytest.mark.slow
def test_the_diagram_is_light_on_dark_too(browser: Any, tmp_path: Path) -> None:
    html = large().to_html()
    light, dark = (diagram(browser, html, tmp_path / "page.html", 1280, scheme) for scheme in ("light", "dark"))

    def brightness(color: str) -> float:
        return sum(float(part) for part in color.removeprefix("rgb(").rstrip(")").split(",")) / 3

    assert brightness(light["paper"]) - brightness(light["ink"]) > 150
    assert brightness(dark["ink"]) - brightness(dark["paper"]) > 150
    assert brightness(dark["plus"]) > brightness(light["plus"]) + 40
    assert "px" in light["dashes"]
