"""How far apart two right computations of one problem may be.

Every sum, product and function of the engines is backward stable: what it returns is the exact result of operands that
were changed by a relative `gamma = n u / (1 - n u)` at most (Higham, "Accuracy and Stability of Numerical Algorithms",
2002, chapter 3), with `u` the unit roundoff and `n` the number of roundings that one number goes through. What such
changes of all operands do to the answer depends on the problem; it is not guessed but measured: the reference engine
computes in float64 with every parameter, input, target and row weight changed at random by up to `gamma`, a few times.
The largest difference seen, times `SAFETY` because draws are not the worst case, is the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from chainrule.engines.contract import Rows
from chainrule.layers import Dense
from chainrule.network import Network

DRAWS, SAFETY = 12, 4
FUNCTION = 8  # roundings of an exponential, a logarithm, a root or a quotient of them


def gamma(network: Network, rows: int, dtype: np.dtype) -> float:
    """`n u / (1 - n u)`: down and up the network each dense layer is a sum over inputs, units or rows."""
    n = 2 * rows
    for step in network.steps:
        if isinstance(step.layer, Dense):
            n += sum(prod(network.program.slots[slot].shape) for slot in (*step.inputs, step.output))
        n += 2 * FUNCTION
    nu = n * float(np.finfo(dtype).eps) / 2
    return nu / (1 - nu)


def bounds(
    compute: Callable[[np.ndarray, np.ndarray, Rows], dict[str, np.ndarray]],
    parameters: np.ndarray, state: np.ndarray, data: Rows, size: float, rng: np.random.Generator,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:  # fmt: skip
    """What `compute` answers in float64, and for each array of the answer the bound of its differences."""
    exact = compute(parameters, state, data)
    seen = {name: size * np.abs(array).max(initial=0) for name, array in exact.items()}

    def changed(array: np.ndarray | None) -> np.ndarray | None:
        if array is None or array.dtype.kind != "f":
            return array
        return array * (1 + size * rng.uniform(-1, 1, array.shape))

    for _ in range(DRAWS):
        near = compute(
            changed(parameters),
            changed(state),
            Rows(*(tuple(changed(a) for a in part) for part in (data.inputs, data.targets, data.weights))),
        )
        for name, array in near.items():
            seen[name] = max(seen[name], np.abs(array - exact[name]).max(initial=0))
    return exact, {name: SAFETY * difference for name, difference in seen.items()}


def assert_within(got: dict[str, np.ndarray], exact: dict[str, np.ndarray], bound: dict[str, float]) -> None:
    """Every array of `got` is within its bound of the exact one."""
    for name, array in exact.items():
        worst = np.abs(np.asarray(got[name], dtype=np.float64) - array).max(initial=0)
        assert worst <= bound[name], f"{name} is off by {worst:.3g}; {bound[name]:.3g} is allowed"
