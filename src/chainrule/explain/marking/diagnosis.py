"""What went wrong in a wrong entry: the mistakes that give the number that was written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chainrule.explain.formula.writer import shown
from chainrule.explain.marking.digits import Written, agreement
from chainrule.explain.marking.mistakes.attempt import Attempt
from chainrule.explain.marking.mistakes.catalogue import CATALOGUE, made_in
from chainrule.explain.marking.verdicts import Judge
from chainrule.explain.network.graph import Graph
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.rounding import Spread

DEPTH = 24  # unwritten quantities behind an entry in which a mistake is looked for


@dataclass(frozen=True)
class Diagnosis:
    """The mistake that a wrong entry shows, and others that would give the same number within the digits written."""

    code: str
    text: str
    also: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {"code": self.code, "text": self.text, "also": list(self.also)}


def diagnose(judge: Judge, name: Name, symbol: Callable[[Name], str] = str) -> Diagnosis:
    """The mistakes that explain an entry, in the catalogue's order; those made in the entry itself come first.

    Arguments:
        symbol: how to call the quantity in which a mistake was made, where that is not the entry itself.
    """
    written = judge.entries[name]
    if not judge.graph.recipes(name):
        return Diagnosis("arithmetic", "this is given in the exercise, and was copied wrongly")
    if not isinstance(judge.graph, Graph):  # the catalogue is of the mistakes that networks invite
        return Diagnosis("arithmetic", _off_by(judge, name, written))
    if any(agreement(written, spread) for _, _, spread in judge.recomputed(name)):  # wrong by the guard alone
        return Diagnosis(
            "arithmetic",
            "a wrong 0 before it wipes the calculation out, so this 0 shows nothing of the method: off by "
            f"{shown(written.value - judge.exact[name], 3)} ({shown(judge.exact[name], 4)} would be right)",
        )
    found: dict[str, Name] = {}
    for attempts in (_own_attempts(judge, name), _hidden_attempts(judge, name)):
        near: dict[str, Name] = {}
        for code, how, place in _matches(written, list(attempts)):
            (found if how == "exact" else near).setdefault(code, place)
        found |= {code: place for code, place in near.items() if code not in found}
        if found:
            break
    if not found:
        return Diagnosis("arithmetic", _off_by(judge, name, written))
    first, *also = found
    text = CATALOGUE[first].text
    if found[first] != name:
        text = f"there may be a mistake in {symbol(found[first])}, which is not written down: {text}"
    return Diagnosis(first, text, tuple(also))


Results = list[tuple[str, Spread, Name]]


def _matches(written: Written, results: Results) -> Iterator[tuple[str, str, Name]]:
    order = {code: i for i, code in enumerate(CATALOGUE)}
    for code, spread, place in sorted(results, key=lambda result: order[result[0]]):
        if math.isfinite(spread.low) and math.isfinite(spread.high):
            how = agreement(written, spread)
            if how is not None:
                yield code, how, place


def _own_attempts(judge: Judge, name: Name) -> Iterator[tuple[str, Spread, Name]]:
    """The entry with one mistake made in it, by every route."""
    assert isinstance(judge.graph, Graph)
    for view in judge.views:
        for recipe in judge.graph.recipes(name):
            yield from ((code, spread, name) for code, spread in made_in(Attempt(judge.graph, name, view, recipe)))


def _hidden_attempts(judge: Judge, name: Name) -> Iterator[tuple[str, Spread, Name]]:
    """The entry with one mistake made in something before it that was not written down."""
    view, graph = judge.views[0], judge.graph
    assert isinstance(graph, Graph)
    for recipe in graph.recipes(name):
        for hidden, before in view.unwritten(recipe, DEPTH).items():
            for code, spread in made_in(Attempt(graph, hidden, view, before)):
                yield code, view.trying({hidden: spread}).carried(recipe), hidden


def _off_by(judge: Judge, name: Name, written: Written) -> str:
    right = next((spread.point for _, _, spread in judge.recomputed(name)), judge.exact[name])
    difference = written.value - right
    text = f"arithmetic: off by {shown(difference, 3)} ({shown(right, 4)} would be right)"
    if right:
        text += f", {shown(100 * difference / abs(right), 3)} %"
    return text
