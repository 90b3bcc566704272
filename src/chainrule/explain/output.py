"""What both derivations can do with their quantities: write them down in any form, and mark somebody's work."""

from __future__ import annotations

import json
import math
import re
from abc import abstractmethod
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError
from chainrule.explain.document.blocks import Document, line
from chainrule.explain.quantities.calculation import Calculation, Graph, Quantity
from chainrule.explain.quantities.names import Name

if TYPE_CHECKING:
    from chainrule.explain.marking.marks import Marks

FORMAT = "chainrule-derivation/1"
MOST_IN_JSON = 50_000  # quantities; some 20 MB
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")  # written as escapes


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
        from chainrule.explain.render.latex import LatexRenderer, LatexWriter

        return f"${LatexRenderer(LatexWriter(self.notation, self.digits)).equation(line(self, name))}$"

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

        return to_html(self.document(**choice), self._picture(**choice))

    def _picture(self, **choice: Any) -> str:
        """What a page shows as a picture, as HTML; empty where there is none. What is chosen, as for `document`."""
        return ""

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
        if weight is not None:
            return self._json(self.needed_for(self.graph.gradient_of(self[weight].name)))
        if not (layer is None and unit is None and row is None):
            return self._json(self.select(layer=layer, unit=unit, row=row))
        names = list(islice(self.graph.in_order(), MOST_IN_JSON + 1))
        if len(names) > MOST_IN_JSON:
            raise InputError(
                f"there are more than {MOST_IN_JSON:,} quantities; choose a weight, as in W[hidden,1,1], "
                "to have those that its gradient is computed from"
            )
        return self._json([self[name] for name in names])

    def _json(self, quantities: list[Quantity]) -> str:
        spelled = self.graph.spelled
        made = {
            "format": FORMAT,
            "title": self.title,
            "rows": self.n_rows,
            "quantities": [
                {
                    "name": spelled(q.name), "symbol": q.symbol, "meaning": q.meaning, "general": q.general,
                    "formula": q.formula, "numbers": q.numbers, "value": q.value if math.isfinite(q.value) else None,
                    "inputs": [spelled(name) for name in q.inputs], "uses": q.uses,
                }
                for q in quantities
            ],
        }  # fmt: skip
        text = json.dumps(made, indent=2, ensure_ascii=False)
        return _UNSEEN.sub(lambda c: json.dumps(c.group())[1:-1], text) + "\n"

    def _repr_html_(self) -> str:
        from chainrule.explain.render.html import to_html

        return to_html(self.document(), self._picture(), whole=False)
