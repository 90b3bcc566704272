r"""A document as LaTeX: an article that compiles with `pdflatex`, `amsmath` and `graphicx`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
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
    SymbolText,
    Table,
)
from chainrule.explain.formula import NamedNumber, Node, Number, Product, Sum
from chainrule.explain.formula.writer import ATOM, POWER, PRODUCT, SUM, FormulaWriter, Look, shown
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation, Ratio, Sign, Written
from chainrule.explain.render.latex_text import latex_letter, latex_text

_PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage{amsmath}
\usepackage{graphicx}
\usepackage[margin=2cm]{geometry}
\setlength{\parindent}{0pt}
\setcounter{MaxMatrixCols}{64}
\relpenalty=50 \binoppenalty=200
% a quantity, what it is equal to, and a remark at the right; formulas break at = and +
\newcommand{\quantity}[3]{{\raggedright\hangindent=2.5em\hangafter=1
  \lineskiplimit=3pt \lineskip=5pt $\displaystyle #1 #2$%
  \unskip\hfill\penalty50\hskip1em\null\nobreak\hfill{\small #3}\parfillskip=0pt\par}\vspace{4pt plus 2pt}}
% what can't be broken is made smaller where it is too wide
\newsavebox{\fitted}
\newcommand{\fit}[1]{\sbox{\fitted}{$\displaystyle #1$}\ifdim\wd\fitted>.88\linewidth
  \resizebox{.88\linewidth}{!}{\usebox{\fitted}}\else\usebox{\fitted}\fi}
\begin{document}
"""
_FUNCTIONS = {"log", "tanh", "max", "min", "sin", "cos"}
LONG = 120  # characters of LaTeX that may be wider than a line


def to_latex(document: Document) -> str:
    """The document as a whole LaTeX file."""
    parts = [_PREAMBLE]
    for block in document.blocks:
        match block:
            case Heading():
                command = {1: "section", 2: "subsection"}.get(block.level, "subsubsection")
                before, name, after = block.parts(document.notation)
                symbol = "" if name is None else f"${latex_written(document.notation.written(name))}$"
                parts.append(f"\\{command}*{{{latex_text(before)}{symbol}{latex_text(after)}}}")
            case Paragraph(text):
                parts.append(f"{latex_text(text)}\n")
            case Lines(lines):
                parts.append(_display(lines, document))
            case Equation(left, sides):
                parts.append(r"\texttt{" + latex_text(" = ".join([left, *sides])) + "}\n")
            case Matrices(matrices):
                parts.append("\\medskip\n" + "\n".join(_matrix(matrix, document.digits) for matrix in matrices))
            case Table():
                parts.append(_table(block, document.notation))
    return "\n".join([*parts, r"\end{document}", ""])


def _display(lines: tuple[Line, ...], document: Document) -> str:
    writer = LatexWriter(document.notation, document.digits)
    rows = []
    for line in lines:
        sides = groupby(" ".join(writer.pieces(side)) for side in line.sides)
        left = latex_written(document.notation.written(line.name))
        equal = "\n  ".join(f"= {side}" for side, _ in sides)
        rows.append(f"\\quantity{{{left}}}{{{equal}}}{{{latex_text(line.remark)}}}")
    return "\n".join(rows)


def _matrix(matrix: Matrix, digits: int) -> str:
    symbol, body = _matrix_sides(matrix, digits)
    remark = f"\\texttt{{{latex_text(matrix.formula)}}}" if matrix.formula else ""
    return f"\\quantity{{{symbol}}}{{= \\fit{{{body}}}}}{{{remark}}}"


def latex_line(line: Line, notation: Notation, digits: int) -> str:
    """A quantity with its formulas and value, in one row."""
    sides = groupby(map(LatexWriter(notation, digits).text, line.sides))
    return " = ".join([latex_written(notation.written(line.name)), *(side for side, _ in sides)])


def latex_matrix(matrix: Matrix, digits: int) -> str:
    """An array in square brackets."""
    return " = ".join(_matrix_sides(matrix, digits))


def _matrix_sides(matrix: Matrix, digits: int) -> tuple[str, str]:
    rows = r" \\ ".join(" & ".join(_cell(value, digits) for value in row) for row in matrix.values)
    letter, _, layer = matrix.symbol.partition(" ")
    symbol = letter.replace("dL/d", r"\partial L/\partial ").replace("+", "^{+}")
    above = f"_{{\\text{{{latex_text(layer)}}}}}" if layer else ""
    return f"{symbol}{above}", f"\\begin{{bmatrix}} {rows} \\end{{bmatrix}}"


def _cell(value: float | None, digits: int) -> str:
    return r"\dots" if value is None else _number(value, digits)


def _table(table: Table, notation: Notation) -> str:
    def cell(text: str) -> str:
        return f"${latex_written(notation.written(text.name))}$" if isinstance(text, SymbolText) else latex_text(text)

    columns = "".join("r" if i in table.right else "l" for i in range(len(table.columns)))
    rows = [" & ".join(cell(text) for text in row) for row in (table.columns, *table.rows)]
    body = f"{rows[0]} \\\\ \\hline\n" + " \\\\\n".join(rows[1:])
    return f"\\medskip\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"


def latex_sign(sign: Sign) -> str:
    """A symbol with what stands above and below it."""
    letter, above = sign.letter, _script(sign.above)
    if letter.endswith("'"):
        letter = letter.rstrip("'")
        above = "\\prime" + (f" {above}" if above else "")
    if len(letter) == 1 and letter.isalpha():
        letter = latex_letter(letter)
    elif letter.isascii() and letter.isalpha():
        letter = f"\\mathrm{{{letter}}}"
    else:
        letter = f"\\text{{{latex_text(letter)}}}"
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


def _number(value: float, digits: int) -> str:
    text = shown(value, digits)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa} \\cdot 10^{{{int(exponent)}}}"
    return {"infinity": r"\infty", "-infinity": r"-\infty", "undefined": r"\text{undefined}"}.get(text, text)


class LatexWriter(FormulaWriter):
    """Formulas as LaTeX."""

    quotient = Look(r"\frac{{{}}}{{{}}}", (0, 0), ATOM)
    power = Look("{}^{{{}}}", (ATOM, 0), POWER)
    cases = Look(r"\begin{{cases}} {} & \text{{if }} {} \\ {} & \text{{otherwise}} \end{{cases}}", (0, 0, 0), ATOM)
    sum_over = Look(r"\sum_{{{index}}} {}", (PRODUCT,), SUM)
    term = SUM
    times, factor = r" \cdot ", PRODUCT
    may_begin_with_minus = False

    def __init__(self, notation: Notation, digits: int):
        super().__init__(self._symbol, digits)
        self.notation = notation

    def pieces(self, node: Node) -> list[str]:
        """A formula cut at the operators of its outermost sum or product; what stays long may be made smaller."""
        match node:
            case Sum(terms):
                return [_fitted(self.signed(term, first=not i)) for i, term in enumerate(terms)]
            case Product(factors):
                first, *others = map(_fitted, self.factors(factors))
                return [first, *(f"\\cdot {factor}" for factor in others)]
        return [_fitted(self.text(node))]

    def _symbol(self, name: Hashable) -> str:
        if isinstance(name, Name):
            return latex_written(self.notation.written(name))
        return r"\pi" if name == "pi" else f"\\text{{{latex_text(str(name))}}}"

    def number(self, number: Number) -> tuple[str, int]:
        """A number; `1/3` as a fraction, a named one by its name."""
        if isinstance(number, NamedNumber):
            return f"\\text{{{latex_text(number.text or '')}}}", ATOM
        above, slash, below = (number.text or "").partition("/")
        if slash:
            return f"\\frac{{{above}}}{{{below}}}", SUM if above.startswith("-") else ATOM
        text = number.text or _number(number.value, self.digits)
        return text, SUM if text.startswith("-") else PRODUCT if "cdot" in text else ATOM

    def enclosed(self, left: str, text: str, right: str) -> str:
        """Brackets that grow with what stands in them."""
        return f"\\left{left}{text}\\right{right}"

    def has_parts(self, symbol: str) -> bool:
        """Whether a symbol has something above, or is a fraction."""
        return "^" in symbol or symbol.startswith(r"\frac")

    def operator(self, sign: str) -> str:
        """`>=` as one sign."""
        return {">=": r"\ge", "<=": r"\le"}.get(sign, sign)

    def call(self, function: str, arguments: Sequence[str]) -> tuple[str, int]:
        """A function; `exp` as a power, `sqrt` as a root."""
        inside = ", ".join(arguments)
        if function == "exp":
            return f"e^{{{inside}}}", POWER
        if function == "sqrt":
            return f"\\sqrt{{{inside}}}", ATOM
        command = f"\\{function}" if function in _FUNCTIONS else f"\\operatorname{{{function}}}"
        return (r"\Phi" if function == "Phi" else command) + self.enclosed("(", inside, ")"), ATOM


def _fitted(text: str) -> str:
    """What TeX can't break (fractions, what stands in brackets), made to fit where it is long."""
    if len(text) < LONG or not ("\\frac" in text or "\\left" in text):
        return text
    sign, rest = (text[:2], text[2:]) if text.startswith(("+ ", "- ")) else ("", text)
    return f"{sign}\\fit{{{rest}}}"
