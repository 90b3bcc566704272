"""Reads the formula texts that activations, losses and optimizers carry, such as `h = z if z > 0 else slope z`.

The language is that of the texts: `^` is a power, things side by side are multiplied, `h_j` has a subscript, `sum_k`
takes everything to its right, `[i = j]` is 1 or 0, and definitions follow after commas: `L = ..., e = h - y`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

from chainrule.explain.formula.tree import (
    FUNCTIONS,
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
    SumOver,
    Symbol,
    expand_sums,
    rebuild,
    replace_symbols,
    sum_of,
    symbols_of,
)

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([A-Za-z][A-Za-z0-9_]*)|(<=|>=|[-+*/^()\[\]|,=<>;]))")


@dataclass(frozen=True)
class Formula:
    """A formula with its text: what stands before `=`, and the tree of what stands behind, definitions put in."""

    text: str
    left: str
    right: Node

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The letters on the right, each once, in order."""
        return tuple(map(str, symbols_of(self.right)))


@lru_cache(maxsize=512)
def read_formula(text: str) -> Formula:
    """The tree of a formula text.

    >>> from chainrule.explain.formula.tree import evaluate
    >>> formula = read_formula("h = z if z > 0 else slope z")
    >>> formula.left, float(evaluate(formula.right, {"z": -2.0, "slope": 0.1}))
    ('h', -0.2)
    """
    left, _, rest = text.partition(" = ")
    reader = _Reader(rest)
    tree = reader.conditional()
    definitions: dict[str, Node] = {}
    while reader.take(","):
        name = reader.name()
        if reader.take("("):  # Phi(z) = ...: a function that is known by its name
            while not reader.take(")"):
                reader.advance()
            name = ""
        reader.expect("=")
        definition = reader.conditional()
        if name:
            definitions[name] = definition
    reader.end()
    if not definitions:
        return Formula(text, left, tree)
    # a definition may use another
    for _ in definitions:
        definitions = {name: _define(body, definitions) for name, body in definitions.items()}
    return Formula(text, left, _define(tree, definitions))


def _define(tree: Node, definitions: dict[str, Node]) -> Node:
    """Put definitions in; `e_j` takes that of `e`, with the subscript on its letters."""

    def change(node: Node) -> Node | None:
        if not isinstance(node, Symbol):
            return None
        letter = str(node.name)
        if letter in definitions:
            return definitions[letter]
        stem, _, index = letter.rpartition("_")
        if stem in definitions:
            return rebuild(definitions[stem], lambda n: Symbol(f"{n.name}_{index}") if isinstance(n, Symbol) else None)
        return None

    return rebuild(tree, change)


def options_of(thing: object) -> dict[str, Number]:
    """The numeric fields of an activation or a loss, as they enter its formulas."""
    return {
        field.name: Number(float(value))
        for field in fields(thing)  # type: ignore[arg-type]  # every one of them is a dataclass
        if isinstance(value := getattr(thing, field.name), (int, float)) and not isinstance(value, bool)
    }


def bound(text: str, letters: Mapping[str, Hashable], thing: object = None) -> Node:
    """A formula text with its letters bound to quantities, or to other formulas, and its options to numbers."""
    return bind(read_formula(text).right, letters, thing)


def bound_over(text: str, letters: Mapping[str, Sequence[Hashable]], thing: object, indices: Mapping[str, int]) -> Node:
    """A formula text with subscripts: `letters["z"]` are all units', `indices` which of them `i` and `j` are.

    Of a single unit a letter needs no subscript.
    """
    n = max(len(names) for names in letters.values())
    tree = expand_sums(read_formula(text).right, range(1, n + 1), indices)
    every = {f"{letter}_{i}": name for letter, names in letters.items() for i, name in enumerate(names, 1)}
    alone = {letter: names[0] for letter, names in letters.items() if n == 1}
    return bind(tree, every | alone, thing)


def bind(tree: Node, letters: Mapping[str, Hashable], thing: object) -> Node:
    """The same for a formula that is read already."""
    symbols = {letter: means if isinstance(means, Node) else Symbol(means) for letter, means in letters.items()}
    options = {} if thing is None else options_of(thing)
    return replace_symbols(tree, options | symbols)


class _Reader:
    def __init__(self, text: str):
        self.text = text
        self.tokens: list[str] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise ValueError(f"can't read {text[position:]!r} in the formula {text!r}")
            self.tokens.append(found.group().strip())
            position = found.end()
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def advance(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, token: str) -> bool:
        if self.next == token:
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise ValueError(f"{token!r} is missing before {self.next!r} in the formula {self.text!r}")

    def end(self) -> None:
        if self.next:
            raise ValueError(f"{self.next!r} is left over in the formula {self.text!r}")

    def name(self) -> str:
        if not self.next[:1].isalpha():
            raise ValueError(f"a name is missing before {self.next!r} in the formula {self.text!r}")
        return self.advance()

    def conditional(self) -> Node:
        then = self.additive()
        if not self.take("if"):
            return then
        left = self.additive()
        operator = self.advance()
        condition = Compare(left, operator, self.additive())
        self.expect("else")
        return Conditional(then, condition, self.conditional())

    def additive(self) -> Node:
        terms = [Negative(self.term()) if self.take("-") else self.term()]
        while self.next in ("+", "-"):
            terms.append(self.term() if self.advance() == "+" else Negative(self.term()))
        return sum_of(terms)

    def term(self) -> Node:
        result = self.power()
        while True:
            if self.take("/"):
                result = Quotient(result, self.power())
            elif self.take("*") or self._begins_atom():
                factor = self.power()
                factors = result.factors if isinstance(result, Product) else (result,)
                result = Product((*factors, factor))
            else:
                return result

    def _begins_atom(self) -> bool:
        if self.next == "|":
            return self.open_bars == 0
        return bool(self.next) and (self.next[0].isalnum() or self.next in "([") and self.next not in ("if", "else")

    open_bars = 0

    def power(self) -> Node:
        base = self.atom()
        if not self.take("^"):
            return base
        exponent = Negative(self.power()) if self.take("-") else self.power()
        return Power(base, exponent)

    def atom(self) -> Node:
        token = self.advance() if self.next else ""
        if token == "(":
            return self._in_brackets()[0]
        if token == "|":
            self.open_bars += 1
            inside = self.additive()
            self.expect("|")
            self.open_bars -= 1
            return Absolute(inside)
        if token == "[":
            left = self.name()
            self.expect("=")
            right = self.name()
            self.expect("]")
            return Iverson(left, right)
        if token[:1].isdigit():
            return Number(float(token), token)
        if token.startswith("sum_"):
            return SumOver(token.removeprefix("sum_"), self.conditional())
        if token in FUNCTIONS:
            self.expect("(")
            return Call(token, self._in_brackets(several=True))
        if token[:1].isalpha():
            return Symbol(token)
        raise ValueError(f"{token!r} is out of place in the formula {self.text!r}")

    def _in_brackets(self, *, several: bool = False) -> tuple[Node, ...]:
        outer, self.open_bars = self.open_bars, 0
        found = [self.conditional()]
        while several and self.take(","):
            found.append(self.conditional())
        self.open_bars = outer
        self.expect(")")
        return tuple(found)
