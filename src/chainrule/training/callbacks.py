"""Callbacks: your own code at the epochs (or steps) of a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.atomic import check_writable
from chainrule.errors import InputError
from chainrule.limits import COUNT, check
from chainrule.training.history import EpochRecord

if TYPE_CHECKING:
    from chainrule.training.loop import Run


class Callback:
    """Override what you need; return True from `on_epoch` or `on_step` to stop the fit.

    `run.model` is the model that trains, `run.state` its training state, `run.state.history` the history so far.
    Overriding `on_step` makes the engine stop after every step, which costs time.
    """

    def on_start(self, run: Run) -> None:
        """Before the first step."""

    def on_step(self, run: Run) -> bool | None:
        """After a step."""

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        """After an epoch, its record complete."""

    def on_end(self, run: Run) -> None:
        """After the last step, the best weights restored."""

    def on_exit(self) -> None:
        """When the fit is over, also after an error: the last call."""


@dataclass
class EpochFunction(Callback):
    """A plain function of the epoch's record as a callback."""

    function: Callable[[EpochRecord], Any]

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        return self.function(record) is True


class Checkpoint(Callback):
    """Saves the model with its whole training state after every `every` epochs, and at the end.

    `chainrule.load(path)` and `fit(..., resume=True)` go on from there bit for bit.
    """

    def __init__(self, path: str | Path, every: int = 1):
        check("Checkpoint", "every", every, COUNT)
        self.path = Path(path)
        self.every = every

    def on_start(self, run: Run) -> None:
        check_writable(self.path)
        run.model.to_contents()  # what can't be saved is said before the first epoch

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        if record.epoch % self.every == 0:
            run.model.save(self.path, training=True)
        return None

    def on_end(self, run: Run) -> None:
        run.model.save(self.path, training=True)


def get_callback(given: object) -> Callback:
    """A callback as it is; a function of the epoch's record as one."""
    if isinstance(given, Callback):
        return given
    if callable(given):
        return EpochFunction(given)
    raise InputError(f"a callback is a chainrule.Callback or a function of the epoch's record, not {given!r}")
