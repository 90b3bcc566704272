"""A document as Markdown: formulas in dollar signs, as GitHub and notebooks read them."""

from __future__ import annotations

import re

from chainrule.explain.document.blocks import Document, Heading, Line, Matrix, SymbolText, Table
from chainrule.explain.render.latex import LatexWriter
from chainrule.explain.render.text import TextRenderer

# What readers take for a tag, emphasis, code, a link, a picture or an entity, and a backslash that changes the next.
_MEANS_MORE = re.compile(r"\\(?=[!-/:-@\[-`{-~])|[<*`~]|(?<=\])[(\[:]|\b_|_\b|&(?=#?\w+;)")


def to_markdown(document: Document) -> str:
    """The document as Markdown."""
    return MarkdownRenderer(LatexWriter(document.notation, document.digits)).blocks(document) + "\n"


class MarkdownRenderer(TextRenderer):
    """Writes documents as Markdown."""

    writer: LatexWriter
    symbol = "${}$"
    words = staticmethod(lambda text: _MEANS_MORE.sub(r"\\\g<0>", text))

    def heading(self, heading: Heading) -> str:
        return f"{'#' * heading.level} {self.prose(*heading.parts)}"

    def line(self, line: Line) -> str:
        return f"- ${self.equation(line)}$" + (f" ({self.words(line.remark)})" if line.remark else "")

    def matrix(self, matrix: Matrix) -> str:
        formula = " = ".join(self.writer.matrix(matrix))
        return f"- ${formula}$" + (f" (`{matrix.formula}`)" if matrix.formula else "")

    def table(self, table: Table) -> str:
        def cell(text: str) -> str:
            return self.prose(text) if isinstance(text, SymbolText) else self.words(text).replace("|", "\\|")

        ruler = "|".join("--:" if i in table.right else "---" for i in range(len(table.columns)))
        rows = [" | ".join(map(cell, row)) for row in table.rows]
        return "\n".join([f"| {' | '.join(table.columns)} |", f"|{ruler}|", *(f"| {row} |" for row in rows)])
