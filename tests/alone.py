"""Tests marked `alone` run while no other test does, in whatever process: they measure how fast something answers.

Two files are locked. Every test holds `room`, shared, while it runs; one that must be alone takes it exclusively.
Whoever wants in passes `door` first, which one that waits to be alone keeps shut: nobody slips in before it for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: without them tests that measure may be disturbed
    fcntl = None  # type: ignore[assignment]


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Keep other processes that run tests of the same session out, or let them in beside oneself."""
    if fcntl is None:
        yield
        return
    with open(folder / "door", "w") as door, open(folder / "room", "w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
