"""A training step of tables' lookups beside the same as one dense product over the encoded columns, through `Model.fit`.

The network reads 60 numbers of 32 bins each, piecewise linear, and 20 categories of 1,000 values, into 256 units: as
`Add` of a `PiecewiseLinear` and an `EmbeddingSum` layer, or as one `Dense` layer over the 21,920 encoded columns; a
small head behind it, ReLU, squared error, Adam, float32, batch 256, one thread. Each runs in a process of its own, which
says how much memory it took at most; figures are medians of epochs.

    python benchmarks/lookups.py [--rounds 5]

Target: at least 8 times as fast a step, the same predictions within rounding, and no memory for the encoded table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CHAINRULE_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded

import numpy as np

import chainrule as cr
from chainrule.training.history import EpochRecord
from chainrule.training.run import Run

NUMBERS, BINS, CATEGORIES, VALUES, UNITS, BATCH = 60, 32, 20, 1000, 256, 256
STEPS, TARGET = 40, 8.0  # steps of an epoch
ROWS = STEPS * BATCH


class Clock(cr.Callback):
    """When each epoch ended."""

    def on_start(self, run: Run) -> None:
        self.times: list[float] = []

    def on_epoch(self, run: Run, record: EpochRecord) -> None:
        self.times.append(time.perf_counter())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5, help="timed epochs of each (default 5)")
    arguments.add_argument("--one", choices=("lookups", "dense"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(json.dumps(_measured(given.one, given.rounds)))
        return
    lookups, dense = (_in_its_own_process(kind, given.rounds) for kind in ("lookups", "dense"))
    a, b = (np.array(one["predictions"]) for one in (lookups, dense))
    apart = float(np.abs(a - b).max() / np.abs(b).max())
    ratio = dense["milliseconds"] / lookups["milliseconds"]
    encoded = ROWS * (NUMBERS * BINS + CATEGORIES * VALUES) * 4 / 2**20
    print(
        f"{NUMBERS} numbers of {BINS} bins, {CATEGORIES} categories of {VALUES:,} values, {UNITS} units, batch {BATCH}"
    )
    print(f"milliseconds per step, median of {given.rounds} epochs of {STEPS} steps, one thread; memory at most")
    for name, one in (("lookups", lookups), ("one dense product", dense)):
        print(f"  {name:<18} {one['milliseconds']:7.2f} ms {one['megabytes']:8,.0f} MB")
    print(f"  the encoded table alone {encoded:14,.0f} MB")
    print(f"  predictions after {given.rounds + 1} epochs differ by {apart:.1e} of the largest")
    print(f"  ratio {ratio:.1f} (target {TARGET:g}): {'met' if ratio >= TARGET else 'MISSED'}")


def _in_its_own_process(kind: str, rounds: int) -> dict:
    command = [sys.executable, __file__, "--one", kind, "--rounds", str(rounds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measured(kind: str, rounds: int) -> dict:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, NUMBERS)).astype(np.float32)
    codes = rng.integers(0, VALUES, (ROWS, CATEGORIES)).astype(np.int32)
    y = (x[:, :1] ** 2 + np.sin(codes[:, :1])).astype(np.float32)
    knots = cr.quantile_knots(x, BINS)
    weights = rng.standard_normal((NUMBERS * BINS + CATEGORIES * VALUES, UNITS)).astype(np.float32) / 16
    out = {"W": rng.standard_normal((UNITS, 1)) / 16}
    if kind == "lookups":
        model, X = _lookups(knots), {"x": x, "codes": codes}
        split = NUMBERS * BINS
        model.set_parameters({"numbers": {"W": weights[:split]}, "categories": {"W": weights[split:]}, "out": out})
    else:
        model, X = _dense(), _encoded(x, codes, knots)
        model.set_parameters({"all": {"W": weights}, "out": out})
    del weights
    clock = Clock()
    model.fit(X, y, epochs=rounds + 1, batch_size=BATCH, shuffle=False, callbacks=clock, progress=False)
    seconds = np.diff(clock.times)  # the first epoch warms up
    few = {name: values[:64] for name, values in X.items()} if isinstance(X, dict) else X[:64]
    return {
        "milliseconds": float(np.median(seconds)) / STEPS * 1e3,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
        "predictions": model.predict(few).ravel().tolist(),
    }


def _lookups(knots: tuple[tuple[float, ...], ...]) -> cr.Model:
    x, codes = cr.Input(NUMBERS, name="x"), cr.Input(CATEGORIES, dtype="integer", name="codes")
    z = cr.Add(name="z")(
        cr.PiecewiseLinear(knots, UNITS, name="numbers")(x), cr.EmbeddingSum(VALUES, UNITS, name="categories")(codes)
    )
    out = cr.Dense(1, name="out")(cr.Activation("relu", name="h")(z))
    return cr.Model(cr.Network(inputs=[x, codes], outputs=out), "squared_error", cr.Adam(1e-3), engine="native")


def _dense() -> cr.Model:
    layers = [
        cr.Input(NUMBERS * BINS + CATEGORIES * VALUES), cr.Dense(UNITS, activation="relu", bias=False, name="all"),
        cr.Dense(1, name="out"),
    ]  # fmt: skip
    return cr.Model(cr.Network(layers), "squared_error", cr.Adam(1e-3), engine="native")


def _encoded(x: np.ndarray, codes: np.ndarray, knots: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """Every number as its bins, every code as its one-hot columns."""
    table = np.zeros((len(x), NUMBERS * BINS + CATEGORIES * VALUES), np.float32)
    for i, own in enumerate(np.asarray(knots, np.float32)):
        low, high = own[:-1], own[1:]
        table[:, i * BINS : (i + 1) * BINS] = (np.clip(x[:, i : i + 1], low, high) - low) / (high - low)
    columns = NUMBERS * BINS + np.arange(CATEGORIES) * VALUES + codes
    table[np.arange(len(x))[:, None], columns] = 1
    return table


if __name__ == "__main__":
    main()
