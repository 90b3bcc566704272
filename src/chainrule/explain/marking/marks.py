"""The marks of one person's work: an entry for everything written, and the first wrong step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.errors import ChainruleError, InputError, did_you_mean
from chainrule.explain.document.blocks import Table
from chainrule.explain.formula.writer import shown
from chainrule.explain.marking.diagnosis import Diagnosis, diagnose
from chainrule.explain.marking.digits import Written, read_number
from chainrule.explain.marking.verdicts import Judge
from chainrule.explain.quantities.calculation import Calculation
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Located, Quantities
from chainrule.explain.render.text import table_text
from chainrule.plain import shortened, visible

LONGEST_NAME = 200  # characters of a name of which more can be said than that it is none
VERDICTS = ("correct", "follows", "wrong", "unknown")


@dataclass(frozen=True)
class Mark:
    """The verdict on one entry: `exact` and `from_own_values` are None where the name means nothing here."""

    symbol: str
    name: str | None
    written: str
    exact: float | None
    from_own_values: float | None
    verdict: str
    note: str | None = None
    diagnosis: Diagnosis | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**vars(self), "diagnosis": None if self.diagnosis is None else self.diagnosis.to_dict()}


@dataclass(frozen=True)
class Marks:
    """All marks of a sheet, as `mark` makes them.

    Arguments:
        title: of the sheet.
        entries: one mark for each number, in the order of writing.
        first_wrong: the name of the wrong entry that is computed first, None where nothing is wrong.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error")
    >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
    >>> print(model.explain([3.0], [5.0]).mark({"z[output,1]": "7.0", "dL/dz[output,1]": "2", "L": "4"}))
                     written  exact  from own values  verdict
    ---------------------------------------------------------------------
    z[output,1]          7.0      7                7  correct
    dL/dz[output,1]        2      4                4  wrong    factor-two
    L                      4      4                4  correct
    <BLANKLINE>
    The first wrong step is dL/dz[output,1] = 2: a factor of 2 is too many or too few.
    """

    title: str
    entries: tuple[Mark, ...]
    first_wrong: str | None

    @property
    def counts(self) -> dict[str, int]:
        """How many entries have each verdict."""
        return {verdict: sum(entry.verdict == verdict for entry in self.entries) for verdict in VERDICTS}

    @property
    def sentence(self) -> str:
        """One sentence that names the first wrong step."""
        if not self.entries:
            return "Nothing is written down."
        if self.first_wrong is None:
            strange = self.counts["unknown"]
            said = "1 entry has a name that means" if strange == 1 else f"{strange} entries have names that mean"
            return "Nothing is wrong." + (f" {said} nothing here." if strange else "")
        entry = next(e for e in self.entries if e.symbol == self.first_wrong and e.verdict == "wrong")
        assert entry.diagnosis is not None
        return visible(f"The first wrong step is {entry.symbol} = {entry.written}: {entry.diagnosis.text}.")

    def _table(self, *, whole: bool) -> Table:
        """A row for each entry; what was wrong is said as a whole, or by its code."""
        rows = []
        for entry in self.entries:
            numbers = ["" if value is None else shown(value) for value in (entry.exact, entry.from_own_values)]
            why = entry.note or ""
            if entry.diagnosis is not None:
                why = entry.diagnosis.text if whole else entry.diagnosis.code
            rows.append((entry.symbol, entry.written, *numbers, entry.verdict, why))
        return Table(("", "written", "exact", "from own values", "verdict", ""), tuple(rows), (1, 2, 3))

    def __str__(self) -> str:
        table = f"{table_text(self._table(whole=False))}\n\n" if self.entries else ""
        return visible(table + self.sentence, lines=True)

    def __getitem__(self, symbol: str) -> Mark:
        for entry in self.entries:
            if symbol in (entry.symbol, entry.name):
                return entry
        raise KeyError(symbol)

    def _repr_html_(self) -> str:
        from chainrule.explain.render.html import marks_html

        return marks_html(self.title, self._table(whole=True), self.sentence)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that `chainrule mark --json` prints.

        >>> Marks("mine", (), None).to_dict()["quantities"]
        []
        """
        return {
            "title": self.title,
            "quantities": [entry.to_dict() for entry in self.entries],
            "first_wrong": self.first_wrong,
            "counts": self.counts,
        }


def mark(derivation: Calculation[Quantities], work: Mapping[str, Any], symbols: Mapping[str, str | Name]) -> Marks:
    """Mark written numbers, by name or by symbol.

    Raises:
        InputError: an entry is no number, or is not given as text.
    """
    if not isinstance(work, Mapping) or not all(isinstance(symbol, str) for symbol in work):
        raise InputError('give the work as texts by name, {"z[hidden,1]": "0.44"}')
    graph, entries, made = derivation.graph, dict[str, tuple[Located, Written]](), dict[str, Mark]()
    for symbol, given in work.items():
        if isinstance(given, str) and not given.strip():
            continue
        written = _number(symbol, given)
        named = symbols.get(symbol, symbol)
        try:
            entries[symbol] = graph.located(graph.parse(named) if isinstance(named, str) else named), written
        except ChainruleError as error:
            near = did_you_mean(symbol, symbols)
            why = f'"{shortened(symbol)}" is no symbol of this sheet.{near}'
            why = str(error) if not near and len(symbol) <= LONGEST_NAME else why
            made[symbol] = Mark(symbol, None, written.text.strip(), None, None, "unknown", why)
    # where one quantity was written twice, later ones are recomputed from the first
    first_of: dict[Name, Written] = {}
    for located, written in entries.values():
        first_of.setdefault(located.name, written)
    judge = Judge(graph, first_of, {located.name: located.value for located, _ in entries.values()})
    ordered = sorted(entries, key=lambda symbol: entries[symbol][0].position)
    for symbol in ordered:
        made[symbol] = _mark_one(derivation, judge, symbol, *entries[symbol])
    first = next((symbol for symbol in ordered if made[symbol].verdict == "wrong"), None)
    return Marks(derivation.title, tuple(made[symbol] for symbol in work if symbol in made), first)


def _number(symbol: str, given: Any) -> Written:
    if not isinstance(given, str):
        raise InputError(
            f'"{shortened(symbol)}" is {shortened(given)}: give it as text, "{shortened(given)}"; '
            "the digits decide how exactly it is marked"
        )
    try:
        return read_number(given)
    except InputError as error:
        raise InputError(f"{shortened(symbol)}: {error}") from None


def _mark_one(
    derivation: Calculation[Quantities], judge: Judge, symbol: str, located: Located, written: Written
) -> Mark:
    name = located.name
    if judge.entries[name].text != written.text:  # written again
        words = judge.words
        judge = Judge(derivation.graph, {**judge.entries, name: written}, judge.exact)
        judge.words = words
    verdict = judge.judge(name)
    return Mark(
        symbol, located.spelled, written.text.strip(), located.value, verdict.from_own, verdict.word, verdict.note,
        diagnose(judge, name, derivation.notation.text) if verdict.word == "wrong" else None,
    )  # fmt: skip
