"""What training minimizes: the losses of the heads, and penalties on the weights; and by which parameters.

`J = sum_heads weight * (sum_rows w_i L_i / sum_rows w_i) + sum_W (l2 W^2 + l1 |W|)`; with `reduction="sum"` the rows
are summed and not divided. Losses return sums, so that chunks, masked rows and threads need no special case.

`convention="sklearn"` is scikit-learn's way: a batch's penalties are divided by the weight of its rows, and an epoch's
loss is the mean of its batches' losses, each counted by its number of rows, whatever the rows weigh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import InputError, TrainingError, did_you_mean, listed
from chainrule.limits import NOT_NEGATIVE, check
from chainrule.losses import Loss, get_loss
from chainrule.network import Network
from chainrule.parameters import ParameterRun, merged, parameter_runs
from chainrule.steps import Step

Reduction = Literal["mean", "sum"]
Convention = Literal["chainrule", "sklearn"]


@dataclass(frozen=True)
class HeadLoss:
    """One head and its loss: `slot` is what the loss reads, which is `z` where the two are fused.

    Fused, the gradient enters at `z`: the step `skips` (the output activation) has no backward pass.
    """

    head: str
    loss: Loss
    weight: float
    slot: int
    outputs: int
    skips: int | None = None

    @property
    def fused(self) -> bool:
        """Whether loss and output activation are computed together from the pre-activation."""
        return self.skips is not None

    def rows(self, target: Array, value: Array) -> Array:
        """Every row's loss from the value of `slot`."""
        return self.loss.fused_rows(target, value) if self.fused else self.loss.rows(target, value)

    def gradient(self, target: Array, value: Array) -> Array:
        """Every row's gradient by the value of `slot`."""
        return self.loss.fused_gradient(target, value) if self.fused else self.loss.gradient(target, value)

    def sum_of_rows(self, target: Array, value: Array, weights: Array | None) -> float:
        """The rows' losses, each times its weight, as one sum; one of weight 0 counts nothing, be its loss infinite."""
        rows = self.rows(target, value)
        return float(rows.sum() if weights is None else np.where(weights != 0, rows, 0) @ weights)

    def deltas(self, target: Array, value: Array, factors: Array | float) -> Array:
        """Every row's gradient by the value of `slot`, times a factor for all or for each row; 0 where that is 0."""
        gradient = self.gradient(target, value)
        if isinstance(factors, float):
            return gradient * factors
        return np.where(factors[:, None] != 0, gradient, 0) * factors[:, None]


@dataclass(frozen=True)
class Objective:
    """What training minimizes besides penalties, where a loss alone doesn't say enough: `Model` takes it as its loss.

    Arguments:
        loss: a loss by name or as an object; several heads take one for each, by name.
        loss_weights: how much each head's loss counts, by name; 1 where nothing is said.
        reduction: a batch's loss is the `"mean"` over its rows, or their `"sum"`.
        convention: `"chainrule"` adds penalties as they are; `"sklearn"` divides them by the weight of a batch.
        fuse: whether a loss and its output activation are computed together, which stays finite for large logits;
            False sends every gradient through the activation by the plain chain rule, as one does by hand.

    Raises:
        InputError: reduction or convention is none of those, or the two don't go together.

    >>> Objective({"age": "squared_error", "mood": "cross_entropy"}, loss_weights={"age": 0.01}).reduction
    'mean'
    """

    loss: Any
    loss_weights: Mapping[str, float] | None = None
    reduction: Reduction = "mean"
    convention: Convention = "chainrule"
    fuse: bool = True

    def __post_init__(self) -> None:
        if self.reduction not in ("mean", "sum"):
            raise InputError(f'reduction is {self.reduction!r}; it must be "mean" or "sum"')
        if self.convention not in ("chainrule", "sklearn"):
            raise InputError(f'convention is {self.convention!r}; it must be "chainrule" or "sklearn"')
        if self.convention == "sklearn" and self.reduction != "mean":
            raise InputError('reduction "sum" exists in the convention "chainrule" only; scikit-learn takes means')

    @classmethod
    def of(cls, given: object) -> Objective:
        """An objective as it is; a loss, or losses by head, as one.

        Arguments:
            given: what `Model` takes as its loss.

        >>> Objective.of("huber").loss
        'huber'
        """
        return given if isinstance(given, Objective) else cls(given)

    def on(self, network: Network, *, l1: float = 0.0, l2: float = 0.0) -> NetworkObjective:
        """The objective of a network, with penalties `l1 sum|W| + l2 sum W^2` on weights whose layer says nothing else.

        Arguments:
            network: whose heads the losses belong to.
            l1: the charge for the size of each weight.
            l2: the charge for its square.

        Raises:
            InputError: the losses don't fit the network's heads, or a penalty isn't a number of at least 0.

        >>> from chainrule.network import Network
        >>> Objective("mse").on(Network.mlp(2, [3], 1)).heads[0].loss
        SquaredError()
        """
        check("Model", "l1", l1, NOT_NEGATIVE)
        check("Model", "l2", l2, NOT_NEGATIVE)
        losses = _by_head(network, "loss", self.loss)
        weights = {head.name: 1.0 for head in network.heads}
        if self.loss_weights is not None:
            _check_heads(network, "loss_weights", self.loss_weights)
            weights.update(self.loss_weights)
        heads = tuple(
            _head_loss(network, head.name, get_loss(losses[head.name]), weights[head.name], self.fuse)
            for head in network.heads
        )
        return NetworkObjective(
            heads, parameter_runs(network.layout, l1, l2), self.reduction, self.convention, self.fuse
        )


@dataclass(frozen=True)
class NetworkObjective:
    """An objective on a network: losses of its heads, the description of all parameters, how rows are put together."""

    heads: tuple[HeadLoss, ...]
    runs: tuple[ParameterRun, ...]
    reduction: Reduction = "mean"
    convention: Convention = "chainrule"
    fuse: bool = True

    @cached_property
    def penalties(self) -> tuple[ParameterRun, ...]:
        """The runs with penalties, neighbours of equal ones as one."""
        return merged(self.runs, lambda run: run.charge if any(run.charge) else None)

    @cached_property
    def trainable(self) -> tuple[ParameterRun, ...]:
        """The runs that an optimizer changes, neighbours that learn alike as one."""
        return merged(self.runs, lambda run: (run.rate_factor, run.decay_factor) if run.trainable else None)

    def run_at(self, offset: int) -> ParameterRun:
        """The description of the parameter at this place of the vector."""
        return next(run for run in self.runs if run.begin <= offset < run.end)

    def without_biases(self) -> NetworkObjective:
        """The same with biases that are kept as they are, as some texts do."""
        runs = (replace(run, trainable=run.trainable and run.kind != "bias") for run in self.runs)
        return replace(self, runs=tuple(runs))

    def penalty(self, parameters: Array) -> float:
        """The penalties of one member's parameter vector."""
        total = 0.0
        for run in self.penalties:
            w = parameters[run.slice]
            if run.l2:
                total += run.l2 * float(w @ w)
            if run.l1:
                total += run.l1 * float(np.abs(w).sum())
        return total

    def penalty_factor(self, weights: Array) -> float:
        """What a batch's penalties are multiplied by, from each head's sum of row weights (the first one's counts)."""
        return 1 / self.divisor(float(weights[0])) if self.convention == "sklearn" else 1.0

    def add_penalty_gradient(self, parameters: Array, gradient: Array, factor: float = 1.0) -> None:
        """Add `factor (2 l2 W + l1 sign(W))` to one member's gradient vector."""
        for run in self.penalties:
            w, g = parameters[run.slice], gradient[run.slice]
            if run.l2:
                g += 2 * run.l2 * factor * w
            if run.l1:
                g += run.l1 * factor * np.sign(w)

    def total(self, sums: Array, weights: Array) -> float:
        """The loss of all heads from each head's sum over rows and sum of row weights, without penalties."""
        total = 0.0
        for head, loss_sum, weight_sum in zip(self.heads, sums, weights, strict=True):
            total += head.weight * float(loss_sum) / self.divisor(float(weight_sum))
        return total

    def divisor(self, weight_sum: float) -> float:
        """What a sum over rows is divided by: their weights, or 1 where sums are wanted or nothing counts."""
        return weight_sum if self.reduction == "mean" and weight_sum != 0 else 1.0

    def check_trainable(self, network: Network) -> None:
        """Raise a `TrainingError` where gradients can't pass (threshold units)."""
        wanted = network.program.reads_parameters()
        skipped = {head.skips for head in self.heads}
        for step in network.steps:
            f = step.layer.applies
            blocked = f is not None and not f.trainable
            if blocked and step.index not in skipped and wanted[step.inputs[0]]:
                raise TrainingError(
                    f'layer "{step.name}" can\'t be trained through: its threshold unit has a derivative that is zero '
                    'wherever it exists, so every gradient before it is zero. Use "sigmoid", its smooth form'
                )


def _by_head(network: Network, what: str, given: object) -> Mapping[str, Any]:
    names = [head.name for head in network.heads]
    if isinstance(given, Mapping) and "name" not in given:
        _check_heads(network, what, given)
        missing = [name for name in names if name not in given]
        if missing:
            raise InputError(f"{what}: nothing is said for these heads: {listed(missing)}")
        return given
    if len(names) > 1:
        raise InputError(f"{what}: the network has the heads {listed(names)}; say it for each: {{{names[0]!r}: ...}}")
    return {names[0]: given}


def _check_heads(network: Network, what: str, given: Mapping[str, Any]) -> None:
    names = [head.name for head in network.heads]
    if not isinstance(given, Mapping):
        raise InputError(f"{what} is {given!r}; say it by head, as in {{{names[0]!r}: 2}}")
    for name in given:
        if name not in names:
            raise InputError(
                f'{what}: there is no head "{name}"; there are {listed(names)}.{did_you_mean(name, names)}'
            )


def _head_loss(network: Network, name: str, loss: Loss, weight: float, fuse: bool) -> HeadLoss:
    check("loss_weights", name, weight, NOT_NEGATIVE)
    weight = float(weight)  # np.float64 would lift float32 gradients to float64
    head = next(head for head in network.heads if head.name == name)
    if len(head.shape) != 1:
        raise InputError(
            f'head "{name}" makes rows of shape {head.shape}; a loss takes vectors: put Flatten() before it'
        )
    step = next(step for step in network.steps if step.output == head.slot)
    _check_output(step, name, loss, head.shape[0])
    if fuse and _can_fuse(network, step, loss):
        return HeadLoss(name, loss, weight, step.inputs[0], head.shape[0], step.index)
    return HeadLoss(name, loss, weight, head.slot, head.shape[0])


def _check_output(step: Step, head: str, loss: Loss, outputs: int) -> None:
    """Raise an `InputError` where a loss of probabilities or of positive numbers would read any number."""
    made = step.layer.makes
    if loss.reads == "any number" or made not in ("linear", "tanh"):
        return
    right = f'the output activation "{loss.fuses_with}", as in Network.mlp(..., output="{loss.fuses_with}")'
    if loss.fuses_with == "softmax":
        several = f'{right} for one class of several, or output="sigmoid" with "binary_cross_entropy" for yes or no'
        right = 'output="sigmoid" and the loss "binary_cross_entropy"' if outputs == 1 else several
    raise InputError(f'head "{head}": {loss.name} reads {loss.reads}, which a {made} output doesn\'t make; use {right}')


def _can_fuse(network: Network, step: Step, loss: Loss) -> bool:
    """A known pair, and nothing else reads the activation: no other layer, no other head."""
    f = step.layer.applies
    heads = sum(head.slot == step.output for head in network.heads)
    return f is not None and f.name == loss.fuses_with and heads == 1 and not network.program.readers(step.output)
