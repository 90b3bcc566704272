"""The programs of examples/ run, and show what they are there to show."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples"


def said(name: str, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The words of each line that an example prints."""
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_every_example_is_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {"people", "residual", "wide_and_deep"}


def test_people(capsys: pytest.CaptureFixture[str]) -> None:
    scores = {line[0]: float(line[1]) for line in said("people", capsys)[1:]}
    assert scores["gender_accuracy"] > 0.85
    assert scores["age_r2"] > 0.75
    assert scores["mood_accuracy"] > 0.7


def test_residual(capsys: pytest.CaptureFixture[str]) -> None:
    left = {(blocks, chain): float(share) for blocks, chain, _, share in said("residual", capsys)[1:]}
    assert left["30", "plain"] > 0.8 > 4 * left["30", "residual"], "a deep chain learns with its skips alone"
    assert left["10", "residual"] < 0.1


def test_wide_and_deep(capsys: pytest.CaptureFixture[str]) -> None:
    wide, deep, both = (float(line[line.index("loss") + 1]) for line in said("wide_and_deep", capsys))
    assert both < deep - 0.05 < wide - 0.05
