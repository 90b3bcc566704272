"""Seconds that an explanation takes: medians beside their targets.

    python benchmarks/explain_time.py [--rounds 9]

The time is this thread's own, so that what else runs on the machine does not count.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from chainrule import Model, Network, explain_expression, read_worksheet

SHEET = Path(__file__).parent.parent / "examples" / "worksheets" / "two_sigmoid_units.toml"
WEIGHT = "W[hidden_1,100,5]"


def whole_sheet() -> None:
    read_worksheet(SHEET).derivation().to_html()


def one_weight() -> None:
    MNIST.explain(PIXELS, 3).to_text(weight=WEIGHT)


def weight_of_a_batch() -> None:
    MIDDLE.explain(ROWS, LABELS).to_text(weight="W[hidden,1,1]")


def summary_of_a_batch() -> None:
    MIDDLE.explain(ROWS, LABELS).to_text()


def expression() -> None:
    explain_expression("f = x**2; g = sin(x); h = f*g; k = exp(h)", at={"x": 1}).to_text()


rng = np.random.default_rng(0)
MNIST = Model(Network.mlp(784, [128, 64], 10, output="softmax"), "cross_entropy", "sgd")
MIDDLE = Model(Network.mlp(64, [128], 10, output="softmax"), "cross_entropy", "sgd")
PIXELS, ROWS, LABELS = rng.random(784), rng.random((256, 64)), rng.integers(0, 10, 256)

CASES: list[tuple[str, Callable[[], None], float]] = [
    ("a whole 2-2-1 sheet, as a page", whole_sheet, 0.05),
    ("a weight of 784-128-64-10, one row", one_weight, 1.0),
    ("a weight of 64-128-10, 256 rows", weight_of_a_batch, 1.0),
    ("the summary of these", summary_of_a_batch, 1.0),
    ("f, g -> h -> k", expression, 0.05),
]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9, help="timed rounds of each (default 9)")
    rounds = arguments.parse_args().rounds
    print(f"seconds, medians of {rounds}")
    for name, work, target in CASES:
        took = []
        for _ in range(rounds + 1):  # the first imports
            begun = time.thread_time()
            work()
            took.append(time.thread_time() - begun)
        median = statistics.median(took[1:])
        print(f"  {name:<36} {median:.4f}   target {target:g}: {'met' if median <= target else 'MISSED'}")


if __name__ == "__main__":
    main()
