"""Learned numbers by name, in any manner of writing: which place of the vector of all each has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.engines.contract import Rows
from chainrule.errors import InputError, listed
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.learned import Parameter
from chainrule.explain.network.trace import DOUBLE, Moment, Trace
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import STYLES, Notation
from chainrule.learner import Learner
from chainrule.plain import shortened

MANY = 50_000  # learned numbers; the symbols of more aren't looked through


@dataclass(frozen=True)
class Knob:
    """One learned number: its name, and where it lies in the vector of all."""

    name: str
    place: int


def knobs_of(model: Learner, names: Sequence[str], rows: Rows) -> list[Knob]:
    """The learned numbers of these names, as derivations call them, in any manner of writing.

    Arguments:
        model: whose they are.
        names: such as `"W[hidden,1,2]"`, or symbols of a notation such as `"w_112"`.
        rows: some rows of the model's, of which one is looked at.

    Raises:
        InputError: there is no such number; the message says what there is.
    """
    objective = model.objective
    trace = Trace(model.network, objective, Moment.of(model), _doubles(rows.take(np.arange(1))))
    graph = Graph(trace)
    return [_knob(graph, name) for name in names]


def _knob(graph: Graph, text: str) -> Knob:
    if not isinstance(text, str):
        raise InputError(f"a weight is called by its name, as in W[hidden,1,2], not {shortened(text)}")
    try:
        name = graph.parse(text)
    except InputError as error:
        name = _by_symbol(graph, text, error)
    if not isinstance(graph.kinds[name.kind], Parameter):
        raise InputError(
            f'"{text}" is computed ({graph.meaning(name)}): only what is learned can be turned, as in '
            f"{listed([f'{kind}[{layer},...]' for kind, layer in graph.parameter_steps], 4)}"
        )
    span = graph.parameter_steps[name.kind, name.layer][1]
    place = span.offset + int(np.ravel_multi_index([i - 1 for i in name.index], span.shape))
    return Knob(graph.spelled(name), place)


def _by_symbol(graph: Graph, text: str, error: InputError) -> Name:
    """The parameter that some notation writes so."""
    wanted = _plain(text)
    spans = [(step, span) for step, span in graph.parameter_steps.values()]
    found: dict[Name, str] = {}
    if sum(math.prod(span.shape) for _, span in spans) <= MANY and "[" not in text:
        for style in STYLES:
            notation = Notation(style, graph.places)
            for step, span in spans:
                for index in np.ndindex(*span.shape):
                    name = Name(span.name, step.name, tuple(i + 1 for i in index))
                    if style != "ours" and _plain(notation.text(name)) == wanted:
                        found.setdefault(name, style)
    if not found:
        raise error
    if len(found) > 1:
        said = listed(f"{name} in the manner of {style}" for name, style in found.items())
        raise InputError(f'"{text}" can be several weights: {said}; say it by the name')
    return next(iter(found))


def _plain(symbol: str) -> str:
    return "".join(c for c in symbol if c not in "_^{} ")


def _doubles(rows: Rows) -> Rows:
    """Rows in float64, codes as they are."""
    inputs = tuple(x if x.dtype.kind == "i" else np.asarray(x, DOUBLE) for x in rows.inputs)
    return Rows(inputs, rows.targets, tuple(None for _ in rows.weights))
