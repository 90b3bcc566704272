"""A quantity recomputed from the writer's own entries; what was not written down is itself recomputed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chainrule.explain.marking.digits import ROUNDING, Precision, Written
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Products, Quantities, Recipe
from chainrule.explain.quantities.rounding import Spread


@dataclass
class OwnValues:
    """What the writer had in hand: entries as written, the rest recomputed from them by one of the routes.

    Arguments:
        exact: the right value of every entry.
        route: which recipe to take for what was not written down, where there are several.
        precision: how far what was not written down is taken to have been rounded.
        instead: values that take the place of what would be found, for trying out a mistake.
    """

    graph: Quantities
    entries: Mapping[Name, Written]
    exact: Mapping[Name, float]
    precision: Precision
    route: int = 0
    instead: Mapping[Name, Spread] = field(default_factory=dict)
    _found: dict[Name, Spread] = field(default_factory=dict)
    _recipes: dict[Name, Recipe | None] = field(default_factory=dict)

    def lookup(self, name: Name) -> Spread:
        """The number that the writer calculated with."""
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._look(name)
        return found

    def _look(self, name: Name) -> Spread:
        if name in self.instead:
            return self.instead[name]
        if name in self.entries:
            written = self.entries[name]
            return Spread.exact(written.value) if self._was_not_rounded(name, written) else written.spread
        recipe = self.recipe(name)
        if recipe is None:
            return Spread.exact(self.graph.value(name))
        spread = self.carried(recipe)
        # a whole number such as the slope 1 of a linear unit has nothing to be rounded
        if is_copy(recipe) or (spread.low == spread.high and float(spread.point).is_integer()):
            return spread
        return spread.widened(self.precision.radius(spread.point))

    def _was_not_rounded(self, name: Name, written: Written) -> bool:
        """Whether an entry is right to every digit, and so is all that it comes from: that 7 stands for no 7.3."""
        if not abs(self.exact[name] - written.value) <= ROUNDING * abs(written.value):
            return False
        recipe = self.recipe(name)
        return recipe is None or all(self.lookup(source).radius == 0 for source in self.sources(recipe))

    def carried(self, recipe: Recipe, instead: Mapping[Name, Spread] | None = None) -> Spread:
        """What a recipe gives from the writer's numbers, other ones taken in place of some."""
        taken = instead or {}
        return recipe.carry({name: taken[name] if name in taken else self.lookup(name) for name in recipe.inputs})

    def recipe(self, name: Name) -> Recipe | None:
        """The recipe by which something unwritten is recomputed; None for what is given."""
        if name not in self._recipes:
            recipes = self.graph.recipes(name)
            self._recipes[name] = recipes[min(self.route, len(recipes) - 1)] if recipes else None
        return self._recipes[name]

    def trying(self, instead: Mapping[Name, Spread]) -> OwnValues:
        """The same with other values in some places."""
        return replace(self, instead={**self.instead, **instead}, _found={})

    def sources(self, recipe: Recipe) -> set[Name]:
        """The entries that a recipe goes back to, through whatever was not written down."""
        found: set[Name] = set()
        seen: set[Name] = set()
        waiting = list(recipe.inputs)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.entries:
                found.add(name)
            elif (before := self.recipe(name)) is not None:
                waiting += before.inputs
        return found

    def unwritten(self, recipe: Recipe, limit: int) -> dict[Name, Recipe]:
        """What a recipe goes back to that was not written down, nearest first, at most `limit`."""
        found: dict[Name, Recipe] = {}
        waiting = list(recipe.inputs)
        while waiting and len(found) < limit:
            name = waiting.pop(0)
            if name not in self.entries and name not in found and (before := self.recipe(name)) is not None:
                found[name] = before
                waiting += before.inputs
        return found


def is_copy(recipe: Recipe) -> bool:
    """Whether a quantity is just another one: nobody rounds when copying."""
    return (
        isinstance(recipe, Products)
        and len(recipe.parts) <= 1
        and all(part.coefficient == 1 and len(part.factors) <= 1 for part in recipe.parts)
    )
