"""Accuracy and fit time beside scikit-learn's MLP: five data sets, paired over seeds.

    python benchmarks/estimators.py [--seeds 10] [--threads 1]

Both get the same parameters, splits and seeds. Two rows for each data set: scikit-learn's arguments in float64, where
weights and losses are the same, and the same network in float32. Target: no data set where the mean paired difference
of the test scores is more than two standard errors and 0.001 below zero.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--seeds", type=int, default=10)
arguments.add_argument("--threads", type=int, default=1)
arguments.add_argument("--engine", default="auto", choices=["auto", "native", "reference"])
given = arguments.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(given.threads)

import numpy as np
from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import chainrule as cr

NOISE = 1e-3  # a tenth of a percent, whatever the seeds say
NAMES = ("iris", "wine", "digits", "breast_cancer", "diabetes")


def main() -> None:
    warnings.simplefilter("ignore")
    print(f"{'data':<14} {'type':<8} {'sklearn':>13} {'chainrule':>10} {'difference':>18} {'seconds':>15} {'ratio':>6}")
    missed = []
    for name in NAMES:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        for dtype in (np.float64, np.float32):
            theirs, ours = measure(name, X, y, dtype)
            difference = ours[0] - theirs[0]
            error = difference.std(ddof=1) / np.sqrt(len(difference))
            print(
                f"{name:<14} {np.dtype(dtype).name:<8} {theirs[0].mean():>13.4f} {ours[0].mean():>10.4f} "
                f"{difference.mean():>+9.5f} ± {error:.5f} {theirs[1].sum():>7.2f} {ours[1].sum():>7.2f} "
                f"{theirs[1].sum() / ours[1].sum():>6.2f}",
                flush=True,
            )
            if difference.mean() < -max(2 * error, NOISE):
                missed.append(f"{name} in {np.dtype(dtype).name}")
    print(f"equal accuracy within noise: {'met' if not missed else 'MISSED on ' + ', '.join(missed)}")


def measure(name: str, X: np.ndarray, y: np.ndarray, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Test scores and fit seconds of each seed, theirs and ours, shape (2, seeds) each."""
    is_numbers = name == "diabetes"
    kind = "MLPRegressor" if is_numbers else "MLPClassifier"
    own = (getattr(neural_network, kind), getattr(cr, kind))
    results = np.zeros((2, 2, given.seeds))
    for seed in range(given.seeds):
        rows = train_test_split(X, y, random_state=seed, stratify=None if is_numbers else y)
        scaler = StandardScaler().fit(rows[0])
        train, test = (scaler.transform(part).astype(dtype) for part in rows[:2])
        if is_numbers:
            mean, deviation = rows[2].mean(), rows[2].std()
            rows[2:] = [(part - mean) / deviation for part in rows[2:]]
        turns = (0, 1) if seed % 2 else (1, 0)  # whoever is first pays for a cold cache
        for turn in turns:
            settings = {"random_state": seed, **({"engine": given.engine} if turn else {})}
            begun = time.perf_counter()
            fitted = own[turn](**settings).fit(train, rows[2])
            results[turn, 1, seed] = time.perf_counter() - begun
            results[turn, 0, seed] = fitted.score(test, rows[3])
    return results[0], results[1]


if __name__ == "__main__":
    main()
