"""How far apart two right computations of one problem may be.

Every sum, product and function of the engines is backward stable: what it returns is the exact result of operands that
were changed by a relative `gamma = n u / (1 - n u)` at most (Higham, "Accuracy and Stability of Numerical Algorithms",
2002, chapter 3), with `u` the unit roundoff and `n` the number of roundings that one number goes through. What such
changes of all operands do to the answer depends on the problem; it is not guessed but measured: the reference engine
computes in float64 with every parameter, input, target and row weight changed at random by up to `gamma`, a few times,
and with every number that the forward pass keeps for the backward pass, and every gradient by a value on its way back:
only then a gradient that is exactly 0 (of what stands before a normalization) is a sum whose terms no longer cancel.
The largest difference seen, times `SAFETY` because draws are not the worst case, is the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from chainrule import Dense, Model, Network
from chainrule.arrays import Array
from chainrule.engines.contract import Rows
from chainrule.engines.reference import Forward, ReferenceEngine
from chainrule.layers import Arrays, Context
from chainrule.objective import Objective
from chainrule.parameters import Views

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


class Unsteady(ReferenceEngine):
    """The reference engine, whose memo and gradients by values are changed at random by a relative `size` at most."""

    def __init__(self, network: Network, objective: Objective, size: float, rng: np.random.Generator):
        super().__init__(network, objective)
        self.size, self.rng = size, rng

    def changed(self, array: np.ndarray) -> np.ndarray:
        if array.dtype.kind != "f":
            return array
        return array * (1 + self.size * self.rng.uniform(-1, 1, array.shape))

    def forward(self, parameters: Views, state: Views, inputs: tuple[Array, ...], context: Context) -> Forward:
        done = super().forward(parameters, state, inputs, context)
        memos = [{name: self.changed(array) for name, array in memo.items()} for memo in done.memos]
        return Forward(done.values, memos, done.states)

    def backward(
        self, parameters: Views, memos: list[Arrays], deltas: dict[int, Array], gradients: Views
    ) -> dict[int, Array]:
        engine = self

        class Changed(dict[int, Array]):
            def __setitem__(self, slot: int, delta: Array) -> None:
                super().__setitem__(slot, engine.changed(delta))

        changed = Changed()
        for slot, delta in deltas.items():
            changed[slot] = delta
        return super().backward(parameters, memos, changed, gradients)


Answers = dict[str, np.ndarray]


def bounds(
    compute: Callable[[ReferenceEngine, np.ndarray, np.ndarray, Rows], Answers],
    model: Model, data: Rows, size: float, rng: np.random.Generator,
) -> tuple[Answers, dict[str, float]]:  # fmt: skip
    """What `compute` answers in float64, and for each array of the answer the bound of its differences."""
    parameters, state = model.training.parameters.astype(float), model.training.state.astype(float)
    exact = compute(ReferenceEngine(model.network, model.objective), parameters, state, data)
    seen = {name: size * np.abs(array).max(initial=0) for name, array in exact.items()}
    engine = Unsteady(model.network, model.objective, size, rng)
    for _ in range(DRAWS):
        parts = (data.inputs, data.targets, data.weights)
        rows = Rows(*(tuple(a if a is None else engine.changed(a) for a in part) for part in parts))
        near = compute(engine, engine.changed(parameters), engine.changed(state), rows)
        for name, array in near.items():
            seen[name] = max(seen[name], np.abs(array - exact[name]).max(initial=0))
    return exact, {name: SAFETY * difference for name, difference in seen.items()}


def assert_within(got: Answers, exact: Answers, bound: dict[str, float]) -> None:
    """Every array of `got` is within its bound of the exact one."""
    for name, array in exact.items():
        worst = np.abs(np.asarray(got[name], dtype=np.float64) - array).max(initial=0)
        assert worst <= bound[name], f"{name} is off by {worst:.3g}; {bound[name]:.3g} is allowed"
