"""A document as HTML with MathML: one file, no script, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from html import escape
from itertools import groupby

from chainrule.explain.document.blocks import Document, Heading, Line, Matrix, Table
from chainrule.explain.formula import NamedNumber, Negative, Node, Number, Product, Sum
from chainrule.explain.formula.writer import ATOM, COMPARISON, POWER, PRODUCT, SUM, FormulaWriter, Look, shown
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation, Ratio, Sign
from chainrule.explain.render.style import MARKS_STYLE, PAGE_STYLE, STYLE
from chainrule.explain.render.text import TextRenderer
from chainrule.plain import visible

MINUS = '<mo form="prefix">\u2212</mo>'
_NO_SIGN = f"<mphantom>{MINUS}</mphantom>"
_D = '<mo form="prefix" lspace="0" rspace="0">∂</mo>'


def to_html(document: Document, picture: str = "", *, whole: bool = True) -> str:
    """The document as an HTML page, or as the part of one that notebooks put in; a picture below its first words."""
    renderer = HtmlRenderer(MathmlWriter(document.notation, document.digits))
    first, others = (replace(document, blocks=part) for part in (document.blocks[:2], document.blocks[2:]))
    inside = renderer.between.join(filter(None, (renderer.blocks(first), picture, renderer.blocks(others))))
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


class HtmlRenderer(TextRenderer):
    """Writes the blocks of a document as HTML."""

    between, one_paragraph, symbol, more = "\n", "<p>{}</p>", "<math>{}</math>", "<mo>…</mo>"
    all_lines = '<div class="lines">\n{}\n</div>'
    all_matrices = '<div class="lines vectors">\n{}\n</div>'
    words = staticmethod(escape)
    writer: MathmlWriter

    def heading(self, heading: Heading) -> str:
        return f"<h{heading.level}>{self.prose(*heading.parts)}</h{heading.level}>"

    def line(self, line: Line) -> str:
        """A `math` element for each side, and for each term of a side, so that it wraps."""
        sides = groupby(map(self.writer.pieces, line.sides))
        right = "".join(
            f"<math>{'' if i else _infix('=')}{piece}</math>" for pieces, _ in sides for i, piece in enumerate(pieces)
        )
        return _cells(self.symbol.format(self.writer.symbol(line.name)), right, line.remark, "remark")

    def matrix(self, matrix: Matrix) -> str:
        """The symbol of an array, and the array in square brackets; a single row can wrap between its numbers."""
        letter, _, layer = matrix.symbol.partition(" ")
        symbol = f"<mi>{escape(letter.removeprefix('dL/d'))}</mi>"
        if letter.startswith("dL/d"):
            symbol = f"<mfrac><mrow>{_D}<mi>L</mi></mrow><mrow>{_D}{symbol}</mrow></mfrac>"
        if layer:
            symbol = f"<msub><mrow>{symbol}</mrow><mtext>{escape(layer)}</mtext></msub>"
        body = self._row_vector(matrix.values[0]) if len(matrix.values) == 1 else self._rows(matrix.values)
        return _cells(f"<math>{symbol}</math>", body, matrix.formula, "remark formula")

    def _row_vector(self, values: Sequence[float | None]) -> str:
        gap = '<mspace width="0.7em"></mspace>'
        *pieces, last = map(self.number, values)
        pieces = [piece + gap for piece in pieces] + [last + _bracket("]", "postfix")]
        pieces[0] = f"{_infix('=')}{_bracket('[', 'prefix')}{pieces[0]}"
        return "".join(f"<math>{piece}</math>" for piece in pieces)

    def _rows(self, values: Sequence[Sequence[float | None]]) -> str:
        signed = [any(value is not None and value < 0 for value in column) for column in zip(*values, strict=True)]
        rows = ""
        for row in values:
            cells = ""
            for sign, value in zip(signed, row, strict=True):  # room for the sign that others in the column have
                room = _NO_SIGN if sign and value is not None and not value < 0 else ""
                cells += f"<mtd>{room}{self.number(value)}</mtd>"
            rows += f"<mtr>{cells}</mtr>"
        return f"<math>{_infix('=')}{self.writer.enclosed('[', f'<mtable>{rows}</mtable>', ']')}</math>"

    def table(self, table: Table) -> str:
        def cells(row: tuple[str, ...], tag: str) -> str:
            kinds = (' class="right"' if i in table.right else "" for i in range(len(row)))
            return "".join(f"<{tag}{kind}>{self.prose(text)}</{tag}>" for kind, text in zip(kinds, row, strict=True))

        rows = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in table.rows)
        return (
            f'<div class="table"><table>\n<thead><tr>{cells(table.columns, "th")}</tr></thead>\n'
            f"<tbody>\n{rows}\n</tbody>\n</table></div>"
        )


def _cells(left: str, right: str, remark: str, kind: str) -> str:
    return (
        f'<div class="line"><span class="symbol">{left}</span><span class="sides">{right}</span>'
        f'<span class="{kind}">{escape(remark)}</span></div>'
    )


def _infix(sign: str) -> str:
    """An operator between two things, also where a line was broken before it."""
    return f'<mo form="infix">{sign}</mo>'


class MathmlWriter(FormulaWriter):
    """Formulas as MathML."""

    quotient = Look("<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>", (0, 0), ATOM)
    power = Look("<msup><mrow>{}</mrow><mrow>{}</mrow></msup>", (ATOM, 0), POWER)
    comparison = Look("<mrow>{}<mo>{sign}</mo>{}</mrow>", (0, 0), COMPARISON)
    cases = Look(
        "<mrow><mo>{{</mo><mtable><mtr><mtd>{}</mtd><mtd><mtext>if&#160;</mtext>{}</mtd></mtr>"
        "<mtr><mtd>{}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr></mtable></mrow>", (0, 0, 0), ATOM,
    )  # fmt: skip
    sum_over = Look("<mrow><munder><mo>∑</mo><mi>{index}</mi></munder>{}</mrow>", (PRODUCT,), SUM)
    row = "<mrow>{}</mrow>"
    first_minus, minus, plus, between = MINUS, _infix("\u2212"), _infix("+"), ""
    term = SUM
    times, factor = "<mo>·</mo>", PRODUCT
    may_begin_with_minus = False
    negative = f"<mrow>{MINUS}"

    def __init__(self, notation: Notation, digits: int):
        super().__init__(self._symbol, digits)
        self.notation = notation

    def pieces(self, node: Node) -> list[str]:
        """A formula cut before the operators of its outermost sum or product, where it has more than a few."""
        match node:
            case Sum(terms) if len(terms) > 1:
                return [self.signed(term, first=not i) for i, term in enumerate(terms)]
            case Negative(Sum() as of) if not _is_tall(inside := self.pieces(of)):
                inside[0] = f"{MINUS}{_bracket('(', 'prefix')}{inside[0]}"
                return [*inside[:-1], inside[-1] + _bracket(")", "postfix")]
            case Product(factors) if len(factors) > 3:
                return [(_infix("·") if i else "") + factor for i, factor in enumerate(self.factors(factors))]
        return [self.text(node)]

    def _symbol(self, name: Hashable) -> str:
        if not isinstance(name, Name):
            return "<mi>π</mi>" if name == "pi" else f"<mtext>{escape(str(name))}</mtext>"
        written = self.notation.written(name)
        if not isinstance(written, Ratio):
            return _sign(written)
        ratio = (
            f"<mfrac>{''.join(f'<mrow>{_D}{_sign(sign)}</mrow>' for sign in (written.above, written.below))}</mfrac>"
        )
        if not written.note:
            return ratio
        return f"<msub><mrow>{ratio}<mo>|</mo></mrow><mtext>{escape(written.note)}</mtext></msub>"

    def number(self, number: Number) -> tuple[str, int]:
        """A number; `1/3` as a fraction, a named one by its name."""
        if isinstance(number, NamedNumber):
            return f"<mtext>{escape(number.text or '')}</mtext>", ATOM
        if number.text:
            parts = [f"<mn>{escape(part)}</mn>" for part in number.text.split("/")]
            return (f"<mfrac>{''.join(parts)}</mfrac>" if len(parts) == 2 else parts[0]), ATOM
        return _number(number.value, self.digits), SUM if number.value < 0 else ATOM

    def enclosed(self, left: str, text: str, right: str) -> str:
        """Brackets that grow only around what is tall: grown ones are set with gaps that small ones don't need."""
        tall = _is_tall([text])
        return f"<mrow>{_bracket(left, 'prefix', tall)}{text}{_bracket(right, 'postfix', tall)}</mrow>"

    def has_parts(self, symbol: str) -> bool:
        """Whether a symbol has something above, or is a fraction."""
        return symbol.startswith(("<mfrac>", "<msup", "<msubsup"))

    def operator(self, sign: str) -> str:
        """`>=` as one sign."""
        return {">=": "≥", "<=": "≤"}.get(sign, escape(sign))

    def call(self, function: str, arguments: Sequence[str]) -> tuple[str, int]:
        """A function; `exp` as a power, `sqrt` as a root."""
        inside = "<mo>,</mo>".join(arguments)
        if function == "exp":
            return f"<msup><mi>e</mi><mrow>{inside}</mrow></msup>", POWER
        if function == "sqrt":
            return f"<msqrt>{inside}</msqrt>", ATOM
        return f"<mrow><mi>{'Φ' if function == 'Phi' else function}</mi>{self.enclosed('(', inside, ')')}</mrow>", ATOM


def _sign(sign: Sign) -> str:
    """A symbol with what stands above and below it."""
    letter, below = f"<mi>{escape(sign.letter)}</mi>", _script(sign.below)
    above = _script(sign.above + "+" * sign.plus)
    if above and below:
        return f"<msubsup>{letter}{below}{above}</msubsup>"
    if below:
        return f"<msub>{letter}{below}</msub>"
    return f"<msup>{letter}{above}</msup>" if above else letter


def _script(text: str) -> str:
    if not text:
        return ""
    return f"<mn>{escape(text)}</mn>" if text[0].isdigit() else f"<mtext>{escape(text)}</mtext>"


def _number(value: float, digits: int) -> str:
    text = shown(value, digits)
    if text == "undefined":
        return f"<mtext>{text}</mtext>"
    negative, text = text.startswith("-"), text.lstrip("-")
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        power = str(int(exponent)).replace("-", "\u2212")
        body = f"<mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup>"
    else:
        body = f"<mn>{text.replace('infinity', '∞')}</mn>"
    sign = MINUS if negative else ""
    return f"<mrow>{sign}{body}</mrow>" if negative or "e" in text else body


def _is_tall(texts: list[str]) -> bool:
    return any("<mfrac" in text or "<mtable" in text or "<munder" in text for text in texts)


def _bracket(sign: str, form: str, tall: bool = False) -> str:
    return f'<mo form="{form}" stretchy="{"true" if tall else "false"}">{sign}</mo>'
