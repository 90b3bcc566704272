"""Eight networks side by side: beside one after another, and beside JAX `vmap` over members with `scan`.

    python benchmarks/members.py [--rounds 5] [--rows 10240] [--epochs 40]

64-128-128-10 with ReLU, softmax cross-entropy and Adam, in float32, batch 256, on two cores. Every member has its own
rows, seed and order. Each library works in a process of its own, and they take turns; figures are medians of whole
fits, compile time outside. JAX gathers its batches from one table by each member's row numbers.

Targets: side by side at least 1.8 times the throughput of one after another, members equal to it bit for bit, and
ahead of JAX.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

SIZES, BATCH, MEMBERS, CORES = (64, 128, 128, 10), 256, 8, 2
SIDE_BY_SIDE, ALONE, JAX = "side by side", "one after another", "JAX vmap"
TARGET = 1.8


def data(rows: int) -> tuple[Any, Any]:
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, SIZES[0])).astype(np.float32), rng.integers(0, SIZES[-1], rows)


def ours(rows: int, epochs: int, threads: int) -> tuple[float, str]:
    """Seconds of a fit of all members, and a hash of their weights."""
    import hashlib

    import chainrule as cr

    X, y = data(rows)
    network = cr.Network.mlp(SIZES[0], SIZES[1:-1], SIZES[-1], output="softmax")
    model = cr.Model(network, "cross_entropy", cr.Adam(1e-3), engine="native")
    cr.fit_members(model, X[:2048], y[:2048], members=MEMBERS, validation=0, epochs=1, batch_size=BATCH, progress=False)
    begun = time.perf_counter()
    trained = cr.fit_members(
        model, X, y, members=MEMBERS, validation=0, epochs=epochs, batch_size=BATCH, threads=threads, progress=False
    )
    seconds = time.perf_counter() - begun
    return seconds, hashlib.sha256(trained.model.training.parameters.tobytes()).hexdigest()


def theirs(rows: int, epochs: int) -> tuple[float, str]:
    """Seconds of the same fit in JAX: one compiled scan an epoch, over steps that are mapped over the members."""
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={CORES}"
    import jax
    import jax.numpy as jnp
    import numpy as np

    X, y = (jnp.asarray(array) for array in data(rows))
    keys = jax.random.split(jax.random.PRNGKey(0), len(SIZES))
    start = [
        (jax.random.normal(key, (MEMBERS, n, m)) * (2 / n) ** 0.5, jnp.zeros((MEMBERS, m)))
        for key, (n, m) in zip(keys, pairwise(SIZES), strict=False)
    ]
    zeros = jax.tree.map(jnp.zeros_like, start)

    def loss(parameters: Any, x: Any, t: Any) -> Any:
        for w, b in parameters[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = parameters[-1]
        scores = jax.nn.log_softmax(x @ w + b)
        return -jnp.take_along_axis(scores, t[:, None], axis=1).mean()

    @jax.jit
    def epoch(parameters: Any, moments: Any, squares: Any, count: Any, order: Any) -> Any:
        def step(carry: Any, rows_of: Any) -> Any:
            parameters, moments, squares, count = carry
            gradient = jax.vmap(jax.grad(loss))(parameters, X[rows_of], y[rows_of])
            count += 1
            moments = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments, gradient)
            squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradient)
            rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
            parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), parameters, moments, squares)
            return (parameters, moments, squares, count), None

        return jax.lax.scan(step, (parameters, moments, squares, count), order)[0]

    whole = rows // BATCH * BATCH

    def fit(epochs: int) -> None:
        carry = start, zeros, zeros, jnp.zeros(())
        for number in range(epochs):
            orders = [np.random.default_rng((number, m)).permutation(rows)[:whole] for m in range(MEMBERS)]
            order = np.stack(orders).reshape(MEMBERS, -1, BATCH).transpose(1, 0, 2)
            carry = epoch(*carry, order)
        jax.block_until_ready(carry)

    fit(1)
    begun = time.perf_counter()
    fit(epochs)
    return time.perf_counter() - begun, ""


def work(who: str, rows: int, epochs: int) -> None:
    """What a process of its own does: one fit, and a line of JSON."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    answer = theirs(rows, epochs) if who == JAX else ours(rows, epochs, CORES if who == SIDE_BY_SIDE else 1)
    print(json.dumps(answer))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5, help="timed fits of each (default 5)")
    arguments.add_argument("--rows", type=int, default=10_240, help="rows of the table (default 10,240)")
    arguments.add_argument("--epochs", type=int, default=40, help="epochs of each member (default 40)")
    arguments.add_argument("--work", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.work:
        work(given.work, given.rows, given.epochs)
        return
    seconds: dict[str, list[float]] = {SIDE_BY_SIDE: [], ALONE: [], JAX: []}
    weights: set[str] = set()
    for _ in range(given.rounds):
        for who, times in seconds.items():
            command = [sys.executable, __file__, "--work", who, f"--rows={given.rows}", f"--epochs={given.epochs}"]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                print(f"{who}: left out ({run.stderr.strip().splitlines()[-1]})")
                continue
            took, hashed = json.loads(run.stdout)
            times.append(took)
            weights |= {hashed} - {""}
    steps = MEMBERS * given.epochs * -(-given.rows // BATCH)
    print(f"{MEMBERS} networks {'-'.join(map(str, SIZES))}, batch {BATCH}, {given.rows:,} rows, {CORES} cores")
    for who, times in seconds.items():
        if times:
            print(f"  {who:18} {statistics.median(times) / steps * 1e6:8.1f} microseconds a step of one member")
    print(f"  members equal bit for bit: {'yes' if len(weights) == 1 else 'NO'}")
    _say("side by side over one after another", seconds[ALONE], seconds[SIDE_BY_SIDE], TARGET)
    _say("side by side over JAX", seconds[JAX], seconds[SIDE_BY_SIDE], 1.0)


def _say(what: str, slower: list[float], faster: list[float], target: float) -> None:
    if slower and faster:
        ratio = statistics.median(a / b for a, b in zip(slower, faster, strict=False))
        print(f"  {what}: {ratio:.2f} (target {target}): {'met' if ratio >= target else 'MISSED'}")


if __name__ == "__main__":
    main()
