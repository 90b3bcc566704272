"""A document as plain text: fixed width, no colours, fits into mail and comments; other forms build on it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from chainrule.explain.document.blocks import (
    Block,
    Document,
    Heading,
    Line,
    Lines,
    Matrices,
    Matrix,
    Paragraph,
    SymbolText,
    Table,
)
from chainrule.explain.formula import Number
from chainrule.explain.formula.writer import FormulaWriter
from chainrule.plain import visible


def to_text(document: Document) -> str:
    """The document as text."""
    return Renderer(FormulaWriter(document.notation.symbol, document.digits)).blocks(document) + "\n"


class Renderer:
    """Writes documents as plain text; another form is a subclass that says how each piece looks in it.

    Arguments:
        writer: writes the formulas.
    """

    between = "\n\n"  # blocks
    paragraph = lines = matrices = symbol = "{}"  # what stands around them; `symbol` is one among words
    more = "..."  # where an array is folded
    words: Callable[[str], str] = staticmethod(str)  # a text with nothing in it that means something else in this form

    def __init__(self, writer: FormulaWriter):
        self.writer = writer

    def blocks(self, document: Document) -> str:
        """All blocks of a document, one below the other."""
        return visible(self.between.join(map(self.block, document.blocks)), lines=True)

    def block(self, block: Block) -> str:
        """One block."""
        match block:
            case Heading():
                return self.heading(block)
            case Paragraph(text):
                return self.paragraph.format(self.words(text))
            case Lines(lines):
                return self.lines.format("\n".join(map(self.line, lines)))
            case Matrices(matrices):
                return self.matrices.format("\n".join(map(self.matrix, matrices)))
            case Table():
                return self.table(block)

    def prose(self, *parts: str) -> str:
        """Texts and symbols in a row."""
        return "".join(
            self.symbol.format(self.writer.symbol(part.name)) if isinstance(part, SymbolText) else self.words(part)
            for part in parts
        )

    def heading(self, heading: Heading) -> str:
        """A heading."""
        return f"{heading.text}\n{('=' if heading.level == 1 else '-') * len(heading.text)}"

    def line(self, line: Line) -> str:
        """`z[hidden,1] = ... = 0.2*0.5 + ... = 0.44   (used 2 times)`."""
        return self.equation(line) + (f"    ({line.remark})" if line.remark else "")

    def equation(self, line: Line) -> str:
        """A quantity with its formulas and value, in one row; what would be said twice is said once."""
        sides = groupby(map(self.writer.text, line.sides))
        return " = ".join([self.writer.symbol(line.name), *(side for side, _ in sides)])

    def matrix(self, matrix: Matrix) -> str:
        """`h hidden = [0.608 0.723]`, rows separated by semicolons."""
        rows = "; ".join(" ".join(map(self.number, row)) for row in matrix.values)
        return f"{matrix.symbol} = [{rows}]" + (f"    ({matrix.formula})" if matrix.formula else "")

    def number(self, value: float | None) -> str:
        """A number of an array."""
        return self.more if value is None else self.writer.number(Number(value))[0]

    def table(self, table: Table) -> str:
        """A table of texts."""
        return table_text(table)


def table_text(table: Table) -> str:
    """Columns side by side, numbers at the right."""
    rows = [table.columns, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            c.rjust(w) if i in table.right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([lines[0].rstrip(), "-" * max(map(len, lines)), *(line.rstrip() for line in lines[1:])])
