"""The installed command as a process of its own: signals, pipes, encodings, exit statuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import chainrule as cr

COMMAND = [sys.executable, "-W", "error", "-c", "from chainrule.cli import main; main()"]


def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )  # type: ignore[call-overload]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize("flags", [[], pytest.param(["--json"], marks=pytest.mark.slow)])
def test_ctrl_c_leaves_a_usable_model(penguins, flags):
    """A real SIGINT in the middle of a training that would take hours."""
    cr.Model(cr.Network.mlp(1, [], 1), "squared_error").save("penguins.safetensors")  # an older model
    begun = Path("begun")
    program = (
        "import chainrule.training.run as loop, pathlib; old = loop.Run.finish_epoch;"
        f"loop.Run.finish_epoch = lambda *a: (pathlib.Path({str(begun)!r}).touch(), old(*a))[1];"
        "from chainrule.cli import main; main()"
    )
    long = ["--epochs", "1000000", "--patience", "1000000"]
    child = subprocess.Popen(
        [sys.executable, "-c", program, "train", penguins, "-t", "species", *long, *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(os.environ),  # without the COLUMNS that readline sets for children behind os.environ's back
    )  # fmt: skip
    try:
        for _ in range(600):
            if begun.exists():
                break
            try:
                child.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert err == "note: training was interrupted by Ctrl-C; the saved model is what was learned until then\n"
    assert child.returncode == 0
    model = cr.load("penguins.safetensors")
    assert model.history.stopped_by == "interrupted"
    assert len(model.history) >= 1
    assert len(model.predict(penguins)) == 344
    assert model.test_scores["accuracy"] > 0.3
    if flags:
        assert '"stopped_by": "interrupted"' in out
    else:
        assert " s: interrupted" in " ".join(out.split())
        assert "saved to penguins.safetensors" in out


def test_a_reader_that_goes_away(penguins, model):
    frame = pl.read_csv(penguins)
    pl.concat([frame] * 100).write_csv("many.csv")
    child = start("predict", model, "many.csv")
    assert child.stdout is not None
    assert child.stdout.readline() == "species\n"
    child.stdout.close()
    child.wait(60)
    assert child.stderr is not None
    assert child.stderr.read() == ""
    child.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_standard_output_that_is_full(penguins, model):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "predict", model, penguins], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "error: No space left on device\n"


def test_a_terminal_without_the_letters(penguins):
    """Names that the terminal's encoding hasn't are written as escapes."""
    pl.read_csv(penguins).rename({"island": "île ☃"}).write_csv("pingüinos.csv")
    child = start(
        "train", "pingüinos.csv", "-t", "species", "--epochs", 2, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert r"\xeele" in out or r"\xc3\xaele" in out
    assert cr.load("pingüinos.safetensors").history.stopped_by == "epochs"


def test_the_installed_command():
    command = Path(sys.executable).with_name("chainrule")
    if not command.exists():
        pytest.skip("chainrule is not installed as a command")
    done = subprocess.run([command, "params", "5-4-3-2-1"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "with biases 50" in done.stdout
    done = subprocess.run([command, "params", "5"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
