"""Formula trees as MathML Core: what browsers show without a script."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from html import escape
from itertools import groupby

from chainrule.explain.document.blocks import Document, Line, Matrix
from chainrule.explain.formula import NamedNumber, Negative, Node, Number, Product, Sum
from chainrule.explain.formula.writer import ATOM, COMPARISON, POWER, PRODUCT, SUM, FormulaWriter, Look, shown
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation, Ratio, Sign, Written

MINUS = '<mo form="prefix">\u2212</mo>'
_NO_SIGN = f"<mphantom>{MINUS}</mphantom>"


def mathml_name(name: Name, notation: Notation) -> str:
    """The symbol of a quantity, as one `math` element."""
    return f"<math>{mathml_written(notation.written(name))}</math>"


def mathml_sides(line: Line, document: Document) -> str:
    """What a quantity is equal to: a `math` element for each side, and for each term of a side, so that it wraps."""
    writer = MathmlWriter(document.notation, document.digits)
    sides = groupby(map(writer.pieces, line.sides))
    return "".join(
        f"<math>{'' if i else _infix('=')}{piece}</math>" for pieces, _ in sides for i, piece in enumerate(pieces)
    )


def _infix(sign: str) -> str:
    """An operator between two things, also where a line was broken before it."""
    return f'<mo form="infix">{sign}</mo>'


def mathml_matrix(matrix: Matrix, digits: int) -> tuple[str, str]:
    """The symbol of an array, and the array in square brackets; a single row can wrap between its numbers."""
    letter, _, layer = matrix.symbol.partition(" ")
    if letter.startswith("dL/d"):
        symbol = f"<mfrac><mrow>{_d()}<mi>L</mi></mrow><mrow>{_d()}<mi>{escape(letter[4:])}</mi></mrow></mfrac>"
    else:
        symbol = f"<mi>{escape(letter)}</mi>"
    if layer:
        symbol = f"<msub><mrow>{symbol}</mrow><mtext>{escape(layer)}</mtext></msub>"
    body = _row_vector(matrix.values[0], digits) if len(matrix.values) == 1 else _rows(matrix.values, digits)
    return f"<math>{symbol}</math>", body


def _row_vector(values: Sequence[float | None], digits: int) -> str:
    gap = '<mspace width="0.7em"></mspace>'
    pieces = [_cell(value, digits) for value in values]
    pieces = [piece + gap for piece in pieces[:-1]] + [pieces[-1] + _bracket("]", "postfix")]
    pieces[0] = f"{_infix('=')}{_bracket('[', 'prefix')}{pieces[0]}"
    return "".join(f"<math>{piece}</math>" for piece in pieces)


def _rows(values: Sequence[Sequence[float | None]], digits: int) -> str:
    signed = [any(value is not None and value < 0 for value in column) for column in zip(*values, strict=True)]
    rows = ""
    for row in values:
        cells = ""
        for sign, value in zip(signed, row, strict=True):  # room for the sign that others in the column have
            room = _NO_SIGN if sign and value is not None and not value < 0 else ""
            cells += f"<mtd>{room}{_cell(value, digits)}</mtd>"
        rows += f"<mtr>{cells}</mtr>"
    return f"<math>{_infix('=')}{_enclosed('[', f'<mtable>{rows}</mtable>', ']')}</math>"


def _cell(value: float | None, digits: int) -> str:
    return "<mo>…</mo>" if value is None else _number(value, digits)


def mathml_written(written: Written) -> str:
    """A symbol, or a derivative as a fraction."""
    if isinstance(written, Ratio):
        above, below = (f"<mrow>{_d()}{mathml_sign(sign)}</mrow>" for sign in (written.above, written.below))
        ratio = f"<mfrac>{above}{below}</mfrac>"
        if not written.note:
            return ratio
        return f"<msub><mrow>{ratio}<mo>|</mo></mrow><mtext>{escape(written.note)}</mtext></msub>"
    return mathml_sign(written)


def _d() -> str:
    return '<mo form="prefix" lspace="0" rspace="0">∂</mo>'


def mathml_sign(sign: Sign) -> str:
    """A symbol with what stands above and below it."""
    letter = f"<mi>{escape(sign.letter)}</mi>"
    above = _script(sign.above + "+" * sign.plus)
    below = _script(sign.below)
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
    negative, text = text.startswith("-"), text.lstrip("-")
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        power = str(int(exponent)).replace("-", "\u2212")
        body = f"<mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup>"
    else:
        body = f"<mn>{text.replace('infinity', '∞')}</mn>"
    sign = MINUS if negative else ""
    return f"<mrow>{sign}{body}</mrow>" if negative or "e" in text else body


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
        if isinstance(name, Name):
            return mathml_written(self.notation.written(name))
        return "<mi>π</mi>" if name == "pi" else f"<mtext>{escape(str(name))}</mtext>"

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
        return _enclosed(left, text, right)

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
        return f"<mrow><mi>{'Φ' if function == 'Phi' else function}</mi>{_enclosed('(', inside, ')')}</mrow>", ATOM


def _enclosed(left: str, text: str, right: str) -> str:
    """Brackets that grow only around what is tall: grown ones are set with gaps that small ones don't need."""
    tall = _is_tall([text])
    return f"<mrow>{_bracket(left, 'prefix', tall)}{text}{_bracket(right, 'postfix', tall)}</mrow>"


def _is_tall(texts: list[str]) -> bool:
    return any("<mfrac" in text or "<mtable" in text or "<munder" in text for text in texts)


def _bracket(sign: str, form: str, tall: bool = False) -> str:
    return f'<mo form="{form}" stretchy="{"true" if tall else "false"}">{sign}</mo>'
