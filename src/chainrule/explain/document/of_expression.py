"""An expression's derivation as a document: forward, backward, the paths of every variable, what reuse saves."""

from __future__ import annotations

from chainrule.errors import InputError
from chainrule.explain.document.blocks import (
    MANY,
    Block,
    Document,
    Heading,
    Line,
    Lines,
    Paragraph,
    Table,
    lines,
    path_lines,
)
from chainrule.explain.expression.chain import ExpressionGraph
from chainrule.explain.expression.closed import factored, written_out
from chainrule.explain.formula import Node, Number
from chainrule.explain.quantities.calculation import Calculation
from chainrule.explain.quantities.names import Name


def document(
    derivation: Calculation[ExpressionGraph],
    weight: str | None = None,
    layer: str | None = None,
    unit: int | None = None,
    row: int | None = None,
    vectors: bool = True,
) -> Document:
    """The document of an expression: everything, or with `weight` one variable (or step) and its paths.

    Raises:
        InputError: there is no such variable; or a layer, unit or row is asked for, which expressions don't have.
    """
    if any(choice is not None for choice in (layer, unit, row)):
        raise InputError("an expression has no layers, units or rows; choose one of its variables as weight")
    graph = derivation.graph
    chosen = graph.variables if weight is None else (graph.value_of(graph.gradient_of(graph.parse(weight))),)
    made = Document(derivation.title, derivation.notation, derivation.digits)
    made.add(Heading(derivation.title, 1), _summary(derivation))
    names = list(graph.in_order())
    if len(names) > MANY and weight is None:
        made.add(Paragraph("Too many steps to write out; choose a variable to see its paths."))
        made.add(lines(derivation, [Name("gradient", variable.layer) for variable in graph.variables]))
        made.add(*_costs(derivation, chosen))
        return made
    if weight is None:
        made.add(Heading("Forward"), lines(derivation, [name for name in names if name.kind == "value"]))
        slopes = [name for name in names if name.kind == "slope"]
        gradients = [name for name in names if name.kind == "gradient"]
        started = [name for name in gradients if not graph.recipes(name)[0].outer]
        made.add(
            Heading("Each step's own derivative"), lines(derivation, sorted([*slopes, *started], key=graph.position))
        )
        rest = [name for name in gradients if name not in started]
        if rest:
            made.add(Heading("Backward: the chain rule, each derivative computed once"), lines(derivation, rest))
    for variable in chosen:
        made.add(*_paths(derivation, variable))
    made.add(*_costs(derivation, chosen))
    return made


def _summary(derivation: Calculation[ExpressionGraph]) -> Paragraph:
    graph = derivation.graph
    n = len(graph.steps)
    point = graph.point
    return Paragraph(f"{f'At {point}. ' if point else ''}{n} step{'s' * (n != 1)}; the result is {graph.end.layer}.")


def _paths(derivation: Calculation[ExpressionGraph], variable: Name) -> list[Block]:
    """One variable: each path, their sum, the shared factors taken out, and the derivative written out."""
    graph = derivation.graph
    gradient = graph.gradient_of(variable)
    paths = derivation.paths(variable)
    end, start = (derivation.notation.text(name) for name in (graph.end, variable))
    if not paths.count:
        return [Heading(f"Paths from {start} to {end}"), Paragraph(f"None: {end} does not depend on {start}.")]
    made: list[Block] = [Heading(f"Paths from {start} to {end}"), *path_lines(derivation, gradient, paths)]
    value = Number(graph.value(gradient))
    forms: list[tuple[Node | None, str]] = [
        (factored(graph, variable), "shared factors taken out"),
        (written_out(graph, variable), "written out"),
    ]
    whole = tuple(
        Line(gradient, (tree, derivation.with_numbers(tree), value), remark)
        for tree, remark in forms
        if tree is not None
    )
    return [*made, Lines(whole)] if whole else made


def _costs(derivation: Calculation[ExpressionGraph], chosen: tuple[Name, ...]) -> list[Block]:
    found = [derivation.paths(variable) for variable in chosen]
    if not any(paths.multiplications_apart for paths in found):
        return []
    rows = []
    for paths in found:
        name = derivation.notation.text(derivation.graph.gradient_of(paths.name))
        costs = (paths.count, paths.multiplications_apart, paths.multiplications_memoized, paths.kept)
        rows.append((name, *(f"{n:,}" for n in costs)))
    columns = ("", "paths", "multiplications, apart", "memoized", "numbers kept")
    return [Heading("What memoization saves"), Table(columns, tuple(rows), (1, 2, 3, 4))]
