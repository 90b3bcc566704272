"""An expression cut into steps of one operation each, every step once however often it is used.

A sum of products is one step, as the pre-activation of a unit is; everything else has a step of its own. What was given
a name keeps it; the others get letters that are free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count

from chainrule.explain.expression.statements import Statement, Text
from chainrule.explain.expression.step import Interned, Step, Term, number
from chainrule.explain.formula import Node, Number, Sum, Symbol, symbols_of
from chainrule.explain.formula.tree import rebuild
from chainrule.explain.quantities.names import Name


@dataclass(frozen=True)
class Steps:
    """All steps in order of computation; `aliases` are other names for them, `given` what has no step."""

    steps: tuple[Step, ...]
    given: tuple[Name, ...]
    end: Name
    aliases: Mapping[str, Name]


def cut(source: Text, statements: list[Statement], variables: Container[str] = ()) -> Steps:
    """The steps of a program of statements; `pi` and `e` are what they always are unless they are variables.

    Raises:
        InputError: a name is given twice, or used before it is computed.
    """
    table = Interned(source, statements, variables)
    roots = [table.statement(statement) for statement in statements]
    return _Labelled(table, roots, statements[-1].name).steps()


class _Labelled:
    """The formulas of a table as steps with names; the last of the roots is the end."""

    def __init__(self, table: Interned, roots: list[int], last: str):
        self.made, self.named = table.made, table.named
        self.labels: dict[int, str] = {}
        for name, place in self.named.items():
            if not self.is_end(place):
                self.labels.setdefault(place, name)
        self.reads = Counter([*roots, *(place for i in range(len(self.made)) for place in self.read_by(i))])
        self.end = roots[-1] if not self.is_end(roots[-1]) else self.step_of_its_own(roots[-1], last)
        self.order = list(self.ordered([*roots, self.end]))
        self.leaves = [str(node.name) for node in self.made if isinstance(node, Symbol)]
        self.constants = set(filter(table.is_constant, self.leaves))
        self.give_letters({*self.leaves, *table.to_come})

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

    def ordered(self, roots: list[int]) -> Iterator[int]:
        """All steps, each after what it reads, as the table has them; products that one sum alone reads stand in it."""
        needed, in_sums = set(roots), set[int]()
        for place in reversed(range(len(self.made))):
            if place in needed:
                needed.update(self.read_by(place))
                in_sums.update(self.read_by(place) if isinstance(self.made[place], Sum) else ())
        for place in sorted(needed):
            alone = isinstance(self.made[place], Term) and self.reads[place] == 1 and place not in self.labels
            if not self.is_end(place) and not (place in in_sums and alone):
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

    def steps(self) -> Steps:
        steps = tuple(Step(Name("value", self.labels[place]), self.formula(place)) for place in self.order)
        used = {name for step in steps for name in step.inputs}
        given = (Name("variable", name) for name in self.leaves)
        read = tuple(name for name in given if name.layer not in self.constants or name in used)
        end = Name("value", self.labels[self.end])
        known = {name: self.name(place) for name, place in self.named.items()}
        aliases = {name: found for name, found in known.items() if found is not None}
        return Steps(steps, read, end, aliases | {end.layer: end})

    def name(self, place: int) -> Name | None:
        """The name of a variable or a step; a number has none."""
        node = self.made[place]
        if isinstance(node, Symbol):
            return Name("variable", str(node.name))
        return None if isinstance(node, Number) else Name("value", self.labels[place])

    def formula(self, place: int) -> Node:
        """A formula with names in it."""
        return rebuild(self.made[place], self.with_names)

    def with_names(self, node: Node) -> Node | None:
        match node:
            case Symbol(int(place)):
                name = self.name(place)
                return self.made[place] if name is None else Symbol(name)
            case Term((coefficient, Symbol(int(place)))) if place not in self.labels:
                product = self.made[place]  # without a step of its own it stands in the sum
                symbols = product.symbols if isinstance(product, Term) else (Symbol(place),)
                return Term((coefficient, *(rebuild(s, self.with_names) for s in symbols)), place=node.place)
        return None


def _numbered(letter: str) -> Iterator[str]:
    return (f"{letter}{i}" for i in count(1))
