r"""A document as LaTeX: an article that compiles with `pdflatex`, `amsmath` and `graphicx`."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Hashable, Sequence
from itertools import groupby

from chainrule.explain.document.blocks import Document, Heading, Line, Matrix, Table
from chainrule.explain.formula import NamedNumber, Node, Number, Product, Sum
from chainrule.explain.formula.writer import ATOM, POWER, PRODUCT, SUM, FormulaWriter, Look, shown
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation, Ratio, Sign
from chainrule.explain.render.text import TextRenderer

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
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}", "ŷ": r"\ensuremath{\hat{y}}", "∂": r"\ensuremath{\partial}", "\u2212": r"\ensuremath{-}",
    "\u00d7": r"\ensuremath{\times}", "·": r"\ensuremath{\cdot}", "∞": r"\ensuremath{\infty}",
    "√": r"\ensuremath{\surd}",
    "±": r"\ensuremath{\pm}", "°": r"\ensuremath{^\circ}", "µ": r"\ensuremath{\mu}",
}  # fmt: skip
_MATHEMATICS = {"ŷ": r"\hat{y}", "ẑ": r"\hat{z}", "ĥ": r"\hat{h}", "∂": r"\partial"}
_GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
})  # fmt: skip
# Greek letters that look like Latin ones have no command of their own.
_LATIN = {"omicron": "o", "Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I", "Kappa": "K",
          "Mu": "M", "Nu": "N", "Omicron": "O", "Rho": "P", "Tau": "T", "Chi": "X"}  # fmt: skip
_PLAIN = set("\u2013\u2014\u2018\u2019“”…„«»¿¡§©")  # what the T1 fonts have besides letters
_LACKING = set("ĦħĸĿŀŉŦŧ")  # and the letters of Latin Extended-A that they don't


def to_latex(document: Document) -> str:
    """The document as a whole LaTeX file."""
    body = LatexRenderer(LatexWriter(document.notation, document.digits)).blocks(document)
    return "\n".join([_PREAMBLE, body, r"\end{document}", ""])


class LatexRenderer(TextRenderer):
    """Writes the blocks of a document as LaTeX."""

    between, one_paragraph, all_matrices, symbol = "\n", "{}\n", "\\medskip\n{}", "${}$"
    words = staticmethod(lambda text: latex_text(text))
    writer: LatexWriter

    def heading(self, heading: Heading) -> str:
        command = {1: "section", 2: "subsection"}.get(heading.level, "subsubsection")
        return f"\\{command}*{{{self.prose(*heading.parts)}}}"

    def line(self, line: Line) -> str:
        sides = groupby(" ".join(self.writer.pieces(side)) for side in line.sides)
        equal = "\n  ".join(f"= {side}" for side, _ in sides)
        return _quantity(self.writer.symbol(line.name), equal, latex_text(line.remark))

    def matrix(self, matrix: Matrix) -> str:
        symbol, body = self.writer.matrix(matrix)
        remark = f"\\texttt{{{latex_text(matrix.formula)}}}" if matrix.formula else ""
        return _quantity(symbol, f"= \\fit{{{body}}}", remark)

    def table(self, table: Table) -> str:
        columns = "".join("r" if i in table.right else "l" for i in range(len(table.columns)))
        first, *rows = (" & ".join(map(self.prose, row)) for row in (table.columns, *table.rows))
        body = f"{first} \\\\ \\hline\n" + " \\\\\n".join(rows)
        return f"\\medskip\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"


def _quantity(left: str, right: str, remark: str) -> str:
    return f"\\quantity{{{left}}}{{{right}}}{{{remark}}}"


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
        if not isinstance(name, Name):
            return r"\pi" if name == "pi" else f"\\text{{{latex_text(str(name))}}}"
        written = self.notation.written(name)
        if not isinstance(written, Ratio):
            return _sign(written)
        ratio = f"\\frac{{\\partial {_sign(written.above)}}}{{\\partial {_sign(written.below)}}}"
        return f"\\left.{ratio}\\right|_{{\\text{{{latex_text(written.note)}}}}}" if written.note else ratio

    def matrix(self, matrix: Matrix) -> tuple[str, str]:
        """The symbol of an array, and the array in square brackets."""
        cells = ([r"\dots" if v is None else self.number(Number(v))[0] for v in row] for row in matrix.values)
        letter, _, layer = matrix.symbol.partition(" ")
        symbol = letter.replace("dL/d", r"\partial L/\partial ").replace("+", "^{+}")
        below = f"_{{\\text{{{latex_text(layer)}}}}}" if layer else ""
        rows = r" \\ ".join(map(" & ".join, cells))
        return f"{symbol}{below}", f"\\begin{{bmatrix}} {rows} \\end{{bmatrix}}"

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


def _sign(sign: Sign) -> str:
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
    if not text or all(c in "0123456789,()+" for c in text):
        return text
    if len(text) == 1 and text.isalpha():
        return latex_letter(text)
    return f"\\text{{{latex_text(text)}}}"


def _number(value: float, digits: int) -> str:
    text = shown(value, digits)
    if not math.isfinite(value):
        return {"infinity": r"\infty", "-infinity": r"-\infty"}.get(text, r"\text{undefined}")
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if e else text


def _fitted(text: str) -> str:
    """What TeX can't break (fractions, what stands in brackets), made to fit where it is long."""
    if len(text) < LONG or not ("\\frac" in text or "\\left" in text):
        return text
    sign, rest = (text[:2], text[2:]) if text.startswith(("+ ", "- ")) else ("", text)
    return f"{sign}\\fit{{{rest}}}"


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters made harmless.

    >>> print(latex_text("5_a & 3% of θ"))
    5\\_a \\& 3\\% of \\ensuremath{\\theta}
    """
    return "".join(_character(c) for c in unicodedata.normalize("NFC", text))


def latex_letter(letter: str) -> str:
    """One letter in a formula.

    >>> print(latex_letter("W"), latex_letter("ŷ"), latex_letter("Ω"))
    W \\hat{y} \\Omega
    """
    if letter.isascii():
        return letter
    greek = _greek(letter)
    return _MATHEMATICS.get(letter) or greek or f"\\text{{{latex_text(letter)}}}"


def _greek(letter: str) -> str:
    """The command of a Greek letter, or nothing."""
    words = unicodedata.name(letter, "").split()
    name = {"LAMDA": "lambda"}.get(words[-1], words[-1].lower()) if words else ""
    if len(words) != 4 or words[0] != "GREEK" or words[2] != "LETTER" or name not in _GREEK:
        return ""
    name = name if words[1] == "SMALL" else name.capitalize()
    return _LATIN.get(name) or f"\\{name}"


def _character(c: str) -> str:
    if c in _SPECIAL:
        return _SPECIAL[c]
    if c.isascii():
        return c if c.isprintable() or c == "\n" else " "
    if greek := _greek(c):
        return f"\\ensuremath{{{greek}}}"
    if c in _PLAIN or (c.isalpha() and 0xC0 <= ord(c) <= 0x17E and c not in _LACKING):
        return c
    plain = unicodedata.normalize("NFKD", c).replace("\u2044", "/").encode("ascii", "ignore").decode()
    return "".join(_SPECIAL.get(p, p) for p in plain) or f"[U+{ord(c):04X}]"
