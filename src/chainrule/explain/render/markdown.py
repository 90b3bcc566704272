"""A document as Markdown: formulas in dollar signs, as GitHub and notebooks read them."""

from __future__ import annotations

from chainrule.explain.document.blocks import (
    Document,
    Equation,
    Heading,
    Line,
    Lines,
    Matrices,
    Paragraph,
    SymbolText,
    Table,
)
from chainrule.explain.quantities.notation import Notation
from chainrule.explain.render.latex import latex_line, latex_matrix, latex_written
from chainrule.plain import visible


def to_markdown(document: Document) -> str:
    """The document as Markdown."""
    parts = []
    for block in document.blocks:
        match block:
            case Heading():
                before, name, after = block.parts(document.notation)
                symbol = "" if name is None else f"${latex_written(document.notation.written(name))}$"
                parts.append(f"{'#' * block.level} {_prose(before)}{symbol}{_prose(after)}")
            case Paragraph(text):
                parts.append(_prose(text))
            case Lines(lines):
                parts.append("\n".join(_line(line, document) for line in lines))
            case Equation(left, sides):
                parts.append("`" + " = ".join([left, *sides]) + "`")
            case Matrices(matrices):
                parts.append(
                    "\n".join(
                        f"- ${latex_matrix(matrix, document.digits)}$"
                        + (f" (`{matrix.formula}`)" if matrix.formula else "")
                        for matrix in matrices
                    )
                )
            case Table():
                parts.append(_table(block, document.notation))
    return visible("\n\n".join(parts), lines=True) + "\n"


def _prose(text: str) -> str:
    """Text that no reader of Markdown takes for a tag."""
    return text.replace("<", "\\<")


def _line(line: Line, document: Document) -> str:
    remark = f" ({_prose(line.remark)})" if line.remark else ""
    return f"- ${latex_line(line, document.notation, document.digits)}$" + remark


def _table(table: Table, notation: Notation) -> str:
    def cell(text: str) -> str:
        if isinstance(text, SymbolText):
            return f"${latex_written(notation.written(text.name))}$"
        return _prose(text).replace("|", "\\|")

    ruler = "|".join("--:" if i in table.right else "---" for i in range(len(table.columns)))
    rows = [" | ".join(cell(text) for text in row) for row in table.rows]
    return "\n".join([f"| {' | '.join(table.columns)} |", f"|{ruler}|", *(f"| {row} |" for row in rows)])
