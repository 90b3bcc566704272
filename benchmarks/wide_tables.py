"""How the time of `TableModel.train` grows with a table's columns: a factor of two for twice as many is linear.

    python benchmarks/wide_tables.py [--columns 2500 5000 10000 20000] [--rows 60]

One table of numbers and one of words for each width (a tenth as many columns of words: each becomes three features);
seconds for reading the CSV file, preparing the table, training by the recipe, and a prediction from the data frame.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.tables import read_table
from chainrule.tables.preparation import prepare_table
from chainrule.tables.recipe import recipe
from chainrule.tables.table_model import TableModel

WORDS = np.array(["red", "green", "blue"])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--columns", type=int, nargs="+", default=[2500, 5000, 10_000, 20_000])
    arguments.add_argument("--rows", type=int, default=60)
    given = arguments.parse_args()
    print(f"{'columns':>16} {'read':>7} {'prepare':>8} {'train':>7} {'predict':>8} {'all':>7} {'growth':>7}")
    for kind, share in (("numbers", 1), ("words", 10)):
        before = 0.0
        for columns in given.columns:
            seconds = measure(kind, columns // share, given.rows)
            total = sum(seconds)
            growth = f"{total / before:.1f}x" if before else ""
            shown = " ".join(f"{s:>{width}.2f}" for s, width in zip(seconds, (7, 8, 7, 8), strict=True))
            print(f"{columns // share:>8,} {kind:<7} {shown} {total:>7.2f} {growth:>7}", flush=True)
            before = total


def measure(kind: str, columns: int, rows: int) -> list[float]:
    """Seconds for reading, preparing, training and predicting."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(rows, columns)).round(3) if kind == "numbers" else rng.choice(WORDS, (rows, columns))
    seconds = []

    def timed(work: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - begun)
        return result

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.csv"
        names = ",".join(f"column {i}" for i in range(columns))
        lines = (",".join(map(str, row)) + f",{'ab'[i % 2]}" for i, row in enumerate(cells))
        path.write_text("\n".join([f"{names},target", *lines]) + "\n")
        frame = timed(lambda: read_table(path))
    prepared = timed(lambda: prepare_table(frame, "target", validation=None))
    model = timed(lambda: TableModel.fit(prepared, recipe(prepared), progress=False))
    timed(lambda: model.predict(frame))
    return seconds


if __name__ == "__main__":
    measure("numbers", 2, 60)  # imports
    main()
