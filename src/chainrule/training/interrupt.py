"""Ctrl-C as a request: training stops after the step at hand and keeps what it has."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Set when Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.pressed = False
        self.raises = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: the first time a request, the second time an ordinary KeyboardInterrupt."""
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
        if self.raises:
            raise KeyboardInterrupt

    @property
    def reason(self) -> str | None:
        """Why the run is to stop after the step at hand, or None."""
        return "interrupted" if self.pressed else None

    def at_once(self) -> AtOnce:
        """For a `with` block that changes nothing: in it Ctrl-C raises a KeyboardInterrupt the first time too."""
        return AtOnce(self)


class AtOnce:
    """What `Interrupt.at_once` gives; a class, for tiny epochs: a generator takes longer."""

    def __init__(self, interrupt: Interrupt) -> None:
        self.interrupt = interrupt

    def __enter__(self) -> None:
        self.interrupt.raises = True

    def __exit__(self, *error: object) -> None:
        self.interrupt.raises = False


class Halt(Interrupt):
    """What ends several runs at once: Ctrl-C, the time that they have together, or a mistake in one of them.

    Arguments:
        ctrl_c: what the main thread catches.
        seconds: how long the runs may take together, from now on.
    """

    def __init__(self, ctrl_c: Interrupt, seconds: float | None = None) -> None:
        super().__init__()
        self._ctrl_c = ctrl_c
        self._seconds = seconds
        self._begun = time.perf_counter()

    @property
    def reason(self) -> str | None:
        """Why the runs are to stop, or None."""
        if self.pressed or self._ctrl_c.pressed:
            return "interrupted"
        if self._seconds is not None and time.perf_counter() - self._begun >= self._seconds:
            return f"the time limit of {self._seconds:g} s"
        return None


@contextmanager
def interruptible(given: Interrupt | None = None) -> Iterator[Interrupt]:
    """Catch Ctrl-C while the block runs, unless somebody else does, whose interrupt is given.

    Outside the main thread nothing can be caught, and nothing is.
    """
    if given is not None:
        yield given
        return
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    previous = signal.signal(signal.SIGINT, interrupt.handle)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, previous)
