"""Batch normalization with its numbers: the layer's formulas, with mean, variance and the like shown by value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.explain.formula import (
    Call,
    NamedNumber,
    Negative,
    Node,
    Number,
    Product,
    Quotient,
    Sum,
    Symbol,
)
from chainrule.explain.quantities.names import Name
from chainrule.layers import BatchNorm
from chainrule.steps import Step

if TYPE_CHECKING:
    from chainrule.explain.network.graph import Graph


def normalized_tree(graph: Graph, step: Step, row: int, unit: int) -> Node:
    """`scale (x - mean) / sqrt(variance + epsilon) + shift`."""
    assert isinstance(step.layer, BatchNorm)
    column = graph.trace.value(step.inputs[0])[:, unit]
    state = graph.trace.state[step.index]
    of_batch = graph.trace.training
    mean = float(column.mean() if of_batch else state["mean"][unit])
    variance = float(column.var() if of_batch else state["variance"][unit])
    scale, shift = (Symbol(Name(parameter, step.name, (unit + 1,))) for parameter in ("scale", "shift"))
    x = Symbol(graph.name_of(step.inputs[0], row, unit))
    distance = Sum((x, Negative(NamedNumber(mean, "mean"))))
    root = Call("sqrt", (Sum((NamedNumber(variance, "variance"), Number(step.layer.epsilon))),))
    return Sum((Quotient(Product((scale, distance)), root), shift))


def back_tree(graph: Graph, step: Step, row: int, unit: int) -> Node:
    """`(d - mean(d) - x_hat mean(d x_hat)) / std` with `d = dL/dy scale`; in prediction `d / std`."""
    memo = graph.trace.forward.memos[step.index]
    x_hat, std = memo["x_hat"][:, unit], float(memo["std"][unit])
    scale = graph.trace.parameters[step.index]["scale"][unit]
    d = graph.trace.gradient(step.output)[:, unit] * scale
    own = Product((Symbol(graph.name_of(step.output, row, unit, gradient=True)), _scale(step, unit)))
    below = NamedNumber(std, "std")
    if not graph.trace.training:
        return Quotient(own, below)
    back = Product((NamedNumber(float(x_hat[row]), "x_hat"), NamedNumber(float(np.mean(d * x_hat)), "mean(d x_hat)")))
    return Quotient(Sum((own, Negative(NamedNumber(float(d.mean()), "mean(d)")), Negative(back))), below)


def gradient_tree(graph: Graph, step: Step, parameter: str, unit: int) -> Node:
    """`sum over rows of dL/dy x_hat` for the scale, of `dL/dy` for the shift."""
    x_hat = graph.trace.forward.memos[step.index]["x_hat"][:, unit]
    terms: list[Node] = []
    for row in range(graph.trace.n_rows):
        delta = Symbol(graph.name_of(step.output, row, unit, gradient=True))
        label = "x_hat" if graph.trace.n_rows == 1 else f"x_hat[row {row + 1}]"
        terms.append(Product((delta, NamedNumber(float(x_hat[row]), label))) if parameter == "scale" else delta)
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _scale(step: Step, unit: int) -> Node:
    return Symbol(Name("scale", step.name, (unit + 1,)))
