"""`chainrule evaluate`: a model and a table with the target in, scores out."""

from __future__ import annotations

from typing import Annotated

import typer

from chainrule.cli.loading import ModelFile, TableFile, load_image_model, load_table_model
from chainrule.cli.picture_answers import evaluate_pictures
from chainrule.cli.screen import print_json, print_notes, say, score_table, show
from chainrule.errors import counted


def evaluate(
    model: ModelFile,
    table: TableFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Score a model on a table with the target, or on a folder of labelled pictures, beside the trivial baseline.

    Example:

        chainrule evaluate penguins.safetensors more_penguins.csv
    """
    from chainrule.tables.reading import read_table

    of_pictures = load_image_model(model)
    if of_pictures is not None:
        evaluate_pictures(model, of_pictures, table, as_json)
        return
    loaded = load_table_model(model)
    frame = read_table(table)
    scores, baseline, notes = loaded.evaluate_with_notes(frame)
    rows = loaded.target.known_rows(frame).height
    left_out = frame.height - rows
    print_notes(notes)
    if as_json:
        out_of_fold = {"rows": loaded.oof_rows, "scores": loaded.oof_scores, "baseline": loaded.oof_baseline}
        print_json({
            "model": model, "networks": loaded.members, "rows": rows, "without_target": left_out, "scores": scores,
            "baseline": baseline, "out_of_fold": out_of_fold,
        })  # fmt: skip
        return
    if left_out:
        say(f"{left_out:,} rows have no target and are left out")
    say((f"scores on {rows:,} rows", "bold"))
    show(score_table(scores, baseline, loaded.baseline.name))
    if loaded.oof_scores:
        by_whom = "the network" if loaded.members == 1 else f"those of {loaded.members} networks"
        of_rows = counted(loaded.oof_rows, "row")
        say((f"out-of-fold scores of training ({of_rows}, by {by_whom} that didn't train on them)", "bold"))
        show(score_table(loaded.oof_scores, loaded.oof_baseline, loaded.baseline.name))
