"""The verdict on an entry: correct, follows from an earlier mistake, or wrong.

To know, quantities are recomputed from the writer's own entries; what was not written down is itself recomputed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from chainrule.explain.marking.digits import ROUNDING, Precision, Written, agreement
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Products, Quantities, Recipe, Spread

CARRIED, TRUNCATED = "rounding carried", "truncated"


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


@dataclass(frozen=True)
class Verdict:
    """What an entry is, with a note where it is correct but not to the last digit."""

    word: str
    note: str | None
    from_own: float


class Judge:
    """Judges entries one after another, in the order of computation.

    An entry is `correct` where its digits are those of the right value, or of a recipe with the writer's own entries
    of which none is wrong. It `follows` where its digits are those of a recipe with the writer's own entries of which
    one is wrong or follows itself, unless a wrong zero wiped the calculation out. Anything else is `wrong`.

    Arguments:
        entries: what was written, by name.
        exact: the right values, where they are known already.
    """

    def __init__(self, graph: Quantities, entries: Mapping[Name, Written], exact: Mapping[Name, float] | None = None):
        self.graph = graph
        self.entries = dict(entries)
        self.exact = exact or {name: graph.value(name) for name in entries}
        self.precision = Precision.of(self.entries.values())
        unit = max((e.unit for e in self.entries.values() if e.decimals > 0), default=1.0)
        for name, entry in self.entries.items():  # a bare 0 has no digits of its own: it is read as the others are
            if entry.value == 0 and entry.decimals <= 0:
                self.entries[name] = Written(entry.text, 0.0, unit, 0, entry.decimals)
        self.views = [OwnValues(graph, self.entries, self.exact, self.precision, route) for route in (0, 1)]
        self.words: dict[Name, str] = {}

    def judge(self, name: Name) -> Verdict:
        """The verdict on one entry; those that come before it must have been judged."""
        verdict = self._judge(name)
        self.words[name] = verdict.word
        return verdict

    def _judge(self, name: Name) -> Verdict:
        written, exact = self.entries[name], self.exact[name]
        routes = self.recomputed(name)
        found = list(islice(routes, 1))
        if not found:  # a number of the exercise, copied
            right = abs(written.value - exact) <= written.radius
            return Verdict("correct" if right else "wrong", None, exact)
        own = found[0][2].point
        to_exact = agreement(written, Spread(exact, exact, exact))
        if to_exact == "exact":
            return Verdict("correct", None, own)
        found += routes
        agreed = [(how, *route) for route in found if (how := agreement(written, route[2])) is not None]
        clean = {how for how, view, recipe, _ in agreed if not self._tainted(view, recipe)}
        if clean & {"exact", "carried"}:
            return Verdict("correct", CARRIED, own)
        if to_exact == "truncated" or clean:
            return Verdict("correct", TRUNCATED, own)
        for how, view, recipe, spread in agreed:
            if not self._is_trivial(name, view, recipe):
                return Verdict("follows", TRUNCATED if how == "truncated" else None, spread.point)
        return Verdict("wrong", None, own)

    def recomputed(self, name: Name) -> Iterator[tuple[OwnValues, Recipe, Spread]]:
        """The entry recomputed from the writer's others by every standard route."""
        for recipe in self.graph.recipes(name):
            for view in self.views:
                yield view, recipe, view.carried(recipe)

    def _tainted(self, view: OwnValues, recipe: Recipe) -> bool:
        """Whether one of the entries that a recipe goes back to is wrong, or follows from one that is."""
        return any(self.words.get(source) in ("wrong", "follows") for source in view.sources(recipe))

    def _is_trivial(self, name: Name, view: OwnValues, recipe: Recipe) -> bool:
        """Whether a wrong zero wiped the calculation out, so that a zero here shows nothing of the method."""
        if self.entries[name].value != 0 or self.exact[name] == 0:
            return False
        return any(
            self.entries[source].value == 0 and self.exact[source] != 0 and self.words.get(source) != "correct"
            for source in view.sources(recipe)
        )
