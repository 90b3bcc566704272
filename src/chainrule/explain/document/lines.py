"""One quantity as a line of a document: symbol = formula = formula with numbers = value."""

from __future__ import annotations

from chainrule.explain.document.blocks import Line
from chainrule.explain.formula import Node, Number, Symbol
from chainrule.explain.formula.tree import shortened
from chainrule.explain.quantities.calculation import Calculation, Quantity
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.protocol import Quantities


def line(derivation: Calculation[Quantities], name: Name) -> Line:
    """A quantity as a line: symbol = formula = formula with numbers = value."""
    quantity = Quantity(derivation, name)
    tree = quantity.recipes[0].tree() if quantity.recipes else None
    sides: list[Node] = []
    if tree is not None:
        short = shortened(tree)  # before the numbers are put in: a long sum has hundreds
        numbers = derivation.with_numbers(short)
        sides = [short] if isinstance(numbers, Number) else [short, numbers]
    elif quantity.general:
        sides = [Symbol(quantity.general.partition(" = ")[2])]
    return Line(name, (*sides, Number(quantity.value)), _remark(quantity))


def _remark(quantity: Quantity) -> str:
    uses = quantity.uses
    return f"used {uses} times" if uses > 1 else ""
