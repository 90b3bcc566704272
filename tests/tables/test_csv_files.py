"""CSV files: what is read, and what the error says where it can't be."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import FileError
from chainrule.tables.csv_files import read_csv
from chainrule.tables.text_columns import MISSING, typed_frame

Read = Callable[..., dict[str, list[Any]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_text(text: str | bytes, name: str = "t.csv") -> dict[str, list[Any]]:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_csv(path).to_dict(as_series=False)

    return read_text


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,x\n2.5,y\n", {"a": [1.0, 2.5], "b": ["x", "y"]}),
        ("a,b\r\n1,x\r\n2,y", {"a": [1, 2], "b": ["x", "y"]}),
        ("a,b\r1,x\r2,y", {"a": [1, 2], "b": ["x", "y"]}),
        ("\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}),
        ("a;b\n1,5;2\n3;4\n", {"a": [1.5, 3.0], "b": [2, 4]}),
        ("a;b\n1.5;x,y\n3;z\n", {"a": [1.5, 3.0], "b": ["x,y", "z"]}),
        ("a|b\n1|2\n", {"a": [1], "b": [2]}),
        ('"a,x";"b"\n1;2\n', {"a,x": [1], "b": [2]}),
        (" a , b\n 1 , x y \n", {"a": [1], "b": ["x y"]}),
        ("None,NA\nNone,1\nx,NA\n", {"None": [None, "x"], "NA": [1, None]}),
        ("a,b\n1,2\n3\n", {"a": [1, 3], "b": [2, None]}),
        ("\na,b\n1,2\n\n\r\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),
        ('a,b\n"x\n\ny",2\n\n"z",4\n\n', {"a": ["x\n\ny", "z"], "b": [2, 4]}),
        ('a,b\n1,5" pipe\n\n3\n', {"a": [1, 3], "b": ['5" pipe', None]}),
        ('a,b\n1,"say ""hi"""\n', {"a": [1], "b": ['say "hi"']}),
        ("naïve,b\n1,é\n", {"naïve": [1], "b": ["é"]}),
        (b"a,b\n1,2\n3,\xe9t\xe9\n", {"a": [1, 3], "b": ["2", "été"]}),
        ("a,b\n1,2\n".encode("utf-16"), {"a": [1], "b": [2]}),
        ('a, b\n1, "x"\n', {"a": [1], "b": ["x"]}),
        ("sep=;\na;b\n1;2\n", {"a": [1], "b": [2]}),
        (",b\n1,2\n", {"": [1], "b": [2]}),
    ],
)
def test_reads(read: Read, text: str, columns: dict[str, list[Any]]) -> None:
    assert read(text) == columns


def test_tabs_separate_tsv_whatever_else_the_names_hold(read: Read) -> None:
    assert read("a, b, c\td\n1\t2\n", "t.tsv") == {"a, b, c": [1], "d": [2]}


def test_one_word_after_many_numbers_makes_text(read: Read) -> None:
    values = read("a\n" + "1\n" * 15_000 + "x\n")["a"]
    assert (values[0], values[-1], len(values)) == ("1", "x", 15_001)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"t\.csv is empty: it must hold a line of column names"),
        (" \n\n", "is empty"),
        ("a,b\n", "has column names but no rows: add rows"),
        ("a,b", "has column names but no rows"),
        ("a,a,b\n1,2,3\n", 'columns 1, 2 are called "a": give each its own name'),
        ("a,b, a\n1,2,3\n", 'columns 1, 3 are called "a"'),
        (",,b\n1,2,3\n", "columns 1, 2 have no name"),
        ("a,b\n1,2\n3,4,5\n", r'line 3 has 3 fields \("3", "4", "5"\) but the first line names 2'),
        ("a,b\n\n1,2,\n3,4,\n", "line 3 has 3 fields"),
        ('a,b\n1,2\n3,"4\n5,6\n', "the row that begins in line 3; a quote that opens"),
        ('a,b\n1,"a"b\n', "the row that begins in line 2"),
        ('"a,b\n1,2', "in the line of column names"),
        (b"a,b\n\0\1\n", "not a text file"),
    ],
)
def test_says_what_is_wrong_and_where(read: Read, text: str | bytes, says: str) -> None:
    with pytest.raises(FileError, match=says):
        read(text)


cells = st.text(st.sampled_from("ab ,;\"'\n1\t"), max_size=5).map(lambda text: text.strip())


@examples(60)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_reads_what_the_standard_writer_wrote(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    rows = [("word", "word"), *rows]  # so that both columns are text
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("first", "second"), *rows])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    expected = [tuple(cell or None for cell in row) for row in rows]
    assert read_csv(path).rows() == expected


def typed(cells: list[str], **options: bool) -> list[Any]:
    return typed_frame(pl.DataFrame({"a": cells}), **options)["a"].to_list()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["1", "2.5", "1e3", ".5"], [1.0, 2.5, 1000.0, 0.5]),
        (["1", "99999999999999999999"], ["1", "99999999999999999999"]),
        (["inf", "1"], [float("inf"), 1.0]),
        (["0", "0.5", "-0.5"], [0.0, 0.5, -0.5]),
        (["007", "12"], ["007", "12"]),
        (["true", "False", "TRUE"], [True, False, True]),
        (["true", "1"], ["true", "1"]),
        (["1,5", "2"], [1.5, 2.0]),
        (["1,500", "2"], [1500, 2]),
        (["2020-02-29", "1969-12-31"], [date(2020, 2, 29), date(1969, 12, 31)]),
        (["2020-02-30"], ["2020-02-30"]),
        (["03/04/2020"], ["03/04/2020"]),
        ([" x ", "y"], ["x", "y"]),
        (["1", "x"], ["1", "x"]),
    ],
)
def test_the_whole_column_decides(cells: list[str], values: list[Any]) -> None:
    found = typed(cells)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize("cell", [*MISSING, " NA "])
def test_missing_cells(cell: str) -> None:
    assert typed([cell, "1"]) == [None, 1]
    assert typed([cell, "x"]) == [None, "x"]
    assert typed([cell]) == [None]


def test_decimal_comma() -> None:
    assert typed(["1,5", "-2", "NA"], decimal_comma=True) == [1.5, -2.0, None]
    assert typed(["1,5", "x"], decimal_comma=True) == ["1,5", "x"]
