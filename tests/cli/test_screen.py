"""What people see: colours and wrapping on a terminal, neither in a pipe."""

from __future__ import annotations

import re

import numpy as np
import pytest

from chainrule.cli import screen

LONG = "word " * 40 + "[red]:cat: end"


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns with colours."""
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_terminal(terminal, capsys):
    screen.complain(LONG)
    said = capsys.readouterr().err
    assert said.startswith("\x1b[1;31merror: \x1b[0mword")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert max(map(len, plain.splitlines())) <= 80
    assert " ".join(plain.split()) == f"error: {LONG}"


def test_a_pipe(monkeypatch, capsys):
    screen.note(LONG)
    screen.say("to a ", ("program", "bold"))
    assert capsys.readouterr() == ("to a program\n", f"note: {LONG}\n")


def test_a_table_in_eighty_columns(terminal, capsys):
    table = screen.new_table("name", "why", "count", right=(2,))
    table.add_row("n" * 100, "because " * 20, "1,000")
    screen.show(table)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(line.split()[0] for line in lines[2:] if line.startswith("n")) == "n" * 100


def test_plain_values_in_json(capsys):
    screen.print_json(
        {"a": np.float32(0.5), "b": [np.int64(1), float("nan")], "c": (np.inf, True, None), 3: {"é": np.bool_(False)}}
    )
    assert "".join(capsys.readouterr().out.split()) == '{"a":0.5,"b":[1,null],"c":[null,true,null],"3":{"é":false}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.000"),
        (0.98765, "0.9877"),
        (-0.00012345, "-0.0001234"),
        (999.94, "999.9"),
        (1234.5, "1,234"),
        (1e7, "10,000,000"),
    ],
)
def test_numbers(value, text):
    assert screen.number(value) == text


def test_a_code_is_broken_at_its_hyphens(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "18")
    screen.show(screen.Hyphenated("delta-for-output-gradient (or other-loss)"))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "delta-for-output-", "gradient (or", "other-loss)",
    ]  # fmt: skip
