"""Every case that ever failed is replayed, and every subject checks some cases that are always the same."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fuzz.findings import SUBJECTS, Finding, expect, signature
from fuzz.runner import CASES, Worker, generated, keep_case, smaller

FEW = {"graphs": 4, "fits": 8, "files": 6, "worksheets": 8, "expressions": 15, "tables": 3}
FEW |= {"frames": 8, "commands": 4, "estimators": 10, "arguments": 10}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    this = Worker()
    yield this
    this.close()


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_a_case_that_failed_once(worker: Worker, path: Path) -> None:
    kept = json.loads(path.read_text())
    found = worker.ask({"subject": kept["subject"], "case": kept["case"]})["found"]
    assert found is None, f"{found}\n(it was: {kept['found']})"


@pytest.mark.parametrize("subject", list(FEW))
def test_some_cases_of_a_subject(worker: Worker, subject: str) -> None:
    for index in range(FEW[subject]):
        reply = worker.ask({"subject": subject, "seed": 0, "index": index})
        assert reply["found"] is None, f"case {index}: {reply['found']}\n{json.dumps(reply['case'])}"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_cases_are_plain_data_and_repeatable(subject: str) -> None:
    for index in range(20):
        case = generated(subject, 1, index)
        assert json.loads(json.dumps(case)) == case
        assert generated(subject, 1, index) == case
    assert generated(subject, 2, 0) != generated(subject, 1, 0)


class Planted:
    """A worker that finds a fault in every case that holds a 7."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        holds = 7 in request["case"]["numbers"]
        return {"found": "there is a 7" if holds else None, "case": request["case"]}


def test_a_failing_case_is_made_smaller_and_kept(tmp_path: Path) -> None:
    case = smaller(Planted(), "graphs", {"numbers": [1, 2, 7, 4, 5]}, signature("there is a 7"), seconds=10.0)  # type: ignore[arg-type]
    assert case == {"numbers": [7]}
    path = keep_case(tmp_path, "graphs", "there is a 7", case)
    assert json.loads(path.read_text()) == {"subject": "graphs", "found": "there is a 7", "case": case}


@pytest.mark.slow
def test_a_crash_and_a_hang_are_findings(worker: Worker) -> None:
    crash = worker.ask({"subject": "planted", "case": "crash"})
    assert crash["found"].startswith("crashes: exit status -")
    found = worker.ask({"subject": "planted", "case": "broken promise"})["found"]
    assert found == "a promise is broken"
    assert worker.ask({"subject": "planted", "case": "fine"})["found"] is None


def test_signatures_leave_out_what_differs_from_case_to_case() -> None:
    assert signature('row 3 of "a" is 0.5') == signature('row 17 of "b" is -1e-3')
    assert signature("KeyError: 'a' (in one.py:f)") != signature("KeyError: 'a' (in two.py:f)")
    with pytest.raises(Finding, match="no"):
        expect(False, "no")
    assert all(importlib.import_module(f"fuzz.{subject}").__doc__ for subject in SUBJECTS)
