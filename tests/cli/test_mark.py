"""`chainrule mark` at a narrow window."""

from __future__ import annotations

from pathlib import Path

SHEETS = Path(__file__).parents[2] / "examples" / "worksheets"


def test_no_code_is_broken_in_eighty_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = run("mark", SHEETS / "two_sigmoid_units.toml")
    assert result.status == 1
    assert "delta-for-output-gradient" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
