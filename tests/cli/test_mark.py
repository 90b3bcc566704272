"""`chainrule mark`: what people see, and the exit status that programs read."""

from __future__ import annotations

from pathlib import Path

import pytest

SHEETS = Path(__file__).parents[2] / "examples" / "worksheets"
SHEET = SHEETS / "two_sigmoid_units.toml"


@pytest.fixture
def practice(run, tmp_path: Path) -> Path:
    """A key in our names, with one number of another method."""
    key = tmp_path / "key.toml"
    run("practice", "--network", "2-3-1", "--seed", 7, "--out", tmp_path / "sheet.toml", "--key", key)
    text = key.read_text(encoding="utf-8")
    name = '"dL/dz[hidden,2]" = "'
    before, _, after = text.partition(name)
    key.write_text(f'{before}{name}9.9"{after[after.index(chr(34)) + 1 :]}', encoding="utf-8")
    return key


def test_names_and_numbers_stay_whole_in_eighty_columns(run, practice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run("mark", practice)
    assert done.status == 1
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    for name in ("dL/dW[hidden,1,1]", "dL/dh[output,1]", "W+[output,3,1]"):
        assert any(line.startswith(f"{name} ") for line in lines)
    heading = next(i for i, line in enumerate(lines) if " values " in line)
    assert "from own" in lines[heading - 1]  # two lines, not a written line feed


def test_the_exit_status_says_whether_something_is_wrong(run, tmp_path: Path) -> None:
    assert run("mark", SHEET).status == 1
    assert run("mark", SHEETS / "two_by_two_by_two.toml").status == 0
    assert "can't read" in run("mark", tmp_path / "none.toml").complaint
    work = tmp_path / "class.csv"
    for text, status in (("student,Z1\nAnn,0.44\n", 0), ("student,Z1,Q\nAnn,0.44,1\nBen,0.34,\n", 1), ("", 2)):
        work.write_text(text, encoding="utf-8")
        assert run("mark", SHEET, "--work", work).status == status


def test_symbols_of_a_class_that_mean_nothing_are_named(run, tmp_path: Path) -> None:
    work = tmp_path / "class.csv"
    work.write_text("student,Z1,Q\nAnn,0.44,1\nBen,0.34,2\n", encoding="utf-8")
    done = run("mark", SHEET, "--work", work)
    assert done.out.count('unknown: "Q"') == 1
    assert "bias-missing" in done.out


def test_no_code_is_broken_in_eighty_columns(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = run("mark", SHEET)
    assert result.status == 1
    assert "delta-for-output-gradient" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
