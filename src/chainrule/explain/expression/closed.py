"""A derivative written out in the variables alone: `2*x*exp(x^2)`; and with shared factors taken out, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable

from chainrule.explain.expression.chain import ExpressionGraph
from chainrule.explain.expression.local import own_formula, slope_recipes
from chainrule.explain.expression.step import Step
from chainrule.explain.formula import Call, Negative, Node, Number, Product, Quotient, Sum, Symbol, replace_symbols
from chainrule.explain.formula.tree import product_of, sum_of, walk
from chainrule.explain.quantities.names import Name

LARGEST = 60  # nodes of a sum over paths that is still worth reading
LARGEST_WRITTEN_OUT = 40


def factored(graph: ExpressionGraph, variable: Name) -> Node | None:
    """The paths to the result with shared factors outside: `dk/dh*(dh/df*df/dx + dh/dg*dg/dx)`.

    None where no factor is shared, or the formula is too long to be read.
    """
    tree = _derivative(graph, variable, lambda step, name: Symbol(graph.local(step.name, name)), LARGEST)
    terms = tree.terms if isinstance(tree, Sum) else (tree,)
    shares = any(isinstance(term, Product) and any(isinstance(f, Sum) for f in term.factors) for term in terms)
    return tree if shares else None


def written_out(graph: ExpressionGraph, variable: Name) -> Node | None:
    """The derivative of the result by a variable, in variables only; None where that is too long to be read."""
    values: dict[Name, Node] = {}
    for step in graph.steps.values():
        values[step.name] = replace_symbols(own_formula(step), values)
        if len(walk(values[step.name])) > 4 * LARGEST:
            return None

    def slope(step: Step, name: Name) -> Node:
        tree = slope_recipes(step, name)[0].tree()
        assert tree is not None
        return replace_symbols(tree, values)

    found = _derivative(graph, variable, slope)
    return found if found is not None and len(walk(found)) <= LARGEST_WRITTEN_OUT else None


def _derivative(
    graph: ExpressionGraph, variable: Name, slope: Callable[[Step, Name], Node], largest: float = math.inf
) -> Node | None:
    """The derivative of the result, put together from the steps' own; None where one on the way is too long."""
    found: dict[Name, Node] = {variable: Number(1.0)}
    for step in graph.steps.values():
        terms = [times(slope(step, name), found[name]) for name in step.inputs if name in found]
        if terms:
            found[step.name] = plus(terms)
            if len(walk(found[step.name])) > largest:
                return None
    return found.get(graph.end, Number(0.0))


def plus(terms: list[Node]) -> Node:
    """A sum without zeros."""
    flat: list[Node] = []
    for term in terms:
        flat += term.terms if isinstance(term, Sum) else (term,)
    return sum_of([term for term in flat if not (isinstance(term, Number) and term.value == 0)])


def times(*factors: Node) -> Node:
    """A product: numbers first and in one, the short factors before the long ones."""
    numbers: list[Number] = []
    others: list[Node] = []
    negative, waiting = False, list(reversed(factors))
    while waiting:
        match waiting.pop():
            case Negative(of):
                negative = not negative
                waiting.append(of)
            case Product(inner):
                waiting += reversed(inner)
            case Number() as number:
                numbers += [number] if number.text or number.value != 1 else []
            case other:
                others.append(other)
    value = math.prod((number.value for number in numbers), start=1.0)
    if value == 0:
        return Number(0.0)
    others.sort(key=lambda f: (isinstance(f, Call), isinstance(f, (Sum, Quotient)), len(walk(f))))
    text = numbers[0].text if len(numbers) == 1 else None
    if abs(value) != 1 or not others:
        others.insert(0, Number(abs(value), text and text.lstrip("-")))
    made = product_of(others)
    return Negative(made) if negative != (value < 0) else made
