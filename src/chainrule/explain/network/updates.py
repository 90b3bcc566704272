"""The update: a parameter after one step of the optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.explain.formula import Node, Number, Symbol, read_formula, replace_symbols
from chainrule.explain.network.values import options_of
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe

if TYPE_CHECKING:
    from chainrule.explain.network.graph import Graph


def updated(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`W+`, `b+`: the optimizer's own update of one number."""
    parameter = name.kind[:-1]
    _, span = graph.parameter_steps[parameter, name.layer]
    trace = graph.trace
    own = Name(parameter, name.layer, name.index)
    spec = span.spec
    kept = getattr(spec, "kind", "") == "bias" and not trace.learn_biases
    if kept or not getattr(spec, "trainable", True):
        return (Products((Part((own,)),), f"{parameter}+ = {parameter}"),)
    optimizer = trace.optimizer
    if optimizer.full_batch:
        raise InputError(f"{optimizer.name} has no update of single parameters: it searches along a line")
    gradient = Name(f"dL/d{parameter}", name.layer, name.index)
    flat = span.offset + int(np.ravel_multi_index([i - 1 for i in name.index], span.shape))
    remembered, t, rate = trace.memory(flat), trace.optimizer_step, trace.rate

    def function(points: Doubles) -> Doubles:
        w, g = points[:, 0].copy(), points[:, 1].copy()
        optimizer.update(w, g, np.repeat(remembered, len(points), axis=1), rate, t)
        return w

    text = optimizer.step_formula(t)

    def formula() -> Node:
        letters = options_of(optimizer)
        letters |= {"w": Symbol(own), "g": Symbol(gradient), "rate": Number(rate), "t": Number(float(t))}
        memory = dict(zip(optimizer.slot_letters, remembered[:, 0], strict=False))
        letters |= {letter: Number(float(value)) for letter, value in memory.items()}
        return replace_symbols(read_formula(text).right, letters)

    return (FunctionOf((own, gradient), function, text, formula),)
