"""How good an MLP is at scikit-learn's digits (8 x 8, 1,797 pictures), with augmentation and without, on the same splits.

`python benchmarks/digits.py [--seeds 5] [--json FILE]`: a quarter of the pictures, drawn by the seed, is the test; both are
trained with `ImageModel.train` and every default; `shuffled` is plain on pictures whose pixels have all changed places, in
every picture in the same way. What is printed is the test accuracy of each seed, the seconds, and the
mean accuracy on the test's pictures when they are shifted by 0 to 3 pixels.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from chainrule import ImageModel
from chainrule.plots.shift_curve import accuracy_on_shifted

WAYS = {"augmented": "usual", "plain": "none", "shuffled": "none"}


@dataclass(frozen=True)
class Result:
    """A seed's test accuracy, seconds of training, and accuracy on pictures shifted by 0, 1, 2 and 3 pixels."""

    accuracy: float
    seconds: float
    shifted: list[float]


def run(seed: int, way: str, *, engine: str = "auto") -> Result:
    """Train on three quarters of the digits, and ask for the others."""
    digits = load_digits()
    images = digits.images
    if way == "shuffled":
        order = np.random.default_rng(seed).permutation(64)
        images = images.reshape(-1, 64)[:, order].reshape(-1, 8, 8)
    X, X_test, y, y_test = train_test_split(images, digits.target, test_size=0.25, random_state=seed)
    begun = time.perf_counter()
    model = ImageModel.train(
        X, y, test_pictures=X_test, test_labels=y_test, augment=WAYS[way], seed=seed, engine=engine, progress=False
    )
    seconds = time.perf_counter() - begun
    shifted = [accuracy_on_shifted(model, model.take(X_test), y_test, float(pixels)) for pixels in range(4)]
    return Result(model.test_scores["accuracy"], seconds, shifted)


def main() -> None:
    """Print tables, and write them as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    results = {way: [run(seed, way) for seed in range(asked.seeds)] for way in WAYS}
    for way, runs in results.items():
        each = " ".join(f"{one.accuracy:.4f}" for one in runs)
        mean, slowest = np.mean([one.accuracy for one in runs]), max(one.seconds for one in runs)
        print(f"{way:>10}  mean {mean:.4f}  ({each})  {slowest:.1f} s at most")
    print("shifted by 0, 1, 2, 3 pixels:")
    for way, runs in results.items():
        means = np.mean([one.shifted for one in runs], axis=0)
        print(f"{way:>10}  {'  '.join(f'{mean:.3f}' for mean in means)}")
    if asked.json:
        asked.json.write_text(
            json.dumps({way: [asdict(one) for one in runs] for way, runs in results.items()}, indent=2)
        )


if __name__ == "__main__":
    main()
