"""Files that aren't CSV, several files for one table, and tables that come from elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from .case import ROWS, Case, Columns, Expected, base, csv_bytes, raw, refused
from .excel import workbook

READ = Expected(columns={"size": "numeric", "town": "categorical", "price": "target"}, values={"town": base()["town"]})


def records() -> list[dict[str, Any]]:
    """The rows, numbers being numbers."""
    columns = base()
    rows = zip(columns["size"], columns["town"], columns["price"], strict=True)
    return [{"size": float(size), "town": town, "price": float(price)} for size, town, price in rows]


def lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def sheet() -> list[list[Any]]:
    return [["size", "town", "price"], *([row["size"], row["town"], row["price"]] for row in records())]


def arrow(write: Callable[[Any, Any], None], change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> bytes:
    """What PyArrow writes of the table, its columns changed first."""
    import pyarrow as pa

    columns = {name: [row[name] for row in records()] for name in ("size", "town", "price")}
    stream = io.BytesIO()
    write(pa.table(change(columns)), stream)
    return stream.getvalue()


def feather(data: Any, stream: Any) -> None:
    from pyarrow import feather

    feather.write_feather(data, stream)


def arrow_stream(data: Any, stream: Any) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(stream, data.schema) as writer:
        writer.write_table(data)


def parquet(data: Any, stream: Any) -> None:
    from pyarrow import parquet

    parquet.write_table(data, stream)


def encoded_towns(columns: dict[str, Any]) -> dict[str, Any]:
    import pyarrow as pa

    return columns | {"town": pa.array(columns["town"]).dictionary_encode()}


def lists(columns: dict[str, Any]) -> dict[str, Any]:
    return {"rooms": [[1, 2], [3]] * 30} | columns


def narrow(columns: dict[str, Any]) -> dict[str, Any]:
    """Types that aren't the usual ones."""
    import pyarrow as pa

    return {
        "size": pa.array(columns["size"], pa.float32()),
        "rooms": pa.array([i * 7 % 5 for i in range(ROWS)], pa.uint8()),
        "garden": pa.array([i * i % 3 == 1 for i in range(ROWS)], pa.bool_()),
        "sum": pa.array([round(v) for v in columns["size"]], pa.decimal128(9, 2)),
        "when": pa.array([18000 + i * 37 % 900 for i in range(ROWS)], pa.date32()),
        "price": columns["price"],
    }


def packed(name: str, file: str, write: Any, expected: Expected, change: Any = dict) -> Case:
    return Case(name, lambda: {file: arrow(write, change)}, (file, "--target", "price"), expected, needs="pyarrow")


def parts(*edges: int, **change: Columns) -> Mapping[str, bytes]:
    """The table in several files of one folder."""
    cut = zip((0, *edges), (*edges, ROWS), strict=True)
    return {
        f"parts/{i}.csv": csv_bytes(change.get(f"part_{i}", {name: cells[a:b] for name, cells in base().items()}))
        for i, (a, b) in enumerate(cut, start=1)
    }


def piece(a: int, b: int) -> Columns:
    return {name: cells[a:b] for name, cells in base().items()}


def turned(a: int, b: int) -> Columns:
    return dict(reversed(piece(a, b).items()))


def folder(name: str, files: Callable[[], Mapping[str, bytes]], expected: Expected, where: str = "parts") -> Case:
    return Case(name, files, (where, "--target", "price"), expected)


def piped(name: str, file: str, content: bytes, expected: Expected) -> Case:
    return Case(
        name, lambda: {file: content}, ("-", "--target", "price", "--out", "model.safetensors"), expected, input=file
    )


WITHOUT = [{k: v for k, v in row.items() if k != "size" or i % 10} for i, row in enumerate(records())]
NESTED = [row | {"place": {"lat": 48.0 + i % 9, "lon": 9.0 + i % 7}} for i, row in enumerate(records())]
HEADED = [["Prices of last year", None, None], [None, None, None], *sheet()]

FORMATS = [
    raw("format: JSON lines", lines(records()), READ, file="data.jsonl"),
    raw("format: JSON lines by another name", lines(records()), READ, file="data.ndjson"),
    raw(
        "format: JSON lines, some without a key",
        lines(WITHOUT),
        Expected(values={"size": [row.get("size") for row in WITHOUT]}),
        file="data.jsonl",
    ),
    raw("format: JSON lines, one broken", lines(records())[:-9], refused("data.jsonl", "60"), file="data.jsonl"),
    raw(
        "format: JSON lines, nested",
        lines(NESTED),
        Expected(columns={"place": "dropped"}, noted=("place",), refused=("place",), either=True),
        file="data.jsonl",
    ),
    raw("format: JSON lines that are no objects", lines([[1, 2], [3, 4]]), refused("data.jsonl"), file="data.jsonl"),
    raw(
        "format: a JSON array",
        json.dumps(records()).encode(),
        Expected(columns=READ.columns, refused=("data.json",), either=True),
        file="data.json",
    ),
    raw("format: Excel", workbook(Sheet1=sheet()), READ, file="data.xlsx"),
    raw(
        "format: Excel with two sheets",
        workbook(prices=sheet(), notes=[["note"], ["nothing"]]),
        Expected(columns=READ.columns, noted=("prices",), refused=("prices", "notes"), either=True),
        file="data.xlsx",
    ),
    raw(
        "format: Excel with a title above",
        workbook(Sheet1=HEADED),
        Expected(columns=READ.columns, noted=("data.xlsx",), refused=("data.xlsx",), either=True),
        file="data.xlsx",
    ),
    raw(
        "format: Excel without a row",
        workbook(Sheet1=sheet()[:1]),
        refused("data.xlsx", ("no row", "empty", "header")),
        file="data.xlsx",
    ),
    raw("format: half an Excel file", workbook(Sheet1=sheet())[:400], refused("data.xlsx"), file="data.xlsx"),
    raw(
        "format: CSV that is called Excel",
        csv_bytes(base()),
        Expected(refused=("data.xlsx", "Excel"), either=True),
        file="data.xlsx",
    ),
    packed("format: Feather", "data.feather", feather, READ),
    packed("format: Arrow", "data.arrow", feather, READ),
    packed("format: an Arrow stream", "data.arrow", arrow_stream, READ),
    packed("format: Parquet", "data.parquet", parquet, READ),
    packed("format: Parquet with a dictionary", "data.parquet", parquet, READ, encoded_towns),
    packed(
        "format: Parquet of narrow types",
        "data.parquet",
        parquet,
        Expected(
            columns={
                "size": "numeric",
                "rooms": "numeric|categorical",
                "garden": "categorical|numeric",
                "sum": "numeric",
                "when": "date",
            },
            values={"when": ["2019-04-14", "2019-05-21"]},
        ),
        narrow,
    ),
    packed(
        "format: Parquet with lists",
        "data.parquet",
        parquet,
        Expected(columns={"rooms": "dropped"}, noted=("rooms",), refused=("rooms", "list"), either=True),
        lists,
    ),
    packed(
        "format: Parquet that is called CSV",
        "data.csv",
        parquet,
        Expected(refused=("data.csv", "Parquet"), either=True),
    ),
    Case(
        "format: Parquet without a row",
        lambda: {"data.parquet": arrow(lambda data, stream: parquet(data.slice(0, 0), stream))},
        ("data.parquet", "--target", "price"),
        refused("data.parquet", ("no row", "empty", "0 rows")),
        needs="pyarrow",
    ),
    Case(
        "format: half a Parquet file",
        lambda: {"data.parquet": arrow(parquet)[:500]},
        ("data.parquet", "--target", "price"),
        refused("data.parquet"),
        needs="pyarrow",
    ),
    raw("format: no such suffix", csv_bytes(base()), Expected(refused=("data.dat",), either=True), file="data.dat"),
    raw("format: no suffix", csv_bytes(base()), Expected(refused=("data",), either=True), file="data"),
    folder("several files: a folder", lambda: parts(20, 45), READ),
    folder("several files: a slash behind the folder", lambda: parts(20, 45), READ, "parts/"),
    folder("several files: a glob", lambda: parts(20, 45), READ, "parts/*.csv"),
    folder(
        "several files: a glob of some",
        lambda: parts(20, 45),
        Expected(rows=40, columns=READ.columns),
        "parts/[23].csv",
    ),
    folder("several files: a glob of nothing", lambda: parts(20, 45), refused("parts/*.tsv"), "parts/*.tsv"),
    folder("several files: columns in another order", lambda: parts(20, 45, part_2=turned(20, 45)), READ),
    folder(
        "several files: other columns in one",
        lambda: parts(20, 45, part_2={"area": ["1"], "price": ["2"]}),
        refused("2.csv", "size", "town"),
    ),
    folder(
        "several files: a column more in one",
        lambda: parts(20, 45, part_2=piece(20, 45) | {"note": ["x"] * 25}),
        Expected(noted=("2.csv", "note"), refused=("2.csv", "note"), either=True),
    ),
    folder("several files: one with its header alone", lambda: parts(20, 20), READ),
    folder(
        "several files: an empty one",
        lambda: {**parts(20), "parts/3.csv": b""},
        Expected(noted=("3.csv",), refused=("3.csv",), either=True),
    ),
    folder("several files: a hidden one", lambda: {**parts(20), "parts/.DS_Store": b"\0\0\0\1Bud1"}, READ),
    folder(
        "several files: a text among them",
        lambda: {**parts(20), "parts/README.md": b"# Prices\n"},
        Expected(columns=READ.columns, noted=("README.md",), refused=("README.md",), either=True),
    ),
    Case(
        "several files: an empty folder",
        dict,
        ("parts", "--target", "price"),
        refused("parts", ("empty", "no table", "no file", "nothing")),
        folders=("parts",),
    ),
    piped("standard input: CSV", "piped.csv", csv_bytes(base()), READ),
    piped("standard input: semicolons", "piped.csv", csv_bytes(base(), ";"), READ),
    piped("standard input: nothing", "piped.csv", b"", refused(("standard input", "stdin", "empty"))),
    piped(
        "standard input: JSON lines",
        "piped.jsonl",
        lines(records()),
        Expected(refused=(("standard input", "stdin"),), either=True),
    ),
    Case(
        "an address that nobody answers",
        dict,
        ("http://127.0.0.1:9/prices.csv", "--target", "price"),
        refused("http://127.0.0.1:9/prices.csv"),
    ),
    Case("a file that isn't there", dict, ("prices.csv", "--target", "price"), refused("prices.csv")),
    Case(
        "a name that is nearly there",
        lambda: {"prices.csv": csv_bytes(base())},
        ("price.csv", "--target", "price"),
        refused("price.csv"),
    ),
]
