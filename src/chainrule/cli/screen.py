"""What every command says to people: two consoles, tables that fit, numbers that read well."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from chainrule.metrics import higher_is_better
from chainrule.plain import visible
from chainrule.tables.encoding import EncodingNotes

Part = str | tuple[str, str]  # text, or text with its style
_ENDLESS = 100_000


def say(*parts: Part, stderr: bool = False, indent: int = 0) -> None:
    """A line of text; where it is wrapped, every line of it stands so far to the right."""
    line = Text.assemble(*(_visible(part) for part in parts))
    _console(stderr).print(Padding(line, (0, 0, 0, indent), expand=False) if indent else line)


def show(thing: RenderableType) -> None:
    """A table, or whatever else rich can print."""
    _console().print(thing)


def columns() -> int | None:
    """The width of the window where somebody looks at standard output; None where a program or a file takes it."""
    console = _console()
    return console.width if console.is_terminal else None


def _console(stderr: bool = False) -> _Console:
    """Lines are wrapped where somebody looks at them, and whole where a program reads them.

    No markup and no emoji: a file or a category may be called "[red]" or ":cat:".
    """
    made = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _ENDLESS
    return made


def note(message: str) -> None:
    """Something that people should know, on standard error."""
    say(("note: ", "yellow"), message, stderr=True)


def complain(message: str, label: str = "error: ") -> None:
    """What is wrong, on standard error."""
    say((label, "bold red"), message, stderr=True)


def new_table(*columns: str, right: tuple[int, ...] = (), rows: Iterable[Sequence[RenderableType]] = ()) -> Table:
    """A table, empty or with rows; `right` are the columns whose text stands at the right."""
    made = _Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for i, name in enumerate(columns):
        made.add_column(visible(name, lines=True), justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


class _Table(Table):
    """A table whose cells show what would act on the terminal."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """A row; text is made visible before its width is measured."""
        super().add_row(*(_cell(cell) for cell in cells), **options)


class _Console(Console):
    """A console that writes no control character of anybody else's, whatever it is asked to print."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """The segments of what is printed, their text made visible."""
        for segment in super().render(renderable, options):
            harmless = segment.control or segment.text.isprintable() or segment.text == "\n"
            yield segment if harmless else Segment(visible(segment.text, lines=True), segment.style)


def _cell(cell: RenderableType | None) -> RenderableType | None:
    if isinstance(cell, Text):
        return cell if cell.plain.isprintable() else Text(visible(cell.plain), cell.style)
    return visible(cell) if isinstance(cell, str) and not cell.isprintable() else cell


def _visible(part: Part) -> Part:
    return visible(part, lines=True) if isinstance(part, str) else (visible(part[0], lines=True), part[1])


class Hyphenated:
    """A cell of a table that is broken at spaces and hyphens: `delta-for-` / `output-gradient`."""

    def __init__(self, text: str):
        self.text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n".join(wrap(self.text, max(1, options.max_width))))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        pieces = self.text.replace("-", "- ").split()
        return Measurement(max(map(len, pieces), default=0), len(self.text))


def number(value: float) -> str:
    """A score as people read it: four significant digits, thousands separated.

    >>> number(0.98765), number(1.0), number(51682.38), number(float("nan"))
    ('0.9877', '1.000', '51,682', 'nan')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"


def score_table(scores: Mapping[str, float], baseline: Mapping[str, float], baseline_name: str) -> Table:
    """Scores beside those of the trivial baseline, and which direction is better."""
    made = new_table("score", "model", f"baseline ({baseline_name})", "better", right=(1, 2))
    for name, value in scores.items():
        better = "higher" if higher_is_better(name) else "lower"
        made.add_row(name.replace("_", " "), Text(number(value), "bold"), number(baseline[name]), better)
    return made


def print_notes(notes: EncodingNotes) -> None:
    """What was odd about a table, on standard error."""
    for line in notes.lines:
        note(line)


def print_json(data: Any) -> None:
    """One JSON object on standard output and nothing else; NaN and infinities become null."""
    text = json.dumps(_plain(data), indent=2, ensure_ascii=False)
    hides = visible(text, lines=True) != text
    print(json.dumps(_plain(data), indent=2) if hides else text)


def write(text: str) -> None:
    """Text on standard output: as it is for a file or a program, and made visible where somebody looks at it."""
    sys.stdout.write(visible(text, lines=True) if columns() else text)


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    if isinstance(data, (float, np.floating)):
        return float(data) if np.isfinite(data) else None
    return data.item() if isinstance(data, np.generic) else data
