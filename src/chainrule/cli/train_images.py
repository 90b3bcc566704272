"""`chainrule train FOLDER`: pictures in sub-folders in, a scored model out."""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.atomic import check_writable
from chainrule.augment import Augment
from chainrule.cli.loading import refuse_to_replace
from chainrule.cli.picture_answers import BASELINE
from chainrule.cli.screen import new_table, note, print_json, say, score_table, show
from chainrule.errors import DivergenceError, InputError, TrainingError, counted, did_you_mean, listed
from chainrule.limits import COUNT, FRACTION, POSITIVE, Limit
from chainrule.resolve import set_fields

if TYPE_CHECKING:
    from chainrule.images.image_model import ImageModel
    from chainrule.images.image_settings import ImageSettings
    from chainrule.images.picture_preparation import PreparedPictures

_MOST_CLASSES = 30  # in the table that is shown


def train_pictures(
    folder: str, given: dict[str, Any], test: float, time_limit: float | None, seed: int, engine: str,
    out_file: Path | None, quiet: bool, as_json: bool, *, test_folder: str | None, size: str | None,
    augment: str | None,
) -> None:  # fmt: skip
    """Train on a folder, and say what `chainrule train` says of it.

    Arguments:
        folder: its sub-folders are the classes.
        given: the options for networks and training that were given, and those that are for tables alone.
        test, time_limit, seed, engine, out_file, quiet, as_json, test_folder, size, augment: the other options.
    """
    from chainrule.images.image_model import ImageModel
    from chainrule.images.image_settings import ImageSettings
    from chainrule.images.picture_preparation import prepare_pictures

    known = {field.name for field in fields(ImageSettings)}
    others = [name for name, value in given.items() if value is not None and name not in known]
    if others:
        raise InputError(
            f"{_options(others)} {'are' if len(others) > 1 else 'is'} for tables, and {folder} is a folder of "
            "pictures, whose sub-folders are the classes"
        )
    chosen = {name: value for name, value in given.items() if value is not None}
    if augment is not None:
        chosen["augment"] = parsed_augment(augment)
    _check_numbers({**chosen, "test": test, "time_limit": time_limit}, ImageSettings.limits)
    settings = ImageSettings(**chosen, seed=seed, engine=engine)
    saved_as = out_file or Path(f"{Path(folder).expanduser().resolve().name or 'pictures'}.safetensors")
    check_writable(saved_as)
    refuse_to_replace(saved_as)
    prepared = prepare_pictures(folder, size=_size(size), test=test, test_pictures=test_folder, seed=seed)
    if not quiet:
        for line in prepared.notes:
            note(line)
    if not quiet and not as_json:
        _print_plan(prepared, settings)
    begun = time.perf_counter()
    try:
        trained = ImageModel.fit(
            prepared, settings, time_limit=time_limit, progress=False if quiet or as_json else "auto"
        )
    except DivergenceError as error:
        raise TrainingError(f"{error} Nothing was saved.") from error
    seconds = time.perf_counter() - begun
    trained.save(saved_as)
    if as_json:
        print_json(_report(trained, prepared, saved_as, seconds))
    elif not quiet:
        _print_result(trained, saved_as, seconds)
    if trained.history.stopped_by == "interrupted" and not quiet:
        note("training was interrupted by Ctrl-C; the saved model is what was learned until then")


def parsed_augment(text: str) -> str | Augment:
    """`usual`, `none`, or numbers by name.

    >>> parsed_augment("shift=0.1,flip=horizontal") == Augment(shift=0.1, flip="horizontal")
    True
    """
    if text in ("usual", "none"):
        return text
    known = [field.name for field in fields(Augment) if field.name != "shape"]
    values: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name not in known or not equals:
            raise InputError(
                f'--augment is "{text}"; it must be usual, none, or as in shift=0.1,rotate=10 with any of '
                f"{listed(known)}.{did_you_mean(name, known)}"
            )
        try:
            values[name] = float(value)
        except ValueError:
            values[name] = value
    try:
        return Augment(**values)
    except InputError as error:
        raise InputError(f"--augment: {str(error).removeprefix('Augment: ')}") from None


def _options(names: list[str]) -> str:
    return listed(f"--{name.replace('_', '-')}" for name in names)


def _check_numbers(given: dict[str, Any], limits: dict[str, Limit]) -> None:
    every = {**limits, "test": FRACTION, "time_limit": POSITIVE}
    for name, value in given.items():
        if value is not None and name in every and not every[name].holds(value):
            raise InputError(f"--{name.replace('_', '-')} is {value:g}; it must be {every[name]}")


def _size(text: str | None) -> tuple[int, int] | None:
    """Height and width from `24x16` or `24`."""
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    try:
        sides = int(height if cross else width), int(width)
    except ValueError:
        sides = (0, 0)
    if not all(COUNT.holds(side) for side in sides):
        raise InputError(f'--size is "{text}"; it must be width and height in pixels, as in 24x16, or one number')
    return sides


def _print_plan(prepared: PreparedPictures, settings: ImageSettings) -> None:
    """The classes with their pictures, what is trained, and what is held out."""
    counts = [np.bincount(y, minlength=len(prepared.classes)) for y in (prepared.y, prepared.y_test)]
    shown = new_table("class", "to train on", "for the test", right=(1, 2))
    for i, name in enumerate(prepared.classes[:_MOST_CLASSES]):
        shown.add_row(str(name), *(f"{of[i]:,}" for of in counts))
    show(shown)
    if len(prepared.classes) > _MOST_CLASSES:
        say(f"and {len(prepared.classes) - _MOST_CLASSES:,} classes more")
    say()
    form, fitting, rows = prepared.form, settings.fitting(len(prepared.y)), len(prepared.y)
    augment = fitting["augment"]
    done = listed(f"{name} {value}" for name, value in set_fields(augment).items()) if augment else "nothing"
    inputs = form.height * form.width * form.channels
    shape = "-".join(map(str, [counted(inputs, "number"), *settings.hidden, len(prepared.classes)]))
    steps = -(-rows // fitting["batch_size"]) if fitting["batch_size"] != "full" else 1
    parameters = settings.model(form.shape, len(prepared.classes)).network.count().total
    many = f"{settings.members} networks, each on " if settings.members > 1 else ""
    say(f"pictures: {form}; before each epoch at random: {done}")
    say(
        f"{many}{counted(rows, 'picture')} in batches of {fitting['batch_size']}: {counted(steps, 'step')} x "
        f"{counted(fitting['epochs'], 'epoch')}; {shape}: {parameters:,} parameters"
    )


def _print_result(trained: ImageModel, saved_as: Path, seconds: float) -> None:
    history = trained.history
    why = "" if history.stopped_by == "epochs" else f": {history.stopped_by}"
    say(f"{counted(len(history), 'epoch')} in {seconds:.1f} s{why}")
    say()
    if trained.test_scores:
        say((f"test scores ({counted(trained.rows['test'], 'picture')})", "bold"))
        show(score_table(trained.test_scores, trained.test_baseline, BASELINE))
        say()
    say("saved to ", (str(saved_as), "bold"))


def _report(trained: ImageModel, prepared: PreparedPictures, saved_as: Path, seconds: float) -> dict[str, Any]:
    """The same for programs."""
    form, history = trained.form, trained.history
    return {
        "model": str(saved_as),
        "task": "classification",
        "classes": list(trained.classes),
        "rows": trained.rows,
        "pictures": {"width": form.width, "height": form.height, "channels": form.channels},
        "notes": prepared.notes,
        "parameters": trained.model.network.count().total,
        "members": trained.members,
        "scores": trained.test_scores,
        "baseline": trained.test_baseline,
        "epochs": len(history),
        "stopped_by": history.stopped_by,
        "engine": trained.model.engine_.name,
        "seconds": seconds,
    }
