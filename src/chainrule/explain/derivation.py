"""What `model.explain(x, y)` gives: every quantity of a forward and a backward pass, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.explain.formula.numbers import shown
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.trace import Trace, trace_rows
from chainrule.explain.quantities.calculation import AnyDerivation, Quantity, Route
from chainrule.explain.quantities.notation import Notation, get_notation

if TYPE_CHECKING:
    from chainrule.explain.document.blocks import Block, Document
    from chainrule.model import Model


class Derivation(AnyDerivation):
    """Every quantity of a traced forward and backward pass, made when it is asked for.

    Arguments:
        trace: the engine's numbers.
        notation: the name of a notation, or one of your own; see `chainrule.explain.quantities.notation`.
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
        graph = Graph(trace)
        super().__init__(graph, get_notation(notation, graph), digits, title)
        self.graph: Graph = graph
        self.notes: list[Block] = []  # what else belongs at the beginning of its document

    @property
    def n_rows(self) -> int:
        """How many rows are explained together."""
        return self.trace.n_rows

    @property
    def model(self) -> Model:
        """The model that is explained."""
        return self.trace.model

    def select(
        self,
        *,
        layer: str | None = None,
        unit: int | None = None,
        row: int | None = None,
        kinds: tuple[str, ...] | None = None,
    ) -> list[Quantity]:
        """The quantities of one layer, unit (from 1), row (from 1) or of some kinds, in the order of computation."""
        from chainrule.explain.document.of_network import Choice, check

        check(self, Choice(layer, unit, row))
        return super().select(layer=layer, unit=unit, row=row, kinds=kinds)

    def document(self, **choice: Any) -> Document:
        """What to write down, for renderers: everything, or one `layer`, `unit`, `row` or `weight` with its paths."""
        from chainrule.explain.document.of_network import Choice, document

        return document(self, Choice(**choice))

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


__all__ = ["Derivation", "Quantity", "Route", "explain"]
