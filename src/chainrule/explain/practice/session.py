"""Working a sheet step by step: one question after another, each answer marked at once, hints one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chainrule.errors import ChainruleError
from chainrule.explain.derivation import Derivation
from chainrule.explain.document.blocks import Document
from chainrule.explain.document.of_network import given
from chainrule.explain.formula.tree import with_values
from chainrule.explain.formula.writer import formula_text, shown
from chainrule.explain.marking.digits import read_number
from chainrule.explain.marking.marks import Mark, Marks
from chainrule.explain.marking.verdicts import Judge
from chainrule.explain.practice.round_numbers import asked_names, decimals_for, rounded
from chainrule.explain.quantities.names import Name
from chainrule.explain.render.text import to_text
from chainrule.explain.worksheets.sheet_writing import quoted
from chainrule.explain.worksheets.worksheet import Worksheet

COARSE = 50  # times the last place asked for: answers in units above that get a remark


@dataclass(frozen=True)
class Question:
    """One number that is asked for: what the sheet calls it, its name, and what it is in words."""

    symbol: str
    name: Name
    meaning: str


@dataclass
class Session:
    """One working of a sheet.

    It asks for what `[work]` names, or for everything that takes a calculation where that is empty, in the order of
    computation. What is answered already isn't asked again.

    >>> from chainrule.explain.practice.exercise import Exercise
    >>> session = Session.of(Exercise((1, 1), seed=3).sheet)
    >>> question = session.waiting[0]
    >>> session.hint(question)
    'z = x W + b'
    >>> session.answer(question, "99").verdict
    'wrong'
    """

    sheet: Worksheet
    work: Derivation
    questions: tuple[Question, ...]
    answers: dict[str, str]
    left_out: set[str] = field(default_factory=set)
    hints: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)  # the verdict on the first answer to each question

    @classmethod
    def of(cls, sheet: Worksheet, *, again: bool = False) -> Session:
        """A session on a sheet that goes on where its `[work]` stops; `again` asks for everything anew."""
        work = sheet.derivation()
        kept = {symbol: text for symbol, text in sheet.work.items() if text.strip() and not again}
        return cls(sheet, work, questions_of(sheet, work), kept)

    @property
    def waiting(self) -> list[Question]:
        """What is still to be asked, in the order of computation."""
        return [q for q in self.questions if q.symbol not in self.answers and q.symbol not in self.left_out]

    @property
    def decimals(self) -> int:
        """How many decimals show every number that is asked for."""
        return decimals_for(self.work, [question.name for question in self.questions])

    def answer(self, question: Question, text: str) -> Mark:
        """Mark an answer, beside all those given before, and keep it.

        Raises:
            InputError: it is no number.
        """
        read_number(text)
        self.answers[question.symbol] = text.strip()
        mark = self.marks()[question.symbol]
        self.first.setdefault(question.symbol, mark.verdict)
        return mark

    def remark(self, question: Question) -> str | None:
        """What else is to be said about a correct answer: that its digits are too few to show much."""
        written = read_number(self.answers[question.symbol])
        is_exact = abs(written.value - self.work.graph.value(question.name)) <= written.unit * 1e-6
        if written.unit <= COARSE * 10.0**-self.decimals or is_exact:
            return None
        return f"few digits show little: {self.decimals} decimals are asked for"

    def leave_out(self, question: Question) -> None:
        """Go on without an answer, or with the one that was given."""
        self.left_out.add(question.symbol)

    def hint(self, question: Question) -> str | None:
        """The next hint: the general formula, the formula with numbers, the value; None where all were given."""
        hints = self._hints(question)
        given = self.hints.get(question.symbol, 0)
        if given >= len(hints):
            return None
        self.hints[question.symbol] = given + 1
        return hints[given]

    def _hints(self, question: Question) -> list[str]:
        quantity = self.work[question.name]
        hints = [quantity.general] if quantity.general else []
        formula = quantity.routes[0].formula if quantity.routes else None
        if formula is not None:  # with the learner's own numbers where there are some
            own = self._judge().views[0].lookup
            symbol, digits = self.work.notation.symbol, self.work.digits
            numbers = formula_text(with_values(formula, lambda name: own(name).point), symbol, digits)
            hints.append(" = ".join(dict.fromkeys([question.symbol, formula_text(formula, symbol), numbers])))
        return [*hints, f"{question.symbol} = {self._value(question)}"]

    def _value(self, question: Question) -> str:
        """The value, and what follows from the learner's own numbers where that is something else."""
        exact = self.work.graph.value(question.name)
        own = next((spread.point for _, _, spread in self._judge().recomputed(question.name)), exact)
        text = rounded(exact, self.decimals)
        if abs(own - exact) <= 2 * 10.0**-self.decimals:
            return text
        return f"{text}; from your own numbers {rounded(own, self.decimals)}"

    def _judge(self) -> Judge:
        answered = (question for question in self.questions if question.symbol in self.answers)
        return Judge(self.work.graph, {q.name: read_number(self.answers[q.symbol]) for q in answered})

    def marks(self) -> Marks:
        """The marks of everything answered so far."""
        return self.work.mark(self.answers)

    @property
    def entries(self) -> dict[str, str]:
        """What belongs into `[work]`: every question, its answer where there is one, and what stood there besides."""
        return {**dict.fromkeys((q.symbol for q in self.questions), ""), **self.answers}


def questions_of(sheet: Worksheet, work: Derivation) -> tuple[Question, ...]:
    """What a sheet asks for, in the order of computation."""
    wanted = {symbol: _resolved(work, sheet.symbols.get(symbol, symbol)) for symbol in sheet.work}
    named = {name: symbol for symbol, name in wanted.items() if name is not None and not work.graph.is_given(name)}
    if not named:
        own = {_resolved(work, name): symbol for symbol, name in sheet.symbols.items()}
        named = {name: own.get(name, str(name)) for name in asked_names(work)}
    ordered = sorted(named, key=lambda name: work.graph.position(name))
    return tuple(Question(named[name], name, work.graph.meaning(name)) for name in ordered)


def _resolved(work: Derivation, text: str) -> Name | None:
    try:
        name = work.graph.parse(text)
        work.graph.value(name)
    except ChainruleError:
        return None
    return name


def verdict_text(mark: Mark) -> str:
    """What is said about an answer; a plain slip of arithmetic is named without the number that would be right."""
    if mark.verdict == "correct":
        return f"correct ({mark.note})" if mark.note else "correct"
    if mark.verdict == "follows":
        return "follows: right for your own earlier numbers, one of which is wrong"
    if mark.diagnosis is None:
        return f"unknown: {mark.note}"
    if mark.diagnosis.code == "arithmetic":
        return "wrong: no known mistake of method gives this number, so look for a slip in the arithmetic"
    also = f" (or {', '.join(mark.diagnosis.also)})" if mark.diagnosis.also else ""
    return f"wrong: {mark.diagnosis.code}{also}. {mark.diagnosis.text[0].upper()}{mark.diagnosis.text[1:]}"


def given_lines(work: Derivation) -> list[str]:
    """What the exercise gives: inputs, targets, weights and biases."""
    return to_text(Document("", work.notation, work.digits, [given(work.graph)])).splitlines()


def summary_lines(session: Session) -> list[str]:
    """How it went: what is right, what not, hints, and the first wrong step."""
    marks = session.marks()
    answered = sum(question.symbol in session.answers for question in session.questions)
    parts = [f"{n} {word}" for word, n in marks.counts.items() if n and word != "unknown"]
    lines = [f"{answered} of {len(session.questions)} answered" + (f": {', '.join(parts)}" if parts else "") + "."]
    repaired = sum(verdict == "wrong" and marks[symbol].verdict != "wrong" for symbol, verdict in session.first.items())
    hints = sum(session.hints.values())
    if repaired:
        lines.append(f"{repaired} set right after a first try that was wrong.")
    if hints:
        lines.append(f"{hints} hint{'s' * (hints > 1)} taken, for {shown(len(session.hints))} of the numbers.")
    if marks.first_wrong is not None:
        wrong = marks[marks.first_wrong]
        lines.append(
            f"The first wrong step is {wrong.symbol} = {wrong.written}: {verdict_text(wrong).removeprefix('wrong: ')}."
        )
    elif answered:
        lines.append(marks.sentence)
    return lines


def work_section(entries: Mapping[str, str]) -> str:
    """Answers as a sheet's `[work]`, to be kept by hand."""
    return "\n".join(["[work]", *(f"{quoted(symbol)} = {quoted(text)}" for symbol, text in entries.items() if text)])
