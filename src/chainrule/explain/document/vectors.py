"""The vector form of a document: whole arrays, with the formula that gives each at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.explain.document.blocks import Block, Matrices, Matrix
from chainrule.explain.network.graph import Graph
from chainrule.explain.quantities.names import Name

MANY = 10  # rows or columns; of more, the first and the last are shown
FIRST, LAST = 6, 2


def matrix(symbol: str, array: AnyArray, formula: str = "") -> Matrix:
    """An array as a block, its middle folded where it is large.

    >>> matrix("x", np.arange(40.0).reshape(20, 2)).values[4:]
    ((8.0, 9.0), (10.0, 11.0), (None, None), (36.0, 37.0), (38.0, 39.0))
    """
    array = np.atleast_2d(array)
    values = [_folded([float(v) for v in array[i]]) for i in _shown(len(array))]
    if len(array) > MANY:
        values.insert(FIRST, (None,) * len(values[0]))
    return Matrix(symbol, tuple(values), formula)


def _shown(n: int) -> Sequence[int]:
    return range(n) if n <= MANY else [*range(FIRST), *range(n - LAST, n)]


def _folded(row: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(row) if len(row) <= MANY else (*row[:FIRST], None, *row[-LAST:])


def given(graph: Graph) -> Matrices:
    """Inputs, targets and parameters."""
    trace = graph.trace
    found = []
    for slot in trace.program.inputs:
        name = "x" if graph.single_input else slot.name
        found.append(matrix(name, trace.value(slot.index)))
    if not graph.forward_only:
        for i, head in enumerate(trace.heads):
            name = "y" if graph.single_head else f"y {head.head}"
            found.append(matrix(name, trace.targets(i)))
    spans = trace.network.layout.spans
    found += [matrix(f"{span.name} {span.layer}", trace.parameters[span.step][span.name]) for span in spans]
    return Matrices(tuple(found))


def vectors(graph: Graph, names: Iterable[Name]) -> list[Block]:
    """The arrays that quantities are elements of, each once; nothing where none of them is in an array."""
    first = {(name.kind, name.layer): name for name in reversed(list(names))}
    found = tuple(whole for name in reversed(first.values()) if (whole := _whole(graph, name)) is not None)
    return [Matrices(found)] if found else []


def _whole(graph: Graph, name: Name) -> Matrix | None:
    """The array of one quantity, with the formula for all of it."""
    kind = graph.kinds[name.kind]
    array = graph.array(name.kind, name.layer)
    if array is None or not array.ndim:
        return None
    formula = kind.array_formula(graph, name.layer, graph.recipes(name)[0].general)
    return matrix(f"{name.kind} {name.layer}".strip(), array, formula)
