"""How far a number travels through the house: files entered, and changes from one file to another, in three errands.

A row that trains a network, a weight whose gradient is written as text, and an entry of a worksheet that is marked.
A call counts as a change of file where its caller, the nearest one in the package, stands in another file.
Loading modules is not counted. `--source DIR` follows the same errands through another checkout's `src/`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


Errand = Callable[[], object]


def row(folder: Path) -> Errand:
    """One command from the table to the saved model."""
    return command(
        "train", ROOT / "examples" / "penguins.csv", "--target", "species", "--out", folder / "penguins.safetensors"
    )


def weight(folder: Path) -> Errand:
    """From a model that is there to the text of one weight's gradient."""
    from chainrule import Model, Network

    model = Model(Network.mlp(2, [2], 1, activation="sigmoid", output="sigmoid"), "binary_cross_entropy", "sgd")
    return lambda: model.explain([0.5, 0.8], 1).to_text(weight="W[hidden,2,1]")


def entry(folder: Path) -> Errand:
    """One command from the worksheet's file to its marks."""
    return command("mark", ROOT / "examples" / "worksheets" / "two_by_two_by_two.toml")


def command(*words: object) -> Errand:
    from chainrule.cli import main

    sys.argv = ["chainrule", *map(str, words)]
    return main


ERRANDS: dict[str, Callable[[Path], Errand]] = {"row": row, "weight": weight, "entry": entry}


def stack(frame: FrameType | None) -> Iterator[CodeType]:
    """The code of a frame, of its caller, and so on."""
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def follow(errand: Errand, package: str) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Calls by file, and changes of file by (from, to)."""
    files: Counter[str] = Counter()
    changes: Counter[tuple[str, str]] = Counter()

    def note(frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(package):
            return
        callers = [caller for caller in stack(frame) if caller.co_filename.startswith(package)]
        if any(caller.co_name == "<module>" for caller in callers):  # a module's own body, its classes', what they call
            return
        files[file.removeprefix(package)] += 1
        if len(callers) > 1 and callers[1].co_filename != file:
            changes[callers[1].co_filename.removeprefix(package), file.removeprefix(package)] += 1

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        sys.setprofile(note)
        try:
            errand()
        except SystemExit:
            pass
        finally:
            sys.setprofile(None)
    return files, changes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "errand", nargs="?", choices=ERRANDS, help="one of them in detail; all of them where it is left out"
    )
    parser.add_argument("--source", type=Path, default=ROOT / "src", help="the src/ folder of the checkout to follow")
    options = parser.parse_args()
    source = options.source.resolve()
    if (
        options.errand is None
    ):  # each in a process of its own: what one loads and keeps would shorten the next one's way
        print(f"{'errand':8} {'files':>6} {'changes of file':>16}", flush=True)
        for name in ERRANDS:
            command = [sys.executable, __file__, name, "--source", str(source)]
            print(
                subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0], flush=True
            )
        return
    sys.path.insert(0, str(source))
    with tempfile.TemporaryDirectory() as folder:
        files, changes = follow(ERRANDS[options.errand](Path(folder)), f"{source / 'chainrule'}/")
    print(f"{options.errand:8} {len(files):6} {changes.total():16}")
    for (caller, called), n in changes.most_common(40):
        print(f"{n:8}  {caller} -> {called}")


if __name__ == "__main__":
    main()
