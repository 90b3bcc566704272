"""What `chainrule.explain_expression(...)` gives: an expression's value and its derivatives, every step shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any
from unicodedata import lookup

from chainrule.errors import InputError, listed
from chainrule.explain.document.blocks import Document
from chainrule.explain.document.of_expression import document
from chainrule.explain.expression.chain import KINDS, ExpressionGraph
from chainrule.explain.expression.cut import Steps, cut
from chainrule.explain.expression.functions import CONSTANTS
from chainrule.explain.expression.statements import TOO_DEEP, read_expression
from chainrule.explain.formula.writer import shown
from chainrule.explain.output import AnyDerivation
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation, Places, Ratio, Sign, Written

GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "mu", "nu", "xi", "pi", "rho", "sigma",
    "tau", "phi", "chi", "psi", "omega",
))  # fmt: skip


class ExpressionDerivation(AnyDerivation[ExpressionGraph]):
    """Every step of an expression at a point, forward and backward.

    >>> from chainrule import explain_expression
    >>> work = explain_expression("f = x**2; g = sin(x); h = f*g; k = exp(h)", {"x": 1})
    >>> work["dk/dx"]
    dk/dx = dk/df*df/dx + dk/dg*dg/dx = 1.95202*2 + 2.31978*0.540302 = 5.15743
    >>> work.paths("x").count
    2
    """

    def __init__(self, graph: ExpressionGraph, *, digits: int = 6, title: str = ""):
        super().__init__(graph, ExpressionNotation(graph.end), digits, title or graph.source.whole)

    def __reduce__(self) -> tuple[object, ...]:
        """Copies and pickles hold the expression, which is read anew."""
        at = {name.layer: self.graph.value(name) for name in self.graph.variables}
        return _remade, (self.expression, at, self.digits, self.title)

    @property
    def expression(self) -> str:
        """The text that was read."""
        return self.graph.source.whole

    @property
    def value(self) -> float:
        """The expression's value at the point."""
        return self.graph.value(self.graph.end)

    @property
    def gradient(self) -> dict[str, float]:
        """The derivative by every variable."""
        return {name.layer: self.graph.value(Name("gradient", name.layer)) for name in self.graph.variables}

    def document(self, **choice: Any) -> Document:
        """What to write down, for renderers: everything, or with `weight` one variable and its paths."""
        return document(self, **choice)

    def __repr__(self) -> str:
        end = self.graph.end
        return f"<Derivation of {end.layer} = {shown(self.value)} at {self.graph.point}>"


def explain_expression(expression: str, at: Mapping[str, float], *, digits: int = 6) -> ExpressionDerivation:
    """Explain a small formula at a point: its value and its derivatives by the chain rule, step by step.

    `dy/dx = sum over paths from x to y of the product of the steps' own derivatives`.

    Arguments:
        expression: numbers, names, `+ - * / **` and functions; several named steps are separated by `;`.
        at: the value of each variable; the result is differentiated by each of them.
        digits: significant digits of the numbers in formulas.

    Raises:
        InputError: the expression can't be read, or has no value or derivative there; the message points at the spot.

    >>> work = explain_expression("exp(exp(x**2))", at={"x": 1})
    >>> work["dy/dx"]
    dy/dx = dy/du*du/dx = 41.1936*2 = 82.3871
    """
    return _remade(expression, at, digits)


def _remade(expression: str, at: Mapping[str, float], digits: int, title: str = "") -> ExpressionDerivation:
    source, statements = read_expression(expression)
    if not isinstance(at, Mapping):
        raise InputError(f'at is {at!r}; it says the value of each variable, as in {{"x": 1}}')
    try:
        steps = cut(source, statements, at)
    except RecursionError:
        raise InputError(TOO_DEEP) from None
    return ExpressionDerivation(ExpressionGraph(source, steps, _checked(steps, at)), digits=digits, title=title)


def _checked(steps: Steps, at: Mapping[str, Any]) -> dict[str, float]:
    wanted = [name.layer for name in steps.given if name.layer not in CONSTANTS or name.layer in at]
    computed = [step.name.layer for step in steps.steps]
    for name in at:
        if name in computed or name in steps.aliases:
            raise InputError(f'"{name}" is computed in the expression, so it can\'t be given a value')
        if name not in wanted:
            raise InputError(f'there is no variable "{name}" in the expression; its variables: {_none_or(wanted)}')
    if missing := [name for name in wanted if name not in at]:
        example = ", ".join(f"{name}=1" for name in wanted)
        raise InputError(f"where? no value is given for {listed(missing)}; say {example}, for example")
    return {name: _number(name, at[name]) for name in wanted}


def _none_or(names: Iterable[str]) -> str:
    return listed(names) or "it has none"


def _number(name: str, value: Any) -> float:
    try:
        made = float(value)
    except (TypeError, ValueError, OverflowError):
        made = math.nan
    if isinstance(value, (str, bytes)) or not math.isfinite(made):
        raise InputError(f"{name} is {value!r}; it must be a finite number")
    return made


class ExpressionNotation(Notation):
    """Symbols of an expression; `end` is its result."""

    def __init__(self, end: Name):
        super().__init__("ours", Places({}, {}, "", 1))
        self.end = end

    def text(self, name: Name) -> str:
        """As plain text: `dk/dh`."""
        ends = KINDS[name.kind].ends(name, self.end)
        return name.layer if ends is None else ends.text

    def written(self, name: Name) -> Written:
        """With its parts, for renderers that set them above and below."""
        ends = KINDS[name.kind].ends(name, self.end)
        return sign(name.layer) if ends is None else Ratio(sign(ends.above), sign(ends.below), ends.note)


def sign(text: str) -> Sign:
    """A name with its number or its part after `_` below: `x1`, `w_out`.

    >>> sign("x12"), sign("theta_1").text
    (Sign(letter='x', below='12', above='', plus=False), 'θ_1')
    """
    letter, _, below = text.partition("_")
    if not below:
        letter, below = letter.rstrip("0123456789"), letter[len(letter.rstrip("0123456789")) :]
    if not letter:
        return Sign(text)
    return Sign(lookup(f"GREEK SMALL LETTER {letter}") if letter in GREEK else letter, below)
