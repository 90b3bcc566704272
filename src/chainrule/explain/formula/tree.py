"""The nodes of a formula, and what can be done with them: evaluate, put numbers or other symbols in, write out sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np


@dataclass(frozen=True)
class Place:
    """Where in a text something stands: a line (from 0) and its first column and the one after the last."""

    line: int
    begin: int
    end: int


@dataclass(frozen=True)
class Node:
    """A part of a formula; `place` is where it was read, if messages point there. It tells no two formulas apart."""

    place: Place | None = field(default=None, compare=False, repr=False, kw_only=True)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The formulas that it is made of."""
        found: list[Node] = []
        for value in vars(self).values():
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, tuple):
                found += (part for part in value if isinstance(part, Node))
        return tuple(found)


@dataclass(frozen=True)
class Number(Node):
    """A number; `text` is how it was written, where that matters. `pi` keeps its name."""

    value: float
    text: str | None = None


@dataclass(frozen=True)
class NamedNumber(Number):
    """A number that a formula calls by the name in `text`, and whose value stands where numbers are put in."""


@dataclass(frozen=True)
class Rational(Number):
    """A number that is known exactly."""

    exact: Fraction = Fraction(0)


@dataclass(frozen=True)
class Symbol(Node):
    """Something with a value: a letter of a formula (`"slope"`, `"z_j"`), or whatever names a quantity."""

    name: Hashable


@dataclass(frozen=True)
class Negative(Node):
    """`-a`."""

    of: Node


@dataclass(frozen=True)
class Sum(Node):
    """`a + b + ...`; a term that is a `Negative` is subtracted."""

    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Product(Node):
    """`a b ...`."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Quotient(Node):
    """`a / b`."""

    above: Node
    below: Node


@dataclass(frozen=True)
class Power(Node):
    """`a^b`."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Call(Node):
    """A function applied: `exp(a)`, `max(a, b)`."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Absolute(Node):
    """`|a|`."""

    of: Node


@dataclass(frozen=True)
class Compare(Node):
    """`a > b` and its like."""

    left: Node
    operator: str
    right: Node


@dataclass(frozen=True)
class Conditional(Node):
    """`a if condition else b`."""

    then: Node
    condition: Compare
    otherwise: Node

    @property
    def parts(self) -> tuple[Node, ...]:
        """The formulas that it is made of, the condition first: it is what is computed first."""
        return self.condition, self.then, self.otherwise


@dataclass(frozen=True)
class Iverson(Node):
    """`[i = j]`: 1 where the indices are equal, else 0."""

    left: str
    right: str


@dataclass(frozen=True)
class SumOver(Node):
    """`sum_k body`, before the indices are known."""

    index: str
    body: Node


LEAVES = (Number, Symbol, Iverson)  # nodes without parts
N = TypeVar("N", bound=Node)


def _erf(x: Any) -> Any:
    from scipy.special import erf  # NumPy has none

    return erf(x)


def _normal_cdf(x: Any) -> Any:
    from scipy.special import ndtr

    return ndtr(x)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "sign": np.sign,
    "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "arctan": np.arctan,
    "max": np.maximum, "min": np.minimum, "erf": _erf, "Phi": _normal_cdf,
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal,
}  # fmt: skip


def sum_of(terms: Sequence[Node]) -> Node:
    """A sum; a single term is none, and no term at all is 0."""
    if not terms:
        return Number(0.0)
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def product_of(factors: Sequence[Node]) -> Node:
    """A product; a single factor is none."""
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def evaluate(node: Node, values: Mapping[Any, Any]) -> Any:
    """The value of a formula, from numbers or arrays by symbol.

    >>> float(evaluate(Sum((Number(1), Negative(Symbol("h")))), {"h": 0.25}))
    0.75
    """
    with np.errstate(all="ignore"):
        return _evaluate(node, values)


def _evaluate(node: Node, values: Mapping[Any, Any]) -> Any:
    match node:
        case Number(value):
            return value
        case Symbol(name):
            return math.pi if name == "pi" else values[name]
        case Negative(of):
            return -_evaluate(of, values)
        case Sum(terms):
            return sum(_evaluate(term, values) for term in terms)
        case Product(factors):
            return math.prod((_evaluate(factor, values) for factor in factors), start=1.0)
        case Quotient(above, below):
            return np.divide(_evaluate(above, values), _evaluate(below, values))
        case Power(base, exponent):
            return np.power(np.asarray(_evaluate(base, values), dtype=float), _evaluate(exponent, values))
        case Call(function, arguments):
            return FUNCTIONS[function](*(_evaluate(argument, values) for argument in arguments))
        case Absolute(of):
            return np.abs(_evaluate(of, values))
        case Compare(left, operator, right):
            return _COMPARISONS[operator](_evaluate(left, values), _evaluate(right, values))
        case Conditional(then, condition, otherwise):
            chosen = _evaluate(condition, values)
            return np.where(chosen, _evaluate(then, values), _evaluate(otherwise, values))
    raise TypeError(f"{node!r} has no value before its indices are known")


def walk(node: Node) -> list[Node]:
    """A formula and every formula in it, from the left."""
    found, waiting = [], [node]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, LEAVES):
            waiting += reversed(node.parts)
    return found


def rebuild(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """The tree with every node that `change` returns something for replaced by it, from the top down."""
    changed = change(node)
    return with_parts(node, lambda part: rebuild(part, change)) if changed is None else changed


def with_parts(node: N, change: Callable[[Node], Node]) -> N:
    """A node with each of its parts changed."""
    if isinstance(node, LEAVES):
        return node

    def changed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(change, value))
        return change(value) if isinstance(value, Node) else value

    return type(node)(**{name: changed(value) for name, value in vars(node).items()})


def replace_symbols(node: Node, replacements: Mapping[Any, Node]) -> Node:
    """The tree with symbols replaced by name."""
    return rebuild(node, lambda n: replacements.get(n.name) if isinstance(n, Symbol) else None)


def with_values(node: Node, value: Callable[[Any], float]) -> Node:
    """The tree with numbers for symbols that name quantities; letters, which are texts, stay."""

    def change(n: Node) -> Node | None:
        match n:
            case NamedNumber():
                return Number(n.value)
            case Symbol(name) if not isinstance(name, str):
                return Number(value(name))
        return None

    return rebuild(node, change)


def expand_sums(node: Node, indices: Sequence[int], bound: Mapping[str, int]) -> Node:
    """The tree with every `sum_k` written out over `indices`, and the subscripts in `bound` made numbers.

    Symbols become `z_1`, `z_2` ...; `[i = j]` becomes 1 or 0.
    """

    def change(n: Node) -> Node | None:
        match n:
            case SumOver(index, body):
                return Sum(tuple(expand_sums(body, indices, {**bound, index: i}) for i in indices))
            case Symbol(str(name)) if name.rpartition("_")[2] in bound and "_" in name:
                stem, index = name.rsplit("_", 1)
                return Symbol(f"{stem}_{bound[index]}")
            case Iverson(left, right):
                return Number(float(bound[left] == bound[right]))
        return None

    return rebuild(node, change)


def symbols_of(node: Node) -> list[Hashable]:
    """The names of all symbols in a formula, each once, in order."""
    return list(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Symbol)))
