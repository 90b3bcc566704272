"""How good an MLP is at scikit-learn's digits (8 x 8, 1,797 pictures), with augmentation and without, on the same splits.

`python benchmarks/digits.py [--seeds 5] [--json FILE]`: a quarter of the pictures, drawn by the seed, is the test; both are
trained with `ImageModel.train` and every default. What is printed is the test accuracy of each seed, and the seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from chainrule import ImageModel

WAYS = {"augmented": "usual", "plain": "none"}


def run(seed: int, augment: str, *, engine: str = "auto") -> tuple[float, float]:
    """Test accuracy and seconds of training."""
    digits = load_digits()
    X, X_test, y, y_test = train_test_split(digits.images, digits.target, test_size=0.25, random_state=seed)
    begun = time.perf_counter()
    model = ImageModel.train(
        X, y, test_pictures=X_test, test_labels=y_test, augment=augment, seed=seed, engine=engine, progress=False
    )
    return model.test_scores["accuracy"], time.perf_counter() - begun


def main() -> None:
    """Print a table, and write it as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    results = {way: [run(seed, augment) for seed in range(asked.seeds)] for way, augment in WAYS.items()}
    for way, runs in results.items():
        accuracies, seconds = np.array(runs).T
        each = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
        print(f"{way:>10}  mean {accuracies.mean():.4f}  ({each})  {seconds.max():.1f} s at most")
    if asked.json:
        asked.json.write_text(json.dumps({way: [list(run) for run in runs] for way, runs in results.items()}, indent=2))


if __name__ == "__main__":
    main()
