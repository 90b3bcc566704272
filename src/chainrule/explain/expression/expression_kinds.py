"""What belongs to a kind of quantity of an expression: how it is called, what it comes from, what it is by."""

from __future__ import annotations

from typing import NamedTuple

from chainrule.explain.expression.local import slope_recipes, value_recipes
from chainrule.explain.expression.step import Step
from chainrule.explain.expression.ways import Ways
from chainrule.explain.quantities.names import Kind, Name
from chainrule.explain.quantities.recipes import Part, Products, Recipe

CHAIN = "dy/dv = sum over readers r of v: dy/dr dr/dv"


class Ends(NamedTuple):
    """What a derivative is of and by; `note` tells apart what would be written alike."""

    above: str
    below: str
    note: str = ""


class ExpressionKind(Kind):
    """A kind of quantity, asked about one of them in an expression."""

    def ends(self, ways: Ways, name: Name) -> Ends | None:
        """Of a derivative, what it is of and by."""
        return None

    def recipes(self, ways: Ways, name: Name) -> tuple[Recipe, ...]:
        """The ways to compute it; none for what is given."""
        return ()

    def step(self, ways: Ways, name: Name) -> Step:
        """The step that it belongs to."""
        return ways.steps[name]


class Value(ExpressionKind):
    """What a step comes to."""

    def recipes(self, ways: Ways, name: Name) -> tuple[Recipe, ...]:
        return value_recipes(ways.steps[name])


class Slope(ExpressionKind):
    """The derivative of one step by one of its inputs, the others held."""

    def ends(self, ways: Ways, name: Name) -> Ends:
        above, _, below = name.layer.partition("/")
        return Ends(above, below, "direct" if above == ways.end.layer else "")

    def recipes(self, ways: Ways, name: Name) -> tuple[Recipe, ...]:
        return slope_recipes(self.step(ways, name), ways.known(self.ends(ways, name).below))

    def step(self, ways: Ways, name: Name) -> Step:
        return ways.steps[Name("value", self.ends(ways, name).above)]


class Gradient(ExpressionKind):
    """The derivative of the result by a variable or a step, over all ways."""

    def ends(self, ways: Ways, name: Name) -> Ends:
        return Ends(ways.end.layer, name.layer)

    def recipes(self, ways: Ways, name: Name) -> tuple[Recipe, ...]:
        value = ways.known(name.layer)
        readers = ways.readers[value]
        if readers == [ways.end]:
            return slope_recipes(ways.steps[ways.end], value)
        parts = []
        for reader in readers:
            slope = ways.slope(reader, value)
            outer = slope if reader == ways.end else Name("gradient", reader.layer)
            parts.append(Part(tuple(dict.fromkeys((outer, slope))), outer=outer))
        return (Products(tuple(parts), CHAIN),)

    def step(self, ways: Ways, name: Name) -> Step:
        return ways.steps[ways.readers[ways.known(name.layer)][0]]


KINDS = {
    "variable": ExpressionKind("variable", "given"),
    "value": Value("value", "value"),
    "slope": Slope("slope", "local derivative"),
    "gradient": Gradient("gradient", "derivative of the result"),
}
