"""Several targets at once: which columns they are, which rows know what, and how much each one's loss counts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.arrays import AnyArray
from chainrule.errors import InputError, counted, did_you_mean, listed, quoted
from chainrule.tables.target import TargetPlan, Task, plan_target

if TYPE_CHECKING:
    import polars as pl

ONLY: Final = "output"  # what the head of a single target is called
_TAKEN: Final = re.compile(r"numbers|categories|output|hidden.*")  # what other layers are called
_MADE: Final = re.compile(r".*_(numbers|pieces|categories|sum)")  # and what they are called after a head
_NOT_IN_NAMES: Final = re.compile(r"[^\w.+-]+")


def target_names(frame: pl.DataFrame, given: str | Sequence[str]) -> tuple[str, ...]:
    """The columns to predict: one by its name, or several as a list or with commas between them.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"gender": ["f"], "age": [31], "a, b": [1]})
    >>> target_names(frame, "gender, age"), target_names(frame, "a, b"), target_names(frame, ["age", "gender"])
    (('gender', 'age'), ('a, b',), ('age', 'gender'))
    """
    names: list[str] = []
    for target in [given] if isinstance(given, str) or not isinstance(given, Iterable) else given:
        text = "" if target is None else str(target)  # a data frame's columns may be called by numbers
        split = "," in text and text not in frame.columns
        names += [part.strip() for part in text.split(",")] if split else [text]
    if not names or "" in names:
        told = given if isinstance(given, str) or given is None else ",".join(map(str, given))
        raise InputError(f'the target is "{told}": name a column, or several with commas between them')
    for i, name in enumerate(names):
        if name in names[:i]:
            raise InputError(f'the target "{name}" is named twice: each target is learned once')
        if len(names) > 1 and name not in frame.columns:
            raise InputError(
                f'the table has no column "{name}", one of the {len(names)} targets.'
                f"{did_you_mean(name, frame.columns)} Its columns are {quoted(frame.columns, limit=30)}"
            )
    return tuple(names)


def plan_targets(
    frame: pl.DataFrame, names: Sequence[str], task: Task | str | Mapping[str, Task | str] | None = None
) -> tuple[TargetPlan, ...]:
    """What each target is; `task` decides instead, for several by name.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"gender": ["f", "m", "f", "m"], "age": [31.0, 8, None, 44.5]})
    >>> [plan.task for plan in plan_targets(frame, ["gender", "age"])]
    ['classification', 'regression']
    """
    if isinstance(task, Mapping):
        tasks = {str(name): said for name, said in task.items()}
        for name in tasks:
            if name not in names:
                raise InputError(
                    f'task: there is no target "{name}".{did_you_mean(name, names)} There are {listed(names)}'
                )
    elif task is not None and len(names) > 1:
        raise InputError(
            f"the task is {task!r}, and there are the targets {listed(names)}: say it by name, {names[0]}={task}"
        )
    else:
        tasks = {names[0]: task} if task is not None else {}
    return tuple(plan_target(frame, name, tasks.get(name)) for name in names)


def head_names(targets: Sequence[TargetPlan]) -> tuple[str, ...]:
    """What the network's heads are called: after the columns, as far as names of layers can be.

    >>> head_names([TargetPlan("mood, today", "regression", ""), TargetPlan("numbers", "regression", "")])
    ('mood_today', 'head_numbers')
    """
    if len(targets) == 1:
        return (ONLY,)
    names: list[str] = []
    for target in targets:
        name = _NOT_IN_NAMES.sub("_", target.name).strip("_") or "head"
        name = f"head_{name}" if _TAKEN.fullmatch(name) else f"{name}_" if _MADE.fullmatch(name) else name
        while name in names:
            name += "_"
        names.append(name)
    return tuple(names)


def known_rows(targets: Sequence[TargetPlan], frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Which rows of a frame have a value of one target at least."""
    has = [target.known(frame).to_numpy() for target in targets]
    return np.asarray(np.logical_or.reduce(has))


def encode_known(target: TargetPlan, frame: pl.DataFrame) -> AnyArray:
    """A target of all rows as the network learns it, NaN where it is missing."""
    has = target.known(frame).to_numpy()
    made = np.full(frame.height, np.nan, np.float64 if target.classes else np.float32)
    made[has] = target.encode(frame.filter(has))
    return made


def strata(targets: Sequence[TargetPlan], encoded: Sequence[AnyArray]) -> NDArray[np.int64] | None:
    """A number for each row by which splits keep their shares, or None.

    Of a single target it is the class. Of several it says which of them the row has, the one that is rarest first, and
    its class of the first that has classes.
    """
    if len(targets) == 1:
        return encoded[0] if targets[0].classes else None
    has = [~np.isnan(y) for y in encoded]
    code = np.zeros(len(encoded[0]), np.int64)
    for i in sorted(range(len(has)), key=lambda i: int(has[i].sum())):
        code = 2 * code + has[i]
    first = next((i for i, target in enumerate(targets) if target.classes), None)
    if first is not None:
        several = len(targets[first].classes) + 1
        fine = several * code + np.where(has[first], np.nan_to_num(encoded[first]) + 1, 0).astype(np.int64)
        _, places, sizes = np.unique(fine, return_inverse=True, return_counts=True)
        code = np.where(sizes[places] < 2, several * code, fine)
    return code if 4 * len(np.unique(code)) <= len(code) else None


def check_known(targets: Sequence[TargetPlan], encoded: Sequence[AnyArray], what: str) -> None:
    """Raise an `InputError` where some rows have no value of a target at all."""
    for target, y in zip(targets, encoded, strict=True):
        if len(targets) > 1 and np.isnan(y).all():
            raise InputError(
                f'none of the {counted(len(y), "row")} {what} has a value of the target "{target.name}": it is missing '
                "in too many rows; fill some in, or leave this target out"
            )


def usual_weight(target: TargetPlan, encoded: AnyArray) -> float:
    """What a head's loss is divided by so that all begin alike: what the trivial answer costs, its entropy or variance.

    >>> round(usual_weight(TargetPlan("y", "classification", "", classes=("a", "b")), np.array([0.0, 1.0])), 4)
    1.4427
    """
    if not target.classes:
        return 1.0  # of a standardized number the mean's squared error is 1
    counts = np.bincount(encoded[~np.isnan(encoded)].astype(np.int64), minlength=len(target.classes))
    shares = counts[counts > 0] / counts.sum()
    entropy = -float((shares * np.log(shares)).sum())
    return 1 / entropy if entropy > 0 and math.isfinite(entropy) else 1.0
