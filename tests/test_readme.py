"""The README is true: its Python runs, and its commands print what it shows, up to the digits of measured numbers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CONSOLE = re.findall(r"```console\n\$ (.*?)\n(.*?)```", README, re.DOTALL)


@pytest.fixture(autouse=True)
def in_root(monkeypatch, tmp_path):
    """Run where the README's paths mean something, with what it writes kept out of the tree."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "build").mkdir()
    monkeypatch.chdir(tmp_path)


def test_there_is_something_to_check():
    assert len(PYTHON) >= 3
    assert len(CONSOLE) >= 2


@pytest.mark.parametrize("program", PYTHON, ids=range(len(PYTHON)))
def test_python_runs(program, capsys):
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_commands_print_what_is_shown():
    for command, shown in CONSOLE:  # in order: the second reads what the first one wrote
        program = f"{sys.executable} -c 'from chainrule.cli import main; main()'"
        run = subprocess.run(
            command.replace("chainrule ", f"{program} ", 1), shell=True, capture_output=True, text=True, check=True
        )
        assert _without_measurements(run.stdout) == _without_measurements(shown)


def _without_measurements(text: str) -> list[str]:
    """Lines with their white space folded, and with numbers that a machine's rounding may change left out."""
    text = " ".join(text.split())
    text = re.sub(r"\d[\d,]* (epochs|networks) in .*?saved to", "EPOCHS saved to", text)
    return re.sub(r"\d+\.\d+", "NUMBER", text).split()
