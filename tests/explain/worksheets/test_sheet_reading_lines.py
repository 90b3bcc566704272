"""Lines of keys and elements, wherever brackets, signs and ends of lines stand."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import FileError
from chainrule.explain.worksheets.sheet_reading import line_of, lines_of
from chainrule.explain.worksheets.sheet_writing import quoted
from chainrule.explain.worksheets.worksheet import read_worksheet_text

SHEETS = sorted((Path(__file__).parents[3] / "examples" / "worksheets").glob("*.toml"))


def test_the_last_row_of_an_array_is_no_header() -> None:
    """`[1.0]` alone in its line looked like one, and all that followed was said to stand in it."""
    text = (
        'format = "chainrule-worksheet/1"\n[network]\ninputs = 2\nlayers = [{ name = "output", units = 1 }]\n'
        'loss = "squared_error"\n[parameters]\noutput.W = [\n  [2.0],\n  [1.0]\n]\noutput.b = [1, 2]\n'
        "[sample]\nx = [1, 2]\ny = [1]\n"
    )
    with pytest.raises(FileError, match=r"line 11: output\.b has shape \(2,\)"):
        read_worksheet_text(text)


LINES = r'''a = [ # [no.header]
  [1.0],
  ["]", '[x]', """
[y]
k = 1""" ],
  { b = "c = [", d = [1,
     2] }, [[[3],
  [4]]],
]
"e]" = '= ['
[s."t.u"]  # [v]
w.x = """"
[y]""""" # two quotes, and the end
z = 2 # { [
[[u]]
v = 1.5
[[u]]
v = { a = {}, b = [] }
[u.x]
y = 1979-05-27 07:32:00'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a", 1), ("a 0", 2), ("a 0 0", 2), ("a 1", 3), ("a 1 1", 3), ("a 1 2", 3), ("a 2", 6), ("a 2 b", 6),
        ("a 2 d", 6), ("a 2 d 0", 6), ("a 2 d 1", 7), ("a 3 0 0", 7), ("a 3 0 1", 8), ("e]", 10), ("s", 11),
        ("s t.u", 11), ("s t.u w x", 12), ("s t.u z", 14), ("u 0 v", 16), ("u 1", 17), ("u 1 v b", 18), ("u 1 x y", 20),
        ("u 9", 15), ("s t.u k", 11),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_each_thing_has_the_line_that_it_begins_on(path: str, line: int, ends: str) -> None:
    tomllib.loads(LINES)
    assert line_of(LINES.replace("\n", ends), tuple(path.split())) == line


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_every_key_of_every_worksheet_is_found(sheet: Path) -> None:
    text = sheet.read_text(encoding="utf-8")
    found = {path for path in lines_of(text) if not path[-1].isdigit()}
    assert found == {path for path in paths(tomllib.loads(text)) if not path[-1].isdigit()}


def paths(data: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    pairs = enumerate(data) if isinstance(data, list) else data.items() if isinstance(data, dict) else ()
    found = []
    for key, value in pairs:
        path = (*before, str(key))
        found += [path, *paths(value, path)]
    return found


TEXTS = st.text("ab[]{}=,.#\"'\\\n\r ", max_size=6)
VALUES = st.recursive(
    st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=8,
)


def toml(value: Any, ends: list[str]) -> str:
    """A value whose arrays are broken in every manner."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(inner, ['', ''])}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + "".join(f"{ends[0]}{toml(inner, ends)},{ends[-1]}" for inner in value) + "]"
    return str(value)


@given(st.lists(VALUES, min_size=1, max_size=4), st.lists(st.sampled_from(["", "\n", " # [a] = {\n"]), min_size=2))
def test_whatever_stands_before_a_key_does_not_move_its_line(values: list[Any], ends: list[str]) -> None:
    text, lines = "", {}
    for i, value in enumerate(values):
        lines[f"k{i}",] = text.count("\n") + 1
        text += f"k{i} = {toml(value, ends)}\n"
    assert tomllib.loads(text) == {f"k{i}": value for i, value in enumerate(values)}
    found = lines_of(text)
    assert {path: line for path, line in found.items() if len(path) == 1} == lines
    assert set(paths(tomllib.loads(text))) == set(found)
