"""A document as HTML with MathML: one file, no script, nothing fetched from anywhere."""

from __future__ import annotations

from html import escape

from chainrule.explain.document.blocks import (
    Document,
    Equation,
    Heading,
    Line,
    Lines,
    Matrices,
    Matrix,
    Paragraph,
    SymbolText,
    Table,
)
from chainrule.explain.quantities.notation import Notation
from chainrule.explain.render.mathml import mathml_matrix, mathml_name, mathml_sides
from chainrule.explain.render.style import MARKS_STYLE, PAGE_STYLE, STYLE
from chainrule.plain import visible


def to_html(document: Document, *, whole: bool = True) -> str:
    """The document as an HTML page, or as the part of one that notebooks put in."""
    parts = []
    for block in document.blocks:
        match block:
            case Heading():
                parts.append(_heading(block, document.notation))
            case Paragraph(text):
                parts.append(f"<p>{escape(text)}</p>")
            case Lines(lines):
                rows = "\n".join(_line(line, document) for line in lines)
                parts.append(f'<div class="lines">\n{rows}\n</div>')
            case Equation(left, sides):
                parts.append(f"<p><code>{escape(' = '.join([left, *sides]))}</code></p>")
            case Matrices(matrices):
                rows = "\n".join(_matrix(matrix, document.digits) for matrix in matrices)
                parts.append(f'<div class="lines vectors">\n{rows}\n</div>')
            case Table():
                parts.append(_table(block, document.notation))
    inside = visible("\n".join(parts), lines=True)
    body = f'<style>{STYLE}</style>\n<div class="chainrule">\n{inside}\n</div>'
    if not whole:
        return body
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(visible(document.title))}</title>\n<style>{PAGE_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def marks_html(title: str, table: Table, sentence: str) -> str:
    """Marks for notebooks: a row for each entry, its verdict in the last column but one, and a sentence."""
    verdict = len(table.columns) - 2

    def cell(text: str, i: int) -> str:
        kind = "right" if i in table.right else text if i == verdict else ""
        return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"

    head = "".join(f'<th class="{"right" * (i in table.right)}">{name}</th>' for i, name in enumerate(table.columns))
    rows = "".join(f"<tr>{''.join(cell(text, i) for i, text in enumerate(row))}</tr>" for row in table.rows)
    above = f"<p><b>{escape(title)}</b></p>" if title else ""
    page = (
        f'<style>{MARKS_STYLE}</style><div class="chainrule-marks">{above}<table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table><p>{escape(sentence)}</p></div>"
    )
    return visible(page, lines=True)


def _heading(heading: Heading, notation: Notation) -> str:
    before, name, after = heading.parts(notation)
    symbol = "" if name is None else mathml_name(name, notation)
    return f"<h{heading.level}>{escape(before)}{symbol}{escape(after)}</h{heading.level}>"


def _line(line: Line, document: Document) -> str:
    """Three cells: the symbol, what it is equal to, the remark."""
    left, sides = mathml_name(line.name, document.notation), mathml_sides(line, document)
    return _cells(left, sides, line.remark, "remark")


def _matrix(matrix: Matrix, digits: int) -> str:
    left, right = mathml_matrix(matrix, digits)
    return _cells(left, right, matrix.formula, "remark formula")


def _cells(left: str, right: str, remark: str, kind: str) -> str:
    return (
        f'<div class="line"><span class="symbol">{left}</span><span class="sides">{right}</span>'
        f'<span class="{kind}">{escape(remark)}</span></div>'
    )


def _table(table: Table, notation: Notation) -> str:
    def cell(text: str, i: int, tag: str) -> str:
        inside = mathml_name(text.name, notation) if isinstance(text, SymbolText) else escape(text)
        return f'<{tag} class="right">{inside}</{tag}>' if i in table.right else f"<{tag}>{inside}</{tag}>"

    def cells(row: tuple[str, ...], tag: str) -> str:
        return "".join(cell(text, i, tag) for i, text in enumerate(row))

    rows = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in table.rows)
    return (
        f'<div class="table"><table>\n<thead><tr>{cells(table.columns, "th")}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>"
    )
