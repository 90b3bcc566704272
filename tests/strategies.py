"""What Hypothesis generates: arrays, networks, and whole problems named by their shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import problems
import registered
from hypothesis import note
from hypothesis import strategies as st

from chainrule import (
    Activation,
    Add,
    BatchNorm,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    EmbeddingSum,
    Flatten,
    Input,
    Mix,
    Model,
    Network,
    OneHot,
    PiecewiseLinear,
    Scale,
)  # fmt: skip
from chainrule.data import prepare_rows
from chainrule.engines.contract import Rows
from chainrule.explain.network.trace import Moment, Trace
from chainrule.layers import Value
from chainrule.losses import Loss
from chainrule.masking import missing_labels

seeds = st.integers(0, 2**32 - 1)
widths = st.integers(1, 4)
factors = st.sampled_from([1.0, 0.0, 0.5])
activations = st.sampled_from(registered.ACTIVATIONS)
# Inside a network numbers should neither vanish nor explode, or a difference measures rounding.
hidden_activations = st.sampled_from([f for f in registered.ACTIVATIONS if f.name != "exponential"])


# The layers of generated graphs: some behind an input of codes, the others anywhere.
INSIDE = (
    "Dense",
    "Activation",
    "Scale",
    "BatchNorm",
    "Dropout",
    "PiecewiseLinear",
    "Flatten",
    "Add",
    "Mix",
    "Concatenate",
)
KINDS = (*INSIDE, "OneHot", "Embedding", "EmbeddingSum")


@st.composite
def chains(draw: st.DrawFn) -> Network:
    """A chain of up to four layers: n inputs, hidden layers of 1 to 4 units, and a linear head."""
    hidden = (
        st.builds(BatchNorm)
        | st.builds(Dropout, st.just(0.25))
        | st.builds(Scale, st.booleans(), rate_factor=factors, decay_factor=factors)
        | st.builds(Flatten)
        | st.builds(
            Dense,
            widths,
            activation=st.none() | hidden_activations,
            bias=st.booleans(),
            rate_factor=factors,
            bias_rate_factor=factors,
            bias_decay_factor=factors,
        )
        | st.builds(Activation, hidden_activations)
    )
    return Network([Input(draw(widths)), *draw(st.lists(hidden, max_size=4)), Dense(draw(widths))])


@st.composite
def graphs(draw: st.DrawFn, losses: st.SearchStrategy[list[Loss]]) -> tuple[Network, dict[str, Loss]]:
    """One to three inputs, branches that fork and join, and one to three heads with a loss each."""
    inputs = [Input(draw(widths), name="x")]
    if draw(st.booleans()):
        inputs.append(Input((draw(widths), 2), name="image"))
    vectors = [value if len(value.shape) == 1 else Flatten()(value) for value in inputs]
    if draw(st.booleans()):
        inputs.append(Input(columns := draw(st.integers(1, 2)), dtype="integer", name="codes"))
        sizes = tuple(draw(st.lists(widths, min_size=columns, max_size=columns)))
        kind = draw(st.sampled_from(["OneHot", "Embedding", "EmbeddingSum"]))
        if kind == "OneHot":
            layer: Any = OneHot(draw(widths), first=draw(st.integers(-2, 2)))
        else:
            layer = {"Embedding": Embedding, "EmbeddingSum": EmbeddingSum}[kind](sizes, draw(widths))
        vectors.append(layer(inputs[-1]))
    trunk: Any = vectors[0] if len(vectors) == 1 else Concatenate()(*vectors)
    values: list[tuple[Any, int]] = [(_dense(draw, trunk, n := draw(widths)), n)]  # with the number of units
    for _ in range(draw(st.integers(0, 4))):
        value, n = values[draw(st.integers(0, len(values) - 1))]
        kind = draw(st.sampled_from(INSIDE))
        if kind == "Dense":
            values.append((_dense(draw, value, m := draw(widths)), m))
        elif kind == "Activation":
            values.append((Activation(draw(hidden_activations))(value), n))
        elif kind == "Scale":
            values.append((Scale(draw(st.booleans()))(value), n))
        elif kind == "PiecewiseLinear":
            knots = tuple(draw(st.sampled_from([(), (-1, 1), (-0.5, 0, 2.25)])) for _ in range(n - 1))
            values.append((PiecewiseLinear(((-1.5, 0.25, 1), *knots), m := draw(widths))(value), m))
        elif kind == "BatchNorm":
            values.append((BatchNorm()(value), n))
        elif kind == "Dropout":
            values.append((Dropout(draw(st.sampled_from([0.0, 0.2, 0.5])))(value), n))
        elif kind == "Flatten":
            values.append((Flatten()(value), n))
        elif kind == "Mix":
            values.append((Mix()(value, _dense(draw, value, n)), n))
        elif kind == "Add":
            values.append((Add()(value, _dense(draw, value, n), *([value] if draw(st.booleans()) else [])), n))
        else:
            assert kind == "Concatenate", kind
            other, m = values[draw(st.integers(0, len(values) - 1))]
            values.append((Concatenate()(value, other), n + m))
    outputs, by_head = {}, {}
    for i, loss in enumerate(draw(losses)):
        value, _ = values[-1 - i] if i < len(values) else values[-1]
        name = f"head_{i}"
        output = (
            draw(st.sampled_from(registered.outputs_for(loss)))
            if draw(st.booleans())
            else registered.usual_output(loss)
        )
        outputs[name] = Dense(draw(st.integers(2, 3)), activation=output, name=name)(value)
        by_head[name] = loss
    return Network(inputs=inputs, outputs=outputs), by_head


def _dense(draw: st.DrawFn, value: Any, units: int) -> Value:
    penalties = st.sampled_from([None, None, 0.0, 0.02])
    return Dense(
        units,
        activation=draw(st.none() | hidden_activations),
        bias=draw(st.booleans()),
        l1=draw(penalties),
        l2=draw(penalties),
        penalize_bias=draw(st.booleans()),
        trainable=draw(st.booleans()),
    )(value)


@dataclass
class Problem:
    """A model in float64 with rows for it, and everything that was chosen, for the message of a failure."""

    model: Model
    data: Rows
    X: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    sample_weight: dict[str, np.ndarray] | np.ndarray | None
    options: dict[str, Any]


@st.composite
def general_problems(draw: st.DrawFn, engine: str) -> Problem:
    """A graph, its losses and penalties, a batch of 1 to 6 rows (from 3 on with batch normalization), row weights."""
    network, losses = draw(graphs(st.lists(st.sampled_from(registered.LOSSES), min_size=1, max_size=3)))
    options = {
        "l1": draw(st.sampled_from([0.0, 0.01])),
        "l2": draw(st.sampled_from([0.0, 0.05])),
        **draw(st.sampled_from([{"reduction": "mean"}, {"reduction": "sum"}, {"convention": "sklearn"}])),
        "fuse": draw(st.booleans()),
        "loss_weights": {name: draw(st.sampled_from([1.0, 0.5, 3.0, 0.0])) for name in losses},
        "seed": draw(seeds),
    }
    model = problems.make_model(network, losses, dtype="float64", engine=engine, **options)
    rng = np.random.default_rng(draw(seeds))
    problems.randomize(model, rng)
    rows = draw(st.integers(3 if network.state_layout.spans else 1, 6))
    X = problems.inputs_for(network, rows, rng)
    y = {
        head.head: problems.targets_for(head.loss, rows, head.outputs, rng, labels=draw(st.booleans()))
        for head in model.objective.heads
    }
    weights: Any = None
    kind = draw(st.sampled_from(["none", "rows", "by head"]))
    if kind != "none":
        weights = rng.uniform(0.2, 2, rows)
        weights[1:] *= rng.random(rows - 1) > 0.3  # some rows count nothing
    if kind == "by head":
        weights = {name: weights[rng.permutation(rows)] for name in losses}
    if len(losses) > 1 and draw(st.booleans()):
        y = {name: _with_gaps(y[name], weights[name] if kind == "by head" else weights, rng) for name in losses}
    data = prepare_rows(network, model.objective, X, y, weights, model.dtype)
    note(network.to_json())
    return Problem(model, data, X, y, weights, options)


def _with_gaps(y: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Targets of which some rows lack theirs, but not all that count."""
    gaps = rng.random(len(y)) < 0.4
    counting = np.ones(len(y), bool) if weights is None else weights > 0
    if (gaps | ~counting).all():
        return y
    y = y.astype(float)
    y[gaps] = np.nan
    return y


def traced(problem: Problem, training: bool = False) -> Trace:
    """What the reference engine computes for the problem's rows."""
    model = problem.model
    masked = missing_labels(model.objective.heads, problem.y, len(problem.data))
    return Trace(model.network, model.objective, Moment.of(model), problem.data, training=training, masked=masked)
