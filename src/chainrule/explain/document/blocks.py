"""What documents are made of: headings, sentences, lines of formulas, arrays, tables; renderers decide on looks."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.explain.formula import Node
from chainrule.explain.quantities.names import Name
from chainrule.explain.quantities.notation import Notation


class SymbolText(str):
    """The symbol of a quantity as text; renderers that set symbols find the quantity in `name`."""

    name: Name

    def __new__(cls, name: Name, notation: Notation | str) -> SymbolText:
        """The symbol of a quantity in a notation, or as it is given."""
        made = super().__new__(cls, notation if isinstance(notation, str) else notation.text(name))
        made.name = name
        return made

    def __getnewargs__(self) -> tuple[Name, str]:  # type: ignore[override]
        """What copies and pickles are made from."""
        return self.name, str(self)


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3; `about` is the symbol in its text, where it holds one."""

    text: str
    level: int = 2
    about: SymbolText | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The text, cut around the symbol."""
        if self.about is None:
            return (self.text,)
        before, _, after = self.text.partition(self.about)
        return before, self.about, after


@dataclass(frozen=True)
class Paragraph:
    """A sentence or two; `code` marks what is a name."""

    text: str


@dataclass(frozen=True)
class Line:
    """One quantity: its symbol, its formulas one after another, its value; a remark at the side."""

    name: Name
    sides: tuple[Node, ...]
    remark: str = ""


@dataclass(frozen=True)
class Lines:
    """Formula lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Matrix:
    """An array with its symbol; None stands where rows or columns are folded."""

    symbol: str
    values: tuple[tuple[float | None, ...], ...]
    formula: str = ""


@dataclass(frozen=True)
class Matrices:
    """The vector form: one line for every array, with the formula that gives it whole."""

    matrices: tuple[Matrix, ...]


@dataclass(frozen=True)
class Table:
    """A table of texts, some of them a `SymbolText`; `right` are columns of numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


MANY = 160  # quantities that are written out when nothing was chosen

Block = Heading | Paragraph | Lines | Matrices | Table


@dataclass
class Document:
    """Blocks in order, and what renderers need to write symbols and numbers."""

    title: str
    notation: Notation
    digits: int
    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end."""
        self.blocks += blocks
