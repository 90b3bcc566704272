"""The reference page of `chainrule.plots`, from the functions' own signatures and docstrings."""

from __future__ import annotations

import inspect
import re

from chainrule import plots

NOTE = "<!-- Written by docs/plots_page.py from the code. Change it there. -->"


def plots_page() -> str:
    """Every function that makes a picture, and what a picture can do."""
    parts = [
        NOTE,
        "# Pictures: `chainrule.plots`",
        'Each function gives a `Picture`. They need matplotlib: `pip install "chainrule[plots]"`. How to use them: '
        "[draw pictures](../how-to/draw-pictures.md); the same on the command line: "
        "[chainrule plot](command-line.md#chainrule-plot).",
    ]
    for name in plots.__all__:
        if name != "Picture":
            parts += _described(f"plots.{name}", getattr(plots, name))
    parts += _described("plots.Picture", plots.Picture)
    for name, method in inspect.getmembers(plots.Picture, inspect.isfunction):
        if not name.startswith("_"):
            parts += _described(f"Picture.{name}", method, level=3)
    return "\n\n".join(parts) + "\n"


def _described(name: str, thing: object, level: int = 2) -> list[str]:
    """A heading, how it is called, its words, its arguments as a table."""
    called = inspect.signature(thing)  # type: ignore[arg-type]  # functions and a class
    arguments = ", ".join(_argument(one) for one in called.parameters.values() if one.name != "self")
    doc = inspect.getdoc(thing) or ""
    words, _, rest = re.split(r"\n\n>>>", doc)[0].partition("\n\nArguments:\n")
    table = rest.partition("\n\nRaises:")[0]
    rows = re.findall(r"^    ([\w*, ]+): ((?:.+\n?)(?:^ {8}.+\n?)*)", table, flags=re.MULTILINE)
    words = words.partition("\n\nRaises:")[0]
    parts = [f"{'#' * level} {name}", f"`{name}({arguments})`", words]
    if rows:
        lines = [f"| `{arg}` | {' '.join(text.split()).replace('|', chr(92) + '|')} |" for arg, text in rows]
        parts.append("\n".join(["| argument | meaning |", "| --- | --- |", *lines]))
    return parts


def _argument(one: inspect.Parameter) -> str:
    star = "*" if one.kind is inspect.Parameter.VAR_POSITIONAL else ""
    return f"{star}{one.name}" if one.default is inspect.Parameter.empty else f"{one.name}={one.default!r}"
