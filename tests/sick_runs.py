"""Training runs whose health is known, to judge a diagnosis: 30 sick ones, three of each kind, and 30 healthy ones.

Data, sizes and severities are drawn by the seed. That the runs are what they claim is measured, without any diagnosis,
in `test_sick_runs.py`. A few sick runs end with a `DivergenceError`, as such runs do.

    for run in sick_runs(seed=1):
        model = run.model()
        with contextlib.suppress(chainrule.DivergenceError):
            model.fit(run.X, run.y, validation=run.validation, **run.fit)
        ...  # one of run.sick is what must be named
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.initializers import Constant, Normal, Orthogonal

CODES = frozenset(
    {
        "vanishing",
        "exploding",
        "dead-units",
        "saturated",
        "rate-too-high",
        "rate-too-low",
        "overfitting",
        "leak",
        "constant-output",
        "unscaled-inputs",
    }
)


@dataclass
class Run:
    """A training run.

    Arguments:
        name: the kind, and which of its variants.
        sick: codes of what ails it, any of which names it rightly; empty where it is healthy.
        model: makes the model, untrained; options of `Model` can be given in place of its own.
        X, y: what it is trained on.
        validation: rows held out, and their targets.
        fit: further arguments of `Model.fit`.
    """

    name: str
    sick: frozenset[str]
    model: Callable[..., cr.Model]
    X: np.ndarray
    y: np.ndarray
    validation: tuple[np.ndarray, np.ndarray] | None
    fit: dict[str, Any] = field(default_factory=dict)


@dataclass
class Data:
    """Rows and targets, and what a network for them ends in."""

    X: np.ndarray
    y: np.ndarray
    outputs: int
    output: str
    loss: str

    def split(self, share: float) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray] | None]:
        """What is trained on, and what is held out."""
        n = len(self.X) - round(share * len(self.X))
        X = self.X.astype("float32")
        return (X[:n], self.y[:n]), (X[n:], self.y[n:]) if share else None


def score(rng: np.random.Generator, X: np.ndarray) -> np.ndarray:
    """A smooth function of some columns, standardized: a line, two bends and a product."""
    a, b, c, d = (rng.normal(size=X.shape[1]) / np.sqrt(X.shape[1]) for _ in range(4))
    value = X @ a * rng.uniform(1, 2) + np.sin(1.5 * X @ b) + rng.uniform(0.4, 0.8) * np.tanh((X @ c) * (X @ d))
    return (value - value.mean()) / value.std()


def numbers(rng: np.random.Generator, n: int, d: int, noise: float = 0.1) -> Data:
    """A regression: `noise` is the standard deviation of what can't be known, that of the signal being 1."""
    X = rng.normal(size=(n, d))
    return Data(X, score(rng, X) + noise * rng.normal(size=n), 1, "linear", "squared_error")


def binary(rng: np.random.Generator, n: int, d: int, sharpness: float = 6.0, share: float = 0.5) -> Data:
    """Two classes, drawn by a probability; `share` is about that of the second."""
    X = rng.normal(size=(n, d))
    value = score(rng, X)
    odds = sharpness * (value - np.quantile(value, 1 - share))
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-odds))).astype(int)
    return Data(X, y, 1, "sigmoid", "binary_cross_entropy")


def classes(rng: np.random.Generator, n: int, d: int, k: int, distance: float = 3.0) -> Data:
    """Clouds, two for each class, so that no plane parts them."""
    centres = rng.normal(size=(2 * k, d))
    centres *= distance / np.linalg.norm(centres, axis=1, keepdims=True)
    cloud = rng.integers(2 * k, size=n)
    return Data(centres[cloud] + rng.normal(size=(n, d)) * 0.7, cloud % k, k, "softmax", "cross_entropy")


def any_data(rng: np.random.Generator, n: int) -> Data:
    """One of the three."""
    make = (numbers, binary, partial(classes, k=int(rng.integers(3, 6))))[rng.integers(3)]
    return make(rng, n, int(rng.integers(6, 16)))


def build(network: cr.Network, loss: str, optimizer: Any, biases: dict[str, Any], **options: Any) -> cr.Model:
    """A model whose biases begin where it is said."""
    model = cr.Model(network, loss, optimizer, **options)
    start = {name: np.broadcast_to(b, model.parameters[name]["b"].shape) for name, b in biases.items()}
    model.set_parameters({name: {"b": b} for name, b in start.items()})
    return model


def run(
    name: str,
    sick: str,
    rng: np.random.Generator,
    data: Data,
    hidden: Sequence[int],
    optimizer: Any,
    epochs: int,
    activation: Any = "relu",
    *,
    share: float = 0.25,
    biases: dict[str, Any] | None = None,
    fit: dict[str, Any] | None = None,
    l2: float = 0.0,
    **network: Any,
) -> Run:
    """A run of a multilayer perceptron; `sick` holds codes with spaces between, `biases` where some layers' begin."""
    codes = frozenset(sick.split())
    assert codes <= CODES
    net = cr.Network.mlp(data.X.shape[1], hidden, data.outputs, activation=activation, output=data.output, **network)
    (X, y), validation = data.split(share)
    seed = int(rng.integers(2**31))
    make = partial(build, network=net, loss=data.loss, optimizer=optimizer, biases=biases or {}, seed=seed, l2=l2)
    return Run(name, codes, make, X, y, validation, {"epochs": epochs, "progress": False} | (fit or {}))


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number, its logarithm spread evenly."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def vanishing(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "vanishing: ", "vanishing"
    width = int(rng.integers(12, 40))
    deep = [width] * int(rng.integers(8, 12))
    plain = cr.SGD(between(rng, 0.03, 0.2))
    yield run(name + "deep sigmoid", sick, rng, binary(rng, 600, 8), deep, plain, 12, "sigmoid")
    deep = [width] * int(rng.integers(10, 14))
    adam = cr.Adam(between(rng, 0.5e-3, 1.5e-3))
    yield run(name + "deep sigmoid, Adam", sick, rng, classes(rng, 800, 10, 4), deep, adam, 12, "sigmoid")
    deep = [width] * int(rng.integers(7, 11))
    small = Normal(between(rng, 0.15, 0.3) / np.sqrt(width))
    data = numbers(rng, 700, 6)
    yield run(name + "small weights, tanh", sick, rng, data, deep, plain, 12, "tanh", initializer=small)


def exploding(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "exploding: large weights, ", "exploding"
    deep = [int(rng.integers(24, 64))] * int(rng.integers(6, 9))
    large = Normal(between(rng, 2.5, 5) * np.sqrt(2 / deep[0]))
    yield run(name + "relu, Adam", sick, rng, numbers(rng, 600, 8), deep, "adam", 8, initializer=large)
    turned = Orthogonal(between(rng, 3, 5))
    data = numbers(rng, 500, 12)
    yield run(name + "gelu, RMSProp", sick, rng, data, deep, cr.RMSProp(1e-4), 8, "gelu", initializer=turned)
    data = numbers(rng, 500, 10)
    yield run(name + "relu, SGD diverges", sick, rng, data, deep, cr.SGD(0.01), 8, initializer=large)


def dead(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "dead ReLU: ", "dead-units"
    low = -between(rng, 8, 20)
    width = int(rng.integers(16, 64))
    data = binary(rng, 600, 6)
    biases = {"hidden_1": low, "hidden_2": low}
    yield run(name + "all, by bias", sick, rng, data, [width, width], "adam", 15, biases=biases)
    most = {f"hidden_{i}": np.where(rng.uniform(size=width) < 0.85, low * (1 + i), 0.0) for i in (1, 2)}
    yield run(name + "most, by bias", sick, rng, numbers(rng, 800, 10), [width, width], cr.SGD(0.01), 15, biases=most)
    fast = cr.Adam(between(rng, 1.0, 3.0))
    sick = "dead-units rate-too-high"
    yield run(name + "by rate", sick, rng, numbers(rng, 600, 8), [width, width, width], fast, 20)


def saturated(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "saturated: ", "saturated"
    width = int(rng.integers(16, 48))
    wide = Normal(between(rng, 4, 8))
    data = binary(rng, 600, 10)
    yield run(name + "large weights, tanh", sick, rng, data, [width, width], "adam", 15, "tanh", initializer=wide)
    wide = Normal(between(rng, 8, 16))
    data = classes(rng, 700, 12, 4)
    yield run(name + "large weights, sigmoid", sick, rng, data, [width], cr.SGD(0.05), 20, "sigmoid", initializer=wide)
    high = between(rng, 8, 12)
    biases = {"hidden_1": high, "hidden_2": -high}
    data = numbers(rng, 600, 6)
    yield run(name + "biases, sigmoid", sick, rng, data, [width, width], "adam", 15, "sigmoid", biases=biases)


def too_fast(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "rate too high: ", "rate-too-high"
    width = int(rng.integers(16, 48))
    high: Any = cr.Adam(between(rng, 1.0, 3.0))
    yield run(name + "Adam", sick, rng, numbers(rng, 600, 8), [width, width], high, 30, "gelu")
    high = cr.SGD(between(rng, 3, 8), momentum=0.9)
    clipped = {"clip_norm": 1.0}
    yield run(name + "clipped", sick, rng, classes(rng, 600, 8, 4), [width], high, 30, "leaky_relu", fit=clipped)
    high = cr.SGD(between(rng, 1.5, 4))
    sick = "rate-too-high exploding"
    yield run(name + "SGD diverges", sick, rng, numbers(rng, 500, 10), [width], high, 20)


def too_slow(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "rate too low: ", "rate-too-low"
    width = int(rng.integers(16, 64))
    low: Any = cr.SGD(between(rng, 1e-6, 4e-6))
    yield run(name + "SGD", sick, rng, numbers(rng, 600, 8), [width, width], low, 30)
    low = cr.Adam(between(rng, 5e-7, 2e-6))
    yield run(name + "Adam", sick, rng, classes(rng, 600, 8, 4), [width], low, 30, "tanh")
    low = cr.SGD(between(rng, 4e-7, 1.5e-6), momentum=0.9)
    yield run(name + "momentum", sick, rng, binary(rng, 800, 10), [width, width], low, 25, "gelu")


def overfitting(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "overfitting: ", "overfitting"
    width = int(rng.integers(64, 160))
    small = {"share": 0.6, "fit": {"batch_size": 16}}
    data = numbers(rng, int(rng.integers(200, 300)), 12, noise=1.5)
    yield run(name + "noisy numbers", sick, rng, data, [width, width], cr.Adam(3e-3), 120, "tanh", **small)
    data = binary(rng, int(rng.integers(250, 400)), 15, sharpness=1.2)
    yield run(name + "two classes that overlap", sick, rng, data, [width, width], cr.Adam(2e-3), 120, **small)
    data = classes(rng, int(rng.integers(300, 500)), 30, 4, distance=1.6)
    yield run(name + "clouds that overlap", sick, rng, data, [width], cr.Adam(5e-3), 150, "gelu", **small)


def beside(rng: np.random.Generator, data: Data, column: np.ndarray) -> Data:
    """One more column among the others, standardized."""
    column = (column - column.mean()) / column.std()
    data.X = np.insert(data.X, rng.integers(data.X.shape[1] + 1), column, axis=1)
    return data


def leak(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "leak: ", "leak"
    width = int(rng.integers(16, 48))
    data = numbers(rng, 800, 6, noise=1.0)
    data = beside(rng, data, data.y * rng.uniform(1.5, 9) + 32 + 0.01 * rng.normal(size=800))
    yield run(name + "the target in another unit", sick, rng, data, [width], cr.Adam(3e-3), 40)
    data = binary(rng, 900, 8, sharpness=1.0)
    wrong = rng.uniform(size=900) < rng.uniform(0.0, 0.004)
    data = beside(rng, data, (data.y ^ wrong).astype(float))
    yield run(name + "the class as a column", sick, rng, data, [width, width], "adam", 25, "tanh")
    data = classes(rng, 900, 8, 4, distance=1.0)
    data = beside(rng, data, rng.permutation(4)[data.y] + 0.02 * rng.normal(size=900))
    yield run(name + "a code of the class", sick, rng, data, [64, 32], cr.Adam(5e-3), 60)


def constant(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "constant output: ", "constant-output"
    width = int(rng.integers(16, 48))
    data = binary(rng, 600, 6, share=float(rng.uniform(0.25, 0.5)))
    yield run(name + "weights of zero", sick, rng, data, [width, width], "adam", 15, "tanh", initializer=Constant(0.0))
    data = numbers(rng, 600, 8)
    data.y, data.output = np.exp(0.5 * data.y), "relu"
    low = {"output": -between(rng, 8, 16)}
    yield run(name + "a dead unit", sick + " dead-units", rng, data, [width], "adam", 15, "tanh", biases=low)
    data = classes(rng, 700, 8, 3)
    yield run(name + "a penalty too strong", sick, rng, data, [width], cr.SGD(0.05), 30, l2=between(rng, 0.7, 3))


def grown(rng: np.random.Generator, data: Data, sizes: Sequence[float], offsets: Sequence[float] = (0.0,)) -> Data:
    """Columns in units of their own, in any order."""
    order = rng.permutation(data.X.shape[1])
    data.X = data.X * np.resize(sizes, len(order))[order] + np.resize(offsets, len(order))[order]
    return data


def unscaled(rng: np.random.Generator) -> Iterator[Run]:
    name, sick = "unscaled inputs: ", "unscaled-inputs"
    width = int(rng.integers(16, 48))
    size = between(rng, 200, 2000)
    units = (20 * size, 12.0, 0.02, 6.0, size, 15.0)
    data = grown(rng, numbers(rng, 600, 6), units, (5e4, 45.0, 0.1, 2000.0, 900.0, 0.0))
    sick = "unscaled-inputs saturated"
    yield run(name + "salaries, years and rates, tanh", sick, rng, data, [width, width], "adam", 25, "tanh")
    data = grown(rng, binary(rng, 700, 8), (size, size / 2, 1.0, 1.0), (size * 3, 0.0, 0.0, 0.0))
    yield run(name + "large columns beside small ones", "unscaled-inputs", rng, data, [width, width], "adam", 20)
    data = grown(rng, numbers(rng, 600, 5), (size, 1.0))
    yield run(name + "SGD diverges", "unscaled-inputs exploding", rng, data, [width], cr.SGD(0.01), 20)


def runs(seed: int, kinds: Sequence[Callable[[np.random.Generator], Iterator[Run]]]) -> list[Run]:
    """The runs of these kinds, each drawn from a random stream of its own."""
    return [run for kind in kinds for run in kind(np.random.default_rng([seed, *kind.__name__.encode()]))]


SICK = (vanishing, exploding, dead, saturated, too_fast, too_slow, overfitting, leak, constant, unscaled)


def sick_runs(seed: int) -> list[Run]:
    """Three runs of each sickness.

    >>> len(sick_runs(1)), sick_runs(1)[0].name, sorted(sick_runs(1)[0].sick)
    (30, 'vanishing: deep sigmoid', ['vanishing'])
    """
    return runs(seed, SICK)


def healthy_numbers(rng: np.random.Generator) -> Iterator[Run]:
    name = "healthy numbers: "
    width = int(rng.integers(16, 64))
    small = (width // 2, width // 2)
    yield run(name + "relu, Adam", "", rng, numbers(rng, 800, 8), [width, width], "adam", 40)
    yield run(name + "tanh, SGD", "", rng, numbers(rng, 700, 6), [width], cr.SGD(0.03), 40, "tanh")
    yield run(name + "sigmoid, one layer", "", rng, numbers(rng, 800, 5), [width], cr.Adam(0.01), 50, "sigmoid")
    yield run(name + "gelu, AdamW", "", rng, numbers(rng, 900, 10), [width, width], cr.AdamW(2e-3), 30, "gelu")
    yield run(name + "little to be known", "", rng, numbers(rng, 2000, 6, noise=1.7), small, "adam", 15)
    yield run(name + "no layer hidden", "", rng, numbers(rng, 600, 6, noise=0.5), [], cr.SGD(0.02), 20)
    yield run(name + "few epochs of many rows", "", rng, numbers(rng, 8000, 8), [width, width], "adam", 3)
    data = numbers(rng, 800, 7)
    data.y = rng.uniform(5, 25) + data.y * rng.uniform(3, 9)
    yield run(name + "in a unit of their own", "", rng, data, [width], cr.Adam(0.01), 100)
    yield run(name + "L-BFGS", "", rng, numbers(rng, 600, 6), small, "lbfgs", 40, "tanh", l2=1e-3)
    data = numbers(rng, 800, 8)
    data = beside(rng, data, data.y + rng.uniform(0.4, 0.6) * rng.normal(size=800))
    yield run(name + "one column says most", "", rng, data, [width], cr.Adam(3e-3), 15)


def healthy_classes(rng: np.random.Generator) -> Iterator[Run]:
    name = "healthy classes: "
    width = int(rng.integers(24, 64))
    k = int(rng.integers(3, 7))
    yield run(name + "two, relu, SGD", "", rng, binary(rng, 1200, 8), [width], cr.SGD(0.1), 15)
    yield run(name + "two that overlap", "", rng, binary(rng, 1500, 6, sharpness=1.0), [width // 2], "adam", 8, "tanh")
    rare = float(rng.uniform(0.05, 0.1))
    yield run(name + "two, one rare", "", rng, binary(rng, 2000, 8, share=rare), [width], "adam", 15)
    yield run(name + "some, gelu", "", rng, classes(rng, 900, 10, k), [width, width], "adam", 15, "gelu")
    yield run(name + "some, sigmoid", "", rng, classes(rng, 900, 8, k), [width], cr.Adam(0.01), 20, "sigmoid")
    yield run(name + "far apart", "", rng, classes(rng, 700, 12, 3, distance=6.0), [width], "adam", 15)
    fast = cr.SGD(0.01, momentum=0.9, nesterov=True)
    yield run(name + "momentum", "", rng, classes(rng, 800, 8, k), [width, width], fast, 8)
    data = classes(rng, 1500, 40, 10, distance=5.0)
    data.X = 1 / (1 + np.exp(-data.X))
    yield run(name + "ten, inputs from 0 to 1", "", rng, data, [width, width], "adam", 25, "tanh")
    data = binary(rng, 2000, 12)
    marks = np.sign(data.X - rng.uniform(0, 0.5, size=12)).clip(min=0)
    data.X = np.concatenate([marks, data.X[:, :3], np.zeros((2000, 1))], axis=1)
    yield run(name + "marks of 0 and 1, one column constant", "", rng, data, [width], "adam", 12)
    data = grown(rng, classes(rng, 900, 6, 3), (3.0, 1.0, 0.5), (2.0, 0.0, -1.0))
    yield run(name + "inputs of several sizes", "", rng, data, [width], "adam", 15)


def healthy_methods(rng: np.random.Generator) -> Iterator[Run]:
    name = "healthy methods: "
    width = int(rng.integers(24, 64))
    deep = [width] * int(rng.integers(5, 8))
    yield run(name + "deep relu", "", rng, numbers(rng, 2500, 6), deep, "adam", 8)
    yield run(name + "deep tanh", "", rng, binary(rng, 1000, 8), deep, "adam", 6, "tanh")
    dropout = float(rng.uniform(0.1, 0.3))
    yield run(name + "dropout", "", rng, classes(rng, 900, 10, 4), [2 * width, width], "adam", 25, dropout=dropout)
    yield run(name + "batch norm", "", rng, numbers(rng, 900, 8), [width, width], "adam", 25, batch_norm=True)
    deep = [width] * 6
    data = classes(rng, 1200, 8, 4)
    yield run(name + "batch norm, deep sigmoid", "", rng, data, deep, "adam", 15, "sigmoid", batch_norm=True)
    few = int(rng.integers(100, 150))
    stop = {"stop": cr.EarlyStopping(patience=10)}
    data = numbers(rng, few, 4, noise=0.4)
    yield run(name + "few rows, stopped early", "", rng, data, [width], cr.Adam(5e-3), 300, "tanh", share=0.4, fit=stop)
    wide = {"fit": stop | {"batch_size": 64}, "share": 0.4}
    data = binary(rng, 800, 15, sharpness=1.5)
    yield run(name + "wide, stopped early", "", rng, data, [4 * width, 4 * width], "adam", 200, **wide)
    cosine = cr.Adam(cr.Cosine(between(rng, 5e-3, 1e-2)))
    yield run(name + "cosine", "", rng, classes(rng, 800, 8, 3), [width], cosine, 20, "silu")
    ada = cr.AdaGrad(0.05)
    yield run(name + "AdaGrad, elu", "", rng, numbers(rng, 700, 6), [width, width], ada, 30, "elu", share=0.0)
    root, clipped = cr.RMSProp(3e-3), {"clip_norm": 1.0}
    yield run(name + "RMSProp, clipped", "", rng, binary(rng, 900, 6), [width], root, 20, "leaky_relu", fit=clipped)


HEALTHY = (healthy_numbers, healthy_classes, healthy_methods)


def healthy_runs(seed: int) -> list[Run]:
    """Thirty runs that nothing ails, some of which look like it.

    >>> len(healthy_runs(1)), healthy_runs(1)[0].name, sorted(healthy_runs(1)[0].sick)
    (30, 'healthy numbers: relu, Adam', [])
    """
    return runs(seed, HEALTHY)
