"""The derivation of a table's rows: encoded as in training, and what each number of them means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InputError, counted
from chainrule.explain.derivation import Derivation
from chainrule.explain.document.blocks import Block, Paragraph, Table
from chainrule.explain.formula.writer import shown
from chainrule.explain.network.trace import Trace, trace_rows
from chainrule.limits import COUNT
from chainrule.plain import shortened
from chainrule.tables.column_values import known
from chainrule.tables.preparation import as_table

if TYPE_CHECKING:
    import polars as pl

    from chainrule.model import Model
    from chainrule.tables.encoding import TableEncoding
    from chainrule.tables.target import TargetPlan

MANY = 60  # features; the meaning of more is not written out


def explain(
    model: Model,
    encoding: TableEncoding,
    target: TargetPlan,
    table: Any,
    row: int | None = None,
    *,
    training: bool = False,
    notation: str = "ours",
) -> Derivation:
    """The derivation of one row of a table (from 1), or of all as one batch.

    Raises:
        InputError: the table or the row can't be used.
    """
    frame = as_table(table)
    if row is not None:
        if not COUNT.holds(row) or row > frame.height:
            raise InputError(f"row is {row}; the table has {counted(frame.height, 'row')}, from 1 to {frame.height}")
        frame = frame.slice(row - 1, 1)
    X, notes = encoding.encode(frame)
    has_target = target.name in frame.columns and bool(known(frame[target.name]).all())
    y = target.encode(frame) if has_target else None
    trace = trace_rows(model, X, y, training=training)
    said = _meaning(encoding, target, frame, X, trace)
    if frame.height == 1:
        said.append(Paragraph(_predicted(target, trace)))
    said += [Paragraph(f"{line[0].upper()}{line[1:]}.") for line in notes.lines]
    return Derivation(trace, notation=notation, notes=said, model=model)


def _meaning(encoding: TableEncoding, target: TargetPlan, frame: pl.DataFrame, X: Any, trace: Trace) -> list[Block]:
    """What the inputs and the targets are; of a single row also what the table says."""
    names = [shortened(name) for name in encoding.feature_names]
    if len(names) > MANY:
        features = f"x has {len(names)} features, {names[0]} to {names[-1]}"
        return [Paragraph(f"{features}; the target is {shortened(target.name)}.")]
    one = frame.height == 1
    origin = [column.name for column in encoding.columns for _ in column.feature_names]
    rows = []
    for i, (name, column) in enumerate(zip(names, origin, strict=True)):
        values = (_cell(frame[column][0]), shown(float(X[0, i]))) if one else ()
        rows.append((f"x[{i + 1}]", name, *values))
    targets = trace.targets(0) if trace.has_target else None
    told = _cell(frame[target.name][0]) if one and targets is not None else ""
    meanings = [f"{target.name}={value}" for value in target.classes] or [target.name]
    for i, name in enumerate(map(shortened, meanings)):
        values = (told, "" if targets is None else shown(float(np.asarray(targets)[0, i]))) if one else ()
        rows.append((f"y[{i + 1}]", name, *values))
    columns = ("", "meaning", "in the table", "to the network") if one else ("", "meaning")
    return [Table(columns, tuple(rows), (2, 3) if one else ())]


def _predicted(target: TargetPlan, trace: Trace) -> str:
    """What the network's outputs for a single row say in the target's own values."""
    outputs, name = trace.value(trace.network.heads[0].slot)[0], shortened(target.name)
    if not target.classes:
        return f"Predicted: {name} = {shown(float(target.decode(outputs)[0]))}, in the table's own units."
    best = int(outputs.argmax())
    return (
        f"Predicted: {name} = {shortened(str(target.classes[best]))}, with probability {shown(float(outputs[best]))}."
    )


def _cell(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else shortened(str(value))
