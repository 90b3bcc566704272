"""Ctrl-C as a request: training stops after the step at hand and keeps what it has."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Set when Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.requested = False
        self.raises = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: the first time a request, the second time an ordinary KeyboardInterrupt."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        if self.raises:
            raise KeyboardInterrupt

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


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Catch Ctrl-C while the block runs; outside the main thread nothing can be caught, and nothing is."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    previous = signal.signal(signal.SIGINT, interrupt.handle)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, previous)
