"""`chainrule practice`: new sheets and keys, and the dialogue over a pipe; nothing that was answered is lost."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from chainrule.explain.practice.exercise import Exercise

SHEETS = Path(__file__).parents[2] / "examples" / "worksheets"
NEW = ("practice", "--network", "2-2-1", "--loss", "binary_cross_entropy", "--seed", 7)
EXERCISE = Exercise((2, 2, 1), loss="binary_cross_entropy", seed=7)


@pytest.fixture
def work(run, monkeypatch: pytest.MonkeyPatch):
    """Runs a command with these lines on standard input."""

    def answer(lines: list[str], *arguments: object):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return run(*arguments)

    return answer


def test_a_new_sheet_goes_to_standard_output(run) -> None:
    made = run(*NEW)
    assert (made.status, made.err) == (0, "")
    assert made.out == EXERCISE.text
    assert tomllib.loads(made.out)["source"].startswith("chainrule practice --network 2-2-1")
    assert run(*NEW).out == made.out
    again = run(*tomllib.loads(made.out)["source"].split()[1:])
    assert again.out == made.out


def test_without_a_seed_it_is_another_sheet_each_time(run) -> None:
    first = run("practice", "--network", "2-2-1")
    assert {run("practice", "--network", "2-2-1").out == first.out for _ in range(4)} != {True}
    assert run(*tomllib.loads(first.out)["source"].split()[1:]).out == first.out


def test_sheet_and_key(run) -> None:
    made = run(*NEW, "--out", "sheet.toml", "--key", "key.toml")
    assert (made.status, made.out) == (0, "")
    assert run("mark", "key.toml", "--json").json["counts"]["correct"] == len(EXERCISE.answers)
    assert run("mark", "sheet.toml", "--json").json["quantities"] == []
    assert run("practice", "sheet.toml", "--key", "again.toml").status == 0
    assert Path("again.toml").read_text() == Path("key.toml").read_text() == EXERCISE.key


def test_the_key_of_a_sheet_that_was_worked_wrongly_is_right(run) -> None:
    assert run("practice", SHEETS / "two_sigmoid_units.toml", "--key", "key.toml").status == 0
    marked = run("mark", "key.toml", "--json")
    assert marked.json["counts"] == {"correct": 28, "follows": 0, "wrong": 0, "unknown": 0}
    assert "# left for the reader" in Path("key.toml").read_text()


def test_from_the_first_question_to_the_last(work) -> None:
    done = work(list(EXERCISE.answers.values()), *NEW, "--check", "--out", "mine.toml")
    assert done.status == 0
    assert f"{len(EXERCISE.answers)} of {len(EXERCISE.answers)} answered: {len(EXERCISE.answers)} correct." in done.out
    assert done.out.endswith("Nothing is wrong.\n")
    assert "your answers are in mine.toml" in done.err
    assert Path("mine.toml").read_text() == EXERCISE.key


def test_a_wrong_answer_a_second_try_hints_and_what_follows(work) -> None:
    z = EXERCISE.answers["z[hidden,1]"]
    flipped = z[1:] if z.startswith("-") else f"-{z}"
    done = work([flipped, "?", "?", "?", "?", z, "", flipped, "", "q"], *NEW, "--check")
    assert "wrong: sign-flipped. The size is right" in done.out
    assert "try again, or Enter to go on with it" in done.out
    hints = [line.strip() for line in done.out.splitlines() if line.startswith("  z")]
    assert hints[0] == "z = x W + b"
    assert hints[1].startswith("z[hidden,1] = W[hidden,1,1]*x[1] + ")
    assert hints[2] == f"z[hidden,1] = {z}"
    assert "there are no more hints" in done.out
    assert "3 hints taken, for 1 of the numbers." in done.out
    assert done.status == 1  # the third answer was kept though it is wrong
    assert '"z[hidden,1]" = ' in done.out  # with no file to save to, the answers are printed
    assert "--out FILE saves them" in done.err


def test_what_is_no_number_is_asked_again(work) -> None:
    done = work(["about one", "1,2,3", EXERCISE.answers["z[hidden,1]"]], *NEW, "--check")
    assert done.status == 0
    assert done.out.count("is no number") == 2
    assert f"1 of {len(EXERCISE.answers)} answered: 1 correct." in done.out


@pytest.mark.parametrize("last", [["q"], ["QUIT"], []], ids=["q", "quit", "end of input"])
def test_it_stops_when_the_learner_does_and_goes_on_from_there(work, last: list[str]) -> None:
    answers = list(EXERCISE.answers.values())
    assert work([*answers[:5], *last], *NEW, "--check", "--out", "mine.toml").status == 0
    on = work(answers[5:], "practice", "mine.toml", "--check", "--out", "mine.toml")
    assert f"5 of {len(answers)} are answered already" in on.out
    assert f"6/{len(answers)}  " in on.out
    assert Path("mine.toml").read_text() == EXERCISE.key


def test_again_asks_for_everything_and_keeps_what_was_not_asked_to_change(work) -> None:
    Path("mine.toml").write_text(EXERCISE.key)
    done = work(["0.1"], "practice", "mine.toml", "--check", "--again")
    assert f"{len(EXERCISE.answers)} numbers to work out. " in done.out
    assert Path("mine.toml").read_text() == EXERCISE.key


def test_a_session_over_nothing_says_so(work) -> None:
    Path("mine.toml").write_text(EXERCISE.key)
    done = work([], "practice", "mine.toml", "--check")
    assert done.status == 0
    assert "0 numbers to work out" in done.out
    assert "[work]" not in done.out


def test_nothing_that_is_there_is_written_over(run, work) -> None:
    Path("mine.toml").write_text("mine")
    for option in ("--out", "--key"):
        assert "may hold somebody's work" in run(*NEW, option, "mine.toml").complaint
    assert "may hold somebody's work" in work([], *NEW, "--check", "--out", "mine.toml").complaint
    assert "give two names" in run(*NEW, "--out", "a.toml", "--key", "a.toml").complaint
    assert "no folder" in run(*NEW, "--out", "nowhere/a.toml").complaint
    assert Path("mine.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say which network, as in chainrule practice --network 2-3-1"),
        (("--network", "2;3"), '"2;3" is no network'),
        (("--network", "2-3-1", "--rows", "0"), "rows is 0; it must be a whole number in [1, 8]"),
        (("--network", "2-3-1", "--optimizer", "none", "--learning-rate", "1"), "wants no update"),
        (("--network", "2-3-1", "--again"), "--again belongs to --check"),
        (("--network", "2-3-3", "--loss", "cross_entropy", "--output", "linear"), "reads probabilities"),
        ((SHEETS / "three_classes.toml",), "say what to do with"),
        ((SHEETS / "three_classes.toml", "--check", "--seed", "3", "--no-bias"), "--seed, --no-bias: for a new sheet"),
        ((SHEETS / "three_classes.toml", "--network", "2-1", "--check"), "--network: for a new sheet"),
        (("nothing.toml", "--check"), "can't read nothing.toml"),
    ],
)
def test_mistakes_are_said(run, arguments: tuple, message: str) -> None:
    assert message in run("practice", *arguments).complaint


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_after_ctrl_c_there_is_a_summary_and_nothing_is_lost() -> None:
    command = [
        sys.executable,
        "-u",
        "-c",
        "from chainrule.cli import main; main()",
        *map(str, NEW),
        "--check",
        "--out",
        "m",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write((EXERCISE.answers["z[hidden,1]"] + "\n").encode())
        process.stdin.flush()
        seen = b""
        while b"correct" not in seen:
            line = process.stdout.readline()
            assert line, "it ended before it was asked to"
            seen += line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"1 of " in out
    assert b"your answers are in m" in err
    assert b"Traceback" not in err
    assert tomllib.loads(Path("m").read_text())["work"]["z[hidden,1]"] == EXERCISE.answers["z[hidden,1]"]


def test_a_sheet_with_a_byte_order_mark_takes_answers(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = tmp_path / "sheet.toml"
    run("practice", "--network", "2-1", "--seed", 7, "--out", sheet)
    sheet.write_bytes(b"\xef\xbb\xbf" + sheet.read_bytes())
    monkeypatch.setattr(sys, "stdin", io.StringIO("0.1\n\nq\n"))
    assert run("practice", sheet, "--check", "--out", sheet).status in (0, 1)
    assert tomllib.loads(sheet.read_text(encoding="utf-8"))["work"]["z[output,1]"] == "0.1"
