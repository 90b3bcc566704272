"""Dropout: a random part of the units is silent in each training step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.layers.base import Arrays, Context, Layer, Shape
from chainrule.layers.element import Read, Term
from chainrule.limits import FRACTION
from chainrule.random import keep_mask
from chainrule.schedules import Schedule, base_of, follow


@dataclass(frozen=True)
class Dropout(Layer):
    """`y = m x / (1 - rate)`: each element is kept (m = 1) with probability 1 - rate (Srivastava et al., 2014).

    Prediction keeps all of them; the division makes the mean the same in both. The model's seed, the step and the
    layer's place decide the masks, whatever engine and threads compute them. Rows keep their shape.

    Arguments:
        rate: the probability that an element is left out, from 0 up to but not 1; or a schedule of it over the steps of
            a fit, such as `FlatCosine(0.15)`.

    Raises:
        InputError: the rate lies outside of [0, 1), or its schedule looks at losses.

    >>> from chainrule import Input, Model, Network
    >>> model = Model(Network([Input(4), Dropout(0.5)]), "squared_error", seed=2)
    >>> model.predict([[1.0, 2.0, 3.0, 4.0]]).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """

    rate: float | Schedule = 0.5

    is_random = True
    formula = "y = m x / (1 - rate)"
    native = Native("dropout", rate="base_rate")
    limits = {"rate": FRACTION}

    def __post_init__(self) -> None:
        follow(self, "rate")
        super().__post_init__()

    @property
    def schedule(self) -> Schedule | None:
        return self.rate if isinstance(self.rate, Schedule) else None

    @property
    def base_rate(self) -> float:
        """The rate, or the one that its schedule begins from or rises to."""
        return base_of(self.rate)

    def rate_at(self, context: Context) -> float:
        """The rate of a training step.

        Arguments:
            context: the step, and the place of this layer.

        >>> from chainrule import FlatCosine
        >>> Dropout(FlatCosine(0.5)).rate_at(Context(training=True, layer=3, scheduled={3: 0.25}))
        0.25
        """
        return self.base_rate if self.schedule is None else context.scheduled.get(context.layer, self.base_rate)

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        rate = self.rate_at(context)
        if not context.training or rate == 0:
            return x, {}, state
        kept = keep_mask(x.shape, rate, context.seed, context.step, context.layer, context.member)
        factor = np.where(kept, 1 / (1 - rate), 0).astype(x.dtype)
        return x * factor, {"factor": factor}, state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dx = dL/dy m / (1 - rate)`."""
        return (d_output * memo["factor"] if "factor" in memo else d_output,), {}

    def element(self, row: int, unit: int, shapes: tuple[Shape, ...], memo: Arrays) -> tuple[Term, ...]:
        """`y_j = m_j / (1 - rate) x_j`."""
        factor = float(memo["factor"].reshape(memo["factor"].shape[0], -1)[row, unit]) if "factor" in memo else 1.0
        return (Term((Read(unit),), factor),)
