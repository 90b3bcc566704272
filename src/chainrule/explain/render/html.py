"""A document as HTML with MathML: one file, no script, nothing fetched from anywhere."""

from __future__ import annotations

from html import escape

from chainrule.explain.blocks import Document, Equation, Heading, Lines, Matrices, Paragraph, Table
from chainrule.explain.render.mathml import mathml_line, mathml_matrix

# Browsers fall back through these; where no mathematical font is installed the text font reads well too.
_STYLE = """
.chainrule { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a1a1a;
  background: #fff; }
.chainrule h1 { font-size: 1.5rem; } .chainrule h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; }
.chainrule math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "DejaVu Math TeX Gyre", serif;
  font-size: 1.1em; }
.chainrule .line { display: flex; gap: 1.5rem; align-items: baseline; padding: .3rem .2rem;
  border-bottom: 1px solid #eee; overflow-x: auto; }
.chainrule .remark { color: #666; font-size: .85rem; margin-left: auto; white-space: nowrap; }
.chainrule .vectors { background: #f6f7f9; padding: .3rem .8rem; margin: .6rem 0; border-radius: 6px; }
.chainrule table { border-collapse: collapse; margin: .5rem 0; } .chainrule th, .chainrule td { padding: .2rem .8rem;
  text-align: left; border-bottom: 1px solid #ddd; } .chainrule .right { text-align: right;
  font-variant-numeric: tabular-nums; }
.chainrule mtd { padding: .1em .4em; }
@media (prefers-color-scheme: dark) { .chainrule { color: #e6e6e6; background: #16181c; } .chainrule .line {
  border-color: #2c2f36; } .chainrule .vectors { background: #1e2127; } .chainrule .remark { color: #9a9a9a; } }
"""


def to_html(document: Document, *, whole: bool = True) -> str:
    """The document as an HTML page, or as the part of one that notebooks put in."""
    parts = []
    for block in document.blocks:
        match block:
            case Heading(text, level):
                parts.append(f"<h{level}>{escape(text)}</h{level}>")
            case Paragraph(text):
                parts.append(f"<p>{escape(text)}</p>")
            case Lines(lines):
                for line in lines:
                    remark = f'<span class="remark">{escape(line.remark)}</span>' if line.remark else ""
                    parts.append(f'<div class="line"><span>{mathml_line(line, document)}</span>{remark}</div>')
            case Equation(left, sides):
                parts.append(f"<p><code>{escape(' = '.join([left, *sides]))}</code></p>")
            case Matrices(matrices):
                inside = "".join(
                    f'<div class="line">{mathml_matrix(matrix, document.digits)}'
                    f'<span class="remark">{escape(matrix.formula)}</span></div>'
                    for matrix in matrices
                )
                parts.append(f'<div class="vectors">{inside}</div>')
            case Table():
                parts.append(_table(block))
    body = f'<style>{_STYLE}</style><div class="chainrule">{"".join(parts)}</div>'
    if not whole:
        return body
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(document.title)}</title></head>\n<body>{body}</body></html>\n"
    )


def _table(table: Table) -> str:
    def cells(row: tuple[str, ...], tag: str) -> str:
        return "".join(
            f'<{tag} class="right">{escape(c)}</{tag}>' if i in table.right else f"<{tag}>{escape(c)}</{tag}>"
            for i, c in enumerate(row)
        )

    rows = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in table.rows)
    return f"<table><thead><tr>{cells(table.columns, 'th')}</tr></thead><tbody>{rows}</tbody></table>"
