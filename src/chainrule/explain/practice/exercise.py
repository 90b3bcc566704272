"""New exercises: a network with round numbers whose derivation is worth working through, as a worksheet and its key."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chainrule import random
from chainrule.activations import get_activation
from chainrule.errors import InputError
from chainrule.explain.derivation import Derivation
from chainrule.explain.practice.round_numbers import asked_names, decimals_for, draw, faults, rounded
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import get_notation
from chainrule.explain.worksheets.sheet_model import hand_optimizer
from chainrule.explain.worksheets.sheet_writing import new_sheet, with_work
from chainrule.explain.worksheets.worksheet import Worksheet, read_worksheet_text
from chainrule.layers import Dense, Input
from chainrule.limits import COUNT, NOT_NEGATIVE, POSITIVE, Limit, Limited
from chainrule.losses import LOSSES, get_loss
from chainrule.model import Model
from chainrule.network import Network
from chainrule.optimizers import SGD

ATTEMPTS = 150
MOST_PARAMETERS = 200  # more than anybody works by hand


@dataclass(frozen=True)
class Exercise(Limited):
    """What an exercise is about; the same fields give the same numbers.

    Weights and inputs have one decimal, targets fit the loss. Of `ATTEMPTS` draws the first one is taken that a learner
    gets something from (no saturated unit, no ReLU dead in every row, no gradient lost in the decimals asked for), or
    the best of them where there is none.

    Arguments:
        sizes: inputs, units of each layer.
        activation: of the hidden layers.
        output: the activation of the last layer; left out, the one that goes with the loss.
        loss: left out, the one that goes with the output activation, or else the squared error.
        rows: of the sample; the loss is their mean.
        optimizer: what the update is by; None for no update.
        learning_rate: of the optimizer.
        l2: a penalty on the weights.
        bias: False leaves the biases out.
        notation: the symbols that the sheet uses; see `chainrule.explain.quantities.notation`.
        seed: decides the numbers.

    >>> exercise = Exercise((2, 2, 1), loss="binary_cross_entropy", seed=7)
    >>> exercise.sheet.x.tolist(), exercise.sheet.y.tolist()
    ([0.8, 0.3], [1.0])
    >>> marks = exercise.sheet.mark(exercise.answers)
    >>> marks.counts["correct"] == len(exercise.answers)
    True
    """

    sizes: Sequence[int]
    activation: str = "sigmoid"
    loss: str | None = None
    output: str | None = None
    rows: int = 1
    optimizer: str | None = "sgd"
    learning_rate: float = 0.5
    l2: float = 0.0
    bias: bool = True
    notation: str = "ours"
    seed: int = 0

    limits = {
        "rows": Limit(1, 8, whole=True), "learning_rate": POSITIVE, "l2": NOT_NEGATIVE,
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        random.check_seed(self.seed)
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if len(self.sizes) < 2 or not all(COUNT.holds(size) for size in self.sizes):
            raise InputError(f"sizes are {self.sizes}; they must be inputs and units of each layer, as in (2, 3, 1)")
        parameters = sum((n + 1) * m for n, m in zip(self.sizes, self.sizes[1:], strict=False))
        if parameters > MOST_PARAMETERS:
            raise InputError(
                f"{'-'.join(map(str, self.sizes))} has {parameters:,} weights and biases, more than can be worked by "
                f"hand: at most {MOST_PARAMETERS}"
            )
        loss, output = pair(self.loss, self.output)
        object.__setattr__(self, "loss", loss)
        object.__setattr__(self, "output", output)
        for what, name in (("activation", self.activation), ("output", self.output)):
            f = get_activation(name)
            if not f.trainable:
                raise InputError(f'{what} "{f.name}" has no gradient to work out; use "sigmoid", its smooth form')

    @property
    def title(self) -> str:
        """What the sheet is called."""
        shape = "-".join(map(str, self.sizes))
        rows = f", {self.rows} rows" if self.rows > 1 else ""
        return f"Practice: {shape}, {self.activation}, {str(self.loss).replace('_', ' ')}{rows}, seed {self.seed}"

    @property
    def command(self) -> str:
        """The command that writes it again."""
        parts = [f"chainrule practice --network {'-'.join(map(str, self.sizes))} --activation {self.activation}"]
        parts.append(f"--loss {self.loss} --output {self.output}")
        parts.append(f"--optimizer {self.optimizer or 'none'}")
        if self.optimizer:
            parts.append(f"--learning-rate {self.learning_rate:g}")
        parts += [f"--rows {self.rows}"] * (self.rows > 1) + [f"--l2 {self.l2:g}"] * (self.l2 > 0)
        parts += ["--no-bias"] * (not self.bias)
        parts += [f"--notation {self.notation}"] * (self.notation != "ours")
        return " ".join([*parts, f"--seed {self.seed}"])

    @cached_property
    def _worked(self) -> Derivation:
        """The derivation with the numbers that were drawn."""
        best, least = None, math.inf
        for attempt in range(ATTEMPTS):
            work = draw(self._model, self.rows, self.seed, attempt, update=self.optimizer is not None)
            found = faults(work)
            if best is None or found < least:
                best, least = work, found
            if found == 0:
                break
        assert best is not None
        return best

    def _model(self) -> Model:
        names = ["hidden"] if len(self.sizes) == 3 else [f"hidden_{i}" for i in range(1, len(self.sizes) - 1)]
        functions = [self.activation] * len(names) + [str(self.output)]
        layers = [
            Dense(units, activation=f, bias=self.bias, name=name)
            for units, f, name in zip(self.sizes[1:], functions, [*names, "output"], strict=True)
        ]
        network = Network([Input(self.sizes[0], name="x"), *layers])
        update = SGD() if self.optimizer is None else hand_optimizer(self.optimizer, learning_rate=self.learning_rate)
        return Model(network, self.loss, update, l2=self.l2, dtype="float64", engine="reference")

    @cached_property
    def text(self) -> str:
        """The worksheet, its `[work]` still to be filled in."""
        return with_work(self._blank(), dict.fromkeys(self.answers, ""))

    @cached_property
    def key(self) -> str:
        """The same worksheet worked through: what `chainrule mark` calls correct from the first line to the last."""
        return with_work(self.text, self.answers)

    @cached_property
    def answers(self) -> dict[str, str]:
        """Every number asked for, by the sheet's symbol, rounded to the decimals asked for."""
        value = self._worked.graph.value
        return {symbol: rounded(value(name), self.decimals) for name, symbol in self._symbols.items()}

    @cached_property
    def decimals(self) -> int:
        """The decimals asked for: as many as show two digits of every number."""
        return decimals_for(self._worked, asked_names(self._worked))

    @cached_property
    def sheet(self) -> Worksheet:
        """The worksheet, read."""
        return read_worksheet_text(self.text, self.title)

    @cached_property
    def _symbols(self) -> dict[Name, str]:
        """What each quantity asked for is called: its symbol in the notation, or its name where two would be alike."""
        notation = get_notation(self.notation, self._worked.graph.places)
        texts = {name: notation.text(name) for name in asked_names(self._worked)}
        times = Counter(texts.values())
        return {name: str(name) if times[text] > 1 else text for name, text in texts.items()}

    def _blank(self) -> str:
        """The worksheet without `[work]`."""
        trace = self._worked.trace
        layers: list[dict[str, Any]] = []
        for layer in trace.network.layers[1:]:
            assert isinstance(layer, Dense)
            activation = get_activation(layer.activation).name
            no_bias = {} if layer.bias else {"bias": False}
            layers.append({"name": layer.name, "units": layer.units, "activation": activation, **no_bias})
        loss = {"name": self.loss, "l2": self.l2} if self.l2 else self.loss
        spans = sorted(trace.network.layout.spans, key=lambda span: (span.step, span.name))
        x, y = (array if self.rows > 1 else array[0] for array in (trace.data.inputs[0], trace.targets(0)))
        sections: dict[str, dict[str, Any]] = {
            "network": {"inputs": self.sizes[0], "layers": layers, "loss": loss},
            "parameters": {f"{s.layer}.{s.name}": trace.parameters[s.step][s.name].tolist() for s in spans},
            "sample": {"x": x.tolist(), "y": y.tolist()},
        }
        if self.optimizer:
            sections["update"] = {"optimizer": self.optimizer, "learning_rate": self.learning_rate}
        if symbols := {symbol: str(name) for name, symbol in self._symbols.items() if symbol != str(name)}:
            sections["symbols"] = symbols
        remark = (
            f"Write your numbers into [work], with {self.decimals} decimals, between the quotes. Then:\n"
            "  chainrule mark THIS_FILE                 marks them\n"
            "  chainrule practice THIS_FILE --check     asks for those that are missing, with hints"
        )
        return new_sheet(self.title, self.command, remark, sections)


def pair(loss: str | None, output: str | None) -> tuple[str, str]:
    """A loss and an output activation that go together; what was left out is chosen by the other.

    >>> pair("cross_entropy", None), pair(None, "sigmoid"), pair(None, None)
    (('cross_entropy', 'softmax'), ('binary_cross_entropy', 'sigmoid'), ('squared_error', 'linear'))
    """
    if loss is not None:
        found = get_loss(loss)
        return found.name, get_activation(output or found.fuses_with or "linear").name
    function = get_activation(output or "linear").name
    partner = next((name for name, known in LOSSES.items() if known.fuses_with == function), "squared_error")
    return partner, function
