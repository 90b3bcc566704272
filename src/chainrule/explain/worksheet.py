"""Worksheets: a small network, a sample and somebody's hand calculation in one TOML file (format 1)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ChainruleError, FileError, InputError, did_you_mean, listed
from chainrule.explain.names import Name, parse
from chainrule.explain.sheet_lines import SheetLines
from chainrule.layers import Dense, Input
from chainrule.network import Network
from chainrule.optimizers import OPTIMIZERS, SGD, Optimizer, get_optimizer

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation
    from chainrule.explain.marking.marks import Marks
    from chainrule.explain.notation import Notation
    from chainrule.model import Model

FORMAT = "chainrule-worksheet/1"
SECTIONS = ("format", "title", "source", "network", "parameters", "sample", "update", "symbols", "work", "notation")


@dataclass(frozen=True)
class Worksheet:
    """A worksheet that was read and checked.

    `y` is None where the sheet gives no target: then only forward quantities exist.

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
    options: dict[str, Any] = field(default_factory=dict)

    def derivation(self, notation: str | Notation | None = None, digits: int = 6) -> Derivation:
        """The derivation of the sheet's sample, in the sheet's own symbols unless a notation is named."""
        from chainrule.explain.derivation import Derivation
        from chainrule.explain.notation import get_notation
        from chainrule.explain.trace import trace_rows

        trace = trace_rows(self.model, self.x, self.y, learn_biases=self.learn_biases)
        work = Derivation(trace, digits=digits, title=self.title)
        work.graph.forward_only = self.y is None
        work.graph.without_update = not self.has_update
        if notation is None:
            own = {work.graph.resolve(parse(name)): symbol for symbol, name in self.symbols.items()}
            work.notation = get_notation(self.notation, work.graph, own)
        else:
            work.notation = get_notation(notation, work.graph)
        return work

    def mark(self, work: Mapping[str, Any] | None = None) -> Marks:
        """Mark the sheet's own `[work]`, or somebody else's."""
        return self.derivation().mark(self.work if work is None else work, self.symbols)


def read_worksheet(path: str | Path) -> Worksheet:
    """Read a worksheet file.

    Raises:
        FileError: the file can't be read or is no worksheet; the message says which line, and what would be right.
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
    return _Reading(text, path).sheet()


class _Reading:
    """One reading of a sheet: every complaint names the line of what it is about."""

    def __init__(self, text: str, path: str):
        self.path = path
        self.lines = SheetLines(text)
        try:
            self.data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            twice = ": the same name stands there twice" if "overwrite" in str(error) else ""
            raise FileError(f"{path} is no TOML: {error}{twice}") from None

    def wrong(self, message: str, *key: str) -> FileError:
        """The error for something at a key of the sheet."""
        line = self.lines.of(*key)
        return FileError(f"{self.path}{f', line {line}' if line else ''}: {message}")

    def sheet(self) -> Worksheet:
        self.check_sections()
        network = self.network()
        has_loss = "loss" in self.data["network"]
        sample = self.table("sample", ("x", "y"))
        if "x" not in sample:
            raise self.wrong("[sample] has no x, the numbers that go in", "sample")
        if "y" in sample and not has_loss:
            raise self.wrong('[network] says no loss, such as loss = "squared_error"', "network")
        model = self.model(network)
        self.set_parameters(model)
        x, y = self.sample(model, sample)
        symbols = self.texts("symbols")
        if len(np.shape(x)) == 1:
            symbols = {**self.input_symbols(symbols), **symbols}
        for symbol, name in symbols.items():
            try:
                parse(name)
            except InputError as error:
                raise self.wrong(str(error), "symbols", symbol) from None
        sheet = Worksheet(
            self.text("title"), self.text("source"), model, x, y, "update" in self.data, self.learn_biases,
            symbols, self.texts("work"), self.text("notation") or "ours",
        )  # fmt: skip
        self.check_whole(sheet)
        return sheet

    def check_sections(self) -> None:
        if self.data.get("format") != FORMAT:
            found = self.data.get("format")
            raise self.wrong(
                f'format is {found!r}; this reads format = "{FORMAT}"' if found else f'it has no format = "{FORMAT}"',
                "format",
            )
        for key in self.data:
            if key not in SECTIONS:
                raise self.wrong(
                    f'there is no section "{key}".{did_you_mean(key, SECTIONS)} There are {listed(SECTIONS)}', key
                )
        for key in ("network", "parameters", "sample"):
            if not isinstance(self.data.get(key), dict):
                raise self.wrong(f"it has no [{key}]", key)

    def text(self, key: str) -> str:
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(f"{key} is {value!r}; it must be a text", key)
        return value

    def table(self, section: str, known: tuple[str, ...]) -> dict[str, Any]:
        table = self.data.get(section, {})
        if not isinstance(table, dict):
            raise self.wrong(f"[{section}] must be a table", section)
        for key in table:
            if key not in known:
                raise self.wrong(
                    f'[{section}] has no "{key}".{did_you_mean(key, known)} It has {listed(known)}', section, key
                )
        return table

    def texts(self, section: str) -> dict[str, str]:
        table = self.data.get(section, {})
        if not isinstance(table, dict):
            raise self.wrong(f"[{section}] must be a table", section)
        for key, value in table.items():
            if isinstance(value, dict):
                raise self.wrong(f'put the name in quotes: "{key}..." = "..."', section, key)
            if not isinstance(value, str):
                raise self.wrong(
                    f'"{key}" is {value!r}: write it as text, "{key}" = "{value}"'
                    + ("; the digits written decide how exactly it is marked" if section == "work" else ""),
                    section, key,
                )  # fmt: skip
        return dict(table)

    def network(self) -> Network:
        table = self.table("network", ("inputs", "layers", "loss", "reduction"))
        inputs = table.get("inputs")
        n_inputs = len(inputs) if isinstance(inputs, list) else inputs
        names = inputs if isinstance(inputs, list) else []
        texts = all(isinstance(name, str) and name.strip() for name in names)
        if not texts or len({str(name) for name in names}) < len(names):
            raise self.wrong(
                f'inputs is {inputs!r}; names must be texts that differ, as in ["area", "rooms"]', "network", "inputs"
            )
        if not isinstance(n_inputs, int) or isinstance(n_inputs, bool) or n_inputs < 1:
            raise self.wrong(
                f"inputs is {inputs!r}; it must be a number of inputs, or a list of names", "network", "inputs"
            )
        entries = table.get("layers")
        if not isinstance(entries, list) or not entries:
            raise self.wrong('layers must be a list such as [{ name = "output", units = 1 }]', "network", "layers")
        layers = [self.layer(i, entry) for i, entry in enumerate(entries)]
        try:
            return Network([Input(n_inputs, name="x"), *layers])
        except ChainruleError as error:
            raise self.wrong(str(error), "network", "layers") from None

    def layer(self, number: int, entry: Any) -> Dense:
        known = ("name", "units", "activation", "bias")
        if not isinstance(entry, dict):
            raise self.wrong(f"layer {number + 1} is {entry!r}; it must be a table", "network", "layers", str(number))
        for key in entry:
            if key not in known:
                raise self.wrong(
                    f'layer {number + 1} has no "{key}".{did_you_mean(key, known)} It has {listed(known)}',
                    "network", "layers", str(number),
                )  # fmt: skip
        name = entry.get("name", f"layer_{number + 1}")
        if "units" not in entry:
            raise self.wrong(f'layer "{name}" doesn\'t say how many units: units = 1', "network", "layers", str(number))
        if not isinstance(entry.get("bias", True), bool):
            raise self.wrong(
                f'layer "{name}": bias is {entry["bias"]!r}; it must be true or false', "network", "layers", str(number)
            )
        try:
            return Dense(
                entry["units"],
                activation=entry.get("activation", "linear"),
                bias=entry.get("bias", True),
                name=name,
            )
        except ChainruleError as error:
            raise self.wrong(f'layer "{name}": {error}', "network", "layers", str(number)) from None

    def model(self, network: Network) -> Model:
        from chainrule.model import Model

        table = self.data["network"]
        given = table.get("loss", "squared_error")
        loss = dict(given) if isinstance(given, dict) else {"name": given}
        penalties = {key: loss.pop(key) for key in ("l1", "l2") if key in loss}
        if "name" not in loss:
            raise self.wrong(
                'loss is a table without a name: loss = { name = "squared_error", l2 = 0.01 }', "network", "loss"
            )
        try:
            model = Model(
                network, loss, self.optimizer(), reduction=table.get("reduction", "mean"), dtype="float64",
                engine="reference", **penalties,
            )  # fmt: skip
        except FileError:
            raise
        except ChainruleError as error:
            raise self.wrong(str(error), "network", "loss") from None
        return model

    learn_biases = True

    def optimizer(self) -> Optimizer:
        if "update" not in self.data:
            return SGD(1.0)
        if not isinstance(self.data["update"], dict):
            raise self.wrong('update must be a table: [update] with optimizer = "sgd", learning_rate = 0.1', "update")
        table = dict(self.data["update"])
        fields = [key for key in table if key != "optimizer"]
        biases = table.pop("biases", True)
        if not isinstance(biases, bool):
            raise self.wrong(f"biases is {biases!r}; it must be true or false", "update", "biases")
        self.learn_biases = biases
        try:
            return hand_optimizer(table.pop("optimizer", "sgd"), **table)
        except (ChainruleError, TypeError) as error:
            about = next((key for key in fields if key in str(error).split(";")[0].split()), "optimizer")
            raise self.wrong(str(error), "update", about) from None

    def set_parameters(self, model: Model) -> None:
        table = self.data["parameters"]
        layout = model.network.layout
        spans = {(span.layer, span.name): span for span in layout.spans}
        given: dict[str, dict[str, Any]] = {}
        for layer, arrays in table.items():
            if not isinstance(arrays, dict):
                raise self.wrong(f"write {layer}.W = [[...]] and {layer}.b = [...]", "parameters", layer)
            for name, value in arrays.items():
                span = spans.get((layer, name))
                if span is None:
                    has = listed(f"{owner}.{n}" for owner, n in spans)
                    raise self.wrong(
                        f'there is no parameter "{layer}.{name}"; the network has {has}', "parameters", layer, name
                    )
                array = _numbers(value)
                if array is None:
                    raise self.wrong(f"{layer}.{name} must be numbers", "parameters", layer, name)
                if array.ndim == 0:
                    array = np.full(span.shape, float(array))
                if array.shape != span.shape:
                    hint = " (W has a row for each input, a column for each unit)" if name == "W" else ""
                    raise self.wrong(
                        f"{layer}.{name} has shape {array.shape}; {span.shape} would be right{hint}",
                        "parameters", layer, name,
                    )  # fmt: skip
                if not np.isfinite(array).all():
                    raise self.wrong(f"{layer}.{name} must be finite numbers", "parameters", layer, name)
                given.setdefault(layer, {})[name] = array
        missing = [f"{layer}.{name}" for layer, name in spans if name not in given.get(layer, {})]
        if missing:
            raise self.wrong(f"[parameters] lacks {listed(missing)}", "parameters")
        model.set_parameters(given)

    def sample(self, model: Model, table: Mapping[str, Any]) -> tuple[Any, Any]:
        n_inputs = model.network.input_shapes["x"][0]
        x = _numbers(table["x"])
        if x is None:
            raise self.wrong("x must be numbers: one row, or a list of rows of equal length", "sample", "x")
        if x.ndim not in (1, 2) or x.shape[-1] != n_inputs:
            raise self.wrong(f"x has shape {x.shape}; the network takes {n_inputs} numbers a row", "sample", "x")
        if not np.isfinite(x).all():
            raise self.wrong("x must be finite numbers", "sample", "x")
        if "y" not in table:
            return x, None
        y = _numbers(table["y"])
        if y is None:
            raise self.wrong(
                "y must be numbers: one for each output, or a row of them for each row of x", "sample", "y"
            )
        if not np.isfinite(y).all():
            raise self.wrong("y must be finite numbers", "sample", "y")
        return x, y

    def input_symbols(self, symbols: Mapping[str, str]) -> dict[str, str]:
        """The inputs' names as symbols, where the author has no other for them and they are no quantity's name."""
        inputs = self.data["network"]["inputs"]
        found: dict[str, str] = {}
        taken = {"".join(name.split()) for name in symbols.values()}
        for i, name in enumerate(inputs if isinstance(inputs, list) else [], 1):
            try:
                parse(name)
            except InputError:
                if f"x[{i}]" not in taken:
                    found[name] = f"x[{i}]"
        return found

    def check_whole(self, sheet: Worksheet) -> None:
        """Whatever the heart says of the sample and the symbols, said with the line."""
        try:
            work = sheet.derivation("ours")
        except ChainruleError as error:
            raise self.wrong(str(error), "sample", "y") from None
        try:
            sheet.derivation(sheet.notation)
        except ChainruleError as error:
            raise self.wrong(str(error), "notation") from None
        for symbol, text in sheet.symbols.items():
            try:
                work.graph.resolve(parse(text))
            except ChainruleError as error:
                raise self.wrong(str(error), "symbols", symbol) from None
        from chainrule.explain.marking.digits import read_number

        for symbol, text in sheet.work.items():
            if text.strip():
                try:
                    read_number(text)
                except InputError as error:
                    raise self.wrong(f'"{symbol}": {error}', "work", symbol) from None


def _numbers(value: Any) -> Any:
    """An array of the numbers in nested lists; None where something else is among them, or the rows differ."""

    def only_numbers(part: Any) -> bool:  # a text "0.5" and true are none
        if isinstance(part, list):
            return all(map(only_numbers, part))
        return isinstance(part, int | float) and not isinstance(part, bool)

    try:
        return np.asarray(value, dtype=float) if only_numbers(value) else None
    except (ValueError, OverflowError):
        return None


HAND_OPTIMIZERS = (*(name for name, cls in OPTIMIZERS.items() if not cls.full_batch), "momentum", "nesterov")


def hand_optimizer(name: object, **fields: Any) -> Optimizer:
    """The optimizer that a text calls so, whose update can be worked by hand.

    >>> hand_optimizer("momentum", learning_rate=0.1)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False, dampening=0.0, weight_decay=0.0, convention='torch')
    """
    # the names that texts use; a velocity that starts at zero gives them the same first step as plain descent
    if isinstance(name, str):
        name = name.lower().replace("-", "_").replace(" ", "_")
    if name in ("momentum", "nesterov", "gradient_descent", "gd"):
        fields = {"momentum": 0.9, **fields} if name in ("momentum", "nesterov") else fields
        fields = {"nesterov": True, **fields} if name == "nesterov" else fields
        name = "sgd"
    if isinstance(name, str) and name not in OPTIMIZERS:
        near = did_you_mean(name, HAND_OPTIMIZERS)
        raise InputError(f'there is no optimizer "{name}".{near} These exist: {listed(HAND_OPTIMIZERS)}')
    if name in OPTIMIZERS and OPTIMIZERS[str(name)].full_batch:
        raise InputError(f"{name} has no update that can be worked by hand")
    return get_optimizer({"name": name, **fields})


__all__ = ["FORMAT", "Name", "Worksheet", "hand_optimizer", "read_worksheet", "read_worksheet_text"]
