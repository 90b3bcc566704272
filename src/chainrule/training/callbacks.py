"""Callbacks: your own code at the epochs (or steps) of a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.atomic import check_writable
from chainrule.errors import InputError
from chainrule.limits import COUNT, check
from chainrule.training.history import EpochRecord
from chainrule.training.run import Callback, Run


@dataclass
class EpochFunction(Callback):
    """A plain function of the epoch's record as a callback."""

    function: Callable[[EpochRecord], Any]

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        return self.function(record) is True


class Checkpoint(Callback):
    """Saves the model with its whole training state after every `every` epochs, and at the end.

    `chainrule.load(path)` and `fit(..., resume=True)` go on from there bit for bit.

    Arguments:
        path: the file, which is replaced as a whole: a crash leaves the last one.
        every: how many epochs lie between.

    Raises:
        InputError: every isn't a whole number of at least 1.
        FileError: when the fit begins: there is no writing to the path.

    >>> import tempfile
    >>> from chainrule import Model, Network, load
    >>> model = Model(Network.mlp(1, [], 1), "squared_error")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = model.fit([[1.0]], [2.0], epochs=3, callbacks=Checkpoint(f"{folder}/m.safetensors"))
    ...     len(load(f"{folder}/m.safetensors").history)
    3
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
    """A callback as it is; a function of the epoch's record as one.

    Arguments:
        given: a `Callback`, or a function.

    Raises:
        InputError: it is neither.

    >>> get_callback(lambda record: record.epoch == 3)
    EpochFunction(function=<function <lambda> at 0x...>)
    """
    if isinstance(given, Callback):
        return given
    if callable(given):
        return EpochFunction(given)
    raise InputError(f"a callback is a chainrule.Callback or a function of the epoch's record, not {given!r}")


__all__ = ["Callback", "Checkpoint", "EpochFunction", "get_callback"]
