"""Residual connections: each block adds to what it reads, so that thirty layers learn where a plain chain can't.

Run: python examples/residual.py
"""

from __future__ import annotations

import numpy as np

import chainrule as cr


def network(blocks: int, residual: bool) -> cr.Network:
    """A chain of tanh layers of 16 units; with `residual` each layer's output is added to its input."""
    x = cr.Input(2, name="x")
    h = cr.Dense(16, activation="tanh", name="first")(x)
    for i in range(1, blocks + 1):
        change = cr.Dense(16, activation="tanh", name=f"block_{i}")(h)
        h = cr.Add(name=f"sum_{i}")(h, change) if residual else change
    return cr.Network(inputs=x, outputs=cr.Dense(1, name="output")(h))


def main() -> None:
    """Train both at several depths, and print what is left of the targets' variance."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (400, 2))
    y = np.sin(3 * X[:, 0]) * X[:, 1]
    print("blocks            gradient by the first W   loss / variance of the targets")
    for blocks in (2, 10, 30):
        for residual in (False, True):
            model = cr.Model(network(blocks, residual), "squared_error", cr.Adam(3e-3), dtype="float64")
            gradient = np.linalg.norm(model.loss_and_gradients(X, y)[1]["first"]["W"])
            model.fit(X, y, epochs=60, progress=False)
            left = model.evaluate(X, y)["loss"] / y.var()
            print(f"{blocks:6}  {'residual' if residual else 'plain':8}  {gradient:23.3g}  {left:31.3f}")


if __name__ == "__main__":
    main()
