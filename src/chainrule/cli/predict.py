"""`chainrule predict`: a model and a table in, predictions out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.loading import ModelFile, load_table_model
from chainrule.cli.screen import err, print_json, print_notes
from chainrule.cli.train import Table
from chainrule.container import check_writable
from chainrule.errors import FileError, InputError


def predict(
    model: ModelFile,
    table: Table,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A CSV or Parquet file; standard output when left out.", show_default=False),
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add the probability of each class.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of CSV.")] = False,
) -> None:
    """Predict the target for every row of a table, in the table's order.

    Columns may stand in any order; what is odd about them (unseen categories, extra columns) is said on standard error.

    Examples:

        chainrule predict penguins.safetensors new.csv

        chainrule predict penguins.safetensors new.csv --probabilities --out predictions.csv
    """
    import polars as pl

    from chainrule.tables.reading import read_table

    if out_file is not None:
        check_writable(out_file)
        if out_file.suffix.lower() not in (".csv", ".parquet", ".pq"):
            raise InputError(f'--out is "{out_file}"; its name must end in .csv or .parquet')
    loaded = load_table_model(model)
    frame = read_table(table)
    predictions, notes = loaded.predict_with_notes(frame)
    columns = {loaded.target.name: predictions}
    if probabilities:
        chances = loaded.predict_proba(frame)
        columns |= {f"probability of {name}": chances[:, i] for i, name in enumerate(loaded.target.classes)}
    print_notes(notes)
    answer = pl.DataFrame(columns)
    if as_json:
        print_json(
            {"target": loaded.target.name, "rows": answer.height, "predictions": answer.to_dict(as_series=False)}
        )
    if out_file is None:
        if not as_json:
            sys.stdout.write(answer.write_csv())
        return
    try:
        _ = answer.write_csv(out_file) if out_file.suffix.lower() == ".csv" else answer.write_parquet(out_file)
    except OSError as error:
        raise FileError(f"can't save to {out_file}: {error.strerror or error}") from None
    err.print(f"{answer.height:,} predictions saved to {out_file}")
