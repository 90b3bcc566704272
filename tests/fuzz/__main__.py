"""`make fuzz`: run the attack for some seconds, and say what was found."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import secrets
import sys
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from fuzz.findings import SUBJECTS
from fuzz.runner import CASES, Run, run


def counts(this: Run) -> Table:
    """How many cases each subject has seen."""
    table = Table(box=None)
    table.add_column("subject")
    for name in ("cases", "cases per second", "findings"):
        table.add_column(name, justify="right")
    for subject, cases in this.cases.items():
        seconds = this.time[subject]
        found = sum(name == subject for name, _ in this.found)
        table.add_row(subject, f"{cases:,}", f"{cases / seconds:.1f}" if seconds else "", str(found or ""))
    return table


def main() -> int:
    """Run the subjects until the time is up; 1 where something was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("subjects", nargs="*", choices=[*SUBJECTS, []], help="all of them when left out")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--cases", type=int, default=sys.maxsize, help="of each subject at most; all where left out")
    parser.add_argument("--seed", type=int, default=None, help="the same seed makes the same cases")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, default=CASES, help="where failing cases go")
    parser.add_argument("--replay", type=Path, help="check one kept case in this process, with its traceback")
    given = parser.parse_args()
    if given.replay:
        kept = json.loads(given.replay.read_text())
        importlib.import_module(f"fuzz.{kept['subject']}").check(kept["case"])
        return 0
    seed = secrets.randbits(32) if given.seed is None else given.seed
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"seed {seed}: the same cases again with --seed {seed} (make fuzz SEED={seed})")
    this = run(
        tuple(given.subjects),
        seed,
        given.seconds,
        given.jobs,
        given.keep,
        lambda text: console.print(text, markup=False),
        given.cases,
    )
    threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    try:
        with Live(counts(this), console=console, transient=True) as live:
            while any(thread.is_alive() for thread in threads):
                time.sleep(0.2)
                live.update(counts(this))
    except KeyboardInterrupt:
        this.end = 0.0
    for thread in threads:
        thread.join()
    for worker in this.workers.values():
        worker.close()
    console.print(counts(this))
    console.print(f"{sum(this.cases.values()):,} cases, {len(this.found)} findings")
    return 1 if this.found else 0


if __name__ == "__main__":
    sys.exit(main())
