"""What every command says to people: two consoles, tables that fit, numbers that read well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from chainrule.tables.encoding import EncodingNotes
from chainrule.tables.scores import more_is_better

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)


def new_table(*columns: str, right: tuple[int, ...] = (), title: str | None = None) -> Table:
    """An empty table; `right` are the columns whose text stands at the right."""
    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for i, name in enumerate(columns):
        made.add_column(name, justify="right" if i in right else "left", overflow="fold")
    return made


def number(value: float) -> str:
    """A score as people read it: four significant digits, thousands separated.

    >>> number(0.98765), number(51682.38), number(float("nan"))
    ('0.9877', '51,682', 'nan')
    """
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def score_table(scores: Mapping[str, float], baseline: Mapping[str, float], baseline_name: str, title: str) -> Table:
    """Scores beside those of the trivial baseline, and which direction is better."""
    shown = new_table("score", "model", f"baseline ({baseline_name})", "better", right=(1, 2), title=title)
    for name, value in scores.items():
        better = "higher" if more_is_better(name) else "lower"
        shown.add_row(name.replace("_", " "), f"[bold]{number(value)}[/]", number(baseline[name]), better)
    return shown


def print_notes(notes: EncodingNotes) -> None:
    """What was odd about a table, on standard error."""
    for line in notes.lines:
        err.print(f"[yellow]note:[/] {line}", markup=True)


def print_json(data: Any) -> None:
    """One JSON object on standard output and nothing else; NaN and infinities become null."""
    print(json.dumps(_plain(data), indent=2, ensure_ascii=False))


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    if isinstance(data, (float, np.floating)):
        return float(data) if np.isfinite(data) else None
    return data.item() if isinstance(data, np.generic) else data
