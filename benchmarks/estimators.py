"""Accuracy, fit time and the prediction of one row beside scikit-learn's MLP, in one run.

    python benchmarks/estimators.py [--seeds 10] [--threads 1]

Both get the same parameters, splits and seeds. Two rows for each data set: scikit-learn's arguments in float64, where
weights and losses are the same, and the same network in float32.

Equal accuracy within noise: noise is what another seed does to scikit-learn's own score, its standard deviation over
the seeds. A loss of a tenth of that is the most that is allowed, and a paired t interval (95 %, two-sided) of the
difference must lie above it as a whole: few seeds or a wide scatter fail, a gap that only float32 can see doesn't.
One row, a plain array of the right type, must be predicted at least three times as fast.
"""

from __future__ import annotations

import argparse
import functools
import os
import time
import timeit
import warnings

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--seeds", type=int, default=10)
arguments.add_argument("--threads", type=int, default=1)
arguments.add_argument("--engine", default="auto", choices=["auto", "native", "reference"])
given = arguments.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(given.threads)

import numpy as np
from scipy import stats
from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import chainrule as cr

SHARE = 0.1  # of the seeds' standard deviation: the most that may be lost
ROW_TARGET = 3.0
NAMES = ("iris", "wine", "digits", "breast_cancer", "diabetes")


def main() -> None:
    warnings.simplefilter("ignore")
    accuracy()
    one_row()


def accuracy() -> None:
    print(
        f"{'data':<14} {'type':<8} {'sklearn':>8} {'seeds sd':>9} {'chainrule':>10} {'difference, 95 % interval':>30} "
        f"{'allowed':>9} {'seconds':>15} {'ratio':>6}"
    )
    missed = []
    for name in NAMES:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        for dtype in (np.float64, np.float32):
            theirs, ours = measure(name, X, y, dtype)
            difference = ours[0] - theirs[0]
            mean, allowed = difference.mean(), -SHARE * theirs[0].std(ddof=1)
            half = stats.t.ppf(0.975, len(difference) - 1) * difference.std(ddof=1) / np.sqrt(len(difference))
            print(
                f"{name:<14} {np.dtype(dtype).name:<8} {theirs[0].mean():>8.4f} {theirs[0].std(ddof=1):>9.4f} "
                f"{ours[0].mean():>10.4f} {mean:>+10.5f} [{mean - half:+.5f}, {mean + half:+.5f}] {allowed:>+9.5f} "
                f"{theirs[1].sum():>7.2f} {ours[1].sum():>7.2f} {theirs[1].sum() / ours[1].sum():>6.2f}",
                flush=True,
            )
            if mean - half < allowed:
                missed.append(f"{name} in {np.dtype(dtype).name}")
    print(f"equal accuracy within noise: {'met' if not missed else 'MISSED on ' + ', '.join(missed)}\n")


def one_row() -> None:
    """Microseconds of a call with one row; medians of blocks that take turns."""
    print(f"{'one row of':<14} {'type':<8} {'call':<24} {'sklearn':>8} {'chainrule':>10} {'ratio':>6}")
    ratios = []
    for name in ("digits", "breast_cancer", "diabetes"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        kind = "MLPRegressor" if name == "diabetes" else "MLPClassifier"
        for dtype in (np.float64, np.float32):
            rows = StandardScaler().fit_transform(X).astype(dtype)
            theirs, ours = (getattr(of, kind)(max_iter=5, random_state=0).fit(rows, y) for of in (neural_network, cr))
            for call in ("predict", "predict_proba"):
                if not hasattr(ours, call):
                    continue
                calls = [functools.partial(getattr(whose, call), rows[:1].copy()) for whose in (theirs, ours)]
                times = [[timeit.timeit(one, number=200) / 200e-6 for one in calls] for _ in range(11)]
                medians = np.median(times[1:], axis=0)
                ratios.append(medians[0] / medians[1])
                print(
                    f"{name:<14} {np.dtype(dtype).name:<8} {kind}.{call:<{23 - len(kind)}} {medians[0]:>8.1f} "
                    f"{medians[1]:>10.1f} {ratios[-1]:>6.1f}"
                )
    least = min(ratios)
    print(f"one row: at least {least:.1f}x (target {ROW_TARGET:g}: {'met' if least >= ROW_TARGET else 'MISSED'})")


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
