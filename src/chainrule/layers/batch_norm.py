"""Batch normalization: every unit brought to mean 0 and variance 1 over the batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array
from chainrule.compiled import Native
from chainrule.initializers import Constant
from chainrule.layers.base import Arrays, Context, Layer, ParameterSpec, Shape, StateSpec
from chainrule.limits import POSITIVE, Limit


@dataclass(frozen=True)
class BatchNorm(Layer):
    """`y = scale (x - mean) / sqrt(variance + epsilon) + shift`, unit by unit (Ioffe and Szegedy, 2015).

    In training, mean and (biased) variance are those of the batch, and running ones follow them:
    `running = (1 - momentum) running + momentum batch`, with the unbiased variance. Prediction uses the running ones.
    `scale` (units,) starts at 1, `shift` (units,) at 0; x and y are of shape (rows, units).

    One row alone has no variance: where one row is left for the last batch of an epoch, it is left out of that epoch.

    Arguments:
        momentum: the share of the batch in the running statistics, above 0 and at most 1.
        epsilon: added to the variance, above 0.
        trainable: False keeps scale and shift as they are; the running statistics still follow.

    Raises:
        InputError: momentum or epsilon is out of range; in training, a batch of one row.
        NetworkError: it reads rows that aren't vectors.

    >>> from chainrule import Input, Model, Network
    >>> model = Model(Network([Input(1), BatchNorm(epsilon=1e-9, name="n")]), "squared_error", dtype="float64")
    >>> model.set_state({"n": {"mean": [4.0], "variance": [25.0]}})
    >>> round(float(model.predict([[14.0]])[0, 0]), 6)
    2.0
    """

    momentum: float = 0.1
    epsilon: float = 1e-5
    trainable: bool = True

    least_rows = 2
    couples_rows = True
    formula = "y = scale (x - mean) / sqrt(variance + epsilon) + shift"
    native = Native("batch_norm", "momentum", "epsilon")
    limits = {"momentum": Limit(0, 1, low_open=True), "epsilon": POSITIVE}

    def forward(
        self, parameters: Arrays, state: Arrays, inputs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Arrays, Arrays]:
        (x,) = inputs
        mean, variance, new_state = state["mean"], state["variance"], state
        if context.training:
            mean, variance = x.mean(axis=0), x.var(axis=0)
            unbiased = variance * (len(x) / max(len(x) - 1, 1))
            new_state = {
                "mean": (1 - self.momentum) * state["mean"] + self.momentum * mean,
                "variance": (1 - self.momentum) * state["variance"] + self.momentum * unbiased,
            }
        std = np.sqrt(variance + self.epsilon)
        x_hat = (x - mean) / std
        memo = {"x_hat": x_hat, "std": std, "of_batch": np.asarray(context.training)}
        return parameters["scale"] * x_hat + parameters["shift"], memo, new_state

    def backward(
        self, parameters: Arrays, memo: Arrays, d_output: Array, wanted: bool = True
    ) -> tuple[tuple[Array | None, ...], Arrays]:
        """`dL/dx = (d - mean(d) - x_hat mean(d x_hat)) / std` with `d = dL/dy scale`, means over the batch.

        The two means are there because mean and variance of the batch depend on x; running ones don't.
        """
        x_hat = memo["x_hat"]
        gradients = {"scale": (d_output * x_hat).sum(axis=0), "shift": d_output.sum(axis=0)}
        d = d_output * parameters["scale"]
        if memo["of_batch"]:
            d = d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)
        return (d / memo["std"],), gradients

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_rank(shapes[0])
        return shapes[0]

    def parameter_specs(self, shapes: tuple[Shape, ...]) -> tuple[ParameterSpec, ...]:
        return (
            ParameterSpec("scale", shapes[0], "scale", Constant(1.0), trainable=self.trainable),
            ParameterSpec("shift", shapes[0], "bias", Constant(0.0), trainable=self.trainable),
        )

    def state_specs(self, shapes: tuple[Shape, ...]) -> tuple[StateSpec, ...]:
        return StateSpec("mean", shapes[0], 0.0), StateSpec("variance", shapes[0], 1.0, least=0.0)
