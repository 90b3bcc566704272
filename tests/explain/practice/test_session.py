"""Working a sheet: questions in order, marks at once, hints one at a time, errors carried forward."""

from __future__ import annotations

from pathlib import Path

import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule import InputError
from chainrule.explain.practice.exercise import Exercise
from chainrule.explain.practice.session import Session, given_lines, summary_lines, verdict_text
from chainrule.explain.worksheets.worksheet import Worksheet, read_worksheet, read_worksheet_text

SHEETS = Path(__file__).parents[3] / "examples" / "worksheets"


def sheet() -> Worksheet:
    return Exercise((2, 2, 1), loss="binary_cross_entropy", seed=7).sheet


@examples(15)
@given(seed=st.integers(0, 1000), rows=st.integers(1, 2))
def test_answering_from_the_key_is_right_all_the_way(seed: int, rows: int) -> None:
    exercise = Exercise((2, 2, 1), activation="tanh", rows=rows, seed=seed)
    session = Session.of(exercise.sheet)
    places = [session.work.graph.position(question.name) for question in session.questions]
    assert places == sorted(places)
    for i, question in enumerate(session.questions):
        if i % 5 == 0:
            assert session.answer(question, exercise.answers[question.symbol]).verdict == "correct"
        else:
            session.answers[question.symbol] = exercise.answers[question.symbol]
    assert session.waiting == []
    assert session.entries == exercise.answers
    assert session.marks().counts["correct"] == len(exercise.answers)


def test_a_wrong_answer_is_diagnosed_and_what_is_built_on_it_follows() -> None:
    session = Session.of(sheet())
    by_symbol = {question.symbol: question for question in session.questions}
    z = session.work["z[hidden,1]"].value
    mark = session.answer(by_symbol["z[hidden,1]"], f"{-z:.4f}")
    assert (mark.verdict, mark.diagnosis.code) == ("wrong", "sign-flipped")
    h = 1 / (1 + 2.718281828459045**z)
    assert session.answer(by_symbol["h[hidden,1]"], f"{h:.4f}").verdict == "follows"
    assert session.answer(by_symbol["z[hidden,1]"], f"{z:.4f}").verdict == "correct"
    assert session.marks()["h[hidden,1]"].verdict == "wrong"  # the correction leaves it without its excuse
    assert any("1 set right" in line for line in summary_lines(session))


def test_hints_come_one_by_one_and_use_the_own_numbers() -> None:
    session = Session.of(sheet())
    z, _, h = session.questions[:3]
    session.answer(z, "2")
    hints = [session.hint(h) for _ in range(4)]
    assert hints[0] == "h = 1 / (1 + exp(-z))"
    assert hints[1].endswith("= 1/(1 + exp(-2))")
    exact = session.work[h.name].value
    assert hints[2].startswith(f"h[hidden,1] = {exact:.4f}; from your own numbers 0.88")
    assert hints[3] is None
    assert "3 hints taken, for 1" in " ".join(summary_lines(session))


@examples(10)
@given(seed=st.integers(0, 500), loss=st.sampled_from(["squared_error", "cross_entropy", "huber", "poisson"]))
def test_the_last_hint_is_the_value_for_every_question(seed: int, loss: str) -> None:
    exercise = Exercise((2, 2, 2), loss=loss, optimizer="adam", seed=seed)
    session = Session.of(exercise.sheet)
    for question in session.questions:
        hints = []
        while (hint := session.hint(question)) is not None:
            hints.append(hint)
        assert hints[-1] == f"{question.symbol} = {exercise.answers[question.symbol]}"
        assert 2 <= len(hints) <= 3


def test_a_plain_slip_is_named_without_the_number_that_would_be_right() -> None:
    session = Session.of(sheet())
    mark = session.answer(session.questions[0], "0.1234")
    assert mark.diagnosis.code == "arithmetic"
    assert f"{session.work[session.questions[0].name].value:.3g}" not in verdict_text(mark)


def test_the_summary_names_the_first_wrong_step_without_giving_it_away() -> None:
    session = Session.of(sheet())
    session.answer(session.questions[1], "0.1234")
    session.answer(session.questions[0], "0.4321")
    assert summary_lines(session)[-1].startswith("The first wrong step is z[hidden,1] = 0.4321: no known mistake")


@pytest.mark.parametrize(("text", "coarse"), [("0.4", True), ("0.41", True), ("0.409", False), ("0.4086", False)])
def test_few_digits_are_remarked_on(text: str, coarse: bool) -> None:
    session = Session.of(sheet())
    h = session.questions[2]
    assert f"{session.work[h.name].value:.4f}" == "0.4085"
    session.answer(h, text)
    assert (session.remark(h) is not None) is coarse
    z = session.questions[0]  # -0.37 is all there is
    session.answer(z, "-0.37")
    assert session.remark(z) is None


def test_a_sheet_asks_for_its_own_symbols_and_goes_on_where_it_stopped() -> None:
    read = read_worksheet(SHEETS / "two_sigmoid_units.toml")
    assert [question.symbol for question in Session.of(read).waiting] == ["b0+"]  # all else was written
    again = Session.of(read, again=True)
    assert [question.symbol for question in again.waiting][:4] == ["Z1", "Z2", "H1", "H2"]
    assert len(again.waiting) == len(read.work)
    answer = again.answer(next(q for q in again.questions if q.symbol == "dL/dO"), "-0.262")
    assert answer.diagnosis.code == "delta-for-output-gradient"


def test_a_sheet_without_work_is_asked_for_everything_in_its_symbols() -> None:
    text = (SHEETS / "two_sigmoid_units.toml").read_text(encoding="utf-8")
    session = Session.of(read_worksheet_text(text[: text.index("[work]")]))
    symbols = [question.symbol for question in session.questions]
    assert symbols[:2] == ["Z1", "Z2"]
    assert "W+[hidden,1,1]" in symbols  # what the author has no symbol for
    assert len(set(symbols)) == len(symbols)


def test_left_out_numbers_are_not_asked_again_and_no_number_is_kept_that_is_none() -> None:
    session = Session.of(sheet())
    first = session.waiting[0]
    with pytest.raises(InputError, match="is no number"):
        session.answer(first, "about one")
    assert session.answers == {}
    session.leave_out(first)
    assert first not in session.waiting
    assert session.entries[first.symbol] == ""
    assert summary_lines(session) == [f"0 of {len(session.questions)} answered."]


def test_what_is_given_is_shown() -> None:
    lines = given_lines(Session.of(sheet()).work)
    assert lines[0] == "x = [0.8 0.3]"
    assert any(line.startswith("W hidden = [") for line in lines)
