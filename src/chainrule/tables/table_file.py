"""A table model as tensors and JSON, and back: the networks with their numbers, and what the table's columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

from chainrule import container, forms
from chainrule.arrays import AnyArray
from chainrule.container import TIMES
from chainrule.errors import FileError, listed
from chainrule.model import Model
from chainrule.saving import damaged
from chainrule.tables.calibration import Calibration
from chainrule.tables.encoding import TableEncoding
from chainrule.tables.scores import Baseline, Numbers
from chainrule.tables.table_head import TableHead
from chainrule.tables.table_reader import TableReader
from chainrule.tables.target import TargetPlan

_SCORES = ("test_scores", "test_baseline", "oof_scores", "oof_baseline")
_ERRORS = "out_of_fold_errors/"  # and the number of the target, from 0


class Saved(Protocol):
    """What is saved of a table model."""

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    encoding: TableEncoding
    heads: dict[str, TableHead]
    rows: dict[str, int]
    reader: TableReader


def write_table(model: Saved) -> container.Contents:
    """The contents of a table model's file: tensors of its first model by their own names, of others under a number."""
    written = [one.to_contents() for one in model.models]
    tensors = {
        f"{i}/{name}" if i else name: array
        for i, one in enumerate(written)
        for name, array in one.tensors.items()
        if name != TIMES
    }
    times = [one.tensors[TIMES] for one in written]
    tensors[TIMES] = np.concatenate(times, axis=1)
    tensors |= {f"{_ERRORS}{i}": head.calibration.errors for i, head in enumerate(model.heads.values())}
    table = {
        "encoding": model.encoding.to_dict(),
        "targets": [_head_form(head) for head in model.heads.values()],
        "rows": model.rows,
        "weights": list(model.weights),
        "epochs": [time.shape[1] for time in times],
        "reader": model.reader.to_dict(),
    }
    return container.Contents("table", {"models": [one.form for one in written], "table": table}, tensors)


def _head_form(head: TableHead) -> dict[str, Any]:
    return {
        "target": head.target.to_dict(),
        "baseline": asdict(head.baseline),
        "oof_rows": head.oof_rows,
        "calibration": head.calibration.to_dict(),
        **{name: getattr(head, name) for name in _SCORES},
    }


def _head(form: dict[str, Any], errors: AnyArray | None) -> TableHead:
    """A target of the table; raises what a form that was changed raises."""
    shares = tuple(forms.finite(share) for share in form["baseline"]["shares"])
    head = TableHead(
        TargetPlan.from_dict(form["target"]),
        Baseline(shares, forms.finite(form["baseline"]["mean"])),
        Calibration.from_dict(form["calibration"], errors),
        **{name: _numbers(form[name]) for name in _SCORES},
        oof_rows=forms.count(form["oof_rows"]),
    )
    for kind in ("test", "oof"):
        given = getattr(head, f"{kind}_scores")
        if given and set(given) != set(getattr(head, f"{kind}_baseline")):
            raise FileError("the file is damaged: its baseline is of another task")
    if len(shares) != len(head.target.classes):
        raise FileError("the file is damaged: its baseline is of another task")
    return head


def read_table_contents(contents: container.Contents, engine: str) -> dict[str, Any]:
    """What a table model is made of, by the names of its arguments.

    Raises:
        FileError: it can't have been written by a table model.
    """
    try:
        said, table = contents.form["models"], contents.form["table"]
        tensors = dict(contents.tensors)
        times = tensors.pop(TIMES)
        heads = [_head(form, tensors.pop(f"{_ERRORS}{i}", None)) for i, form in enumerate(table["targets"])]
        if len({head.target.name for head in heads}) != len(heads) or not heads:
            raise ValueError(f"{len(heads)} targets")
        epochs = [forms.count(number) for number in table["epochs"]]
        weights = tuple(forms.finite(weight) for weight in table["weights"])
        if not len(said) == len(epochs) == len(weights) > 0 or min(weights) < 0 or sum(epochs) != times.shape[1]:
            raise ValueError(f"{len(said)} models, {len(weights)} weights, {len(epochs)} of {times.shape[1]} epochs")
        ends = np.cumsum(epochs)[:-1]
        models = [
            Model.from_contents(container.Contents("model", form, _of_model(tensors, i) | {TIMES: own}), engine=engine)
            for i, (form, own) in enumerate(zip(said, np.split(times, ends, axis=1), strict=True))
        ]
        encoding = TableEncoding.from_dict(table["encoding"])
        rows = {forms.text(name): forms.count(number) for name, number in table["rows"].items()}
        reader = TableReader.from_dict(table["reader"]) if "reader" in table else TableReader()
    except FileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(error) from error
    for model in models:
        _check_shapes(model, encoding, heads)
    return {
        "model": models[0], "others": models[1:], "weights": weights, "encoding": encoding, "heads": heads,
        "rows": rows, "reader": reader,
    }  # fmt: skip


def _of_model(tensors: dict[str, AnyArray], number: int) -> dict[str, AnyArray]:
    """The tensors of one model, by its own names."""
    if number:
        start = f"{number}/"
        return {name.removeprefix(start): array for name, array in tensors.items() if name.startswith(start)}
    return {name: array for name, array in tensors.items() if not name[0].isdigit()}


def _numbers(form: dict[str, Any]) -> Numbers:
    return {forms.text(name): forms.number(score) for name, score in form.items()}


def _check_shapes(model: Model, encoding: TableEncoding, heads: Sequence[TableHead]) -> None:
    units = [(max(len(head.target.classes), 1),) for head in heads]
    shapes = {"numbers": (len(encoding.number_names),), "categories": (len(encoding.categorical),)}
    shapes = {name: shape for name, shape in shapes.items() if shape[0]}
    before = [(encoding.n_features,)]  # one array of all features: files of older versions
    given = model.network.input_shapes
    if (given != shapes and list(given.values()) != before) or [head.shape for head in model.network.heads] != units:
        many = listed(f"{n}" for (n,) in units)
        raise FileError(f"the file is damaged: the network doesn't make {many} outputs of the table's columns")
