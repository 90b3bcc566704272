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
    """Your own code at the epochs (or steps) of a fit. Override what you need.

    Overriding `on_step` makes the engine stop after every step, which costs time.

    >>> from chainrule import Model, Network
    >>> class Third(Callback):
    ...     def on_start(self, run):
    ...         self.seen = []
    ...
    ...     def on_epoch(self, run, record):
    ...         self.seen.append(record.epoch)
    ...         return record.epoch == 3  # that is enough
    ...
    ...     def on_end(self, run):
    ...         self.seen.append("the best weights are back")
    ...
    ...     def on_exit(self):
    ...         self.seen.append("over")
    >>> third = Third()
    >>> history = Model(Network.mlp(1, [], 1), "squared_error").fit([[1.0]], [2.0], epochs=50, callbacks=third)
    >>> third.seen, history.stopped_by
    ([1, 2, 3, 'the best weights are back', 'over'], 'a callback')
    """

    def on_start(self, run: Run) -> None:
        """Before the first step.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.
        """

    def on_step(self, run: Run) -> bool | None:
        """After a step; True stops the fit.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.

        >>> from chainrule import Model, Network
        >>> class Ten(Callback):
        ...     def on_step(self, run):
        ...         return run.state.step == 10
        >>> model = Model(Network.mlp(1, [], 1), "squared_error")
        >>> history = model.fit([[1.0], [2.0]], [2.0, 3.0], batch_size=1, epochs=50, callbacks=Ten())
        >>> model.training.step
        10
        """

    def on_epoch(self, run: Run, record: EpochRecord) -> bool | None:
        """After an epoch; True stops the fit.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.
            record: what the epoch measured, complete.
        """

    def on_end(self, run: Run) -> None:
        """After the last step, the best weights restored.

        Arguments:
            run: the fit: `run.model` trains, `run.state` is its training state, `run.state.history` the history so far.
        """

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
