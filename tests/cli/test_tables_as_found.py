"""Tables as they are found: what is read, what is said and what is refused, for each case of the corpus."""

from __future__ import annotations

import io
import math
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli.conftest import Run
from tables_corpus import CASES, Case
from tables_corpus.case import Value, Words

from chainrule.tables import preparation
from chainrule.tables.columns import ColumnPlan
from chainrule.tables.table_reader import TrainingTable

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "read-a-file-from-somebody-else.md"
LEAST = ("--effort", "quick", "--epochs", "2", "--hidden", "4", "--bins", "0")


class Spy:
    """What was read and prepared by the last command."""

    table: TrainingTable
    columns: Sequence[ColumnPlan] = ()

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.read, self.plan = preparation.read_training, preparation.plan_columns
        monkeypatch.setattr(preparation, "read_training", self.reads)
        monkeypatch.setattr(preparation, "plan_columns", self.plans)

    def reads(self, *arguments: Any) -> TrainingTable:
        self.table = self.read(*arguments)
        return self.table

    def plans(self, *arguments: Any, **options: Any) -> Sequence[ColumnPlan]:
        self.columns = self.plan(*arguments, **options)
        return self.columns


def lacking(text: str, words: Words) -> list[object]:
    """The words that don't occur, of which each must, or one of several."""
    small = text.lower()
    return [
        word for word in words if not any(one.lower() in small for one in ([word] if isinstance(word, str) else word))
    ]


def kind(spy: Spy, name: str) -> str:
    if name in spy.table.targets:
        return "target"
    return next(column.kind for column in spy.columns if column.name == name)


def meant(series: pl.Series, count: int) -> list[Value]:
    """The first values as the cases write them."""
    series = series.head(count)
    if series.dtype == pl.Datetime:
        series = series.dt.to_string("%Y-%m-%dT%H:%M:%S")
    elif series.dtype == pl.Date:
        series = series.dt.to_string("%Y-%m-%d")
    elif series.dtype == pl.Boolean:
        series = series.cast(pl.String)
    elif series.dtype.is_numeric():
        series = series.cast(pl.Float64)
    return series.to_list()


def agree(found: Sequence[Value], expected: Sequence[Value], proportional: bool) -> bool:
    if len(found) != len(expected):
        return False
    pairs = list(zip(found, expected, strict=True))
    factor = 1.0
    if proportional:
        factor = next(a / b for a, b in pairs if isinstance(a, float) and isinstance(b, float) and b)
    for a, b in pairs:
        if isinstance(a, float) and isinstance(b, float):
            if not math.isclose(a, factor * b, rel_tol=1e-9, abs_tol=1e-12):
                return False
        elif isinstance(b, str) and isinstance(a, str) and "T" in a and "T" not in b:
            if not a.startswith(b):
                return False
        elif a != b:
            return False
    return True


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name, marks=[pytest.mark.slow] if i % 8 else []) for i, case in enumerate(CASES)],
)  # an eighth of them in make test, all in make test-slow
def test_a_table_is_read_as_it_is_meant_or_refused_in_words(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    if case.needs:
        pytest.importorskip(case.needs)
    if any(name.endswith(".xlsx") for name in case.files()):
        pytest.importorskip("fastexcel")
    case.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    if case.input is not None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / case.input).read_bytes())))
    spy, expected = Spy(monkeypatch), case.expected
    result = run("train", *case.arguments, *LEAST)
    if result.status and expected.refused:
        assert result.status == 2, result
        assert result.err.startswith("error: "), result
        assert not lacking(result.err, expected.refused), result.err
        return
    assert not expected.refused or expected.either, "it trains and should be refused"
    assert result.status == 0, result.err
    if expected.rows is not None:
        assert spy.table.frame.height == expected.rows
    for name, kinds in expected.columns.items():
        assert kind(spy, name) in kinds.split("|"), [str(column) for column in spy.columns]
    for name, values in expected.values.items():
        found = meant(spy.table.frame[name], len(values))
        assert agree(found, list(values), name in expected.proportional), found
    if expected.task:
        assert f"{expected.task}" in result.out
    assert not lacking(result.out + result.err, expected.noted), result.out + result.err
    if case.input is None:  # what was said of the table and found in it is known to the model
        [model] = tmp_path.glob("*.safetensors")
        again = run("evaluate", model.name, case.arguments[0])
        assert again.status == 0, again.err


def test_the_page_shows_what_is_said(run: Run) -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n\$ chainrule ([^\n]*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    for command, shown in blocks:
        name = command.split()[1]
        shutil.copy(ROOT / "examples" / name, name)
        result = run(*command.split())
        said = {line.rstrip() for line in (result.err + result.out).splitlines()}
        assert [line for line in shown.splitlines() if line not in said] == []
