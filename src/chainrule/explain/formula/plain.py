"""Formula trees as plain text, with only the brackets that are needed."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.explain.formula import (
    Absolute,
    Call,
    Compare,
    Conditional,
    Iverson,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
)
from chainrule.explain.formula.numbers import DIGITS, shown

# How tightly an operation binds.
SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


def formula_text(node: Node, symbol: Callable[[Symbol], str] = lambda s: str(s.name), digits: int = DIGITS) -> str:
    """A formula as text.

    >>> from chainrule.explain.formula import read_formula
    >>> formula_text(read_formula("h = 1 / (1 + exp(-z))").right)
    '1/(1 + exp(-z))'
    """
    return _Writer(symbol, digits).write(node)[0]


class _Writer:
    def __init__(self, symbol: Callable[[Symbol], str], digits: int):
        self.symbol = symbol
        self.digits = digits

    def within(self, node: Node, level: int) -> str:
        text, own = self.write(node)
        return text if own >= level else f"({text})"

    def write(self, node: Node) -> tuple[str, int]:
        match node:
            case Number(value, text):
                written = text or shown(value, self.digits)
                return written, SUM if written.startswith("-") else PRODUCT if "/" in written else ATOM
            case Symbol():
                return self.symbol(node), ATOM
            case Negative(of):
                return f"-{self.within(of, PRODUCT)}", SUM
            case Sum(terms):
                return self.sum(terms), SUM
            case Product(factors):
                first = self.write(factors[0])[0] if _is_negative(factors[0]) else self.within(factors[0], PRODUCT)
                return "*".join([first, *(self.within(factor, POWER) for factor in factors[1:])]), PRODUCT
            case Quotient(above, below):
                return f"{self.within(above, PRODUCT)}/{self.within(below, POWER)}", PRODUCT
            case Power(base, exponent):
                inside = self.within(base, ATOM)
                inside = f"({inside})" if isinstance(base, Symbol) and set("/^") & set(inside) else inside
                return f"{inside}^{self.within(exponent, ATOM)}", POWER
            case Call(function, arguments):
                return f"{function}({', '.join(self.write(a)[0] for a in arguments)})", ATOM
            case Absolute(of):
                return f"|{self.write(of)[0]}|", ATOM
            case Compare(left, operator, right):
                return f"{self.write(left)[0]} {operator} {self.write(right)[0]}", 0
            case Conditional(then, condition, otherwise):
                return f"{self.write(then)[0]} if {self.write(condition)[0]} else {self.write(otherwise)[0]}", 0
            case Iverson(left, right):
                return f"[{left} = {right}]", ATOM
            case SumOver(index, body):
                return f"sum_{index} {self.within(body, PRODUCT)}", SUM
        raise TypeError(node)

    def sum(self, terms: tuple[Node, ...]) -> str:
        text = ""
        for i, term in enumerate(terms):
            if isinstance(term, Negative):
                body = self.within(term.of, PRODUCT)
                text += f"{' - ' if i else '-'}{f'({body})' if body.startswith('-') else body}"
            elif i and _is_negative(term):
                text += f" + ({self.write(term)[0]})"
            else:
                text += f"{' + ' if i else ''}{self.within(term, PRODUCT) if i else self.write(term)[0]}"
        return text


def _is_negative(node: Node) -> bool:
    """Whether a node's text begins with a minus sign of a number."""
    if isinstance(node, Number):
        return node.value < 0
    return isinstance(node, Product) and _is_negative(node.factors[0])
