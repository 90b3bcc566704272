"""What people write where there is nothing."""

from __future__ import annotations

from collections.abc import Sequence

from .case import Case, Columns, Expected, base, beside, refused, table

COMMON = ("", " ", "-", "--", ".", "?", "na", "NA", "n/a", "N/A", "n.a.", "nan", "#N/A", "<NA>")
MARKS = (*COMMON, "none", "None", "null", "NULL", "unknown", "n/k")


def numbers(marks: Sequence[str], every: int = 8) -> list[str]:
    """Numbers with marks among them: in the third cell, and then in every eighth."""
    return [marks[i // every % len(marks)] if i % every == 2 else f"{i * 37 % 60 * 1.5:.1f}" for i in range(60)]


def read(marks: Sequence[str], every: int = 8) -> list[float | None]:
    return [None if i % every == 2 else i * 37 % 60 * 1.5 for i in range(60)]


def among_numbers(mark: str) -> Case:
    expected = Expected(columns={"age": "numeric"}, values={"age": read([mark])})
    return table(f"missing: {mark!r} among numbers", beside(base(), age=numbers([mark])), expected)


def holes(mark: str, where: Sequence[int], column: str = "price") -> Columns:
    columns = base()
    for i in where:
        columns[column][i] = mark
    return columns


FLOORS = [("ground", "first", "second", "top")[i * i % 7 % 4] for i in range(60)]

MISSING = [
    *(among_numbers(mark) for mark in MARKS),
    table(
        "missing: many marks at once",
        beside(base(), age=numbers(MARKS[2:9], every=6)),
        Expected(columns={"age": "numeric"}, values={"age": read(MARKS[2:9], every=6)}),
    ),
    table(
        "missing: marks among decimal commas",
        lambda: {
            name: [cell.replace(".", ",") for cell in cells]
            for name, cells in beside(base(), age=numbers(["-"])).items()
        },
        Expected(columns={"age": "numeric", "size": "numeric"}, values={"age": read(["-"])}),
        separator=";",
    ),
    table(
        "missing: empty among categories",
        beside(base(), floor=["" if i % 9 == 4 else floor for i, floor in enumerate(FLOORS)]),
        Expected(columns={"floor": "categorical"}, values={"floor": [*FLOORS[:4], None]}),
    ),
    table(
        "missing: NA among categories",
        beside(base(), floor=["NA" if i % 9 == 4 else floor for i, floor in enumerate(FLOORS)]),
        Expected(columns={"floor": "categorical"}, values={"floor": [*FLOORS[:4], None]}),
    ),
    table(
        "missing: unknown among categories may be one",
        beside(base(), floor=["unknown" if i % 9 == 4 else floor for i, floor in enumerate(FLOORS)]),
        Expected(columns={"floor": "categorical"}),
    ),
    table(
        "missing: a mark of their own",
        beside(base(), age=numbers(["to be done"])),
        Expected(columns={"age": "numeric"}, values={"age": read(["to be done"])}),
        "--missing",
        "to be done",
    ),
    table(
        "missing: a mark of their own, unsaid",
        beside(base(), age=numbers(["to be done"])),
        Expected(
            columns={"age": "numeric"},
            noted=("age", "to be done"),
            refused=("age", "to be done", "--missing"),
            either=True,
        ),
    ),
    table(
        "missing: a number for a mark",
        beside(base(), age=numbers(["-999"])),
        Expected(columns={"age": "numeric"}, values={"age": read(["-999"])}),
        "--missing",
        "-999",
    ),
    table(
        "missing: two marks of their own",
        beside(base(), age=numbers(["gone", "lost"])),
        Expected(columns={"age": "numeric"}, values={"age": read(["gone", "lost"])}),
        "--missing",
        "gone",
        "--missing",
        "lost",
    ),
    table(
        "missing: a mark of their own beside the common ones",
        beside(base(), age=numbers(["gone", "NA", ""])),
        Expected(columns={"age": "numeric"}, values={"age": read(["gone", "NA", ""])}),
        "--missing",
        "gone",
    ),
    table(
        "missing: a whole column",
        beside(base(), age=[""] * 60),
        Expected(columns={"age": "dropped"}, noted=("age", ("missing", "empty", "nothing"))),
    ),
    table(
        "missing: nearly a whole column",
        beside(base(), age=[str(i) if i in (7, 30, 44) else "" for i in range(60)]),
        Expected(columns={"age": "numeric|dropped"}, noted=("age",)),
    ),
    table(
        "missing: some of the target",
        lambda: holes("", (3, 17, 40)),
        Expected(noted=("price", "3", ("missing", "left out", "without"))),
    ),
    table(
        "missing: a mark in the target",
        lambda: holes("-", (3, 17, 40)),
        Expected(task="regression", noted=("price", "3", ("missing", "left out", "without"))),
    ),
    table(
        "missing: the whole target", lambda: holes("", range(60)), refused("price", ("missing", "empty", "no value"))
    ),
    table(
        "missing: all but one of the target",
        lambda: holes("", range(1, 60)),
        refused("price", ("one row", "1 row", "one value", "too few", "missing", "single")),
    ),
    table(
        "missing: a row of nothing",
        lambda: {name: ["" if i == 30 else cell for i, cell in enumerate(cells)] for name, cells in base().items()},
        Expected(rows=None, noted=(("price", "empty", "blank"), ("missing", "left out", "without", "row"))),
    ),
]
