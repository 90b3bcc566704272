"""A calculation asked by the names of its quantities: what each is, what it comes from, by which paths."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from chainrule.errors import InputError
from chainrule.explain.formula import Node
from chainrule.explain.formula.tree import with_values
from chainrule.explain.formula.writer import formula_text, shown
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation
from chainrule.explain.quantities.paths import Paths, find_paths
from chainrule.explain.quantities.recipes import Quantities, Recipe
from chainrule.limits import Limit, check

Graph = TypeVar("Graph", bound=Quantities, covariant=True)
_DIGITS = Limit(1, 100, whole=True)


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

    def __init__(self, derivation: Calculation[Quantities], name: Name):
        self.derivation = derivation
        self.name = name

    def __reduce__(self) -> tuple[object, ...]:
        return Quantity, (self.derivation, self.name)

    @cached_property
    def value(self) -> float:
        """The engine's value, in float64."""
        return self.derivation.graph.value(self.name)

    @cached_property
    def recipes(self) -> tuple[Recipe, ...]:
        """The ways to compute it, the chain rule's first; none for what is given."""
        return self.derivation.graph.recipes(self.name)

    @property
    def meaning(self) -> str:
        """What kind of quantity it is, in words."""
        return self.derivation.graph.meaning(self.name)

    @property
    def symbol(self) -> str:
        """Its symbol in the derivation's notation."""
        return self.derivation.notation.text(self.name)

    @property
    def general(self) -> str:
        """The general formula, as the layer, loss or optimizer has it; empty for what is given."""
        return self.recipes[0].general if self.recipes else ""

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every standard way to compute it that has a formula, the chain rule's first."""
        routes = [(recipe.route, recipe.tree()) for recipe in self.recipes]
        kept = routes[:1] + [route for route in routes[1:] if route[1] is not None]
        return tuple(Route(title, tree, tree and self.derivation.with_numbers(tree)) for title, tree in kept)

    @property
    def formula(self) -> str:
        """The formula in the symbols of its inputs."""
        routes = self.routes
        if not routes or routes[0].formula is None:
            return self.general.partition(" = ")[2]
        return formula_text(routes[0].formula, self.derivation.notation.symbol)

    @property
    def numbers(self) -> str:
        """The formula with the numbers put in."""
        routes = self.routes
        if not routes or routes[0].numbers is None:
            return shown(self.value, self.derivation.digits)
        return formula_text(routes[0].numbers, self.derivation.notation.symbol, self.derivation.digits)

    @property
    def inputs(self) -> tuple[Name, ...]:
        """The quantities that it is computed from."""
        return self.recipes[0].inputs if self.recipes else ()

    @property
    def uses(self) -> int:
        """How many later quantities are computed from it."""
        return self.derivation.graph.uses(self.name)

    def __float__(self) -> float:
        return self.value

    def _repr_latex_(self) -> str:
        return self.derivation.latex(self.name)

    def __repr__(self) -> str:
        sides = [self.formula, self.numbers] if self.inputs else []
        sides.append(shown(self.value, self.derivation.digits))
        return " = ".join([self.symbol, *dict.fromkeys(sides)])


class Calculation(ABC, Generic[Graph]):
    """Every quantity of a calculation and of its way back, made when it is asked for.

    Arguments:
        graph: the quantities.
        notation: how symbols are written.
        digits: significant digits of the numbers in formulas.

    Raises:
        InputError: `digits` is no whole number from 1 to 100.
    """

    def __init__(self, graph: Graph, notation: Notation, digits: int, title: str):
        check("explain", "digits", digits, _DIGITS)
        self.graph = graph
        self.notation = notation
        self.digits = digits
        self.title = title

    @property
    def n_rows(self) -> int:
        """How many rows are explained together: of an expression, one point at a time."""
        return self.graph.n_rows

    def __getitem__(self, name: str | Name) -> Quantity:
        """A quantity by its name.

        Raises:
            InputError: there is none of that name; the message says what there is.
        """
        return Quantity(self, self.graph.parse(name) if isinstance(name, str) else self.graph.resolve(name))

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except InputError:
            return False
        return True

    def __iter__(self) -> Iterator[Quantity]:
        """Every computed quantity, in the order of computation."""
        for name in self.graph.in_order():
            yield Quantity(self, name)

    def select(
        self,
        *,
        layer: str | None = None,
        unit: int | None = None,
        row: int | None = None,
        kinds: tuple[str, ...] | None = None,
    ) -> list[Quantity]:
        """The quantities of one layer, unit or row, or of some kinds, in the order of computation.

        Arguments:
            layer: its name.
            unit: from 1.
            row: from 1.
            kinds: such as `("z", "dL/dz")`.
        """
        self._check_part(layer, unit, row)
        return [
            quantity
            for quantity in self
            if (layer is None or quantity.name.layer == layer)
            and (unit is None or (quantity.name.index and quantity.name.index[-1] == unit))
            and (row is None or quantity.name.row in (None, row))
            and (kinds is None or quantity.name.kind in kinds)
        ]

    def _check_part(self, layer: str | None, unit: int | None, row: int | None) -> None:
        """Raise an `InputError` where there is no such layer, unit or row."""

    def needed_for(self, name: str | Name, limit: int = 200) -> list[Quantity]:
        """What a quantity is computed from, down to what is given, nearest first; itself included.

        Arguments:
            name: of the quantity.
            limit: how many at most.
        """
        return [Quantity(self, n) for n in self.graph.needed_for(self[name].name, limit)]

    def paths(self, name: str | Name) -> Paths:
        """All paths from a weight, bias, input or activation to the loss, each with its product.

        Arguments:
            name: of what they begin at.
        """
        return find_paths(self.graph, self[name].name)

    def with_numbers(self, tree: Node) -> Node:
        """A formula with the values of its symbols put in.

        Arguments:
            tree: a formula whose symbols name quantities.
        """
        return with_values(tree, self.graph.value)

    @abstractmethod
    def latex(self, name: Name) -> str:
        """A quantity with its formulas as one line of LaTeX, which notebooks show."""
