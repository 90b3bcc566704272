"""What columns are: identifiers, constants, texts, thousands of categories, leaks, duplicates, classes of one row."""

from __future__ import annotations

import uuid

import numpy as np

from .case import ROWS, Columns, Expected, base, beside, refused, sold, table

WORDS = (
    "the",
    "house",
    "stands",
    "near",
    "wide",
    "river",
    "has",
    "many",
    "old",
    "rooms",
    "with",
    "high",
    "quiet",
    "garden",
)
BASELINE = ("baseline", "no better", "majority", "the mean")


def texts(n: int = ROWS, seed: int = 2) -> list[str]:
    """Sentences, none of them twice."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(8, 20))) + f", number {i}." for i in range(n)]


def many(n: int = 4000, kinds: int = 1200) -> Columns:
    """Thousands of categories, which tell much of the price."""
    rng = np.random.default_rng(3)
    street, worth = rng.integers(kinds, size=n), rng.normal(0, 60, size=kinds)
    columns = base(n)
    price = [f"{float(p) + worth[s]:.0f}" for p, s in zip(columns["price"], street, strict=True)]
    return beside(columns | {"price": price}, street=[f"street {s}" for s in street])


def floats(columns: Columns, name: str) -> np.ndarray:
    return np.array([float(cell) for cell in columns[name]])


def leaking(form: str, noise: float = 0.0) -> Columns:
    """The price once more, in another unit."""
    columns = base(200)
    again = floats(columns, "price") * 1.17 + 3 + noise * np.random.default_rng(4).normal(size=200)
    return beside(columns, gross=[form.format(v) for v in again])


def told(*words: str, n: int = 200, wrong: int = 0) -> Columns:
    """Whether it is dear, in other words."""
    columns = sold(n)
    again = [words[0] if cell == "yes" else words[1] for cell in columns["dear"]]
    for i in range(wrong):
        again[i * 37 % n] = words[0] if again[i * 37 % n] == words[1] else words[1]
    return beside(columns, again=again)


def ordered(by: str = "price") -> Columns:
    """Rows in the order of the target, with a number that counts them."""
    columns = base(200)
    order = np.argsort(floats(columns, by), kind="stable")
    return {"id": [str(i + 1) for i in range(200)]} | {
        name: [cells[i] for i in order] for name, cells in columns.items()
    }


def repeated(share: float = 0.5, n: int = 200) -> Columns:
    """Rows that stand there twice."""
    columns = base(n)
    twice = np.random.default_rng(5).permutation(n)[: int(share * n)]
    return {name: [*cells, *(cells[i] for i in twice)] for name, cells in columns.items()}


def by_chance(classes: bool = False, n: int = 400) -> Columns:
    """A target that nothing tells."""
    rng = np.random.default_rng(6)
    columns = base(n)
    price = (
        [("yes", "no")[i] for i in rng.integers(2, size=n)]
        if classes
        else [f"{v:.2f}" for v in rng.normal(9, 2, size=n)]
    )
    return columns | {"price": price}


def rare(singles: int = 1, n: int = 120) -> Columns:
    """Three classes, and some of one row."""
    columns = sold(n)
    third = [("low", "middle", "high")[min(2, int(float(size) // 70))] for size in columns["size"]]
    for i in range(singles):
        third[i * 11 + 5] = f"odd {i}"
    return columns | {"dear": third}


def imbalanced(n: int = 1000) -> Columns:
    """Three per cent of the rows are dear."""
    columns = base(n)
    price = floats(columns, "price")
    del columns["price"]
    return columns | {"dear": ["yes" if p > np.quantile(price, 0.97) else "no" for p in price]}


def uuids(n: int = ROWS) -> list[str]:
    rng = np.random.default_rng(9)
    return [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(n)]


def codes(n: int = ROWS) -> list[str]:
    return [str(v) for v in np.random.default_rng(10).choice(900_000, size=n, replace=False) + 100_000]


def dropped(name: str, column: str, cells: list[str], *words: str | tuple[str, ...], kind: str = "dropped") -> object:
    expected = Expected(columns={column: kind, "size": "numeric"}, noted=(column, *words))
    return table(f"column: {name}", beside(base(), **{column: cells}), expected)


IDENTIFIER = ("identif", "unique", "every row", "each row", "counts", "numbers the rows")
LEAK = ("leak", "tells", "determines", "same as", "copy", "target")

COLUMNS = [
    dropped("numbers that count rows", "id", [str(i + 1) for i in range(ROWS)], IDENTIFIER),
    dropped("numbers that count from 1001", "id", [str(i + 1001) for i in range(ROWS)], IDENTIFIER),
    dropped("numbers of customers", "customer_id", codes(), IDENTIFIER),
    dropped("names of rows", "row", [f"R-{i:05}" for i in range(ROWS)], IDENTIFIER),
    dropped("UUIDs", "key", uuids(), IDENTIFIER),
    dropped("always the same text", "country", ["DE"] * ROWS, ("constant", "one value", "always", "same")),
    dropped("always the same number", "year", ["2024"] * ROWS, ("constant", "one value", "always", "same")),
    dropped(
        "the same, or missing", "garden", ["yes" if i % 3 else "" for i in range(ROWS)], kind="dropped|categorical"
    ),
    dropped("free text", "remark", texts(), ("text",)),
    table(
        "column: the same but for one row",
        beside(base(), country=["DE"] * 59 + ["FR"]),
        Expected(columns={"country": "categorical|dropped"}),
    ),
    table(
        "column: the index that a data frame wrote",
        {"": [str(i) for i in range(ROWS)], **base()},
        Expected(columns={"size": "numeric", "town": "categorical"}, noted=(IDENTIFIER,)),
    ),
    table(
        "column: measurements that differ in every row",
        beside(base(), length=[f"{v:.4f}" for v in np.random.default_rng(12).normal(3, 1, size=ROWS)]),
        Expected(columns={"length": "numeric"}),
    ),
    table("column: thousands of categories", many, Expected(rows=4000, columns={"street": "categorical"})),
    table(
        "column: thousands of categories, at most 20",
        many,
        Expected(rows=4000, columns={"street": "categorical|dropped"}, noted=("street", "20")),
        "--max-categories",
        "20",
    ),
    table(
        "column: categories that differ by case and spaces",
        lambda: base() | {"town": [(t, t.upper(), f" {t}")[i % 3] for i, t in enumerate(base()["town"])]},
        Expected(columns={"town": "categorical"}),
    ),
    table(
        "column: a copy of another",
        beside(base(), area=base()["size"]),
        Expected(columns={"size": "numeric", "area": "numeric|dropped"}),
    ),
    table(
        "column: whole numbers that may be classes",
        lambda: sold() | {"dear": [str(i * i % 7 % 3) for i in range(ROWS)]},
        Expected(noted=("--task",)),
        target="dear",
    ),
    table(
        "leak: a copy of the target",
        lambda: beside(base(200), again=base(200)["price"]),
        Expected(rows=200, noted=("again", LEAK)),
    ),
    table("leak: the target in another unit", lambda: leaking("{:.4f}"), Expected(rows=200, noted=("gross", LEAK))),
    table(
        "leak: the target in another unit, rounded",
        lambda: leaking("{:.0f}"),
        Expected(rows=200, noted=("gross", LEAK)),
    ),
    table("leak: nearly the target", lambda: leaking("{:.3f}", 0.3), Expected(rows=200, noted=("gross", LEAK))),
    table(
        "no leak: what follows the target roughly",
        lambda: leaking("{:.3f}", 60.0),
        Expected(rows=200, columns={"gross": "numeric"}),
    ),
    table(
        "leak: the class in other words",
        lambda: told("costly", "cheap"),
        Expected(rows=200, noted=("again", LEAK)),
        target="dear",
    ),
    table(
        "leak: the class as a number", lambda: told("1", "0"), Expected(rows=200, noted=("again", LEAK)), target="dear"
    ),
    table(
        "leak: the class, but for two rows",
        lambda: told("a", "b", wrong=2, n=400),
        Expected(rows=400, noted=("again", LEAK)),
        target="dear",
    ),
    table(
        "leak: the class in finer words",
        lambda: beside(sold(200), grade=[f"{v}{i % 3}" for i, v in enumerate(sold(200)["dear"])]),
        Expected(rows=200, noted=("grade", LEAK)),
        target="dear",
    ),
    table("leak: rows in the order of the target", ordered, Expected(rows=200, noted=("id",))),
    table(
        "duplicates: half of the rows",
        repeated,
        Expected(rows=300, noted=("100", ("twice", "duplicate", "same", "repeated", "equal"))),
    ),
    table(
        "duplicates: one row, again and again",
        {name: [cells[0]] * ROWS for name, cells in base().items()},
        refused(("price", "size"), ("constant", "one value", "one class", "always", "same")),
    ),
    table("target: chance", by_chance, Expected(rows=400, task="regression", noted=(BASELINE,))),
    table(
        "target: chance, two classes",
        lambda: by_chance(True),
        Expected(rows=400, task="classification", noted=(BASELINE,)),
    ),
    table(
        "target: always the same",
        lambda: base() | {"price": ["5"] * ROWS},
        refused("price", ("constant", "one value", "one class", "always", "same")),
    ),
    table(
        "target: one class",
        lambda: sold() | {"dear": ["yes"] * ROWS},
        refused("dear", ("yes", "one class", "constant", "one value")),
        target="dear",
    ),
    table(
        "target: a text of its own in each row",
        lambda: sold() | {"dear": texts()},
        refused("dear", ("class", "unique", "text")),
        target="dear",
    ),
    table(
        "target: a class of one row",
        rare,
        Expected(
            rows=120,
            task="classification",
            noted=("odd 0", ("1 row", "one row", "too few", "single", "left out", "merged")),
        ),
        target="dear",
    ),
    table(
        "target: classes of one row each",
        lambda: rare(4),
        Expected(rows=120, task="classification", noted=("odd 0", "odd 3")),
        target="dear",
    ),
    table(
        "target: each class but one of one row",
        lambda: sold() | {"dear": ["no" if i % 20 else f"odd {i}" for i in range(ROWS)]},
        Expected(noted=("dear",), refused=("dear",), either=True),
        target="dear",
    ),
    table(
        "target: a rare class",
        imbalanced,
        Expected(rows=1000, task="classification", noted=("dear", ("rare", "imbalance", "3 %", "3%", "97"))),
        target="dear",
    ),
    table(
        "target: true and false",
        lambda: sold() | {"dear": ["true" if v == "yes" else "false" for v in sold()["dear"]]},
        Expected(task="classification", values={"dear": [{"yes": "true", "no": "false"}[v] for v in sold()["dear"]]}),
        target="dear",
    ),
    table(
        "rows: five",
        {name: cells[:5] for name, cells in base().items()},
        Expected(rows=5, noted=(("5 rows", "five", "few"),), refused=(("5 rows", "few"),), either=True),
    ),
]
