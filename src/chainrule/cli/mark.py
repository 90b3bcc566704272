"""`chainrule mark`: a worksheet in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from chainrule.cli.screen import Hyphenated, new_table, print_json, say, show

if TYPE_CHECKING:
    from chainrule.explain.marking.marks import Marks
    from chainrule.explain.worksheets.classwork import ClassMarks

STYLES = {"correct": "green", "follows": "yellow", "wrong": "bold red", "unknown": "dim"}
LONGEST_WHOLE = 20  # characters of a name or a number that are not broken into lines


def mark(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="A worksheet (TOML).", show_default=False)],
    work: Annotated[
        Path | None,
        typer.Option(
            "--work",
            help="A CSV of a whole class: a student a row and a symbol a column, or columns student, symbol, value. "
            "The sheet's own [work] when left out.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Mark a hand calculation: what is right, what follows from an earlier slip, and the first wrong step.

    Exit status: 0 nothing wrong, 1 something wrong, 2 the sheet can't be used.

    Examples:

        chainrule mark examples/worksheets/two_sigmoid_units.toml

        chainrule mark sheet.toml --work class.csv
    """
    from chainrule.explain.worksheets.worksheet import read_worksheet

    read = read_worksheet(sheet)
    if work is not None:
        from chainrule.explain.worksheets.classwork import mark_class

        everyone = mark_class(read, work)
        if as_json:
            print_json(everyone.to_dict())
        else:
            _print_class(everyone)
        raise typer.Exit(int(any(marks.counts["wrong"] for marks in everyone.students.values())))
    marks = read.mark()
    if as_json:
        print_json(marks.to_dict())
    else:
        _print_marks(marks)
    raise typer.Exit(int(marks.counts["wrong"] > 0))


def _print_marks(marks: Marks) -> None:
    if marks.title:
        say((marks.title, "bold"))
    rows = []
    for entry in marks.entries:
        exact = "" if entry.exact is None else f"{entry.exact:.6g}"
        own = "" if entry.from_own_values is None else f"{entry.from_own_values:.6g}"
        remark = entry.note or ""
        if entry.diagnosis is not None:
            remark = entry.diagnosis.code + (f" (or {', '.join(entry.diagnosis.also)})" if entry.diagnosis.also else "")
        verdict = Text(entry.verdict, STYLES[entry.verdict])
        rows.append((entry.symbol, entry.written, exact, own, verdict, Hyphenated(remark) if remark else ""))
    table = new_table("", "written", "exact", "from own\nvalues", "verdict", "", right=(1, 2, 3), rows=rows)
    table.collapse_padding = True  # so that the longest code is whole in 80 columns
    for column in table.columns[:3]:  # names and numbers stay whole; why they are wrong may take several lines
        column.no_wrap = max((len(str(cell)) for cell in column.cells), default=0) <= LONGEST_WHOLE
    show(table)
    say(marks.sentence)


def _print_class(everyone: ClassMarks) -> None:
    table = new_table("student", *STYLES, "first wrong", "why", right=(1, 2, 3, 4))
    for student, marks in everyone.students.items():
        first = marks[marks.first_wrong] if marks.first_wrong else None
        why = first.diagnosis.code if first is not None and first.diagnosis is not None else ""
        table.add_row(
            student, *(str(marks.counts[verdict]) for verdict in STYLES), marks.first_wrong or "", Hyphenated(why)
        )
    show(table)
    from chainrule.explain.worksheets.classwork import unknown_symbols

    for why in unknown_symbols(everyone.students).values():
        say(f"unknown: {why}")
    if everyone.common:
        common = new_table("what went wrong", "students", "where", right=(1,))
        for mistake in everyone.common:
            common.add_row(Hyphenated(mistake.code), str(len(mistake.students)), ", ".join(mistake.symbols))
        show(common)
