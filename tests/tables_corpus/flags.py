"""What is said of columns by flags, rightly and wrongly. A flag may be given several times."""

from __future__ import annotations

from .case import Case, Columns, Expected, base, beside, csv_bytes, refused, sold, table

COLUMNS = ("size", "town")


def rated() -> Columns:
    """Grades by number, which may be quantities or kinds."""
    return beside(base(), grade=[str(i * i % 7 % 4) for i in range(60)])


def dirty() -> Columns:
    """Two columns that can't be read as they are."""
    columns = beside(base(), age=["abt. 40" if i == 20 else str(i * 13 % 60) for i in range(60)])
    columns["size"][16] = "12O.5"
    return columns


def flagged(name: str, expected: Expected, *arguments: str, columns: object = base, target: str = "price") -> Case:
    return table(f"flag: {name}", columns, expected, *arguments, target=target)


def separated(name: str, by: str, said: str, expected: Expected) -> Case:
    """A separator that is said."""
    text = csv_bytes(base(), "\x1f").replace(b"\x1f", by.encode())
    return Case(
        f"flag: {name}", lambda: {"data.csv": text}, ("data.csv", "--target", "price", "--separator", said), expected
    )


READ = Expected(columns={"size": "numeric", "town": "categorical", "price": "target"}, values={"town": base()["town"]})
CELLS = [float(size) for size in dirty()["size"][:16]]

FLAGS = [
    flagged("a column dropped", Expected(columns={"size": "dropped", "town": "categorical"}), "--drop", "size"),
    flagged(
        "two columns dropped",
        Expected(columns={"size": "dropped", "grade": "dropped", "town": "categorical"}),
        "--drop",
        "size",
        "--drop",
        "grade",
        columns=rated,
    ),
    flagged("dropping what isn't there", refused("colour", "--drop", COLUMNS), "--drop", "colour"),
    flagged("dropping the target", refused("price", ("target", "predict")), "--drop", "price"),
    flagged(
        "dropping all",
        refused(("no column", "nothing", "every column", "all columns")),
        "--drop",
        "size",
        "--drop",
        "town",
    ),
    flagged("numbers for kinds", Expected(columns={"grade": "categorical"}), "--categorical", "grade", columns=rated),
    flagged("numbers for numbers", Expected(columns={"grade": "numeric"}), "--numeric", "grade", columns=rated),
    flagged("categorical that isn't there", refused("colour", "--categorical"), "--categorical", "colour"),
    flagged("numeric that isn't there", refused("colour", "--numeric"), "--numeric", "colour"),
    flagged("date that isn't there", refused("colour", "--date"), "--date", "colour"),
    flagged("numeric, and text", refused("town", "Ulm", ("number", "numeric")), "--numeric", "town"),
    flagged(
        "numeric, and one cell that isn't",
        Expected(
            columns={"size": "numeric"},
            values={"size": [*CELLS, None]},
            noted=("size", "12O.5"),
            refused=("size", "12O.5", ("17", "18"), "--missing"),
            either=True,
        ),
        "--numeric",
        "size",
        "--drop",
        "age",
        columns=dirty,
    ),
    flagged(
        "numeric and categorical at once",
        refused("grade", "--numeric", "--categorical"),
        "--numeric",
        "grade",
        "--categorical",
        "grade",
        columns=rated,
    ),
    flagged(
        "dropped and numeric at once",
        refused("grade", "--drop", "--numeric"),
        "--drop",
        "grade",
        "--numeric",
        "grade",
        columns=rated,
    ),
    flagged("date of numbers that are none", refused("size", "date"), "--date", "size"),
    flagged(
        "all complaints in one go",
        refused("age", "abt. 40", "size", "12O.5", ("--numeric", "--categorical", "--drop", "--missing")),
        columns=dirty,
    ),
    flagged(
        "complaints about flags in one go",
        refused("colour", "shape"),
        "--drop",
        "colour",
        "--numeric",
        "shape",
    ),
    flagged(
        "both marks said",
        Expected(columns={"age": "numeric", "size": "numeric"}, values={"size": [*CELLS, None]}),
        "--missing",
        "12O.5",
        "--missing",
        "abt. 40",
        columns=dirty,
    ),
    flagged("a mark that occurs nowhere", Expected(columns=READ.columns, noted=("n/v",)), "--missing", "n/v"),
    flagged(
        "the target by numbers, as classes",
        Expected(task="classification"),
        "--categorical",
        "grade",
        columns=lambda: beside(rated(), cost=base()["price"]),
        target="grade",
    ),
    flagged(
        "the target by numbers, as numbers",
        Expected(task="regression"),
        "--numeric",
        "grade",
        columns=lambda: beside(rated(), cost=base()["price"]),
        target="grade",
    ),
    flagged(
        "the target of text as numbers",
        refused("dear", "yes", ("number", "numeric")),
        "--numeric",
        "dear",
        columns=sold,
        target="dear",
    ),
    flagged("a number of categories that is none", refused("--max-categories", "0"), "--max-categories", "0"),
    flagged("a number of categories in words", refused("--max-categories", "many"), "--max-categories", "many"),
    flagged(
        "two categories at most",
        Expected(columns={"town": "categorical|dropped"}, noted=("town", "2")),
        "--max-categories",
        "2",
    ),
    flagged("categories enough", READ, "--max-categories", "3"),
    flagged("a separator that isn't one", refused("--separator"), "--separator", ""),
    flagged("the wrong separator", refused("price", ("separator", "one column")), "--separator", ";"),
    separated("separator: semicolon", ";", ";", READ),
    separated("separator: bar", "|", "|", READ),
    separated("separator: tilde", "~", "~", READ),
    separated("separator: tab as such", "\t", "\t", READ),
    separated("separator: tab as \\t", "\t", "\\t", READ),
    separated("separator: space", " ", " ", READ),
    separated(
        "separator: two signs", "::", "::", Expected(columns=READ.columns, refused=("--separator", "::"), either=True)
    ),
    Case(
        "flag: separator for Parquet's sake",
        lambda: {"data.jsonl": b'{"size": 1, "price": 2}\n' * 20},
        ("data.jsonl", "--target", "price", "--separator", ";"),
        Expected(rows=20, noted=("--separator",), refused=(("--separator", "price", "size"),), either=True),
    ),
    flagged(
        "a name with a space",
        Expected(columns={"living area": "numeric"}),
        "--numeric",
        "living area",
        columns=lambda: {("living area" if k == "size" else k): v for k, v in base().items()},
    ),
    flagged(
        "a name with a comma",
        Expected(columns={"size, m2": "dropped"}),
        "--drop",
        "size, m2",
        columns=lambda: {("size, m2" if k == "size" else k): v for k, v in base().items()},
    ),
    flagged(
        "a name that begins with a dash",
        Expected(columns={"-size": "dropped"}),
        "--drop=-size",
        columns=lambda: {("-size" if k == "size" else k): v for k, v in base().items()},
    ),
]
