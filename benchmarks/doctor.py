"""What a `Doctor` costs: training 64-128-128-10 with one among the callbacks, beside the same without.

20,000 rows, two epochs, Adam, float32, one thread; ReLU and GELU, batches of 32, 128 and 512. Fits with and without take
turns, and the figure is the fastest of each over the fastest of the other. `--every 1` shows what a measured step costs.

    python benchmarks/doctor.py [--rounds 9] [--every N]

Target: at most 5 % with the default sampling, nothing without a doctor.
"""

from __future__ import annotations

import argparse
import os
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CHAINRULE_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded

import numpy as np

import chainrule as cr

ROWS, EPOCHS, TARGET = 20_000, 2, 0.05


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9, help="fits of each (default 9)")
    arguments.add_argument("--every", type=int, help="steps between two that are measured (default: the doctor's own)")
    given = arguments.parse_args()
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(ROWS, 64)).astype("float32"), rng.integers(0, 10, ROWS)
    print("activation  batch  us a step  with a doctor")
    worst = 0.0
    for activation in ("relu", "gelu"):
        for batch in (32, 128, 512):
            alone, watched = _fastest(X, y, activation, batch, given.rounds, given.every)
            steps = EPOCHS * -(-ROWS // batch)
            worst = max(worst, watched / alone - 1)
            print(f"{activation:10}  {batch:5}  {alone / steps * 1e6:9.1f}  {watched / alone - 1:+12.1%}")
    print(f"the most: {worst:.1%}; target {TARGET:.0%}" if given.every is None else f"the most: {worst:.1%}")


def _fastest(
    X: np.ndarray, y: np.ndarray, activation: str, batch: int, rounds: int, every: int | None
) -> tuple[float, float]:
    """Seconds of the fastest fit without a doctor, and with one."""
    seconds: tuple[list[float], list[float]] = ([], [])
    network = cr.Network.mlp(64, [128, 128], 10, activation=activation, output="softmax")
    for _ in range(rounds):
        for watched in (0, 1):
            model = cr.Model(network, "cross_entropy", threads=1)
            callbacks = [cr.Doctor(every)] if watched else []
            begin = time.perf_counter()
            model.fit(X, y, epochs=EPOCHS, batch_size=batch, callbacks=callbacks, progress=False)
            seconds[watched].append(time.perf_counter() - begin)
    return min(seconds[0]), min(seconds[1])


if __name__ == "__main__":
    main()
