"""Worksheets: honest work gets no wrong mark, and what isn't a worksheet gets a message."""

from __future__ import annotations

import itertools
import math
import random
import tempfile
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import chainrule as cr
from fuzz.findings import expect

ELEMENTWISE = ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
LOSSES = {
    "squared_error": "linear",
    "half_squared_error": "sigmoid",
    "absolute_error": "linear",
    "huber": "tanh",
    "binary_cross_entropy": "sigmoid",
    "cross_entropy": "softmax",
    "poisson": "exponential",
}
NOTATIONS = ("ours", "a-h", "o-w", "net-out", "Z-H", "O-P")
UPDATES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
FORMATS = ("text", "markdown", "latex", "html", "json")
TITLES = (
    "A sheet",
    "\x1b[2Jgone",
    "<script>alert(1)</script>",
    "$x_1$ & 100 % #1",
    "| a | b |",
    "[red]x[/red]",
    "`x` *y*",
    "",
)
# fmt: off
HOSTILE = (
    "[" * 500, "[" * 100000, "9" * 5000, "1e999", "-inf", "nan", "true", '"x"', "{}", "[]", "[[]]", "{ a = 1 }",
    "1979-05-27", "0x10", "1_000", "-1", "0", "0.5", "10000000", "99999999999999999999", '"""', "'", "#", "=", "\\",
    "\x00", "\x1b[2J", "é", "W", "[network]", "[sample]", '"half"', '"relu"', '"softmax"', '"adam"', "[1, [2, 3]]",
    "[1, 2, 3, 4, 5, 6, 7]", '"' + "x" * 5000 + '"', "\ufeff", "\r",
)
# fmt: on
# fmt: off
WORK = (
    "", " ", "0", "-", "--3", "1 1/2", "½", "1e999", "nan", "inf", "1/0", "0/0", "9" * 5000, "1e-400", "٣", "0x10",
    "1,5", "1.5.2", "1 000", "1'000", "2.6 x 10^-3", "2.6·10⁻³", "10^5000", "1e5000", "1e-99999999",
    "1/" + "9" * 4400, "yes", "\x1b[2J", "\u22120.3", "+.5", "5.", "1e", "z", "0." + "3" * 3000,
)
# fmt: on


def generate(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["honest", "honest", "by hand", "by hand", "odd work", "mutated", "mutated", "forms"])
    case: dict[str, Any] = {"kind": kind, "sheet": generate_sheet(rng, by_hand=kind == "by hand")}
    case["digits"] = rng.choice([2, 3, 4, 6, 9])
    case["pick"] = rng.getrandbits(31)
    case["format"] = rng.choice(FORMATS)
    case["notation"] = rng.choice([None, *NOTATIONS])
    if kind == "odd work":
        case["work"] = rng.choices(WORK, k=rng.randint(1, 4))
    if kind == "mutated":
        case["text"] = mutate(rng, write(case["sheet"], {"L": "0.3", "z[output,1]": "0.25"}))
    return case


def generate_sheet(rng: random.Random, *, by_hand: bool) -> dict[str, Any]:
    """A small network and a sample as plain data."""
    loss = rng.choice(["squared_error", "half_squared_error", "binary_cross_entropy"] if by_hand else list(LOSSES))
    output = LOSSES[loss]
    sizes = [rng.randint(1, 3) for _ in range(rng.randint(2, 4))]
    if output == "softmax":
        sizes[-1] = rng.randint(2, 3)
    names = [f"hidden{i}" for i in range(1, len(sizes) - 1)] + ["output"]
    hidden = ["sigmoid", "tanh", "relu", "linear"] if by_hand else ELEMENTWISE
    activations = [rng.choice(hidden) for _ in names[:-1]] + [output]
    n = 1 if by_hand else rng.choice([1, 1, 2, 3])
    number = lambda: round(rng.uniform(-1, 1), rng.choice([1, 2, 3]))  # noqa: E731
    whole = loss in ("poisson", "binary_cross_entropy")
    y: list[list[float]] = [[rng.randint(0, 1) if whole else number() for _ in range(sizes[-1])] for _ in range(n)]
    if output == "softmax":
        y = [[float(j == label) for j in range(sizes[-1])] for label in (rng.randrange(sizes[-1]) for _ in range(n))]
    return {
        "title": rng.choice(TITLES),
        "sizes": sizes,
        "names": names,
        "activations": activations,
        "bias": by_hand or rng.random() < 0.8,
        "loss": loss,
        "l2": 0.0 if by_hand else rng.choice([0.0, 0.0, 0.01]),
        "reduction": rng.choice(["mean", "sum"]),
        "W": [[[number() for _ in range(b)] for _ in range(a)] for a, b in itertools.pairwise(sizes)],
        "b": [[number() for _ in range(b)] for b in sizes[1:]],
        "x": [[number() for _ in range(sizes[0])] for _ in range(n)],
        "y": y if by_hand or rng.random() < 0.9 else None,
        "update": None if by_hand else rng.choice([None, *UPDATES]),
        "notation": rng.choice(["", *NOTATIONS]),
    }


def quoted(text: str) -> str:
    """A TOML string."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\u{ord(c):04x}" for c in text) + '"'


def write(sheet: Mapping[str, Any], work: Mapping[str, str]) -> str:
    """The TOML of a sheet, as docs/reference/worksheet.md shows it."""
    layers = zip(sheet["names"], sheet["sizes"][1:], sheet["activations"], strict=True)
    bias = "" if sheet["bias"] else ", bias = false"
    loss = f'{{ name = "{sheet["loss"]}", l2 = {sheet["l2"]} }}' if sheet["l2"] else quoted(sheet["loss"])
    one = len(sheet["x"]) == 1
    lines = ['format = "chainrule-worksheet/1"', f"title = {quoted(sheet['title'])}"]
    if sheet["notation"]:
        lines.append(f'notation = "{sheet["notation"]}"')
    lines += ["[network]", f"inputs = {sheet['sizes'][0]}", "layers = ["]
    lines += [f'  {{ name = "{name}", units = {units}, activation = "{a}"{bias} }},' for name, units, a in layers]
    lines += ["]", f"loss = {loss}", f'reduction = "{sheet["reduction"]}"', "[parameters]"]
    for name, W, b in zip(sheet["names"], sheet["W"], sheet["b"], strict=True):
        lines.append(f"{name}.W = {W}")
        if sheet["bias"]:
            lines.append(f"{name}.b = {b}")
    lines += ["[sample]", f"x = {sheet['x'][0] if one else sheet['x']}"]
    if sheet["y"] is not None:
        lines.append(f"y = {sheet['y'][0] if one else sheet['y']}")
    if sheet["update"] is not None and sheet["y"] is not None:
        lines += ["[update]", f'optimizer = "{sheet["update"]}"', "learning_rate = 0.1"]
    lines.append("[work]")
    lines += [f"{quoted(name)} = {quoted(text)}" for name, text in work.items()]
    return "\n".join(lines) + "\n"


def mutate(rng: random.Random, text: str) -> str:
    """The text with a few lines, tokens or letters changed."""
    for _ in range(rng.randint(1, 3)):
        lines = text.split("\n")
        i = rng.randrange(len(lines))
        how = rng.choice(["value", "value", "value", "token", "drop", "double", "swap", "letter", "cut"])
        if how == "value" and "=" in lines[i]:
            lines[i] = lines[i].split("=")[0] + "= " + rng.choice(HOSTILE)
        elif how == "token":
            words = lines[i].split(" ")
            words[rng.randrange(len(words))] = rng.choice(HOSTILE)
            lines[i] = " ".join(words)
        elif how == "drop":
            del lines[i]
        elif how == "double":
            lines.insert(i, lines[i])
        elif how == "swap":
            j = rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
        text = "\n".join(lines)
        if how == "letter":
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice(HOSTILE)[:20] + text[place + rng.randint(0, 2) :]
        elif how == "cut":
            text = text[: rng.randrange(len(text) + 1)]
    return text


def read(text: str) -> cr.Worksheet:
    """Read a sheet through a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.toml"
        path.write_text(text, newline="")
        return cr.read_worksheet(path)


def check(case: dict[str, Any]) -> None:
    if case["kind"] == "mutated":
        check_mutated(case)
        return
    sheet = read(write(case["sheet"], {}))
    try:
        work = sheet.derivation()
        everything = {str(q.name): q.value for q in work}
    except cr.ChainruleError as error:
        expect("overflow" in str(error) or "finite" in str(error), f"a valid sheet is refused: {error}")
        return
    if case["kind"] == "honest":
        check_honest(case, sheet, everything)
    elif case["kind"] == "by hand":
        check_by_hand(case, sheet, everything)
    elif case["kind"] == "odd work":
        check_odd(case, everything)
    else:
        check_forms(case, sheet)


def rounded(value: float, digits: int) -> str:
    """A number with so many significant digits, as one writes it."""
    return format(Decimal(f"{value:.{digits - 1}e}"), "f") if 1e-12 < abs(value) < 1e12 else f"{value:.{digits - 1}e}"


def check_honest(case: Mapping[str, Any], sheet: cr.Worksheet, everything: Mapping[str, float]) -> None:
    """Exact values, rounded as somebody writes them, are right: all of them, or some alone."""
    rng = random.Random(case["pick"])
    chosen = [name for name in everything if rng.random() < rng.choice([0.1, 0.5, 1.0])]
    work = {name: rounded(everything[name], case["digits"]) for name in chosen}
    expect_no_wrong(read(write(case["sheet"], work)).mark(), "values rounded from the derivation")
    expect_no_wrong(sheet.mark(work), "values rounded from the derivation")


def expect_no_wrong(marks: cr.Marks, what: str) -> None:
    """No entry is marked wrong or unknown."""
    bad = [
        f"{mark.symbol}: written {mark.written}, exact {mark.exact}, {mark.verdict}"
        for mark in marks.entries
        if mark.verdict in ("wrong", "unknown", "follows")
    ]
    expect(not bad, f"{what} are marked as wrong: {'; '.join(bad[:5])}")


def check_by_hand(case: Mapping[str, Any], sheet: cr.Worksheet, everything: Mapping[str, float]) -> None:
    """A calculation that rounds every number it writes down and goes on with what is written."""
    work = by_hand(case["sheet"], case["digits"])
    unknown = sorted(set(work) - set(everything))
    expect(not unknown, f"quantities that docs/reference/worksheet.md names aren't there: {unknown}")
    expect_no_wrong(sheet.mark(work), f"numbers worked by hand with {case['digits']} decimals")


def by_hand(sheet: Mapping[str, Any], decimals: int) -> dict[str, str]:
    """Forward and backward pass of one row, every number rounded to so many decimals before it is used."""
    work: dict[str, str] = {}
    place = Decimal(1).scaleb(-decimals)

    def note(name: str, value: float) -> float:
        text = str(Decimal(repr(float(value))).quantize(place, rounding=ROUND_HALF_EVEN))
        work[name] = text
        return float(text)

    values = [list(sheet["x"][0])]
    slopes: list[list[float]] = []
    for name, W, b, activation in zip(sheet["names"], sheet["W"], sheet["b"], sheet["activations"], strict=True):
        x, h, slope = values[-1], [], []
        for j in range(len(b)):
            z = note(f"z[{name},{j + 1}]", sum(x[i] * W[i][j] for i in range(len(x))) + b[j])
            if activation == "sigmoid":
                h.append(note(f"h[{name},{j + 1}]", 1 / (1 + math.exp(-z))))
                slope.append(h[-1] * (1 - h[-1]))
            elif activation == "tanh":
                h.append(note(f"h[{name},{j + 1}]", math.tanh(z)))
                slope.append(1 - h[-1] ** 2)
            elif activation == "relu":
                h.append(note(f"h[{name},{j + 1}]", max(0.0, z)))
                slope.append(1.0 if z > 0 else 0.0)
            else:
                h.append(note(f"h[{name},{j + 1}]", z))
                slope.append(1.0)
            slope[-1] = note(f"dh/dz[{name},{j + 1}]", slope[-1])
        values.append(h)
        slopes.append(slope)
    h, y = values[-1], sheet["y"][0]
    if sheet["loss"] == "binary_cross_entropy":
        if not all(0 < value < 1 for value in h):
            return work
        back = [-(t / a - (1 - t) / (1 - a)) for a, t in zip(h, y, strict=True)]
    else:
        back = [(2 if sheet["loss"] == "squared_error" else 1) * (a - t) for a, t in zip(h, y, strict=True)]
    for k in range(len(sheet["names"]) - 1, -1, -1):
        name, W, x = sheet["names"][k], sheet["W"][k], values[k]
        back = [note(f"dL/dh[{name},{j + 1}]", value) for j, value in enumerate(back)]
        delta = [note(f"dL/dz[{name},{j + 1}]", value * slopes[k][j]) for j, value in enumerate(back)]
        for j, d in enumerate(delta):
            note(f"dL/db[{name},{j + 1}]", d)
            for i, value in enumerate(x):
                note(f"dL/dW[{name},{i + 1},{j + 1}]", d * value)
        back = [sum(d * w for d, w in zip(delta, W[i], strict=True)) for i in range(len(x))]
    return work


def check_odd(case: Mapping[str, Any], everything: Mapping[str, float]) -> None:
    """Whatever stands in [work] gets a mark or a message."""
    rng = random.Random(case["pick"])
    names = rng.sample(sorted(everything), min(len(everything), len(case["work"])))
    work = dict(zip(names, case["work"], strict=False)) | {rng.choice(["nonsense", "z[9,9]", "dL/", "\x1b[2J"]): "1"}
    text = write(case["sheet"], work)
    try:
        marks = read(text).mark()
    except cr.ChainruleError as error:
        expect_message(str(error))
        return
    expect("\x1b" not in str(marks), "an escape character of a name or a number reaches the output")
    expect(marks.sentence and marks.to_dict(), "marks that say nothing")
    for mark in marks.entries:
        expect(mark.verdict in ("correct", "follows", "wrong", "unknown"), f"the verdict is {mark.verdict!r}")


def expect_message(message: str) -> None:
    """A message of one screen, without raw escape sequences."""
    expect(message.strip(), "an error without a message")
    expect(len(message) < 16_000, f"a message of {len(message)} letters")
    expect("\x1b" not in message and "\x00" not in message, "control characters reach the message")


def check_forms(case: Mapping[str, Any], sheet: cr.Worksheet) -> None:
    """Every format in every notation, and nothing raw of the title in it."""
    written = getattr(sheet.derivation(case["notation"]), f"to_{case['format']}")()
    expect("\x1b" not in written, f"{case['format']}: an escape character of the title reaches the output")
    if case["format"] == "html":
        expect("<script>alert" not in written, "html: the title is code")


def check_mutated(case: Mapping[str, Any]) -> None:
    """Either a message, or a sheet that works."""
    try:
        sheet = read(case["text"])
        marks = sheet.mark()
        getattr(sheet.derivation(), f"to_{case['format']}")()
        expect(str(marks), "marks that say nothing")
    except (cr.FileError, cr.InputError) as error:
        expect_message(str(error))
