"""Data frames: columns of any type from any library, trained on and predicted through `TableModel`."""

from __future__ import annotations

import datetime
import decimal
import math
import random
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from fuzz.findings import expect

KINDS = (
    *("numbers", "integers", "classes", "booleans", "dates", "times", "codes", "same", "missing", "odd numbers"),
    *("clock", "spans", "decimals", "lists", "bytes", "objects", "categories", "huge integers", "names", "float32"),
)
LIBRARIES = ("dict", "polars", "pandas", "pyarrow", "csv", "parquet")


def generate(rng: random.Random) -> dict[str, Any]:
    n = rng.choice([0, 1, 2, 6] + [20, 30, 40] * 4)
    kinds = [rng.choice(KINDS[:9] if rng.random() < 0.7 else KINDS) for _ in range(rng.randint(1, 5))]
    target = rng.choice(["classes", "numbers", "booleans", "integers", "codes"] * 16 + [*KINDS])
    return {
        "library": rng.choice(LIBRARIES),
        "rows": n,
        "columns": [[f"c{i}", kind, rng.random() < 0.2] for i, kind in enumerate([target, *kinds])],
        "new": rng.choice(
            [None, None, "fewer columns", "more columns", "other types", "other order", "no rows", "one row"]
        ),
        "settings": {"epochs": 2, "hidden": [3], "members": rng.choice([1, 2, 8])}
        | ({"batch_norm": True} if rng.random() < 0.1 else {})
        | ({"optimizer": rng.choice(["lbfgs", "sgd"])} if rng.random() < 0.2 else {}),
        "seed": rng.getrandbits(31),
    }


def column(kind: str, n: int, holes: bool, rng: random.Random) -> list[Any]:
    """Python values of one kind, with holes in it or not."""
    day, moment = datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, 12)
    made = {
        "numbers": lambda i: rng.gauss(0, 1),
        "integers": lambda i: rng.randint(0, 4),
        "classes": lambda i: "ab"[i % 2],
        "booleans": lambda i: i % 3 == 0,
        "dates": lambda i: day + datetime.timedelta(days=rng.randint(0, 999)),
        "times": lambda i: moment + datetime.timedelta(hours=rng.randint(0, 9999)),
        "codes": lambda i: rng.choice([10, 20, 30]),
        "same": lambda i: 7,
        "missing": lambda i: None,
        "odd numbers": lambda i: rng.choice([1e308, -1e308, 1e-310, float("inf"), float("nan"), 1e160, 0.0]),
        "clock": lambda i: datetime.time(i % 24, 30),
        "spans": lambda i: datetime.timedelta(minutes=i),
        "decimals": lambda i: decimal.Decimal(i) / 8,
        "lists": lambda i: [i, i + 1],
        "bytes": lambda i: bytes([i % 256]),
        "objects": lambda i: {"a": i},
        "categories": lambda i: rng.choice(["low", "high"]),
        "huge integers": lambda i: 2**62 + i,
        "names": lambda i: f"name {i}",
        "float32": lambda i: float(np.float32(rng.random())),
    }[kind]
    return [None if holes and i % 5 == 4 else made(i) for i in range(n)]


def values_of(case: dict[str, Any], columns: list[list[Any]], n: int) -> dict[str, list[Any]]:
    """The columns' values by their names."""
    rng = random.Random(case["seed"])
    return {name: column(kind, n, holes, rng) for name, kind, holes in columns}


def table(case: dict[str, Any], columns: list[list[Any]], n: int, folder: Path) -> Any:
    """The columns as an object of the library."""
    data = values_of(case, columns, n)
    library = case["library"]
    if library == "dict":
        return data
    if library == "pandas":
        import pandas

        return pandas.DataFrame(
            {name: pandas.Series(values, dtype=kind_of(columns, name)) for name, values in data.items()}
        )
    if library == "pyarrow":
        import pyarrow

        return pyarrow.table(data)
    import polars

    frame = polars.DataFrame(data, strict=False)
    if library == "polars":
        return frame
    path = folder / f"table{len(list(folder.iterdir()))}.{library}"
    frame.write_csv(path) if library == "csv" else frame.write_parquet(path)
    return path


def kind_of(columns: list[list[Any]], name: str) -> str | None:
    """pandas' own type where a kind has one."""
    kind = next(kind for other, kind, _ in columns if other == name)
    return {"categories": "category", "float32": "float32"}.get(kind)


def changed(case: dict[str, Any]) -> tuple[list[list[Any]], int]:
    """The columns and rows of a second table."""
    columns, n, how = case["columns"], case["rows"], case["new"]
    rng = random.Random(case["seed"])
    if how == "fewer columns":
        columns = columns[:-1]
    elif how == "more columns":
        columns = [*columns, ["another", "numbers", False]]
    elif how == "other types":
        columns = [[name, rng.choice(KINDS), holes] for name, _, holes in columns]
    elif how == "other order":
        columns = columns[::-1]
    return columns, {"no rows": 0, "one row": 1}.get(how, n)


def check(case: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            given = table(case, case["columns"], case["rows"], folder)
        except (TypeError, ValueError, NotImplementedError):
            return  # the other library has no such table
        except Exception as error:
            if type(error).__module__.startswith(("polars", "pyarrow")):
                return
            raise
        settings = {**case["settings"], "hidden": tuple(case["settings"]["hidden"])}
        try:
            model = cr.TableModel.train(given, target="c0", progress=False, **settings)
        except cr.ChainruleError as error:
            expect_message(error)
            return
        try:
            check_answers(model, given, case["rows"])
        except cr.InputError as error:
            expect_row_left_out(error, values_of(case, case["columns"], case["rows"]))
            return
        path = folder / "model.safetensors"
        model.save(path)
        check_same(model, cr.load(path), given)
        if case["new"] is not None:
            columns, n = changed(case)
            try:
                other = table(case, columns, n, folder)
            except Exception:
                return
            try:
                check_answers(model, other, n)
            except cr.ChainruleError as error:
                expect_message(error)


def expect_message(error: Exception) -> None:
    """A message that says something, and not too much."""
    expect(str(error).strip(), "an error without a message")
    expect(len(str(error)) < 16_000, f"a message of {len(str(error))} letters")


def expect_row_left_out(error: Exception, data: dict[str, list[Any]]) -> None:
    """Rows without a target aren't learned from, so what stands in them is met by prediction: a number that is
    infinite, or too far from the training rows'. The message names the column and the rows."""
    found = re.match(
        r'column "(c\d+)" (is infinite|has a number too far from the training rows\') .*?\brows? ([\d, ]+)', str(error)
    )
    if found is None:
        raise error
    name, what, rows = found.groups()
    for row in (int(number) - 1 for number in rows.split(",")):
        target, cell = data["c0"][row], data[name][row]
        expect(target is None or target != target, f"row {row + 1} was learned from, and is refused: {error}")
        expect(what != "is infinite" or math.isinf(cell), f"row {row + 1} of {name} is {cell}: {error}")


def check_answers(model: cr.TableModel, given: Any, n: int) -> None:
    """As many predictions as rows, of known classes or finite; probabilities that add up to 1."""
    predictions = model.predict(given)
    expect(len(predictions) == n, f"{n} rows in, {len(predictions)} predictions out")
    if predictions.dtype.kind == "f":
        expect(np.all(np.isfinite(predictions)), "predictions aren't finite")
    classes = getattr(model.target, "classes", None)
    if classes:
        chances = model.predict_proba(given)
        expect(
            chances.shape == (n, len(classes)),
            f"probabilities of shape {chances.shape} for {n} rows, {len(classes)} classes",
        )
        expect(np.allclose(chances.sum(axis=1), 1, atol=1e-4), "probabilities don't add up to 1")
        expect(set(predictions.tolist()) <= set(classes), "a class is predicted that training never saw")


def check_same(model: cr.TableModel, loaded: Any, given: Any) -> None:
    """A model that is saved and loaded answers the same."""
    mine, theirs = model.predict(given), loaded.predict(given)
    expect(
        mine.dtype == theirs.dtype and mine.tolist() == theirs.tolist(), "saved and loaded, it predicts something else"
    )
