"""What `model.explain(x, y)` gives: every quantity of a forward and a backward pass, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chainrule.explain.formula import Node, Number, Symbol, replace_symbols
from chainrule.explain.graph import Graph
from chainrule.explain.names import GIVEN, KINDS, Name, parse
from chainrule.explain.notation import Notation, get_notation
from chainrule.explain.numbers import shown
from chainrule.explain.order import in_order
from chainrule.explain.recipes import Products
from chainrule.explain.trace import Trace, trace_rows
from chainrule.explain.uses import count_uses

if TYPE_CHECKING:
    from chainrule.explain.document import Block, Document
    from chainrule.explain.marking.marks import Marks
    from chainrule.explain.paths import Paths
    from chainrule.model import Model


@dataclass(frozen=True)
class Route:
    """One way to a quantity: `formula` and `numbers` are trees for renderers, their texts are in the quantity."""

    title: str
    formula: Node | None
    numbers: Node | None


class Quantity:
    """One scalar of a derivation: what it is, where it comes from, and how often it is used again.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error")
    >>> model.set_parameters({"output": {"W": [[2.0]], "b": [1.0]}})
    >>> z = model.explain([3.0], [5.0])["z[output,1]"]
    >>> z.value, z.numbers, z.uses
    (7.0, '2*3 + 1', 1)
    """

    def __init__(self, derivation: Derivation, name: Name):
        self.derivation = derivation
        self.name = name

    @cached_property
    def value(self) -> float:
        """The engine's value, in float64."""
        return self.derivation.graph.value(self.name)

    @property
    def meaning(self) -> str:
        """What kind of quantity it is, in words."""
        return KINDS[self.name.kind].meaning

    @property
    def symbol(self) -> str:
        """Its symbol in the derivation's notation."""
        return self.derivation.notation.text(self.name)

    @property
    def general(self) -> str:
        """The general formula, as the layer, loss or optimizer has it; empty for what is given."""
        recipes = self.derivation.graph.recipes(self.name)
        return recipes[0].general if recipes else ""

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every standard way to compute it that has a formula, the chain rule's first."""
        routes: list[Route] = []
        for recipe in self.derivation.graph.recipes(self.name):
            tree = recipe.tree()
            if tree is None and routes:
                continue
            numbers = None if tree is None else self.derivation.with_numbers(tree)
            title = recipe.route or ("chain rule" if isinstance(recipe, Products) else "")
            routes.append(Route(title, tree, numbers))
        return tuple(routes)

    @property
    def formula(self) -> str:
        """The formula in the symbols of its inputs."""
        from chainrule.explain.render.formula_text import formula_text

        routes = self.routes
        if not routes or routes[0].formula is None:
            return self.general.partition(" = ")[2]
        return formula_text(routes[0].formula, self.derivation.symbol_text)

    @property
    def numbers(self) -> str:
        """The formula with the numbers put in."""
        from chainrule.explain.render.formula_text import formula_text

        routes = self.routes
        if not routes or routes[0].numbers is None:
            return shown(self.value, self.derivation.digits)
        return formula_text(routes[0].numbers, self.derivation.symbol_text, self.derivation.digits)

    @property
    def inputs(self) -> tuple[Name, ...]:
        """The quantities that it is computed from."""
        recipes = self.derivation.graph.recipes(self.name)
        return recipes[0].inputs if recipes else ()

    @property
    def uses(self) -> int:
        """How many later quantities are computed from it."""
        return count_uses(self.derivation.graph, self.name)

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        formula = f" = {self.formula} = {self.numbers}" if self.inputs else ""
        return f"{self.symbol}{formula} = {shown(self.value, self.derivation.digits)}"


class Derivation:
    """Every quantity of a traced forward and backward pass, made when it is asked for.

    Arguments:
        trace: the engine's numbers.
        notation: the name of a notation, or one of your own; see `chainrule.explain.notation`.
        digits: significant digits of the numbers in formulas.

    >>> from chainrule import Model, Network
    >>> net = Network.mlp(2, [2], 1, activation="sigmoid", output="sigmoid")
    >>> model = Model(net, "binary_cross_entropy", "sgd")
    >>> model.set_parameters({"hidden": {"W": [[0.2, 0.4], [0.3, 0.7]], "b": [0.1, 0.2]},
    ...                       "output": {"W": [[0.5], [0.6]], "b": [0.3]}})
    >>> work = model.explain([0.5, 0.8], 1)
    >>> round(work["dL/dz[output,1]"].value, 6)
    -0.261536
    >>> work["dL/dW[hidden,2,1]"]
    dL/dW[hidden,2,1] = dL/dz[hidden,1]*dz/dW[hidden,2,1] = -0.0311593*0.8 = -0.0249275
    """

    def __init__(self, trace: Trace, *, notation: str | Notation = "ours", digits: int = 6, title: str = ""):
        self.trace = trace
        self.graph = Graph(trace)
        self.notation = get_notation(notation, self.graph)
        self.digits = digits
        self.title = title
        self.notes: list[Block] = []  # what else belongs at the beginning of its document

    @property
    def model(self) -> Model:
        """The model that is explained."""
        return self.trace.model

    def __getitem__(self, name: str | Name) -> Quantity:
        """A quantity by its name.

        Raises:
            InputError: there is none of that name; the message says what there is.
        """
        return Quantity(self, self.graph.resolve(parse(name) if isinstance(name, str) else name))

    def __contains__(self, name: str) -> bool:
        from chainrule.errors import InputError

        try:
            self[name]
        except InputError:
            return False
        return True

    def __iter__(self) -> Iterator[Quantity]:
        """Every computed quantity, in the order of computation."""
        for name in in_order(self.graph):
            yield Quantity(self, name)

    def select(
        self,
        *,
        layer: str | None = None,
        unit: int | None = None,
        row: int | None = None,
        kinds: tuple[str, ...] | None = None,
    ) -> list[Quantity]:
        """The quantities of one layer, unit (from 1), row (from 1) or of some kinds, in the order of computation."""
        from chainrule.explain.document import check_layer

        if layer is not None:
            check_layer(self, layer)
        return [
            quantity
            for quantity in self
            if (layer is None or quantity.name.layer == layer)
            and (unit is None or (quantity.name.index and quantity.name.index[-1] == unit))
            and (row is None or quantity.name.row in (None, row))
            and (kinds is None or quantity.name.kind in kinds)
        ]

    def needed_for(self, name: str | Name, limit: int = 200) -> list[Quantity]:
        """What a quantity is computed from, down to what is given, nearest first, at most `limit`; itself included."""
        start = self[name].name
        found: dict[Name, None] = {start: None}
        waiting = [start]
        while waiting and len(found) < limit:
            following = []
            for current in waiting:
                for source in Quantity(self, current).inputs:
                    if source not in found and source.kind not in GIVEN and len(found) < limit:
                        found[source] = None
                        following.append(source)
            waiting = following
        from chainrule.explain.order import position

        return [Quantity(self, n) for n in sorted(found, key=lambda n: position(self.graph, n))]

    def paths(self, name: str | Name) -> Paths:
        """All paths from a weight, bias, input or activation to the loss, each with its product."""
        from chainrule.explain.paths import find_paths

        return find_paths(self, self[name].name)

    def with_numbers(self, tree: Node) -> Node:
        """A formula with the values of its symbols put in."""
        from chainrule.explain.formula import symbols_of

        numbers: dict[str, Node] = {
            symbol: Number(self.graph.value(parse(symbol)))
            for symbol in symbols_of(tree)
            if symbol in self._known(tree)
        }
        return replace_symbols(tree, numbers)

    @staticmethod
    def _known(tree: Node) -> set[str]:
        from chainrule.explain.formula import symbols_of

        return {symbol for symbol in symbols_of(tree) if symbol.split("[")[0] in KINDS}

    def symbol_text(self, symbol: Symbol) -> str:
        """A symbol of a formula in the derivation's notation."""
        if symbol.name.split("[")[0] in KINDS:
            return self.notation.text(parse(symbol.name))
        return symbol.name

    def mark(self, work: Mapping[str, Any], symbols: Mapping[str, str] | None = None) -> Marks:
        """Mark hand-worked numbers: texts by name (or by your own symbol, explained in `symbols`).

        The digits written decide the tolerance, so give texts: `{"z[hidden,1]": "0.44"}`.
        """
        from chainrule.explain.marking.marks import mark

        return mark(self, work, symbols or {})

    def document(self, **choice: Any) -> Document:
        """What to write down, for renderers: everything, or one `layer`, `unit`, `row` or `weight` with its paths."""
        from chainrule.explain.document import Choice, document

        return document(self, Choice(**choice))

    def to_text(self, **choice: Any) -> str:
        """Plain text."""
        from chainrule.explain.render.text import to_text

        return to_text(self.document(**choice))

    def to_markdown(self, **choice: Any) -> str:
        """Markdown with formulas in dollar signs."""
        from chainrule.explain.render.markdown import to_markdown

        return to_markdown(self.document(**choice))

    def to_latex(self, **choice: Any) -> str:
        """A LaTeX file."""
        from chainrule.explain.render.latex import to_latex

        return to_latex(self.document(**choice))

    def to_html(self, **choice: Any) -> str:
        """An HTML page with MathML; no script, no network."""
        from chainrule.explain.render.html import to_html

        return to_html(self.document(**choice))

    def to_json(
        self, weight: str | None = None, *, layer: str | None = None, unit: int | None = None, row: int | None = None
    ) -> str:
        """JSON of every quantity, of one layer, unit or row, or of what the gradient by one weight is computed from."""
        from chainrule.explain.paths import gradient_name
        from chainrule.explain.render.json import to_json

        if weight is None:
            return to_json(self, self.select(layer=layer, unit=unit, row=row))
        return to_json(self, self.needed_for(gradient_name(self.graph, self[weight].name)))

    def _repr_html_(self) -> str:
        from chainrule.explain.render.html import to_html

        return to_html(self.document(), whole=False)

    @property
    def loss(self) -> float:
        """The loss, penalties included."""
        return self.trace.loss

    def __repr__(self) -> str:
        loss = "forward only" if self.graph.forward_only else f"L = {shown(self.loss)}"
        rows = self.trace.n_rows
        return f"<Derivation of {self.model.network!r}, {rows} row{'s' * (rows > 1)}, {loss}>"


def explain(
    model: Model,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    training: bool = False,
    notation: str | Notation = "ours",
    digits: int = 6,
) -> Derivation:
    """The derivation of a row, or of several as one batch: what `Model.explain` calls."""
    trace = trace_rows(model, X, y, sample_weight, training=training)
    work = Derivation(trace, notation=notation, digits=digits)
    work.graph.forward_only = y is None
    return work
