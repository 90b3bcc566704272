"""What `model.explain(x, y)` gives: every quantity of a forward and a backward pass, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from html import escape
from typing import Any

import numpy as np

from chainrule.errors import InputError
from chainrule.explain.diagram.binding import diagram_of
from chainrule.explain.diagram.drawn import Diagram
from chainrule.explain.document.blocks import Block, Document
from chainrule.explain.document.of_network import document
from chainrule.explain.formula.writer import shown
from chainrule.explain.network.graph import Graph
from chainrule.explain.network.structure import Choice
from chainrule.explain.network.trace import Trace, Trained, trace_rows
from chainrule.explain.output import AnyDerivation
from chainrule.explain.quantities.calculation import Quantity, Route
from chainrule.explain.quantities.notation import Notation, get_notation


class Derivation(AnyDerivation[Graph]):
    """Every quantity of a traced forward and backward pass, made when it is asked for.

    Arguments:
        trace: the engine's numbers.
        notation: the name of a notation, or one of your own; see `chainrule.explain.quantities.notation`.
        digits: significant digits of the numbers in formulas.
        title: of its documents; empty for one that says what network it is.
        symbols: an author's own symbols, each with the name of its quantity; they go before the notation's.
        notes: what else belongs at the beginning of its documents.
        model: whose numbers they are.

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
    >>> work.select(layer="output", kinds=("b", "dL/db"))
    [dL/db[output,1] = dL/dz[output,1] = -0.261536]
    >>> work.paths("W[hidden,2,1]").count, len(work.needed_for("z[output,1]", limit=5))
    (1, 5)
    >>> work.mark({"z[output,1]": "1.04"}).counts["correct"], len(work.to_json(weight="b[output,1]")) > 100
    (1, True)
    >>> diagram = work.diagram(highlight="W[hidden,2,1]")
    >>> [unit.label for unit in diagram.units if unit.on_path]
    ['h1', 'h1', 'L']
    >>> by_hand = work.again(title="By hand", update=False)
    >>> by_hand.document(layer="output").title
    'By hand'
    >>> [text.splitlines()[0] for text in (by_hand.to_text(), by_hand.to_markdown())]
    ['By hand', '# By hand']
    >>> by_hand.to_terminal(width=60, color=False).splitlines()[0]
    'By hand'
    >>> by_hand.to_html().splitlines()[0], by_hand.to_latex().count("begin{document}")
    ('<!DOCTYPE html>', 1)
    >>> work.latex(work["dL/db[output,1]"].name).count("=")
    2
    >>> work.with_numbers(work["dL/db[output,1]"].recipes[0].tree())
    Number(value=-0.2615355718..., text=None)
    """

    def __init__(
        self, trace: Trace, *, notation: str | Notation = "ours", digits: int = 6, title: str = "",
        symbols: Mapping[str, str] | None = None, notes: Sequence[Block] = (), model: Any = None,
    ):  # fmt: skip
        graph = Graph(trace)
        self.symbols = {symbol: graph.parse(name) for symbol, name in (symbols or {}).items()}
        own = {name: symbol for symbol, name in self.symbols.items()}
        super().__init__(graph, get_notation(notation, graph.places, own), digits, title)
        self.trace = trace
        self.model = model
        self.notes = list(notes)

    def __reduce__(self) -> tuple[object, ...]:
        """Copies and pickles hold the engine's numbers; what is looked up in them is looked up anew."""
        symbols = {symbol: str(name) for symbol, name in self.symbols.items()}
        options = {"symbols": symbols, "notes": self.notes, "model": self.model}
        return _remade, (self.trace, {"notation": self.notation, "digits": self.digits, "title": self.title, **options})

    def _check_part(self, layer: str | None, unit: int | None, row: int | None) -> None:
        self.graph.check(Choice(layer, unit, row))

    def document(self, **choice: Any) -> Document:
        """What to write down, for renderers: everything, or one `layer`, `unit`, `row` or `weight` with its paths."""
        return document(self, Choice(**choice), self.notes)

    def diagram(self, *, highlight: str | None = None, row: int | None = None, unit: int | None = None) -> Diagram:
        """The network as a picture in plain data: units and links in their places, each with its numbers.

        Arguments:
            highlight: a weight, bias, input or value: of its paths to the loss one that weighs most is marked.
            row: whose numbers, from 1; left out, the marked path's or the first.
            unit: one that is drawn even in a layer too wide to draw whole.

        Raises:
            InputError: there is no such row, or nothing of the name to highlight.
        """
        return diagram_of(self, row=row, highlight=highlight, unit=unit)

    def _picture(
        self, *, weight: str | None = None, row: int | None = None, unit: int | None = None, **others: Any
    ) -> str:
        """The diagram as HTML with SVG in it, the main path of a chosen weight highlighted."""
        from chainrule.explain.render.svg import figure

        highlight = weight if self.trace.has_target and self.graph.is_trainable else None
        return figure(self.diagram(highlight=highlight, row=row, unit=unit))

    def again(self, *, title: str = "", update: bool = True) -> Derivation:
        """The same numbers under another title, or without an update.

        Arguments:
            title: of its documents.
            update: False leaves out what an optimizer would do.
        """
        trace = copy(self.trace)
        trace.has_update = update
        return Derivation(
            trace, notation=self.notation, digits=self.digits, title=title, notes=self.notes, model=self.model
        )

    @property
    def loss(self) -> float:
        """The loss, penalties included."""
        return self.trace.loss

    def __repr__(self) -> str:
        loss = f"L = {shown(self.loss)}" if self.trace.has_target else "forward only"
        return f"<Derivation of {self.trace.network!r}, {self.n_rows} row{'s' * (self.n_rows > 1)}, {loss}>"


def _remade(trace: Trace, options: Mapping[str, Any]) -> Derivation:
    return Derivation(trace, **options)


def explain(
    model: Trained,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    training: bool = False,
    update: bool = True,
    notation: str | Notation = "ours",
    digits: int = 6,
    title: str = "",
) -> Derivation:
    """The derivation of a row, or of several as one batch: what `Model.explain` calls."""
    trace = trace_rows(model, X, y, sample_weight, training=training, has_update=update)
    return Derivation(trace, notation=notation, digits=digits, title=title, model=model)


def of_weights(model: Trained, notation: str = "ours") -> Derivation:
    """The derivation of a stand-in row, for what needs none of its numbers: a picture of the weights alone.

    Arguments:
        model: whose weights.
        notation: how they are called.

    >>> from chainrule import Model, Network
    >>> of_weights(Model(Network.mlp(2, [3], 1), "squared_error")).n_rows
    1
    """
    row = {}
    for slot in model.network.program.inputs:
        row[slot.name] = np.zeros((1, *slot.shape))
        if slot.dtype == "integer":
            first = [known.start for known in slot.codes] if slot.codes else 0
            row[slot.name] = np.broadcast_to(first, slot.shape if slot.codes is None else (len(slot.codes),))
            row[slot.name] = row[slot.name].reshape(1, *slot.shape).astype(np.int32)
    return explain(model, row, notation=notation)


def picture_of_weights(model: Trained, words: str) -> str:
    """A model's weights as a diagram for notebooks, with words below.

    Arguments:
        model: whose weights.
        words: what is said of it.
    """
    from chainrule.explain.render.svg import figure

    try:
        return figure(diagram_of(of_weights(model), values=False), words)
    except InputError:  # a layer of somebody's own that derivations can't tell of
        return f"<pre>{escape(words)}</pre>"


__all__ = ["Derivation", "Quantity", "Route", "explain"]
