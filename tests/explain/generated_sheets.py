"""Generated work: networks, writers who round honestly, and writers who make one mistake.

The mistakes are written here a second time, on plain numbers, so that diagnoses are not held against themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import problems
import registered

from chainrule import Dense, Input, Network, activations
from chainrule.activations import ActivationFunction
from chainrule.explain.derivation import Derivation
from chainrule.explain.network.graph import Graph
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.recipes import Products
from chainrule.optimizers import SGD, AdaGrad, Adam, Optimizer, RMSProp

HIDDEN: tuple[ActivationFunction, ...] = tuple(f for f in registered.ACTIVATIONS if f.name != "exponential")
OPTIMIZERS: tuple[Optimizer, ...] = (
    SGD(0.1), SGD(0.5), SGD(0.1, momentum=0.9), AdaGrad(0.1), RMSProp(0.05), Adam(0.05, epsilon=1e-3),
)  # fmt: skip
LOGARITHMIC = ("poisson", "poisson_deviance", "binary_cross_entropy", "cross_entropy")
Value = Callable[[Name], float]


def random_derivation(rng: np.random.Generator) -> Derivation:
    """A network of 1 to 4 dense layers with round parameters, and 1 to 4 rows."""
    while True:
        loss = registered.LOSSES[rng.integers(len(registered.LOSSES))]
        sizes = [int(n) for n in rng.integers(1, 4, rng.integers(1, 5) + 1)]
        if loss.name == "cross_entropy":
            sizes[-1] = max(sizes[-1], 2)
        layers: list = [Input(sizes[0], name="x")]
        for i, units in enumerate(sizes[1:], 1):
            f = HIDDEN[rng.integers(len(HIDDEN))]
            if i == len(sizes) - 1:
                usual = registered.usual_output(loss)
                suited = registered.outputs_for(loss)
                f = suited[rng.integers(len(suited))] if rng.random() < 0.3 else activations.get_activation(usual)
            if f.name == "softmax" and units == 1:
                f = activations.Sigmoid()
            layers.append(Dense(units, activation=f, bias=bool(rng.random() < 0.85), name=f"layer{i}"))
        rows = int(rng.integers(1, 5)) if rng.random() < 0.4 else 1
        penalties = {"l2": float(rng.choice([0.0, 0.0, 0.0, 0.01])), "l1": float(rng.choice([0.0, 0.0, 0.0, 0.01]))}
        model = problems.make_model(
            Network(layers), loss, OPTIMIZERS[rng.integers(len(OPTIMIZERS))], dtype="float64", engine="reference",
            reduction=str(rng.choice(["mean", "sum"])), **penalties,
        )  # fmt: skip
        for span in model.network.layout.spans:
            drawn = rng.integers(1, 13, span.shape) / 10 * rng.choice([-1.0, 1.0], span.shape)
            model.training.parameters[0, span.slice] = drawn.reshape(-1)
        X = rng.integers(-20, 21, (rows, sizes[0])) / 10
        y = problems.targets_for(loss, rows, sizes[-1], rng, labels=False)
        y = np.round(y, 1) if loss.name not in ("cross_entropy", "binary_cross_entropy") else y
        if loss.name == "cross_entropy":
            y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=rows)]
        work = model.explain(X, y)
        values = [abs(work.graph.value(name)) for name in work.graph.in_order()]
        if all(map(math.isfinite, values)) and max(values) < 1e4:
            return work


def rounded(value: float, digits: int) -> str:
    """A number as somebody writes it with so many significant digits, trailing zeros included."""
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    return f"{value:.{max(decimals, 0)}f}" if decimals >= 0 else f"{value:.{digits - 1}e}"


@dataclass
class Writer:
    """Somebody who works a sheet: every quantity in order, from the own values of those before it.

    `carries`: calculates on with the rounded numbers; otherwise with what the calculator kept. `mistake` is made in one
    quantity. `mixed`: digits differ from entry to entry, and what isn't written stays unrounded in the calculator
    (nobody could tell from the sheet how it was rounded).
    """

    rng: np.random.Generator
    work: Derivation
    digits: int
    carries: bool
    mixed: bool = False
    left_out: float = 0.2
    must: Name | None = None
    mistake: Callable[[Graph, Name, Value], float] | None = None
    values: dict[Name, float] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)

    def write(self) -> dict[str, str]:
        graph = self.work.graph
        for name in graph.in_order():
            if self.mistake is not None and name == self.must:
                value = self.mistake(graph, name, self.own)
            else:
                value = self.compute(name)
            digits = int(self.rng.integers(2, 7)) if self.mixed else self.digits
            text = rounded(value, digits)
            writes = name == self.must or bool(self.rng.random() >= self.left_out)
            rounds = self.carries and (writes or not self.mixed)
            self.values[name] = float(text) if rounds else value
            if writes:
                self.entries[str(name)] = text
        return self.entries

    def own(self, name: Name) -> float:
        return self.work.graph.value(name) if self.work.graph.is_given(name) else self.values[name]

    def compute(self, name: Name) -> float:
        return self.work.graph.recipes(name)[0].value(self.own)


# ------------------------------------------------------------------ the mistakes, on plain numbers


def _activation(graph: Graph, name: Name) -> ActivationFunction:
    return graph.activation_steps[name.layer].layer.f


def _n_inputs(graph: Graph, layer: str) -> int:
    return graph.parameter_steps["W", layer][1].shape[0]


def _units(graph: Graph, layer: str) -> int:
    return graph.parameter_steps["W", layer][1].shape[1]


def _number(layer: str) -> int:
    return int(layer.removeprefix("layer"))


def _before(graph: Graph, name: Name, i: int, kind: str = "h") -> Name:
    k = _number(name.layer) - 1
    return Name("x", "", (i,), name.row) if k == 0 else Name(kind, f"layer{k}", (i,), name.row)


def _is_last(graph: Graph, name: Name) -> bool:
    return name.layer == graph.trace.heads[0].head


def right(graph: Graph, name: Name, v: Value) -> float:
    return graph.recipes(name)[0].value(v)


def _weighted(graph: Graph, name: Name, v: Value, *, skip: int = 0, across: bool = False, plus: bool = False) -> float:
    """dL/dh_i = sum_j dL/dz_j W_ij, with something wrong."""
    layer = f"layer{_number(name.layer) + 1}"
    n, m = _n_inputs(graph, layer), _units(graph, layer)
    total = 0.0
    for j in range(1, m + 1):
        i = name.index[0]
        if across:
            place = divmod((j - 1) * n + i - 1, m)
            weight = v(Name("W", layer, (place[0] + 1, place[1] + 1)))
        elif plus:
            weight = v(Name("W", layer, (i, j))) + _change(graph, Name("W+", layer, (i, j)), v)
        else:
            weight = v(Name("W", layer, (i, j)))
        total += v(Name("dL/dz", layer, (j,), name.row)) * weight * (j != skip)
    return total


def _change(graph: Graph, name: Name, v: Value, sign: float = 1.0) -> float:
    w = np.array([v(name._replace(kind=name.kind[:-1]))])
    g = np.array([sign * v(name._replace(kind=f"dL/d{name.kind[:-1]}"))])
    before = float(w[0])
    optimizer = graph.trace.optimizer
    slots = np.zeros((len(optimizer.slot_names), 1))
    optimizer.start(slots)
    optimizer.update(w, g, slots, graph.trace.moment.rate, 1)
    return float(w[0]) - before


def _pre_activation_used(graph: Graph, name: Name, v: Value) -> float:
    total = v(Name("b", name.layer, name.index)) if ("b", name.layer) in graph.parameter_steps else 0.0
    for i in range(1, _n_inputs(graph, name.layer) + 1):
        total += v(Name("W", name.layer, (i, *name.index))) * v(_before(graph, name, i, "z"))
    return total


def _bias_missing(graph: Graph, name: Name, v: Value) -> float:
    return right(graph, name, v) - v(Name("b", name.layer, name.index))


def _input_missing(graph: Graph, name: Name, v: Value) -> float:
    rows = [None] if graph.trace.n_rows == 1 else range(1, graph.trace.n_rows + 1)
    penalty = right(graph, name, v) - sum(
        v(Name("dL/dz", name.layer, name.index[1:], r)) * v(Name("dz/dW", name.layer, name.index, r)) for r in rows
    )
    return sum(v(Name("dL/dz", name.layer, name.index[1:], r)) for r in rows) + penalty


def _transposed_z(graph: Graph, name: Name, v: Value) -> float:
    n, m = _n_inputs(graph, name.layer), _units(graph, name.layer)
    total = v(Name("b", name.layer, name.index)) if ("b", name.layer) in graph.parameter_steps else 0.0
    for i in range(1, n + 1):
        place = divmod((name.index[0] - 1) * n + i - 1, m)
        total += v(Name("W", name.layer, (place[0] + 1, place[1] + 1))) * v(_before(graph, name, i))
    return total


def _slope(name: Name) -> Name:
    return name._replace(kind="dh/dz")


def _delta_for_output_gradient(graph: Graph, name: Name, v: Value) -> float:
    f = _activation(graph, name)
    h = np.array([[v(name._replace(kind="h", index=(k,))) for k in range(1, _units(graph, name.layer) + 1)]])
    z = np.array([[v(name._replace(kind="z", index=(k,))) for k in range(1, _units(graph, name.layer) + 1)]])
    d = [right(graph, name._replace(index=(k,)), v) for k in range(1, _units(graph, name.layer) + 1)]
    return float(f.backward(z if f.needs == "z" else h, np.array([d]))[0, name.index[0] - 1])


def _at_z(graph: Graph, name: Name, v: Value) -> float:
    f = _activation(graph, name)
    h, z = v(name._replace(kind="h")), v(name._replace(kind="z"))
    slope = f.derivative(np.array([z if f.needs == "h" else h]))
    return v(name._replace(kind="dL/dh")) * float(slope[0])


def _log_base(graph: Graph, name: Name, v: Value) -> float:
    loss = graph.trace.heads[0].loss
    h, y = v(Name("h", graph.trace.heads[0].head, name.index, name.row)), v(Name("y", "", name.index, name.row))
    if loss.name == "poisson":
        return h - y * math.log10(h)
    if loss.name == "poisson_deviance":
        return (y * math.log10(y / h) if y else 0.0) - y + h
    return float(loss.apart(np.array([[y]]), 1)[0].rows(np.array([[y]]), np.array([[h]]))[0]) / math.log(10)


def _swapped(graph: Graph, name: Name, v: Value) -> float:
    return -right(graph, name, v)


def _mean_sum(graph: Graph, name: Name, v: Value) -> float:
    n = graph.trace.n_rows
    return right(graph, name, v) * (n if graph.trace.objective.reduction == "mean" else 1 / n)


def _penalty_missing(graph: Graph, name: Name, v: Value) -> float:
    recipe = graph.recipes(name)[0]
    assert isinstance(recipe, Products)
    if name.kind == "L":
        return right(graph, name, v) - v(Name("penalty"))
    own = Name("W", name.layer, name.index)
    w = v(own)
    l1, l2 = graph.runs["W", name.layer].charge
    return right(graph, name, v) - 2 * l2 * w - l1 * float(np.sign(w))


def _without_exp(graph: Graph, name: Name, v: Value) -> float:
    z = [v(name._replace(kind="z", index=(k,))) for k in range(1, _units(graph, name.layer) + 1)]
    return z[name.index[0] - 1] / sum(z)


def _rate_missing(graph: Graph, name: Name, v: Value) -> float:
    return v(name._replace(kind=name.kind[:-1])) + _change(graph, name, v) / graph.trace.moment.rate


def _ascent(graph: Graph, name: Name, v: Value) -> float:
    return v(name._replace(kind=name.kind[:-1])) - _change(graph, name, v)


def _adam(graph: Graph, name: Name, v: Value, correct: bool, inside: bool) -> float:
    o, g = graph.trace.optimizer, v(name._replace(kind=f"dL/d{name.kind[:-1]}"))
    m, s = ((1 - o.beta1) * g, (1 - o.beta2) * g * g) if not correct else (g, g * g)
    root = math.sqrt(s + o.epsilon) if inside else math.sqrt(s) + o.epsilon
    return v(name._replace(kind=name.kind[:-1])) - graph.trace.moment.rate * m / root


def _other_loss(graph: Graph, name: Name, v: Value) -> float:
    head = graph.trace.heads[0]
    h, y = v(Name("h", head.head, name.index, name.row)), v(Name("y", "", name.index, name.row))
    other = (h - y) ** 2 if head.loss.name not in ("squared_error", "half_squared_error") else abs(h - y)
    slope = 2 * (h - y) if head.loss.name not in ("squared_error", "half_squared_error") else float(np.sign(h - y))
    factor = float(graph.trace.row_factors[0][graph.rows[name.row]])
    return other if name.kind == "loss" else slope * factor


def _hidden(graph: Graph, n: Name) -> bool:
    return not _is_last(graph, n)


def _elementwise(graph: Graph, n: Name) -> bool:
    return _activation(graph, n).name not in ("softmax", "linear")


def _adam_used(graph: Graph, n: Name) -> bool:
    return n.kind.endswith("+") and isinstance(graph.trace.optimizer, Adam)


def _penalized(graph: Graph, n: Name) -> bool:
    return bool(graph.trace.objective.penalties) and n.kind in ("L", "dL/dW")


Case = tuple[str, Callable[[Graph, Name], bool], Callable[[Graph, Name, Value], float]]
# fmt: off
CASES: list[Case] = [
    ("sign-flipped", lambda g, n: True, lambda g, n, v: -right(g, n, v)),
    ("activation-missing", lambda g, n: n.kind == "h" and _activation(g, n).name != "linear",
     lambda g, n, v: v(n._replace(kind="z"))),
    ("pre-activation-used", lambda g, n: n.kind == "z" and n.layer != "layer1", _pre_activation_used),
    ("bias-missing", lambda g, n: n.kind == "z" and ("b", n.layer) in g.parameter_steps, _bias_missing),
    ("input-missing", lambda g, n: n.kind == "dL/dW", _input_missing),
    ("weights-transposed", lambda g, n: n.kind == "z" and min(_n_inputs(g, n.layer), _units(g, n.layer)) > 1,
     _transposed_z),
    ("weights-transposed", lambda g, n: n.kind == "dL/dh" and _hidden(g, n),
     lambda g, n, v: _weighted(g, n, v, across=True)),
    ("delta-for-output-gradient", lambda g, n: n.kind == "dL/dh" and _is_last(g, n), _delta_for_output_gradient),
    ("output-gradient-for-delta", lambda g, n: n.kind == "dL/dz" and _is_last(g, n),
     lambda g, n, v: v(n._replace(kind="dL/dh"))),
    ("activation-derivative-missing", lambda g, n: n.kind == "dL/dz" and _hidden(g, n),
     lambda g, n, v: v(n._replace(kind="dL/dh"))),
    ("activation-derivative-repeated", lambda g, n: n.kind == "dL/dz" and _elementwise(g, n),
     lambda g, n, v: v(n._replace(kind="dL/dh")) * v(_slope(n)) ** 2),
    ("activation-derivative-at-z", lambda g, n: n.kind == "dL/dz" and _elementwise(g, n), _at_z),
    ("path-missing", lambda g, n: n.kind == "dL/dh" and _hidden(g, n) and _units(g, f"layer{_number(n.layer) + 1}") > 1,
     lambda g, n, v: _weighted(g, n, v, skip=1)),
    ("updated-weight-used", lambda g, n: n.kind == "dL/dh" and _hidden(g, n),
     lambda g, n, v: _weighted(g, n, v, plus=True)),
    ("target-output-swapped", lambda g, n: n.kind in ("dL/dh", "dL/dz") and _is_last(g, n), _swapped),
    ("log-base", lambda g, n: n.kind == "loss" and g.trace.heads[0].loss.name in LOGARITHMIC, _log_base),
    ("factor-two", lambda g, n: n.kind in ("loss", "L") or (n.kind == "dL/dh" and _is_last(g, n)),
     lambda g, n, v: 2 * right(g, n, v)),
    ("factor-two", lambda g, n: n.kind in ("loss", "L") or (n.kind == "dL/dh" and _is_last(g, n)),
     lambda g, n, v: right(g, n, v) / 2),
    ("mean-sum-confused",
     lambda g, n: g.trace.n_rows > 1 and (n.kind == "dL/dW" or (n.kind == "dL/dh" and _is_last(g, n))), _mean_sum),
    ("penalty-missing", _penalized, _penalty_missing),
    ("softmax-without-exp", lambda g, n: n.kind == "h" and _activation(g, n).name == "softmax", _without_exp),
    ("learning-rate-missing", lambda g, n: n.kind.endswith("+"), _rate_missing),
    ("gradient-ascent", lambda g, n: n.kind.endswith("+"), _ascent),
    ("bias-correction-missing", _adam_used, lambda g, n, v: _adam(g, n, v, correct=False, inside=False)),
    ("epsilon-inside-root", _adam_used, lambda g, n, v: _adam(g, n, v, correct=True, inside=True)),
    ("other-loss", lambda g, n: n.kind == "loss" or (n.kind == "dL/dh" and _is_last(g, n)), _other_loss),
    ("arithmetic", lambda g, n: True, lambda g, n, v: right(g, n, v) * 1.37 + 0.0123),
]  # fmt: skip
