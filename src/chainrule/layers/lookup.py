"""What embeddings have in common: one table of rows for all columns of codes, in which each code looks up its row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import AnyArray, Array
from chainrule.errors import InputError, NetworkError
from chainrule.initializers import Initializer, get_initializer
from chainrule.layers.base import Arrays, Layer, Shape
from chainrule.layers.element import Learned, Source
from chainrule.limits import COUNT, check


@dataclass(frozen=True)
class Lookup(Layer):
    """A layer that reads k codes, from 0 on, and looks up the row of each in `W`: a table for each column.

    Arguments:
        sizes: how many codes there are: one number for all columns, or one for each.
    """

    sizes: int | tuple[int, ...]

    reads = "integer"
    makes = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.sizes, int):
            if not isinstance(self.sizes, (tuple, list)) or not self.sizes:
                raise InputError(
                    f"{type(self).__name__}: sizes is {self.sizes!r}; it must be a whole number of at least 1, "
                    "or such a number for each column"
                )
            sizes = tuple(int(size) if isinstance(size, np.integer) else size for size in self.sizes)
            object.__setattr__(self, "sizes", sizes)
        for size in self.size_list:
            check(type(self).__name__, "sizes", size, COUNT)
        if getattr(self, "initializer", "auto") != "auto":
            object.__setattr__(self, "initializer", get_initializer(self.initializer))  # type: ignore[attr-defined]  # a field of each

    @property
    def size_list(self) -> tuple[int, ...]:
        """One size for each column, or the one of all."""
        return (self.sizes,) if isinstance(self.sizes, int) else self.sizes

    def _sizes_of(self, shapes: tuple[Shape, ...]) -> tuple[int, ...]:
        """How many codes each column has."""
        self.check_rank(shapes[0])
        sizes, columns = self.size_list, shapes[0][0]
        if isinstance(self.sizes, int):
            return sizes * columns
        if len(sizes) != columns:
            raise NetworkError(
                f'{type(self).__name__} "{self.name}" has sizes for {len(sizes)} columns and reads {columns}'
            )
        return sizes

    def codes(self, shapes: tuple[Shape, ...]) -> tuple[range, ...]:
        return tuple(range(size) for size in self._sizes_of(shapes))

    def _rows_of(self, codes: AnyArray) -> AnyArray:
        """The rows of the table that codes (rows, columns) look up."""
        sizes = self._sizes_of((codes.shape[1:],))
        return codes + np.cumsum((0, *sizes[:-1]))

    def _d_table(self, W: Array, rows: AnyArray, deltas: Array) -> Array:
        """The gradient by the table, from those by the rows that were looked up; a row gets all of its own."""
        d_W = np.zeros_like(W)
        np.add.at(d_W, rows, deltas)
        return d_W

    def _start(self, suited: Initializer) -> Initializer:
        """Where the table starts: as its field says, or as suits it."""
        given: str | Initializer = self.initializer  # type: ignore[attr-defined]  # a field of each
        return suited if given == "auto" else get_initializer(given)

    def reached(self, source: Source, row: int, shapes: tuple[Shape, ...], memo: Arrays) -> Iterable[int]:
        """A number of a row acts where that row is looked up, and nowhere else."""
        assert isinstance(source, Learned), "there is no gradient by a code"
        table_row, unit = source.index
        columns = np.flatnonzero(memo["rows"][row] == table_row)
        return [self._unit_of(int(column), unit) for column in columns]

    def _unit_of(self, column: int, unit: int) -> int:
        """The unit of the output that a number of a row looked up by a column goes to."""
        raise NotImplementedError
