"""One quantity as a line of a document: symbol = formula = formula with numbers = value."""

from __future__ import annotations

from chainrule.explain.document.blocks import Line
from chainrule.explain.formula import Node, Number, Sum, Symbol
from chainrule.explain.formula.tree import rebuild, walk
from chainrule.explain.quantities.calculation import Calculation
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Quantities

MANY_TERMS = 10  # of a sum that is written out; of more, the first and the last are shown
MANY_INSIDE = 6  # of a sum in a fraction or in brackets
FIRST, FIRST_INSIDE, LAST = 6, 3, 2


def line(derivation: Calculation[Quantities], name: Name) -> Line:
    """A quantity as a line: symbol = formula = formula with numbers = value."""
    graph = derivation.graph
    recipe = next(iter(graph.recipes(name)), None)
    tree = None if recipe is None else recipe.tree()
    sides: list[Node] = []
    if tree is not None:
        short = shortened_formula(tree)  # before the numbers are put in: a long sum has hundreds
        numbers = derivation.with_numbers(short)
        sides = [short] if isinstance(numbers, Number) else [short, numbers]
    elif recipe is not None and recipe.general:
        sides = [Symbol(recipe.general.partition(" = ")[2])]
    uses = graph.uses(name)
    return Line(name, (*sides, Number(graph.value(name))), f"used {uses} times" if uses > 1 else "")


def shortened_formula(tree: Node) -> Node:
    """A formula whose long sums are folded in the middle."""
    if not any(isinstance(node, Sum) and len(node.terms) > MANY_INSIDE for node in walk(tree)):
        return tree
    if isinstance(tree, Sum):
        tree = _folded(tree, FIRST) if len(tree.terms) > MANY_TERMS else tree
        return Sum(tuple(rebuild(term, _inside) for term in tree.terms))
    return rebuild(tree, _inside)


def _inside(tree: Node) -> Node | None:
    """Sums in fractions and brackets, where no line can be broken, are folded sooner."""
    return _folded(tree, FIRST_INSIDE) if isinstance(tree, Sum) and len(tree.terms) > MANY_INSIDE else None


def _folded(tree: Sum, first: int) -> Sum:
    left = len(tree.terms) - first - LAST
    return Sum((*tree.terms[:first], Symbol(f"({left:,} more)"), *tree.terms[-LAST:]))
