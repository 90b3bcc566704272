"""The quantities of an expression: values forward, the derivative of the result by each of them backward.

The derivative by a value sums, over the steps that read it, the derivative by the step times the step's own derivative:
the chain rule as in a network, so paths, marking and renderers are those of networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from chainrule.errors import InputError, did_you_mean, listed
from chainrule.explain.expression.cut import Step, Steps
from chainrule.explain.expression.functions import CONSTANTS, DOMAINS
from chainrule.explain.expression.local import slope_recipes, value_recipes
from chainrule.explain.expression.statements import Text
from chainrule.explain.formula import Power, Quotient
from chainrule.explain.formula import evaluate as value_of_formula
from chainrule.explain.formula.writer import shown
from chainrule.explain.quantities.names import Name, plainly_spelled
from chainrule.explain.quantities.protocol import Located, Position
from chainrule.explain.quantities.recipes import Part, Products, Recipe, evaluate

MEANINGS = {
    "variable": "given", "value": "value", "slope": "local derivative", "gradient": "derivative of the result",
}  # fmt: skip
CHAIN = "dy/dv = sum over readers r of v: dy/dr dr/dv"


class ExpressionGraph:
    """The steps of an expression at a point.

    Arguments:
        at: the value of every variable; derivatives are by these.
    """

    def __init__(self, source: Text, steps: Steps, at: Mapping[str, float]):
        self.source = source
        self.end = steps.end
        self.aliases = steps.aliases
        self.variables = tuple(Name("variable", name) for name in at)
        self.given = tuple(dict.fromkeys((*self.variables, *steps.given)))
        self.steps: dict[Name, Step] = {step.name: step for step in steps.steps}
        self.readers: dict[Name, list[Name]] = {}
        for step in steps.steps:
            for name in step.inputs:
                self.readers.setdefault(name, []).append(step.name)
        self._active = self._between(steps)
        self._recipes: dict[Name, tuple[Recipe, ...]] = {}
        self._values = {name: at.get(name.layer, CONSTANTS.get(name.layer, math.nan)) for name in self.given}
        for step in steps.steps:
            self._values[step.name] = self._computed(step)
        self._order = tuple(self._ordered())
        self._positions = {name: i for i, name in enumerate((*self.given, *self._order))}
        for name in self._order:
            if name not in self._values:
                self._values[name] = self._differentiated(name)
        self._uses: dict[Name, int] = {}
        for name in self._order:
            for source_name in self.recipes(name)[0].inputs:
                self._uses[source_name] = self._uses.get(source_name, 0) + 1

    def _between(self, steps: Steps) -> set[Name]:
        """The variables and steps on the ways from a variable to the end."""
        moved = set(self.variables)
        for step in steps.steps:
            if moved.intersection(step.inputs):
                moved.add(step.name)
        needed = {steps.end}
        for step in reversed(steps.steps):
            if step.name in needed:
                needed.update(step.inputs)
        return moved & needed

    def _ordered(self) -> Iterator[Name]:
        yield from self.steps
        for step in reversed(self.steps.values()):
            if step.name not in self._active:
                continue
            if step.name != self.end:
                yield Name("gradient", step.name.layer)
            for name in step.inputs:
                if name in self._active and not self._is_whole(step.name, name):
                    yield self._slope(step.name, name)
        yield from (Name("gradient", variable.layer) for variable in self.variables)

    # ----------------------------------------------------------------- values

    def _computed(self, step: Step) -> float:
        value = evaluate(self.recipes(step.name)[0], self._values.__getitem__)
        if math.isfinite(value):
            return value
        numbers = [] if step.terms else [float(value_of_formula(part, self._values)) for part in step.tree.parts]
        raise self.source.wrong(_why(step, numbers, value), step.place)

    def _differentiated(self, name: Name) -> float:
        value = evaluate(self.recipes(name)[0], self._values.__getitem__)
        if math.isfinite(value):
            return value
        if name.kind == "slope":
            step = self.steps[Name("value", name.layer.partition("/")[0])]
        else:
            readers = [r for r in self.readers[self.value_of(name)] if r in self._active]
            step = self.steps[readers[0]]
        where = ", ".join(f"{n.layer} = {shown(self._values[n])}" for n in step.inputs)
        what = "is too large for a number" if math.isinf(value) and step.terms else "does not exist"
        raise self.source.wrong(f"the derivative {self.spelled(name)} {what} where {where}", step.place)

    def value(self, name: Name) -> float:
        """The value of a quantity."""
        return self._values[name]

    @property
    def point(self) -> str:
        """The point, `x = 1, y = 2`."""
        return ", ".join(f"{name.layer} = {shown(self._values[name])}" for name in self.variables)

    def uses(self, name: Name) -> int:
        """How many later quantities are computed from one."""
        return self._uses.get(name, 0)

    def recipes(self, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute a quantity; none for what is given."""
        if name.kind == "variable":
            return ()
        if name not in self._recipes:
            self._recipes[name] = self._make(name)
        return self._recipes[name]

    def _make(self, name: Name) -> tuple[Recipe, ...]:
        if name.kind == "value":
            return value_recipes(self.steps[name])
        if name.kind == "slope":
            above, _, below = name.layer.partition("/")
            return slope_recipes(self.steps[Name("value", above)], self.known(below))
        value = self.value_of(name)
        readers = [reader for reader in self.readers.get(value, []) if reader in self._active]
        if readers == [self.end]:
            return slope_recipes(self.steps[self.end], value)
        parts = []
        for reader in readers:
            slope = self._slope(reader, value)
            outer = slope if reader == self.end else Name("gradient", reader.layer)
            parts.append(Part(tuple(dict.fromkeys((outer, slope))), outer=outer))
        return (Products(tuple(parts), CHAIN),)

    def _is_whole(self, reader: Name, name: Name) -> bool:
        """Whether a step's own derivative is that of the result: it is the result, and nothing else reads the value."""
        return reader == self.end and [r for r in self.readers[name] if r in self._active] == [self.end]

    def local(self, reader: Name, name: Name) -> Name:
        """The name of a step's own derivative, which for the result is that of the derivative by the value itself."""
        return Name("gradient", name.layer) if self._is_whole(reader, name) else self._slope(reader, name)

    @staticmethod
    def _slope(reader: Name, name: Name) -> Name:
        return Name("slope", f"{reader.layer}/{name.layer}")

    # ------------------------------------------------------------------ names

    def known(self, text: str) -> Name:
        """A variable or a step by what it is called.

        Raises:
            InputError: there is none of that name.
        """
        found = self.aliases.get(text) or next(
            (name for name in (Name("value", text), Name("variable", text)) if name in self._values), None
        )
        if found is None:
            names = [name.layer for name in (*self.given, *self.steps)]
            raise InputError(
                f'there is no "{text}" in this expression.{did_you_mean(text, names)} There are {listed(names)}'
            )
        return found

    def meaning(self, name: Name) -> str:
        """What a quantity is, in words."""
        return MEANINGS[name.kind]

    def is_given(self, name: Name) -> bool:
        """Whether it is a number of the exercise, not a result."""
        return name.kind == "variable"

    def parse(self, text: str) -> Name:
        """The quantity that a text names: `x`, `h`, `dk/dh` for the result k, `dh/df` for a step h and its input f."""
        above, slash, below = plainly_spelled(text).partition("/")
        below, bar, _ = below.partition("|")
        if not slash:
            return self.known(above)
        if not (above.startswith("d") and below.startswith("d")):
            raise InputError(f'"{text}" is no quantity; derivatives look like d{self.end.layer}/d{self.given[0].layer}')
        return self._derivative(text, self.known(above[1:]), self.known(below[1:]), direct=bool(bar))

    def _derivative(self, text: str, above: Name, below: Name, *, direct: bool) -> Name:
        if above == self.end and not direct:
            name = Name("gradient", below.layer)
            if name not in self._values:
                raise InputError(f'"{text}": no way leads from a variable over {below.layer} to {above.layer}')
            return name
        name = self._slope(above, below)
        if name not in self._values:
            inputs = [n.layer for n in self.steps[above].inputs] if above in self.steps else []
            known = [n for n in inputs if self._slope(above, Name("value", n)) in self._values]
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
        if name.kind == "gradient":
            return f"d{self.end.layer}/d{name.layer}"
        if name.kind == "slope":
            above, _, below = name.layer.partition("/")
            return f"d{above}/d{below}{'|direct' if above == self.end.layer else ''}"
        return name.layer

    def position(self, name: Name) -> Position:
        """Where a quantity stands in the order of computation."""
        return (self._positions[name], 0, 0, 0, ())

    def located(self, name: Name) -> Located:
        """A quantity with its value and its place."""
        return Located(name, self.value(name), self.spelled(name), self.position(name))

    def in_order(self) -> Iterator[Name]:
        """Every computed quantity, in the order of computation."""
        return iter(self._order)

    def gradient_of(self, name: Name) -> Name:
        """The derivative of the result by a variable or a step."""
        if name.kind in ("gradient", "slope"):
            return name
        gradient = Name("gradient", name.layer)
        if gradient not in self._values:
            raise InputError(f'no paths lead from "{name.layer}" to {self.end.layer}; they lead from {self._starts()}')
        return gradient

    def _starts(self) -> str:
        return listed(n.layer for n in (*self.variables, *self.steps) if Name("gradient", n.layer) in self._values)

    def value_of(self, gradient: Name) -> Name:
        """What a derivative is by."""
        return self.known(gradient.layer.rpartition("/")[2]) if gradient.kind in ("gradient", "slope") else gradient


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
