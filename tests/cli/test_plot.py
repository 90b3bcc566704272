"""`chainrule plot`: pictures to files, and what can be wrong with that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_the_form_is_that_of_the_name(run, name, begins):
    result = run("plot", "activations", "sigmoid", "relu", "--out", name)
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(f"{name}: Activations beside their derivatives\n")
    assert Path(name).read_bytes().startswith(begins)


def test_themes_and_widths(run):
    assert run("plot", "activations", "relu", "-o", "a.svg", "--theme", "dark", "--width", 1000).status == 0
    text = Path("a.svg").read_text(encoding="utf-8")
    assert 'width="1000"' in text
    assert "#16181d" in text


def test_as_json(run):
    facts = run("plot", "activations", "sigmoid", "--json", "--reach", 2).json
    assert facts["picture"] == "activations.png"
    assert facts["values"]["sigmoid"]["z"][0] == -2
    assert max(facts["values"]["sigmoid"]["dh/dz"]) == pytest.approx(0.25)


def test_a_picture_of_ours_is_replaced_and_nothing_else(run):
    for _ in range(2):
        assert run("plot", "activations", "relu", "-o", "a.png").status == 0
    Path("photo.png").write_bytes(b"\x89PNG of somebody")
    said = run("plot", "activations", "relu", "-o", "photo.png").complaint
    assert "photo.png is there and isn't a picture of chainrule's: give --out another name" in said
    assert Path("photo.png").read_bytes() == b"\x89PNG of somebody"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("activations", "relux"), 'there is no activation "relux". Did you mean "relu"?'),
        (("activations", "relu", "--out", "a.gif"), "its name ends in .gif; it must be .png, .svg or .pdf"),
        (("activations", "relu", "--out", "nowhere/a.png"), "there is no folder nowhere"),
        (("activations", "relu", "--out", "."), "can't save a picture to .: its name has no ending"),
        (("activations", "relu", "--theme", "blue"), 'there is no theme "blue"'),
        (("activations", "relu", "--width", "20"), "a whole number of pixels from 200 to 8,000"),
        (("activations", "relu", "--reach", "-1"), "reach is -1.0; it must be a positive number"),
        (("activation",), "No such command 'activation'"),
    ],
)
def test_mistakes(run, arguments, words):
    assert words in run("plot", *arguments).complaint
    assert not list(Path().iterdir())


def test_without_matplotlib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert 'pip install "chainrule[plots]"' in run("plot", "activations").complaint
