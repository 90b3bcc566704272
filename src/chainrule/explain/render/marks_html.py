"""Marks as an HTML table, for notebooks: what was written, what is right, the verdict and why."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from chainrule.explain.formula.numbers import shown

if TYPE_CHECKING:
    from chainrule.explain.marking.marks import Mark, Marks

# Colours that read on light and on dark pages alike; the verdict is a word too, so that nothing hangs on them.
_STYLE = """
.chainrule-marks table { border-collapse: collapse; } .chainrule-marks th, .chainrule-marks td { padding: .2rem .7rem;
  text-align: left; border-bottom: 1px solid #8884; } .chainrule-marks .right { text-align: right;
  font-variant-numeric: tabular-nums; }
.chainrule-marks .correct { color: #1a8a3a; } .chainrule-marks .follows { color: #b07a00; }
.chainrule-marks .wrong { color: #d13030; font-weight: bold; } .chainrule-marks .unknown { color: #888; }
"""
_COLUMNS = (("", ""), ("written", "right"), ("exact", "right"), ("from own values", "right"), ("verdict", ""), ("", ""))


def marks_html(marks: Marks) -> str:
    """The table, and the sentence that names the first wrong step."""
    head = "".join(f'<th class="{kind}">{name}</th>' for name, kind in _COLUMNS)
    title = f"<p><b>{escape(marks.title)}</b></p>" if marks.title else ""
    rows = "".join(map(_row, marks.entries))
    return (
        f'<style>{_STYLE}</style><div class="chainrule-marks">{title}<table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table><p>{escape(marks.sentence)}</p></div>"
    )


def _row(mark: Mark) -> str:
    numbers = ["" if value is None else shown(value) for value in (mark.exact, mark.from_own_values)]
    cells = [f"<td>{escape(mark.symbol)}</td>"]
    cells += [f'<td class="right">{escape(text)}</td>' for text in (mark.written, *numbers)]
    cells.append(f'<td class="{mark.verdict}">{mark.verdict}</td>')
    why = mark.note or ("" if mark.diagnosis is None else mark.diagnosis.text)
    return f"<tr>{''.join(cells)}<td>{escape(why)}</td></tr>"
