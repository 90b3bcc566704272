"""The command line called within the test's process, and tables and models to call it with."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
SMALL = ("--members", 2, "--hidden", "32")  # as good as the networks that are the default, and sooner there


@dataclass(frozen=True)
class Result:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON object and nothing else."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one message of a command that failed as it should: on standard error, nothing on standard output."""
        assert self.status == 2, self
        assert self.out == ""
        assert self.err.startswith("error: ")
        assert self.err.count("\n") == 1, self.err  # no table, no second message, no traceback
        return self.err.removeprefix("error: ").rstrip("\n")


Run = Callable[..., Result]


def run_command(*arguments: object) -> Result:
    """Run `chainrule ARGUMENTS` in this process; an exception that isn't the exit is a failure of the test."""
    from chainrule.cli import main

    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2)]
    argv = ["chainrule", *map(str, arguments)]
    with patch.object(sys, "argv", argv), redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        with pytest.raises(SystemExit) as caught:
            main()
        for stream in streams:
            stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return Result(int(caught.value.code or 0), out, err)


@pytest.fixture
def run() -> Run:
    """Runs one command and gives what a shell would see."""
    return run_command


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test in an empty folder, with no terminal to be seen."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def penguins(tmp_path: Path) -> str:
    """`penguins.csv` in the current folder."""
    shutil.copy(PENGUINS, tmp_path / "penguins.csv")
    return "penguins.csv"


@pytest.fixture(scope="session")
def species_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "species.safetensors"
    assert run_command("train", PENGUINS, "-t", "species", "--out", path, "--quiet", *SMALL).status == 0
    return path


@pytest.fixture(scope="session")
def mass_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "mass.safetensors"
    assert (
        run_command("train", PENGUINS, "-t", "body_mass_g", "--out", path, "--quiet", "--epochs", 30, *SMALL).status
        == 0
    )
    return path


@pytest.fixture
def model(species_model: Path, tmp_path: Path) -> str:
    """`species.safetensors`, which predicts the penguins' species, in the current folder."""
    shutil.copy(species_model, tmp_path / "species.safetensors")
    return "species.safetensors"


@pytest.fixture
def mass(mass_model: Path, tmp_path: Path) -> str:
    """`mass.safetensors`, which predicts the penguins' body mass, in the current folder."""
    shutil.copy(mass_model, tmp_path / "mass.safetensors")
    return "mass.safetensors"
