"""What a case is, and the good table that most of them are made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

KINDS = ("target", "numeric", "categorical", "date", "dropped")
ROWS = 60

Words = tuple[str | tuple[str, ...], ...]  # each must occur, of a tuple one; upper and lower case are the same
Value = str | float | None
Columns = dict[str, list[str]]


@dataclass(frozen=True)
class Expected:
    """What must come of a table.

    Where there are words in `refused` it is refused: they stand in the message, the status isn't 0, and there is no
    traceback. Otherwise it trains. With `either` both will do, each as it is described.

    Arguments:
        rows: how many are read, before any are left out or split off.
        columns: what a column is taken for; `numeric|categorical` where both are sensible.
        values: the first values of a column as they are meant: numbers, text, dates in ISO form, None where missing.
        proportional: columns whose values may all be multiplied by one number (percent as such, or as shares).
        task: "classification" or "regression".
        noted: what is said though it trains.
        refused: what the message holds.
        either: whether it may be refused as well as trained on.
    """

    rows: int | None = ROWS
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    proportional: tuple[str, ...] = ()
    task: str | None = None
    noted: Words = ()
    refused: Words = ()
    either: bool = False


@dataclass(frozen=True)
class Case:
    """A table, and what must come of it.

    Arguments:
        name: of the case, unique.
        files: makes the bytes of each file by its name; folders stand in the name, as in `parts/1.csv`.
        arguments: what follows `chainrule train`, seen from the folder of the files.
        expected: what must come of it.
        input: the name of the file whose bytes are given on standard input.
        needs: a module without which the files can't be made.
        folders: empty folders that are there besides.
    """

    name: str
    files: Callable[[], Mapping[str, bytes]]
    arguments: tuple[str, ...]
    expected: Expected
    input: str | None = None
    needs: str | None = None
    folders: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Write the files into a folder."""
        for name in self.folders:
            (folder / name).mkdir(parents=True)
        for name, content in self.files().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def amounts(n: int = ROWS, seed: int = 1) -> np.ndarray:
    """Numbers from about 2 to 2,000,000 with two digits after the point, in no order; each third occurs again."""
    numbers = np.exp(np.random.default_rng(seed).uniform(0.7, 14.5, size=n)).round(2)
    return np.where(np.arange(n) % 3 == 2, np.roll(numbers, n // 2), numbers)


def base(n: int = ROWS, seed: int = 0) -> Columns:
    """A good table: a size, a town, and the price that follows from them."""
    rng = np.random.default_rng(seed)
    size, town = rng.uniform(20, 200, size=n), rng.integers(3, size=n)
    price = 50 + 3.0 * size + 60 * town + rng.normal(0, 8, size=n)
    names = ("Ulm", "Bonn", "Jena")
    return {
        "size": [f"{v:.1f}" for v in size],
        "town": [names[t] for t in town],
        "price": [f"{v:.0f}" for v in price],
    }


def sold(n: int = ROWS, seed: int = 0) -> Columns:
    """The same with two classes in place of the price: whether it is dear."""
    columns = base(n, seed)
    prices = [float(price) for price in columns.pop("price")]
    middle = float(np.median(prices))
    return columns | {"dear": ["yes" if price > middle else "no" for price in prices]}


def beside(columns: Columns, **more: Sequence[str]) -> Columns:
    """A table with more columns, which stand before its last."""
    *first, last = columns.items()
    return dict(first) | {name: list(cells) for name, cells in more.items()} | dict([last])


def csv_text(columns: Mapping[str, Sequence[str]], separator: str = ",", end: str = "\n", header: bool = True) -> str:
    """The table as CSV; cells are quoted where they must be."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator=end)
    if header:
        writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return stream.getvalue()


def csv_bytes(columns: Mapping[str, Sequence[str]], separator: str = ",", **how: object) -> bytes:
    return csv_text(columns, separator, **how).encode()


def table(
    name: str,
    columns: Mapping[str, Sequence[str]] | Callable[[], Mapping[str, Sequence[str]]],
    expected: Expected,
    *arguments: str,
    separator: str = ",",
    target: str = "price",
) -> Case:
    """A case of one CSV file; `columns` may be what makes them."""
    made = columns if callable(columns) else lambda: columns
    where = ("data.csv", "--target", target, *arguments)
    return Case(name, lambda: {"data.csv": csv_bytes(made(), separator)}, where, expected)


def raw(
    name: str, content: bytes, expected: Expected, *arguments: str, file: str = "data.csv", target: str = "price"
) -> Case:
    """A case of one file, whatever its bytes."""
    return Case(name, lambda: {file: content}, (file, "--target", target, *arguments), expected)


def refused(*words: str | tuple[str, ...]) -> Expected:
    """That it is refused, in these words."""
    return Expected(rows=None, refused=words)
