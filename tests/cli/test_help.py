"""Every command, argument and option says what it is for, and the help pages fit 80 columns."""

from __future__ import annotations

from typing import Any

import pytest
from typer.main import get_command

from chainrule.cli.app import app

APP: Any = get_command(app)
TOP: dict[str, Any] = {name: APP.commands[name] for name in APP.list_commands(None)}
KINDS: dict[str, Any] = {f"plot {name}": command for name, command in TOP["plot"].commands.items()}
COMMANDS: dict[str, Any] = {name: command for name, command in TOP.items() if name != "plot"} | KINDS


def test_the_commands():
    assert list(TOP) == [
        "train", "predict", "evaluate", "doctor", "explain", "mark", "practice", "plot", "params", "info",
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_parameter_is_described(name):
    command = COMMANDS[name]
    assert command.help.split("\n")[0].rstrip().endswith(".")
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}"
        assert len(parameter.help) > 8
        if parameter.param_type_name == "option" and parameter.default in (None, ""):
            assert parameter.required or "default" in parameter.help or "left out" in parameter.help, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_page_names_everything(run, monkeypatch, name, flag):
    monkeypatch.setenv("COLUMNS", "80")
    result = run(*name.split(), flag)
    assert (result.status, result.err) == (0, "")
    text = " ".join(result.out.split())
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument":
            assert parameter.metavar in text
        else:
            assert all(option in text for option in parameter.opts)
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_the_help_are_valid(run, penguins, model, name):
    """Each example line is parsed by its command; its files are made up, so they may be missing."""
    for line in COMMANDS[name].help.splitlines():
        if line.strip().startswith("chainrule "):
            words = line.split()[1:]
            n = len(name.split())
            assert words[:n] == name.split()
            made = COMMANDS[name].make_context(name, words[n:])
            assert made.params


def test_the_main_page(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = run("--help")
    assert page.status == 0
    for name, command in TOP.items():
        assert name in page.out
        assert " ".join(command.help.split())[:30] in " ".join(page.out.split())
    assert "chainrule train penguins.csv --target species" in page.out


def test_the_page_of_pictures_names_every_kind(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = run("plot", "--help")
    assert page.status == 0
    for name, command in KINDS.items():
        assert name.removeprefix("plot ") in page.out
        assert " ".join(command.help.split())[:25] in " ".join(page.out.split())


def test_the_words_in_the_help_exist():
    """What the help of `train` lists is what there is."""
    from chainrule.activations import ACTIVATIONS
    from chainrule.optimizers import OPTIMIZERS
    from chainrule.tables.reading import DATASETS

    text = {parameter.name: parameter.help for parameter in COMMANDS["train"].params}
    for name in OPTIMIZERS:
        assert name in text["optimizer"]
    for name in DATASETS:
        assert name in text["table"]
    named = text["activation"].split(":")[1].replace("...", "").replace(",", " ").split()
    assert len(named) >= 5
    assert set(named) <= set(ACTIVATIONS)
