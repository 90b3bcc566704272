"""What documents are made of: headings, sentences, lines of formulas, arrays, tables; renderers decide on looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chainrule.explain.formula import Node
from chainrule.explain.names import Name

if TYPE_CHECKING:
    from chainrule.explain.notation import Notation


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3."""

    text: str
    level: int = 2


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
class Equation:
    """An equation that stands for itself, in symbols: `left = right = ...`; in matrices where arrays are given."""

    left: str
    sides: tuple[str, ...]


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
    """A table of texts; `right` are columns of numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


Block = Heading | Paragraph | Lines | Equation | Matrices | Table


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
