"""Training and prediction through `Model`, beside scikit-learn, PyTorch and JAX, in one run.

    python benchmarks/race.py [--rounds 5] [--only steps,threads,defaults,python-threads,predict,linear,memory]
                              [--peers sklearn,torch,jax] [--readme] [--plot build/linear.png]

Every library works in a process of its own, and they take turns; figures are medians of whole fits, ratios medians of
the rounds' ratios. Peers that aren't installed are left out, and it says so. One thread means pinned to one core.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from peers import NAMES

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- race: written by benchmarks/race.py --readme -->", "<!-- end of race -->"

# network, batch, epochs of 10,240 rows (so many that the fixed cost of a fit does not count), and how many times as fast
# as each peer it must be
STEPS: list[tuple[list[int], int, int, dict[str, float]]] = [
    ([16, 32, 32, 2], 32, 30, {"sklearn": 35, "torch": 45, "jax": 3}),
    ([64, 128, 128, 10], 32, 10, {"sklearn": 10, "torch": 10, "jax": 2}),
    ([64, 128, 128, 10], 256, 12, {"sklearn": 4.5, "torch": 3.5, "jax": 1.7}),
    ([784, 512, 512, 10], 256, 2, {"sklearn": 2.2, "torch": 1.3, "jax": 1.1}),
]
ROWS = 10_240
MIDDLE, LARGE = STEPS[2][0], STEPS[3][0]


class Worker:
    """A process in which one library works."""

    def __init__(self, who: str, sizes: list[int], batch: int, threads: int, rows: int = ROWS):
        self.who = who
        cores = sorted(os.sched_getaffinity(0))[:threads] if hasattr(os, "sched_setaffinity") else []
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "peers.py"), str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env={**os.environ, "CHAINRULE_THREADS": str(threads)},
            preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
        )  # fmt: skip
        self.ask(do="ready", who=who, sizes=sizes, batch=batch, rows=rows, threads=threads)

    def ask(self, **task: Any) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(task), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.who} failed at {task}")
        return float(json.loads(answer))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
        self.process.wait()


def side_by_side(workers: list[Worker], rounds: int, work: Callable[[Worker], float]) -> dict[str, list[float]]:
    """Seconds of each, taking turns; the first round, which fills the caches, does not count."""
    seconds: dict[str, list[float]] = {worker.who: [] for worker in workers}
    for _ in range(rounds + 1):
        for worker in workers:
            seconds[worker.who].append(work(worker))
    return {who: times[1:] for who, times in seconds.items()}


def ratio(theirs: list[float], ours: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def verdict(value: float, target: float) -> str:
    return f"{value:.2f}x (target {target:g}: {'met' if value >= target else 'MISSED'})"


def name_of(sizes: list[int]) -> str:
    return "-".join(map(str, sizes))


def flops(sizes: list[int], batch: int) -> float:
    """Of a training step: forward, by the weights, by the inputs (not of the first layer)."""
    return batch * (3 * sum(2 * n * m for n, m in pairwise(sizes)) - 2 * sizes[0] * sizes[1])


def steps(given: Any) -> list[str]:
    """Microseconds per step on one thread; the lines of the README's table."""
    peers = given.peers
    table = [
        "| network, batch | `Model` | `MLPClassifier` | " + " | ".join(NAMES[who] for who in peers) + " |",
        "|---|---|---|" + "---|" * len(peers),
    ]
    print("microseconds per step, float32, one thread; through the model, and through the estimator")
    for sizes, batch, epochs, targets in STEPS:
        everybody = [Worker(who, sizes, batch, 1) for who in ["chainrule", "estimator", *peers]]
        seconds = side_by_side(everybody, given.rounds, lambda worker, n=epochs: worker.ask(do="fit", epochs=n))
        for worker in everybody:
            worker.__exit__()
        n_steps = ROWS // batch * epochs
        micro = {who: statistics.median(times) / n_steps * 1e6 for who, times in seconds.items()}
        ratios = {who: ratio(seconds[who], seconds["chainrule"]) for who in peers}
        through = {who: ratio(seconds[who], seconds["estimator"]) for who in peers}
        speed = flops(sizes, batch) / micro["chainrule"] / 1e3
        print(
            f"  {name_of(sizes)}, batch {batch}: {micro['chainrule']:.2f} ({speed:.0f} GFLOP/s), {micro['estimator']:.2f}"
        )
        for who in peers:
            print(
                f"    {NAMES[who]:<13} {micro[who]:10.1f}   {verdict(ratios[who], targets[who])}, {through[who]:.2f}x"
            )
        cells = [f"{micro[who]:,.0f} ({ratios[who]:.1f}x)" for who in peers]
        ours = f"{micro['chainrule']:,.1f} | {micro['estimator']:,.1f}"
        table.append(f"| {name_of(sizes)}, {batch} | {ours} | " + " | ".join(cells) + " |")
    return table


def threads(given: Any) -> None:
    """Two threads on the large network, beside one and beside the peers with two."""
    if len(os.sched_getaffinity(0)) < 2:
        print("two threads: left out, this process may run on one core only")
        return
    peers = [who for who in given.peers if who != "sklearn"]
    everybody = [Worker("chainrule", LARGE, 256, 1), *(Worker(who, LARGE, 256, 2) for who in ["chainrule", *peers])]
    everybody[0].who = "one"
    seconds = side_by_side(everybody, given.rounds, lambda worker: worker.ask(do="fit", epochs=1))
    for worker in everybody:
        worker.__exit__()
    per_step = 1e6 / (ROWS // 256)
    print(f"two threads, {name_of(LARGE)}, batch 256, microseconds per step")
    print(f"  chainrule {statistics.median(seconds['chainrule']) * per_step:.0f}; one thread "
          f"{statistics.median(seconds['one']) * per_step:.0f}: {verdict(ratio(seconds['one'], seconds['chainrule']), 1.7)}")  # fmt: skip
    for who in peers:
        gain = verdict(ratio(seconds[who], seconds["chainrule"]), 1)
        print(f"  {NAMES[who]:<9} {statistics.median(seconds[who]) * per_step:.0f}: {gain}")


def defaults(given: Any) -> None:
    """Threads as they are chosen when nobody says how many, beside one: no network may be slower."""
    if len(os.sched_getaffinity(0)) < 2:
        print("default threads: left out, this process may run on one core only")
        return
    print("threads by default beside one thread")
    for sizes, batch, epochs, _ in STEPS:
        everybody = [Worker("chainrule", sizes, batch, 1), Worker("chainrule", sizes, batch, 2)]
        everybody[0].who = "one"
        seconds = side_by_side(everybody, given.rounds, lambda worker, n=epochs: worker.ask(do="fit", epochs=n))
        for worker in everybody:
            worker.__exit__()
        print(f"  {name_of(sizes)}, batch {batch}: {verdict(ratio(seconds['one'], seconds['chainrule']), 1)}")


def python_threads(given: Any) -> None:
    """Two Python threads that each train a model, beside one."""
    if len(os.sched_getaffinity(0)) < 2:
        print("two Python threads: left out, this process may run on one core only")
        return
    print("two Python threads that each train a model, throughput beside one")
    for sizes, batch, epochs, _ in STEPS:
        with Worker("chainrule", sizes, batch, 2) as worker:
            pairs = [
                [worker.ask(do="together", epochs=2 * epochs, threads=n) for n in (1, 2)]
                for _ in range(given.rounds + 1)
            ][1:]
        gain = 2 * statistics.median(one / two for one, two in pairs)
        print(f"  {name_of(sizes)}, batch {batch}: {verdict(gain, 1.8)}")


def predict(given: Any) -> None:
    """One row, and a million."""
    peers = [who for who in given.peers if who != "jax"]
    everybody = [Worker(who, MIDDLE, 256, 1) for who in ["chainrule", "estimator", *peers]]
    one = side_by_side(everybody, given.rounds, lambda worker: worker.ask(do="predict", rows=1, calls=2000))
    many = side_by_side(
        [worker for worker in everybody if worker.who in ("chainrule", "torch")], min(given.rounds, 3),
        lambda worker: worker.ask(do="predict", rows=1_000_000, calls=1),
    )  # fmt: skip
    for worker in everybody:
        worker.__exit__()
    print(f"prediction, {name_of(MIDDLE)}, one thread")
    print(f"  one row: chainrule {statistics.median(one['chainrule']) * 1e6:.2f} microseconds")
    for who in peers:
        gain = verdict(ratio(one[who], one["chainrule"]), 20 if who == "sklearn" else 1)
        print(f"    {NAMES[who]:<13} {statistics.median(one[who]) * 1e6:8.1f}   {gain}")
    if "sklearn" in peers:
        gain = verdict(ratio(one["sklearn"], one["estimator"]), 3)
        print(f"  through the estimator {statistics.median(one['estimator']) * 1e6:.2f}: scikit-learn {gain}")
    print(f"  a million rows: chainrule {statistics.median(many['chainrule']) * 1e3:.0f} ms")
    for who in peers:
        if who in many:
            gain = verdict(ratio(many[who], many["chainrule"]), 1)
            print(f"    {NAMES[who]:<13} {statistics.median(many[who]) * 1e3:8.0f}   {gain}")


def linear(given: Any) -> None:
    """The cost of a fit over rows, epochs and depth: doubling one doubles it."""
    base = {"rows": 10_240, "epochs": 3, "depth": 4}
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for what, scale in (("rows", 1), ("epochs", 1), ("depth", 1)):
        xs = [base[what] * scale * factor for factor in (1, 2, 4, 8)]
        seconds = []
        for x in xs:
            case = {**base, what: x}
            with Worker("chainrule", [32] + [64] * case["depth"] + [4], 64, 1, case["rows"]) as worker:
                seconds.append(min(worker.ask(do="fit", epochs=case["epochs"]) for _ in range(given.rounds)))
        curves[what] = xs, seconds
    print("seconds of a fit, and of each unit beside the first")
    for what, (xs, seconds) in curves.items():
        # a network's first and last layer are no hidden ones: the slope between neighbours counts for depth
        slopes = [(b - a) / (y - x) for (x, a), (y, b) in pairwise(zip(xs, seconds, strict=True))]
        shown = ", ".join(f"{x:,}: {s:.3f} s" for x, s in zip(xs, seconds, strict=True))
        growth = [slope / slopes[0] for slope in slopes]
        print(f"  {what}: {shown}; slopes {', '.join(f'{g:.2f}' for g in growth)} of the first")
    if given.plot:
        _plot(curves, Path(given.plot))


def _plot(curves: dict[str, tuple[list[int], list[float]]], path: Path) -> None:
    if find_spec("matplotlib") is None:
        print("  no plot: matplotlib isn't installed")
        return
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.2))
    for place, (what, (xs, seconds)) in zip(axes, curves.items(), strict=True):
        place.plot(xs, seconds, "o-")
        place.set_xlabel({"rows": "rows", "epochs": "epochs", "depth": "hidden layers"}[what])
        place.set_ylabel("seconds")
        place.set_xlim(0)
        place.set_ylim(0)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    print(f"  plotted in {path}")


MEMORY = """
import json, resource, sys
import numpy as np
import chainrule as cr
sizes, batch, rows = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
X = rng.standard_normal((rows, sizes[0]), dtype=np.float32)
y = rng.integers(0, sizes[-1], rows)
model = cr.Model(cr.Network.mlp(sizes[0], sizes[1:-1], sizes[-1], output="softmax"), "cross_entropy", engine="native")
model.fit(X, y, epochs=2, batch_size=batch, progress=False)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([peak, X.nbytes + y.nbytes, model.training.parameters.nbytes]))
"""


def memory(given: Any) -> None:
    """Peak memory of a whole process that trains: the data, three times the parameters, the memo of a batch, 60 MB."""
    print("peak memory of the process while training, MB")
    for sizes, batch, rows in (
        ([16, 32, 32, 2], 32, 10_240), (LARGE, 256, 60_000), ([1024, 2048, 2048, 10], 256, 10_240),
    ):  # fmt: skip
        run = subprocess.run(
            [sys.executable, "-c", MEMORY, json.dumps([sizes, batch, rows])], capture_output=True, text=True, check=True
        )
        peak, data, parameters = json.loads(run.stdout)
        memo = 4 * batch * (sizes[0] + 2 * sum(sizes[1:]))  # the inputs, and z and h of every layer
        allowed = data + 3 * parameters + memo + 60e6
        met = "met" if peak <= allowed else "MISSED"
        print(f"  {name_of(sizes)}, {rows:,} rows: {peak / 1e6:.0f} (data {data / 1e6:.0f}, parameters "
              f"{parameters / 1e6:.1f}, memo {memo / 1e6:.1f}; allowed {allowed / 1e6:.0f}: {met})")  # fmt: skip


SECTIONS: dict[str, Callable[[Any], Any]] = {
    "steps": steps, "threads": threads, "defaults": defaults, "python-threads": python_threads, "predict": predict, "linear": linear,
    "memory": memory,
}  # fmt: skip


def write_readme(table: list[str]) -> None:
    """Put the table between the markers of the README."""
    text = README.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise SystemExit(f"README.md has no place for the table: a line {BEGIN} and a line {END}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n" + "\n".join(table) + f"\n{END}{after}", encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5, help="timed rounds of each (default 5)")
    arguments.add_argument("--only", default=",".join(SECTIONS), help="the parts to run")
    arguments.add_argument("--peers", default="sklearn,torch,jax", help="whom to race")
    arguments.add_argument("--readme", action="store_true", help="write the table of steps into README.md")
    arguments.add_argument("--plot", default="build/linear.png", help="where to plot the linear cost")
    given = arguments.parse_args()
    peers = given.peers.split(",") if given.peers else []
    needs = {"sklearn": ["sklearn"], "torch": ["torch"], "jax": ["jax", "optax"]}
    given.peers = [who for who in peers if all(find_spec(module) for module in needs[who])]
    for who in peers:
        if who not in given.peers:
            print(f"{NAMES[who]} is left out: not installed (pip install {' '.join(needs[who])})")
    for name in given.only.split(","):
        table = SECTIONS[name](given)
        if name == "steps":
            print("\n".join(["", *table, ""]))
            if given.readme:
                write_readme(table)


if __name__ == "__main__":
    main()
