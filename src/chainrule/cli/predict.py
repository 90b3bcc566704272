"""`chainrule predict`: a model and a table in, predictions out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.atomic import check_writable, replace
from chainrule.cli.loading import ModelFile, TableFile, load_image_model, load_table_model, refuse_same_file
from chainrule.cli.picture_answers import picture_answers
from chainrule.cli.screen import note, print_json, say, write
from chainrule.errors import InputError

if TYPE_CHECKING:
    import polars as pl


def predict(
    model: ModelFile,
    table: TableFile,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add the probability of each class.")] = False,
    interval: Annotated[
        float | None,
        typer.Option(
            help="Add an interval that holds the true number in so many cases, such as 0.9; none when left out.",
            show_default=False,
        ),
    ] = None,
    show_file: Annotated[
        Path | None,
        typer.Option(
            "--show",
            metavar="FILE",
            help="Draw the first six pictures, and which of their pixels move the answer, as PNG, SVG or PDF; nothing "
            "is drawn when left out.",
            show_default=False,
        ),
    ] = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A CSV or Parquet file; standard output when left out.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of CSV.")] = False,
) -> None:
    """Predict the target for every row of a table, in the table's order, or the class of every picture of a folder.

    Each of several targets has a column of its own.

    Columns may stand in any order; what is odd about them (unseen categories, extra columns) is said on standard error.

    Examples:

        chainrule predict penguins.safetensors new.csv

        chainrule predict penguins.safetensors new.csv --probabilities --out predictions.csv

        chainrule predict houses.safetensors new.csv --interval 0.9

        chainrule predict pictures.safetensors new_pictures/ --show answers.png
    """
    if out_file is not None:
        _check_out(out_file, model, table)
    of_pictures = load_image_model(model)
    if of_pictures is not None:
        if interval is not None:
            raise InputError(
                "--interval is for numbers, and the model tells classes apart: --probabilities says how sure"
            )
        _answer(*picture_answers(of_pictures, table, probabilities, show_file), "class", out_file, as_json)
        return
    if show_file is not None:
        raise InputError("--show is for models of pictures; chainrule plot --help says what can be drawn of others")
    loaded = load_table_model(model)
    frame = loaded.reader.read(table)
    several = len(loaded.heads) > 1
    predictions, notes = loaded.predict_with_notes(frame)
    answers = dict(predictions) if several else {loaded.target.name: predictions}
    if probabilities:
        chances = loaded.predict_proba(frame)
        for target, own in (chances if several else {loaded.target.name: chances}).items():
            of_target = f"{target}: " if several else ""
            classes = loaded.head(target).target.classes
            answers |= {f"{of_target}probability of {name}": own[:, i] for i, name in enumerate(classes)}
    if interval is not None:
        bounds = loaded.predict_interval(frame, interval)
        for target, own in (bounds if several else {loaded.target.name: bounds}).items():
            answers |= {f"{target} {end}": own[:, i] for i, end in enumerate(("from", "to"))}
    _answer(answers, notes.lines, [*loaded.heads] if several else loaded.target.name, out_file, as_json)


def _answer(
    answers: dict[str, Any], notes: Sequence[str], target: str | list[str], out_file: Path | None, as_json: bool
) -> None:
    """Predictions as a file, as JSON or as CSV."""
    import polars as pl

    for line in notes:
        note(line)
    answer = pl.DataFrame(answers)
    if out_file is not None:
        replace(out_file, _bytes(answer, out_file))
        say(f"{answer.height:,} predictions saved to {out_file}", stderr=True)
    if as_json:
        rows = answer.to_dict(as_series=False)
        print_json({"target": target, "rows": answer.height, "predictions": rows})
    elif out_file is None:
        text = answer.write_csv()
        write(text)


def _check_out(out_file: Path, model: str, table: str) -> None:
    if out_file.suffix.lower() not in (".csv", ".parquet", ".pq"):
        raise InputError(f'--out is "{out_file}"; its name must end in .csv or .parquet')
    check_writable(out_file)
    refuse_same_file(out_file, model, table)


def _bytes(answer: pl.DataFrame, out_file: Path) -> bytes:
    if out_file.suffix.lower() == ".csv":
        return answer.write_csv().encode()
    buffer = io.BytesIO()
    answer.write_parquet(buffer)
    return buffer.getvalue()
