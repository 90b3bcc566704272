"""What `chainrule train` says: the plan before training, and the result after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from chainrule.cli.screen import new_table, note, print_notes, say, score_table, show
from chainrule.errors import counted, listed
from chainrule.tables.recipe import TrainingPlan
from chainrule.tables.settings import Settings
from chainrule.tables.table_head import TableHead
from chainrule.tables.table_model import TableModel

if TYPE_CHECKING:
    from chainrule.tables.columns import ColumnPlan
    from chainrule.tables.preparation import PreparedTable

_BETTER = 0.98  # of the baseline's error: what is above is no better
_JUDGED = 30  # rows, by which a model may be called useless
_MOST_LINES = 30  # of the table of columns; beyond, like columns share a line


def print_plan(prepared: PreparedTable, ways: Sequence[Settings], plan: TrainingPlan) -> None:
    """What each column is taken for, what is trained, and which rows are kept for what."""
    several = len(prepared.targets) > 1
    trained_how = [_way(prepared, settings, plan) for settings in ways]  # a mistake in them is said first
    taken = new_table("column", "taken for", "why", "missing", right=(3,))
    for target in prepared.targets:
        why = f"{target.task}: {target.reason}"
        taken.add_row(target.name, Text("target", "bold"), why, _unless_none(target.missing))
    for name, kind, reason, missing in _lines(prepared.columns):
        taken.add_row(name, Text(kind, "dim" if kind == "dropped" else ""), reason, _unless_none(missing))
    show(taken)
    say()
    for target in prepared.targets:
        if target.doubt:
            meant = "classes" if target.doubt == "classification" else "a quantity"
            of_target = f"{target.name}=" if several else ""
            say(f'if the numbers of "{target.name}" are {meant}, say --task {of_target}{target.doubt}')
    if prepared.without_target:
        say(f"{counted(prepared.without_target, 'row')} without {'any' if several else 'a'} target left out")
    if several and any(target.missing > prepared.without_target for target in prepared.targets):
        say("rows that lack a target teach the others")
    for line in prepared.notes:
        note(line)
    for line in trained_how:
        say(line)
    say(f"held out: {_held_out(prepared, ways[0], plan) or 'nothing'}")


def _way(prepared: PreparedTable, settings: Settings, plan: TrainingPlan) -> str:
    """One kind of network, and how it is trained."""
    rows = prepared.rows["train"]
    held_out = 0
    if settings.members > 1 and plan.each_holds_out is not None:
        held_out = round(rows * plan.each_holds_out)
    elif settings.members > 1 and not prepared.rows["validation"]:
        held_out = -(-rows // (settings.folds or settings.members))
    own = rows - held_out
    size, steps = settings.steps(prepared, own)
    columns = counted(len(prepared.encoding.columns), "column")
    shape = "-".join([columns, *map(str, settings.hidden), "+".join(map(str, prepared.outputs))])
    many = f"{settings.members} networks, each on " if settings.members > 1 else ""
    of_all = f" of {rows:,}" if own != rows else ""
    return (
        f"{many}{own:,}{of_all} training rows in batches of {size:,}: {counted(steps, 'step')} x "
        f"{counted(settings.epochs, 'epoch')} = {counted(steps * settings.epochs, 'step')} at most; "
        f"{shape}: {settings.network(prepared).count().total:,} parameters"
    )


def _held_out(prepared: PreparedTable, settings: Settings, plan: TrainingPlan) -> str:
    rows = prepared.rows
    deciding = ""
    if rows["validation"]:
        deciding = f"{counted(rows['validation'], 'row')} to decide when to stop"
    elif plan.each_holds_out:
        deciding = (
            f"by each network {counted(round(rows['train'] * plan.each_holds_out), 'row')} to decide when to stop"
        )
    elif settings.members > 1 and plan.each_holds_out is None and settings.folds:
        size = rows["train"] // settings.folds
        deciding = f"by each network one of {settings.folds} folds ({counted(size, 'row')}) to decide when to stop"
    testing = f"{counted(rows['test'], 'row')} for the test" if rows["test"] else ""
    return " and ".join(text for text in (deciding, testing) if text)


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


def print_result(trained: TableModel, prepared: PreparedTable, saved_as: Path, seconds: float) -> None:
    """How training ended, the scores, and where the model is."""
    took = f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}"
    say(_single_end(trained, took) if trained.members == 1 else _end(trained, took))
    say()
    by_whom = "the network" if trained.members == 1 else "networks"
    for i, head in enumerate(trained.heads.values()):
        of_target = f" of {head.target.name}" if len(trained.heads) > 1 else ""
        if head.oof_scores:
            rows = counted(head.oof_rows, "row")
            say((f"out-of-fold scores{of_target} ({rows}, by {by_whom} that didn't train on them)", "bold"))
            show(score_table(head.oof_scores, head.oof_baseline, head.baseline.name))
            say()
        if head.test_scores:
            rows = counted(int((~np.isnan(prepared.test.ys[i])).sum()), "row")
            say((f"test scores{of_target} ({rows})", "bold"))
            show(score_table(head.test_scores, head.test_baseline, head.baseline.name))
            if len(trained.heads) == 1:
                print_notes(prepared.test.notes)
            say()
    if len(trained.heads) > 1:
        print_notes(prepared.test.notes)
    for line in no_better(trained):
        note(line)
    say("saved to ", (str(saved_as), "bold"))


def no_better(trained: TableModel) -> list[str]:
    """That a model is no better than its baseline, of each target of which that is so."""
    found = []
    for head in trained.heads.values():
        scores, baseline = (
            (head.oof_scores, head.oof_baseline) if head.oof_scores else (head.test_scores, head.test_baseline)
        )
        name = "log_loss" if head.target.classes else "root_mean_squared_error"
        judged = head.oof_rows if head.oof_scores else trained.rows.get("test", 0)
        if judged >= _JUDGED and name in scores and scores[name] > _BETTER * baseline[name]:
            found.append(
                f"the model is no better than the baseline ({head.baseline.name}): the columns tell nothing of "
                f'"{head.target.name}", or there are too few rows to learn it from'
            )
    return found


def _single_end(trained: TableModel, took: str) -> str:
    history = trained.history
    why = "as many as allowed" if history.stopped_by == "epochs" else history.stopped_by.replace("_", " ")
    last = history.last
    kept = history.best_epoch is not None and last is not None and history.best_epoch != last.epoch
    weights = f"; the weights of epoch {history.best_epoch} are kept" if kept else ""
    return f"{counted(len(history), 'epoch')} in {took} s: {why}{weights}"


def _end(trained: TableModel, took: str) -> str:
    epochs = _from_to([len(history) for history in trained.histories])
    bests = [history.best_epoch for history in trained.histories if history.best_epoch is not None]
    kept = f", each with the weights of its best (epoch {_from_to(bests)})" if bests else ""
    missing = [f"{number} {_MISSING[why]}" for why, number in trained.left_out.items() if number]
    besides = f"; left out: {' and '.join(missing)}" if missing else ""
    used = ""
    if len(trained.models) > 1:
        used = f"; of {counted(len(trained.models), 'kind')}, weighted {listed(f'{w:.2g}' for w in trained.weights)}"
    stopped = any(history.stopped_by == "interrupted" for history in trained.histories)
    after = "interrupted after " if stopped else ""
    return f"{trained.members} networks in {took} s: {after}{epochs} epochs{kept}{used}{besides}"


_MISSING = {"diverged": "that diverged", "no time": "that there was no time for"}


def _from_to(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def report(trained: TableModel, prepared: PreparedTable, saved_as: Path, seconds: float) -> dict[str, Any]:
    """The same for programs. `epochs` are those of the longest training; of several targets all is said by name."""
    histories, several = trained.histories, len(trained.heads) > 1
    reasons = {history.stopped_by for history in histories}
    return {
        "model": str(saved_as),
        "target": _by_name(trained, lambda head: head.target.name, names=True),
        "task": _by_name(trained, lambda head: head.target.task),
        "rows": prepared.rows,
        "without_target": prepared.without_target,
        **({"missing": {target.name: target.missing for target in prepared.targets}} if several else {}),
        "columns": [
            {"name": c.name, "kind": c.kind, "reason": c.reason, "missing": c.missing} for c in prepared.columns
        ],
        "notes": [*prepared.notes, *no_better(trained)],
        "parameters": trained.model.network.count().total,
        "scores": trained.test_scores,
        "baseline": trained.test_baseline,
        "out_of_fold": _by_name(trained, out_of_fold),
        "epochs": max(len(history) for history in histories),
        "best_epoch": trained.history.best_epoch if len(histories) == 1 else None,
        "stopped_by": reasons.pop() if len(reasons) == 1 else None,
        "networks": [
            {"epochs": len(history), "best_epoch": history.best_epoch, "stopped_by": history.stopped_by}
            for history in histories
        ],
        "left_out": trained.left_out,
        "weights": list(trained.weights),
        "temperature": _by_name(trained, lambda head: head.calibration.temperature),
        "engine": trained.model.engine_.name,
        "seconds": seconds,
    }


def _by_name(trained: TableModel, said: Callable[[TableHead], Any], *, names: bool = False) -> Any:
    """What is said of the only target; of several by name, or with `names` as a list."""
    found = {name: said(head) for name, head in trained.heads.items()}
    if len(found) == 1:
        return next(iter(found.values()))
    return list(found.values()) if names else found


def out_of_fold(head: TableHead) -> dict[str, Any]:
    """A target's out-of-fold scores for programs."""
    return {"rows": head.oof_rows, "scores": head.oof_scores, "baseline": head.oof_baseline}
