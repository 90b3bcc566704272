r"""A document as LaTeX: an article that compiles with `amsmath` and nothing else."""

from __future__ import annotations

import unicodedata

from chainrule.explain.blocks import Document, Equation, Heading, Line, Lines, Matrices, Matrix, Paragraph, Table
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

_PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\usepackage[margin=2cm]{geometry}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
\begin{document}
"""
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}", "ŷ": r"\ensuremath{\hat{y}}",
}  # fmt: skip
_FUNCTIONS = {"exp", "log", "tanh", "max", "min", "sin", "cos"}
SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


def to_latex(document: Document) -> str:
    """The document as a whole LaTeX file."""
    parts = [_PREAMBLE]
    for block in document.blocks:
        match block:
            case Heading(text, level):
                command = {1: "section", 2: "subsection"}.get(level, "subsubsection")
                parts.append(f"\\{command}*{{{latex_text(text)}}}")
            case Paragraph(text):
                parts.append(f"{latex_text(text)}\n")
            case Lines(lines):
                parts.append(_display(lines, document))
            case Equation(left, sides):
                parts.append(r"\texttt{" + latex_text(" = ".join([left, *sides])) + "}\n")
            case Matrices(matrices):
                parts += [f"\\[ {latex_matrix(matrix, document.digits)} \\]" for matrix in matrices]
            case Table():
                parts.append(_table(block))
    return "\n".join([*parts, r"\end{document}", ""])


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters made harmless.

    >>> latex_text("5_a & 3%")
    '5\\\\_a \\\\& 3\\\\%'
    """
    return "".join(_SPECIAL.get(c) or (f"\\ensuremath{{{greek}}}" if (greek := _greek(c)) else c) for c in text)


def _greek(letter: str) -> str:
    """The command of a Greek letter, `\\sigma`; nothing for others."""
    kind, _, name = unicodedata.name(letter, "").rpartition(" LETTER ") if len(letter) == 1 else ("", "", "")
    name = name.lower().replace("lamda", "lambda")
    return f"\\{name}" if kind == "GREEK SMALL" and name.isalpha() and name != "omicron" else ""


def _display(lines: tuple[Line, ...], document: Document) -> str:
    rows = []
    for line in lines:
        left, *sides = _sides(line, document.notation, document.digits)
        remark = f" & & \\text{{\\small {latex_text(line.remark)}}}" if line.remark else ""
        rows.append(f"{left} &= " + " \\\\\n  &= ".join(sides) + remark)
    return "\\begin{align*}\n" + " \\\\[4pt]\n".join(rows) + "\n\\end{align*}"


def latex_line(line: Line, notation: Notation, digits: int) -> str:
    """A quantity with its formulas and value, in one row."""
    return " = ".join(_sides(line, notation, digits))


def _sides(line: Line, notation: Notation, digits: int) -> list[str]:
    sides = [latex_formula(side, notation, digits) for side in line.sides]
    sides = [side for i, side in enumerate(sides) if i == 0 or side != sides[i - 1]]
    return [latex_written(notation.written(line.name)), *sides]


def latex_matrix(matrix: Matrix, digits: int) -> str:
    """An array in square brackets."""
    rows = r" \\ ".join(" & ".join(_cell(value, digits) for value in row) for row in matrix.values)
    letter, _, layer = matrix.symbol.partition(" ")
    symbol = letter.replace("dL/d", r"\partial L/\partial ").replace("+", "^{+}")
    above = f"_{{\\text{{{latex_text(layer)}}}}}" if layer else ""
    return f"{symbol}{above} = \\begin{{bmatrix}} {rows} \\end{{bmatrix}}"


def _cell(value: float | None, digits: int) -> str:
    return r"\dots" if value is None else _number(value, digits)


def _table(table: Table) -> str:
    columns = "".join("r" if i in table.right else "l" for i in range(len(table.columns)))
    rows = [" & ".join(latex_text(cell) for cell in row) for row in (table.columns, *table.rows)]
    body = f"{rows[0]} \\\\ \\hline\n" + " \\\\\n".join(rows[1:])
    return f"\\medskip\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"


def latex_sign(sign: Sign) -> str:
    """A symbol with what stands above and below it."""
    letter = {"ŷ": r"\hat{y}"}.get(sign.letter) or _greek(sign.letter) or sign.letter
    if letter.endswith("'"):
        letter = f"{letter.rstrip(chr(39))}"
        above = "\\prime" + (f" {_script(sign.above)}" if sign.above else "")
    else:
        above = _script(sign.above)
    if len(letter) > 1 and letter.isalpha() and letter.isascii():
        letter = f"\\mathrm{{{letter}}}"
    elif not letter.startswith("\\"):
        letter = letter if letter.isalpha() and letter.isascii() else f"\\text{{{latex_text(letter)}}}"
    above += "+" * sign.plus
    return letter + (f"_{{{_script(sign.below)}}}" if sign.below else "") + (f"^{{{above}}}" if above else "")


def _script(text: str) -> str:
    """Digits and single letters as they are, words upright."""
    if not text or all(c.isdigit() or c in ",()+" for c in text) or len(text) == 1:
        return text
    return f"\\text{{{latex_text(text)}}}"


def latex_written(written: Written) -> str:
    """A symbol, or a derivative as a fraction."""
    if isinstance(written, Ratio):
        ratio = f"\\frac{{\\partial {latex_sign(written.above)}}}{{\\partial {latex_sign(written.below)}}}"
        return f"\\left.{ratio}\\right|_{{\\text{{{latex_text(written.note)}}}}}" if written.note else ratio
    return latex_sign(written)


def latex_formula(node: Node, notation: Notation, digits: int) -> str:
    """A formula tree."""
    return _Writer(notation, digits).write(node)[0]


def _number(value: float, digits: int) -> str:
    text = shown(value, digits)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa} \\cdot 10^{{{int(exponent)}}}"
    return {"infinity": r"\infty", "-infinity": r"-\infty", "undefined": r"\text{undefined}"}.get(text, text)


def _fraction(text: str) -> str:
    """A number as it was written, `1/3` as a fraction."""
    above, slash, below = text.partition("/")
    return f"\\frac{{{above}}}{{{below}}}" if slash else text


class _Writer:
    def __init__(self, notation: Notation, digits: int):
        self.notation = notation
        self.digits = digits

    def within(self, node: Node, level: int) -> str:
        text, own = self.write(node)
        return text if own >= level else f"\\left({text}\\right)"

    def write(self, node: Node) -> tuple[str, int]:
        match node:
            case Number(value, text):
                written = _fraction(text) if text else _number(value, self.digits)
                return written, SUM if written.startswith("-") else PRODUCT if "cdot" in written else ATOM
            case Symbol(name):
                if name == "pi":
                    return r"\pi", ATOM
                if (quantity := quantity_named(name)) is not None:
                    return latex_written(self.notation.written(quantity)), ATOM
                return f"\\text{{{latex_text(name)}}}", ATOM
            case Negative(of):
                return f"-{self.within(of, PRODUCT)}", SUM
            case Sum(terms):
                return self.sum(terms), SUM
            case Product(factors):
                return r" \cdot ".join(self.within(factor, PRODUCT) for factor in factors), PRODUCT
            case Quotient(above, below):
                return f"\\frac{{{self.write(above)[0]}}}{{{self.write(below)[0]}}}", ATOM
            case Power(base, exponent):
                return f"{self.within(base, ATOM)}^{{{self.write(exponent)[0]}}}", POWER
            case Call("exp", (argument,)):
                return f"e^{{{self.write(argument)[0]}}}", POWER
            case Call("sqrt", (argument,)):
                return f"\\sqrt{{{self.write(argument)[0]}}}", ATOM
            case Call(function, arguments):
                command = f"\\{function}" if function in _FUNCTIONS else f"\\operatorname{{{function}}}"
                command = r"\Phi" if function == "Phi" else command
                return f"{command}\\left({', '.join(self.write(a)[0] for a in arguments)}\\right)", ATOM
            case Absolute(of):
                return f"\\left|{self.write(of)[0]}\\right|", ATOM
            case Compare(left, operator, right):
                sign = {">=": r"\ge", "<=": r"\le"}.get(operator, operator)
                return f"{self.write(left)[0]} {sign} {self.write(right)[0]}", 0
            case Conditional(then, condition, otherwise):
                return (
                    f"\\begin{{cases}} {self.write(then)[0]} & \\text{{if }} {self.write(condition)[0]} \\\\ "
                    f"{self.write(otherwise)[0]} & \\text{{otherwise}} \\end{{cases}}"
                ), ATOM
            case Iverson(left, right):
                return f"[{left} = {right}]", ATOM
            case SumOver(index, body):
                return f"\\sum_{{{index}}} {self.within(body, PRODUCT)}", SUM
        raise TypeError(node)

    def sum(self, terms: tuple[Node, ...]) -> str:
        text = ""
        for i, term in enumerate(terms):
            if isinstance(term, Negative):
                text += f"{' - ' if i else '-'}{self.within(term.of, PRODUCT)}"
            else:
                written = self.write(term)[0]
                negative = i and written.startswith("-")
                text += (" + " if i else "") + (f"\\left({written}\\right)" if negative else written)
        return text
