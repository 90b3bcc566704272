"""A progress bar for people: on standard error, and only where somebody looks."""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any

from chainrule.training.callbacks import Callback
from chainrule.training.history import EpochRecord
from chainrule.training.run import Run


class ProgressBar(Callback):
    """Epochs done, the time left at most, the loss, and the validation loss where there is one.

    Arguments:
        runs: how many fits share it, side by side; their numbers are not shown.
    """

    def __init__(self, runs: int = 1) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._runs = runs
        self._left = runs  # that haven't ended
        self._lock = Lock()

    def on_start(self, run: Run) -> None:
        with self._lock:
            if self._bar is None:
                self._open(run)

    def _open(self, run: Run) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        what = "training" if self._runs == 1 else f"training {self._runs} networks"
        self._bar = Progress(
            TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"), TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"), console=Console(file=sys.stderr), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=run.plan.epochs * self._runs, completed=run.epoch - 1, numbers="")
        self._bar.start()

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        if self._runs > 1:
            self._bar.advance(self._task)
            return None
        numbers = f"loss {record.loss:.4g}"
        if record.validation_loss is not None:
            numbers += f", validation {record.validation_loss:.4g}"
        self._bar.update(self._task, completed=record.epoch, numbers=numbers)
        return None

    def on_end(self, run: Run) -> None:
        if self._runs > 1:  # the epochs that an early stop saved
            self._bar.advance(self._task, run.plan.epochs - len(run.state.history))

    def on_exit(self) -> None:
        with self._lock:
            self._left -= 1
            if self._bar is not None and self._left <= 0:
                self._bar.stop()
                self._bar = None


def wanted(progress: bool | str) -> bool:
    """Whether to show a bar: as said, or for `"auto"` where standard error is a terminal."""
    return sys.stderr.isatty() if progress == "auto" else bool(progress)
