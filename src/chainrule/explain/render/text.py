"""A document as plain text: fixed width, no colours, fits into mail and comments."""

from __future__ import annotations

from itertools import groupby

from chainrule.explain.document.blocks import (
    Document,
    Equation,
    Heading,
    Line,
    Lines,
    Matrices,
    Matrix,
    Paragraph,
    Table,
)
from chainrule.explain.formula.writer import formula_text, shown
from chainrule.plain import visible


def to_text(document: Document) -> str:
    """The document as text."""
    parts = []
    for block in document.blocks:
        match block:
            case Heading(text, level):
                parts.append(f"{text}\n{('=' if level == 1 else '-') * len(text)}")
            case Paragraph(text):
                parts.append(text)
            case Lines(lines):
                parts.append("\n".join(line_text(line, document) for line in lines))
            case Equation(left, sides):
                parts.append(" = ".join([left, *sides]))
            case Matrices(matrices):
                parts.append("\n".join(matrix_text(matrix, document.digits) for matrix in matrices))
            case Table():
                parts.append(table_text(block))
    return visible("\n\n".join(parts), lines=True) + "\n"


def line_text(line: Line, document: Document) -> str:
    """`z[hidden,1] = ... = 0.2*0.5 + ... = 0.44   (used 2 times)`."""
    sides = groupby(formula_text(side, document.notation.symbol, document.digits) for side in line.sides)
    remark = f"    ({line.remark})" if line.remark else ""
    return " = ".join([document.notation.symbol(line.name), *(side for side, _ in sides)]) + remark


def matrix_text(matrix: Matrix, digits: int) -> str:
    """`h hidden = [0.608 0.723]`, rows separated by semicolons."""
    rows = "; ".join(" ".join(_cell(value, digits) for value in row) for row in matrix.values)
    return f"{matrix.symbol} = [{rows}]" + (f"    ({matrix.formula})" if matrix.formula else "")


def _cell(value: float | None, digits: int) -> str:
    return "..." if value is None else shown(value, digits)


def table_text(table: Table) -> str:
    """Columns side by side, numbers at the right."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = [
        "  ".join(
            c.rjust(w) if i in table.right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([lines[0].rstrip(), "-" * max(map(len, lines)), *(line.rstrip() for line in lines[1:])])
