"""`chainrule evaluate`: a model and a table with the target in, scores out."""

from __future__ import annotations

from typing import Annotated

import typer

from chainrule.cli.loading import ModelFile, load_table_model
from chainrule.cli.screen import out, print_json, print_notes, score_table
from chainrule.cli.train import Table


def evaluate(
    model: ModelFile,
    table: Table,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Score a model on a table that has the target, beside the trivial baseline of its training rows.

    Example:

        chainrule evaluate penguins.safetensors more_penguins.csv
    """
    from chainrule.tables.reading import read_table

    loaded = load_table_model(model)
    frame = read_table(table)
    known = loaded.target.known_rows(frame)
    scores, baseline = loaded.evaluate(known)
    print_notes(loaded.encoding.encode(known)[1])
    left_out = frame.height - known.height
    if as_json:
        print_json(
            {"model": model, "rows": known.height, "without_target": left_out, "scores": scores, "baseline": baseline}
        )
        return
    if left_out:
        out.print(f"{left_out:,} rows have no target and are left out")
    out.print(score_table(scores, baseline, loaded.baseline.name, f"scores on {known.height:,} rows"))
