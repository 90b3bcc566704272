"""Sparse tables: time and peak memory of a fit and a prediction beside scikit-learn's MLP.

    python benchmarks/sparse.py [--rows 20000] [--columns 20000] [--density 0.001] [--float32]

One epoch of 100 hidden units in batches of 200. Each library works in a process of its own; memory is that of the whole
process at its peak, beside what the table would take as a dense one.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from typing import Any

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--rows", type=int, default=20_000)
arguments.add_argument("--columns", type=int, default=20_000)
arguments.add_argument("--density", type=float, default=0.001)
arguments.add_argument("--float32", action="store_true")
arguments.add_argument("--who", help=argparse.SUPPRESS)


def main() -> None:
    given = arguments.parse_args()
    if given.who:
        print(json.dumps(measure(given)))
        return
    size = 4 if given.float32 else 8
    dense = given.rows * given.columns * size / 2**20
    print(f"{given.rows:,} x {given.columns:,}, {given.density:.2%} stored; dense it would take {dense:,.0f} MiB")
    print(f"{'':<12} {'fit':>9} {'predict':>9} {'table':>9} {'peak':>9}")
    for who in ("sklearn", "chainrule"):
        command = [sys.executable, __file__, *sys.argv[1:], "--who", who]
        result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(
            f"{who:<12} {result['fit']:>7.2f} s {result['predict']:>7.2f} s {result['table']:>5.0f} MiB "
            f"{result['peak']:>5.0f} MiB"
        )


def measure(given: Any) -> dict[str, float]:
    import numpy as np
    from scipy import sparse

    warnings.simplefilter("ignore")
    if given.who == "sklearn":
        from sklearn.neural_network import MLPClassifier
    else:
        from chainrule import MLPClassifier
    shape = given.rows, given.columns
    X = sparse.random_array(shape, density=given.density, rng=np.random.default_rng(0), format="csr")
    y = (np.asarray(X.sum(axis=1)).ravel() > given.density * given.columns / 2).astype(int)
    X = X.astype(np.float32) if given.float32 else X
    classifier = MLPClassifier(max_iter=1, random_state=0)
    begun = time.perf_counter()
    classifier.fit(X, y)
    fitted = time.perf_counter()
    classifier.predict(X)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "fit": fitted - begun,
        "predict": time.perf_counter() - fitted,
        "table": sum(part.nbytes for part in (X.data, X.indices, X.indptr)) / 2**20,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20,
    }


if __name__ == "__main__":
    main()
