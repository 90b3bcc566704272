"""Formula trees as MathML Core: what browsers show without a script."""

from __future__ import annotations

from html import escape

from chainrule.explain.blocks import Document, Line, Matrix
from chainrule.explain.formula import (
    Absolute,
    Call,
    Compare,
    Conditional,
    Iverson,
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
from chainrule.explain.names import quantity_named
from chainrule.explain.notation import Notation, Ratio, Sign, Written
from chainrule.explain.numbers import shown

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


def mathml_line(line: Line, document: Document) -> str:
    """A quantity with its formulas and value: a `math` element for each side, so that long lines can wrap."""
    sides = [mathml_formula(side, document.notation, document.digits) for side in line.sides]
    sides = [side for i, side in enumerate(sides) if i == 0 or side != sides[i - 1]]
    left = f"<math>{mathml_written(document.notation.written(line.name))}</math>"
    return " ".join([left, *(f"<math><mo>=</mo>{side}</math>" for side in sides)])


def mathml_matrix(matrix: Matrix, digits: int) -> str:
    """An array in square brackets, as one `math` element."""
    rows = "".join(
        f"<mtr>{''.join(f'<mtd>{_cell(value, digits)}</mtd>' for value in row)}</mtr>" for row in matrix.values
    )
    letter, _, layer = matrix.symbol.partition(" ")
    if letter.startswith("dL/d"):
        symbol = f"<mfrac><mrow>{_d()}<mi>L</mi></mrow><mrow>{_d()}<mi>{escape(letter[4:])}</mi></mrow></mfrac>"
    else:
        symbol = f"<mi>{escape(letter)}</mi>"
    if layer:
        symbol = f"<msub><mrow>{symbol}</mrow><mtext>{escape(layer)}</mtext></msub>"
    return f"<math>{symbol}<mo>=</mo><mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow></math>"


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

    def within(self, node: Node, level: int) -> str:
        text, own = self.write(node)
        return text if own >= level else _bracketed(text)

    def write(self, node: Node) -> tuple[str, int]:
        match node:
            case Number(value, text):
                if text:
                    parts = [f"<mn>{escape(part)}</mn>" for part in text.split("/")]
                    return (f"<mfrac>{''.join(parts)}</mfrac>" if len(parts) == 2 else parts[0]), ATOM
                return _number(value, self.digits), SUM if value < 0 else ATOM
            case Symbol("pi"):
                return "<mi>π</mi>", ATOM
            case Symbol(name):
                if (quantity := quantity_named(name)) is not None:
                    return mathml_written(self.notation.written(quantity)), ATOM
                return f"<mtext>{escape(name)}</mtext>", ATOM
            case Negative(of):
                return f'<mrow><mo form="prefix">\u2212</mo>{self.within(of, PRODUCT)}</mrow>', SUM
            case Sum(terms):
                return f"<mrow>{self.sum(terms)}</mrow>", SUM
            case Product(factors):
                return f"<mrow>{'<mo>·</mo>'.join(self.within(factor, PRODUCT) for factor in factors)}</mrow>", PRODUCT
            case Quotient(above, below):
                return f"<mfrac>{_row(self.write(above)[0])}{_row(self.write(below)[0])}</mfrac>", ATOM
            case Power(base, exponent):
                return f"<msup>{_row(self.within(base, ATOM))}{_row(self.write(exponent)[0])}</msup>", POWER
            case Call("exp", (argument,)):
                return f"<msup><mi>e</mi>{_row(self.write(argument)[0])}</msup>", POWER
            case Call("sqrt", (argument,)):
                return f"<msqrt>{self.write(argument)[0]}</msqrt>", ATOM
            case Call(function, arguments):
                name = "Φ" if function == "Phi" else function
                inside = "<mo>,</mo>".join(self.write(a)[0] for a in arguments)
                return f"<mrow><mi>{name}</mi>{_bracketed(inside)}</mrow>", ATOM
            case Absolute(of):
                return f"<mrow><mo>|</mo>{self.write(of)[0]}<mo>|</mo></mrow>", ATOM
            case Compare(left, operator, right):
                sign = {">=": "≥", "<=": "≤"}.get(operator, operator)
                return f"<mrow>{self.write(left)[0]}<mo>{escape(sign)}</mo>{self.write(right)[0]}</mrow>", 0
            case Conditional(then, condition, otherwise):
                when = f"<mtd><mtext>if&#160;</mtext>{self.write(condition)[0]}</mtd>"
                first = f"<mtr><mtd>{self.write(then)[0]}</mtd>{when}</mtr>"
                last = f"<mtr><mtd>{self.write(otherwise)[0]}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>"
                return f"<mrow><mo>{{</mo><mtable>{first}{last}</mtable></mrow>", ATOM
            case Iverson(left, right):
                return f"<mrow><mo>[</mo><mi>{left}</mi><mo>=</mo><mi>{right}</mi><mo>]</mo></mrow>", ATOM
            case SumOver(index, body):
                return f"<mrow><munder><mo>∑</mo><mi>{index}</mi></munder>{self.within(body, PRODUCT)}</mrow>", SUM
        raise TypeError(node)

    def sum(self, terms: tuple[Node, ...]) -> str:
        text = ""
        for i, term in enumerate(terms):
            if isinstance(term, Negative):
                sign = "<mo>\u2212</mo>" if i else '<mo form="prefix">\u2212</mo>'
                text += f"{sign}{self.within(term.of, PRODUCT)}"
            else:
                text += ("<mo>+</mo>" if i else "") + self.term(term, first=not i)
        return text

    def term(self, term: Node, *, first: bool) -> str:
        written, level = self.write(term)
        negative = isinstance(term, Number) and term.value < 0
        if isinstance(term, Product) and isinstance(term.factors[0], Number):
            negative = False  # its own bracket stands around the number
        return _bracketed(written) if (negative and not first) or level == 0 else written


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


def _bracketed(text: str) -> str:
    return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"
