"""Contents of files that older versions wrote, made those of the next format: one function for each step."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import AnyArray

Form = dict[str, Any]
Tensors = dict[str, AnyArray]


def histories_into_tensors(kind: str, form: Form, tensors: Tensors) -> tuple[Form, Tensors]:
    """1 to 2: the records of a model's epochs, and the seconds of its fit, leave the JSON."""
    if kind == "table":
        model, tensors = histories_into_tensors("model", form["model"], tensors)
        return {**form, "model": model}, tensors
    if kind != "model":
        return form, tensors
    history, training = dict(form["history"]), dict(form.get("training", {}))
    records = history.pop("epochs")
    columns: Tensors = {
        "epoch": np.array([record["epoch"] for record in records], np.int64),
        "step": np.array([record["step"] for record in records], np.int64),
    }
    for name in ("loss", "learning_rate", "validation_loss"):
        columns |= _column(name, [record[name] for record in records])
    for group in ("metrics", "validation_metrics"):
        history[group] = list(dict.fromkeys(name for record in records for name in record[group]))
        for name in history[group]:
            columns |= _column(f"{group}/{name}", [record[group].get(name) for record in records])
    seconds = [float(record["seconds"]) for record in records]
    if training:
        seconds.append(float(training.pop("seconds")))
        form = {**form, "training": training}
    named = {f"history/{name}": column for name, column in columns.items()}
    times = np.array(seconds, np.float64)
    return {**form, "history": history}, {**tensors, **named, "times": np.stack([times, -times])}


def tables_of_several_models(kind: str, form: Form, tensors: Tensors) -> tuple[Form, Tensors]:
    """2 to 3: a table's file may hold several models, and what was learned about their answers."""
    if kind != "table":
        return form, tensors
    table = {
        **form["table"], "oof_scores": {}, "oof_baseline": {}, "oof_rows": 0, "weights": [1.0],
        "epochs": [tensors["times"].shape[1]], "calibration": {"temperature": 1.0, "range": None},
    }  # fmt: skip
    return {"models": [form["model"]], "table": table}, tensors


def tables_of_several_targets(kind: str, form: Form, tensors: Tensors) -> tuple[Form, Tensors]:
    """3 to 4: a table's file may hold several targets, each with what was learned about its answers."""
    if kind != "table":
        return form, tensors
    table, tensors = dict(form["table"]), dict(tensors)
    of_target = (
        "target", "baseline", "oof_rows", "calibration", "test_scores", "test_baseline", "oof_scores", "oof_baseline",
    )  # fmt: skip
    table["targets"] = [{name: table.pop(name) for name in of_target}]
    if "out_of_fold_errors" in tensors:
        tensors["out_of_fold_errors/0"] = tensors.pop("out_of_fold_errors")
    return {**form, "table": table}, tensors


def _column(name: str, values: list[float | None]) -> Tensors:
    """Numbers as a tensor; where some epochs have none, a second one says which have."""
    there = np.array([value is not None for value in values], bool)
    numbers = np.array([0.0 if value is None else value for value in values], np.float64)
    return {name: numbers} if there.all() else {name: numbers, f"{name}?": there}
