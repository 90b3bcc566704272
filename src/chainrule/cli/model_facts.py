"""What `chainrule info MODEL` says of a saved model: what it predicts and from what, and the networks in it."""

from __future__ import annotations

from typing import Any

from chainrule.cli.screen import new_table, number, say, score_table, show
from chainrule.cli.training_report import out_of_fold
from chainrule.errors import InputError, counted, listed
from chainrule.images.image_model import ImageModel
from chainrule.layers import Dense, EmbeddingSum
from chainrule.model import Model
from chainrule.tables.date_column import DateColumn
from chainrule.tables.encoding import CategoricalColumn, EncodedColumn
from chainrule.tables.table_head import TableHead
from chainrule.tables.table_model import TableModel

_COVERAGE = 0.9
_MOST_COLUMNS = 30  # on the screen


def model_facts(model: Any) -> dict[str, Any]:
    """A model that was loaded, as JSON values.

    Arguments:
        model: a `TableModel`, a `Model`, or an estimator.
    """
    if isinstance(model, TableModel):
        return _table_facts(model)
    if isinstance(model, ImageModel):
        return _image_facts(model)
    if isinstance(model, Model):
        return {"kind": "model of arrays", "networks": [_network_facts(model)]}
    fitted = model._ready_model()
    facts: dict[str, Any] = {"kind": type(model).__name__, "networks": [_network_facts(fitted)]}
    if hasattr(model, "out_of_fold_score_"):
        facts |= {"folds": model.folds, "out_of_fold": model.out_of_fold_score_}
    return facts


def _network_facts(model: Model, weight: float | None = None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "members": model.members, "layers": _layers(model), "parameters": model.network.count().total,
        "optimizer": model.optimizer.name,
    }  # fmt: skip
    epochs = [len(history) for history in model.histories]
    if any(epochs):
        facts["epochs"] = epochs
    return facts if weight is None else {**facts, "weight": weight}


def _layers(model: Model) -> str:
    """The units of the layers, from the first that has weights to the outputs.

    >>> from chainrule import Network
    >>> _layers(Model(Network.mlp(4, [3, 2], 1), "squared_error"))
    '3-2-1'
    """
    layers = [node.layer for node in model.network.nodes]
    beside = any(isinstance(layer, Dense) and layer.name.endswith("_numbers") for layer in layers)
    weighing = (Dense,) if beside else (Dense, EmbeddingSum)  # rows of categories are added to what numbers give
    heads = [head.name for head in model.network.heads]
    weighed = [layer for layer in layers if isinstance(layer, weighing)]
    last = "+".join(str(layer.units) for layer in weighed if layer.name in heads)
    return "-".join([*(str(layer.units) for layer in weighed if layer.name not in heads), *([last] if last else [])])


def _table_facts(model: TableModel) -> dict[str, Any]:
    targets = [_target_facts(head) for head in model.heads.values()]
    facts: dict[str, Any] = {
        "kind": "table model",
        "rows": model.rows,
        "columns": [_column_facts(column) for column in model.encoding.columns],
        "networks": [_network_facts(one, w) for one, w in zip(model.models, model.weights, strict=True)],
    }  # fmt: skip
    return facts | (targets[0] if len(targets) == 1 else {"targets": targets})


def _target_facts(head: TableHead) -> dict[str, Any]:
    target = head.target
    facts: dict[str, Any] = {
        "target": target.name, "task": target.task, "classes": list(target.classes), "out_of_fold": out_of_fold(head),
        "test": {"scores": head.test_scores, "baseline": head.test_baseline},
    }  # fmt: skip
    if target.classes:
        return facts | {"temperature": head.calibration.temperature}
    try:
        half = head.calibration.half_width(_COVERAGE)
    except InputError:  # too few rows to promise so much
        half = None
    return facts | {"interval": {"coverage": _COVERAGE, "half_width": half}}


def _image_facts(model: ImageModel) -> dict[str, Any]:
    form = model.form
    return {
        "kind": "image model", "target": "class", "task": "classification", "classes": list(model.classes),
        "pictures": {name: value for name, value in form.to_dict().items() if name != "white"},
        "rows": model.rows, "networks": [_network_facts(model.model)],
        "test": {"scores": model.test_scores, "baseline": model.test_baseline},
    }  # fmt: skip


def _column_facts(column: EncodedColumn) -> dict[str, Any]:
    if isinstance(column, CategoricalColumn):
        return {"name": column.name, "kind": "categorical", "categories": len(column.categories)}
    if isinstance(column, DateColumn):
        return {"name": column.name, "kind": "date", "parts": ["trend", *column.parts]}
    return {"name": column.name, "kind": "numeric" if column.unit == "number" else column.unit, "median": column.median}


def print_model(facts: dict[str, Any], model: Any) -> None:
    """The same for people.

    Arguments:
        facts: what `model_facts` gave.
        model: of which.
    """
    targets = facts.get("targets", [facts] if "target" in facts else [])
    told = listed(": ".join((one["target"], one["task"])) for one in targets)
    say((facts["kind"], "bold"), f" of {told}" if told else "")
    for one in targets:
        if one["classes"]:
            of_target = f" of {one['target']}" if len(targets) > 1 else ""
            say(f"classes{of_target}: {listed(one['classes'], limit=20)}")
    if facts.get("rows"):
        say("rows: " + ", ".join(f"{count:,} {part}" for part, count in facts["rows"].items() if count))
    networks = new_table("networks", "units", "parameters", "optimizer", "epochs", "weight", right=(0, 2, 4, 5))
    for one in facts["networks"]:
        epochs = one.get("epochs", [])
        told = "" if not epochs else f"{min(epochs)} to {max(epochs)}" if min(epochs) < max(epochs) else f"{epochs[0]}"
        weight = f"{one['weight']:.2g}" if "weight" in one else ""
        networks.add_row(
            f"{one['members']}", one["layers"], f"{one['parameters']:,}", one["optimizer"], told, weight
        )  # fmt: skip
    show(networks)
    if "folds" in facts:
        say(f"{facts['folds']} folds, out-of-fold score {number(facts['out_of_fold'])}")
    if isinstance(model, TableModel):
        _print_table_model(facts, model)
    if isinstance(model, ImageModel):
        say(f"pictures: {model.form}, numbers from {model.form.low:g} to {model.form.high:g}")
        if model.test_scores:
            say(("test scores", "bold"))
            show(score_table(model.test_scores, model.test_baseline, "shares of the classes"))


def _print_table_model(facts: dict[str, Any], model: TableModel) -> None:
    for one, head in zip(facts.get("targets", [facts]), model.heads.values(), strict=True):
        of_target = f" of {head.target.name}" if len(model.heads) > 1 else ""
        if head.oof_scores:
            say((f"out-of-fold scores{of_target} ({counted(head.oof_rows, 'row')})", "bold"))
            show(score_table(head.oof_scores, head.oof_baseline, head.baseline.name))
        if head.test_scores:
            say((f"test scores{of_target}", "bold"))
            show(score_table(head.test_scores, head.test_baseline, head.baseline.name))
        if "temperature" in one:
            say(f"probabilities{of_target} are p^(1/T), T = {one['temperature']:.3g}")
        elif one["interval"]["half_width"] is not None:
            half = number(one["interval"]["half_width"])
            errors = f"out-of-fold errors{of_target}"
            say(f"{_COVERAGE:.0%} of the {errors} are within {half} of the truth: the half-width of intervals")
    columns = facts["columns"]
    shown = new_table("column", "taken for", "")
    for one in columns[:_MOST_COLUMNS]:
        about = f"{one['categories']:,} categories" if "categories" in one else f"median {number(one['median'])}"
        shown.add_row(one["name"], one["kind"], about)
    show(shown)
    if len(columns) > _MOST_COLUMNS:
        say(f"and {len(columns) - _MOST_COLUMNS:,} columns more")
