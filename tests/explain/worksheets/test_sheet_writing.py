"""Worksheets as text: what is filled in changes, everything else stays."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import InputError
from chainrule.explain.worksheets.sheet_writing import value_text, with_work

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "worksheets").glob("*.toml"))
SHEETS = [path for path in EXAMPLES if "\n[work]" in path.read_text(encoding="utf-8")]
TEXTS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=5)


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_filling_in_leaves_comments_and_all_other_lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = tomllib.loads(text)
    first = next(iter(before["work"]))
    made = with_work(text, {first: "9.99", 'new "one"': "1"})
    after = tomllib.loads(made)
    assert after["work"] == {**before["work"], first: "9.99", 'new "one"': "1"}
    assert {k: v for k, v in after.items() if k != "work"} == {k: v for k, v in before.items() if k != "work"}
    changed = set(text.splitlines()) ^ set(made.splitlines())
    assert len(changed) == 3  # the old line, the new one, the added one
    assert with_work(text, {}) == text


@given(old=TEXTS, new=TEXTS)
def test_any_symbols_and_answers_survive(old: dict[str, str], new: dict[str, str]) -> None:
    text = with_work('title = "t"\n', old)
    assert tomllib.loads(with_work(text + "\n[symbols]\na = 'b'\n", new))["work"] == {**old, **new}


def test_a_work_that_lines_cant_be_put_into_is_refused() -> None:
    with pytest.raises(InputError, match="a line of its own"):
        with_work('work = { z = "1" }\n', {"z": "2"})
    with pytest.raises(InputError, match="a line of its own"):
        with_work('[work]\n"z" = """1\n"""\n', {"z": "2"})


def test_numbers_are_written_short() -> None:
    assert value_text([0.1 + 0.2, -0.0, 1.0, [True, "a"]]) == '[0.3, 0, 1, [true, "a"]]'
