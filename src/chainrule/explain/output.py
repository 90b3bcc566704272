"""What both derivations can do with their quantities: write them down in any form, and mark somebody's work."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError
from chainrule.explain.document.blocks import Document
from chainrule.explain.document.lines import line
from chainrule.explain.quantities.calculation import Calculation, Graph
from chainrule.explain.quantities.names import Name

if TYPE_CHECKING:
    from chainrule.explain.marking.marks import Marks

MOST_IN_JSON = 50_000  # quantities; some 20 MB


class AnyDerivation(Calculation[Graph]):
    """A calculation that can be written down and marked.

    Renderers and marking are loaded when they are asked for: a terminal's needs more than a page's.
    """

    symbols: Mapping[str, Name] = MappingProxyType({})  # an author's own

    def latex(self, name: Name) -> str:
        """A quantity with its formulas as one line of LaTeX, which notebooks show.

        Arguments:
            name: of the quantity.
        """
        from chainrule.explain.render.latex import latex_line

        return f"${latex_line(line(self, name), self.notation, self.digits)}$"

    def mark(self, work: Mapping[str, Any], symbols: Mapping[str, str] | None = None) -> Marks:
        """Mark hand-worked numbers.

        Arguments:
            work: texts by name or by symbol, such as `{"z[hidden,1]": "0.44"}`; the digits decide the tolerance.
            symbols: symbols of the writer's own, each with the name of its quantity.

        Raises:
            InputError: a name is of no quantity, or a text is no number.
        """
        from chainrule.explain.marking.marks import mark

        return mark(self, work, {**self.symbols, **(symbols or {})})

    @abstractmethod
    def document(self, **choice: Any) -> Document:
        """What to write down, for renderers: everything, or what was chosen by `layer`, `unit`, `row` or `weight`."""

    def to_text(self, **choice: Any) -> str:
        """Plain text."""
        from chainrule.explain.render.text import to_text

        return to_text(self.document(**choice))

    def to_terminal(self, width: int = 80, *, color: bool = True, **choice: Any) -> str:
        """Text for a terminal, aligned. What is chosen, as for `document`.

        Arguments:
            width: columns.
            color: whether there are escape sequences that colour it.
        """
        from chainrule.explain.render.terminal import to_terminal

        return to_terminal(self.document(**choice), width, color=color)

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
        """JSON of every quantity, of one layer, unit or row, or of what the gradient by one weight is computed from.

        Arguments:
            weight: its name.
            layer: a name.
            unit: from 1.
            row: from 1.

        Raises:
            InputError: there are more quantities than anybody can use; choose a weight.
        """
        from chainrule.explain.render.json import to_json

        if weight is None and not (layer is None and unit is None and row is None):
            return to_json(self, self.select(layer=layer, unit=unit, row=row))
        if weight is None:
            names = list(islice(self.graph.in_order(), MOST_IN_JSON + 1))
            if len(names) > MOST_IN_JSON:
                raise InputError(
                    f"there are more than {MOST_IN_JSON:,} quantities; choose a weight, as in W[hidden,1,1], "
                    "to have those that its gradient is computed from"
                )
            return to_json(self, [self[name] for name in names])
        return to_json(self, self.needed_for(self.graph.gradient_of(self[weight].name)))

    def _repr_html_(self) -> str:
        from chainrule.explain.render.html import to_html

        return to_html(self.document(), whole=False)
