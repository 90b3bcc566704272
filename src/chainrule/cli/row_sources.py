"""All rows of a table as one batch for a trained model: what pictures of losses and gradients are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.cli.explain_sources import Asked, _inputs, _number, _own_targets, _read, _targets
from chainrule.errors import InputError, listed

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation


def member_of(text: str | None) -> int | str | None:
    """Which of a model's networks `--member` says."""
    if text is None or text == "mean":
        return text
    if not text.isascii() or not text.isdigit():
        raise InputError(f'--member is "{text}"; it must be the number of a network, from 1, or mean')
    return int(text)


def table_rows(what: str, asked: Asked) -> Derivation:
    """The derivation of all rows of `--table`, with its model.

    Raises:
        InputError: the table doesn't fit the model.
    """
    from chainrule.files import load
    from chainrule.model import Model
    from chainrule.tables.table_model import TableModel

    model = load(what)
    frame = _read(asked.table or "", model)
    if isinstance(model, TableModel):
        if asked.target is not None:
            raise InputError(f"{what} was trained on a table and knows its columns: leave --target out")
        return model.explain(frame, member=1 if asked.member is None else asked.member)
    if isinstance(model, Model):
        X, told = input_rows(asked, frame, _inputs(model, what), None)
        y = None if told is None else _targets(model, "--target", told, len(X))
        chosen = model if asked.member is None else model.member(asked.member)
        return chosen.explain(X, y)
    if asked.member is not None:
        raise InputError(f"--member is for models of tables and of arrays; {what} is an estimator")
    if not hasattr(model, "n_features_in_"):
        raise InputError(
            f"{what} holds a model of pictures: rows of a table aren't what it reads. From Python its network takes "
            "arrays: chainrule.load(path).model"
        )
    names = getattr(model, "feature_names_in_", None)
    X, told = input_rows(asked, frame, model.n_features_in_, None if names is None else [str(name) for name in names])
    y = None if told is None else _own_targets(model, told, len(X))
    if names is not None:  # scikit-learn warns of rows without the names that it saw in training
        X = frame.select([str(name) for name in names])
    return model.explain(X, y)


def input_rows(asked: Asked, frame: Any, n_inputs: int, names: list[str] | None) -> tuple[Any, str | None]:
    """The inputs of all rows, and their targets as they would be typed.

    Raises:
        InputError: the table hasn't the columns that the model reads, or no rows.
    """
    target = asked.target
    if target is not None and target not in frame.columns:
        raise InputError(f'{asked.table} has no column "{target}"; it has {listed(frame.columns)}')
    columns = names or [name for name in frame.columns if name != target]
    if missing := [name for name in columns if name not in frame.columns]:
        raise InputError(f"{asked.table} lacks the columns {listed(missing)}")
    if len(columns) != n_inputs:
        raise InputError(
            f"{asked.table} has {len(columns)} columns of inputs ({listed(columns)}) and the model takes {n_inputs}: "
            "say with --target which column is the target, and leave out what the model wasn't trained on"
        )
    if not frame.height:
        raise InputError(f"{asked.table} has no rows")
    rows = frame.select(columns).rows()
    X = [
        [_number(asked.table or "", i, *pair) for pair in zip(columns, row, strict=True)]
        for i, row in enumerate(rows, 1)
    ]
    return np.array(X), None if target is None else ";".join(map(str, frame[target]))
