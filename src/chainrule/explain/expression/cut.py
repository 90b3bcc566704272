"""An expression cut into steps of one operation each, every step once however often it is used.

A sum of products is one step, as the pre-activation of a unit is; everything else has a step of its own. What was given
a name keeps it; the others get letters that are free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, count

from chainrule.explain.expression.functions import CONSTANTS
from chainrule.explain.expression.statements import Statement, Text
from chainrule.explain.formula import Call, Negative, Node, Number, Power, Product, Quotient, Sum, Symbol
from chainrule.explain.formula.tree import Place, Rational, rebuild, symbols_of, with_parts
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


@dataclass(frozen=True)
class Steps:
    """All steps in order of computation; `aliases` are other names for them, `given` what has no step."""

    steps: tuple[Step, ...]
    given: tuple[Name, ...]
    end: Name
    aliases: Mapping[str, Name]


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


def cut(source: Text, statements: list[Statement], variables: Container[str] = ()) -> Steps:
    """The steps of a program of statements; `pi` and `e` are what they always are unless they are variables.

    Raises:
        InputError: a name is given twice, or used before it is computed.
    """
    table = _Table(source, statements, variables)
    roots = [table.statement(statement) for statement in statements]
    return _Labelled(table, roots, statements[-1].name).steps()


class _Table:
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

    def wrong(self, message: str, node: Node) -> Exception:
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
                return self.symbol(name, node)
            case Number() | Sum() | Negative() | Product():
                return self.sum(node)
            case Quotient(_, below) if _fixed(below):
                return self.sum(node)
        node = with_parts(node, lambda part: Symbol(self.find(part)))
        if isinstance(node, Power):
            base, exponent = map(self.at, node.parts)
            if base == Symbol("e") and self.is_constant("e"):
                return self.add(Call("exp", (node.exponent,), place=node.place))
            if isinstance(base, Number) and isinstance(exponent, Number):
                return self.power_of_numbers(node, base.value, exponent.value)
        return self.add(node)

    def at(self, symbol: Node) -> Node:
        """What a symbol in the table stands for."""
        assert isinstance(symbol, Symbol)
        assert isinstance(symbol.name, int)
        return self.made[symbol.name]

    def is_constant(self, name: str) -> bool:
        return name in CONSTANTS and name not in self.variables

    def symbol(self, name: str, node: Node) -> int:
        if name in self.named:
            return self.named[name]
        if name in self.to_come:
            raise self.wrong(f'"{name}" is used before it is computed; put "{name} = ..." first', node)
        return self.add(node)

    def power_of_numbers(self, node: Node, base: float, exponent: float) -> int:
        try:
            value = base**exponent
        except (ZeroDivisionError, OverflowError):
            value = float("inf")
        if isinstance(value, complex) or abs(value) == float("inf"):
            raise self.wrong("this power has no value that a number can hold", node)
        return self.add(number(Fraction(repr(value)), node.place))

    def sum(self, node: Node) -> int:
        """A sum with its coefficients collected; one product or part alone is no sum."""
        collected: dict[int | None, Fraction] = {}
        for sign, term in _flat(node):
            coefficient, part = self.product(term)
            collected[part] = collected.get(part, Fraction(0)) + sign * coefficient
        constant = collected.pop(None, Fraction(0))
        pairs = [((Symbol(part),), c) for part, c in collected.items() if c]
        for coefficient in (constant, *(c for _, c in pairs)):
            self.check_size(coefficient, node)
        if not pairs:
            return self.add(number(constant, node.place))
        if not constant and len(pairs) == 1 and pairs[0][1] == 1:
            return next(part for part, c in collected.items() if c and part is not None)
        terms = [Term((number(c), *symbols)) for symbols, c in (*pairs, *([((), constant)] if constant else []))]
        return self.add(Sum(tuple(terms), place=node.place))

    def check_size(self, value: Fraction, node: Node) -> None:
        try:
            float(value)
        except OverflowError:
            raise self.wrong("this number is too large: the largest is 1.8e308", node) from None

    def product(self, node: Node) -> tuple[Fraction, int | None]:
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


class _Labelled:
    """The formulas of a table as steps with names; the last of the roots is the end."""

    def __init__(self, table: _Table, roots: list[int], last: str):
        self.made, self.named = table.made, table.named
        self.labels: dict[int, str] = {}
        for name, place in self.named.items():
            if not self.is_end(place):
                self.labels.setdefault(place, name)
        self.reads = Counter([*roots, *(place for i in range(len(self.made)) for place in self.read_by(i))])
        self.end = roots[-1] if not self.is_end(roots[-1]) else self.step_of_its_own(roots[-1], last)
        self.order = list(self.ordered([*roots, self.end]))
        leaves = {str(name): table.is_constant(str(name)) for name in self.leaves()}
        self.give_letters({*leaves, *table.to_come})
        self.constants = {name for name, constant in leaves.items() if constant}

    def leaves(self) -> Iterator[str]:
        return (str(node.name) for node in self.made if isinstance(node, Symbol))

    def is_end(self, place: int) -> bool:
        """Whether nothing is computed there."""
        return isinstance(self.made[place], (Number, Symbol))

    def read_by(self, place: int) -> list[int]:
        return [name for name in symbols_of(self.made[place]) if isinstance(name, int)]

    def step_of_its_own(self, root: int, name: str) -> int:
        """A result that is nothing but a number or a variable is a step all the same."""
        self.named.pop(name, None)
        found = self.made[root]
        is_number = isinstance(found, Number)
        factors = (found,) if is_number else (number(Fraction(1)), Symbol(root))
        self.made.append(Term(factors, place=found.place))
        if name:
            self.labels[len(self.made) - 1] = name
        return len(self.made) - 1

    def stands_in_sum(self, place: int) -> bool:
        """Whether it is a product that a sum, if one reads it, has as a term."""
        return isinstance(self.made[place], Term) and self.reads[place] == 1 and place not in self.labels

    def ordered(self, roots: list[int]) -> Iterator[int]:
        """All steps, each after what it reads."""
        done: set[int] = set()
        waiting = [(root, True, False) for root in reversed(roots)]
        while waiting:
            place, opening, in_sum = waiting.pop()
            if place in done:
                continue
            if opening:
                waiting.append((place, False, in_sum))
                is_sum = isinstance(self.made[place], Sum)
                waiting += [(inner, True, is_sum) for inner in reversed(self.read_by(place))]
            else:
                done.add(place)
                if not self.is_end(place) and not (in_sum and self.stands_in_sum(place)):
                    yield place

    def give_letters(self, taken: set[str]) -> None:
        if self.end not in self.labels:
            letter = next(name for name in chain(("y", "f", "result"), _numbered("y")) if name not in taken)
            self.labels[self.end] = letter
            taken.add(letter)
        unnamed = [place for place in self.order if place not in self.labels]
        letters = [letter for letter in ("u", "v", "w") if letter not in taken]
        if len(unnamed) > len(letters):
            letters = [name for name, _ in zip((n for n in _numbered("u") if n not in taken), unnamed, strict=False)]
        self.labels.update(zip(unnamed, letters, strict=False))

    # ------------------------------------------------------------------ steps

    def steps(self) -> Steps:
        steps = tuple(Step(Name("value", self.labels[place]), self.formula(place)) for place in self.order)
        used = {name for step in steps for name in step.inputs}
        given = (Name("variable", name) for name in self.leaves())
        end = Name("value", self.labels[self.end])
        known = {name: self.name(place) for name, place in self.named.items()}
        aliases = {name: found for name, found in known.items() if found is not None}
        return Steps(
            steps,
            tuple(name for name in given if name.layer not in self.constants or name in used),
            end,
            aliases | {end.layer: end},
        )

    def name(self, place: int) -> Name | None:
        """The name of a variable or a step; a number has none."""
        node = self.made[place]
        if isinstance(node, Symbol):
            return Name("variable", str(node.name))
        return None if isinstance(node, Number) else Name("value", self.labels[place])

    def formula(self, place: int) -> Node:
        """A formula with names in it; products that stand in a sum are multiplied with its coefficients."""
        node = self.made[place]
        if isinstance(node, Sum):
            return with_parts(node, self.term)
        return rebuild(node, self.named_symbol)

    def named_symbol(self, node: Node) -> Node | None:
        if not isinstance(node, Symbol) or not isinstance(node.name, int):
            return None
        name = self.name(node.name)
        return self.made[node.name] if name is None else Symbol(name)

    def term(self, term: Node) -> Node:
        match term:
            case Term((coefficient, Symbol(int(place)))) if place not in self.labels:
                product = self.made[place]
                if isinstance(product, Term):
                    term = Term((coefficient, *product.symbols))
        return rebuild(term, self.named_symbol)


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


def _numbered(letter: str) -> Iterator[str]:
    return (f"{letter}{i}" for i in count(1))
