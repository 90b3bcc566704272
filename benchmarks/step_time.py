"""Microseconds per training step, the reference engine beside scikit-learn's MLPClassifier, in one run.

The network is 64-128-128-10 with ReLU, softmax cross-entropy and Adam, in float32, batch 32, on one thread (and one
core, where the system lets a process choose). The two take turns; figures are medians of whole fits, batching included.

    python benchmarks/step_time.py [--rounds 7]

Target: the reference engine at least 1.5 times as fast.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded

import numpy as np
from sklearn.neural_network import MLPClassifier

import chainrule as cr

SIZES = (64, 128, 128, 10)
BATCH, ROWS, EPOCHS, TARGET = 32, 3200, 5, 1.5


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=7, help="timed fits of each (default 7)")
    rounds = arguments.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum iterations")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, SIZES[0])).astype(np.float32)
    y = rng.integers(0, SIZES[-1], ROWS)
    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first round warms up
        ours.append(_timed(lambda: _chainrule(X, y)))
        theirs.append(_timed(lambda: _sklearn(X, y)))
    ours, theirs = ours[1:], theirs[1:]
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    print(f"{'-'.join(map(str, SIZES))}, batch {BATCH}, float32, one thread")
    print(f"microseconds per step, median of {rounds} fits")
    print(f"  chainrule, reference engine  {statistics.median(ours):8.1f}")
    print(f"  scikit-learn MLPClassifier   {statistics.median(theirs):8.1f}")
    print(f"  ratio {ratio:.2f} (target {TARGET}): {'met' if ratio >= TARGET else 'MISSED'}")


def _timed(fit: object) -> float:
    begun = time.perf_counter()
    fit()  # type: ignore[operator]  # a function without arguments
    return (time.perf_counter() - begun) / (EPOCHS * ROWS / BATCH) * 1e6


def _chainrule(X: np.ndarray, y: np.ndarray) -> None:
    network = cr.Network.mlp(SIZES[0], SIZES[1:-1], SIZES[-1], output="softmax")
    # scikit-learn's default penalty alpha = 1e-4 is alpha / 2 |W|^2 over the batch's rows: the same work a step
    model = cr.Model(network, "cross_entropy", cr.Adam(1e-3), l2=0.5e-4 / BATCH, engine="reference")
    model.fit(X, y, epochs=EPOCHS, batch_size=BATCH, progress=False)


def _sklearn(X: np.ndarray, y: np.ndarray) -> None:
    MLPClassifier(SIZES[1:-1], batch_size=BATCH, max_iter=EPOCHS, tol=0.0, n_iter_no_change=10**6, random_state=0).fit(
        X, y
    )


if __name__ == "__main__":
    main()
