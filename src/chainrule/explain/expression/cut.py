"""An expression cut into steps of one operation each, every step once however often it is used.

A sum of products is one step, as the pre-activation of a unit is; everything else has a step of its own. What was given
a name keeps it; the others get letters that are free.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, count

from chainrule.explain.expression.functions import CONSTANTS
from chainrule.explain.expression.statements import Place, Raw, Statement, Text
from chainrule.explain.formula import Number
from chainrule.explain.quantities.names import Name

Atom = Name | Number


@dataclass(frozen=True)
class Term:
    """A coefficient times atoms."""

    coefficient: Fraction
    factors: tuple[Name, ...]


@dataclass(frozen=True)
class Step:
    """One operation: `+` has terms, `/`, `**` and `call` have arguments."""

    name: Name
    kind: str
    place: Place
    terms: tuple[Term, ...] = ()
    function: str = ""
    arguments: tuple[Atom, ...] = ()

    @property
    def inputs(self) -> tuple[Name, ...]:
        """What it is computed from, each once."""
        used = [f for term in self.terms for f in term.factors] or [a for a in self.arguments if isinstance(a, Name)]
        return tuple(dict.fromkeys(used))


@dataclass(frozen=True)
class Steps:
    """All steps in order of computation; `aliases` are other names for them, `given` what has no step."""

    steps: tuple[Step, ...]
    given: tuple[Name, ...]
    end: Name
    aliases: Mapping[str, Name]


def number(value: Fraction) -> Number:
    """A number, written as a fraction where it has no short decimal form.

    >>> number(Fraction(1, 3)).text, number(Fraction(1, 8)).text
    ('1/3', None)
    """
    plain = float(value)
    if Fraction(repr(plain)) == value or max(abs(value.numerator), value.denominator) > 999:
        return Number(plain)
    return Number(plain, str(value))


def cut(source: Text, statements: list[Statement], variables: Container[str] = ()) -> Steps:
    """The steps of a program of statements; `pi` and `e` are what they always are unless they are variables.

    Raises:
        InputError: a name is given twice, or used before it is computed.
    """
    cutter = _Cutter(source, statements, variables)
    roots = [cutter.part(statement.tree) for statement in statements]
    return cutter.emit(roots)


@dataclass
class _Piece:
    """An interned part: sums hold (coefficient, part) pairs, all others their parts."""

    kind: str
    place: Place
    text: str = ""
    value: Fraction = Fraction(0)
    parts: tuple[int, ...] = ()
    coefficients: tuple[Fraction, ...] = ()
    label: str = ""
    references: int = 0


@dataclass
class _Cutter:
    source: Text
    statements: list[Statement]
    variables: Container[str]
    table: dict[tuple[object, ...], int] = field(default_factory=dict)
    made: list[_Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.named: dict[str, int] = {}  # of the statements so far
        self.to_come = [statement.name for statement in self.statements if statement.name]
        self.at = 0
        for i, name in enumerate(self.to_come):
            if name in self.to_come[:i]:
                raise self.source.wrong(f'"{name}" is computed twice; take another name', self.statements[i].place)

    # -------------------------------------------------------------- interning

    def intern(self, part: _Piece) -> int:
        """The number of a part; equal parts have one, whatever the order of their terms."""
        pairs: Iterable[object] = zip(part.coefficients, part.parts, strict=True) if part.coefficients else part.parts
        if part.kind in ("sum", "product"):
            pairs = sorted(pairs)  # type: ignore[type-var]  # all ints, or all pairs
        key = (part.kind, part.text, part.value, *pairs)
        if key not in self.table:
            self.table[key] = len(self.made)
            self.made.append(part)
            for inner in part.parts:
                self.made[inner].references += 1
        return self.table[key]

    def part(self, raw: Raw) -> int:
        """The part of a statement's whole tree, which then has that statement's name."""
        found = self.inner(raw)
        statement = self.statements[self.at]
        if statement.name:
            self.named[statement.name] = found
        self.at += 1
        return found

    def inner(self, raw: Raw) -> int:
        if raw.kind == "name":
            return self.name(raw)
        if raw.kind in ("number", "+", "*") or (raw.kind == "/" and _fixed(raw.parts[1])):
            return self.sum(raw)
        parts = tuple(self.inner(part) for part in raw.parts)
        if raw.kind == "**":
            if self.made[parts[0]].kind == "constant" and self.made[parts[0]].text == "e":
                return self.intern(_Piece("call", raw.place, "exp", parts=(parts[1],)))
            if all(self.made[part].kind == "number" for part in parts):
                return self.power_of_numbers(raw, parts)
        return self.intern(_Piece(raw.kind, raw.place, raw.text, parts=parts))

    def name(self, raw: Raw) -> int:
        name = raw.text
        if name in self.named:
            return self.named[name]
        if name in self.to_come:
            raise self.source.wrong(f'"{name}" is used before it is computed; put "{name} = ..." first', raw.place)
        constant = name in CONSTANTS and name not in self.variables
        return self.intern(_Piece("constant" if constant else "variable", raw.place, name))

    def number(self, value: Fraction, place: Place) -> int:
        return self.intern(_Piece("number", place, value=value))

    def power_of_numbers(self, raw: Raw, parts: tuple[int, ...]) -> int:
        base, exponent = (float(self.made[part].value) for part in parts)
        try:
            value = base**exponent
        except (ZeroDivisionError, OverflowError):
            value = float("inf")
        if isinstance(value, complex) or abs(value) == float("inf"):
            raise self.source.wrong("this power has no value that a number can hold", raw.place)
        return self.number(Fraction(repr(value)), raw.place)

    def sum(self, raw: Raw) -> int:
        """A sum with its coefficients collected; one product or part alone is no sum."""
        collected: dict[int | None, Fraction] = {}
        for sign, term in _flat(raw, "+"):
            coefficient, part = self.product(term)
            collected[part] = collected.get(part, Fraction(0)) + sign * coefficient
        constant = collected.pop(None, Fraction(0))
        collected = {part: c for part, c in collected.items() if c}
        for coefficient in (constant, *collected.values()):
            self.check_size(coefficient, raw.place)
        if not collected:
            return self.number(constant, raw.place)
        if constant:
            collected[self.number(Fraction(1), raw.place)] = constant
        elif len(collected) == 1 and next(iter(collected.values())) == 1:
            (only,) = collected
            assert only is not None
            return only
        parts = tuple(part for part in collected if part is not None)
        return self.intern(_Piece("sum", raw.place, parts=parts, coefficients=tuple(collected.values())))

    def check_size(self, value: Fraction, place: Place) -> None:
        try:
            float(value)
        except OverflowError:
            raise self.source.wrong("this number is too large: the largest is 1.8e308", place) from None

    def product(self, raw: Raw) -> tuple[Fraction, int | None]:
        """A coefficient, and the product of what is no number; None where nothing is left."""
        coefficient, parts = Fraction(1), []
        for factor in self.factors(raw):
            if isinstance(factor, Fraction):
                coefficient *= factor
                continue
            found = self.inner(factor)
            inside = self.made[found]
            if inside.kind == "number":
                coefficient *= inside.value
            else:
                parts.append(found)
        if len(parts) < 2:
            return coefficient, parts[0] if parts else None
        return coefficient, self.intern(_Piece("product", raw.place, parts=tuple(parts)))

    def factors(self, raw: Raw) -> Iterator[Raw | Fraction]:
        waiting = [raw]
        while waiting:
            current = waiting.pop()
            if current.kind == "*":
                waiting += reversed(current.parts)
            elif current.kind == "/" and (divisor := _fixed(current.parts[1])):
                yield 1 / divisor
                waiting.append(current.parts[0])
            elif current.kind == "number":
                yield Fraction(repr(current.value))
            else:
                yield current

    # --------------------------------------------------------------- emitting

    def emit(self, roots: list[int]) -> Steps:
        """The steps behind all roots, in order; the last root is the end."""
        for name, root in self.named.items():
            part = self.made[root]
            if part.kind not in ("number", "variable", "constant") and not part.label:
                part.label = name
        for root in roots:
            self.made[root].references += 1
        end = self.end(roots[-1])
        order = list(self.order([*roots, end]))
        self.label([i for i in order if not self.made[i].label], end)
        steps = tuple(self.step(i) for i in order)
        used = {name for step in steps for name in step.inputs}
        given = tuple(
            Name("variable", part.text)
            for part in self.made
            if part.kind == "variable" or (part.kind == "constant" and Name("variable", part.text) in used)
        )
        end_name = self.atom(end)
        assert isinstance(end_name, Name)
        aliases = {name: atom for name, i in self.named.items() if isinstance(atom := self.atom(i), Name)}
        return Steps(steps, given, end_name, aliases | {self.made[end].label: end_name})

    def end(self, root: int) -> int:
        """The last step: a result that is nothing but a number or a variable is a step all the same."""
        part, name = self.made[root], self.statements[-1].name
        if part.kind not in ("number", "variable", "constant"):
            return root
        self.named.pop(name, None)
        coefficient = Fraction(1)
        if part.kind == "number":
            coefficient, root = part.value, self.number(Fraction(1), part.place)
        self.made.append(_Piece("sum", part.place, parts=(root,), coefficients=(coefficient,), label=name))
        return len(self.made) - 1

    def is_step(self, i: int, among: str) -> bool:
        """Whether a part is a step of its own where it is read by a part of kind `among`."""
        part = self.made[i]
        if part.kind in ("number", "variable", "constant"):
            return False
        return not (part.kind == "product" and among == "sum" and part.references == 1 and not part.label)

    def order(self, roots: list[int]) -> Iterator[int]:
        """All steps, each after what it reads."""
        done: set[int] = set()
        waiting = [(root, True, "") for root in reversed(roots)]
        while waiting:
            i, opening, among = waiting.pop()
            if i in done:
                continue
            part = self.made[i]
            if opening:
                waiting.append((i, False, among))
                waiting += [(inner, True, part.kind) for inner in reversed(part.parts)]
            else:
                done.add(i)
                if self.is_step(i, among):
                    yield i

    def label(self, unnamed: list[int], end: int) -> None:
        taken = {part.text for part in self.made if part.kind in ("variable", "constant")} | set(self.to_come)
        if not self.made[end].label:
            self.made[end].label = next(
                name for name in chain(("y", "f", "result"), _numbered("y")) if name not in taken
            )
            taken.add(self.made[end].label)
            unnamed = [i for i in unnamed if i != end]
        letters = [letter for letter in ("u", "v", "w") if letter not in taken]
        if len(unnamed) > len(letters):
            letters = [name for name, _ in zip(_free("u", taken), unnamed, strict=False)]
        for i, letter in zip(unnamed, letters, strict=False):
            self.made[i].label = letter

    def atom(self, i: int) -> Atom:
        part = self.made[i]
        if part.kind == "number":
            return number(part.value)
        return Name("value", part.label) if part.label else Name("variable", part.text)

    def step(self, i: int) -> Step:
        part = self.made[i]
        name = Name("value", part.label)
        if part.kind == "sum":
            pairs = zip(part.coefficients, part.parts, strict=True)
            return Step(name, "+", part.place, tuple(Term(c, self.term_factors(inner)) for c, inner in pairs))
        if part.kind == "product":
            return Step(name, "+", part.place, (Term(Fraction(1), tuple(map(self.known, part.parts))),))
        return Step(name, part.kind, part.place, (), part.text, tuple(map(self.atom, part.parts)))

    def term_factors(self, i: int) -> tuple[Name, ...]:
        part = self.made[i]
        if part.kind == "number":
            return ()
        return (self.known(i),) if part.kind != "product" or part.label else tuple(map(self.known, part.parts))

    def known(self, i: int) -> Name:
        atom = self.atom(i)
        assert isinstance(atom, Name)
        return atom


def _fixed(raw: Raw) -> Fraction | None:
    """The number that a tree of numbers comes to; None where there is more in it, or a division by 0."""
    if raw.kind == "number":
        return Fraction(repr(raw.value))
    if raw.kind not in ("+", "*", "/"):
        return None
    left, right = map(_fixed, raw.parts)
    if left is None or right is None or (raw.kind == "/" and not right):
        return None
    return left + right if raw.kind == "+" else left * right if raw.kind == "*" else left / right


def _flat(raw: Raw, kind: str) -> Iterator[tuple[int, Raw]]:
    """The terms of nested sums; a minus before brackets goes into them."""
    waiting = [(1, raw)]
    while waiting:
        sign, current = waiting.pop()
        if current.kind == kind:
            waiting += [(sign, part) for part in reversed(current.parts)]
        elif current.kind == "*" and current.parts[0].kind == "number" and current.parts[0].value == -1:
            waiting.append((-sign, current.parts[1]))
        else:
            yield sign, current


def _numbered(letter: str) -> Iterator[str]:
    return (f"{letter}{i}" for i in count(1))


def _free(letter: str, taken: set[str]) -> Iterator[str]:
    return (name for name in _numbered(letter) if name not in taken)
