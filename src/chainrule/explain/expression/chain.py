"""The quantities of an expression: values forward, the derivative of the result by each of them backward.

The derivative by a value sums, over the steps that read it, the derivative by the step times the step's own derivative:
the chain rule as in a network, so paths, marking and renderers are those of networks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.expression.cut import Steps
from chainrule.explain.expression.functions import CONSTANTS, DOMAINS
from chainrule.explain.expression.local import slope_recipes, value_recipes
from chainrule.explain.expression.statements import Text
from chainrule.explain.expression.step import Step
from chainrule.explain.formula import Power, Quotient, evaluate
from chainrule.explain.formula.writer import shown
from chainrule.explain.quantities.names import Kind, Name, plainly_spelled
from chainrule.explain.quantities.recipes import Part, Position, Products, Quantities, Recipe

CHAIN = "dy/dv = sum over readers r of v: dy/dr dr/dv"


class Ends(NamedTuple):
    """What a derivative is of and by; `note` tells apart what would be written alike."""

    above: str
    below: str
    note: str = ""

    @property
    def text(self) -> str:
        """`dh/df`; `dk/dx|direct` beside a `dk/dx` that has other ways too."""
        return f"d{self.above}/d{self.below}{'|' * bool(self.note)}{self.note}"


class ExpressionKind(Kind):
    """A kind of quantity, asked about one of them in an expression."""

    def ends(self, name: Name, end: Name) -> Ends | None:
        """Of a derivative, what it is of and by; `end` is the result."""
        return None

    def recipes(self, graph: ExpressionGraph, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute it; none for what is given."""
        return ()

    def step(self, graph: ExpressionGraph, name: Name) -> Step:
        """The step that it belongs to."""
        return graph.steps[name]


class Value(ExpressionKind):
    """What a step comes to."""

    def recipes(self, graph: ExpressionGraph, name: Name) -> tuple[Recipe, ...]:
        return value_recipes(graph.steps[name])


class Slope(ExpressionKind):
    """The derivative of one step by one of its inputs, the others held."""

    def ends(self, name: Name, end: Name) -> Ends:
        above, _, below = name.layer.partition("/")
        return Ends(above, below, "direct" if above == end.layer else "")

    def recipes(self, graph: ExpressionGraph, name: Name) -> tuple[Recipe, ...]:
        return slope_recipes(self.step(graph, name), graph.known(self.ends(name, graph.end).below))

    def step(self, graph: ExpressionGraph, name: Name) -> Step:
        return graph.steps[Name("value", self.ends(name, graph.end).above)]


class Gradient(ExpressionKind):
    """The derivative of the result by a variable or a step, over all ways."""

    def ends(self, name: Name, end: Name) -> Ends:
        return Ends(end.layer, name.layer)

    def recipes(self, graph: ExpressionGraph, name: Name) -> tuple[Recipe, ...]:
        value = graph.known(name.layer)
        readers = graph.readers[value]
        if readers == [graph.end]:
            return slope_recipes(graph.steps[graph.end], value)
        parts = []
        for reader in readers:
            slope = graph.slope(reader, value)
            outer = slope if reader == graph.end else Name("gradient", reader.layer)
            parts.append(Part(tuple(dict.fromkeys((outer, slope))), outer=outer))
        return (Products(tuple(parts), CHAIN),)

    def step(self, graph: ExpressionGraph, name: Name) -> Step:
        return graph.steps[graph.readers[graph.known(name.layer)][0]]


KINDS = {
    "variable": ExpressionKind("variable", "given", given=True),
    "value": Value("value", "value"),
    "slope": Slope("slope", "local derivative"),
    "gradient": Gradient("gradient", "derivative of the result"),
}


class ExpressionGraph(Quantities):
    """The steps of an expression at a point.

    Arguments:
        at: the value of every variable; derivatives are by these.
    """

    kinds: Mapping[str, ExpressionKind] = KINDS

    def __init__(self, source: Text, steps: Steps, at: Mapping[str, float]):
        super().__init__()
        self.source = source
        self.end = steps.end
        self.aliases = steps.aliases
        self.variables = tuple(Name("variable", name) for name in at)
        self.given = tuple(dict.fromkeys((*self.variables, *steps.given)))
        self.steps: dict[Name, Step] = {step.name: step for step in steps.steps}
        active = self._between()
        self.readers: dict[Name, list[Name]] = {name: [] for name in (*self.given, *self.steps)}  # on those ways
        for name in (name for name in self.steps if name in active):
            for read in self.steps[name].inputs:
                self.readers[read].append(name)
        self.order = tuple(self._ordered(active))
        self.positions = {name: i for i, name in enumerate((*self.given, *self.order))}
        self._values = {name: at.get(name.layer, CONSTANTS.get(name.layer, math.nan)) for name in self.given}
        for name in self.order:
            value = self._values[name] = self.recipes(name)[0].value(self._values.__getitem__)
            if not math.isfinite(value):
                step = KINDS[name.kind].step(self, name)
                why = self._why_no_derivative if self.ends(name) else self._why_no_value
                raise source.wrong(why(name, step, value), step.place)

    def _between(self) -> set[Name]:
        """The variables and steps on the ways from a variable to the end."""
        moved, needed = set(self.variables), {self.end}
        for step in self.steps.values():
            if moved.intersection(step.inputs):
                moved.add(step.name)
        for step in reversed(self.steps.values()):
            if step.name in needed:
                needed.update(step.inputs)
        return moved & needed

    def _ordered(self, active: set[Name]) -> Iterator[Name]:
        """Values, then from the result back each step's gradient and its own derivatives, at last the variables'."""
        yield from self.steps
        for step in (step for step in reversed(self.steps.values()) if step.name in active):
            if step.name != self.end:
                yield Name("gradient", step.name.layer)
            for name in step.inputs:
                if name in active and not self._is_whole(step.name, name):
                    yield self.slope(step.name, name)
        yield from (Name("gradient", variable.layer) for variable in self.variables)

    def _is_whole(self, reader: Name, name: Name) -> bool:
        """Whether a step's own derivative is that of the result: it is the result, and nothing else reads the value."""
        return reader == self.end and self.readers[name] == [self.end]

    def in_order(self) -> Iterator[Name]:
        """Every computed quantity, in the order of computation."""
        return iter(self.order)

    def _position(self, name: Name) -> Position:
        return (self.positions[name], 0, 0, ())

    def _why_no_value(self, name: Name, step: Step, value: float) -> str:
        arguments = [] if step.terms else [float(evaluate(part, self._values)) for part in step.tree.parts]
        return _why(step, arguments, value)

    def _why_no_derivative(self, name: Name, step: Step, value: float) -> str:
        where = ", ".join(f"{n.layer} = {shown(self._values[n])}" for n in step.inputs)
        what = "is too large for a number" if math.isinf(value) and step.terms else "does not exist"
        return f"the derivative {self.spelled(name)} {what} where {where}"

    def _value(self, name: Name) -> float:
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

    def _recipes(self, name: Name) -> tuple[Recipe, ...]:
        return KINDS[name.kind].recipes(self, name)

    def local(self, reader: Name, name: Name) -> Name:
        """The name of a step's own derivative, which for the result is that of the derivative by the value itself."""
        return Name("gradient", name.layer) if self._is_whole(reader, name) else self.slope(reader, name)

    @staticmethod
    def slope(reader: Name, name: Name) -> Name:
        """The name of the derivative of a step by one of its inputs, the others held."""
        return Name("slope", f"{reader.layer}/{name.layer}")

    def ends(self, name: Name) -> Ends | None:
        """Of a derivative, what it is of and by."""
        return KINDS[name.kind].ends(name, self.end)

    def known(self, text: str) -> Name:
        """A variable or a step by what it is called.

        Raises:
            InputError: there is none of that name.
        """
        found = (self.aliases.get(text), Name("value", text), Name("variable", text))
        for name in found:
            if name in self.positions:
                return name
        names = [name.layer for name in (*self.given, *self.steps)]
        raise InputError(
            f'there is no "{text}" in this expression.{did_you_mean(text, names)} There are {listed(names)}'
        )

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
        """A name as people write it."""
        ends = self.ends(name)
        return name.layer if ends is None else ends.text

    def gradient_of(self, name: Name) -> Name:
        """The derivative of the result by a variable or a step."""
        gradient = name if self.ends(name) else Name("gradient", name.layer)
        if gradient not in self._values:
            starts = (n.layer for n in (*self.variables, *self.steps) if Name("gradient", n.layer) in self._values)
            raise InputError(f'no paths lead from "{name.layer}" to {self.end.layer}; they lead from {listed(starts)}')
        return gradient

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
