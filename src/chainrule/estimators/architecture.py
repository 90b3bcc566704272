"""From scikit-learn's parameters to a network: dense layers in a chain, and one head or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.activations import ActivationFunction, get_activation
from chainrule.initializers import Initializer, get_initializer
from chainrule.layers.piecewise_linear import Knots
from chainrule.limits import FRACTION, check
from chainrule.mlp import each, mlp
from chainrule.network import Network


def hidden_sizes(given: Any) -> tuple[int, ...]:
    """The units of each hidden layer from a number or a sequence, in scikit-learn's terms of error.

    >>> hidden_sizes(5), hidden_sizes([4, 3])
    ((5,), (4, 3))
    """
    sizes = list(given) if hasattr(given, "__iter__") else [given]
    if not all(isinstance(size, (int, np.integer)) for size in sizes):
        raise TypeError(f"hidden_layer_sizes must be whole numbers, got {sizes}.")
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return tuple(int(size) for size in sizes)


@dataclass(frozen=True)
class Architecture:
    """Everything that a network is built from: `units` of the input and the hidden layers, `heads` of each output."""

    units: tuple[int, ...]
    heads: tuple[int, ...]
    activations: tuple[ActivationFunction, ...]
    outputs: tuple[ActivationFunction, ...]
    dropout: tuple[float, ...]
    batch_norm: bool
    initializer: Initializer | None
    knots: Knots = ()

    @classmethod
    def of(
        cls,
        units: Sequence[int],
        heads: Sequence[int],
        outputs: Sequence[str | ActivationFunction],
        *,
        activation: Any,
        dropout: Any,
        batch_norm: bool,
        initializer: Any,
        knots: Knots = (),
    ) -> Architecture:
        """Names become objects, and one value for all hidden layers becomes one for each."""
        hidden = len(units) - 1
        rates = each("dropout", dropout, hidden)
        for rate in rates:
            check("dropout", "rate", rate, FRACTION)
        return cls(
            tuple(units), tuple(heads),
            tuple(get_activation(one) for one in each("activation", activation, hidden)),
            tuple(get_activation(one) for one in outputs),
            tuple(float(rate) for rate in rates), bool(batch_norm),
            None if initializer is None else get_initializer(initializer), knots,
        )  # fmt: skip

    @property
    def hidden_names(self) -> tuple[str, ...]:
        """What the hidden layers are called, as in `Network.mlp`."""
        hidden = len(self.units) - 1
        return ("hidden",) if hidden == 1 else tuple(f"hidden_{i + 1}" for i in range(hidden))

    @property
    def head_names(self) -> tuple[str, ...]:
        """What the output layers are called."""
        return ("output",) if len(self.heads) == 1 else tuple(f"output_{i + 1}" for i in range(len(self.heads)))

    def network(self) -> Network:
        """The description: dense, batch normalization if wanted, activation, dropout if wanted; then the heads."""
        first, heads = mlp(
            self.units[0], self.units[1:], dict(zip(self.head_names, self.heads, strict=True)),
            activation=self.activations, output=self.outputs, bias=True, dropout=self.dropout,
            batch_norm=self.batch_norm, initializer=self.initializer or "auto", knots=self.knots,
        )  # fmt: skip
        return Network(inputs=first, outputs=heads)

    def draw(
        self, random_state: np.random.RandomState, activation: Any
    ) -> tuple[list[np.ndarray[Any, Any]], list[np.ndarray[Any, Any]]]:
        """Weights and biases as scikit-learn draws them: `U(-a, a)`, `a = sqrt(6 / (fan_in + fan_out))`, W before b.

        A layer of logistic units has 2 in place of the 6, and so has the output after such units.
        """
        kinds = self.activations or (get_activation(activation if isinstance(activation, str) else "relu"),)
        sizes = (*self.units, sum(self.heads))
        coefs, intercepts = [], []
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            factor = 2.0 if kinds[min(i, len(kinds) - 1)].name == "sigmoid" else 6.0
            bound = np.sqrt(factor / (fan_in + fan_out))
            coefs.append(random_state.uniform(-bound, bound, (fan_in, fan_out)))
            intercepts.append(random_state.uniform(-bound, bound, fan_out))
        return coefs, intercepts
