"""Writes what programs know better than people: the pages of docs/reference and docs/explanation, and the README's outputs.

python docs/generate.py          writes them
python docs/generate.py --check  says whether the pages are what it would write; with --text, all but the pictures
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from explanations import explanations
from network_pages import network_pages
from picture_pages import picture_pages
from pixel_pages import pixel_pages
from plots_page import plots_page
from typer.main import get_command
from worksheet_page import worksheet_page

from chainrule.activations import ACTIVATIONS
from chainrule.cli.app import app
from chainrule.compiled import native_of
from chainrule.engines import native
from chainrule.initializers import INITIALIZERS
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES
from chainrule.metrics import METRICS
from chainrule.optimizers import OPTIMIZERS
from chainrule.plots import Picture
from chainrule.schedules import SCHEDULES

ROOT = Path(__file__).parent.parent
_NUMBER = r"-?\d+\.?\d*"
NOTE = "<!-- Written by docs/generate.py from the code. Change it there. -->"


def pages() -> dict[str, str | Picture]:
    """Every generated page and picture, by its path in docs."""
    reference = {
        "formulas.md": formulas(), "command-line.md": command_line(), "native.md": native_core(),
        "worksheet.md": worksheet_page(), "plots.md": plots_page(),
    }  # fmt: skip
    return {
        **{f"reference/{name}": text for name, text in reference.items()},
        **{
            f"explanation/{name}": made
            for name, made in (explanations() | picture_pages() | pixel_pages() | network_pages()).items()
        },
    }


def formulas() -> str:
    """The formulas of everything that has one, from the objects that compute it."""
    parts = [
        NOTE,
        "# Formulas",
        "Each formula is an attribute of the class that computes it; the names are what `Network`, `Model` and the "
        "command line take. Options stand with their defaults.",
        "## Layers",
        _table(["layer", "options", "formula"], ((n, _options(c), _code(c.formula)) for n, c in LAYERS.items())),
        "## Activations",
        "`h = f(z)`; going back, `dL/dz = dL/dh dh/dz`.",
        _table(
            ["name", "options", "formula", "derivative", "start of the weights before it"],
            (
                (n, _options(c), _code(c.formula), _code(c.derivative_formula), _code(c.initializer))
                for n, c in ACTIVATIONS.items()
            ),
        ),
        "## Losses",
        "A row's loss, from the head's outputs `h` and the targets `y`; a batch's loss is the mean over its rows.",
        _table(
            ["name", "options", "formula", "gradient"],
            ((n, _options(c), _code(c.formula), _code(c.gradient_formula)) for n, c in LOSSES.items()),
        ),
        "Computed together with the output activation, from its pre-activation `z`:",
        _table(
            ["loss", "output activation", "formula", "gradient"],
            (
                (n, c.fuses_with, _code(c.fused_formula), _code(c.fused_gradient_formula))
                for n, c in LOSSES.items()
                if c.fuses_with
            ),
        ),
        "## Initializers",
        _table(["name", "options", "formula"], ((n, _options(c), _code(c.formula)) for n, c in INITIALIZERS.items())),
        "## Optimizers",
        "`w` the parameters, `g` their gradient, `t` the step from 1.",
        _table(["name", "options", "formula"], ((n, _options(c), _code(c.formula)) for n, c in OPTIMIZERS.items())),
        "## Learning-rate schedules",
        "`t` the step from 0, `e` the epoch from 0, `T` all steps.",
        _table(["name", "options", "formula"], ((n, _options(c), _code(c.formula)) for n, c in SCHEDULES.items())),
        "## Metrics",
        _table(
            ["name", "formula", "better"],
            ((n, _code(m.formula), "higher" if m.higher_is_better else "lower") for n, m in METRICS.items()),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def native_core() -> str:
    """What the native engine covers, from what the classes say of themselves."""

    def covered(known: Mapping[str, type]) -> list[list[str]]:
        return [[_code(name), "yes" if native_of(cls) else "no"] for name, cls in known.items()]

    columns = ["native"]
    parts = [
        NOTE,
        "# The native engine",
        "The C++ core runs whole epochs in one call, with Python's lock released, and gives the numbers of the reference "
        'engine within rounding. `engine="auto"` takes it where it covers a model; otherwise the reference engine '
        'computes, `model.engine_` says why, and the first `fit` logs it. `engine="native"` raises an `EngineError` '
        "that names what isn't covered.",
        "## What it covers",
        "Types must match exactly: a subclass of your own may compute anything, so the reference engine runs it.",
        _table(["layer", *columns], ([_code("Input"), "yes"], *covered(_without_input()))),
        _table(["activation", *columns], covered(ACTIVATIONS)),
        _table(["loss", *columns], [*covered(LOSSES), ["`CustomLoss`, or a subclass of `Loss`", "no"]]),
        _table(["optimizer", *columns], [*covered(OPTIMIZERS), ["a subclass of `Optimizer`", "no"]]),
        "Covered too, in every combination: learning-rate schedules (also of your own: Python computes the rates), `l1`, "
        "`l2` and `weight_decay`, both `reduction`s, both `convention`s, `clip_norm`, row weights, several inputs, branches, "
        "several heads, `members`, frozen layers, stopping rules and callbacks; `on_step` callbacks come back to Python after "
        "every step. L-BFGS is SciPy's, over the core's gradients. A value may have up to "
        f"{native.LARGEST_WIDTH:,} numbers in a row.",
        "`Model.explain`, `Model.memo_report` and the search for the first layer that diverged always run on the reference "
        "engine, in float64 where they explain.",
        "A large batch goes through in parts whose values stay in the cache, and the parts' gradients are added up, unless "
        "batch normalization ties its rows together: then the values of all of its rows are in memory at once. Ctrl-C "
        "reaches calls within 100 ms. What takes longer to reach: a single step of a network with far more parameters than "
        "its batch has values, which is finished first; a batch of millions of rows under batch normalization; the shuffle "
        "of tens of millions of rows.",
        "## Settings",
        _table(
            ["setting", "meaning"],
            [
                ["`CHAINRULE_NATIVE=0`", "switches the core off"],
                [
                    "`Model(threads=...)`",
                    "threads of this model; without it the core looks at the work, and small networks get one. "
                    "The result is the same to the last bit",
                ],
                [
                    "`CHAINRULE_THREADS=n`",
                    "at most n threads where `threads` says nothing; otherwise all cores. Read once, when the core is first used",
                ],
                [
                    "`CHAINRULE_ISA=name`",
                    "an instruction set (`avx512`, `avx2`, `baseline`) in place of the best one that the processor has",
                ],
            ],
        ),
        "`chainrule info` says which of them are in use. Where no C++ compiler was found at installation, or compiling "
        "failed, the package is pure Python, and `chainrule info` says that too.",
    ]
    return "\n\n".join(parts) + "\n"


def _without_input() -> dict[str, type]:
    return {name: cls for name, cls in LAYERS.items() if name != "Input"}


def command_line() -> str:
    """Every command with its arguments and options."""
    group: Any = get_command(app)
    parts = [NOTE, "# The command line", group.help]
    for name in group.list_commands(None):
        command = group.commands[name]
        parts += [f"## chainrule {name}", _plain(command.help)]
        kinds = getattr(command, "commands", {})
        for kind, one in kinds.items():
            parts += [f"### chainrule {name} {kind}", _plain(one.help), *_parameters(one)]
        if not kinds:
            parts += _parameters(command)
    return "\n\n".join(parts) + "\n"


def _parameters(command: Any) -> list[str]:
    """What a command takes, as tables."""
    parts = []
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    if arguments:
        parts.append(_table(["argument", "meaning"], ((p.metavar or p.name.upper(), p.help) for p in arguments)))
    if options:
        rows = ((", ".join(f"`{o}`" for o in p.opts), _plain(p.help), _default(p)) for p in options)
        parts.append(_table(["option", "meaning", "default"], rows))
    return parts


def readme(text: str) -> str:
    """A README whose `console` blocks show what their commands print now, at 80 columns.

    A block stays as it is where only the seconds that something took are others.
    """

    def shown(block: re.Match[str]) -> str:
        command, before = block.groups()
        run = subprocess.run(
            command,
            shell=True,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "80"},
        )
        lines = "\n".join(line.rstrip() for line in run.stdout.splitlines()).strip("\n")
        if _without_seconds(lines) == _without_seconds(before):
            return block.group()
        return f"```console\n$ {command}\n{lines}\n```"

    return re.sub(r"```console\n\$ (.*?)\n(.*?)```", shown, text, flags=re.DOTALL)


def _without_seconds(text: str) -> list[str]:
    """The words of an output, however its lines are wrapped."""
    return re.sub(r"\bin \d[\d.]* s\b", "in SECONDS", " ".join(text.split())).split()


def _plain(text: str) -> str:
    """Help as Markdown: examples, which are lines that begin with the program's name, as code."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]
    return "\n\n".join(f"    {p}" if p.startswith("chainrule ") else p for p in paragraphs)


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if option.default is None or option.default is False:
        return ""
    return f"`{option.default}`"


def _options(cls: type) -> str:
    shown = []
    for field in fields(cls):  # type: ignore[arg-type]  # all of them are dataclasses
        if field.name != "name" and field.init:
            plain = isinstance(field.default, (int, float, str, bool, type(None)))
            shown.append(f"{field.name}={field.default!r}" if plain else field.name)
    return _code(", ".join(shown)) if shown else ""


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else ""


def _table(header: list[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _is_near(one: str, other: str) -> bool:
    """Whether two pictures are the same but for less than a point in where their parts lie."""
    (words, numbers), (others, their_numbers) = ((re.split(_NUMBER, t), re.findall(_NUMBER, t)) for t in (one, other))
    pairs = zip(numbers, their_numbers, strict=False)
    return words == others and all(abs(float(a) - float(b)) < 1 for a, b in pairs)


def _words(svg: str) -> list[str]:
    """What is written in a picture but for its numbers: title, caption, labels, names. How they are drawn another
    matplotlib may do otherwise, and the numbers of trained networks differ in their last digits between machines.
    """
    texts = re.findall(r"<(?:title|text)\b[^>]*>(.*?)</(?:title|text)>", svg, flags=re.DOTALL)
    return [words for text in texts if re.search(r"[^\W\d]", words := re.sub(r"[\d.,]+", "0", text))]


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them; the exit status."""
    stale = []
    for name, made in pages().items():
        path = ROOT / "docs" / name
        if "--check" not in arguments:
            path.parent.mkdir(exist_ok=True)
            text = made.to_svg() if isinstance(made, Picture) else made
            if not (isinstance(made, Picture) and path.is_file() and _is_near(path.read_text(encoding="utf-8"), text)):
                path.write_text(text, encoding="utf-8")
        elif isinstance(made, Picture):
            if "--text" in arguments:
                continue
            shown = path.is_file() and _words(path.read_text(encoding="utf-8")) == _words(made.to_svg())
            stale += [] if shown else [name]
        elif not path.is_file() or path.read_text(encoding="utf-8") != made:
            stale.append(name)
    if "--check" not in arguments:
        page = ROOT / "README.md"
        page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")
    if stale:
        print(f"not up to date: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
