"""Runs cases of all subjects in processes of their own, keeps what fails, and makes it smaller where that is cheap."""

from __future__ import annotations

import hashlib
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fuzz.findings import SUBJECTS, signature
from fuzz.worker import TIME_LIMIT

CASES = Path(__file__).parent / "cases"
SLICE = 1.0  # seconds that a subject works before another may
LONG = 24  # letters; shorter texts are names, of which no part means anything


class Worker:
    """A process that checks cases; a new one takes its place when it crashes or hangs."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        self.pending = b""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request; a crash or a hang is one too."""
        process = self.process or self.start()
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        line = self.read_line(process)
        if line.endswith(b"\n"):
            return json.loads(line)
        stuck = process.poll() is None
        self.stop()
        said = self.last_errors()
        hangs = stuck or "Timeout (" in said
        found = f"hangs: no answer in {TIME_LIMIT:.0f} s" if hangs else f"crashes: exit status {process.returncode}"
        return {"found": f"{found}\n{said}", "case": request.get("case")}

    def start(self) -> subprocess.Popen[bytes]:
        """A new process."""
        here = str(Path(__file__).parent.parent)
        path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH", ""))))
        self.pending = b""
        self.errors.truncate(0)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is for the run, which then stops its processes
        )
        return self.process

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def close(self) -> None:
        """End the process for good."""
        self.stop()
        self.errors.close()

    def read_line(self, process: subprocess.Popen[bytes]) -> bytes:
        """The next line, or what there is of it when the process has ended or hangs."""
        assert process.stdout is not None
        end = time.monotonic() + TIME_LIMIT + 15.0
        while b"\n" not in self.pending:
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
            data = os.read(process.stdout.fileno(), 1 << 16) if ready else b""
            if not data:
                if ready:
                    process.wait()
                return self.pending
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return line + b"\n"

    def last_errors(self) -> str:
        """The end of what was written to standard error."""
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - 2000))
        return self.errors.read().decode(errors="replace")


class Run:
    """A run over several subjects: who is next, how many cases each has seen, and what was found."""

    def __init__(
        self, subjects: tuple[str, ...], seed: int, seconds: float, keep: Path, say: Callable[[str], None], most: int
    ):
        self.seed, self.keep, self.say, self.most = seed, keep, say, most
        self.end = time.monotonic() + seconds
        self.cases = dict.fromkeys(subjects, 0)
        self.time = dict.fromkeys(subjects, 0.0)
        self.found: dict[tuple[str, str], Path] = {}
        self.lock = threading.Lock()
        self.idle = list(subjects)
        self.workers = {subject: Worker() for subject in subjects}

    def work(self) -> None:
        """Take the subject that has had least time, again and again."""
        while time.monotonic() < self.end:
            with self.lock:
                if not self.idle:
                    return
                subject = min(self.idle, key=self.time.__getitem__)
                self.idle.remove(subject)
            begun = time.monotonic()
            while time.monotonic() < min(self.end, begun + SLICE) and self.cases[subject] < self.most:
                self.one(subject, self.workers[subject])
            with self.lock:
                self.time[subject] += time.monotonic() - begun
                if self.cases[subject] < self.most:
                    self.idle.append(subject)

    def one(self, subject: str, worker: Worker) -> None:
        """Check the next case of a subject."""
        with self.lock:
            index = self.cases[subject]
            self.cases[subject] += 1
        request = {"subject": subject, "seed": self.seed, "index": index}
        reply = worker.ask(request)
        if reply["found"] is None:
            return
        kind = (subject, signature(reply["found"]))
        with self.lock:
            if kind in self.found:
                return
            self.found[kind] = self.keep
        case = reply["case"]
        if case is None:  # the process ended before it could say
            case = generated(subject, self.seed, index)
        case = smaller(worker, subject, case, kind[1], seconds=5.0)
        path = keep_case(self.keep, subject, reply["found"], case)
        with self.lock:
            self.found[kind] = path
        self.say(f"{subject} (seed {self.seed}, case {index}): {reply['found']}\n  kept as {path}")


def generated(subject: str, seed: int, index: int) -> Any:
    """The case of a seed and an index; generating runs nothing of chainrule's."""
    import importlib
    import random

    return importlib.import_module(f"fuzz.{subject}").generate(random.Random(f"{subject} {seed} {index}"))


def keep_case(folder: Path, subject: str, found: str, case: Any) -> Path:
    """Write a failing case to the folder from which tests replay it."""
    first_line = found.split("\n", 1)[0]  # further lines may name folders of this machine
    text = json.dumps({"subject": subject, "found": first_line, "case": case}, indent=1) + "\n"
    digest = hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()[:10]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{subject}-{digest}.json"
    path.write_text(text)
    return path


def smaller(worker: Worker, subject: str, case: Any, kind: str, seconds: float) -> Any:
    """The case with parts of its lists and texts left out, as long as it fails in the same way."""
    if kind.startswith("hangs"):
        return case
    end = time.monotonic() + seconds
    again = True
    while again and time.monotonic() < end:
        again = False
        for candidate in without_parts(case):
            if time.monotonic() > end:
                break
            reply = worker.ask({"subject": subject, "case": candidate})
            if reply["found"] is not None and signature(reply["found"]) == kind:
                case, again = candidate, True
                break
    return case


def without_parts(thing: Any) -> Iterator[Any]:
    """The same JSON value with a half, a quarter ... of one of its lists or texts left out."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            for simpler in without_parts(value):
                yield {**thing, key: simpler}
    elif isinstance(thing, list) or (isinstance(thing, str) and len(thing) > LONG):
        size = max(1, len(thing) // 2)
        while thing and size:
            for start in range(0, len(thing), size):
                yield thing[:start] + thing[start + size :]
            size //= 2
        for i, value in enumerate(thing if isinstance(thing, list) else ()):
            for simpler in without_parts(value):
                yield [*thing[:i], simpler, *thing[i + 1 :]]


def run(
    subjects: tuple[str, ...], seed: int, seconds: float, jobs: int, keep: Path, say: Callable[[str], None],
    most: int = sys.maxsize,
) -> Run:  # fmt: skip
    """Start the threads of a run; they stop at `Run.end`, or when every subject has had `most` cases."""
    this = Run(subjects or SUBJECTS, seed, seconds, keep, say, most)
    for _ in range(min(jobs, len(this.cases))):
        threading.Thread(target=this.work).start()
    return this
