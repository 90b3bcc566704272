"""Forward: what a value is computed from, and the derivative of an activation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from chainrule.activations import ActivationFunction
from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import Node, Number, Symbol, expand_sums, read_formula, replace_symbols
from chainrule.explain.network.batch_norm import normalized_tree
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import FunctionOf, Part, Products, Recipe
from chainrule.layers import Activation, Arrays, BatchNorm, Context, Dense
from chainrule.layers.element import Learned, Read, Source, Term
from chainrule.steps import Step

if TYPE_CHECKING:
    from chainrule.explain.network.graph import Graph


def value(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`z` and `h`: the layer's own scalar form, or its function."""
    slot = graph.slots[name.kind, name.layer]
    producer = graph.program.slots[slot].producer
    assert producer is not None
    step, row, unit = graph.program.steps[producer], graph.row_of(name), name.index[0] - 1
    terms = element(graph, step, row, unit)
    if terms is not None:
        parts = tuple(
            Part(tuple(source_name(graph, step, row, s) for s in term.factors), term.coefficient) for term in terms
        )
        return (Products(parts, step.layer.formula),)
    if isinstance(step.layer, Activation):
        return (activation_value(graph, step, row, unit),)
    assert isinstance(step.layer, BatchNorm)
    return (normalized(graph, step, row, unit),)


def element(graph: Graph, step: Step, row: int, unit: int) -> tuple[Term, ...] | None:
    """The scalar form of one unit, kept: a gradient by a value asks for that of every unit that reads it."""
    key = _element_key(step, row, unit)
    if key not in graph._elements:
        shapes = tuple(graph.program.slots[i].shape for i in step.inputs)
        memo = graph.trace.forward.memos[step.index]
        graph._elements[key] = step.layer.element(row, unit, shapes, memo)
    return graph._elements[key]


def _element_key(step: Step, row: int, unit: int) -> tuple[int, int, int]:
    """Units of a dense layer are alike in every row."""
    return step.index, -1 if isinstance(step.layer, Dense) else row, unit


def terms_with(graph: Graph, step: Step, row: int, unit: int, source: Source) -> tuple[Term, ...]:
    """The terms of one unit that a source is in, found at once also where a unit has hundreds."""
    key = _element_key(step, row, unit)
    if key not in graph._terms:
        table: dict[Source, tuple[Term, ...]] = {}
        for term in element(graph, step, row, unit) or ():
            for factor in dict.fromkeys(term.factors):
                table[factor] = (*table.get(factor, ()), term)
        graph._terms[key] = table
    return graph._terms[key].get(source, ())


def source_name(graph: Graph, step: Step, row: int, source: Source) -> Name:
    """The name of what a layer's scalar form speaks of."""
    if isinstance(source, Learned):
        return Name(source.name, step.name, tuple(i + 1 for i in source.index))
    return graph.name_of(step.inputs[source.input], row, source.unit)


def options_of(thing: object) -> dict[str, Node]:
    """The numeric fields of an activation or a loss, as they enter its formulas."""
    return {
        field.name: Number(float(value))
        for field in fields(thing)  # type: ignore[arg-type]  # every one of them is a dataclass
        if isinstance(value := getattr(thing, field.name), (int, float)) and not isinstance(value, bool)
    }


def bound(text: str, letters: Mapping[str, Name], thing: object) -> Node:
    """A formula text with its letters bound to quantities and its options to numbers."""
    symbols: dict[str, Node] = {letter: Symbol(name) for letter, name in letters.items()}
    return replace_symbols(read_formula(text).right, options_of(thing) | symbols)


def bound_over(
    text: str, letters: Mapping[str, list[Name]], thing: object, indices: Mapping[str, int], first: int = 1
) -> Node:
    """A formula text with subscripts: `letters["z"]` are all units', `indices` which of them `i` and `j` are."""
    n = max(len(names) for names in letters.values())
    tree = expand_sums(read_formula(text).right, range(first, first + n), indices)
    symbols: dict[str, Node] = {
        f"{letter}_{i}": Symbol(name) for letter, names in letters.items() for i, name in enumerate(names, first)
    }
    return replace_symbols(tree, options_of(thing) | symbols)


def activation_value(graph: Graph, step: Step, row: int, unit: int) -> FunctionOf:
    """`h = f(z)`; a unit of a softmax reads the whole row."""
    f = activation_of(step)
    slot = step.inputs[0]
    if graph.is_coupled(step):
        names = [graph.name_of(slot, row, k) for k in range(graph.program.slots[slot].shape[0])]
        return FunctionOf(
            tuple(names),
            lambda z: f.value(z)[:, unit],
            f.formula,
            lambda: bound_over(f.formula, {"z": names}, f, {"j": unit + 1}),
        )
    name = graph.name_of(slot, row, unit)
    text = f.formulas[0]
    return FunctionOf((name,), lambda z: f.value(z[:, 0]), text, lambda: bound(text, {"z": name}, f))


def activation_of(step: Step) -> ActivationFunction:
    """The function of an activation step."""
    assert isinstance(step.layer, Activation)
    return step.layer.f


def slope(graph: Graph, name: Name) -> tuple[Recipe, ...]:
    """`dh/dz`: from `h` or from `z`, as the activation's derivative needs; a second route starts from `z`."""
    step = graph.activation_steps[name.layer]
    f, row = activation_of(step), graph.row_of(name)
    text = f.formulas[1]
    if graph.is_coupled(step):
        return _coupled_slopes(graph, step, name)
    unit = name.index[0] - 1
    z, h = graph.name_of(step.inputs[0], row, unit), graph.name_of(step.output, row, unit)
    kept = z if f.needs == "z" else h
    letters = {"z": z, "h": h}
    recipes: list[Recipe] = [
        FunctionOf((kept,), lambda k: f.derivative(k[:, 0]), text, lambda: bound(text, letters, f))
    ]
    if f.needs == "h" and f.name != "linear":
        recipes.append(FunctionOf((z,), lambda k: f.derivative(f.value(k[:, 0])), text, None, "from z"))
    return tuple(recipes)


def _coupled_slopes(graph: Graph, step: Step, name: Name) -> tuple[Recipe, ...]:
    f, row = activation_of(step), graph.row_of(name)
    i, j = (index - 1 for index in name.index)
    n = graph.program.slots[step.output].shape[0]
    h = [graph.name_of(step.output, row, k) for k in range(n)]
    z = [graph.name_of(step.inputs[0], row, k) for k in range(n)]
    both = (h[i],) if i == j else (h[i], h[j])

    def from_outputs(kept: Doubles) -> Array:
        whole = np.zeros((len(kept), n))
        whole[:, i] = kept[:, 0]
        whole[:, j] = kept[:, -1]
        return f.derivative(whole)[:, i, j]

    return (
        FunctionOf(
            both, from_outputs, f.derivative_formula,
            lambda: bound_over(f.derivative_formula, {"h": h}, f, {"i": i + 1, "j": j + 1}),
        ),
        FunctionOf(
            tuple(z), lambda k: f.derivative(f.value(k))[:, i, j], f.derivative_formula, None, "from z",
        ),
    )  # fmt: skip


def normalized(graph: Graph, step: Step, row: int, unit: int) -> FunctionOf:
    """Batch normalization: in training a unit reads its whole column, in prediction its own row only."""
    layer = step.layer
    names, _, place = norm_inputs(graph, step, row, unit)

    def function(points: Doubles) -> Array:
        return np.array([_run_norm(graph, step, unit, point)[0][place] for point in points])

    return FunctionOf(names, function, layer.formula, lambda: normalized_tree(graph, step, row, unit))


def norm_inputs(graph: Graph, step: Step, row: int, unit: int) -> tuple[tuple[Name, ...], range, int]:
    """Scale, shift and the column that a normalized unit is computed from; the rows; and where `row` is among them."""
    rows = range(graph.trace.n_rows) if graph.trace.training else range(row, row + 1)
    learned = tuple(Name(parameter, step.name, (unit + 1,)) for parameter in ("scale", "shift"))
    column = tuple(graph.name_of(step.inputs[0], r, unit) for r in rows)
    return (*learned, *column), rows, row - rows.start


def _run_norm(graph: Graph, step: Step, unit: int, point: Doubles) -> tuple[Array, Arrays]:
    """The layer itself, run on one column: `point` is scale, shift, and the column."""
    state = {name: array[[unit]] for name, array in graph.trace.state[step.index].items()}
    context = Context(training=graph.trace.training)
    output, memo, _ = step.layer.forward({"scale": point[[0]], "shift": point[[1]]}, state, (point[2:, None],), context)
    return output[:, 0], memo


def run_norm_backward(graph: Graph, step: Step, unit: int, point: Doubles, deltas: Doubles) -> tuple[Array, Arrays]:
    """The layer's own backward pass on one column: the gradient by the column, and by scale and shift."""
    _, memo = _run_norm(graph, step, unit, point)
    (d_x,), gradients = step.layer.backward({"scale": point[[0]], "shift": point[[1]]}, memo, deltas[:, None])
    assert d_x is not None
    return d_x[:, 0], gradients


__all__ = ["Read", "activation_of", "bound", "bound_over", "element", "norm_inputs", "run_norm_backward", "value"]
