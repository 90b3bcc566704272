"""What documents are made of: headings, sentences, lines of formulas, arrays, tables; renderers decide on looks.

And quantities as lines: each by itself, or one weight with its paths, their sum, and what reuse saves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chainrule.explain.formula import Negative, Node, Number, Product, Sum, Symbol
from chainrule.explain.formula.tree import rebuild, walk, with_values
from chainrule.explain.formula.writer import shown
from chainrule.explain.quantities.calculation import Calculation
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation
from chainrule.explain.quantities.paths import Edge, Paths, find_paths
from chainrule.explain.quantities.recipes import Products, Quantities

MANY = 160  # quantities that are written out when nothing was chosen
MANY_TERMS = 10  # of a sum that is written out; of more, the first and the last are shown
MANY_INSIDE = 6  # of a sum in a fraction or in brackets
FIRST, FIRST_INSIDE, LAST = 6, 3, 2
MANY_PATHS = 24
MANY_ROWS = 8  # of more, those that weigh most are shown, and the paths of one
MANY_STEPS = 60

Derivation = Calculation[Quantities]


class SymbolText(str):
    """The symbol of a quantity as text; renderers that set symbols find the quantity in `name`."""

    name: Name

    def __new__(cls, name: Name, notation: Notation | str) -> SymbolText:
        """The symbol of a quantity in a notation, or as it is given."""
        made = super().__new__(cls, notation if isinstance(notation, str) else notation.text(name))
        made.name = name
        return made

    def __getnewargs__(self) -> tuple[Name, str]:  # type: ignore[override]
        """What copies and pickles are made from."""
        return self.name, str(self)


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3; `about` is the symbol in its text, where it holds one."""

    text: str
    level: int = 2
    about: SymbolText | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The text, cut around the symbol."""
        if self.about is None:
            return (self.text,)
        before, _, after = self.text.partition(self.about)
        return before, self.about, after


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
class Matrix:
    """An array with its symbol; None stands where rows or columns are folded."""

    symbol: str
    values: tuple[tuple[float | None, ...], ...]
    formula: str = ""


@dataclass(frozen=True)
class Matrices:
    """The vector form: one line for every array, with the formula that gives it whole."""

    matrices: tuple[Matrix, ...]


@dataclass(frozen=True)
class Table:
    """A table of texts, some of them a `SymbolText`; `right` are columns of numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


Block = Heading | Paragraph | Lines | Matrices | Table


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


def line(derivation: Derivation, name: Name) -> Line:
    """A quantity as a line: symbol = formula = formula with numbers = value."""
    graph = derivation.graph
    recipe = next(iter(graph.recipes(name)), None)
    tree = None if recipe is None else recipe.tree()
    sides: list[Node] = []
    if tree is not None:
        short = shortened_formula(tree)  # before the numbers are put in: a long sum has hundreds
        numbers = with_values(short, graph.value)
        sides = [short] if isinstance(numbers, Number) else [short, numbers]
    elif recipe is not None and recipe.general:
        sides = [Symbol(recipe.general.partition(" = ")[2])]
    uses = graph.uses(name)
    return Line(name, (*sides, Number(graph.value(name))), f"used {uses} times" if uses > 1 else "")


def lines(derivation: Derivation, names: Iterable[Name]) -> Lines:
    """Quantities as lines that belong together."""
    return Lines(tuple(line(derivation, name) for name in names))


def shortened_formula(tree: Node) -> Node:
    """A formula whose long sums are folded in the middle."""
    if not any(isinstance(node, Sum) and len(node.terms) > MANY_INSIDE for node in walk(tree)):
        return tree
    if isinstance(tree, Sum):
        tree = _folded(tree, FIRST) if len(tree.terms) > MANY_TERMS else tree
        return Sum(tuple(rebuild(term, _inside) for term in tree.terms))
    return rebuild(tree, _inside)


def _inside(tree: Node) -> Node | None:
    """Sums in fractions and brackets, where no line can be broken, are folded sooner."""
    return _folded(tree, FIRST_INSIDE) if isinstance(tree, Sum) and len(tree.terms) > MANY_INSIDE else None


def _folded(tree: Sum, first: int) -> Sum:
    left = len(tree.terms) - first - LAST
    return Sum((*tree.terms[:first], Symbol(f"({left:,} more)"), *tree.terms[-LAST:]))


def one_weight(derivation: Derivation, weight: str, row: int | None = None) -> list[Block]:
    """A weight, bias, input or value between with its paths to the loss; of many rows, those of one."""
    graph = derivation.graph
    name = derivation[weight].name
    paths = find_paths(graph, name)
    gradient, value = graph.gradient_of(name), graph.value_of(name)
    begin = SymbolText(value, derivation.notation)
    made: list[Block] = [Heading(f"Paths from {begin} to the loss", about=begin)]
    start = gradient
    parts = _parts_of_rows(derivation, gradient)
    if len(parts) > MANY_ROWS or (row is not None and row in parts):
        made += _rows(derivation, gradient, parts, paths)
        row = row if row is not None else max(parts, key=lambda r: abs(parts[r][1]))
        start = parts[row][0]
        begin = SymbolText(graph.value_of(start), derivation.notation)
        made += [Heading(f"Row {row}: paths from {begin} to the loss", 3, begin)]
        made += path_lines(derivation, start, find_paths(graph, start))
    else:
        made += path_lines(derivation, gradient, paths)
    needed = [name for name in graph.needed_for(start, MANY_STEPS) if name.kind.startswith("dL/d")]
    needed += [gradient] if gradient != start else []
    made += [Heading("The same, computed once and reused"), lines(derivation, needed)]
    return [*made, Heading("What memoization saves"), _cost(paths)]


def _parts_of_rows(derivation: Derivation, gradient: Name) -> dict[int, tuple[Name, float]]:
    """What each row contributes to a sum over rows: by row, the gradient that it comes from, and the product."""
    recipe, graph = derivation.graph.recipes(gradient)[0], derivation.graph
    if gradient.row is not None or not isinstance(recipe, Products):
        return {}
    found: dict[int, tuple[Name, float]] = {}
    for part in recipe.parts:
        if part.outer is not None and part.outer.row is not None:
            product = part.coefficient * math.prod(graph.value(n) for n in part.factors)
            found[part.outer.row] = (part.outer, product)
    return found


def _rows(derivation: Derivation, gradient: Name, parts: dict[int, tuple[Name, float]], paths: Paths) -> list[Block]:
    """The rows that weigh most in a sum over rows, and what the others come to."""
    heaviest = sorted(parts, key=lambda row: -abs(parts[row][1]))[:MANY_ROWS]
    left = [parts[row][1] for row in parts if row not in heaviest]
    text, digits = derivation.notation.text, derivation.digits
    rows: list[tuple[str, ...]] = [
        (str(row), SymbolText(parts[row][0], derivation.notation), shown(parts[row][1], digits))
        for row in sorted(heaviest)
    ]
    if left:
        rows.append((f"{len(left):,} others", "", shown(sum(left), digits)))
    if paths.penalty:
        rows.append(("", "penalty", shown(paths.penalty, digits)))
    rows.append(("all", "", shown(paths.memoized, digits)))
    said = f"{paths.count:,} paths lead to the loss over {len(parts):,} rows; the rows that weigh most:"
    return [Paragraph(said), Table(("row", "by way of", f"its part of {text(gradient)}"), tuple(rows), (0, 2))]


def path_lines(derivation: Derivation, gradient: Name, paths: Paths) -> list[Block]:
    """The paths behind a gradient and their sum; of many, those that weigh most."""
    if paths.paths and len(paths.paths) <= MANY_PATHS:
        each = Lines(tuple(_path_line(gradient, path.edges) for path in paths.paths))
        if len(paths.paths) == 1 and not paths.penalty:
            return [each]
        return [each, Lines((Line(gradient, (_sum_of_paths(paths), Number(paths.total)), "sum over paths"),))]
    moving = sorted((path for path in paths.paths if path.product), key=lambda path: -abs(path.product))
    heaviest = moving[:MANY_PATHS]
    end = "the loss" if derivation.graph.end.kind == "L" else "the result"
    said = f"{paths.count:,} paths lead to {end}"
    if zeros := len(paths.paths) - len(moving):
        said += f"; {zeros:,} of them have a factor that is 0"
    if len(heaviest) < len(moving):
        said += f"; these {len(heaviest)} weigh most"
    if not heaviest:
        return [Paragraph(f"{said}.")]
    return [Paragraph(f"{said}:"), Lines(tuple(_path_line(gradient, path.edges) for path in heaviest))]


def _path_line(gradient: Name, edges: Sequence[Edge]) -> Line:
    symbols: list[Node] = []
    numbers: list[Node] = []
    product = 1.0
    for edge in edges:
        symbols += [Symbol(name) for name in edge.names] or [Number(edge.factor)]
        numbers.append(Number(edge.factor))
        product *= edge.factor
    return Line(gradient, (Product(tuple(symbols)), Product(tuple(numbers)), Number(product)), "one path")


def _sum_of_paths(paths: Paths) -> Node:
    values = [path.product for path in paths.paths] + ([paths.penalty] if paths.penalty else [])
    terms = tuple(Negative(Number(-value)) if value < 0 else Number(value) for value in values)
    return terms[0] if len(terms) == 1 else Sum(terms)


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
