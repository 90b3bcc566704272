"""A document as plain text: fixed width, no colours, fits into mail and comments; other forms build on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Generic, TypeVar

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
)  # fmt: skip
from chainrule.explain.formula import Number
from chainrule.explain.formula.writer import FormulaWriter
from chainrule.plain import visible

Piece = TypeVar("Piece")  # what a form makes of a block


def to_text(document: Document) -> str:
    """The document as text."""
    return TextRenderer(FormulaWriter(document.notation.symbol, document.digits)).blocks(document) + "\n"


class Renderer(Generic[Piece]):
    """Writes the blocks of documents; a form is a subclass that says what becomes of each kind.

    Arguments:
        writer: writes the formulas.
    """

    more = "..."  # where an array is folded
    heading: Callable[[Heading], Piece]
    paragraph: Callable[[str], Piece]
    lines: Callable[[Sequence[Line]], Piece]
    matrices: Callable[[Sequence[Matrix]], Piece]
    table: Callable[[Table], Piece]

    def __init__(self, writer: FormulaWriter):
        self.writer = writer

    def block(self, block: Block) -> Piece:
        """One block."""
        match block:
            case Heading():
                return self.heading(block)
            case Paragraph(text):
                return self.paragraph(text)
            case Lines(lines):
                return self.lines(lines)
            case Matrices(matrices):
                return self.matrices(matrices)
            case Table():
                return self.table(block)

    def number(self, value: float | None) -> str:
        """A number of an array."""
        return self.more if value is None else self.writer.number(Number(value))[0]


class TextRenderer(Renderer[str]):
    """Writes documents as plain text, and in other forms of text by what stands around the pieces there."""

    between = "\n\n"  # blocks
    one_paragraph = all_lines = all_matrices = symbol = "{}"  # what stands around them; `symbol` is one among words
    words: Callable[[str], str] = staticmethod(str)  # a text with nothing in it that means something else in this form

    def blocks(self, document: Document) -> str:
        """All blocks of a document, one below the other."""
        return visible(self.between.join(map(self.block, document.blocks)), lines=True)

    def paragraph(self, text: str) -> str:
        return self.one_paragraph.format(self.words(text))

    def lines(self, lines: Sequence[Line]) -> str:
        return self.all_lines.format("\n".join(map(self.line, lines)))

    def matrices(self, matrices: Sequence[Matrix]) -> str:
        return self.all_matrices.format("\n".join(map(self.matrix, matrices)))

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

    def table(self, table: Table) -> str:
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
