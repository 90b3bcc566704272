"""`chainrule train`: a table in, a scored model out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.atomic import check_writable
from chainrule.cli.loading import TableFile, refuse_same_file, refuse_to_replace
from chainrule.cli.screen import note, print_json
from chainrule.cli.training_report import print_plan, print_result, report
from chainrule.engines.choose import engine_choices
from chainrule.errors import DivergenceError, InputError, TrainingError
from chainrule.limits import COUNT, FRACTION, POSITIVE, Limit
from chainrule.random import check_seed
from chainrule.tables.recipe import TrainingPlan
from chainrule.tables.settings import Settings
from chainrule.tables.table_model import TableModel

_NETWORK, _TRAINING, _OUTPUT = "Network", "Training", "Output"
_LIMITS: dict[str, Limit] = {**Settings.limits, "validation": FRACTION, "test": FRACTION, "time_limit": POSITIVE}


def _option(text: str, panel: str | None, default: str = "decided from the table") -> Any:
    """An option that may be left out; what it is then."""
    return typer.Option(help=f"{text}  [default: {default}]", show_default=False, rich_help_panel=panel)


def train(
    table: TableFile,
    target: Annotated[str, typer.Option("--target", "-t", help="The column to predict.", show_default=False)],
    task: Annotated[
        str | None, typer.Option(help="classification or regression; found from the target when left out.")
    ] = None,
    effort: Annotated[
        str,
        typer.Option(
            help="quick (one network), good (several, and their mean) or best (several of each of a few kinds)."
        ),
    ] = "good",
    time_limit: Annotated[
        float | None, _option("Seconds that training may take; the best until then is kept.", None, "no limit")
    ] = None,
    hidden: Annotated[
        str | None,
        _option("Units of the hidden layers, as in 64,64; 'none' for no hidden layer.", _NETWORK),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="Activation of hidden layers, decided from the table if left out: relu, tanh, sigmoid, gelu, silu ...",
            show_default=False,
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    dropout: Annotated[float | None, _option("Share of hidden units silent in a step, in [0, 1).", _NETWORK)] = None,
    batch_norm: Annotated[
        bool | None,
        typer.Option(
            "--batch-norm",
            help="Batch normalization before every hidden activation.  [default: decided from the table]",
            show_default=False,
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    optimizer: Annotated[str | None, _option("adam, adamw, sgd, rmsprop, adagrad or lbfgs.", _TRAINING)] = None,
    learning_rate: Annotated[float | None, _option("Step size.", _TRAINING, "the optimizer's own")] = None,
    batch_size: Annotated[
        str | None, _option("Rows of a step: a number, full, or auto (32, fewer in small tables).", _TRAINING)
    ] = None,
    epochs: Annotated[int | None, _option("Passes over the training rows, at most.", _TRAINING)] = None,
    patience: Annotated[
        int | None, _option("Stop after so many epochs without a better validation loss.", _TRAINING)
    ] = None,
    l2: Annotated[float | None, _option("Penalty on the squares of the weights.", _TRAINING)] = None,
    clip_norm: Annotated[float | None, _option("Greatest norm of a step's gradient.", _TRAINING, "no limit")] = None,
    members: Annotated[int | None, _option("How many networks, whose mean is the prediction.", _TRAINING)] = None,
    folds: Annotated[
        int | None,
        _option("Into how many parts rows are dealt; each network leaves out one.", _TRAINING, "as many as networks"),
    ] = None,
    group: Annotated[
        str | None,
        _option("A column; rows that have the same there stay together in every split.", _TRAINING, "none"),
    ] = None,
    validation: Annotated[
        float | None,
        _option(
            "Share of the rows that each network leaves out to know when to stop, in place of a fold.",
            _TRAINING,
            "a fold; 0.15 for one network",
        ),
    ] = None,
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
    """Train networks on a table, score them on rows they never saw, and save them to one file.

    Columns are typed, missing values filled, categories encoded and numbers scaled, all from the training rows alone.
    What is left out is decided from the table.

    Examples:

        chainrule train penguins.csv --target species

        chainrule train houses.parquet --target price --hidden 128,64 --dropout 0.1 --out houses.safetensors
    """
    given: dict[str, Any] = {
        "hidden": None if hidden is None else _units(hidden), "activation": activation, "dropout": dropout,
        "batch_norm": batch_norm, "optimizer": optimizer, "learning_rate": learning_rate,
        "batch_size": None if batch_size is None else _batch_size(batch_size), "epochs": epochs, "patience": patience,
        "l2": l2, "clip_norm": clip_norm, "members": members, "folds": folds,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    numbers = {name: value for name, value in given.items() if name in _LIMITS}
    _check_limits({**numbers, "validation": validation, "test": test, "time_limit": time_limit})
    given |= {"seed": _seed(seed), "engine": engine}
    plan = TrainingPlan.of(effort, validation, test, **given)
    saved_as = out_file or Path(f"{Path(table).stem}.safetensors")
    check_writable(saved_as)
    refuse_same_file(saved_as, table)
    refuse_to_replace(saved_as)
    prepared, ways = plan.prepare(table, target, task=task, group=group)
    if not quiet and not as_json:
        print_plan(prepared, ways, plan)
    begun = time.perf_counter()
    try:
        trained = TableModel.fit(
            prepared, ways, validation=plan.each_holds_out, time_limit=time_limit,
            progress=False if quiet or as_json else "auto",
        )  # fmt: skip
    except DivergenceError as error:
        raise TrainingError(f"{error} Nothing was saved.") from error
    seconds = time.perf_counter() - begun
    trained.save(saved_as)
    if as_json:
        print_json(report(trained, prepared, saved_as, seconds))
    elif not quiet:
        print_result(trained, prepared, saved_as, seconds)
    reasons = {history.stopped_by for history in trained.histories}
    if "interrupted" in reasons and not quiet:
        note("training was interrupted by Ctrl-C; the saved model is what was learned until then")
    if time_limit is not None and any(reason.startswith("the time limit") for reason in reasons) and not quiet:
        note(f"the time limit of {time_limit:g} s ended training; the saved model is what was learned until then")


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
