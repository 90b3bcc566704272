"""The shape of CSV files: separators, headers, quotes, rows that are too long or too short, and files that are none."""

from __future__ import annotations

from .case import ROWS, Columns, Expected, base, beside, csv_bytes, csv_text, raw, refused, sold, table

GOOD = csv_text(base())
LINES = GOOD.splitlines(keepends=True)
READ = Expected(columns={"size": "numeric", "town": "categorical", "price": "target"}, values={"town": base()["town"]})
NAMELESS = Expected(columns={"column_1": "numeric", "column_2": "categorical", "column_3": "target"})
BARE = csv_bytes(base(), header=False)


def with_line(place: int, line: str) -> bytes:
    """The good table with one line more, or another in its place."""
    return "".join([*LINES[:place], line, *LINES[place:]]).encode()


def instead(place: int, line: str) -> bytes:
    return "".join([*LINES[:place], line, *LINES[place + 1 :]]).encode()


def longer(*cells: str) -> str:
    """A row of the table with more cells behind."""
    return ",".join([LINES[16].rstrip("\n"), *cells]) + "\n"


def single_quotes() -> Columns:
    columns = sold()
    return columns | {"town": [f"'{town}'" for town in columns["town"]], "dear": [f"'{v}'" for v in columns["dear"]]}


def spaces() -> bytes:
    return GOOD.replace(",", ", ").encode()


def pipes() -> Columns:
    """Cells with a quote for inches in them."""
    return beside(base(), pipe=[('5" long', '3" short', '4" long')[i * i % 7 % 3] for i in range(ROWS)])


def unquoted(columns: Columns) -> bytes:
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    return "".join(",".join(row) + "\n" for row in rows).encode()


def break_in_cells() -> Columns:
    return beside(base(), note=[("two\nlines", "one line", "with, comma")[i * i % 7 % 3] for i in range(ROWS)])


HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Please sign in, first</p></body></html>\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a2146" * 8 + b"\nsize 12345\n"
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x00\x00\x00\x00" + bytes(range(256))

SHAPES = [
    raw("separator: semicolons", csv_bytes(base(), ";"), READ),
    raw("separator: tabs in a .csv", csv_bytes(base(), "\t"), READ),
    raw("separator: tabs in a .tsv", csv_bytes(base(), "\t"), READ, file="data.tsv"),
    raw("separator: bars", csv_bytes(base(), "|"), READ),
    raw("separator: commas in a .txt", GOOD.encode(), READ, file="data.txt"),
    raw(
        "separator: semicolons, commas in cells",
        csv_bytes(base() | {"town": [f"{t}, Germany" for t in base()["town"]]}, ";"),
        Expected(columns=READ.columns, values={"town": [f"{t}, Germany" for t in base()["town"]]}),
    ),
    raw("separator: spaces", csv_bytes(base(), " "), Expected(refused=("price", "--separator"), either=True)),
    raw("separator: one that nobody expects", csv_bytes(base(), "~"), refused("price", "--separator")),
    raw(
        "separator: a line that names it",
        b"sep=;\n" + csv_bytes(base(), ";"),
        Expected(columns=READ.columns, refused=("sep=",), either=True),
    ),
    raw("lines: CR and LF", csv_bytes(base(), end="\r\n"), READ),
    raw(
        "lines: CR alone",
        csv_bytes(base(), end="\r"),
        Expected(columns=READ.columns, refused=("data.csv", "line"), either=True),
    ),
    raw("lines: no end of the last", GOOD.rstrip("\n").encode(), READ),
    raw("lines: blank ones behind", GOOD.encode() + b"\n\n\n", READ),
    raw(
        "lines: a blank one between",
        with_line(30, "\n"),
        Expected(columns=READ.columns, noted=(), refused=(("30", "31"), ("blank", "empty")), either=True),
    ),
    raw(
        "lines: mixed ends",
        "".join(line.replace("\n", "\r\n") if i % 2 else line for i, line in enumerate(LINES)).encode(),
        READ,
    ),
    raw(
        "lines: a very long cell",
        with_line(30, '99.0,"' + "x" * 1_000_000 + '",500\n'),
        Expected(rows=61, columns={"town": "categorical"}),
    ),
    raw("header: none, which is noticed", BARE, refused("price", ("first line", "first row", "header"), "--no-header")),
    raw(
        "header: none, and numbers alone",
        "".join(f"{i + 1},{i * 7 % 31 + 4},{i * 3}.5\n" for i in range(ROWS)).encode(),
        refused("price", "--no-header"),
    ),
    raw(
        "header: none, target called by its cell",
        BARE,
        Expected(
            rows=59,
            noted=(("first line", "first row", "header"), "--no-header"),
            refused=(("first line", "first row", "header"), "--no-header"),
            either=True,
        ),
        target=base()["price"][0],
    ),
    raw("header: none, which is said", BARE, NAMELESS, "--no-header", target="column_3"),
    raw("header: none is said, and the name isn't there", BARE, refused("price", "column_3"), "--no-header"),
    raw(
        "header: none is said, but there is one",
        GOOD.encode(),
        Expected(rows=61, noted=("column_1",), refused=(("size", "header", "first"),), either=True),
        "--no-header",
        target="column_3",
    ),
    raw(
        "header: names of two columns are one",
        GOOD.replace("size,town", "town,town", 1).encode(),
        Expected(noted=("town",), refused=("town", ("twice", "two", "duplicate", "same", "own name")), either=True),
    ),
    raw(
        "header: the target twice",
        GOOD.replace("size,town", "price,town", 1).encode(),
        refused("price", ("twice", "two", "duplicate", "same", "own name")),
    ),
    raw("header: an empty name", GOOD.replace("size,", ",", 1).encode(), Expected(columns={"town": "categorical"})),
    raw("header: spaces around names", GOOD.replace("size,town,price", " size , town ,price ", 1).encode(), READ),
    raw(
        "header: names that differ by case",
        csv_bytes(beside(base(), Size=base(seed=4)["size"])),
        Expected(columns={"size": "numeric", "Size": "numeric"}),
    ),
    raw(
        "header: names of whole numbers",
        csv_bytes(dict(zip(("1", "2", "3"), base().values(), strict=True))),
        Expected(columns={"1": "numeric", "3": "target"}),
        target="3",
    ),
    raw("header: quoted", GOOD.replace("size,town,price", '"size","town","price"', 1).encode(), READ),
    raw(
        "header: shorter than the rows",
        GOOD.replace("size,town,price", "town,price", 1).encode(),
        refused("data.csv", ("2", "line"), "3"),
    ),
    raw(
        "header: longer than the rows",
        GOOD.replace("size,town,price", "size,town,price,note", 1).encode(),
        Expected(columns={"note": "dropped"}, refused=("data.csv", "4", "3"), either=True),
    ),
    raw(
        "header: a title above",
        b"Prices of last year\n\n" + GOOD.encode(),
        refused("price", ("first line", "Prices of last year", "header")),
    ),
    raw(
        "header: remarks above",
        b"# made by a tool\n# on a Monday\n" + GOOD.encode(),
        Expected(columns=READ.columns, refused=("price", ("# made by a tool", "first line", "header")), either=True),
    ),
    raw("rows: a cell too many", instead(16, longer("9")), refused("data.csv", ("line 17", "17", "row 16"), "4", "3")),
    raw(
        "rows: a cell too few",
        instead(16, "55.0,Ulm\n"),
        Expected(noted=(("17", "16", "price"),), refused=("data.csv", ("line 17", "17", "row 16")), either=True),
    ),
    raw(
        "rows: a separator behind each",
        GOOD.replace("\n", ",\n").replace("price,\n", "price\n").encode(),
        Expected(columns=READ.columns, refused=("data.csv", "4", "3"), either=True),
    ),
    raw("rows: a separator behind each, and the header", GOOD.replace("\n", ",\n").encode(), READ),
    raw(
        "rows: a sum at the end",
        GOOD.encode() + b"Total,,20000\n",
        Expected(rows=61, refused=("size", "Total", ("61", "62"), ("--missing", "--drop", "--categorical"))),
    ),
    raw("quotes: cells in them", csv_bytes(base()).replace(b"Ulm", b'"Ulm"'), READ),
    table(
        "quotes: single ones around labels",
        single_quotes,
        Expected(
            columns={"town": "categorical"},
            values={"town": sold()["town"], "dear": sold()["dear"]},
            task="classification",
        ),
        target="dear",
    ),
    raw("quotes: doubled around labels", csv_bytes(base() | {"town": [f'"{t}"' for t in base()["town"]]}), READ),
    raw("quotes: spaces behind separators", spaces(), READ),
    raw("quotes: spaces before quotes", GOOD.replace("Ulm", ' "Ulm"').encode(), READ),
    raw(
        "quotes: one odd within a cell",
        instead(16, '55.0,Ul"m,300\n'),
        Expected(columns=READ.columns, values={"town": [*base()["town"][:15], 'Ul"m']}),
    ),
    raw(
        "quotes: inches, unquoted",
        unquoted(pipes()),
        Expected(columns={"pipe": "categorical"}, values={"pipe": pipes()["pipe"]}),
    ),
    raw(
        "quotes: opened and never closed",
        instead(16, '55.0,"Ulm,300\n'),
        refused("data.csv", ("line 17", "17", "row 16", "quote")),
    ),
    raw(
        "quotes: lines broken in cells",
        csv_bytes(break_in_cells()),
        Expected(columns={"note": "categorical"}, values={"note": break_in_cells()["note"]}),
    ),
    raw(
        "odd: NUL in a cell",
        instead(16, "55.0,U\0lm,300\n"),
        Expected(columns=READ.columns, refused=("data.csv", ("NUL", "zero byte", "17", "16")), either=True),
    ),
    raw(
        "odd: NUL bytes at the end",
        GOOD.encode() + bytes(500),
        Expected(columns=READ.columns, refused=("data.csv",), either=True),
    ),
    raw("odd: nothing", b"", refused("data.csv", "empty")),
    raw("odd: blanks alone", b"\n  \n\n", refused("data.csv", ("empty", "no row", "nothing"))),
    raw("odd: the header alone", b"size,town,price\n", refused("data.csv", ("no row", "header", "0 rows"))),
    raw("odd: one row", "".join(LINES[:2]).encode(), refused(("1 row", "one row", "one value", "too few", "rows"))),
    raw(
        "odd: two rows",
        "".join(LINES[:3]).encode(),
        Expected(
            rows=2,
            noted=(("2 rows", "two rows", "few"),),
            refused=(("2 rows", "two rows", "one row", "too few"),),
            either=True,
        ),
    ),
    raw(
        "odd: the target alone",
        csv_bytes({"price": base()["price"]}),
        refused(("no column", "no other", "only column", "alone", "nothing")),
    ),
    raw("odd: another target", GOOD.replace("price", "cost", 1).encode(), refused("price", "size", "town", "cost")),
    raw("odd: the target nearly spelled so", GOOD.encode(), refused("Price", "price"), target="Price"),
    raw("odd: a web page", HTML, refused("data.csv", ("HTML", "web page"))),
    raw("odd: a pointer to a large file", POINTER, refused(("data.csv", "version"))),
    raw("odd: a picture", PICTURE, refused("data.csv", ("text", "CSV", "table", "encoding"))),
    raw(
        "odd: three hundred columns",
        csv_bytes(
            beside(base(), **{f"c{j}": [f"{(i * 31 + j * 17) % 101 / 10}" for i in range(ROWS)] for j in range(300)})
        ),
        Expected(columns={"c0": "numeric", "c299": "numeric"}),
    ),
]
