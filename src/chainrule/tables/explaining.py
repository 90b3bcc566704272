"""The derivation of a table's rows: encoded as in training, and what each number of them means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from chainrule.arrays import AnyArray, Array
from chainrule.errors import InputError, counted, listed
from chainrule.explain.derivation import Derivation
from chainrule.explain.document.blocks import Block, Paragraph, Table
from chainrule.explain.formula.writer import shown
from chainrule.explain.network.trace import Trace, trace_rows
from chainrule.limits import COUNT
from chainrule.plain import shortened
from chainrule.tables.column_values import known
from chainrule.tables.targets import encode_known

if TYPE_CHECKING:
    import polars as pl

    from chainrule.model import Model
    from chainrule.tables.encoding import TableEncoding
    from chainrule.tables.table_head import TableHead
    from chainrule.tables.table_reader import TableReader
    from chainrule.tables.target import TargetPlan

MANY = 60  # features; the meaning of more is not written out


class Explained(Protocol):
    """What is explained of a table model."""

    encoding: TableEncoding
    heads: dict[str, TableHead]
    reader: TableReader

    @property
    def targets(self) -> tuple[TargetPlan, ...]:
        """What is predicted."""

    def head(self, target: str | None = None) -> TableHead:
        """One target."""

    @property
    def members(self) -> int:
        """How many networks there are."""

    def network(self, member: int | str) -> Model:
        """One of them."""

    def predict(self, table: Any) -> Any:
        """The prediction of all together."""

    def predict_proba(self, table: Any) -> Any:
        """Theirs of each class."""


def explain(
    model: Explained,
    table: Any,
    row: int | None = None,
    *,
    member: int | str = 1,
    target: str | None = None,
    training: bool = False,
    notation: str = "ours",
) -> Derivation:
    """The derivation of one row of a table (from 1), or of all as one batch, by one of a model's networks (from 1).

    With a `target` its loss alone is taken: the others' values are left out.

    Raises:
        InputError: the table or the row can't be used, or there is no such network or target.
    """
    encoding, frame = model.encoding, model.reader.read(table)
    chosen = model.targets if target is None else (model.head(target).target,)
    if row is not None:
        if not COUNT.holds(row) or row > frame.height:
            raise InputError(f"row is {row}; the table has {counted(frame.height, 'row')}, from 1 to {frame.height}")
        frame = frame.slice(row - 1, 1)
    network = model.network(member)
    X, notes = encoding.inputs_of(network.network, frame)
    trace = trace_rows(network, X, _targets(model.targets, chosen, frame, network), training=training)
    said = _meaning(encoding, model.targets, frame, X, trace)
    if model.members > 1:
        said.insert(0, Paragraph(_which(member, model.members)))
    if frame.height == 1:
        said += [Paragraph(line) for line in _predicted(model, frame, trace)]
    said += [Paragraph(f"{line[0].upper()}{line[1:]}.") for line in notes.lines]
    return Derivation(trace, notation=notation, notes=said, model=network)


def _targets(targets: Sequence[TargetPlan], chosen: Sequence[TargetPlan], frame: pl.DataFrame, network: Model) -> Any:
    """What is right, as the network learns it: of several targets as far as it is known; None where nothing is."""
    there = [target for target in chosen if target.name in frame.columns]
    if len(targets) == 1:
        return targets[0].encode(frame) if there and bool(known(there[0].column(frame)).all()) else None
    told = {target.name: encode_known(target, frame) for target in there}
    if all(np.isnan(y).all() for y in told.values()):
        return None
    heads = [head.name for head in network.network.heads]
    return {head: told.get(target.name) for head, target in zip(heads, targets, strict=True)}


def _which(member: int | str, members: int) -> str:
    if member == "mean":
        return f"These are all {members} networks beside each other, and their mean."
    return f"This is network {member} of {members}; the prediction is the mean of all."


def _meaning(
    encoding: TableEncoding, targets: Sequence[TargetPlan], frame: pl.DataFrame, X: Any, trace: Trace
) -> list[Block]:
    """What the inputs and the targets are; of a single row also what the table says."""
    inputs = _inputs(encoding, X)
    if len(inputs) > MANY:
        about = f"There are {len(inputs)} inputs, {shortened(inputs[0][1])} to {shortened(inputs[-1][1])}"
        are = "targets are" if len(targets) > 1 else "target is"
        return [Paragraph(f"{about}; the {are} {listed(shortened(target.name) for target in targets)}.")]
    one = frame.height == 1
    rows = []
    for symbol, name, column, value in inputs:
        values = (_cell(frame[column][0]), shown(value)) if one else ()
        rows.append((symbol, shortened(name), *values))
    for i, target in enumerate(targets):
        learned = trace.targets(i)[0] if trace.has_target and not trace.lacks_label(i, 0) else None
        told = _cell(frame[target.name][0]) if one and learned is not None else ""
        meanings = [f"{target.name}={value}" for value in target.classes] or [target.name]
        head = f"{trace.heads[i].head}," if len(targets) > 1 else ""
        for j, name in enumerate(map(shortened, meanings)):
            values = (told, "" if learned is None else shown(float(learned[j]))) if one else ()
            rows.append((f"y[{head}{j + 1}]", name, *values))
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


def _predicted(model: Explained, frame: pl.DataFrame, trace: Trace) -> list[str]:
    """What the outputs for a single row say of each target in its own values, and what is predicted after all."""
    answers = [model.predict(frame)] if len(model.heads) == 1 else list(model.predict(frame).values())
    chances: dict[str, Array] = {}
    if any(target.classes for target in model.targets):
        proba = model.predict_proba(frame)
        chances = proba if isinstance(proba, dict) else {model.targets[0].name: proba}
    of_all = "the mean of all networks" if model.members > 1 else ""
    lines = []
    for i, head in enumerate(model.heads.values()):
        target, outputs = head.target, trace.value(trace.network.heads[i].slot)[0]
        if target.classes:
            said = _in_words(target, int(outputs.argmax()), float(outputs.max()))
            own = chances[target.name][0]
            answer = _in_words(target, int(own.argmax()), float(own.max()))
            temperature = head.calibration.temperature
            mended = "" if temperature == 1 else f"with temperature {shown(temperature)}"
        else:
            said, number = _in_words(target, float(target.decode(outputs)[0])), float(answers[i][0])
            answer = _in_words(target, number)
            bounds = head.calibration.low, head.calibration.high
            mended = "kept within what training saw" if number in bounds else ""
        how = ", ".join(text for text in (of_all, mended) if text)
        lines.append(f"Predicted: {said}." if not how else f"This network: {said}. Predicted, {how}: {answer}.")
    return lines


def _in_words(target: TargetPlan, value: float, chance: float | None = None) -> str:
    name = shortened(target.name)
    if chance is None:
        return f"{name} = {shown(value)}, in the table's own units"
    return f"{name} = {shortened(str(target.classes[int(value)]))}, with probability {shown(chance)}"


def _cell(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else shortened(str(value))
