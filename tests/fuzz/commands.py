"""The command line: any command with any values ends with a documented exit status, and a message where it isn't 0."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from fuzz.console import ESCAPES, expect_manners, run, run_apart
from fuzz.findings import expect

CSV = "a,b,kind,y\n" + "".join(f"{i % 7},{i * i % 11},{'red' if i % 3 else 'blue'},{i % 5}.5\n" for i in range(40))
SHEET = """format = "chainrule-worksheet/1"
[network]
inputs = 2
layers = [
  { name = "hidden", units = 2, activation = "sigmoid" },
  { name = "output", units = 1, activation = "sigmoid" },
]
loss = "squared_error"
[parameters]
hidden.W = [[0.2, 0.4], [0.3, 0.7]]
hidden.b = 0.1
output.W = [[0.5], [0.6]]
output.b = 0.3
[sample]
x = [0.5, 0.8]
y = [1]
[work]
"z[hidden,1]" = "0.44"
"L" = "9"
"""
CLASS = "student,z[hidden,1],L\nada,0.44,0.07\n\x1b[2Jbob,,x\n"

# fmt: off
ODD = (
    "", " ", "-1", "0", "1", "2", "1e309", "nan", "inf", "-inf", "99999999999999999999", "9" * 5000, "1.5", "1e-320",
    "true", "none", "auto", "full", "-", "--", "a", "é", "\u202e", "'", '"', "[red]", "[/]", "{}", "%s", "$HOME", "~",
    "/", ".", "..", "/dev/null", "missing/deep.csv", "a\nb", "x" * 5000, *ESCAPES,
)
# fmt: on
TABLES = (
    "t.csv",
    "t.csv",
    "t.csv",
    "iris",
    "t.parquet",
    "empty.csv",
    "junk.csv",
    "m.safetensors",
    "s.toml",
    ".",
    "missing.csv",
)
MODELS = ("m.safetensors", "m.safetensors", "a.safetensors", "t.csv", "junk.safetensors", "missing.safetensors", ".")
# fmt: off
SIZES = (
    "2-2-1", "5-4-3-2-1", "1-1", "2", "2-0-1", "2--1", "-2-1", "2-2-1-", "100000-100000-1", "9999999999-99999999999",
    "1-" * 50 + "1", "2x2", "2,2",
)
# fmt: on
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "softmax", "linear", "exponential", "threshold", "swish", "RELU")
LOSSES = ("squared_error", "binary_cross_entropy", "cross_entropy", "poisson", "huber", "log_loss", "quantile")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad", "lbfgs", "none", "adamax")
SMALL = ("0", "1", "2", "3", "-1")
OUT = ("o.safetensors", "o.html", "o.csv", "o.toml", "o.parquet", "missing/o.csv", ".", "o", "t.csv")
NAMES = (
    "W[hidden,1,1]",
    "b[output,1]",
    "W[hidden_1,1,1]",
    "W[9,9,9]",
    "W+[hidden,1,1]",
    "x[1]",
    "L",
    "W[",
    "W[hidden,1,1]]",
    "x",
)

COMMANDS: dict[str, tuple[tuple[tuple[str, ...], ...], dict[str, tuple[str, ...] | None]]] = {
    "train": (
        (TABLES,),
        {
            "--target": ("y", "kind", "a", "target", "zz"),
            "--task": ("classification", "regression", "ranking"),
            "--hidden": ("none", "4", "4,3", "0", "-1", "4,,3", "1000000000", "4;3"),
            "--activation": ACTIVATIONS,
            "--dropout": ("0", "0.5", "0.99", "1", "-0.1"),
            "--bins": ("0", "1", "7", "-1", "5000"),
            "--label-smoothing": ("0", "0.3", "1", "-0.1"),
            "--batch-norm": None,
            "--optimizer": OPTIMIZERS,
            "--learning-rate": ("0.01", "1e30", "0", "-1"),
            "--batch-size": ("1", "7", "full", "auto", "0", "-3", "half"),
            "--epochs": ("1", "2", "0", "-1"),
            "--patience": ("1", "0", "-1"),
            "--l2": ("0", "1", "-1", "1e300"),
            "--clip-norm": ("1", "0", "-1", "1e-300"),
            "--validation": ("0", "0.5", "0.999", "1", "-0.1"),
            "--test": ("0", "0.5", "0.999", "1"),
            "--effort": ("quick", "good", "best", "", "great"),
            "--time-limit": ("0.001", "1", "0", "-1", "nan"),
            "--members": ("1", "2", "9", "0", "-1"),
            "--folds": ("2", "5", "1", "1000"),
            "--group": ("a", "b", "y", "nowhere", ""),
            "--seed": ("0", "1", "-1", "4294967296"),
            "--engine": ("auto", "reference", "native", "gpu"),
            "--out": OUT,
            "--quiet": None,
            "--json": None,
        },
    ),
    "predict": (
        (MODELS, TABLES),
        {"--probabilities": None, "--interval": ("0.5", "0.9", "0", "1", "nan"), "--out": OUT, "--json": None},
    ),
    "evaluate": ((MODELS, TABLES), {"--json": None}),
    "explain": (
        ((*SIZES, "s.toml", "s.toml", "m.safetensors", "a.safetensors", "t.csv", "missing.toml"),),
        {
            "--weight": NAMES,
            "--layer": ("hidden", "output", "hidden_1", "nowhere"),
            "--unit": SMALL,
            "--row": SMALL,
            "--member": ("1", "2", "9", "mean", "0", "-1", "first"),
            "--notation": ("ours", "a-h", "o-w", "net-out", "Z-H", "O-P", "o-p"),
            "--format": ("text", "markdown", "latex", "html", "json", "pdf"),
            "--out": OUT,
            "--x": ("0.5,0.8", "1,2,3", "1,2;3,4", "1", "", "a,b", "1,,2", "1e400,1", ";"),
            "--y": ("1", "0", "0.5", "2", "1;0", "-1", "1e160", "1e400"),
            "--table": TABLES,
            "--target": ("y", "kind", "zz"),
            "--activation": ACTIVATIONS,
            "--loss": LOSSES,
            "--output": ACTIVATIONS,
            "--seed": SMALL,
            "--optimizer": OPTIMIZERS,
            "--learning-rate": ("0.1", "0", "-1", "1e300"),
            "--expression": ("x**2", "exp(exp(x**2))", "f = x**2; k = f*y", "1/0", "x +", "(" * 300, "lambda: 1"),
            "--at": ("x=1", "x=1,y=2", "x", "x=", "=1", "x=1,x=2", "x=1e400", "y=0"),
        },
    ),
    "mark": (
        (("s.toml", "s.toml", "t.csv", "missing.toml", "m.safetensors", "."),),
        {"--work": ("class.csv", "t.csv", "empty.csv", "junk.csv", "."), "--json": None},
    ),
    "practice": (
        (("s.toml", "", "t.csv", "missing.toml"),),
        {
            "--network": SIZES,
            "--activation": ACTIVATIONS,
            "--loss": LOSSES,
            "--output": ACTIVATIONS,
            "--rows": ("1", "2", "0", "-1", "1000000"),
            "--optimizer": OPTIMIZERS,
            "--learning-rate": ("0.5", "0", "-1", "1e300"),
            "--l2": ("0", "0.1", "-1"),
            "--no-bias": None,
            "--notation": ("ours", "net-out", "zz"),
            "--seed": SMALL,
            "--out": OUT,
            "--key": ("k.toml", "s.toml", ".", "missing/k.toml"),
            "--check": None,
            "--again": None,
        },
    ),
    "params": ((SIZES,), {"--json": None}),
    "info": ((), {"--json": None}),
}
# Lines that work, and the options that go with them: most cases are one of these with at most one odd thing in it.
FORWARD = ("--layer", "--unit", "--notation", "--format", "--out", "--weight")
NEW_SHEET = (
    "--activation",
    "--optimizer",
    "--learning-rate",
    "--l2",
    "--no-bias",
    "--notation",
    "--seed",
    "--out",
    "--key",
)
# fmt: off
WORKING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("practice --network 2-2-1", (*NEW_SHEET, "--rows", "--check")),
    ("practice --network 3-2 --loss cross_entropy", (*NEW_SHEET, "--rows", "--check")),
    ("practice --network 2-3-1 --loss binary_cross_entropy --check", (*NEW_SHEET, "--rows")),
    ("practice s.toml --check", ("--out", "--again")),
    ("explain 2-2-1 --x 0.5,0.8 --y 1", (*FORWARD, "--activation", "--seed", "--optimizer", "--learning-rate")),
    ("explain 2-3-2 --x 0.5,-1;2,3 --loss cross_entropy --y 1;0", (*FORWARD, "--activation", "--row", "--seed")),
    ("explain 2-2-1 --x 1,2", (*FORWARD, "--activation", "--output", "--loss")), ("explain s.toml", (*FORWARD,)),
    ("explain m.safetensors --table t.csv --row 3", (*FORWARD,)),
    ("explain m.safetensors --table t.csv", (*FORWARD, "--row")),
    ("explain a.safetensors --x 1,2 --y 0", (*FORWARD,)),
    ("explain --expression x**2*exp(y) --at x=1,y=2", ("--format", "--out", "--weight")),
    ("mark s.toml", ("--work", "--json")), ("mark s.toml --work class.csv", ("--json",)),
    ("predict m.safetensors t.csv", ("--probabilities", "--out", "--json")),
    ("evaluate m.safetensors t.csv", ("--json",)),
    ("train t.csv --target kind --epochs 2 --hidden 3", tuple(set(COMMANDS["train"][1]) - {"--epochs", "--hidden"})),
    ("train t.csv --target y --epochs 2 --hidden 3", tuple(set(COMMANDS["train"][1]) - {"--epochs", "--hidden"})),
    ("params 5-4-3-2-1", ("--json",)), ("info", ("--json",)),
)
# fmt: on
ENVIRONMENTS = (
    {"CHAINRULE_ISA": "nonsense"},
    {"CHAINRULE_ISA": "baseline"},
    {"CHAINRULE_THREADS": "-3"},
    {"CHAINRULE_THREADS": "many"},
    {"CHAINRULE_NATIVE": "0"},
    {"COLUMNS": "1"},
    {"COLUMNS": "nine"},
    {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    {"TERM": "dumb"},
    {"NO_COLOR": "1"},
    {"FORCE_COLOR": "1"},
    {"HOME": "/nowhere"},
    {"TMPDIR": "/nowhere"},
)


def generate(rng: random.Random) -> dict[str, Any]:
    arguments = anything(rng) if rng.random() < 0.2 else working(rng)
    if rng.random() < 0.03:
        odd = rng.choice(["--nonsense", "-x", "--help", "--version", "extra", *ODD])
        arguments.insert(rng.randrange(len(arguments) + 1), odd)
    answers = ["?", "", "0.44", "q", "-0.5", "x", "1/3", "?", *ODD]
    return {
        "arguments": arguments,
        "stdin": "\n".join(rng.choice(answers) for _ in range(rng.randint(0, 30))),
        "terminal": rng.random() < 0.15,
        "environment": rng.choice(ENVIRONMENTS) if rng.random() < 0.02 else {},
    }


def working(rng: random.Random) -> list[str]:
    """A line that works, with options that go with it; or with one thing that doesn't."""
    line, names = rng.choice(WORKING)
    arguments = line.split(" ")
    options = COMMANDS[arguments[0]][1]
    most = rng.choice([0, 1, 3, 5])
    for name in rng.sample(sorted(names), min(most, len(names))):
        values = options[name]
        arguments += [name] if values is None else [name, rng.choice(values[:4])]
    if rng.random() < 0.3:
        i = rng.randrange(1, len(arguments)) if len(arguments) > 1 else 0
        values = options.get(arguments[i - 1]) or ODD
        if arguments[i - 1] != "--epochs":
            arguments[i] = rng.choice(values if rng.random() < 0.5 else ODD)
    return arguments


def anything(rng: random.Random) -> list[str]:
    """A command with any of its options and values."""
    command = rng.choice([*COMMANDS, "explain", "practice"])
    positions, options = COMMANDS[command]
    arguments = [command, *(rng.choice(values if rng.random() < 0.95 else ODD) for values in positions)]
    chosen = [name for name in options if rng.random() < rng.choice([0.05, 0.15, 0.3])]
    for name in chosen if command != "train" else [*dict.fromkeys(["--target", "--hidden", *chosen, "--epochs"])]:
        values = options[name]
        arguments.append(name)
        if values is not None:
            odd = ODD if rng.random() < 0.05 and name != "--epochs" else values
            arguments.append(rng.choice(odd))
    return arguments


class Folder:
    """Files to begin with, made once in a process and copied for every case."""

    made: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def copy(cls, to: Path) -> None:
        """Copy the files into a new folder."""
        if cls.made is None:
            cls.made = tempfile.TemporaryDirectory()
            cls.make(Path(cls.made.name))
        shutil.copytree(cls.made.name, to, dirs_exist_ok=True)

    @staticmethod
    def make(folder: Path) -> None:
        """Tables, models and worksheets, good ones and junk."""
        import numpy as np
        import polars as pl

        import chainrule as cr

        (folder / "t.csv").write_text(CSV)
        (folder / "class.csv").write_text(CLASS)
        (folder / "s.toml").write_text(SHEET)
        (folder / "empty.csv").write_bytes(b"")
        (folder / "junk.csv").write_bytes(bytes(range(256)) * 3)
        (folder / "junk.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      junk")
        pl.read_csv(folder / "t.csv").write_parquet(folder / "t.parquet")
        result = run(
            ["train", "t.csv", "--target", "kind", "--hidden", "3", "--epochs", "3", "--out", "m.safetensors"], folder
        )
        expect(result.code == 0, f"the plainest training fails: {result.err}")
        model = cr.Model(cr.Network.mlp(2, [3], 1), "squared_error")
        model.fit(np.eye(2), [0.0, 1.0], epochs=1, progress=False)
        model.save(folder / "a.safetensors")


def check(case: dict[str, Any]) -> None:
    arguments = [text.replace("\x00", "") for text in case["arguments"]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Folder.copy(folder)
        table = (folder / "t.csv").read_bytes()
        if case.get("environment"):
            result = run_apart(arguments, folder, stdin=case["stdin"], environment=case["environment"])
        else:
            result = run(arguments, folder, stdin=case["stdin"], terminal=case["terminal"])
        data = arguments[0] == "predict" and not case["terminal"]
        expect_manners(result, arguments[0] if arguments else "", raw_output=data or "--json" in arguments)
        expect(
            arguments[0] not in ("train", "practice") or (folder / "t.csv").read_bytes() == table,
            "a table was replaced by something else",
        )
        if result.code == 2:
            expect(
                {p.name for p in folder.iterdir()} == {p.name for p in Path(Folder.made.name).iterdir()},
                "fails, and leaves a file behind",
            )
