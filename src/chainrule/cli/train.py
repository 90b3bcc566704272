"""`chainrule train`: a table in, a scored model out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from chainrule.cli.screen import err, new_table, out, print_json, print_notes, score_table
from chainrule.container import check_writable
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.tables.model import Settings, TableModel
    from chainrule.tables.preparation import PreparedTable

Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        help="A CSV or Parquet file, or one of iris, wine, digits, breast_cancer, diabetes.",
        show_default=False,
    ),
]
_NETWORK, _TRAINING, _OUTPUT = "Network", "Training", "Output"


def train(
    table: Table,
    target: Annotated[str, typer.Option("--target", "-t", help="The column to predict.", show_default=False)],
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where to save the model.  [default: TABLE's name.safetensors]",
            show_default=False,
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="classification or regression; found from the target when left out.")
    ] = None,
    hidden: Annotated[
        str,
        typer.Option(
            help="Units of the hidden layers, as in 64,64; 'none' for no hidden layer.", rich_help_panel=_NETWORK
        ),
    ] = "64,64",
    activation: Annotated[
        str,
        typer.Option(
            help="Activation of the hidden layers: relu, tanh, sigmoid, gelu, silu ...", rich_help_panel=_NETWORK
        ),
    ] = "relu",
    dropout: Annotated[
        float, typer.Option(help="Share of hidden units silent in a step, in [0, 1).", rich_help_panel=_NETWORK)
    ] = 0.0,
    batch_norm: Annotated[
        bool,
        typer.Option(
            "--batch-norm", help="Batch normalization before every hidden activation.", rich_help_panel=_NETWORK
        ),
    ] = False,
    optimizer: Annotated[
        str, typer.Option(help="adam, adamw, sgd, rmsprop, adagrad or lbfgs.", rich_help_panel=_TRAINING)
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Step size.  [default: the optimizer's own]", show_default=False, rich_help_panel=_TRAINING),
    ] = None,
    batch_size: Annotated[
        str, typer.Option(help="Rows of a step: a number, full, or auto (32, fewer in small tables).", rich_help_panel=_TRAINING)
    ] = "auto",
    epochs: Annotated[
        int, typer.Option(help="Passes over the training rows, at most.", rich_help_panel=_TRAINING)
    ] = 200,
    patience: Annotated[
        int, typer.Option(help="Stop after so many epochs without a better validation loss.", rich_help_panel=_TRAINING)
    ] = 20,
    l2: Annotated[float, typer.Option(help="Penalty on the squares of the weights.", rich_help_panel=_TRAINING)] = 1e-4,
    validation: Annotated[
        float, typer.Option(help="Share of the rows that decides when to stop.", rich_help_panel=_TRAINING)
    ] = 0.15,
    test: Annotated[
        float, typer.Option(help="Share of the rows kept for the final score.", rich_help_panel=_TRAINING)
    ] = 0.2,
    seed: Annotated[
        int, typer.Option(help="Decides splits, starting weights and the order of rows.", rich_help_panel=_TRAINING)
    ] = 0,
    engine: Annotated[str, typer.Option(help="auto, reference or native.", rich_help_panel=_TRAINING)] = "auto",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=_OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of tables.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Train a network on a table, score it on rows it never saw, and save it to one file.

    Columns are typed, missing values filled, categories encoded and numbers scaled, all from the training rows alone.

    Examples:

        chainrule train penguins.csv --target species

        chainrule train houses.parquet --target price --hidden 128,64 --dropout 0.1 --out houses.safetensors
    """
    from chainrule.tables.model import Settings, TableModel
    from chainrule.tables.preparation import prepare_table

    saved_as = out_file or Path(f"{Path(table).stem}.safetensors")
    check_writable(saved_as)
    settings = Settings(
        _units(hidden), activation, optimizer, learning_rate, _batch_size(batch_size), epochs, patience, dropout,
        batch_norm, l2, seed, engine,
    )  # fmt: skip
    prepared = prepare_table(table, target, task=task, validation=validation, test=test, seed=seed)
    if not quiet and not as_json:
        _print_plan(prepared, settings)
    begun = time.perf_counter()
    trained = TableModel.fit(prepared, settings, progress=False if quiet or as_json else "auto")
    seconds = time.perf_counter() - begun
    trained.save(saved_as)
    if as_json:
        print_json(_report(trained, prepared, saved_as, seconds))
    elif not quiet:
        _print_result(trained, prepared, saved_as, seconds)


def _units(text: str) -> tuple[int, ...]:
    if text.strip().lower() in ("none", "0", ""):
        return ()
    try:
        units = tuple(int(part) for part in text.split(","))
    except ValueError:
        units = (0,)
    if min(units) < 1:
        raise InputError(f'--hidden is "{text}"; it must be whole numbers of units such as 64,64, or none')
    return units


def _batch_size(text: str) -> int | str:
    if text in ("auto", "full"):
        return text
    try:
        return int(text)
    except ValueError:
        raise InputError(f'--batch-size is "{text}"; it must be a whole number, full or auto') from None


def _print_plan(prepared: PreparedTable, settings: Settings) -> None:
    columns = new_table("column", "taken for", "why", "missing", right=(3,))
    target = prepared.target
    columns.add_row(
        escape(target.name), "[bold]target[/]", f"{target.task}: {escape(target.reason)}", _count(target.missing)
    )
    for column in prepared.columns:
        kind = f"[dim]{column.kind}[/]" if column.kind == "dropped" else column.kind
        columns.add_row(escape(column.name), kind, escape(column.reason), _count(column.missing))
    out.print(columns)
    if target.missing:
        out.print(f"{target.missing} rows have no target and are left out")
    size, steps = settings.steps(prepared)
    network = settings.network(prepared)
    shape = "-".join(str(n) for n in (prepared.encoding.n_features, *settings.hidden, prepared.n_outputs))
    rows = prepared.rows
    out.print(
        f"{rows['train']:,} training rows in batches of {size:,}: {steps:,} steps x {settings.epochs:,} epochs = "
        f"{steps * settings.epochs:,} steps at most; {shape}: {network.count().total:,} parameters"
    )
    out.print(f"{rows['validation']:,} rows decide when to stop, {rows['test']:,} are kept for the test")


def _count(n: int) -> str:
    return f"{n:,}" if n else ""


def _print_result(trained: TableModel, prepared: PreparedTable, saved_as: Path, seconds: float) -> None:
    history = trained.history
    best = f", best in epoch {history.best_epoch}" if history.best_epoch else ""
    out.print(f"{len(history):,} epochs in {seconds:.1f} s{best}; stopped by: {history.stopped_by}")
    if trained.test_scores:
        title = f"\ntest scores ({prepared.rows['test']:,} rows)"
        out.print(score_table(trained.test_scores, trained.test_baseline, trained.baseline.name, title))
        print_notes(prepared.test.notes)
    out.print(f"saved to [bold]{escape(str(saved_as))}[/]")
    if history.stopped_by == "interrupted":
        err.print("[yellow]note:[/] training was interrupted; the saved model is what was learned until then")


def _report(trained: TableModel, prepared: PreparedTable, saved_as: Path, seconds: float) -> dict[str, Any]:
    history = trained.history
    return {
        "model": str(saved_as),
        "target": prepared.target.name,
        "task": prepared.target.task,
        "rows": prepared.rows,
        "columns": [
            {"name": c.name, "kind": c.kind, "reason": c.reason, "missing": c.missing} for c in prepared.columns
        ],
        "parameters": trained.model.network.count().total,
        "scores": trained.test_scores,
        "baseline": trained.test_baseline,
        "epochs": len(history),
        "best_epoch": history.best_epoch,
        "stopped_by": history.stopped_by,
        "engine": trained.model.engine_.name,
        "seconds": seconds,
    }
