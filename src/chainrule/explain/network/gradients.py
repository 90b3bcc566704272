"""Backward: the chain rule. The gradient by a value sums, over its readers, their gradient times their derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Doubles
from chainrule.explain.network.batch_norm import back_tree, gradient_tree
from chainrule.explain.network.costs import charges, fused_gradient, gradient_by_output, head_slot
from chainrule.explain.network.values import norm_inputs, run_norm_backward, source_name, terms_with
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.layers import Activation, BatchNorm
from chainrule.layers.element import Learned, Read, Source
from chainrule.steps import Step

if TYPE_CHECKING:
    from chainrule.explain.network.graph import Graph

CHAIN = "sum over readers of dL/d(reader) d(reader)/d(value)"


def delta(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`dL/dh`, `dL/dz`, `dL/dx`: from the losses and the layers that read the value."""
    base = name.kind.removeprefix("dL/d")
    slot, row, unit = graph.slots[base, name.layer], graph.row_of(name), name.index[0] - 1
    direct = [i for i, head in enumerate(graph.trace.heads) if head_slot(graph, head) == slot]
    fused = [i for i, head in enumerate(graph.trace.heads) if head.fused and head.slot == slot]
    readers = [(graph.program.steps[i]) for i in dict.fromkeys(graph.program.readers(slot))]
    if len(direct) == 1 and not readers:
        factor = float(graph.trace.row_factors(direct[0])[row])
        return (gradient_by_output(graph, direct[0], row, unit, factor),)
    if not direct and len(readers) == 1 and isinstance(readers[0].layer, BatchNorm):
        return (_back_through_norm(graph, readers[0], row, unit),)
    parts: list[Part] = []
    for i in direct:
        head = graph.trace.heads[i].head
        gradient = Name("dloss/dh", head, (unit + 1,), graph.row_name(row))
        parts.append(Part((gradient,), float(graph.trace.row_factors(i)[row])))
    for step in readers:
        for k in (k for k, read in enumerate(step.inputs) if read == slot):
            parts += reader_parts(graph, step, row, Read(unit, k))
    recipes: list[Recipe] = [Products(tuple(parts), _general(graph, readers))]
    if len(fused) == 1 and len(readers) == 1 and not direct:
        factor = float(graph.trace.row_factors(fused[0])[row])
        recipes.append(fused_gradient(graph, fused[0], row, unit, factor))
    return tuple(recipes)


def _general(graph: Graph, readers: list[Step]) -> str:
    if len(readers) != 1:
        return CHAIN
    layer = readers[0].layer
    if isinstance(layer, Activation):
        return "dL/dz_j = sum_i dL/dh_i dh_i/dz_j" if graph.is_coupled(readers[0]) else "dL/dz = dL/dh dh/dz"
    return "dL/dh_i = sum_j dL/dz_j W_ij" if readers[0].parameters else CHAIN


def reader_parts(graph: Graph, step: Step, row: int, source: Source) -> list[Part]:
    """What one reader contributes to the gradient by a source, as products."""
    if isinstance(step.layer, BatchNorm):
        unit = source.index[-1] if isinstance(source, Learned) else source.unit
        return [Part((Name("back", step.name, (unit + 1,), graph.row_name(row)),))]
    shapes = tuple(graph.program.slots[i].shape for i in step.inputs)
    parts = []
    for unit in step.layer.reached(source, shapes):
        outer = graph.name_of(step.output, row, unit, gradient=True)
        if isinstance(step.layer, Activation):
            assert isinstance(source, Read)
            index = (unit + 1, source.unit + 1) if graph.is_coupled(step) else (unit + 1,)
            parts.append(Part((outer, Name("dh/dz", step.name, index, graph.row_name(row)))))
            continue
        for term in terms_with(graph, step, row, unit, source):
            left = list(term.factors)
            left.remove(source)
            others = tuple(source_name(graph, step, row, factor) for factor in left)
            parts.append(Part((outer, *others), term.coefficient))
    return parts


def layer_back(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`back`: what batch normalization passes back to one value, where others read that value too."""
    step = graph.program.steps[graph._producer(graph.slots["h", name.layer])]
    return (_back_through_norm(graph, step, graph.row_of(name), name.index[0] - 1),)


def _back_through_norm(graph: Graph, step: Step, row: int, unit: int) -> FunctionOf:
    values, rows, place = norm_inputs(graph, step, row, unit)
    deltas = tuple(graph.name_of(step.output, r, unit, gradient=True) for r in rows)

    def function(points: Doubles) -> Doubles:
        n = len(values)
        return np.array([run_norm_backward(graph, step, unit, p[:n], p[n:])[0][place] for p in points])

    return FunctionOf((*values, *deltas), function, _norm_formula(graph), lambda: back_tree(graph, step, row, unit))


def _norm_formula(graph: Graph) -> str:
    if graph.trace.training:
        return "dL/dx = (d - mean(d) - x_hat mean(d x_hat)) / std, d = dL/dy scale"
    return "dL/dx = dL/dy scale / std"


def parameter_gradient(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`dL/dW` and the gradients by the other learned numbers: over all rows, with the penalty's part."""
    parameter = name.kind.removeprefix("dL/d")
    step, span = graph.parameter_steps[parameter, name.layer]
    index = tuple(i - 1 for i in name.index)
    if isinstance(step.layer, BatchNorm):
        return (_norm_gradient(graph, step, parameter, index[0]),)
    own = Name(parameter, name.layer, name.index)
    parts: list[Part] = []
    for row in range(graph.trace.n_rows):
        outer = graph.name_of(step.output, row, index[-1], gradient=True)
        local = Name(f"dz/d{parameter}", name.layer, name.index, graph.row_name(row))
        parts.append(Part((outer, local) if parameter == "W" else (outer,)))
    l1, l2 = charges(graph, span.offset)
    factor = graph.trace.penalty_factor
    if l2:
        parts.append(Part((own,), 2 * l2 * factor))
    if l1:
        sign = float(np.sign(graph.value(own)))
        parts.append(Part((), l1 * factor * sign))
    text = (
        f"dL/d{parameter} = dL/dz dz/d{parameter}"
        if graph.trace.n_rows == 1
        else (f"dL/d{parameter} = sum over rows of dL/dz dz/d{parameter}")
    )
    return (Products(tuple(parts), text),)


def _norm_gradient(graph: Graph, step: Step, parameter: str, unit: int) -> FunctionOf:
    rows = range(graph.trace.n_rows)
    learned = tuple(Name(p, step.name, (unit + 1,)) for p in ("scale", "shift"))
    column = tuple(graph.name_of(step.inputs[0], r, unit) for r in rows)
    deltas = tuple(graph.name_of(step.output, r, unit, gradient=True) for r in rows)
    n = 2 + len(column)

    def function(points: Doubles) -> Doubles:
        return np.array([run_norm_backward(graph, step, unit, p[:n], p[n:])[1][parameter][0] for p in points])

    text = "dL/dscale = sum over rows of dL/dy x_hat" if parameter == "scale" else "dL/dshift = sum over rows of dL/dy"
    return FunctionOf((*learned, *column, *deltas), function, text, lambda: gradient_tree(graph, step, parameter, unit))


def slope_by_weight(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`dz_j/dW_ij = x_i`: the layer's scalar form without the weight."""
    return _slope(graph, name, "W")


def slope_by_bias(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`dz_j/db_j = 1`."""
    return _slope(graph, name, "b")


def _slope(graph: Graph, name: Name, parameter: str) -> tuple[Recipe, ...]:
    step, _ = graph.parameter_steps[parameter, name.layer]
    row, index = graph.row_of(name), tuple(i - 1 for i in name.index)
    source = Learned(parameter, index)
    parts = []
    for term in terms_with(graph, step, row, index[-1], source):
        left = list(term.factors)
        left.remove(source)
        parts.append(Part(tuple(source_name(graph, step, row, factor) for factor in left), term.coefficient))
    return (Products(tuple(parts), "dz_j/dW_ij = x_i" if parameter == "W" else "dz_j/db_j = 1"),)
