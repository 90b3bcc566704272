"""A progress bar for people: on standard error, and only where somebody looks."""

from __future__ import annotations

import sys
from typing import Any

from chainrule.training.callbacks import Callback
from chainrule.training.history import EpochRecord
from chainrule.training.run import Run


class ProgressBar(Callback):
    """Epochs done, the time left at most, the loss, and the validation loss where there is one."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def on_start(self, run: Run) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"), TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"), console=Console(file=sys.stderr), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=run.plan.epochs, completed=run.epoch - 1, numbers="")
        self._bar.start()

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        numbers = f"loss {record.loss:.4g}"
        if record.validation_loss is not None:
            numbers += f", validation {record.validation_loss:.4g}"
        self._bar.update(self._task, completed=record.epoch, numbers=numbers)
        return None

    def on_exit(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def wanted(progress: bool | str) -> bool:
    """Whether to show a bar: as said, or for `"auto"` where standard error is a terminal."""
    return sys.stderr.isatty() if progress == "auto" else bool(progress)
