"""The functions that expressions may call, with their derivatives: activations as they train, and elementary ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from chainrule.activations import ACTIVATIONS, ActivationFunction
from chainrule.arrays import Array
from chainrule.explain.formula import evaluate, read_formula


@dataclass(frozen=True)
class Elementary:
    """A function that is no activation; its texts are its definition."""

    formulas: tuple[str, str]
    needs: Literal["z", "h"] = "z"

    def value(self, z: Array) -> Array:
        """`f(z)`."""
        return np.asarray(evaluate(read_formula(self.formulas[0]).right, {"z": z}))

    def derivative(self, kept: Array) -> Array:
        """`f'`, from what `needs` names."""
        return np.broadcast_to(evaluate(read_formula(self.formulas[1]).right, {self.needs: kept}), kept.shape)


Function = ActivationFunction | Elementary  # of one number: their formulas say `h = f(z)` and `dh/dz`


@dataclass(frozen=True)
class Domain:
    """Where a function has a value: `holds` of its argument, and how to say it."""

    holds: Callable[[float], bool]
    words: str


NO_FUNCTION_OF_ONE = ("softmax", "threshold")  # several outputs; a derivative that is 0 wherever it exists
FUNCTIONS: dict[str, Function] = {
    "exp": ACTIVATIONS["exponential"](),
    "log": Elementary(("h = log(z)", "dh/dz = 1 / z")),
    "sqrt": Elementary(("h = sqrt(z)", "dh/dz = 1 / (2 h)"), "h"),
    "sin": Elementary(("h = sin(z)", "dh/dz = cos(z)")),
    "cos": Elementary(("h = cos(z)", "dh/dz = -sin(z)")),
    "tan": Elementary(("h = tan(z)", "dh/dz = 1 + h^2"), "h"),
    "sinh": Elementary(("h = sinh(z)", "dh/dz = cosh(z)")),
    "cosh": Elementary(("h = cosh(z)", "dh/dz = sinh(z)")),
    "arctan": Elementary(("h = arctan(z)", "dh/dz = 1 / (1 + z^2)")),
    "abs": Elementary(("h = |z|", "dh/dz = sign(z)")),
    **{name: make() for name, make in ACTIVATIONS.items() if name not in (*NO_FUNCTION_OF_ONE, "exponential")},
}
OF_TWO = ("max", "min")
SHORT = {"exp", "tanh"}  # written by their names alone: their formulas say the same, or less clearly
DOMAINS = {
    "log": Domain(lambda z: z > 0, "a logarithm needs a number above 0"),
    "sqrt": Domain(lambda z: z >= 0, "a square root needs a number that isn't negative"),
}
CONSTANTS = {"pi": float(np.pi), "e": float(np.e)}
