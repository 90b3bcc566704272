"""Steps of an expression, each a name and a formula of one operation; and formulas taken apart into such operations.

Each operation is there once however often it is used, and numbers are collected exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from chainrule.errors import InputError
from chainrule.explain.expression.functions import CONSTANTS
from chainrule.explain.expression.statements import Statement, Text
from chainrule.explain.formula import Call, Negative, Node, Number, Power, Product, Quotient, Sum, Symbol, symbols_of
from chainrule.explain.formula.tree import Place, Rational, with_parts
from chainrule.explain.quantities.names import Name


@dataclass(frozen=True)
class Term(Product):
    """A coefficient times symbols: all that a step of sums and products has as its terms."""

    @property
    def coefficient(self) -> Fraction:
        """The number in front."""
        return exactly(self.factors[0])

    @property
    def symbols(self) -> tuple[Node, ...]:
        """What is multiplied, each as often as it is."""
        return self.factors[1:]


@dataclass(frozen=True)
class Step:
    """A name and its formula of one operation: a `Term` or a `Sum` of them, or an operation of symbols and numbers."""

    name: Name
    tree: Node

    @property
    def place(self) -> Place:
        """Where in the text it was read."""
        assert self.tree.place is not None
        return self.tree.place

    @cached_property
    def inputs(self) -> tuple[Name, ...]:
        """What it is computed from, each once."""
        return tuple(name for name in symbols_of(self.tree) if isinstance(name, Name))

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of a sum of products; none of any other step."""
        return tuple(t for t in (self.tree, *self.tree.parts) if isinstance(t, Term))

    @property
    def function(self) -> str:
        """What function it is of its arguments, if it is one with a name."""
        return self.tree.function if isinstance(self.tree, Call) else ""


def number(value: Fraction, place: Place | None = None) -> Rational:
    """A number, written as a fraction where it has no short decimal form.

    >>> number(Fraction(1, 3)).text, number(Fraction(1, 8)).text
    ('1/3', None)
    """
    plain = float(value)
    short = Fraction(repr(plain)) == value or max(abs(value.numerator), value.denominator) > 999
    return Rational(plain, None if short else str(value), value, place=place)


def exactly(node: Node) -> Fraction:
    """The value of a number, without rounding."""
    assert isinstance(node, Number)
    return node.exact if isinstance(node, Rational) else Fraction(repr(node.value))


class Interned:
    """Formulas of one operation each, every one once: their symbols are the places of others in the table.

    At the ends stand numbers, and symbols with the names of variables and constants.
    """

    def __init__(self, source: Text, statements: list[Statement], variables: Container[str]):
        self.source = source
        self.variables = variables
        self.made: list[Node] = []
        self.places: dict[object, int] = {}
        self.named: dict[str, int] = {}  # of the statements so far
        self.to_come = [statement.name for statement in statements if statement.name]
        for i, name in enumerate(self.to_come):
            if name in self.to_come[:i]:
                raise source.wrong(f'"{name}" is computed twice; take another name', statements[i].place)

    def _wrong(self, message: str, node: Node) -> InputError:
        assert node.place is not None
        return self.source.wrong(message, node.place)

    def statement(self, statement: Statement) -> int:
        """The place of a statement's whole formula, which then has that statement's name."""
        found = self.find(statement.tree)
        if statement.name:
            self.named[statement.name] = found
        return found

    def add(self, node: Node) -> int:
        """The place of a formula in the table; equal ones have one, whatever the order of terms and factors."""
        key: object = node
        if isinstance(node, Term):
            key = Term, node.coefficient, frozenset(Counter(node.symbols).items())
        elif isinstance(node, Sum):
            key = Sum, frozenset(node.terms)
        if key not in self.places:
            self.places[key] = len(self.made)
            self.made.append(node)
        return self.places[key]

    def find(self, node: Node) -> int:
        """The place of a formula that was read."""
        match node:
            case Symbol(str(name)):
                return self._symbol(name, node)
            case Number() | Sum() | Negative() | Product():
                return self._sum(node)
            case Quotient(_, below) if _fixed(below):
                return self._sum(node)
        node = with_parts(node, lambda part: Symbol(self.find(part)))
        if isinstance(node, Power):
            base, exponent = map(self._at, node.parts)
            if base == Symbol("e") and self.is_constant("e"):
                return self.add(Call("exp", (node.exponent,), place=node.place))
            if isinstance(base, Number) and isinstance(exponent, Number):
                return self._power_of_numbers(node, base.value, exponent.value)
        return self.add(node)

    def _at(self, symbol: Node) -> Node:
        """What a symbol in the table stands for."""
        assert isinstance(symbol, Symbol)
        assert isinstance(symbol.name, int)
        return self.made[symbol.name]

    def is_constant(self, name: str) -> bool:
        """Whether a name is that of a constant, and of nothing that is given."""
        return name in CONSTANTS and name not in self.variables

    def _symbol(self, name: str, node: Node) -> int:
        if name in self.named:
            return self.named[name]
        if name in self.to_come:
            raise self._wrong(f'"{name}" is used before it is computed; put "{name} = ..." first', node)
        return self.add(node)

    def _power_of_numbers(self, node: Node, base: float, exponent: float) -> int:
        try:
            value = base**exponent
        except (ZeroDivisionError, OverflowError):
            value = float("inf")
        if isinstance(value, complex) or abs(value) == float("inf"):
            raise self._wrong("this power has no value that a number can hold", node)
        return self.add(number(Fraction(repr(value)), node.place))

    def _sum(self, node: Node) -> int:
        """A sum with its coefficients collected; one product or part alone is no sum."""
        collected: dict[int | None, Fraction] = {}
        for sign, term in _flat(node):
            coefficient, part = self._product(term)
            collected[part] = collected.get(part, Fraction(0)) + sign * coefficient
        constant = collected.pop(None, Fraction(0))
        left = {part: c for part, c in collected.items() if c and part is not None}
        for coefficient in (constant, *left.values()):
            self._check_size(coefficient, node)
        if not left:
            return self.add(number(constant, node.place))
        if not constant and list(left.values()) == [1]:
            return next(iter(left))
        terms = [Term((number(c), Symbol(part))) for part, c in left.items()]
        if constant:
            terms.append(Term((number(constant),)))
        return self.add(Sum(tuple(terms), place=node.place))

    def _check_size(self, value: Fraction, node: Node) -> None:
        try:
            float(value)
        except OverflowError:
            raise self._wrong("this number is too large: the largest is 1.8e308", node) from None

    def _product(self, node: Node) -> tuple[Fraction, int | None]:
        """A coefficient, and the product of what is no number; None where nothing is left."""
        coefficient, places = Fraction(1), []
        for factor in _factors(node):
            if isinstance(factor, Fraction):
                coefficient *= factor
                continue
            found = self.find(factor)
            if isinstance(inside := self.made[found], Number):
                coefficient *= exactly(inside)
            else:
                places.append(found)
        if len(places) < 2:
            return coefficient, places[0] if places else None
        return coefficient, self.add(Term((number(Fraction(1)), *map(Symbol, places)), place=node.place))


def _fixed(node: Node) -> Fraction | None:
    """The number that a tree of numbers comes to; None where there is more in it, or a division by 0."""
    if isinstance(node, Number):
        return exactly(node)
    if not isinstance(node, (Negative, Sum, Product, Quotient)):
        return None
    found = [_fixed(part) for part in node.parts]
    left, right = found if len(found) == 2 else (Fraction(-1), found[0])
    if left is None or right is None or (isinstance(node, Quotient) and not right):
        return None
    return left + right if isinstance(node, Sum) else left / right if isinstance(node, Quotient) else left * right


def _flat(node: Node) -> Iterator[tuple[int, Node]]:
    """The terms of nested sums; a minus before brackets goes into them."""
    waiting = [(1, node)]
    while waiting:
        sign, current = waiting.pop()
        match current:
            case Sum(terms):
                waiting += [(sign, term) for term in reversed(terms)]
            case Negative(of):
                waiting.append((-sign, of))
            case _:
                yield sign, current


def _factors(node: Node) -> Iterator[Node | Fraction]:
    """The factors of nested products, numbers and divisions by numbers as fractions."""
    waiting = [node]
    while waiting:
        match waiting.pop():
            case Product(factors):
                waiting += reversed(factors)
            case Negative(of):
                yield Fraction(-1)
                waiting.append(of)
            case Quotient(above, below) if divisor := _fixed(below):
                yield 1 / divisor
                waiting.append(above)
            case Number() as found:
                yield exactly(found)
            case other:
                yield other
