"""`chainrule train`: a table in, a scored model out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from chainrule.atomic import check_writable
from chainrule.cli.loading import TableFile, refuse_same_file, refuse_to_replace
from chainrule.cli.screen import new_table, note, print_json, print_notes, say, score_table, show
from chainrule.engines.choose import engine_choices
from chainrule.errors import DivergenceError, InputError, TrainingError, counted, listed
from chainrule.limits import COUNT, FRACTION, Limit
from chainrule.random import check_seed
from chainrule.tables.settings import Settings
from chainrule.tables.table_model import TableModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.tables.columns import ColumnPlan
    from chainrule.tables.preparation import PreparedTable

_NETWORK, _TRAINING, _OUTPUT = "Network", "Training", "Output"
_LIMITS: dict[str, Limit] = {**Settings.limits, "validation": FRACTION, "test": FRACTION}
_MOST_LINES = 30  # of the table of columns; beyond, like columns share a line


def train(
    table: TableFile,
    target: Annotated[str, typer.Option("--target", "-t", help="The column to predict.", show_default=False)],
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
        str,
        typer.Option(
            help="Rows of a step: a number, full, or auto (32, fewer in small tables).", rich_help_panel=_TRAINING
        ),
    ] = "auto",
    epochs: Annotated[
        int, typer.Option(help="Passes over the training rows, at most.", rich_help_panel=_TRAINING)
    ] = 200,
    patience: Annotated[
        int, typer.Option(help="Stop after so many epochs without a better validation loss.", rich_help_panel=_TRAINING)
    ] = 20,
    l2: Annotated[float, typer.Option(help="Penalty on the squares of the weights.", rich_help_panel=_TRAINING)] = 1e-4,
    clip_norm: Annotated[
        float | None,
        typer.Option(
            help="Greatest norm of a step's gradient; no limit when left out.",
            show_default=False,
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    validation: Annotated[
        float, typer.Option(help="Share of the rows that decides when to stop.", rich_help_panel=_TRAINING)
    ] = 0.15,
    test: Annotated[
        float, typer.Option(help="Share of the rows kept for the final score.", rich_help_panel=_TRAINING)
    ] = 0.2,
    seed: Annotated[
        int, typer.Option(help="Decides splits, starting weights and the order of rows.", rich_help_panel=_TRAINING)
    ] = 0,
    engine: Annotated[str, typer.Option(help=f"{engine_choices()}.", rich_help_panel=_TRAINING)] = "auto",
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where to save the model.  [default: TABLE's name with .safetensors, in this folder]",
            show_default=False,
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
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
    from chainrule.tables.preparation import prepare_table

    chosen: dict[str, Any] = {
        "learning_rate": learning_rate, "epochs": epochs, "patience": patience, "dropout": dropout, "l2": l2,
        "clip_norm": clip_norm,
    }  # fmt: skip
    _check_limits({**chosen, "validation": validation, "test": test})
    settings = Settings(
        hidden=_units(hidden), activation=activation, optimizer=optimizer, batch_size=_batch_size(batch_size),
        batch_norm=batch_norm, seed=_seed(seed), engine=engine, **chosen,
    )  # fmt: skip
    saved_as = out_file or Path(f"{Path(table).stem}.safetensors")
    check_writable(saved_as)
    refuse_same_file(saved_as, table)
    refuse_to_replace(saved_as)
    prepared = prepare_table(table, target, task=task, validation=validation, test=test, seed=seed)
    if not quiet and not as_json:
        _print_plan(prepared, settings)
    begun = time.perf_counter()
    try:
        trained = TableModel.fit(prepared, settings, progress=False if quiet or as_json else "auto")
    except DivergenceError as error:
        raise TrainingError(f"{error} Nothing was saved.") from error
    seconds = time.perf_counter() - begun
    trained.save(saved_as)
    if as_json:
        print_json(_report(trained, prepared, saved_as, seconds))
    elif not quiet:
        _print_result(trained, prepared, saved_as, seconds)
    if trained.history.stopped_by == "interrupted" and not quiet:
        note("training was interrupted by Ctrl-C; the saved model is what was learned until then")


def _check_limits(given: dict[str, float | int | None]) -> None:
    for name, value in given.items():
        limit = _LIMITS[name]
        if value is not None and not limit.holds(value):
            raise InputError(f"--{name.replace('_', '-')} is {value:g}; it must be {limit}")


def _units(text: str) -> tuple[int, ...]:
    if text.strip().lower() == "none":
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
        size = int(text)
    except ValueError:
        size = 0
    if not COUNT.holds(size):
        raise InputError(f'--batch-size is "{text}"; it must be {COUNT}, full or auto')
    return size


def _seed(seed: int) -> int:
    try:
        return check_seed(seed)
    except InputError as error:
        raise InputError(f"--{error}") from None


def _print_plan(prepared: PreparedTable, settings: Settings) -> None:
    target, rows = prepared.target, prepared.rows
    taken = new_table("column", "taken for", "why", "missing", right=(3,))
    taken.add_row(target.name, Text("target", "bold"), f"{target.task}: {target.reason}", _unless_none(target.missing))
    for name, kind, reason, missing in _lines(prepared.columns):
        taken.add_row(name, Text(kind, "dim" if kind == "dropped" else ""), reason, _unless_none(missing))
    show(taken)
    say()
    if target.doubt:
        meant = "classes" if target.doubt == "classification" else "a quantity"
        say(f'if the numbers of "{target.name}" are {meant}, say --task {target.doubt}')
    if target.missing:
        say(f"{counted(target.missing, 'row')} without a target left out")
    size, steps = settings.steps(prepared)
    shape = "-".join(str(n) for n in (prepared.encoding.n_features, *settings.hidden, prepared.n_outputs))
    say(
        f"{rows['train']:,} training rows in batches of {size:,}: {counted(steps, 'step')} x "
        f"{counted(settings.epochs, 'epoch')} = {counted(steps * settings.epochs, 'step')} at most; "
        f"{shape}: {settings.network(prepared).count().total:,} parameters"
    )
    deciding = f"{counted(rows['validation'], 'row')} to decide when to stop" if rows["validation"] else ""
    testing = f"{counted(rows['test'], 'row')} for the test" if rows["test"] else ""
    held_out = " and ".join(text for text in (deciding, testing) if text)
    say(f"held out: {held_out or 'nothing'}")


def _lines(columns: Sequence[ColumnPlan]) -> list[tuple[str, str, str, int]]:
    """Name, kind, reason and missing values of each column; where there are many, of all that are alike together."""
    if len(columns) <= _MOST_LINES:
        return [(c.name, c.kind, c.reason, c.missing) for c in columns]
    alike: dict[tuple[str, str], list[ColumnPlan]] = {}
    for column in columns:
        alike.setdefault((column.kind, column.reason), []).append(column)
    return [
        (listed((c.name for c in group), limit=4), kind, reason, sum(c.missing for c in group))
        for (kind, reason), group in alike.items()
    ]


def _unless_none(n: int) -> str:
    return f"{n:,}" if n else ""


def _print_result(trained: TableModel, prepared: PreparedTable, saved_as: Path, seconds: float) -> None:
    history = trained.history
    why = "as many as allowed" if history.stopped_by == "epochs" else history.stopped_by.replace("_", " ")
    kept = f"; the weights of epoch {history.best_epoch} are kept" if trained.model.training.latest else ""
    took = f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}"
    say(f"{counted(len(history), 'epoch')} in {took} s: {why}{kept}")
    say()
    if trained.test_scores:
        say((f"test scores ({counted(prepared.rows['test'], 'row')})", "bold"))
        show(score_table(trained.test_scores, trained.test_baseline, trained.baseline.name))
        print_notes(prepared.test.notes)
        say()
    say("saved to ", (str(saved_as), "bold"))


def _report(trained: TableModel, prepared: PreparedTable, saved_as: Path, seconds: float) -> dict[str, Any]:
    history = trained.history
    return {
        "model": str(saved_as),
        "target": prepared.target.name,
        "task": prepared.target.task,
        "rows": prepared.rows,
        "without_target": prepared.target.missing,
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
