"""Bytes: encodings, and what files are packed in."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

from .case import Case, Columns, Expected, base, csv_bytes, csv_text, raw, refused

TOWNS = {"Ulm": "Zürich", "Bonn": "Besançon", "Jena": "Århus"}


def towns() -> Columns:
    return base() | {"town": [TOWNS[town] for town in base()["town"]]}


def amounts_in_euro() -> Columns:
    return base() | {"town": [f"{town} 5 €" for town in base()["town"]]}


TEXT = csv_text(towns())
GOOD = csv_bytes(base())
READ = Expected(columns={"town": "categorical"}, values={"town": towns()["town"]})
PLAIN = Expected(columns={"size": "numeric", "town": "categorical"}, values={"town": base()["town"]})


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            inside = name if name.startswith("__MACOSX") else name.replace("__", "/")
            archive.writestr(inside.replace("_csv", ".csv").replace("_txt", ".txt"), content)
    return stream.getvalue()


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


ENCODINGS: list[Case] = [
    raw("encoding: UTF-8", TEXT.encode(), READ),
    raw(
        "encoding: UTF-8 with a mark",
        TEXT.encode("utf-8-sig"),
        Expected(columns={"size": "numeric", "town": "categorical"}, values=READ.values),
    ),
    raw("encoding: UTF-16", TEXT.encode("utf-16"), READ),
    raw("encoding: UTF-16, big end first", b"\xfe\xff" + TEXT.encode("utf-16-be"), READ),
    raw(
        "encoding: UTF-16 with tabs, as Excel saves it",
        csv_text(towns(), "\t", "\r\n").encode("utf-16"),
        READ,
        file="data.txt",
    ),
    raw(
        "encoding: UTF-16 without a mark",
        TEXT.encode("utf-16-le"),
        Expected(values=READ.values, refused=("data.csv", "--encoding"), either=True),
    ),
    raw("encoding: UTF-16 said", TEXT.encode("utf-16-le"), READ, "--encoding", "utf-16-le"),
    raw("encoding: Latin-1", TEXT.encode("latin-1"), READ),
    raw("encoding: Latin-1 said", TEXT.encode("latin-1"), READ, "--encoding", "latin-1"),
    raw(
        "encoding: Windows-1252 with a euro sign",
        csv_text(amounts_in_euro()).encode("cp1252"),
        Expected(values={"town": amounts_in_euro()["town"]}),
    ),
    raw(
        "encoding: Windows-1252 said",
        csv_text(amounts_in_euro()).encode("cp1252"),
        Expected(values={"town": amounts_in_euro()["town"]}),
        "--encoding",
        "cp1252",
    ),
    raw(
        "encoding: Shift-JIS said",
        csv_text(base() | {"town": ["東京" if t == "Ulm" else "大阪" for t in base()["town"]]}).encode("shift-jis"),
        Expected(values={"town": ["東京" if t == "Ulm" else "大阪" for t in base()["town"]]}),
        "--encoding",
        "shift-jis",
    ),
    raw("encoding: none of that name", GOOD, refused("--encoding", "utf-99"), "--encoding", "utf-99"),
    raw("encoding: the wrong one said", TEXT.encode(), refused("ascii", "data.csv"), "--encoding", "ascii"),
    raw(
        "encoding: names with signs",
        csv_bytes({"Größe": base()["size"], "町": base()["town"], "price": base()["price"]}),
        Expected(columns={"Größe": "numeric", "町": "categorical"}),
    ),
    raw("packed: gzip", gzipped(GOOD), PLAIN, file="data.csv.gz"),
    raw("packed: gzip that doesn't say so", gzipped(GOOD), PLAIN),
    raw("packed: gzip of UTF-16", gzipped(TEXT.encode("utf-16")), READ, file="data.csv.gz"),
    raw("packed: half a gzip", gzipped(GOOD)[:200], refused("data.csv.gz"), file="data.csv.gz"),
    raw(
        "packed: called gzip and isn't",
        GOOD,
        Expected(refused=("data.csv.gz", "gzip"), either=True),
        file="data.csv.gz",
    ),
    raw("packed: zip", zipped(data_csv=GOOD), PLAIN, file="data.zip"),
    raw("packed: zip with a folder in it", zipped(export__data_csv=GOOD), PLAIN, file="data.zip"),
    raw(
        "packed: zip from a Mac",
        zipped(data_csv=GOOD, **{"__MACOSX/._data.csv": b"\x00\x05\x16\x07"}),
        PLAIN,
        file="data.csv.zip",
    ),
    raw(
        "packed: zip of two tables",
        zipped(a_csv=GOOD, b_csv=b"x,y\n1,2\n"),
        refused("data.zip", "a.csv", "b.csv"),
        file="data.zip",
    ),
    raw(
        "packed: zip of nothing",
        zipped(),
        refused("data.zip", ("empty", "no table", "nothing", "no file")),
        file="data.zip",
    ),
    raw("packed: zip of no table", zipped(readme_txt=b"read me, please\n"), refused("data.zip"), file="data.zip"),
    raw("packed: half a zip", zipped(data_csv=GOOD)[:150], refused("data.zip"), file="data.zip"),
    raw("packed: bzip2", bz2.compress(GOOD), Expected(refused=("data.csv.bz2",), either=True), file="data.csv.bz2"),
    raw("packed: xz", lzma.compress(GOOD), Expected(refused=("data.csv.xz",), either=True), file="data.csv.xz"),
]
