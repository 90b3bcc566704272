"""A subject with faults of its own, to test that the attack sees them."""

from __future__ import annotations

import os
import signal

from fuzz.findings import expect


def check(case: str) -> None:
    """Crash, break a promise, or do neither."""
    if case == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    expect(case == "fine", "a promise is broken")
