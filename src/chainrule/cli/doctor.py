"""`chainrule doctor`: what is wrong with the training that made a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from chainrule.cli.explain_sources import Asked
from chainrule.cli.plot_options import Canvas
from chainrule.cli.row_sources import member_of, table_rows
from chainrule.cli.screen import columns, new_table, print_json, say, show
from chainrule.errors import InputError, listed

if TYPE_CHECKING:
    from chainrule.engines.contract import Rows
    from chainrule.health.report import Diagnosis
    from chainrule.model import Model


def doctor(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A saved model, of a table or of arrays.", show_default=False),
    ],
    table: Annotated[
        str,
        typer.Option(
            "--table", metavar="FILE", help="The rows that it was trained on, targets too.", show_default=False
        ),
    ],
    validation: Annotated[
        str | None,
        typer.Option(
            "--validation",
            metavar="FILE",
            show_default=False,
            help="Rows that it wasn't trained on: when they are left out nobody sees overfitting.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="The target's column, for a model of arrays; a table's model knows it when it is left out.",
            show_default=False,
        ),
    ] = None,
    member: Annotated[
        str | None,
        typer.Option(help="Which of a model's networks, from 1; the first when left out.", show_default=False),
    ] = None,
    look_only: Annotated[
        bool, typer.Option("--look-only", help="Train no copies: it takes less time, and rates aren't judged.")
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture",
            metavar="FILE",
            show_default=False,
            help="Draw what was measured, layer by step, to a PNG, SVG or PDF; no picture when left out.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Say what is wrong with a model's training, layer by layer, and what helps.

    Copies are trained for a few hundred steps, as it was trained, to measure gradients and to try other learning rates;
    the model stays as it is. The exit status is 0, whatever was found.

    Example:

        chainrule doctor penguins.safetensors --table penguins.csv
    """  # fmt: skip
    if picture is not None and look_only:
        raise InputError("--picture draws what is measured while a copy trains: leave --look-only out")
    canvas = None if picture is None else Canvas(picture, "light", 800)
    with Console(stderr=True).status("reading the rows") as status:
        network, rows = _rows(model, Asked(table=table, target=target, member=member_of(member)), "--table")
        held = None
        if validation is not None:
            asked = Asked(table=validation, target=target, member=member_of(member))
            held = _rows(model, asked, "--validation")[1]

        from chainrule.health.diagnosing import diagnose

        found = diagnose(
            network, rows, held, probe=not look_only, told=lambda what: status.update(f"looking at {what}")
        )
    if as_json:
        print_json({"model": model, "table": table, "validation": validation, **found.to_json()})
    else:
        _show(found, held is not None)
    if canvas is not None:
        from chainrule import plots

        drawn = plots.vitals(found)
        drawn.in_theme("light").save(canvas.out.expanduser(), width=canvas.width)
        if not as_json:
            say((str(canvas.out), "bold"), f": {drawn.title}")


def _rows(model: str, asked: Asked, option: str) -> tuple[Model, Rows]:
    """A network of the file, and the rows of a table as it takes them."""
    import numpy as np

    from chainrule.engines.contract import Rows
    from chainrule.files import load
    from chainrule.tables.table_model import TableModel

    loaded = load(model)
    if isinstance(loaded, TableModel) and (asked.target is None or len(loaded.heads) > 1):
        if asked.target is not None:
            raise InputError(
                f"{model} learned the targets {listed(loaded.heads)} together and is looked at as a whole: leave "
                "--target out"
            )
        frame = loaded.reader.read(asked.table)
        known = np.logical_or.reduce(list(loaded.known(frame).values()))  # rows without a target don't train it either
        work = loaded.explain(frame.filter(known), member=1 if asked.member is None else asked.member)
    else:
        work = table_rows(model, asked)
    if not work.trace.has_target:
        raise InputError(
            f"{option} {asked.table}: a diagnosis needs the target of every row; say with --target which column it is, "
            "and leave out rows without one"
        )
    network, data = work.model, work.trace.data

    def cast(x: np.ndarray) -> np.ndarray:
        return x.astype(network.dtype) if x.dtype.kind == "f" else x

    weights = tuple(None if w is None else cast(w) for w in data.weights)
    return network, Rows(tuple(map(cast, data.inputs)), tuple(map(cast, data.targets)), weights)


def _show(found: Diagnosis, held: bool) -> None:
    """The findings, then the layers as a table that fits the screen."""
    from chainrule.health.ailment import CODES
    from chainrule.health.report import SHOWN

    say((found.heading, "bold"))
    for i, finding in enumerate(found.findings, 1):
        where = f', layer "{finding.layer}"' if finding.layer else ""
        say("")
        say((f"{i}. {CODES[finding.code].capitalize()}{where}", "bold red"))
        say(f"{finding.words[0].upper()}{finding.words[1:]}.", indent=3)
        say("What helps: ", finding.remedy, indent=3)
    if not held:
        say("")
        say("Whether it overfits can't be seen by the rows that it was trained on: give others with --validation FILE.")
    say("")
    asked = os.environ.get("COLUMNS", "")
    wide = columns() or (int(asked) if asked.isdigit() else 100)
    shown = dict(SHOWN)
    first = max(map(len, found.layers), default=0)
    while len(shown) > 2 and first + sum(max(len(title), 7) + 3 for title in shown.values()) > wide:
        shown.popitem()
    rows = [(name, *(_short(row[key]) for key in shown)) for name, row in found.layers.items()]
    show(new_table("layer", *shown.values(), right=tuple(range(1, len(shown) + 1)), rows=rows))


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"
