"""The same network, loss and gradients computed by PyTorch in float64, from the same program of steps.

Only where PyTorch has no such thing (quantile loss, dropout with our mask) is it written out here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from chainrule import (
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    CrossEntropy,
    Dense,
    Dropout,
    Embedding,
    EmbeddingSum,
    Flatten,
    Mix,
    Model,
    OneHot,
    PiecewiseLinear,
    Scale,
    random,
)  # fmt: skip
from chainrule.activations import ActivationFunction
from chainrule.engines.contract import NOTHING, Rows
from chainrule.layers import Context
from chainrule.objective import HeadLoss

Tensor = torch.Tensor


@dataclass
class Answer:
    """What PyTorch says: outputs by head, the loss, gradients and new running statistics by `"layer/name"`."""

    outputs: dict[str, np.ndarray]
    loss: float
    gradients: dict[str, np.ndarray]
    state: dict[str, np.ndarray]


# PyTorch's word for each activation. Its softplus and mish take z itself from 20 on, off by 2e-9: here from 100 on.
ACTIVATIONS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "linear": lambda f, z: z,
    "sigmoid": lambda f, z: torch.sigmoid(z),
    "tanh": lambda f, z: torch.tanh(z),
    "relu": lambda f, z: F.relu(z),
    "leaky_relu": lambda f, z: F.leaky_relu(z, f.slope),
    "elu": lambda f, z: F.elu(z, f.alpha),
    "selu": lambda f, z: F.selu(z),
    "gelu": lambda f, z: F.gelu(z, approximate="tanh" if f.approximate else "none"),
    "silu": lambda f, z: F.silu(z),
    "mish": lambda f, z: z * torch.tanh(F.softplus(z, threshold=100)),
    "softplus": lambda f, z: F.softplus(z, threshold=100),
    "exponential": lambda f, z: torch.exp(z),
    "softmax": lambda f, z: F.softmax(z, dim=1),
}


def activation(f: ActivationFunction, z: Tensor) -> Tensor:
    return ACTIVATIONS[f.name](f, z)


def _poisson(y: Tensor, value: Tensor, logits: bool) -> Tensor:
    return F.poisson_nll_loss(value, y, log_input=logits, eps=0, reduction="none")


# For losses that are sums over the outputs: of each output, or (the last argument says so) of each logit.
ELEMENTWISE: dict[str, Callable[[Any, Tensor, Tensor, bool], Tensor]] = {
    "squared_error": lambda loss, y, h, logits: F.mse_loss(h, y, reduction="none"),
    "half_squared_error": lambda loss, y, h, logits: F.mse_loss(h, y, reduction="none") / 2,
    "absolute_error": lambda loss, y, h, logits: F.l1_loss(h, y, reduction="none"),
    "huber": lambda loss, y, h, logits: F.huber_loss(h, y, reduction="none", delta=loss.delta),
    "quantile": lambda loss, y, h, logits: torch.maximum(loss.level * (y - h), (loss.level - 1) * (y - h)),
    "poisson": lambda loss, y, h, logits: _poisson(y, h, logits),
    "poisson_deviance": lambda loss, y, h, logits: _poisson(y, h, logits) + torch.special.xlogy(y, y) - y,
    "binary_cross_entropy": lambda loss, y, h, logits: (
        F.binary_cross_entropy_with_logits if logits else F.binary_cross_entropy
    )(h, torch.lerp(y, torch.full_like(y, 0.5), loss.label_smoothing), reduction="none"),
}
LOSSES = (*ELEMENTWISE, "cross_entropy")
# as `forward` computes them
LAYERS = (
    "Dense", "Activation", "Scale", "BatchNorm", "Dropout", "OneHot", "Embedding", "EmbeddingSum", "PiecewiseLinear",
    "Flatten", "Add", "Mix", "Concatenate",
)  # fmt: skip


def row_losses(head: HeadLoss, target: np.ndarray, value: Tensor) -> Tensor:
    """Every row's loss, from the output or from the logits."""
    loss, logits = head.loss, head.fused
    if isinstance(loss, CrossEntropy):
        y = torch.from_numpy(np.asarray(target))
        if logits:
            return F.cross_entropy(value, y, reduction="none", label_smoothing=loss.label_smoothing)
        k = value.shape[1]
        q = F.one_hot(y, k).double() if y.ndim == 1 else y
        q = q * (1 - loss.label_smoothing) + loss.label_smoothing / k
        return -torch.special.xlogy(q, value).sum(1)
    y = torch.from_numpy(target)
    return ELEMENTWISE[loss.name](loss, y, value, logits).sum(1)


def piecewise_linear_encoding(x: Tensor, knots: tuple[tuple[float, ...], ...]) -> Tensor:
    """Number by number and bin by bin: how much of the bin lies below the number."""
    return torch.stack(
        [((x[:, i] - low) / (high - low)).clamp(0, 1) for i, own in enumerate(knots) for low, high in pairwise(own)],
        dim=1,
    )


def leaves(model: Model) -> dict[str, Tensor]:
    """The parameters as tensors that collect gradients, by `"layer/name"`."""
    return {
        f"{layer}/{name}": torch.tensor(array, dtype=torch.float64, requires_grad=True)
        for layer, arrays in model.parameters.items()
        for name, array in arrays.items()
    }


def running(model: Model) -> dict[str, Tensor]:
    return {f"{layer}/{name}": torch.tensor(a) for layer, arrays in model.state.items() for name, a in arrays.items()}


def forward(
    model: Model,
    p: dict[str, Tensor],
    s: dict[str, Tensor],
    inputs: tuple[np.ndarray, ...],
    training: bool,
    step: int = 0,
    scheduled: Mapping[int, float] = NOTHING,
) -> list[Tensor]:
    """The value of every slot; the running statistics in `s` are changed in training."""
    values: list[Tensor] = [torch.from_numpy(x) for x in inputs]
    for index, one in enumerate(model.network.steps):
        reads, layer, name = [values[slot] for slot in one.inputs], one.layer, one.name
        if isinstance(layer, Dense):
            y = F.linear(reads[0], p[f"{name}/W"].T, p[f"{name}/b"] if layer.bias else None)
        elif isinstance(layer, Activation):
            y = activation(layer.f, reads[0])
        elif isinstance(layer, BatchNorm):
            y = F.batch_norm(
                reads[0], s[f"{name}/mean"], s[f"{name}/variance"], p[f"{name}/scale"], p[f"{name}/shift"],
                training, layer.momentum, layer.epsilon,
            )  # fmt: skip
        elif isinstance(layer, Dropout):
            y = reads[0]
            rate = layer.rate_at(Context(layer=index, scheduled=scheduled))
            if training and rate:
                mask = random.keep_mask(tuple(y.shape), rate, model.seed, step, index)
                y = y * torch.from_numpy(mask.astype(float)) / (1 - rate)
        elif isinstance(layer, Mix):
            y = torch.lerp(*reads, p[f"{name}/mix"].expand_as(reads[0]))
        elif isinstance(layer, Scale):
            y = reads[0] * p[f"{name}/scale"]
        elif isinstance(layer, OneHot):
            y = F.one_hot(reads[0].long() - layer.first, layer.size).double().flatten(1)
        elif isinstance(layer, (Embedding, EmbeddingSum)):
            offsets = torch.tensor(np.cumsum([0, *map(len, layer.codes((reads[0].shape[1:],))[:-1])]))
            look_up = F.embedding if isinstance(layer, Embedding) else F.embedding_bag
            mode = {} if isinstance(layer, Embedding) else {"mode": "sum"}
            y = look_up(reads[0].long() + offsets, p[f"{name}/W"], **mode).flatten(1)
        elif isinstance(layer, PiecewiseLinear):
            y = piecewise_linear_encoding(reads[0], layer.knots) @ p[f"{name}/W"]
        elif isinstance(layer, Flatten):
            y = torch.flatten(reads[0], 1)
        elif isinstance(layer, Add):
            y = torch.stack(reads).sum(0)
        else:
            assert isinstance(layer, Concatenate)
            y = torch.cat(reads, dim=1)
        values.append(y)
    return values


def total_loss(model: Model, p: dict[str, Tensor], values: list[Tensor], data: Rows) -> Tensor:
    """Heads by their weights, rows by theirs, and the penalties."""
    total = torch.zeros((), dtype=torch.float64)
    objective = model.objective
    for head, target, weights in zip(objective.heads, data.targets, data.weights, strict=True):
        w = torch.ones(len(data), dtype=torch.float64) if weights is None else torch.from_numpy(weights)
        rows = row_losses(head, target, values[head.slot])
        total = total + head.weight * (rows * w).sum() / (w.sum() if objective.reduction == "mean" else 1)
    for span in model.network.layout.spans:
        spec = span.spec
        l1 = model._penalties["l1"] if spec.l1 is None else spec.l1
        l2 = model._penalties["l2"] if spec.l2 is None else spec.l2
        if spec.penalized:
            total = total + l1 * p[span.key].abs().sum() + l2 * (p[span.key] ** 2).sum()
    return total


def ask(model: Model, data: Rows, *, training: bool) -> Answer:
    """Outputs, loss, gradients and running statistics of one pass."""
    p, s = leaves(model), running(model)
    values = forward(model, p, s, data.inputs, training)
    loss = total_loss(model, p, values, data)
    loss.backward()
    gradients = {key: np.zeros(t.shape) if t.grad is None else t.grad.numpy() for key, t in p.items()}
    outputs = {head.name: values[head.slot].detach().numpy() for head in model.network.heads}
    return Answer(outputs, float(loss.detach()), gradients, {key: t.numpy() for key, t in s.items()})
