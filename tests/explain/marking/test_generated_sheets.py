"""Marking on generated work: no false alarm, the first wrong entry found, the mistake named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
from explain.generated_sheets import CASES, Writer, random_derivation

from chainrule.explain.marking.digits import agreement, read_number
from chainrule.explain.marking.verdicts import Judge
from chainrule.explain.network.graph import parse
from chainrule.explain.quantities.recipes import Spread


@dataclass
class Score:
    sheets: int = 0
    alarms: list[str] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)  # too small to be seen in the digits written
    first: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)


def honest(rng: np.random.Generator, score: Score) -> None:
    work = random_derivation(rng)
    writer = Writer(
        rng,
        work,
        int(rng.integers(2, 7)),
        bool(rng.random() < 0.5),
        bool(rng.random() < 0.3),
        float(rng.uniform(0, 0.6)),
    )
    marks = work.mark(writer.write())
    score.sheets += 1
    score.alarms += [
        f"{e.symbol} written {e.written} exact {e.exact} own {e.from_own_values} ({writer.digits} digits, "
        f"carries {writer.carries}, mixed {writer.mixed}) {work.model}"
        for e in marks.entries
        if e.verdict != "correct"
    ]


def with_a_mistake(rng: np.random.Generator, score: Score) -> None:
    work = random_derivation(rng)
    names = list(work.graph.in_order())
    cases = [
        (code, make, fitting) for code, fits, make in CASES if (fitting := [n for n in names if fits(work.graph, n)])
    ]
    codes = sorted({code for code, _, _ in cases})
    wanted = codes[rng.integers(len(codes))]
    code, make, fitting = next(case for case in cases if case[0] == wanted)
    name = fitting[rng.integers(len(fitting))]
    writer = Writer(
        rng, work, int(rng.integers(2, 7)), bool(rng.random() < 0.5), False, float(rng.uniform(0, 0.6)), name, make
    )
    try:
        entries = writer.write()
    except (ZeroDivisionError, OverflowError, ValueError):
        return
    if not all(np.isfinite(float(text)) and abs(float(text)) < 1e6 for text in entries.values()):
        return
    score.injected[code] += 1
    written = {parse(symbol): read_number(text) for symbol, text in entries.items()}
    judge = Judge(work.graph, written)
    spreads = [Spread.exact(work.graph.value(name)), *(spread for _, _, spread in judge.recomputed(name))]
    if any(agreement(judge.entries[name], spread) for spread in spreads):
        score.hidden[code] += 1
        return
    marks = work.mark(entries)
    mark = marks[str(name)]
    found = [] if mark.diagnosis is None else [mark.diagnosis.code, *mark.diagnosis.also]
    score.first[code] += marks.first_wrong == str(name)
    score.named[code] += code in found
    if marks.first_wrong != str(name) or code not in found:
        score.misses.append(
            f"{code} in {name} = {entries[str(name)]}: first {marks.first_wrong}, {mark.verdict} {found}"
        )


def run(sheets: int, seed: int) -> Score:
    score = Score()
    rng = np.random.default_rng(seed)
    for i in range(sheets):
        honest(rng, score) if i % 2 == 0 else with_a_mistake(rng, score)
    return score


def report(score: Score) -> str:
    seen = sum(score.injected.values()) - sum(score.hidden.values())
    lines = [
        f"{score.sheets} honest sheets, {len(score.alarms)} false alarms; {seen} visible mistakes: first wrong entry "
        f"{sum(score.first.values())}, named {sum(score.named.values())}"
    ]
    for code in sorted(score.injected):
        n = score.injected[code] - score.hidden[code]
        lines.append(
            f"  {code:32} {score.injected[code]:4} injected {n:4} visible {score.first[code]:4} first "
            f"{score.named[code]:4} named"
        )
    return "\n".join([*lines, *score.alarms[:12], *score.misses[:40]])


def check(score: Score) -> None:
    seen = sum(score.injected.values()) - sum(score.hidden.values())
    assert not score.alarms, report(score)
    assert sum(score.first.values()) >= 0.995 * seen, report(score)
    assert sum(score.named.values()) >= 0.95 * seen, report(score)


def test_a_hundred_sheets() -> None:
    check(run(100, seed=1))


@pytest.mark.slow
def test_two_thousand_honest_sheets_and_two_thousand_with_a_mistake() -> None:
    check(run(4000, seed=20261120))
