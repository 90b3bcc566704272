"""A step of an expression: a name, and a formula of one operation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from chainrule.explain.formula import Call, Node, Number, Product
from chainrule.explain.formula.tree import Place, Rational, symbols_of
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
