"""Worksheets: a small network, a sample and somebody's hand calculation in one TOML file (format 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, FileError, InputError
from chainrule.explain.derivation import Derivation
from chainrule.explain.marking.digits import read_number
from chainrule.explain.marking.marks import Marks
from chainrule.explain.network.graph import parse
from chainrule.explain.network.trace import Trace, trace_rows
from chainrule.explain.quantities.notation import Notation
from chainrule.explain.worksheets.sheet_model import learns_biases, read_model, read_network, set_parameters
from chainrule.explain.worksheets.sheet_reading import FORMAT, MOST_NUMBERS, SheetReading
from chainrule.model import Model
from chainrule.plain import shortened


@dataclass(frozen=True)
class Worksheet:
    """A worksheet that was read and checked.

    `read_worksheet` makes one of a file.

    Arguments:
        title: what the sheet calls itself.
        source: where it was read, for messages.
        model: the network with the sheet's parameters.
        x: the sample's inputs.
        y: its targets; None where the sheet gives none: then only forward quantities exist.
        has_update: whether the sheet names an optimizer, so that updated parameters are asked for.
        learn_biases: False where the sheet leaves the biases as they are.
        symbols: the sheet's own symbols, and the names that they stand for.
        work: the numbers that were written, by name or symbol.
        notation: the symbols that derivations use.

    >>> sheet = read_worksheet_text('''
    ... format = "chainrule-worksheet/1"
    ... [network]
    ... inputs = 1
    ... layers = [{ name = "output", units = 1, activation = "linear" }]
    ... loss = "squared_error"
    ... [parameters]
    ... output.W = [[2.0]]
    ... output.b = [1.0]
    ... [sample]
    ... x = [3.0]
    ... y = [5.0]
    ... [work]
    ... "L" = "4.0"
    ... "dL/dW[output,1,1]" = "6"
    ... ''')
    >>> marks = sheet.mark()
    >>> marks.first_wrong, marks["dL/dW[output,1,1]"].diagnosis.code
    ('dL/dW[output,1,1]', 'factor-two')
    >>> sheet.derivation()["L"].value
    4.0
    """

    title: str
    source: str
    model: Model
    x: Any
    y: Any
    has_update: bool
    learn_biases: bool
    symbols: dict[str, str]
    work: dict[str, str]
    notation: str = "ours"

    @cached_property
    def _trace(self) -> Trace:
        return trace_rows(self.model, self.x, self.y, learn_biases=self.learn_biases, has_update=self.has_update)

    @cached_property
    def _marked_by(self) -> Derivation:
        return self.derivation()

    def derivation(self, notation: str | Notation | None = None, digits: int = 6) -> Derivation:
        """The derivation of the sheet's sample, in the sheet's own symbols unless a notation is named.

        Arguments:
            notation: as for `Model.explain`.
            digits: significant digits of the numbers in formulas.

        """
        own = self.symbols if notation is None else {}
        return Derivation(
            self._trace, notation=notation or self.notation, digits=digits, title=self.title, symbols=own,
            model=self.model,
        )  # fmt: skip

    def mark(self, work: Mapping[str, Any] | None = None) -> Marks:
        """Mark the sheet's own `[work]`, or somebody else's.

        Arguments:
            work: the numbers that were written, by name or symbol; left out, the sheet's own.
        """
        return self._marked_by.mark(self.work if work is None else work)


def read_worksheet(path: str | Path) -> Worksheet:
    """Read a worksheet file.

    Arguments:
        path: a file in TOML, as `docs/reference/worksheet.md` says.

    Raises:
        FileError: the file can't be read or is no worksheet; the message says which line, and what would be right.

    >>> import tempfile
    >>> from chainrule.explain.practice.exercise import Exercise
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "sheet.toml")
    ...     _ = path.write_text(Exercise((2, 1), seed=7).text, encoding="utf-8")
    ...     read_worksheet(path).model.network.count().total
    3
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise FileError(f"can't read {path}: {error.strerror or error}") from None
    return read_worksheet_text(text, str(path))


def read_worksheet_text(text: str, path: str = "worksheet") -> Worksheet:
    """The worksheet in a text; `path` is what messages call it."""
    return _sheet(SheetReading(text, path))


def _sheet(reading: SheetReading) -> Worksheet:
    reading.check_sections()
    network = read_network(reading)
    has_loss = "loss" in reading.data["network"]
    sample = reading.table(("sample",), ("x", "y"))
    if "x" not in sample:
        raise reading.wrong("[sample] has no x, the numbers that go in", "sample")
    if "y" in sample and not has_loss:
        raise reading.wrong('[network] says no loss, such as loss = "squared_error"', "network")
    model = read_model(reading, network)
    set_parameters(reading, model)
    x, y = _sample(reading, model, sample)
    symbols = reading.texts("symbols")
    if len(np.shape(x)) == 1:
        symbols = {**_input_symbols(reading, symbols), **symbols}
    sheet = Worksheet(
        reading.text("title"), reading.text("source"), model, x, y, "update" in reading.data, learns_biases(reading),
        symbols, reading.texts("work"), reading.text("notation") or "ours",
    )  # fmt: skip
    _check_whole(reading, sheet)
    return sheet


def _sample(reading: SheetReading, model: Model, table: Mapping[str, Any]) -> tuple[Any, Any]:
    n_inputs = model.network.input_shapes["x"][0]
    x = reading.array(table["x"], "x", "sample", "x")
    if x.ndim not in (1, 2) or x.shape[-1] != n_inputs:
        raise reading.wrong(f"x has shape {x.shape}; the network takes {n_inputs} numbers a row", "sample", "x")
    widest = max(math.prod(slot.shape) for slot in model.network.program.slots)
    if x.size // n_inputs * widest > MOST_NUMBERS:
        raise reading.wrong(f"{len(x):,} rows are more than a worksheet works with", "sample", "x")
    return x, reading.array(table["y"], "y", "sample", "y") if "y" in table else None


def _input_symbols(reading: SheetReading, symbols: Mapping[str, str]) -> dict[str, str]:
    """The inputs' names as symbols, where the author has no other for them and they are no quantity's name."""
    inputs = reading.data["network"]["inputs"]
    found: dict[str, str] = {}
    taken = {"".join(name.split()) for name in symbols.values()}
    for i, name in enumerate(inputs if isinstance(inputs, list) else [], 1):
        try:
            parse(name)
        except InputError:
            if f"x[{i}]" not in taken:
                found[name] = f"x[{i}]"
    return found


def _check_whole(reading: SheetReading, sheet: Worksheet) -> None:
    """Whatever the heart says of the sample and the symbols, said with the line."""
    with reading.blaming("sample", "y"):
        _ = sheet._trace
    try:
        _ = sheet._marked_by
    except ChainruleError as error:
        raise reading.wrong(str(error), *_blamed(sheet)) from None
    for symbol, text in sheet.work.items():
        try:
            _ = text.strip() and read_number(text)
        except InputError as error:
            raise reading.wrong(f'"{shortened(symbol)}": {error}', "work", symbol) from None


def _blamed(sheet: Worksheet) -> tuple[str, ...]:
    """What keeps a sheet from being derived: one of its symbols, or else its notation."""
    graph = sheet.derivation("ours").graph
    for symbol, text in sheet.symbols.items():
        try:
            graph.parse(text)
        except ChainruleError:
            return "symbols", symbol
    return ("notation",)


__all__ = ["FORMAT", "Worksheet", "read_worksheet", "read_worksheet_text"]
