"""A document at a terminal: coloured, aligned at the equals signs, as wide as the window."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from itertools import pairwise
from textwrap import fill

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from chainrule.explain.document.blocks import Document, Heading, Line, Matrix, Table
from chainrule.explain.formula.writer import FormulaWriter
from chainrule.explain.render.text import Renderer
from chainrule.plain import visible

TITLE, SECTION, SYMBOL, NUMBERS, VALUE, REMARK, SIGN = "bold", "bold cyan", "bold", "cyan", "bold green", "dim", "dim"
WIDEST_SYMBOL = 20  # columns that symbols are aligned in; longer ones stand for themselves
LEAST, MOST = 40, 140  # columns; wider windows are not filled, as lines would be too long to follow
EDGE = 96  # the column that remarks end at in wide windows
_LOOSE, _TIGHT = (" + ", " - ", " if ", " else "), ("*", "/")  # before which formulas are broken
SMALLEST = 12  # columns; nothing is broken finer


class _Visible:
    """Something for a console, with what would act on it written out."""

    def __init__(self, inside: RenderableType):
        self.inside = inside

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.inside, options):
            harmless = segment.control or segment.text.isprintable() or segment.text == "\n"
            yield segment if harmless else Segment(visible(segment.text, lines=True), segment.style)


def terminal(document: Document, width: int = 80) -> RenderableType:
    """The document for a rich console of this width."""
    writer = FormulaWriter(document.notation.symbol, document.digits)
    return TerminalRenderer(writer, max(LEAST, min(width, MOST))).whole(document)


def to_terminal(document: Document, width: int = 80, *, color: bool = True) -> str:
    """The document as a string, with escape sequences for colours or without."""
    file = StringIO()
    console = Console(
        file=file, width=width, force_terminal=color, no_color=not color, highlight=False, markup=False, emoji=False,
        color_system="standard" if color else None, legacy_windows=False,
    )  # fmt: skip
    console.print(terminal(document, width))
    return file.getvalue()


class TerminalRenderer(Renderer[RenderableType]):
    """Writes the blocks of a document for a console of so many columns."""

    more = "…"

    def __init__(self, writer: FormulaWriter, width: int):
        super().__init__(writer)
        self.width = width

    def whole(self, document: Document) -> RenderableType:
        parts: list[RenderableType] = []
        for before, block in pairwise([Heading(""), *document.blocks]):
            parts += [self.block(block)] if isinstance(before, Heading) else [Text(), self.block(block)]
        return _Visible(Group(*parts))

    def heading(self, heading: Heading) -> Text:
        if heading.level > 1:
            return Text(heading.text, SECTION)
        ruler = "─" * min(len(heading.text), self.width)
        return Text().append(heading.text, TITLE).append(f"\n{ruler}\n", REMARK)

    def paragraph(self, text: str) -> Text:
        return Text("\n".join(fill(line, self.width) for line in text.splitlines()))

    def lines(self, lines: Sequence[Line]) -> Text:
        symbols = [self.writer.symbol(line.name) for line in lines]
        column = max((len(symbol) for symbol in symbols if len(symbol) <= WIDEST_SYMBOL), default=0)
        return Text("\n").join(self._line(*pair, column) for pair in zip(lines, symbols, strict=True))

    def _line(self, line: Line, symbol: str, column: int) -> Text:
        """`symbol = side = side`, in one line where that fits, else a line for each side under the first `=`."""
        texts = [self.writer.text(side) for side in line.sides]
        styles = ["", NUMBERS, VALUE] if len(texts) == 3 else [""] * (len(texts) - 1) + [VALUE]
        sides = [pair for i, pair in enumerate(zip(texts, styles, strict=True)) if texts[i] not in texts[i + 1 :]]
        made = Text().append(symbol.ljust(column), SYMBOL)
        if max(len(symbol), column) + sum(len(text) + 3 for text, _ in sides) <= self.width:
            for text, style in sides:
                made.append(" = ", SIGN).append(text, style)
        else:
            before = column if len(symbol) <= column else 4
            if before < len(symbol):
                made.append("\n" + " " * before)
            for i, (text, style) in enumerate(sides):
                made.append(("\n" + " " * before if i else "") + " = ", SIGN)
                made.append(f"\n{' ' * (before + 3)}".join(wrap_formula(text, self.width - before - 3)), style)
        return _with_remark(made, line.remark, self.width)

    def matrices(self, matrices: Sequence[Matrix]) -> Text:
        """Arrays, and behind them, in a column, the formula that gives each whole."""
        made = [(self._matrix(matrix), matrix.formula) for matrix in matrices]
        ends = [len(text.plain.rpartition("\n")[2]) for text, _ in made]
        column = min(max(ends) + 4, self.width - max(len(formula) for _, formula in made))
        for (text, formula), end in zip(made, ends, strict=True):
            if formula:
                text.append(" " * (column - end) if end + 2 <= column else "\n" + " " * column).append(formula, REMARK)
        return Text("\n").join(text for text, _ in made)

    def _matrix(self, matrix: Matrix) -> Text:
        """An array in brackets, its columns aligned; the middle ones are left out where they don't fit."""
        before = len(matrix.symbol) + 5
        cells = _narrowed([list(map(self.number, row)) for row in matrix.values], self.width - before)
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        made = Text().append(matrix.symbol, SYMBOL).append(" = ", SIGN)
        for i, row in enumerate(cells):
            opening, closing = _brackets(i, len(cells))
            made.append(("\n" + " " * (before - 2) if i else "") + opening, SIGN)
            made.append("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)), NUMBERS)
            made.append(closing, SIGN)
        return made

    def table(self, table: Table) -> RichTable:
        made = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=REMARK)
        for i, name in enumerate(table.columns):
            made.add_column(name, justify="right" if i in table.right else "left", overflow="fold")
        for row in table.rows:
            made.add_row(*row)
        return made


def _with_remark(made: Text, remark: str, width: int) -> Text:
    """The remark behind the last line, at the right edge; under it where it doesn't fit."""
    if not remark:
        return made
    last = len(made.plain.rpartition("\n")[2])
    edge = EDGE if last + len(remark) + 2 <= EDGE < width else width
    gap = edge - last - len(remark)
    return made.append(" " * gap if gap >= 2 else "\n" + " " * max(edge - len(remark), 0)).append(remark, REMARK)


def _brackets(i: int, n: int) -> tuple[str, str]:
    if n == 1:
        return "[", "]"
    return ("⎡", "⎤") if i == 0 else ("⎣", "⎦") if i == n - 1 else ("⎢", "⎥")


def _narrowed(cells: list[list[str]], width: int) -> list[list[str]]:
    """The cells with columns taken out of the middle until the rest fits."""
    while len(cells[0]) > 2 and sum(max(len(row[i]) for row in cells) + 2 for i in range(len(cells[0]))) > width + 2:
        middle = len(cells[0]) // 2
        if all(row[middle] == "…" for row in cells):
            middle += 1 if middle + 1 < len(cells[0]) - 1 else -1
        folded = any(all(row[i] == "…" for row in cells) for i in range(len(cells[0])))
        for row in cells:
            row[middle : middle + 1] = [] if folded else ["…"]
        if folded and len(cells[0]) <= 3:
            break
    return cells


def wrap_formula(text: str, width: int, indent: int = 2) -> list[str]:
    """The lines of a formula; those after the first are indented, and begin with the operation.

    >>> wrap_formula("W1*x1 + W2*x2 + (a + b)*c + b", 18)
    ['W1*x1 + W2*x2', '  + (a + b)*c + b']
    """
    lines: list[str] = []
    rest, pad = text, ""
    while len(pad) + len(rest) > max(width, SMALLEST):
        at = _break(rest, max(width, SMALLEST) - len(pad))
        if at is None:
            break
        lines.append(pad + rest[:at].rstrip())
        rest, pad = rest[at:].lstrip(), " " * indent
    return [*lines, pad + rest]


def _break(text: str, width: int) -> int | None:
    """Where to break: outside of as many brackets as possible, before `+` sooner than `*`, as late as it fits."""
    found: list[tuple[int, int, int]] = []
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if i > width and found:
            break
        loose = any(text.startswith(sign, i) for sign in _LOOSE)
        # a break near the left edge wastes the line
        if i > width // 3 and (loose or (c in _TIGHT and not _in_name(text, i))):
            found.append((-depth, int(loose), i))
    return max(found)[2] if found else None


def _in_name(text: str, i: int) -> bool:
    """Whether a `/` belongs to a name such as `dL/dz`."""
    begin = i
    while begin and (text[begin - 1].isalnum() or text[begin - 1] in "_'^"):
        begin -= 1
    return text[i] == "/" and text[begin] == "d" and text[i + 1 : i + 2] == "d"
