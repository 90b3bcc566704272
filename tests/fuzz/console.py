"""Runs the command line in this process, its three streams being files or a terminal, and looks at what came out."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.findings import expect

ESCAPES = ("\x1b[2J", "\x1b]0;owned\x07", "\x1b[31;1mred", "\x9b2J", "\x07")  # what a terminal must not get from data


@dataclass
class Result:
    """The exit status and what was written."""

    code: int
    out: str
    err: str


@contextlib.contextmanager
def streams(stdin: bytes, out: Any, err: Any, terminal: bool) -> Iterator[None]:
    """File descriptors 0, 1 and 2 of this process led to a text and two files, or by way of a terminal to the first."""
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        ends: tuple[int, ...] = ()
        reader = None
        if terminal:
            ends = pty.openpty()
            reader = threading.Thread(target=drain, args=(ends[0], out))
            reader.start()
        kept, files = [os.dup(i) for i in range(3)], (sys.stdin, sys.stdout, sys.stderr)
        try:
            os.dup2(given.fileno(), 0)
            os.dup2(ends[1] if terminal else out.fileno(), 1)
            os.dup2(ends[1] if terminal else err.fileno(), 2)
            sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 (the descriptor is kept)
            sys.stdout, sys.stderr = (open(i, "w", encoding="utf-8", closefd=False) for i in (1, 2))  # noqa: SIM115
            yield
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            sys.stdin, sys.stdout, sys.stderr = files
            for i, old in enumerate(kept):
                os.dup2(old, i)
                os.close(old)
            if reader is not None:
                os.close(ends[1])
                reader.join()
                os.close(ends[0])


def drain(terminal: int, out: Any) -> None:
    """Copy what a terminal gets into a file."""
    with contextlib.suppress(OSError):  # the other end was closed
        while data := os.read(terminal, 1 << 16):
            out.write(data)


def run(arguments: list[str], folder: Path, *, stdin: str = "", terminal: bool = False) -> Result:
    """`chainrule ARGUMENTS` in a folder; whatever it raises but its exit status is raised here."""
    from chainrule.cli import main

    before, argv = Path.cwd(), sys.argv
    os.chdir(folder)
    sys.argv = ["chainrule", *arguments]
    code = 0
    try:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                with streams(stdin.encode("utf-8", "replace"), out, err, terminal):
                    main()
            except SystemExit as status:
                code = status.code if isinstance(status.code, int) else int(status.code is not None)
            return Result(code, text_of(out), text_of(err))
    finally:
        sys.argv = argv
        os.chdir(before)


def run_apart(arguments: list[str], folder: Path, *, stdin: str, environment: dict[str, str]) -> Result:
    """`chainrule ARGUMENTS` in a process of its own, whose environment says something else."""
    code = "from chainrule.cli import main; main()"
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        input=stdin.encode("utf-8", "replace"),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path, **environment},
        check=False,
    )
    return Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def text_of(file: Any) -> str:
    """All that was written to a file."""
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def expect_manners(result: Result, what: str, *, raw_output: bool = False) -> None:
    """An exit status that is documented, a message where it isn't 0, no traceback, nothing raw from data."""
    both = result.out + result.err
    expect(result.code in (0, 1, 2), f"{what}: exit status {result.code}")
    expect("Traceback (most recent call last)" not in both, f"{what}: a traceback")
    expect(result.code != 2 or both.strip(), f"{what}: fails and says nothing")
    expect(len(result.err) < 20_000, f"{what}: {len(result.err)} letters on standard error: {result.err[:200]!r}")
    for escape in ESCAPES:
        shown = result.err if raw_output else both
        expect(escape not in shown, f"{what}: the escape sequence {escape!r} reaches the output")
