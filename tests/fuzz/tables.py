"""Tables: whatever a CSV holds, training ends well or with a message, and each row in is one prediction out."""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fuzz.console import ESCAPES, expect_manners, run
from fuzz.findings import expect

# fmt: off
NAMES = (
    "a", "b", "target", "a b", "é", "名前", "x,y", 'say "hi"', " lead", "trail ", "", "1", "nan", "a\nb", "[red]",
    "[/]", "{}", "a=b", "-", "--json", "target_missing", "column_1", "\ufeffa", "😀", "\u202eabc", "x" * 300, "a;b",
    "a\tb", "#", "'", "\\", "%s", "$x$", "_duplicated_0", *ESCAPES,
)
# fmt: on
# fmt: off
DIRT = (
    "", " ", "NA", "n/a", "NaN", "null", "?", "-", "inf", "-inf", "1e999", "1e308", "-1e308", "1e-320", "0x1F", "1,5",
    "1.5.2", "1_000", "1 000", "٣", "½", "true", "No", "2020-02-30", "2024-01-31", "2024-01-31T25:00", "12:30",
    "99999999999999999999999", "9007199254740993", "[bold]", "[/]", "=1+1", "a,b", 'q"q', "line\nbreak", "\r", "\x00",
    "\ufeff", "x" * 2000, "é" * 50, "\u202e", *ESCAPES,
)
# fmt: on


def generate(rng: random.Random) -> dict[str, Any]:
    n = rng.choice([0, 1, 2, 3, 5, 10] + [20, 30, 40, 60, 100] * 3)
    width = rng.choice([1, 2, 3, 4, 5, 8]) if rng.random() < 0.95 else rng.choice([50, 300])
    plain = rng.random() < 0.5
    names = [f"c{i}" if plain or rng.random() < 0.6 else rng.choice(NAMES) for i in range(width)]
    dirt = rng.choice([0.0, 0.0, 0.02, 0.2])
    columns = [generate_column(rng, n, dirt) for _ in names]
    target = rng.randrange(width)
    if rng.random() < 0.85:
        columns[target] = generate_column(
            rng, n, 0.0, rng.choice(["classes", "classes", "integers", "numbers", "escapes"])
        )
    return {
        "names": names,
        "columns": columns,
        "target": names[target] if rng.random() < 0.97 else rng.choice(NAMES),
        "dialect": {
            "delimiter": rng.choice([","] * 6 + [";", "\t"]),
            "quoting": rng.choice([csv.QUOTE_MINIMAL] * 3 + [csv.QUOTE_ALL]),
            "lineterminator": rng.choice(["\n", "\n", "\r\n"]),
        },
        "encoding": rng.choice(["utf-8"] * 20 + ["utf-8-sig"] * 3 + ["latin-1", "utf-16"]),
        "ragged": rng.random() < 0.05,
        "ending": rng.choice([".csv"] * 12 + [".tsv", ".txt"] * 3 + [".dat"]),
        "options": generate_options(rng),
        "terminal": rng.random() < 0.2,
        "new": [generate_column(rng, 7, rng.choice([0.0, 0.3])) for _ in names] if rng.random() < 0.3 else None,
    }


def generate_column(rng: random.Random, n: int, dirt: float, kind: str = "") -> list[str]:
    """One column's cells: of one kind, but for the dirt."""
    kind = kind or rng.choice(
        ["numbers"] * 4
        + ["integers", "classes", "yes", "dates", "times", "same", "empty", "ids", "large", "tiny", "escapes"]
    )
    made = {
        "numbers": lambda i: f"{rng.gauss(3, 2):.4g}",
        "integers": lambda i: str(rng.randint(0, 3)),
        "classes": lambda i: rng.choice(["red", "green", "blue"][: 2 + n % 2]),
        "yes": lambda i: rng.choice(["yes", "no"]),
        "dates": lambda i: f"20{rng.randint(10, 25)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        "times": lambda i: f"2024-01-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:30:00",
        "same": lambda i: "7",
        "empty": lambda i: "",
        "ids": lambda i: f"id{i}",
        "large": lambda i: rng.choice(["1e300", "-1e300", "3e38", "1e160", str(rng.randint(0, 10**20))]),
        "tiny": lambda i: rng.choice(["1e-300", "2e-310", "0"]),
        "escapes": lambda i: rng.choice([*ESCAPES[:2], "[red]x[/red]", "b"]),
    }[kind]
    return [rng.choice(DIRT) if rng.random() < dirt else made(i) for i in range(n)]


def generate_options(rng: random.Random) -> list[str]:
    """Options of `chainrule train`; few epochs, so that many tables are tried."""
    options = ["--epochs", str(rng.choice([1, 2, 3]))]
    for name, values in {
        "--hidden": ["none", "3", "4,2"],
        "--batch-size": ["1", "5", "full", "auto"],
        "--optimizer": ["sgd", "lbfgs", "adamw"],
        "--task": ["classification", "regression"],
        "--validation": ["0", "0.3", "0.9"],
        "--test": ["0", "0.5"],
        "--learning-rate": ["0.1", "1e30"],
        "--dropout": ["0.5"],
        "--members": ["1", "3", "9"],
        "--folds": ["2", "5", "50"],
        "--effort": ["quick", "best"],
        "--time-limit": ["0.001", "1"],
        "--engine": ["reference"],
    }.items():
        if rng.random() < 0.15:
            options += [name, rng.choice(values)]
    return options + [flag for flag in ("--batch-norm", "--json", "--quiet") if rng.random() < 0.1]


def write(path: Path, case: Mapping[str, Any], columns: list[list[str]]) -> int:
    """Write the table; gives how many rows a reader of CSV must find."""
    text = io.StringIO()
    dialect = dict(case["dialect"])
    if path.suffix == ".tsv":
        dialect["delimiter"] = "\t"
    writer = csv.writer(text, **dialect)
    writer.writerow(case["names"])
    rows = list(zip(*columns, strict=True))
    for i, row in enumerate(rows):
        writer.writerow([*row, "more"] if case["ragged"] and i == len(rows) // 2 else row)
    path.write_bytes(text.getvalue().encode(case["encoding"], "replace"))
    return len(rows)


def check(case: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, model = folder / f"table{case['ending']}", folder / "model.safetensors"
        n = write(table, case, case["columns"])
        before = table.read_bytes()
        trained = run(
            ["train", table.name, f"--target={case['target']}", "--out", model.name, *case["options"]],
            folder,
            terminal=case["terminal"],
        )
        expect_manners(trained, "train", raw_output="--json" in case["options"])
        expect(table.read_bytes() == before, "train changed the table")
        expect(
            (trained.code == 0) == model.exists(),
            f"train: exit status {trained.code}, and there is {'a' if model.exists() else 'no'} model",
        )
        if trained.code != 0:
            expect(set(folder.iterdir()) == {table}, "train failed and left files behind")
            return
        if "--json" in case["options"] and not case["terminal"]:
            json.loads(trained.out, parse_constant=lambda name: expect(False, f"train --json: {name} isn't JSON"))
        check_predictions(case, folder, model, table, n)
        evaluated = run(["evaluate", model.name, table.name, "--json"], folder)
        expect_manners(evaluated, "evaluate", raw_output=True)
        if evaluated.code == 0:
            json.loads(evaluated.out, parse_constant=lambda name: expect(False, f"evaluate --json: {name} isn't JSON"))
        shown = run(["evaluate", model.name, table.name], folder, terminal=case["terminal"])
        expect_manners(shown, "evaluate")
        expect(shown.code == evaluated.code, "evaluate: another exit status with --json")
        if case["new"] is not None:
            other = folder / f"new{case['ending']}"
            check_predictions(case, folder, model, other, write(other, case, case["new"]))


def check_predictions(case: Mapping[str, Any], folder: Path, model: Path, table: Path, n: int) -> None:
    """As many predictions as rows, each of them something."""
    out = folder / "predictions.csv"
    predicted = run(["predict", model.name, table.name, "--out", out.name], folder, terminal=case["terminal"])
    expect_manners(predicted, "predict", raw_output=not case["terminal"])
    if predicted.code != 0:
        return
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    shown = run(["predict", model.name, table.name], folder)
    expect(shown.code == 0, f"predict: exit status 0 into a file, {shown.code} into a pipe")
    expect(list(csv.reader(io.StringIO(shown.out))) == rows, "predict: not the same into a file as into a pipe")
    blank = case["dialect"]["quoting"] == csv.QUOTE_MINIMAL and len(case["names"]) == 1
    if not case["ragged"] and not blank and not ambiguous(case):
        expect(len(rows) - 1 == n, f"{n} rows in, {len(rows) - 1} predictions out")
    for row in rows[1:]:
        expect(row and row[0].lower() not in ("nan", "inf", "-inf", ""), f"a prediction is {row}")
    out.unlink()


def ambiguous(case: Mapping[str, Any]) -> bool:
    """Whether readers of CSV may disagree about the rows: lone carriage returns, null bytes, other encodings."""
    text = json.dumps([case["names"], case["columns"], case["new"]])
    return case["encoding"].startswith(("latin", "utf-16")) or "\\r" in text or "\\u0000" in text
