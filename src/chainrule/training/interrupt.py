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
        self._raises = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: the first time a request, the second time an ordinary KeyboardInterrupt."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        if self._raises:
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While the block runs, which changes nothing, Ctrl-C raises a KeyboardInterrupt the first time too."""
        self._raises = True
        try:
            yield
        finally:
            self._raises = False


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
