"""`chainrule plot saliency` and `chainrule plot weights`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from images_corpus import write_shapes

pytest.importorskip("matplotlib")


@pytest.fixture
def shapes(run: Any, tmp_path: Path) -> str:
    """A folder of pictures, and `shapes.safetensors` trained on it."""
    write_shapes(tmp_path / "shapes", 40, size=8)
    assert run("train", "shapes", "--epochs", 2, "--hidden", 6).status == 0
    return "shapes"


def test_saliency(run: Any, shapes: str) -> None:
    one = f"{shapes}/cross/cross_0001.png"
    said = run("plot", "saliency", "shapes.safetensors", one, "--label", "cross", "--out", "a.svg", "--json").json
    assert said["values"]["class"] == ["cross"]
    assert Path("a.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert (
        "Which pixels move the answer"
        in run("plot", "saliency", "shapes.safetensors", shapes, "--theme", "dark", "--most", 2).out
    )
    assert Path("saliency.png").read_bytes()[1:4] == b"PNG"


def test_weights(run: Any, shapes: str) -> None:
    assert "What 4 of 6 units" in run("plot", "weights", "shapes.safetensors", "--units", 4).out
    assert Path("weights.png").is_file()


def test_predictions_are_shown(run: Any, shapes: str, penguins: str) -> None:
    one = f"{shapes}/cross/cross_0001.png"
    said = run("predict", "shapes.safetensors", one, "--show", "seen.svg", "--out", "a.csv")
    assert said.status == 0
    assert "drawn in seen.svg" in said.err
    assert Path("seen.svg").read_text(encoding="utf-8").count("dz/dpixel for") == 1
    assert "--show is no/where.png" in run("predict", "shapes.safetensors", shapes, "--show", "no/where.png").complaint
    assert ".png" in run("predict", "shapes.safetensors", shapes, "--show", "seen.doc").complaint
    run("train", penguins, "-t", "species", "--members", 1, "--epochs", 1)
    assert (
        "--show is for models of pictures"
        in run("predict", "penguins.safetensors", penguins, "--show", "x.png").complaint
    )


def test_mistakes(run: Any, shapes: str, penguins: str) -> None:
    one = f"{shapes}/cross/cross_0001.png"
    assert "the classes are circle" in run("plot", "saliency", "shapes.safetensors", one, "--label", "dog").complaint
    assert "there is no file or folder" in run("plot", "saliency", "shapes.safetensors", "no.png").complaint
    assert "penguins.csv is no model" in run("plot", "weights", penguins).complaint
    run("train", penguins, "-t", "species", "--members", 1, "--epochs", 1)
    assert "wasn't trained on pictures" in run("plot", "weights", "penguins.safetensors").complaint
