"""Formula trees written down with only the brackets that are needed, as plain text; other notations build on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from chainrule.explain.formula.tree import (
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

DIGITS = 6  # significant ones of a number in a formula

# How tightly an operation binds.
COMPARISON, SUM, PRODUCT, POWER, ATOM = range(5)


def shown(value: float, digits: int = DIGITS) -> str:
    """A number with so many significant digits, without needless zeros.

    >>> shown(0.6082590307465144), shown(-0.0), shown(1.5e-9), shown(12345678.0), shown(0.1 + 0.2)
    ('0.608259', '0', '1.5e-09', '1.23457e+07', '0.3')
    """
    if math.isnan(value) or math.isinf(value):
        return str(value).replace("inf", "infinity").replace("nan", "undefined")
    return f"{value + 0.0:.{digits}g}" if value else "0"


class Look(NamedTuple):
    """How an operation looks: its text, how tightly each part must bind to stand in it bare, how tightly it binds."""

    text: str
    parts: tuple[int, ...]
    binds: int


class FormulaWriter:
    """Writes formulas as plain text; another notation is a subclass that says how each operation looks in it.

    Arguments:
        symbol: how letters and the names of quantities are written.
        digits: significant digits of the numbers.
    """

    quotient = Look("{}/{}", (PRODUCT, POWER), PRODUCT)
    power = Look("{}^{}", (ATOM, ATOM), POWER)
    comparison = Look("{} {sign} {}", (0, 0), COMPARISON)
    cases = Look("{} if {} else {}", (0, 0, 0), COMPARISON)
    sum_over = Look("sum_{index} {}", (PRODUCT,), SUM)
    row = "{}"  # a sum or a product as a whole
    first_minus, minus, plus, between = "-", "- ", "+ ", " "  # the terms of a sum
    term = PRODUCT  # how tightly they must bind
    times, factor = "*", POWER  # the factors of a product
    may_begin_with_minus = True  # `-2*x`
    negative = "-"  # what a text begins with that has a minus before it

    def __init__(self, symbol: Callable[[Hashable], str], digits: int):
        self.symbol = symbol
        self.digits = digits

    def text(self, node: Node) -> str:
        """A formula."""
        return self.write(node)[0]

    def within(self, node: Node, level: int) -> str:
        """A formula as a part of another, in brackets where it binds less tightly."""
        text, own = self.write(node)
        return text if own >= level else self.enclosed("(", text, ")")

    def write(self, node: Node) -> tuple[str, int]:
        """A formula, and how tightly its outermost operation binds."""
        match node:
            case Number():
                return self.number(node)
            case Symbol(name):
                return self.symbol(name), ATOM
            case Negative():
                return self.row.format(self.signed(node, first=True)), SUM
            case Sum(terms):
                return self.row.format(self.between.join(self.signed(t, first=not i) for i, t in enumerate(terms))), SUM
            case Product(factors):
                return self.row.format(self.times.join(self.factors(factors))), PRODUCT
            case Quotient(above, below):
                return self.filled(self.quotient, above, below)
            case Power(base, exponent):
                return self.filled(self.power, base, exponent)
            case Call(function, arguments):
                return self.call(function, [self.text(argument) for argument in arguments])
            case Absolute(of):
                return self.enclosed("|", self.text(of), "|"), ATOM
            case Compare(left, operator, right):
                return self.filled(self.comparison, left, right, sign=self.operator(operator))
            case Conditional(then, condition, otherwise):
                return self.filled(self.cases, then, condition, otherwise)
            case Iverson(left, right):
                return self.enclosed("[", f"{left} = {right}", "]"), ATOM
            case SumOver(index, body):
                return self.filled(self.sum_over, body, index=index)
        raise TypeError(node)

    def filled(self, look: Look, *parts: Node, **words: str) -> tuple[str, int]:
        """An operation with its parts put in."""
        texts = [self.within(part, level) for part, level in zip(parts, look.parts, strict=True)]
        if look is self.power and isinstance(parts[0], Symbol) and self.has_parts(texts[0]):
            texts[0] = self.enclosed("(", texts[0], ")")
        return look.text.format(*texts, **words), look.binds

    def signed(self, term: Node, *, first: bool) -> str:
        """A term of a sum with the sign before it."""
        if isinstance(term, Negative):
            body, sign = self.within(term.of, PRODUCT), self.first_minus if first else self.minus
            bare = True
        else:
            body, level = self.write(term)
            sign, bare = "" if first else self.plus, first or level >= self.term
        bare = bare and (not sign or not body.startswith(self.negative))
        return sign + (body if bare else self.enclosed("(", body, ")"))

    def factors(self, factors: Sequence[Node]) -> list[str]:
        """The factors of a product."""
        first, *others = factors
        bare = self.may_begin_with_minus and isinstance(first, Number)
        return [self.within(first, SUM if bare else PRODUCT), *(self.within(f, self.factor) for f in others)]

    def number(self, number: Number) -> tuple[str, int]:
        """A number as it was written, or with so many digits; and how tightly it binds."""
        text = number.text or shown(number.value, self.digits)
        return text, SUM if text.startswith("-") else PRODUCT if "/" in text else ATOM

    def enclosed(self, left: str, text: str, right: str) -> str:
        """A text in brackets."""
        return f"{left}{text}{right}"

    def has_parts(self, symbol: str) -> bool:
        """Whether a symbol stands in brackets where it is raised to a power: `(dL/dz)^2`, `(w^2_11)^2`."""
        return "/" in symbol or "^" in symbol

    def operator(self, sign: str) -> str:
        """`>=` and its like."""
        return sign

    def call(self, function: str, arguments: Sequence[str]) -> tuple[str, int]:
        """A function of arguments, and how tightly it binds."""
        return f"{function}({', '.join(arguments)})", ATOM


def formula_text(node: Node, symbol: Callable[[Hashable], str] = str, digits: int = DIGITS) -> str:
    """A formula as text.

    >>> from chainrule.explain.formula.grammar import read_formula
    >>> formula_text(read_formula("h = 1 / (1 + exp(-z))").right)
    '1/(1 + exp(-z))'
    """
    return FormulaWriter(symbol, digits).text(node)
