"""The quantities of an expression: values forward, the derivative of the result by each of them backward.

The derivative by a value sums, over the steps that read it, the derivative by the step times the step's own derivative:
the chain rule as in a network, so paths, marking and renderers are those of networks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from chainrule.errors import InputError, listed
from chainrule.explain.expression.cut import Steps
from chainrule.explain.expression.expression_kinds import KINDS, Ends
from chainrule.explain.expression.functions import CONSTANTS, DOMAINS
from chainrule.explain.expression.statements import Text
from chainrule.explain.expression.step import Step
from chainrule.explain.expression.ways import Ways
from chainrule.explain.formula import Power, Quotient
from chainrule.explain.formula import evaluate as evaluate_formula
from chainrule.explain.formula.writer import shown
from chainrule.explain.quantities.names import Name, plainly_spelled
from chainrule.explain.quantities.protocol import Located, Position
from chainrule.explain.quantities.recipes import Recipe, evaluate


class ExpressionGraph(Ways):
    """The steps of an expression at a point.

    Arguments:
        at: the value of every variable; derivatives are by these.
    """

    def __init__(self, source: Text, steps: Steps, at: Mapping[str, float]):
        super().__init__(steps, at)
        self.source = source
        self._recipes: dict[Name, tuple[Recipe, ...]] = {}
        self._values = {name: at.get(name.layer, CONSTANTS.get(name.layer, math.nan)) for name in self.given}
        for name in self.order:
            value = self._values[name] = evaluate(self.recipes(name)[0], self._values.__getitem__)
            if not math.isfinite(value):
                step = KINDS[name.kind].step(self, name)
                why = self._why_no_derivative if self.ends(name) else self._why_no_value
                raise source.wrong(why(name, step, value), step.place)

    # ----------------------------------------------------------------- values

    def _why_no_value(self, name: Name, step: Step, value: float) -> str:
        arguments = [] if step.terms else [float(evaluate_formula(part, self._values)) for part in step.tree.parts]
        return _why(step, arguments, value)

    def _why_no_derivative(self, name: Name, step: Step, value: float) -> str:
        where = ", ".join(f"{n.layer} = {shown(self._values[n])}" for n in step.inputs)
        what = "is too large for a number" if math.isinf(value) and step.terms else "does not exist"
        return f"the derivative {self.spelled(name)} {what} where {where}"

    def value(self, name: Name) -> float:
        """The value of a quantity."""
        return self._values[name]

    @property
    def point(self) -> str:
        """The point, `x = 1, y = 2`."""
        return ", ".join(f"{name.layer} = {shown(self._values[name])}" for name in self.variables)

    @cached_property
    def _uses(self) -> Counter[Name]:
        return Counter(name for reader in self.order for name in self.recipes(reader)[0].inputs)

    def uses(self, name: Name) -> int:
        """How many later quantities are computed from one."""
        return self._uses[name]

    def recipes(self, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute a quantity; none for what is given."""
        if name not in self._recipes:
            self._recipes[name] = KINDS[name.kind].recipes(self, name)
        return self._recipes[name]

    # ------------------------------------------------------------------ names

    def ends(self, name: Name) -> Ends | None:
        """Of a derivative, what it is of and by."""
        return KINDS[name.kind].ends(self, name)

    def meaning(self, name: Name) -> str:
        """What a quantity is, in words."""
        return KINDS[name.kind].meaning

    def is_given(self, name: Name) -> bool:
        """Whether it is a number of the exercise, not a result."""
        return name in self.given

    def parse(self, text: str) -> Name:
        """The quantity that a text names: `x`, `h`, `dk/dh` for the result k, `dh/df` for a step h and its input f."""
        above, slash, below = plainly_spelled(text).partition("/")
        below, bar, _ = below.partition("|")
        if not slash:
            return self.known(above)
        if not (above.startswith("d") and below.startswith("d")):
            by = self.given[0].layer if self.given else "x"
            raise InputError(f'"{text}" is no quantity; derivatives look like d{self.end.layer}/d{by}')
        return self._derivative(text, self.known(above[1:]), self.known(below[1:]), direct=bool(bar))

    def _derivative(self, text: str, above: Name, below: Name, *, direct: bool) -> Name:
        if above == self.end and not direct:
            name = Name("gradient", below.layer)
            if name not in self._values:
                raise InputError(f'"{text}": no way leads from a variable over {below.layer} to {above.layer}')
            return name
        name = self.slope(above, below)
        if name not in self._values:
            inputs = [n.layer for n in self.steps[above].inputs] if above in self.steps else []
            known = [n for n in inputs if self.slope(above, Name("value", n)) in self._values]
            raise InputError(
                f'"{text}" is no quantity here: {above.layer} is differentiated by {listed(known) or "nothing"}; '
                f"all others are of the result, d{self.end.layer}/d..."
            )
        return name

    def resolve(self, name: Name) -> Name:
        """The name, which must be one of this expression's."""
        if name not in self._values:
            raise InputError(f'there is no "{name.layer}" in this expression')
        return name

    def spelled(self, name: Name) -> str:
        """A name as people write it: `h`, `dk/dh`, `dh/df`; `dk/dx|direct` beside a `dk/dx` that has other ways too."""
        ends = self.ends(name)
        return name.layer if ends is None else f"d{ends.above}/d{ends.below}{'|' * bool(ends.note)}{ends.note}"

    def position(self, name: Name) -> Position:
        """Where a quantity stands in the order of computation."""
        return (self.positions[name], 0, 0, 0, ())

    def located(self, name: Name) -> Located:
        """A quantity with its value and its place."""
        return Located(name, self.value(name), self.spelled(name), self.position(name))

    def in_order(self) -> Iterator[Name]:
        """Every computed quantity, in the order of computation."""
        return iter(self.order)

    def gradient_of(self, name: Name) -> Name:
        """The derivative of the result by a variable or a step."""
        gradient = name if self.ends(name) else Name("gradient", name.layer)
        if gradient not in self._values:
            raise InputError(f'no paths lead from "{name.layer}" to {self.end.layer}; they lead from {self._starts()}')
        return gradient

    def _starts(self) -> str:
        return listed(n.layer for n in (*self.variables, *self.steps) if Name("gradient", n.layer) in self._values)

    def value_of(self, gradient: Name) -> Name:
        """What a derivative is by."""
        ends = self.ends(gradient)
        return gradient if ends is None else self.known(ends.below)


def _why(step: Step, arguments: list[float], value: float) -> str:
    shown_ones = " and ".join(map(shown, arguments))
    if step.function in DOMAINS and not DOMAINS[step.function].holds(arguments[0]):
        return f"{step.function} of {shown_ones}: {DOMAINS[step.function].words}"
    what = f"{step.function} of {shown_ones}" if step.function else "this sum"
    match step.tree, arguments:
        case Quotient(), [_, below]:
            what = "this quotient"
            if below == 0:
                return "a division by 0"
        case Power(), [base, exponent]:
            what = "this power"
            if base == 0:
                return f"0 to the power {shown(exponent)}: that is a division by 0"
            if base < 0 and math.isnan(value):
                return f"{shown(base)} to the power {shown(exponent)}: a negative number has whole powers only"
    return f"{what} is too large for a number: the largest is 1.8e308"
