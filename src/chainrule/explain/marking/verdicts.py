"""The verdict on an entry: correct, follows from an earlier mistake, or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from chainrule.explain.marking.digits import Precision, Written, agreement
from chainrule.explain.marking.own_values import OwnValues
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Quantities, Recipe
from chainrule.explain.quantities.rounding import Spread

CARRIED, TRUNCATED = "rounding carried", "truncated"


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
        agreements = [(agreement(written, spread), view, recipe) for view, recipe, spread in found]
        for how, view, recipe in agreements:
            if how in ("exact", "carried") and not self._tainted(view, recipe):
                return Verdict("correct", CARRIED, own)
        if to_exact == "truncated":
            return Verdict("correct", TRUNCATED, own)
        for how, view, recipe in agreements:
            if how == "truncated" and not self._tainted(view, recipe):
                return Verdict("correct", TRUNCATED, own)
        for (how, view, recipe), (_, _, spread) in zip(agreements, found, strict=True):
            if how is not None and self._tainted(view, recipe):
                if self._is_trivial(name, view, recipe):
                    continue
                return Verdict("follows", TRUNCATED if how == "truncated" else None, spread.point)
        return Verdict("wrong", None, own)

    def recomputed(self, name: Name) -> Iterator[tuple[OwnValues, Recipe, Spread]]:
        """The entry recomputed from the writer's others by every standard route."""
        recipes = self.graph.recipes(name)
        for recipe in recipes:
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
