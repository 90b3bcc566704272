"""The same work by several libraries: what `race.py` runs in a process for each, told over a pipe what to do.

A ReLU network with softmax cross-entropy, Adam(1e-3), float32, mini-batches shuffled without replacement. One line of
JSON in, one line out: `{"do": "fit", ...}` answers with the seconds of a fit, compile time outside.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings
from abc import ABC, abstractmethod
from importlib import import_module
from itertools import pairwise
from typing import Any

NAMES = {
    "chainrule": "chainrule",
    "estimator": "MLPClassifier",
    "sklearn": "scikit-learn",
    "torch": "PyTorch",
    "jax": "JAX",
}


class Peer(ABC):
    """What is raced: `ready` compiles and warms up, `fit` and (where it is raced) `predict` are timed."""

    def __init__(self, sizes: list[int], batch: int, rows: int, threads: int):
        import numpy as np

        rng = np.random.default_rng(0)
        self.np, self.sizes, self.batch, self.rows, self.threads = np, sizes, batch, rows, threads
        self.X = rng.standard_normal((rows, sizes[0])).astype(np.float32)
        self.y = rng.integers(0, sizes[-1], rows)

    def ready(self) -> None:
        self.prepare()
        self.fit(1)

    def prepare(self) -> None:
        """Before a fit, untimed: where the starting weights are drawn outside of a fit."""
        return

    @abstractmethod
    def fit(self, epochs: int) -> None: ...


class Chainrule(Peer):
    def model(self, jobs: int | None, seed: int = 0) -> Any:
        import chainrule as cr

        network = cr.Network.mlp(self.sizes[0], self.sizes[1:-1], self.sizes[-1], output="softmax")
        return cr.Model(network, "cross_entropy", cr.Adam(1e-3), seed=seed, engine="native", threads=jobs)

    def prepare(self) -> None:
        self.trained = self.model(None if self.threads > 1 else 1)

    def fit(self, epochs: int) -> None:
        self.trained.fit(self.X, self.y, epochs=epochs, batch_size=self.batch, progress=False)

    def predict(self, X: Any) -> Any:
        return self.trained.predict(X)


class Sklearn(Peer):
    module = "sklearn.neural_network"

    def fit(self, epochs: int) -> None:
        warnings.filterwarnings("ignore")
        self.trained = import_module(self.module).MLPClassifier(
            tuple(self.sizes[1:-1]), batch_size=self.batch, max_iter=epochs, tol=0.0, n_iter_no_change=10**6,
            alpha=0.0, random_state=0,
        ).fit(self.X, self.y)  # fmt: skip

    def predict(self, X: Any) -> Any:
        return self.trained.predict_proba(X)


class Estimator(Sklearn):
    """The same arguments to our estimator."""

    module = "chainrule"


class Torch(Peer):
    def ready(self) -> None:
        import torch

        torch.set_num_threads(self.threads)
        self.torch = torch
        layers: list[Any] = []
        for n, m in pairwise(self.sizes):
            layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*layers[:-1])
        self.fit(1)

    def fit(self, epochs: int) -> None:
        torch, net = self.torch, self.net
        optimizer = torch.optim.Adam(net.parameters(), 1e-3, fused=True)
        X, y, loss = torch.from_numpy(self.X), torch.from_numpy(self.y), torch.nn.CrossEntropyLoss()
        for _ in range(epochs):
            order = torch.randperm(self.rows)
            for begin in range(0, self.rows, self.batch):
                rows = order[begin : begin + self.batch]
                optimizer.zero_grad(set_to_none=True)
                loss(net(X[rows]), y[rows]).backward()
                optimizer.step()

    def predict(self, X: Any) -> Any:
        with self.torch.inference_mode():
            return self.net(self.torch.from_numpy(X)).softmax(1).numpy()


class Jax(Peer):
    """`lax.scan` over a whole epoch, one compiled call each."""

    def ready(self) -> None:
        import jax
        import jax.numpy as jnp
        import optax

        keys = jax.random.split(jax.random.PRNGKey(0), len(self.sizes))
        self.start = [
            (jax.random.normal(key, (n, m)) * (2 / n) ** 0.5, jnp.zeros(m))
            for key, (n, m) in zip(keys, pairwise(self.sizes), strict=False)
        ]
        self.optimizer = optax.adam(1e-3)
        X, y, self.jax = jnp.asarray(self.X), jnp.asarray(self.y), jax

        def forward(parameters: Any, x: Any) -> Any:
            for w, b in parameters[:-1]:
                x = jax.nn.relu(x @ w + b)
            w, b = parameters[-1]
            return x @ w + b

        def loss(parameters: Any, x: Any, t: Any) -> Any:
            return optax.softmax_cross_entropy_with_integer_labels(forward(parameters, x), t).mean()

        @jax.jit
        def epoch(parameters: Any, state: Any, order: Any) -> Any:
            def step(carry: Any, rows: Any) -> Any:
                parameters, state = carry
                gradient = jax.grad(loss)(parameters, X[rows], y[rows])
                change, state = self.optimizer.update(gradient, state)
                return (optax.apply_updates(parameters, change), state), None

            return jax.lax.scan(step, (parameters, state), order)[0]

        self.epoch = epoch
        self.fit(1)

    def fit(self, epochs: int) -> None:
        parameters, state = self.start, self.optimizer.init(self.start)
        whole = self.rows // self.batch * self.batch
        for number in range(epochs):
            order = self.np.random.default_rng(number).permutation(self.rows)[:whole]
            parameters, state = self.epoch(parameters, state, order.reshape(-1, self.batch))
        self.jax.block_until_ready(parameters)


PEERS: dict[str, type[Peer]] = {
    "chainrule": Chainrule,
    "estimator": Estimator,
    "sklearn": Sklearn,
    "torch": Torch,
    "jax": Jax,
}


def set_threads(threads: int) -> None:
    """Before any library is loaded; JAX listens to no setting, only to the cores it may run on."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    eigen = "true" if threads > 1 else "false"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={threads}"


def timed(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def together(peer: Chainrule, epochs: int, threads: int) -> float:
    """Seconds in which each of so many Python threads trains a model of its own, on one thread of the core each."""

    def train(seed: int) -> None:
        model = peer.model(1, seed)
        model.fit(peer.X, peer.y, epochs=epochs, batch_size=peer.batch, progress=False)

    workers = [threading.Thread(target=train, args=(seed,)) for seed in range(threads)]

    def run() -> None:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return timed(run)


def predicting(peer: Any, rows: int, calls: int) -> float:
    """Seconds of one call that predicts so many rows."""
    X = peer.np.random.default_rng(1).standard_normal((rows, peer.sizes[0])).astype(peer.np.float32)
    peer.predict(X)

    def run() -> None:
        for _ in range(calls):
            peer.predict(X)

    return timed(run) / calls


def serve() -> None:
    """Answer until the pipe is closed."""
    peer: Any = None
    for line in sys.stdin:
        task = json.loads(line)
        kind, answer = task.pop("do"), 0.0
        if kind == "ready":
            peer = PEERS[task.pop("who")](**task)
            peer.ready()
        elif kind == "fit":
            peer.prepare()
            answer = timed(lambda peer=peer, epochs=task["epochs"]: peer.fit(epochs))
        elif kind == "together":
            answer = together(peer, **task)
        elif kind == "predict":
            answer = predicting(peer, **task)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    set_threads(int(sys.argv[1]))
    serve()
