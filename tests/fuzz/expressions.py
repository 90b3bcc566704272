"""Expressions: values and derivatives against mpmath with 40 digits, and any text whatever is read or refused."""

from __future__ import annotations

import math
import random
import re
import zlib
from collections.abc import Mapping
from typing import Any

import mpmath

import chainrule as cr
from fuzz.findings import expect

VARIABLES = ("x", "y", "w", "b1")
# fmt: off
FUNCTIONS = (
    "exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "arctan", "abs", "sigmoid", "tanh", "relu",
    "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "linear",
)
# fmt: on
# fmt: off
JUNK = (
    "x", "y", "1", "2.5", "1e400", "1e-400", "0", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "**", "^", ",",
    ";", "=", "==", "exp", "log", "max", "min", "sqrt", "pi", "e", "__import__", "lambda", ":", ".", "..", "'a'", '"',
    "\\", "\n", "\t", "#", "²", "π", "∂", "é", "\U0001d499", "\x1b[2J", "\x00", "_", "1_0", "0x1", "1j", "if", "else",
    "for", "%", "@", "//", "<", ">", "!", "?", "$", "&", "|", "~",
)
# fmt: on
FORMATS = ("text", "markdown", "latex", "html", "json", "terminal")


def generate(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["tree"] * 6 + ["steps"] * 2 + ["junk", "broken", "deep"])
    at: dict[str, Any] = {
        name: rng.choice([round(rng.uniform(-3, 3), 3), round(rng.uniform(0, 2), 2), 1.5, -0.5]) for name in VARIABLES
    }
    if rng.random() < 0.1:
        at[rng.choice(VARIABLES)] = rng.choice([0.0, 1e-300, 1e300, -1e5, 700.0, "nan", "inf", None])
    case: dict[str, Any] = {"kind": kind, "at": at, "tree": None, "text": None, "format": rng.choice(FORMATS)}
    if kind in ("tree", "steps"):
        trees = [tree(rng, rng.randint(1, 4), [])]
        more = rng.randint(1, 5) if kind == "steps" else 0
        trees += [tree(rng, rng.randint(1, 3), [f"s{k}" for k in range(i + 1)]) for i in range(more)]
        case["trees"] = trees
    elif kind == "junk":
        case["text"] = rng.choice(["", " "]).join(rng.choices(JUNK, k=rng.randint(1, 30)))
    elif kind == "broken":
        text = list(write(tree(rng, 3, [])))
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(text) + 1)
            text[place : place + rng.randint(0, 2)] = rng.choice(JUNK)
        case["text"] = "".join(text)
    else:
        n = rng.choice([50, 500, 5000, 50000])
        case["text"] = rng.choice(
            [
                "(" * n + "x" + ")" * n,
                "-" * n + "x",
                "+".join(["x"] * n),
                "exp(" * n + "x" + ")" * n,
                "x" * n,
                "x**" * n + "2",
                ";".join(f"s{i} = x*{i}" for i in range(n)),
                "9" * n + "*x",
                "max(" + ",".join(["x"] * n) + ")",
                "1+" * n,
            ]
        )
    return case


def tree(rng: random.Random, depth: int, steps: list[str]) -> Any:
    """A random expression as nested lists."""
    if depth == 0 or rng.random() < 0.1:
        if rng.random() < 0.25:
            return rng.choice([1, 2, 3, 0.5, 10, 1.25, "pi", "e"])
        return rng.choice([*VARIABLES, *steps, *steps])
    if rng.random() < 0.45:
        return [rng.choice(FUNCTIONS), tree(rng, depth - 1, steps)]
    operation = rng.choice(["+", "-", "*", "/", "+", "*", "**", "neg", "max", "min"])
    if operation == "neg":
        return ["neg", tree(rng, depth - 1, steps)]
    if operation == "**":
        power = rng.choice([2, 3, -1, 0.5, 0, 1, tree(rng, depth - 1, steps)])
        return ["**", tree(rng, depth - 1, steps), power]
    return [operation, tree(rng, depth - 1, steps), tree(rng, depth - 1, steps)]


def write(node: Any) -> str:
    """The text of a tree, all brackets written."""
    if not isinstance(node, list):
        return str(node)
    name, *parts = node
    texts = [write(part) for part in parts]
    if name == "neg":
        return f"(-{texts[0]})"
    return f"({f' {name} '.join(texts)})" if name in "+-*/**" else f"{name}({', '.join(texts)})"


def compute(node: Any, at: Mapping[str, Any], noise: float) -> Any:
    """The value of a tree in mpmath's numbers; `noise` is what every operation is wrong by, up or down."""
    if not isinstance(node, list):
        if isinstance(node, str):
            return mpmath.mpf({"pi": math.pi, "e": math.e}[node]) if node in ("pi", "e") else at[node]
        return mpmath.mpf(str(node))
    name, *parts = node
    values = [compute(part, at, noise) for part in parts]
    result = operation(name, values) * (1 + noise * (zlib.crc32(repr(node).encode()) % 3 - 1))
    if isinstance(result, mpmath.mpc) or not mpmath.isfinite(result) or abs(result) > mpmath.mpf(10) ** 250:
        raise ValueError(f"{name} has no value here")
    return result


def operation(name: str, v: list[Any]) -> Any:
    """One operation of a tree."""
    m = mpmath
    sigmoid = lambda z: 1 / (1 + m.exp(-z))  # noqa: E731
    scale, alpha = m.mpf("1.0507009873554804934193349852946"), m.mpf("1.6732632423543772848170429916717")
    table = {
        "+": lambda: v[0] + v[1],
        "-": lambda: v[0] - v[1],
        "*": lambda: v[0] * v[1],
        "/": lambda: v[0] / v[1],
        "**": lambda: v[0] ** v[1],
        "neg": lambda: -v[0],
        "max": lambda: max(v),
        "min": lambda: min(v),
        "abs": lambda: abs(v[0]),
        "arctan": lambda: m.atan(v[0]),
        "sigmoid": lambda: sigmoid(v[0]),
        "relu": lambda: max(v[0], m.mpf(0)),
        "leaky_relu": lambda: v[0] if v[0] > 0 else v[0] / 100,
        "elu": lambda: v[0] if v[0] > 0 else m.expm1(v[0]),
        "selu": lambda: scale * (v[0] if v[0] > 0 else alpha * m.expm1(v[0])),
        "gelu": lambda: v[0] * m.ncdf(v[0]),
        "silu": lambda: v[0] * sigmoid(v[0]),
        "mish": lambda: v[0] * m.tanh(m.log1p(m.exp(v[0]))),
        "softplus": lambda: m.log1p(m.exp(v[0])),
        "linear": lambda: v[0],
    }
    return table[name]() if name in table else getattr(m, name)(v[0])


def text_of(case: Mapping[str, Any]) -> str:
    """The expression of a case as text."""
    if case["text"] is not None:
        return case["text"]
    trees = case["trees"]
    return write(trees[0]) if len(trees) == 1 else "; ".join(f"s{i} = {write(t)}" for i, t in enumerate(trees))


def last_step(trees: list[Any], at: Mapping[str, Any], noise: float) -> Any:
    """The value of the last step."""
    values = dict(at)
    for i, one in enumerate(trees):
        values[f"s{i}"] = compute(one, values, noise)
    return values[f"s{len(trees) - 1}"]


def check(case: dict[str, Any]) -> None:
    text = text_of(case)
    at = {
        name: float(value) if value is not None else None
        for name, value in case["at"].items()
        if re.search(rf"\b{name}\b", text)
    }
    try:
        work = cr.explain_expression(text, at)
    except cr.InputError as error:
        expect(len(str(error)) < 16_000, f"a message of {len(str(error))} letters")
        if case["text"] is None:
            check_refused(case, at, str(error))
        return
    expect(mpmath.isfinite(work.value), f"the value is {work.value} and nobody says so")
    if case["format"] == "terminal":
        written = work.to_terminal(80)
    else:
        written = getattr(work, f"to_{case['format']}")()
        expect("\x1b" not in written, "an escape character reaches the output")
    expect(written, "nothing was written")
    if case["text"] is None:
        check_value(case, at, work)


def check_refused(case: Mapping[str, Any], at: Mapping[str, Any], message: str) -> None:
    """What is refused has no value or no derivative there, or is out of the range of float64."""
    if any(value is None or not mpmath.isfinite(value) or abs(value) > 100 for value in at.values()):
        return
    try:
        with mpmath.workdps(40):
            slopes(case["trees"], at)
    except (ValueError, ZeroDivisionError, OverflowError, ArithmeticError):
        return
    expect(
        any(
            word in message
            for word in (
                "power",
                "too large",
                "overflow",
                "finite",
                "of 0",
                "by 0",
                "derivative",
                "does not",
                "doesn't",
                "nothing",
            )
        ),
        f"refused, though there is a value: {message}",
    )


def slopes(trees: list[Any], at: Mapping[str, Any], noise: float = 0.0) -> tuple[Any, dict[str, Any]]:
    """The value and the derivatives; a `ValueError` where left and right differ, or where steps on the way are huge."""
    point = {name: mpmath.mpf(value) for name, value in at.items()}
    h = mpmath.mpf(10) ** -13
    value = last_step(trees, point, noise)
    derivatives = {}
    for name in point:

        def along(step: Any, name: str = name) -> Any:
            return last_step(trees, {**point, name: point[name] + step}, noise)

        right, left = (along(h) - value) / h, (value - along(-h)) / h
        if abs(right - left) > mpmath.mpf(10) ** -6 * (1 + abs(right)):
            raise ValueError("a kink")
        derivatives[name] = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)
    return value, derivatives


def check_value(case: Mapping[str, Any], at: Mapping[str, Any], work: Any) -> None:
    """Value and derivatives within what rounding can do."""
    if any(abs(value) > 1000 for value in at.values()):
        return
    try:
        with mpmath.workdps(60):
            value, derivatives = slopes(case["trees"], at)
            nearby, steep = slopes(case["trees"], at, 1e-14)
    except (ValueError, ZeroDivisionError, OverflowError, ArithmeticError):
        return
    allowed = 1e-9 * (abs(value) + abs(nearby) + 1e-3) + 100 * abs(value - nearby)
    expect(abs(work.value - value) <= allowed, f"the value is {work.value}, not {mpmath.nstr(value, 12)}")
    for name, slope in derivatives.items():
        mine = work.gradient.get(name, 0.0)
        allowed = 1e-8 * (abs(slope) + 1e-3) + 100 * abs(slope - steep[name])
        expect(abs(mine - slope) <= allowed, f"the derivative by {name} is {mine}, not {mpmath.nstr(slope, 12)}")
