"""`chainrule train`: a table in, a scored model out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from chainrule.atomic import check_writable
from chainrule.cli.loading import TableFile, is_folder, model_name, refuse_same_file, refuse_to_replace
from chainrule.cli.screen import note, print_json
from chainrule.cli.train_images import train_pictures
from chainrule.cli.train_options import (
    L2,
    Activation,
    AsJson,
    Augmentation,
    BatchNorm,
    BatchSize,
    Bins,
    Categorical,
    ClipNorm,
    Date,
    Drop,
    Dropout,
    Effort,
    Encoding,
    Engine,
    Epochs,
    Folds,
    Group,
    Hidden,
    LabelSmoothing,
    LearningRate,
    LossWeights,
    MaxCategories,
    Members,
    Missing,
    NoHeader,
    Numeric,
    Optimizer,
    OutFile,
    Patience,
    Quiet,
    Seed,
    Separator,
    Size,
    Target,
    Task,
    Test,
    TestFolder,
    TimeLimit,
    Validation,
)
from chainrule.cli.training_report import print_plan, print_result, report
from chainrule.errors import DivergenceError, InputError, TrainingError
from chainrule.limits import COUNT, FRACTION, POSITIVE, Limit
from chainrule.random import check_seed
from chainrule.tables.recipe import TrainingPlan
from chainrule.tables.settings import Settings
from chainrule.tables.table_model import TableModel
from chainrule.tables.wishes import Wishes

T = TypeVar("T")
_LIMITS: dict[str, Limit] = {**Settings.limits, "validation": FRACTION, "test": FRACTION, "time_limit": POSITIVE}


def train(
    table: TableFile,
    target: Target = None,
    task: Task = None,
    drop: Drop = None,
    numeric: Numeric = None,
    categorical: Categorical = None,
    date: Date = None,
    missing: Missing = None,
    no_header: NoHeader = False,
    separator: Separator = None,
    encoding: Encoding = None,
    max_categories: MaxCategories = None,
    effort: Effort = "good",
    time_limit: TimeLimit = None,
    hidden: Hidden = None,
    activation: Activation = None,
    dropout: Dropout = None,
    bins: Bins = None,
    batch_norm: BatchNorm = None,
    optimizer: Optimizer = None,
    learning_rate: LearningRate = None,
    batch_size: BatchSize = None,
    epochs: Epochs = None,
    patience: Patience = None,
    label_smoothing: LabelSmoothing = None,
    loss_weights: LossWeights = None,
    l2: L2 = None,
    clip_norm: ClipNorm = None,
    members: Members = None,
    folds: Folds = None,
    group: Group = None,
    validation: Validation = None,
    test: Test = 0.2,
    test_folder: TestFolder = None,
    size: Size = None,
    augment: Augmentation = None,
    seed: Seed = 0,
    engine: Engine = "auto",
    out_file: OutFile = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train networks on a table or a folder of pictures, score them on what they never saw, and save them to one file.

    Columns are typed, missing values filled, categories encoded and numbers scaled, all from the training rows alone.
    What is left out is decided from the table.

    Examples:

        chainrule train penguins.csv --target species

        chainrule train houses.parquet --target price --hidden 128,64 --dropout 0.1 --out houses.safetensors

        chainrule train people.csv --target gender,age,mood

        chainrule train pictures/ --augment shift=0.1,rotate=10 --out pictures.safetensors

    Of a folder the sub-folders are the classes of the pictures in them (pip install 'chainrule[images]').
    """
    given: dict[str, Any] = {
        "hidden": None if hidden is None else _units(hidden), "activation": activation, "dropout": dropout,
        "bins": bins, "label_smoothing": label_smoothing,
        "batch_norm": batch_norm, "optimizer": optimizer, "learning_rate": learning_rate,
        "batch_size": None if batch_size is None else _batch_size(batch_size), "epochs": epochs, "patience": patience,
        "l2": l2, "clip_norm": clip_norm, "members": members, "folds": folds,
        "loss_weights": None if loss_weights is None else _by_target("--loss-weights", loss_weights, _number),
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    for_pictures = {"test_folder": test_folder, "size": size, "augment": augment}
    if is_folder(table, target):
        for_tables = {
            "target": target or None, "task": task, "effort": None if effort == "good" else effort, "group": group,
            "validation": validation, "drop": drop, "numeric": numeric, "categorical": categorical, "date": date,
            "missing": missing, "separator": separator, "encoding": encoding, "max_categories": max_categories,
        }  # fmt: skip
        train_pictures(
            table, given | for_tables, test, time_limit, seed, engine, out_file, quiet, as_json, **for_pictures
        )
        return
    target = _of_table(table, target, for_pictures)
    most = None if max_categories is None else _whole("--max-categories", max_categories)
    said: dict[str, Any] = {
        "drop": drop, "numeric": numeric, "categorical": categorical, "date": date, "missing": missing,
        "header": not no_header, "separator": separator, "encoding": encoding, "max_categories": most,
    }  # fmt: skip
    numbers = {name: value for name, value in given.items() if name in _LIMITS}
    _check_limits({**numbers, "validation": validation, "test": test, "time_limit": time_limit})
    given |= {"seed": _seed(seed), "engine": engine}
    plan = TrainingPlan.of(effort, validation, test, **given)
    wishes = Wishes.of(**said)
    saved_as = out_file or Path(model_name(table))
    check_writable(saved_as)
    refuse_same_file(saved_as, table)
    refuse_to_replace(saved_as)
    prepared, ways = plan.prepare(table, target, task=_task(task), group=group, wishes=wishes)
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


def _of_table(table: str, target: list[str] | None, for_pictures: dict[str, Any]) -> list[str]:
    """The targets, where what is given are a table's options."""
    asked = [name for name, value in for_pictures.items() if value is not None]
    if asked:
        raise InputError(f"--{asked[0].replace('_', '-')} is for folders of pictures, and {table} is no folder")
    if not target:
        what = "is no folder of pictures, so it" if Path(table).exists() else "isn't there; a table"
        raise InputError(
            f"{table} {what} needs the column to predict: --target NAME. chainrule train --help says what there is"
        )
    return target


def _check_limits(given: dict[str, float | int | None]) -> None:
    for name, value in given.items():
        limit = _LIMITS[name]
        if value is not None and not limit.holds(value):
            raise InputError(f"--{name.replace('_', '-')} is {value:g}; it must be {limit}")


def _task(text: str | None) -> str | dict[str, str] | None:
    """One task, or the tasks of targets by name."""
    return text if text is None or "=" not in text else _by_target("--task", text, str)


def _number(text: str) -> float:
    number = float(text)
    if not POSITIVE.holds(number):
        raise ValueError
    return number


def _by_target(option: str, text: str, read: Callable[[str], T]) -> dict[str, T]:
    """What is said of targets by name: `age=2,mood=0.5`."""
    found: dict[str, T] = {}
    for part in text.split(","):
        name, equals, value = part.rpartition("=")
        try:
            if not equals or name.strip() in found:
                raise ValueError
            found[name.strip()] = read(value.strip())
        except ValueError:
            what = "positive numbers" if read is _number else "a task"
            raise InputError(
                f'{option} is "{text}"; it must be {what} by target, each once, as in '
                f"{'age=2,mood=0.5' if read is _number else 'age=regression,mood=classification'}"
            ) from None
    return found


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


def _whole(option: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not COUNT.holds(number):
        raise InputError(f'{option} is "{text}"; it must be {COUNT}')
    return number


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
