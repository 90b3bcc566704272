"""The loss of a described network by PyTorch in float64, written from docs/reference/formulas.md."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

LEARNED = ("Dense", "BatchNorm", "Scale", "Embedding", "EmbeddingSum", "PiecewiseLinear")  # layers with parameters


def activate(name: str | None, z: Any) -> Any:
    """An activation, by the table of formulas."""
    plain = {
        None: lambda: z,
        "linear": lambda: z,
        "sigmoid": lambda: torch.sigmoid(z),
        "tanh": lambda: torch.tanh(z),
        "relu": lambda: F.relu(z),
        "leaky_relu": lambda: F.leaky_relu(z, 0.01),
        "elu": lambda: F.elu(z),
        "selu": lambda: F.selu(z),
        "gelu": lambda: F.gelu(z),
        "silu": lambda: F.silu(z),
        "mish": lambda: F.mish(z, inplace=False),
        "softplus": lambda: torch.logaddexp(z, torch.zeros_like(z)),
        "exponential": lambda: torch.exp(z),
        "softmax": lambda: torch.softmax(z, 1),
        "threshold": lambda: (z >= 0).to(z.dtype),
    }
    return plain[name]()


def row_losses(head: Mapping[str, Any], z: Any, y: Any) -> Any:
    """The loss of every row, from the head's pre-activation."""
    loss = head["loss"]
    if loss == "cross_entropy":
        chances = F.one_hot(y.long(), z.shape[1]).to(z.dtype) if head["labels"] == "numbers" else y
        return -(chances * torch.log_softmax(z, 1)).sum(1)
    if loss == "binary_cross_entropy":
        return F.binary_cross_entropy_with_logits(z, y, reduction="none").sum(1)
    h = activate(head["activation"], z)
    error = h - y
    if loss in ("poisson", "poisson_deviance"):
        value = h - torch.xlogy(y, h)
        return (value + torch.xlogy(y, y) - y if loss == "poisson_deviance" else value).sum(1)
    if loss == "squared_error":
        return (error**2).sum(1)
    if loss == "half_squared_error":
        return (error**2).sum(1) / 2
    if loss == "absolute_error":
        return error.abs().sum(1)
    if loss == "quantile":
        return torch.maximum(0.5 * (y - h), (0.5 - 1) * (y - h)).sum(1)
    return F.huber_loss(h, y, reduction="none").sum(1)


def loss_and_gradients(
    network: Mapping[str, Any],
    parameters: Mapping[str, Mapping[str, Any]],
    state: Mapping[str, Mapping[str, Any]],
    x: Mapping[str, Any],
    y: Mapping[str, Any],
    weight: Any,
    *,
    training: bool,
    l1: float = 0.0,
    l2: float = 0.0,
) -> tuple[float, dict[str, dict[str, np.ndarray]]]:
    """The weighted mean over the rows with penalties, and its gradients; dropout silences nothing."""
    p = {
        layer: {name: torch.tensor(np.asarray(a, float), requires_grad=True) for name, a in arrays.items()}
        for layer, arrays in parameters.items()
    }

    def dense(name: str, value: Any) -> Any:
        return value @ p[name]["W"] + p[name].get("b", 0.0)

    values: list[Any] = [torch.tensor(x[f"x{i}"]) if f"x{i}" in x else None for i in range(len(network["inputs"]))]
    penalty: Any = 0.0
    for i, node in enumerate(network["nodes"], len(values)):
        reads = [values[of] for of in node["of"]]
        name, op = f"v{i}", node["op"]
        if not reads or any(value is None for value in reads) or (op in LEARNED and name not in p):
            values.append(None)  # no head reads it
            continue
        if op == "Dense":
            values.append(activate(node["activation"], dense(name, reads[0])))
            W = p[name]["W"]
            penalty = penalty + node.get("l1", l1) * W.abs().sum() + node.get("l2", l2) * (W**2).sum()
        elif op == "Activation":
            values.append(activate(node["function"], reads[0]))
        elif op == "BatchNorm":
            if training:
                mean, variance = reads[0].mean(0), reads[0].var(0, unbiased=False)
            else:
                mean, variance = (torch.tensor(np.asarray(state[name][key], float)) for key in ("mean", "variance"))
            values.append(p[name]["scale"] * (reads[0] - mean) / torch.sqrt(variance + 1e-5) + p[name]["shift"])
        elif op == "Scale":
            values.append(p[name]["scale"] * reads[0])
        elif op in ("Embedding", "EmbeddingSum"):
            rows = p[name]["W"][reads[0].long() + node["sizes"] * torch.arange(reads[0].shape[1])]
            values.append(rows.flatten(1) if op == "Embedding" else rows.sum(1))
            penalty = penalty + l1 * p[name]["W"].abs().sum() + l2 * (p[name]["W"] ** 2).sum()
        elif op == "PiecewiseLinear":
            bins = [(i, low, high) for i, own in enumerate(node["knots"]) for low, high in pairwise(own)]
            encoded = [((reads[0][:, i] - low) / (high - low)).clamp(0, 1) for i, low, high in bins]
            values.append(torch.stack(encoded, 1) @ p[name]["W"])
            penalty = penalty + l1 * p[name]["W"].abs().sum() + l2 * (p[name]["W"] ** 2).sum()
        elif op == "OneHot":
            values.append(F.one_hot(reads[0] - node["first"], node["size"]).double().reshape(len(reads[0]), -1))
        elif op == "Add":
            values.append(sum(reads[1:], reads[0]))
        elif op == "Concatenate":
            values.append(torch.cat(reads, 1))
        else:  # Flatten, Dropout
            values.append(reads[0].reshape(len(reads[0]), -1))
    total: Any = penalty
    w = torch.ones(len(next(iter(x.values())))) if weight is None else torch.tensor(weight)
    for k, head in enumerate(network["heads"]):
        W = p[f"head{k}"]["W"]
        total = total + l1 * W.abs().sum() + l2 * (W**2).sum()
        counts = w != 0  # a row of weight 0 counts nothing, be its loss infinite
        value = dense(f"head{k}", values[head["of"]])
        each = row_losses(head, value[counts], torch.tensor(y[f"head{k}"])[counts])
        total = total + head["weight"] * (w[counts] * each).sum() / w.sum()
    total.backward()
    return float(total.detach()), {
        layer: {name: np.zeros(a.shape) if a.grad is None else a.grad.numpy() for name, a in arrays.items()}
        for layer, arrays in p.items()
    }
