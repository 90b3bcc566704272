"""Rendered examples are what they were: `make docs` writes them anew where a change is wanted."""

from __future__ import annotations

import pytest
from explain.goldens import GOLDEN, goldens

WANTED = dict(goldens())


@pytest.mark.parametrize("name", WANTED)
def test_the_rendered_examples_are_the_goldens(name: str) -> None:
    path = GOLDEN / name
    assert path.is_file(), f"{name} is missing; `make docs` writes it"
    assert path.read_text(encoding="utf-8") == WANTED[name], "look at the difference; `make docs` takes it over"


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(WANTED)
