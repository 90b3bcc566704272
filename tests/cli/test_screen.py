"""What people see: colours and wrapping on a terminal, neither in a pipe."""

from __future__ import annotations

import json
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


HOSTILE = "\x1b[2J\x9b31m\u202e[red]x[/red]\x07"
SHOWN = r"\x1b[2J\x9b31m\u202e[red]x[/red]\x07"


def test_nothing_of_others_acts_on_the_terminal(terminal, capsys):
    """Said, in a table, wherever it stands: the only control characters are our own colours."""
    table = screen.new_table(HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(screen.Text(HOSTILE, "bold"))
    screen.show(table)
    screen.say(HOSTILE, (HOSTILE, "bold"), indent=2)
    screen.note(HOSTILE)
    screen.complain(HOSTILE)
    out, err = capsys.readouterr()
    for text, times in ((out, 5), (err, 2)):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert plain.count(SHOWN.removesuffix(r"\x07")) == times, plain  # rich leaves bells out of its texts
        assert all(c == "\n" or c.isprintable() for c in plain)


def test_a_pipe_gets_no_control_characters_of_others_in_messages(capsys):
    screen.say(HOSTILE)
    assert capsys.readouterr().out == f"{SHOWN}\n"


def test_json_says_the_same_without_them(capsys):
    screen.print_json({"name": HOSTILE, "é": "é"})
    text = capsys.readouterr().out
    assert all(c == "\n" or c.isprintable() for c in text)
    assert json.loads(text) == {"name": HOSTILE, "é": "é"}


def test_data_is_as_it_is_in_a_pipe_and_visible_on_a_terminal(monkeypatch, capsys):
    screen.write(f"{HOSTILE}\n")
    assert capsys.readouterr().out == f"{HOSTILE}\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen.write(f"{HOSTILE}\n")
    assert capsys.readouterr().out == f"{SHOWN}\n"


def test_commands_show_names_that_would_act(run, tmp_path):
    """A header, a class and a file's name with escape sequences, through training, prediction and mistakes."""
    name = "a\x1b[2J"
    table = tmp_path / "t\x1b[31m.csv"
    rows = "".join(f"{i % 7},{'p' if i % 2 else 'q'}\x1b[7m\n" for i in range(60))
    table.write_text(f"{name},kind\x1b[1m\n{rows}", encoding="utf-8")
    results = [
        run("train", table, "-t", "kind\x1b[1m", "-o", "m\x1b[3m.safetensors", "--epochs", 2),
        run("train", table, "-t", "nothing\x1b[5m"),
        run("predict", "nowhere\x1b[5m.safetensors", table),
        run("evaluate", "m\x1b[3m.safetensors", table),
    ]
    assert [result.status for result in results] == [0, 2, 2, 0]
    for result in results:
        assert "\x1b" not in result.out + result.err
    assert r"a\x1b[2J" in results[0].out
    assert r"m\x1b[3m.safetensors" in results[0].out
