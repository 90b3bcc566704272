"""A whole class's work: the forms that its table may have, and what is said about tables that can't be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chainrule import FileError
from chainrule.explain.worksheets.classwork import mark_class, read_class, unknown_symbols
from chainrule.explain.worksheets.worksheet import Worksheet, read_worksheet

SHEETS = Path(__file__).parents[3] / "examples" / "worksheets"


@pytest.fixture
def sheet() -> Worksheet:
    return read_worksheet(SHEETS / "two_sigmoid_units.toml")


@pytest.mark.parametrize(
    "text",
    [
        "student,Z1,H1\nAnn,0.44,0.608\nBen,0.34,\n",
        "\ufeffstudent;Z1;H1\r\nAnn;0,44;0,608\r\nBen;0,34;\r\n",
        "student\tZ1\tH1\nAnn\t0.44\t0.608\nBen\t0.34\t\n",
        ',Z1,H1,\nAnn,"0,44","0,608",\n\nBen,0.34,,\n',
        "student,symbol,value\nAnn,Z1,0.44\nBen,Z1,0.34\nAnn,H1,0.608\n",
        "Symbol;Student;Value\nZ1;Ann;0,44\nH1;Ann;0,608\nZ1;Ben;0,34\n",
        'student,"z[hidden,1]","h[hidden,1]"\nAnn,0.44,0.608\nBen,0.34,\n',
        "student;z[hidden,1];h[hidden,1]\nAnn;0.44;0.608\nBen;0.34;\n",
    ],
)
def test_every_form_of_the_same_work_gets_the_same_marks(text: str, sheet: Worksheet, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes(text.encode())
    marked = mark_class(sheet, path)
    assert {name: [e.verdict for e in marks.entries] for name, marks in marked.students.items()} == {
        "Ann": ["correct", "correct"],
        "Ben": ["wrong"],
    }
    assert [(m.code, m.students) for m in marked.common] == [("bias-missing", ("Ben",))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a first line with the columns is wanted"),
        ("student\nAnn\n", "a first line with the columns is wanted"),
        ("student,Z1\n", "has no students"),
        ("student,Z1,Z1\nAnn,1,2\n", 'line 1: there are two columns "Z1"'),
        ("student,Z1,\nAnn,0.44,3\n", "line 1: column 3 has no name"),
        ("student,Z1\nAnn,0.44\n\n,0.44\n", "line 4 doesn't say whose it is"),
        ("student,Z1\nAnn,0.44\nAnn,0.44\n", 'line 3: there are two students "Ann"'),
        ("student,Z1\nAnn,0,44\n", "line 2 has 3 cells; the first line has 2\\. .* stands in quotes"),
        ("student,symbol,value\nAnn,Z1,0.44\nAnn,Z1,0.4\n", "line 3: Ann has Z1 twice"),
        ("student,symbol,value\nAnn,Z1,0.44\nAnn,H1,?\n", r'line 3, Ann, H1: "\?" is no number'),
        ('"stu\ndent",Z1\n\nAnn,x\n', 'line 4, Ann, Z1: "x" is no number'),
        ('student,Z1\nAnn,"0.44\n', "is no CSV"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_line(
    text: str, message: str, sheet: Worksheet, tmp_path: Path
) -> None:
    path = tmp_path / "class.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=message) as caught:
        mark_class(sheet, path)
    assert str(caught.value).startswith(str(path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="can't read"):
        read_class(tmp_path / "none.csv")
    with pytest.raises(FileError, match="can't read"):
        read_class(tmp_path)
    (tmp_path / "latin.csv").write_bytes("student,Z1\nJos\u00e9,0.44\n".encode("latin-1"))
    with pytest.raises(FileError, match="no CSV in UTF-8"):
        read_class(tmp_path / "latin.csv")


def test_symbols_that_mean_nothing_are_named_once(sheet: Worksheet, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("student,Z1,Q7\nAnn,0.44,1\nBen,0.44,2\n", encoding="utf-8")
    unknown = unknown_symbols(mark_class(sheet, path).students)
    assert list(unknown) == ["Q7"]
    assert re.search("names look like", unknown["Q7"])
