"""A derivation as a document: headings, sentences, lines of formulas and tables, before anybody decides how it looks.

What is shown is chosen here; renderers only write it down. A large network is summarised: what was not asked for
is folded into a line that says how much there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chainrule.explain.formula import Negative, Node, Number, Product, Sum, Symbol
from chainrule.explain.names import KINDS, Name
from chainrule.explain.order import in_order, position
from chainrule.layers import Activation, Dense

if TYPE_CHECKING:
    from chainrule.explain.any_derivation import AnyDerivation, Quantity
    from chainrule.explain.derivation import Derivation
    from chainrule.explain.notation import Notation
    from chainrule.explain.paths import Paths

MANY = 160  # quantities that are written out when nothing was chosen
MANY_TERMS = 12  # of a sum; the others are folded
MANY_PATHS = 24


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A sentence or two; `code` marks what is a name."""

    text: str


@dataclass(frozen=True)
class Line:
    """One quantity: its symbol, its formulas one after another, its value; a remark at the side."""

    name: Name
    sides: tuple[Node, ...]
    remark: str = ""


@dataclass(frozen=True)
class Lines:
    """Formula lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Equation:
    """An equation that stands for itself, in symbols: `left = right = ...`; in matrices where arrays are given."""

    left: str
    sides: tuple[str, ...]


@dataclass(frozen=True)
class Matrix:
    """An array with its symbol: one row of the batch, or a parameter."""

    symbol: str
    values: tuple[tuple[float, ...], ...]
    formula: str = ""


@dataclass(frozen=True)
class Matrices:
    """The vector form: one line for every array, with the formula that gives it whole."""

    matrices: tuple[Matrix, ...]


@dataclass(frozen=True)
class Table:
    """A table of texts; `right` are columns of numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


Block = Heading | Paragraph | Lines | Equation | Matrices | Table


@dataclass(frozen=True)
class Choice:
    """What of a derivation to show: one layer, unit or row (from 1), one weight with its paths; None is everything."""

    layer: str | None = None
    unit: int | None = None
    row: int | None = None
    weight: str | None = None
    vectors: bool = True

    @property
    def all(self) -> bool:
        """Whether nothing was chosen."""
        return self.layer is None and self.unit is None and self.row is None and self.weight is None


@dataclass
class Document:
    """Blocks in order, and what renderers need to write symbols and numbers."""

    title: str
    notation: Notation
    digits: int
    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end."""
        self.blocks += blocks


def document(derivation: Derivation, choice: Choice | None = None) -> Document:
    """The document of a derivation.

    Raises:
        InputError: the layer or weight that was chosen doesn't exist.
    """
    choice = choice or Choice()
    title = derivation.title or _title(derivation)
    made = Document(title, derivation.notation, derivation.digits)
    made.add(Heading(title, 1), _network(derivation))
    if choice.weight is not None:
        _one_weight(derivation, choice.weight, made)
        return made
    names = _chosen(derivation, choice)
    total = sum(1 for _ in _first(derivation, MANY + 1))
    if choice.all and total > MANY:
        made.add(_folded(derivation))
        return made
    if choice.vectors and choice.all:
        made.add(Heading("Given"), _given(derivation))
    sections: dict[str, list[Name]] = {}
    for name in names:
        sections.setdefault(section_of(derivation, name), []).append(name)
    for heading, members in sections.items():
        made.add(Heading(heading), Lines(tuple(line(derivation, name) for name in members)))
        if choice.vectors and choice.all:
            matrices = _vectors(derivation, heading, members)
            if matrices:
                made.add(Matrices(matrices))
    if choice.all and derivation.graph.trace.network.layout.spans and not derivation.graph.forward_only:
        _memo_table(derivation, made)
    return made


def _first(derivation: Derivation, limit: int) -> list[Name]:
    found = []
    for name in in_order(derivation.graph):
        found.append(name)
        if len(found) >= limit:
            break
    return found


def _title(derivation: Derivation) -> str:
    network = derivation.model.network
    sizes = [str(slot.shape[0]) for slot in network.program.inputs if len(slot.shape) == 1]
    sizes += [str(step.layer.units) for step in network.steps if isinstance(step.layer, Dense)]
    return f"Derivation of a {'-'.join(sizes)} network"


def _network(derivation: Derivation) -> Paragraph:
    model, rows = derivation.model, derivation.trace.n_rows
    layers = []
    for step in model.network.steps:
        if isinstance(step.layer, Activation):
            layers.append(f"{step.name} ({step.layer.f.name})")
        elif not isinstance(step.layer, Dense) or not any(
            isinstance(s.layer, Activation) and s.name == step.name for s in model.network.steps
        ):
            layers.append(f"{step.name} ({type(step.layer).__name__.lower()})")
    if derivation.graph.forward_only:
        return Paragraph(
            f"Layers: {', '.join(layers)}. {rows} row{'s' * (rows > 1)}. No target is given: forward only."
        )
    losses = ", ".join(
        head.loss.name.replace("_", " ") + (f" of {head.head}" if len(derivation.trace.heads) > 1 else "")
        for head in derivation.trace.heads
    )
    together = f", {model.objective.reduction} over {rows} rows" if rows > 1 else ""
    mode = "; dropout and batch normalization as in training" if derivation.trace.training else ""
    return Paragraph(
        f"Layers: {', '.join(layers)}. Loss: {losses}{together}{mode}. {model.network.count().total:,} parameters."
    )


def _given(derivation: Derivation) -> Matrices:
    trace = derivation.trace
    matrices = []
    for slot in trace.program.inputs:
        name = "x" if derivation.graph.single_input else slot.name
        matrices.append(Matrix(name, _tuples(trace.value(slot.index))))
    if not derivation.graph.forward_only:
        for i, head in enumerate(trace.heads):
            matrices.append(
                Matrix("y" if derivation.graph.single_head else f"y {head.head}", _tuples(trace.targets(i)))
            )
    for span in trace.network.layout.spans:
        array = trace.parameters[span.step][span.name]
        matrices.append(Matrix(f"{span.name} {span.layer}", _tuples(array if array.ndim == 2 else array[None])))
    return Matrices(tuple(matrices))


def _tuples(array: object) -> tuple[tuple[float, ...], ...]:
    import numpy as np

    return tuple(tuple(float(v) for v in row) for row in np.atleast_2d(np.asarray(array)))


def _chosen(derivation: Derivation, choice: Choice) -> list[Name]:
    if choice.layer is not None:
        _check_layer(derivation, choice.layer)
    if choice.all:
        return _first(derivation, MANY)
    found = []
    for name in in_order(derivation.graph):
        fits = (
            (choice.layer is None or name.layer == choice.layer)
            and (choice.unit is None or (name.index and name.index[-1] == choice.unit))
            and (choice.row is None or name.row in (None, choice.row))
        )
        if fits:
            found.append(name)
        if len(found) >= 4 * MANY:
            break
    return found


def _check_layer(derivation: Derivation, layer: str) -> None:
    from chainrule.errors import InputError, did_you_mean, listed

    names = list(dict.fromkeys(step.name for step in derivation.model.network.steps))
    if layer not in names:
        raise InputError(f'there is no layer "{layer}".{did_you_mean(layer, names)} There are {listed(names)}')


def section_of(derivation: Derivation, name: Name) -> str:
    """The heading under which a quantity stands."""
    phase = position(derivation.graph, name)[0]
    if phase == 1:
        return f"Forward: {name.layer}"
    if phase in (2, 3):
        return "Loss"
    if phase == 4:
        return f"Backward: {name.layer or 'inputs'}"
    return "Update"


def line(derivation: AnyDerivation, name: Name) -> Line:
    """A quantity as a line: symbol = formula = formula with numbers = value."""
    quantity = derivation[name]
    routes = quantity.routes
    sides: list[Node] = []
    if routes and routes[0].formula is not None:
        sides = [_short(routes[0].formula), _short(routes[0].numbers)] if routes[0].numbers is not None else []
    if len(sides) == 2 and isinstance(sides[1], Number):
        sides = sides[:1]
    if not sides and quantity.general:
        sides = [Symbol(quantity.general.partition(" = ")[2])]
    sides.append(Number(quantity.value))
    return Line(name, tuple(sides), _remark(quantity))


def _short(tree: Node | None) -> Node:
    """A formula whose long sums are folded in the middle."""
    assert tree is not None
    if isinstance(tree, Sum) and len(tree.terms) > MANY_TERMS:
        left = len(tree.terms) - MANY_TERMS
        return Sum((*tree.terms[: MANY_TERMS - 2], Symbol(f"({left} more)"), *tree.terms[-2:]))
    return tree


def _remark(quantity: Quantity) -> str:
    uses = quantity.uses
    return f"used {uses} times" if uses > 1 else ""


def _vectors(derivation: Derivation, heading: str, names: Sequence[Name]) -> tuple[Matrix, ...]:
    """The same numbers as whole arrays, with the layer's formula."""
    graph, trace = derivation.graph, derivation.trace
    matrices: list[Matrix] = []
    done: set[tuple[str, str]] = set()
    for name in names:
        kind, layer = name.kind, name.layer
        if (kind, layer) in done:
            continue
        done.add((kind, layer))
        if kind in ("z", "h"):
            slot = graph.slots[kind, layer]
            matrices.append(Matrix(f"{kind} {layer}", _tuples(trace.value(slot)), graph.recipes(name)[0].general))
        elif kind in ("dL/dz", "dL/dh", "dL/dx"):
            slot = graph.slots[kind[-1], layer]
            formula = graph.recipes(name)[0].general
            if formula.startswith("dL/dh_i = sum_j"):
                formula = "dL/dh = dL/dz W^T"
            matrices.append(Matrix(f"{kind} {layer}".strip(), _tuples(trace.gradient(slot)), formula))
        elif kind in ("dL/dW", "dL/db", "dL/dscale", "dL/dshift"):
            step, _ = graph.parameter_steps[kind.removeprefix("dL/d"), layer]
            array = trace.parameter_gradients[step.index][kind.removeprefix("dL/d")]
            general = {"dL/dW": "dL/dW = x^T dL/dz", "dL/db": "dL/db = sum over rows of dL/dz"}
            matrices.append(
                Matrix(f"{kind} {layer}", _tuples(array), general.get(kind, graph.recipes(name)[0].general))
            )
        elif kind.endswith("+"):
            step, _ = graph.parameter_steps[kind[:-1], layer]
            matrices.append(
                Matrix(f"{kind} {layer}", _tuples(trace.updated[step.index][kind[:-1]]), graph.recipes(name)[0].general)
            )
    return tuple(matrices)


def _one_weight(derivation: Derivation, weight: str, made: Document) -> None:
    """A weight: its paths, their sum, the recursive form, and what reuse saves."""
    name = derivation[weight].name
    paths = derivation.paths(name)
    gradient = derivation.graph.gradient_of(name)
    value = derivation.graph.value_of(name)
    made.add(Heading(f"Paths from {derivation.notation.text(value)} to the loss"))
    made.add(*path_lines(derivation, gradient, paths))
    made.add(Heading("The same, computed once and reused"))
    needed = [n.name for n in derivation.needed_for(gradient, limit=60) if n.name.kind.startswith("dL/d")]
    made.add(Lines(tuple(line(derivation, n) for n in needed)))
    made.add(Heading("What memoization saves"), _cost(paths))


def path_lines(derivation: AnyDerivation, gradient: Name, paths: Paths) -> list[Block]:
    """The paths behind a gradient and their sum; of many, those that weigh most."""
    if paths.paths and len(paths.paths) <= MANY_PATHS:
        lines = tuple(_path_line(gradient, path.edges) for path in paths.paths)
        if len(lines) == 1 and not paths.penalty:
            return [Lines(lines)]
        total = Line(gradient, (_sum_of_paths(paths), Number(paths.total)), "sum over paths")
        return [Lines(lines), Lines((total,))]
    heaviest = sorted(paths.paths, key=lambda path: -abs(path.product))[:MANY_PATHS]
    made: list[Block] = [
        Paragraph(
            f"{paths.count:,} paths lead to {'the loss' if derivation.graph.end.kind == 'L' else 'the result'}"
            + (f"; these {len(heaviest)} weigh most:" if heaviest else ".")
        )
    ]
    if heaviest:
        made.append(Lines(tuple(_path_line(gradient, path.edges) for path in heaviest)))
    return made


def _path_line(gradient: Name, edges: Sequence[object]) -> Line:
    from chainrule.explain.paths import Edge

    symbols: list[Node] = []
    numbers: list[Node] = []
    product = 1.0
    for edge in edges:
        assert isinstance(edge, Edge)
        symbols += [Symbol(str(name)) for name in edge.names] or [Number(edge.factor)]
        numbers.append(Number(edge.factor))
        product *= edge.factor
    return Line(gradient, (Product(tuple(symbols)), Product(tuple(numbers)), Number(product)), "one path")


def _sum_of_paths(paths: Paths) -> Node:
    terms: list[Node] = [Number(path.product) for path in paths.paths]
    if paths.penalty:
        terms.append(Number(paths.penalty))
    terms = [Negative(Number(-t.value)) if isinstance(t, Number) and t.value < 0 else t for t in terms]
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _cost(paths: Paths) -> Table:
    kept = f"{paths.kept:,} ({paths.bytes:,} bytes)"
    return Table(
        ("", "multiplications", "numbers kept"),
        (
            ("every path by itself", f"{paths.multiplications_apart:,}", "0"),
            ("each gradient once (memoized)", f"{paths.multiplications_memoized:,}", kept),
        ),
        (1, 2),
    )  # fmt: skip


def _memo_table(derivation: Derivation, made: Document) -> None:
    """Memoization counted: the quantities that are used most."""
    from chainrule.explain.order import is_trainable

    if not is_trainable(derivation.graph):
        return
    gradients = [n for n in in_order(derivation.graph, update=False) if n.kind in ("dL/dz", "dL/dh", "h")]
    uses = sorted(((derivation[n].uses, -i, n) for i, n in enumerate(gradients)), reverse=True)[:5]
    rows = tuple((derivation.notation.text(n), KINDS[n.kind].meaning, str(count)) for count, _, n in uses if count > 1)
    if rows:
        made.add(Heading("What is computed once and used again"), Table(("quantity", "", "uses"), rows, (2,)))


def _folded(derivation: Derivation) -> Table:
    """The summary of a network that is too large to write out."""
    rows = []
    for slot in derivation.graph.program.slots:
        if slot.producer is None:
            continue
        kind = derivation.graph.slot_kinds[slot.index]
        size = derivation.trace.value(slot.index)
        gradient = derivation.trace.gradient(slot.index)
        rows.append(
            (
                f"{kind} {slot.name}",
                f"{size.size:,}",
                f"{size.min():.4g} ... {size.max():.4g}",
                f"{abs(gradient).max():.4g}",
            )
        )
    return Table(
        ("values (choose a layer, a unit, a row or a weight)", "numbers", "from ... to", "largest |dL/d|"),
        tuple(rows),
        (1, 2, 3),
    )
