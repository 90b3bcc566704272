"""The dialogue of `chainrule practice --check`: a question, an answer, its mark; hints on demand."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.atomic import replace
from chainrule.cli.mark import STYLES
from chainrule.cli.screen import say
from chainrule.errors import InputError
from chainrule.plain import visible

if TYPE_CHECKING:
    from chainrule.explain.practice.session import Question, Session

STOP = ("q", "quit", "exit")


class Stopped(Exception):
    """The learner stops: q, the end of the input, or Ctrl-C."""


def ask(text: str, path: str, out_file: Path | None, *, again: bool) -> int:
    """Work a sheet at the terminal; the exit status says whether something is wrong.

    After each answer the sheet is saved to `out_file`, so that whatever happens nothing is lost.
    """
    from chainrule.explain.practice.session import Session, summary_lines, work_section
    from chainrule.explain.worksheets.sheet_writing import with_work
    from chainrule.explain.worksheets.worksheet import read_worksheet_text

    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # what is no text is no number either, and is asked for again
    session = Session.of(read_worksheet_text(text, path), again=again)
    before = dict(session.answers)

    def save() -> None:
        if out_file is not None:
            replace(out_file, with_work(text, session.entries).encode())

    save()  # what can't be saved is said before anybody works
    _introduce(session)
    try:
        for question in session.waiting:
            _ask_one(session, question, save)
    except (Stopped, KeyboardInterrupt):
        say("")
    for line in summary_lines(session):
        say(line)
    if out_file is not None:
        say(f"your answers are in {out_file}", stderr=True)
    elif session.answers != before:
        say("your answers, to keep them (--out FILE saves them):", stderr=True)
        say(work_section(session.answers))
    return int(session.marks().counts["wrong"] > 0)


def _introduce(session: Session) -> None:
    from chainrule.explain.practice.session import given_lines

    say((session.work.title or "Practice", "bold"))
    say("")
    for line in given_lines(session.work):
        say(line)
    say("")
    waiting, asked = len(session.waiting), len(session.questions)
    known = f"; {asked - waiting} of {asked} are answered already" if waiting < asked else ""
    say(f"{waiting} number{'s' * (waiting != 1)} to work out{known}. Give them with {session.decimals} decimals.")
    say("? gives a hint, Enter leaves a number out, q stops.")
    say("")


def _ask_one(session: Session, question: Question, save: object) -> None:
    assert callable(save)
    number = session.questions.index(question) + 1
    prompt = visible(f"{number}/{len(session.questions)}  {question.symbol} = ")
    while True:
        text = _line(prompt)
        if text.lower() in STOP:
            raise Stopped
        if text.startswith("?"):
            say((session.hint(question) or "there are no more hints", "cyan"), indent=2)
            continue
        if not text:
            session.leave_out(question)
            return
        try:
            mark = session.answer(question, text)
        except InputError as error:
            say(f"{error}; ? gives a hint, Enter leaves it out, q stops", indent=2)
            continue
        save()
        from chainrule.explain.practice.session import verdict_text

        word, _, rest = verdict_text(mark).partition(":")
        say((word, STYLES[mark.verdict]), f":{rest}" if rest else "", indent=2)
        if mark.verdict == "correct" and (remark := session.remark(question)):
            say(remark, indent=2)
        if mark.verdict != "wrong":
            return
        say("try again, or Enter to go on with it", indent=2)


def _line(prompt: str) -> str:
    """One line of the input, without blanks around it.

    At a terminal it can be edited; from a file or a pipe it is shown, so that what was said can be read afterwards.
    """
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  # arrow keys in `input`
        try:
            return input(prompt).strip()
        except EOFError:
            raise Stopped from None
    line = sys.stdin.readline()
    if not line:
        raise Stopped
    print(f"{prompt}{visible(line.strip())}", flush=True)
    return line.strip()
