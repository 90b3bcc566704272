"""Numbers for an exercise: round ones drawn, what makes them bad to learn from, and which to ask for."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from chainrule import random
from chainrule.activations import get_activation
from chainrule.arrays import Doubles
from chainrule.explain.derivation import Derivation
from chainrule.explain.derivation import explain as derive
from chainrule.explain.marking.verdicts import is_copy
from chainrule.explain.network.costs import HeadGradient, Share
from chainrule.explain.network.elements import Gradient, Slope
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.learned import Updated
from chainrule.explain.network.sums import LocalDerivative
from chainrule.explain.network.whole import Back
from chainrule.explain.quantities.names import Name
from chainrule.layers import Activation, Dense
from chainrule.losses import Poisson
from chainrule.model import Model

SIZES = np.arange(1, 10) / 10  # of weights
BIASES = np.arange(1, 6) / 10
INPUTS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, -0.5, -1.0, -1.5])
KINKED = ("relu", "leaky_relu", "elu", "selu")
# The least that counts as something to learn from.
SLOPE = 0.05  # of an activation: below, a unit is saturated or dead
CLEAR = 0.02  # of a pre-activation: nearer to 0, signs and kinks depend on rounding
DISTANCE = 0.1  # of an output from its target
GREATEST = 20.0
CHANGE = 0.0005  # of a parameter in the update
SERIOUS, SLIGHT = 10.0, 1.0
FEWEST_DECIMALS, MOST_DECIMALS = 4, 9
SHOWN_DIGITS = 2  # significant digits that every number asked for has at the decimals asked for


class Draws:
    """Numbers drawn one after another from the exercise's own random stream."""

    def __init__(self, n: int, seed: int, attempt: int):
        self.numbers = random.uniform(n, seed, attempt, random.EXERCISE)
        self.place = 0

    def choose(self, shape: tuple[int, ...], choices: Doubles) -> Doubles:
        """One of the choices for every element."""
        n = int(np.prod(shape))
        part = self.numbers[self.place : self.place + n]
        self.place += n
        return choices[np.floor(part * len(choices)).astype(int)].reshape(shape)

    def shuffle(self, shape: tuple[int, ...], choices: Doubles) -> Doubles:
        """The choices in random order, again and again: none twice before all were there."""
        n = int(np.prod(shape))
        found: list[Doubles] = []
        for begin in range(0, n, len(choices)):
            part = self.numbers[self.place : self.place + len(choices)]
            self.place += len(choices)
            found.append(choices[np.argsort(part, kind="stable")][: n - begin])
        return np.concatenate(found).reshape(shape)


def draw(make: Callable[[], Model], rows: int, seed: int, attempt: int, *, update: bool = True) -> Derivation:
    """The derivation of an attempt: weights, biases, inputs and targets drawn for a chain of dense layers."""
    model = make()
    layout = model.network.layout
    n_inputs, outputs = next(iter(model.network.input_shapes.values()))[0], model.network.heads[0].shape[0]
    parameters = sum(int(np.prod(span.shape)) + len(SIZES) for span in layout.spans)
    draws = Draws(2 * parameters + rows * (n_inputs + len(INPUTS) + outputs), seed, attempt)
    values: dict[str, dict[str, Doubles]] = {}
    for span in layout.spans:
        sizes = draws.shuffle(span.shape, SIZES if span.name == "W" else BIASES)
        values.setdefault(span.layer, {})[span.name] = sizes * draws.choose(span.shape, np.array([-1.0, 1.0, 1.0]))
    model.set_parameters(values)
    X = np.stack([draws.shuffle((n_inputs,), INPUTS) for _ in range(rows)])
    y = _targets(model, draws, rows, outputs)
    return derive(model, X, y, update=update)


def _targets(model: Model, draws: Draws, rows: int, outputs: int) -> Doubles:
    """Targets that the loss takes and the output can come near to."""
    loss = model.objective.heads[0].loss
    last = model.network.layers[-1]
    assert isinstance(last, Dense)
    made = get_activation(last.activation).name
    if loss.name == "cross_entropy":
        labels = draws.choose((rows, 1), np.arange(outputs, dtype=float))[:, 0]
        return np.eye(outputs)[labels.astype(int)]
    if loss.yes_or_no:
        return draws.choose((rows, outputs), np.array([0.0, 1.0]))
    if isinstance(loss, Poisson):
        return draws.choose((rows, outputs), np.arange(1.0, 5.0))
    if made in ("sigmoid", "softmax"):
        return draws.choose((rows, outputs), np.arange(1, 10) / 10)
    if made == "tanh":
        return draws.choose((rows, outputs), np.array([-0.9, -0.5, 0.1, 0.5, 0.9]))
    if made in ("relu", "softplus", "exponential"):
        return draws.choose((rows, outputs), np.arange(1, 21) / 10)
    return draws.choose((rows, outputs), np.arange(-10, 21) / 10)


def faults(work: Derivation) -> float:
    """How bad the numbers of a derivation are to learn from; 0 where nothing is wrong with them."""
    return _of_units(work) + _of_outputs(work) + _of_sizes(work)


def _of_units(work: Derivation) -> float:
    """Units that are saturated or dead, near a kink, or like another of their layer."""
    trace, total = work.trace, 0.0
    for step in trace.program.steps:
        if isinstance(step.layer, Dense):
            z = trace.value(step.output)
            total += SLIGHT * int((np.abs(z) < CLEAR).sum())
            total += SERIOUS * int((np.abs(z) > GREATEST).sum())
            total += SLIGHT * _alike(z)
        if isinstance(step.layer, Activation) and not work.graph.is_coupled(step):
            f = step.layer.f
            kept = trace.value(step.inputs[0] if f.needs == "z" else step.output)
            flat = np.abs(f.derivative(kept)) < SLOPE
            total += SERIOUS * int(flat.all(axis=0).sum())
            if f.name not in KINKED:
                total += SLIGHT * int(flat.sum())
    return total


def _alike(z: Doubles) -> int:
    """How many pairs of units have (nearly) the same pre-activations."""
    n = z.shape[1]
    distances = np.abs(z[:, :, None] - z[:, None, :]).max(axis=0)
    return int((distances[np.triu_indices(n, 1)] < CLEAR).sum())


def _of_outputs(work: Derivation) -> float:
    """Outputs that are certain already, or that are their targets."""
    head = work.trace.heads[0]
    slot = head.slot if head.skips is None else work.trace.program.steps[head.skips].output
    h, y = work.trace.value(slot), work.trace.targets(0)
    if head.loss.reads == "probabilities":
        return SLIGHT * int(((h < SLOPE) | (h > 1 - SLOPE)).sum())
    return SLIGHT * int((np.abs(h - y) < DISTANCE).sum())


def _of_sizes(work: Derivation) -> float:
    """Numbers that are huge, or that the decimals asked for don't show."""
    names = asked_names(work)
    values = np.array([work.graph.value(name) for name in names])
    if not np.isfinite(values).all():
        return 1e6
    lost = decimals_for(work, names) - FEWEST_DECIMALS
    kinds = [work.graph.kind(name) for name in names]
    updated = [i for i, kind in enumerate(kinds) if isinstance(kind, Updated)]
    before = np.array([work.graph.value(names[i]._replace(kind=kinds[i].of)) for i in updated])
    changes = np.abs(values[updated] - before)
    lost += int(((changes > 0) & (changes < CHANGE)).sum())
    return SERIOUS * int((np.abs(values) > GREATEST).sum()) + SLIGHT * lost


def asked_names(work: Derivation) -> list[Name]:
    """What a worksheet asks for, in the order of computation: every number that takes a calculation.

    Left out are copies (`L` where it is the only share of the loss, parameters that stay as they are), the slopes of a
    softmax (their sum is in `dL/dz`), what is zero because its target is, and sums that nobody writes down for their
    own sake.
    """
    return [name for name in work.graph.in_order() if _is_asked(work.graph, name)]


def _is_asked(graph: Graph, name: Name) -> bool:
    match graph.kind(name):
        case LocalDerivative() | Back() | HeadGradient() | Gradient(of="x"):
            return False
        case Slope():
            return not graph.is_coupled(graph.activation_steps[name.layer])
        case Share():  # the whole loss says the same where it is a single share
            return not is_copy(graph.recipes(graph.end)[0]) and graph.value(name) != 0
        case Updated():
            return not is_copy(graph.recipes(name)[0])
        case Gradient(of="h") if name.layer in graph.head_of:
            return graph.value(name) != 0
    return True


def decimals_for(work: Derivation, names: list[Name]) -> int:
    """The fewest decimals that show two significant digits of every number that isn't zero; from 4 to 9."""
    least = min((abs(v) for name in names if (v := work.graph.value(name)) and math.isfinite(v)), default=1.0)
    needed = SHOWN_DIGITS - 1 - math.floor(math.log10(least))
    return min(max(needed, FEWEST_DECIMALS), MOST_DECIMALS)


def rounded(value: float, decimals: int) -> str:
    """A number as it is written down with so many decimals.

    >>> rounded(0.6082590307, 4), rounded(-0.00000001, 4)
    ('0.6083', '0.0000')
    """
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text
