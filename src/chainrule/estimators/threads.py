"""How many threads may compute."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from joblib import effective_n_jobs
from threadpoolctl import threadpool_limits

from chainrule.plain import shortened

MOST = 4096  # threads: beyond, a number is a mistake


def threads_of(n_jobs: int | None) -> int | None:
    """A number of threads in joblib's way of counting: -1 is every core, -2 all but one; None leaves the choice open.

    >>> threads_of(3), threads_of(None)
    (3, None)
    """
    if n_jobs is not None and n_jobs > MOST:
        raise ValueError(f"n_jobs is {shortened(n_jobs)}, more than {MOST:,} threads: -1 takes every core")
    return None if n_jobs is None else int(effective_n_jobs(n_jobs))


def thread_limit(n_jobs: int | None) -> AbstractContextManager[Any]:
    """Within the block NumPy's own libraries, too, compute in at most that many threads."""
    return nullcontext() if n_jobs is None else threadpool_limits(limits=threads_of(n_jobs))
