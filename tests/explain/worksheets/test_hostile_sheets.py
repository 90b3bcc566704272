"""Worksheets that nobody means well with: a message that can be read, never a traceback, and nothing that acts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chainrule.errors import ChainruleError, FileError, InputError
from chainrule.explain.worksheets.classwork import mark_class
from chainrule.explain.worksheets.worksheet import Worksheet, read_worksheet_text

SHEET = """format = "chainrule-worksheet/1"
title = "{title}"
[network]
inputs = {inputs}
layers = [{{ name = "{layer}", units = {units}, activation = "{activation}" }}]
loss = "{loss}"
[parameters]
"{layer}".W = {W}
"{layer}".b = {b}
[sample]
x = {x}
y = [5.0]
[update]
learning_rate = {rate}
[symbols]
"{symbol}" = "{name}"
[work]
"{symbol}" = {work}
"""
PLAIN = {
    "title": "t", "inputs": "1", "layer": "output", "units": "1", "activation": "linear", "loss": "squared_error",
    "W": "[[2.0]]", "b": "[1.0]", "x": "[3.0]", "rate": "0.1", "symbol": "v", "name": "z[output,1]", "work": '"7"',
}  # fmt: skip
LONG = "9" * 5000
FLOOD = "ab" * 250_000


def sheet(**changed: str) -> str:
    return SHEET.format(**{**PLAIN, **changed})


def test_the_plain_sheet_is_right() -> None:
    assert read_worksheet_text(sheet()).mark().counts["correct"] == 1


NESTED = {depth: "[" * depth + "1" + "]" * depth for depth in (60, 200, 500, 5000)}
CASES: list[tuple[str, str]] = [
    *((f"{key} nested {depth}", sheet(**{key: text})) for key in ("inputs", "W", "x", "rate", "work")
      for depth, text in NESTED.items()),
    *((f"brackets {n}", "[" * n) for n in (500, 100_000)),
    ("tables nested", sheet(rate="{a=" * 500 + "1" + "}" * 500)),
    ("dots", sheet() + "a" + ".a" * 5000 + " = 1\n"),
    *((f"{key} of 5,000 digits", sheet(**{key: LONG})) for key in ("inputs", "units", "W", "b", "x", "rate", "work")),
    *((f"{key} of 4,000 digits", sheet(**{key: LONG[:4000]})) for key in ("inputs", "units", "W", "x", "rate", "work")),
    ("5,000 digits as text", sheet(work=f'"{LONG}"')),
    *((f"{key} endless", sheet(**{key: FLOOD}))
      for key in ("layer", "activation", "loss", "symbol", "name")),
    ("work endless", sheet(work=f'"{FLOOD}"')),
    ("spaces endless", sheet(work=f'"1{" " * 500_000}x"')),
    ("key endless", sheet() + f'"{FLOOD}" = 1\n'),
    ("section endless", sheet() + f'["{FLOOD}"]\n'),
    ("huge layer", sheet(units="1000000000")),
    ("huge input", sheet(inputs="1000000000", W="0.5")),
    ("huge matrix", sheet(inputs="5000", units="5000", W="0.5", b="0.5")),
    ("huge batch", sheet(units="900000", W="0.5", b="0.5", x=str([[3.0]] * 5000))),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text"), CASES, ids=[case[0] for case in CASES])
def test_a_message_that_can_be_read(what: str, text: str) -> None:
    with pytest.raises(FileError) as caught:
        read_worksheet_text(text)
    message = str(caught.value)
    assert len(message) < 700, message[:2000]
    assert "abababab" * 20 not in message
    assert "9999999999" * 10 not in message


MADE: list[Callable[[Worksheet], object]] = [
    lambda read: read.mark({"v": FLOOD}),
    lambda read: read.mark({"v": LONG}),
    lambda read: read.mark({"v": "1" + " " * 1_000_000 + "x"}),
    lambda read: read.mark({FLOOD: "about"}),
    lambda read: read.mark({"v": [FLOOD]}),
]


@pytest.mark.parametrize("mark", MADE)
def test_work_that_no_hand_wrote(mark: Callable[[Worksheet], object]) -> None:
    with pytest.raises(InputError) as caught:
        mark(read_worksheet_text(sheet()))
    assert len(str(caught.value)) < 400


def test_a_symbol_that_no_hand_wrote_means_nothing() -> None:
    marks = read_worksheet_text(sheet()).mark({FLOOD: "1"})
    assert marks.counts["unknown"] == 1
    assert len(marks.entries[0].note or "") < 400


@pytest.mark.parametrize("cells", [FLOOD, "x" * 100_000, LONG])
def test_tables_of_classes_too(cells: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text(f"student,v\n{cells},1\n{cells},{cells}\n")
    with pytest.raises(ChainruleError) as caught:
        mark_class(read_worksheet_text(sheet()), path)
    assert len(str(caught.value)) < 400 + len(str(path))


ACTS = "\x1bc\x07\x9b31m\u202e\u2066\x7f"


def test_nothing_acts_on_a_terminal() -> None:
    """Control characters and changes of direction in titles, layers and symbols are shown as text, in every form."""
    written = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in ACTS).replace('"', '\\"')
    read = read_worksheet_text(
        sheet(title=written, layer=f"o{written}", symbol=f"s{written}", name=f"z[o{written},1]", work='"8"')
    )
    work, marks = read.derivation(), read.mark()
    assert work.title == ACTS
    made = {
        "text": work.to_text(), "terminal": work.to_terminal(color=False), "markdown": work.to_markdown(),
        "latex": work.to_latex(), "html": work.to_html(), "json": work.to_json(), "marks": str(marks),
        "marks as html": marks._repr_html_(), "sentence": marks.sentence,
        "paths": work.to_text(weight=f"W[o{ACTS},1,1]"),
    }  # fmt: skip
    for form, text in made.items():
        assert not [c for c in ACTS if not c.isprintable() and c in text], form
    assert r"\x1bc" in made["text"]
    assert r"\x1bc" in made["markdown"]
    assert r"\x1bc" in marks.sentence


def test_titles_are_no_tags_of_markdown() -> None:
    assert r"# \<script>" in read_worksheet_text(sheet(title="<script>")).derivation().to_markdown()


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("*a* _b_ c_d `e`", r"\*a\* \_b\_ c_d \`e\`"),
        ("![a](b) [c](d)", r"![a]\(b) [c]\(d)"),
        (r"\<script>", r"\\\<script>"),
        ("&lt;b&gt; & c", r"\&lt;b\&gt; & c"),
        ("[a]: b", r"[a]\: b"),
    ],
)
def test_titles_mean_nothing_more_in_markdown(title: str, written: str) -> None:
    made = read_worksheet_text(sheet(title=title.replace("\\", "\\\\"))).derivation().to_markdown()
    assert made.splitlines()[0] == f"# {written}"
