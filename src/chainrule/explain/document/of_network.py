"""A derivation as a document: headings, sentences, lines of formulas and tables, before anybody decides how it looks.

What is shown is chosen here; renderers only write it down. A large network is summarised: what was not asked for
is folded into a line that says how much there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.errors import listed
from chainrule.explain.document.blocks import (
    MANY,
    Block,
    Document,
    Heading,
    Matrices,
    Matrix,
    Paragraph,
    SymbolText,
    Table,
    lines,
    one_weight,
)
from chainrule.explain.network.graph import BACKWARD, FORWARD, LOSS, UPDATE, Graph
from chainrule.explain.network.structure import Choice
from chainrule.explain.quantities.calculation import Calculation
from chainrule.explain.quantities.names import Name

Derivation = Calculation[Graph]
MANY_LINES = 20  # of one kind of quantity, when something was
MANY_ROWS = 8  # of more, the first stands for all
MANY_CELLS = 10  # of an array, in rows or columns; of more, the first and the last are shown
FIRST, LAST = 6, 2
HEADINGS = {FORWARD: "Forward: {}", LOSS: "Loss", BACKWARD: "Backward: {}", UPDATE: "Update"}


def document(derivation: Derivation, choice: Choice, notes: Iterable[Block] = ()) -> Document:
    """The document of a derivation.

    Raises:
        InputError: what was chosen doesn't exist; the message says what there is.
    """
    title = derivation.title or _title(derivation)
    made = Document(title, derivation.notation, derivation.digits)
    made.add(Heading(title, 1), _network(derivation), *notes)
    derivation.graph.check(choice)
    if choice.weight is not None:
        made.add(*one_weight(derivation, choice.weight, choice.row))
    elif not choice.all:
        _chosen(derivation, choice, made)
    elif sum(1 for _ in islice(derivation.graph.in_order(), MANY + 1)) > MANY:
        if not derivation.graph.forward_only:
            made.add(lines(derivation, [Name("L")]))
        made.add(Paragraph("Too much to write out: choose a layer, a unit, a row or a weight."), _folded(derivation))
    else:
        _everything(derivation, choice, made)
    return made


def _everything(derivation: Derivation, choice: Choice, made: Document) -> None:
    if choice.vectors:
        made.add(Heading("Given"), given(derivation.graph))
    for heading, names in _sections(derivation, derivation.graph.in_order()).items():
        made.add(Heading(heading), lines(derivation, names))
        if choice.vectors:
            made.add(*vectors(derivation.graph, names))
    if derivation.graph.trace.network.layout.spans and not derivation.graph.forward_only:
        _memo_table(derivation, made)


def _sections(derivation: Derivation, names: Iterable[Name]) -> dict[str, list[Name]]:
    found: dict[str, list[Name]] = {}
    for name in names:
        heading = HEADINGS[derivation.graph.position(name)[0]].format(name.layer or "inputs")
        found.setdefault(heading, []).append(name)
    return found


def _chosen(derivation: Derivation, choice: Choice, made: Document) -> None:
    """A layer, a unit or a row: of each kind of quantity as many lines as can be read, and the arrays of a layer."""
    rows, part = derivation.graph.n_rows, choice
    if choice.row is None and rows > MANY_ROWS:
        part = replace(choice, row=1)
        made.add(Paragraph(f"Row 1 of {rows:,} is written out; choose another by its number."))
    for heading, names in _sections(derivation, derivation.graph.in_order(part)).items():
        made.add(Heading(heading))
        kinds: dict[str, list[Name]] = {}
        for name in names:
            kinds.setdefault(name.kind, []).append(name)
        for members in kinds.values():
            made.add(lines(derivation, members[:MANY_LINES]))
            if len(members) > MANY_LINES:
                made.add(Paragraph(f"and {len(members) - MANY_LINES:,} more of these; choose {_narrower(choice)}."))
        if choice.vectors and choice.unit is choice.row is None:
            made.add(*vectors(derivation.graph, names))


def _narrower(choice: Choice) -> str:
    missing = [what for what in ("layer", "unit") if getattr(choice, what) is None]
    return f"a {' and a '.join(missing)}" if missing else "a weight"


def _title(derivation: Derivation) -> str:
    network = derivation.graph.trace.network
    if len(network.heads) > 1:
        return f"Derivation of a network with the heads {listed(head.name for head in network.heads)}"
    sizes = [str(slot.shape[0]) for slot in network.program.inputs if len(slot.shape) == 1]
    sizes += [str(derivation.graph.sizes[step.output]) for step in network.program.steps if step.layer.letter == "z"]
    return f"Derivation of a {'-'.join(sizes)} network"


def _network(derivation: Derivation) -> Paragraph:
    trace = derivation.graph.trace
    rows = trace.n_rows
    layers = []
    for step in trace.program.steps:
        if step.layer.applies is not None:
            layers.append(f"{step.name} ({step.layer.applies.name})")
        elif step.layer.letter != "z" or step.name not in derivation.graph.activation_steps:
            layers.append(f"{step.name} ({type(step.layer).__name__.lower()})")
    if derivation.graph.forward_only:
        return Paragraph(
            f"Layers: {', '.join(layers)}. {rows} row{'s' * (rows > 1)}. No target is given: forward only."
        )
    losses = ", ".join(
        head.loss.name.replace("_", " ") + (f" of {head.head}" if len(trace.heads) > 1 else "") for head in trace.heads
    )
    together = f", {trace.objective.reduction} over {rows} rows" if rows > 1 else ""
    mode = "; dropout and batch normalization as in training" if trace.training else ""
    return Paragraph(
        f"Layers: {', '.join(layers)}. Loss: {losses}{together}{mode}. {trace.network.count().total:,} parameters."
        f"{_without_label(derivation)}"
    )


def _without_label(derivation: Derivation) -> str:
    """Which rows have no label of which head, as a sentence."""
    trace, told = derivation.graph.trace, []
    for i, head in enumerate(trace.heads):
        rows = [row + 1 for row in range(trace.n_rows) if trace.lacks_label(i, row)]
        if rows:
            of_rows = f" in row{'s' * (len(rows) > 1)} {listed(rows, limit=8)}" if trace.n_rows > 1 else ""
            told.append(f"{head.head}{of_rows}")
    return f" Without a label, so that no loss depends on it: {'; '.join(told)}." if told else ""


def _memo_table(derivation: Derivation, made: Document) -> None:
    """Memoization counted: the quantities that are used most."""
    if not derivation.graph.is_trainable:
        return
    gradients = [n for n in derivation.graph.in_order(update=False) if n.kind in ("dL/dz", "dL/dh", "h")]
    uses = sorted(((derivation[n].uses, -i, n) for i, n in enumerate(gradients)), reverse=True)[:5]
    rows = tuple(
        (SymbolText(n, derivation.notation), derivation.graph.meaning(n), str(count))
        for count, _, n in uses
        if count > 1
    )
    if rows:
        made.add(Heading("What is computed once and used again"), Table(("quantity", "", "uses"), rows, (2,)))


def _folded(derivation: Derivation) -> Table:
    """The summary of a network that is too large to write out."""
    graph, trace = derivation.graph, derivation.graph.trace
    backward = not graph.forward_only and graph.is_trainable
    rows = []
    for slot in graph.program.slots:
        if slot.producer is not None:
            values = trace.value(slot.index)
            name, size = f"{graph.slot_kinds[slot.index]} {slot.name}", f"{values.size:,}"
            largest = [f"{abs(trace.gradient(slot.index)).max():.4g}"] if backward else []
            rows.append((name, size, f"{values.min():.4g} ... {values.max():.4g}", *largest))
    columns = ("values", "numbers", "from ... to", *["largest |dL/d|"][: int(backward)])
    return Table(columns, tuple(rows), (1, 2, 3))


def matrix(symbol: str, array: AnyArray, formula: str = "") -> Matrix:
    """An array as a block, its middle folded where it is large.

    >>> matrix("x", np.arange(40.0).reshape(20, 2)).values[4:]
    ((8.0, 9.0), (10.0, 11.0), (None, None), (36.0, 37.0), (38.0, 39.0))
    """
    array = np.atleast_2d(array)
    values = [_ends([float(v) for v in array[i]]) for i in _shown(len(array))]
    if len(array) > MANY_CELLS:
        values.insert(FIRST, (None,) * len(values[0]))
    return Matrix(symbol, tuple(values), formula)


def _shown(n: int) -> Sequence[int]:
    return range(n) if n <= MANY_CELLS else [*range(FIRST), *range(n - LAST, n)]


def _ends(row: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(row) if len(row) <= MANY_CELLS else (*row[:FIRST], None, *row[-LAST:])


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
            if not all(trace.lacks_label(i, row) for row in range(trace.n_rows)):
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
    array = graph.array(name.kind, name.layer)
    if array is None or not array.ndim:
        return None
    formula = graph.kinds[name.kind].array_formula(graph, name.layer) or graph.recipes(name)[0].general
    return matrix(f"{name.kind} {name.layer}".strip(), array, formula)
