"""The corpus of tables is sound: each case can be written, and says what is to come of it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from tables_corpus import CASES, Case
from tables_corpus.case import KINDS, Words

IDS = [case.name for case in CASES]


def test_names_are_unique() -> None:
    assert len(set(IDS)) == len(IDS) >= 90


def words(given: Words) -> list[str]:
    return [word for group in given for word in ([group] if isinstance(group, str) else group)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_each_case_expects_something_that_can_be(case: Case) -> None:
    expected = case.expected
    assert expected.refused or not expected.either
    assert all(words(expected.refused) + words(expected.noted))
    if expected.refused and not expected.either:
        assert not any((expected.columns, expected.values, expected.noted, expected.task))
        return
    assert expected.columns or expected.values or expected.noted or expected.task or expected.rows
    assert expected.task in (None, "classification", "regression")
    assert {kind for kinds in expected.columns.values() for kind in kinds.split("|")} <= set(KINDS)
    assert all(len(cells) <= expected.rows for cells in expected.values.values())
    assert set(expected.proportional) <= set(expected.values)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_each_case_writes_what_its_arguments_name(case: Case, tmp_path: Path) -> None:
    if case.needs:
        pytest.importorskip(case.needs)
    case.write(tmp_path)
    source, *rest = case.arguments
    assert rest[0] == "--target"
    assert (case.input is not None) == (source == "-")
    if case.input is not None:
        assert (tmp_path / case.input).is_file()
    elif not case.expected.refused or case.expected.either:
        assert list(tmp_path.glob(source.rstrip("/")))
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {tmp_path / name: content for name, content in case.files().items()}  # the same at every time


def rows_of(case: Case) -> list[dict[str, str]] | None:
    """The rows of a case of one plain UTF-8 file with a header, as Python reads them."""
    [(name, content)] = case.files().items() if len(case.files()) == 1 else [("", b"")]
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    if name.endswith(("jsonl", "ndjson")):
        return [json.loads(line) for line in content.splitlines()]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    separator = next((mark for mark in ";\t|~" if mark in text.partition("\n")[0]), ",")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


FAMILIES = ("date:", "missing:", "column:", "leak:", "target:")


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith(FAMILIES)])
def test_plain_tables_hold_the_rows_columns_and_values_that_are_expected(case: Case) -> None:
    rows, expected = rows_of(case), case.expected
    assert rows is not None
    if expected.rows is not None:
        assert len(rows) == expected.rows
    for column in (*expected.columns, *expected.values):
        assert column in rows[0]
    for column, values in expected.values.items():
        for row, value in zip(rows, values, strict=False):
            if isinstance(value, float):
                assert float(row[column].replace(",", ".")) == value
            elif value is None:
                assert not row[column].strip() or not row[column].replace(".", "").isdigit()
