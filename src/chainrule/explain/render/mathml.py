"""Formula trees as MathML Core: what browsers show without a script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chainrule.explain.document.blocks import Document, Line, Matrix
from chainrule.explain.formula import (
    Absolute,
    Call,
    Compare,
    Conditional,
    Iverson,
    NamedNumber,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
)
from chainrule.explain.formula.numbers import shown
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation, Ratio, Sign, Written

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


_NO_SIGN = '<mphantom><mo form="prefix">\u2212</mo></mphantom>'


def mathml_name(name: Name, notation: Notation) -> str:
    """The symbol of a quantity, as one `math` element."""
    return f"<math>{mathml_written(notation.written(name))}</math>"


def mathml_sides(line: Line, document: Document) -> str:
    """What a quantity is equal to: a `math` element for each side, and for each term of a side, so that it wraps."""
    writer = _Writer(document.notation, document.digits)
    sides = [writer.pieces(side) for side in line.sides]
    sides = [side for i, side in enumerate(sides) if i == 0 or side != sides[i - 1]]
    return "".join(
        f"<math>{'' if i else _infix('=')}{piece}</math>" for pieces in sides for i, piece in enumerate(pieces)
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
    sign = '<mo form="prefix">\u2212</mo>' if negative else ""
    return f"<mrow>{sign}{body}</mrow>" if negative or "e" in text else body


def mathml_formula(node: Node, notation: Notation, digits: int) -> str:
    """A formula tree."""
    return _Writer(notation, digits).write(node)[0]


class _Writer:
    def __init__(self, notation: Notation, digits: int):
        self.notation = notation
        self.digits = digits

    def pieces(self, node: Node) -> list[str]:
        """A formula cut before the operators of its outermost sum or product, where it has more than a few."""
        match node:
            case Sum(terms) if len(terms) > 1:
                return [self.signed(term, first=not i) for i, term in enumerate(terms)]
            case Negative(Sum() as of) if not _is_tall(inside := self.pieces(of)):
                inside[0] = f'<mo form="prefix">\u2212</mo>{_bracket("(", "prefix")}{inside[0]}'
                return [*inside[:-1], inside[-1] + _bracket(")", "postfix")]
            case Product(factors) if len(factors) > 3:
                written = [self.within(factor, PRODUCT) for factor in factors]
                return [(_infix("·") if i else "") + factor for i, factor in enumerate(written)]
        return [self.write(node)[0]]

    def within(self, node: Node, level: int) -> str:
        text, own = self.write(node)
        return text if own >= level else _bracketed(text)

    def write(self, node: Node) -> tuple[str, int]:
        match node:
            case NamedNumber(_, text):
                return f"<mtext>{escape(text or '')}</mtext>", ATOM
            case Number(value, text):
                if text:
                    parts = [f"<mn>{escape(part)}</mn>" for part in text.split("/")]
                    return (f"<mfrac>{''.join(parts)}</mfrac>" if len(parts) == 2 else parts[0]), ATOM
                return _number(value, self.digits), SUM if value < 0 else ATOM
            case Symbol("pi"):
                return "<mi>π</mi>", ATOM
            case Symbol(name):
                if isinstance(name, Name):
                    return mathml_written(self.notation.written(name)), ATOM
                return f"<mtext>{escape(str(name))}</mtext>", ATOM
            case Negative(of):
                return f'<mrow><mo form="prefix">\u2212</mo>{self.within(of, PRODUCT)}</mrow>', SUM
            case Sum(terms):
                return f"<mrow>{self.sum(terms)}</mrow>", SUM
            case Product(factors):
                return f"<mrow>{'<mo>·</mo>'.join(self.within(factor, PRODUCT) for factor in factors)}</mrow>", PRODUCT
            case Quotient(above, below):
                return f"<mfrac>{_row(self.write(above)[0])}{_row(self.write(below)[0])}</mfrac>", ATOM
            case Power(base, exponent):
                inside = self.within(base, ATOM)
                if isinstance(base, Symbol) and inside.startswith(("<mfrac>", "<msup", "<msubsup")):
                    inside = _bracketed(inside)
                return f"<msup>{_row(inside)}{_row(self.write(exponent)[0])}</msup>", POWER
            case Call("exp", (argument,)):
                return f"<msup><mi>e</mi>{_row(self.write(argument)[0])}</msup>", POWER
            case Call("sqrt", (argument,)):
                return f"<msqrt>{self.write(argument)[0]}</msqrt>", ATOM
            case Call(function, arguments):
                name = "Φ" if function == "Phi" else function
                inside = "<mo>,</mo>".join(self.write(a)[0] for a in arguments)
                return f"<mrow><mi>{name}</mi>{_bracketed(inside)}</mrow>", ATOM
            case Absolute(of):
                return _enclosed("|", self.write(of)[0], "|"), ATOM
            case Compare(left, operator, right):
                sign = {">=": "≥", "<=": "≤"}.get(operator, operator)
                return f"<mrow>{self.write(left)[0]}<mo>{escape(sign)}</mo>{self.write(right)[0]}</mrow>", 0
            case Conditional(then, condition, otherwise):
                when = f"<mtd><mtext>if&#160;</mtext>{self.write(condition)[0]}</mtd>"
                first = f"<mtr><mtd>{self.write(then)[0]}</mtd>{when}</mtr>"
                last = f"<mtr><mtd>{self.write(otherwise)[0]}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>"
                return f"<mrow><mo>{{</mo><mtable>{first}{last}</mtable></mrow>", ATOM
            case Iverson(left, right):
                return _enclosed("[", f"<mi>{left}</mi><mo>=</mo><mi>{right}</mi>", "]"), ATOM
            case SumOver(index, body):
                return f"<mrow><munder><mo>∑</mo><mi>{index}</mi></munder>{self.within(body, PRODUCT)}</mrow>", SUM
        raise TypeError(node)

    def sum(self, terms: tuple[Node, ...]) -> str:
        return "".join(self.signed(term, first=not i) for i, term in enumerate(terms))

    def signed(self, term: Node, *, first: bool) -> str:
        """A term with the sign before it."""
        if isinstance(term, Negative):
            sign = '<mo form="prefix">\u2212</mo>' if first else _infix("\u2212")
            return f"{sign}{self.within(term.of, PRODUCT)}"
        return ("" if first else _infix("+")) + self.term(term, first=first)

    def term(self, term: Node, *, first: bool) -> str:
        written, level = self.write(term)
        negative = isinstance(term, Number) and term.value < 0
        if isinstance(term, Product) and isinstance(term.factors[0], Number):
            negative = False  # its own bracket stands around the number
        return _bracketed(written) if (negative and not first) or level == 0 else written


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


def _bracketed(text: str) -> str:
    return _enclosed("(", text, ")")


def _enclosed(left: str, text: str, right: str) -> str:
    """Brackets that grow only around what is tall: grown ones are set with gaps that small ones don't need."""
    tall = _is_tall([text])
    return f"<mrow>{_bracket(left, 'prefix', tall)}{text}{_bracket(right, 'postfix', tall)}</mrow>"


def _is_tall(texts: list[str]) -> bool:
    return any("<mfrac" in text or "<mtable" in text or "<munder" in text for text in texts)


def _bracket(sign: str, form: str, tall: bool = False) -> str:
    return f'<mo form="{form}" stretchy="{"true" if tall else "false"}">{sign}</mo>'
