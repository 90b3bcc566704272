"""`chainrule evaluate`: a model and a table with the target in, scores out."""

from __future__ import annotations

from typing import Annotated

import typer

from chainrule.cli.loading import ModelFile, TableFile, load_image_model, load_table_model
from chainrule.cli.picture_answers import evaluate_pictures
from chainrule.cli.screen import print_json, print_notes, say, score_table, show
from chainrule.cli.training_report import out_of_fold
from chainrule.errors import counted
from chainrule.tables.scores import Numbers
from chainrule.tables.table_head import TableHead
from chainrule.tables.table_model import TableModel


def evaluate(
    model: ModelFile,
    table: TableFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Score a model on a table with the target, or on a folder of labelled pictures, beside the trivial baseline.

    Example:

        chainrule evaluate penguins.safetensors more_penguins.csv
    """
    of_pictures = load_image_model(model)
    if of_pictures is not None:
        evaluate_pictures(model, of_pictures, table, as_json)
        return
    loaded = load_table_model(model)
    frame = loaded.reader.read(table)
    scores, baseline, notes = loaded.evaluate_with_notes(frame)
    known = {name: int(rows.sum()) for name, rows in loaded.known(frame).items()}
    print_notes(notes)
    if as_json:
        one = len(known) == 1
        (rows,) = known.values() if one else (known,)
        left_out = {name: frame.height - count for name, count in known.items()}
        out_of_folds = {name: out_of_fold(head) for name, head in loaded.heads.items()}
        print_json({
            "model": model, "networks": loaded.members, "rows": rows,
            "without_target": next(iter(left_out.values())) if one else left_out, "scores": scores,
            "baseline": baseline, "out_of_fold": next(iter(out_of_folds.values())) if one else out_of_folds,
        })  # fmt: skip
        return
    for i, (name, head) in enumerate(loaded.heads.items()):
        if i:
            say()
        if len(known) == 1:
            _show(loaded, head, frame.height, known[name], scores, baseline)
        else:
            _show(loaded, head, frame.height, known[name], scores.get(name), baseline.get(name), of=f" of {name}")


def _show(
    model: TableModel, head: TableHead, n_rows: int, known: int, scores: Numbers | None, baseline: Numbers | None,
    of: str = "",
) -> None:  # fmt: skip
    """The scores of one target, beside those of training."""
    if scores is None or baseline is None:
        say((f"no row has a value{of}: it can't be scored", "bold"))
    else:
        if known < n_rows:
            say(f"{n_rows - known:,} rows have no {f'value{of}' if of else 'target'} and are left out")
        say((f"scores{of} on {known:,} rows", "bold"))
        show(score_table(scores, baseline, head.baseline.name))
    if head.oof_scores:
        by_whom = "the network" if model.members == 1 else f"those of {model.members} networks"
        of_rows = counted(head.oof_rows, "row")
        say((f"out-of-fold scores{of} of training ({of_rows}, by {by_whom} that didn't train on them)", "bold"))
        show(score_table(head.oof_scores, head.oof_baseline, head.baseline.name))
