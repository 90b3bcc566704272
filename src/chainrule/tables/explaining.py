"""The derivation of a table's rows: encoded as in training, and what each number of them means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from chainrule.arrays import AnyArray, Array
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
    from chainrule.tables.calibration import Calibration
    from chainrule.tables.encoding import TableEncoding
    from chainrule.tables.target import TargetPlan

MANY = 60  # features; the meaning of more is not written out


class Explained(Protocol):
    """What is explained of a table model."""

    encoding: TableEncoding
    target: TargetPlan
    calibration: Calibration

    @property
    def members(self) -> int:
        """How many networks there are."""

    def network(self, member: int | str) -> Model:
        """One of them."""

    def predict(self, table: Any) -> AnyArray:
        """The prediction of all together."""

    def predict_proba(self, table: Any) -> Array:
        """Theirs of each class."""


def explain(
    model: Explained,
    table: Any,
    row: int | None = None,
    *,
    member: int | str = 1,
    training: bool = False,
    notation: str = "ours",
) -> Derivation:
    """The derivation of one row of a table (from 1), or of all as one batch, by one of a model's networks (from 1).

    Raises:
        InputError: the table or the row can't be used, or there is no such network.
    """
    encoding, target, frame = model.encoding, model.target, as_table(table)
    if row is not None:
        if not COUNT.holds(row) or row > frame.height:
            raise InputError(f"row is {row}; the table has {counted(frame.height, 'row')}, from 1 to {frame.height}")
        frame = frame.slice(row - 1, 1)
    network = model.network(member)
    X, notes = encoding.inputs_of(network.network, frame)
    has_target = target.name in frame.columns and bool(known(frame[target.name]).all())
    y = target.encode(frame) if has_target else None
    trace = trace_rows(network, X, y, training=training)
    said = _meaning(encoding, target, frame, X, trace)
    if model.members > 1:
        said.insert(0, Paragraph(_which(member, model.members)))
    if frame.height == 1:
        said.append(Paragraph(_predicted(model, frame, trace)))
    said += [Paragraph(f"{line[0].upper()}{line[1:]}.") for line in notes.lines]
    return Derivation(trace, notation=notation, notes=said, model=network)


def _which(member: int | str, members: int) -> str:
    if member == "mean":
        return f"These are all {members} networks beside each other, and their mean."
    return f"This is network {member} of {members}; the prediction is the mean of all."


def _meaning(encoding: TableEncoding, target: TargetPlan, frame: pl.DataFrame, X: Any, trace: Trace) -> list[Block]:
    """What the inputs and the targets are; of a single row also what the table says."""
    inputs = _inputs(encoding, X)
    if len(inputs) > MANY:
        about = f"There are {len(inputs)} inputs, {shortened(inputs[0][1])} to {shortened(inputs[-1][1])}"
        return [Paragraph(f"{about}; the target is {shortened(target.name)}.")]
    one = frame.height == 1
    rows = []
    for symbol, name, column, value in inputs:
        values = (_cell(frame[column][0]), shown(value)) if one else ()
        rows.append((symbol, shortened(name), *values))
    targets = trace.targets(0) if trace.has_target else None
    told = _cell(frame[target.name][0]) if one and targets is not None else ""
    meanings = [f"{target.name}={value}" for value in target.classes] or [target.name]
    for i, name in enumerate(map(shortened, meanings)):
        values = (told, "" if targets is None else shown(float(np.asarray(targets)[0, i]))) if one else ()
        rows.append((f"y[{i + 1}]", name, *values))
    columns = ("", "meaning", "in the table", "to the network") if one else ("", "meaning")
    return [Table(columns, tuple(rows), (2, 3) if one else ())]


def _inputs(encoding: TableEncoding, X: Mapping[str, AnyArray]) -> list[tuple[str, str, str, float]]:
    """Of each number that enters the network its symbol, what it means, its column, and the first row's.

    A category means the row of weights that it adds, in the first layer's table of all of them.
    """
    categorical = encoding.categorical
    named = {"categories": [(column.name, column.name) for column in categorical]}
    if len(X.get("categories", ())) == 1:
        begins = np.cumsum([1, *(column.n_codes for column in categorical)])
        named["categories"] = [
            (f"{column.code_names[code]}: row {begin + code} of W", column.name)
            for column, code, begin in zip(categorical, X["categories"][0], begins, strict=False)
        ]
    numbers = [column for column in encoding.columns if column not in categorical]
    named["numbers"] = [(name, column.name) for column in numbers for name in column.feature_names]
    features = [(name, column.name) for column in encoding.columns for name in column.feature_names]
    return [
        (f"x[{i + 1}]" if len(X) == 1 else f"x[{key},{i + 1}]", name, column, float(array[0, i]))
        for key, array in X.items()
        for i, (name, column) in enumerate(named.get(key, features))
    ]


def _predicted(model: Explained, frame: pl.DataFrame, trace: Trace) -> str:
    """What the outputs for a single row say in the target's own values, and what is predicted after all."""
    target, outputs = model.target, trace.value(trace.network.heads[0].slot)[0]
    said = _in_words(target, int(outputs.argmax()), float(outputs.max())) if target.classes else _in_words(
        target, float(target.decode(outputs)[0])
    )  # fmt: skip
    of_all = "the mean of all networks" if model.members > 1 else ""
    if target.classes:
        chances = model.predict_proba(frame)[0]
        answer = _in_words(target, int(chances.argmax()), float(chances.max()))
        temperature = model.calibration.temperature
        tempered = "" if temperature == 1 else f"with temperature {shown(temperature)}"
        how = ", ".join(text for text in (of_all, tempered) if text)
    else:
        number = float(model.predict(frame)[0])
        answer = _in_words(target, number)
        bounded = "kept within what training saw" if number in (model.calibration.low, model.calibration.high) else ""
        how = ", ".join(text for text in (of_all, bounded) if text)
    return f"Predicted: {said}." if not how else f"This network: {said}. Predicted, {how}: {answer}."


def _in_words(target: TargetPlan, value: float, chance: float | None = None) -> str:
    name = shortened(target.name)
    if chance is None:
        return f"{name} = {shown(value)}, in the table's own units"
    return f"{name} = {shortened(str(target.classes[int(value)]))}, with probability {shown(chance)}"


def _cell(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else shortened(str(value))
