"""A plane through the inputs of a model: two of them go over a grid, the others stay where they are typical."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.errors import InputError, counted, did_you_mean, listed
from chainrule.limits import COUNT, Limit
from chainrule.plain import shortened
from chainrule.plots.themes import named

_MARGIN = 0.08  # beyond the data, of their range
MOST_FIXED = 6  # values of inputs that stay as they are which a caption tells
_LIMITS = (2, 1000)  # of cells along a side
REACH = Limit(1e-6, 1e6)


@dataclass(frozen=True)
class Plane:
    """Two inputs over a grid.

    Arguments:
        names: of the two.
        x, y: the values of each along the grid.
        points: the data's two inputs, shape (rows, 2); none where there are no data.
        fixed: what the others are held at, in words.
    """

    names: tuple[str, str]
    x: Doubles
    y: Doubles
    points: Doubles
    fixed: str = ""

    @property
    def grid(self) -> Doubles:
        """The pairs of values, shape (cells, 2), x running fastest."""
        return np.stack([one.ravel() for one in np.meshgrid(self.x, self.y)], axis=1)

    def image(self, values: AnyArray) -> AnyArray:
        """What was computed for the grid, as an image whose first row is the lowest y.

        Arguments:
            values: for each pair, shape (cells, ...).
        """
        return values.reshape(len(self.y), len(self.x), *values.shape[1:])

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The edges of the image: each value of the grid is the middle of a cell."""
        dx, dy = (self.x[1] - self.x[0]) / 2, (self.y[1] - self.y[0]) / 2
        return (self.x[0] - dx, self.x[-1] + dx, self.y[0] - dy, self.y[-1] + dy)


def plane_of_arrays(
    X: Any, n_inputs: int, columns: Sequence[int] | None, reach: float | None, cells: int, names: Sequence[str] = ()
) -> tuple[Plane, Doubles]:
    """The plane of two columns of arrays, and the rows to ask a model of, shape (cells, n_inputs).

    Arguments:
        X: the data, (rows, n_inputs), or None.
        n_inputs: how many numbers a row has.
        columns: the two that vary, by number from 1 or by name; None where there are two.
        reach: both go from -reach to reach; None: as far as the data go.
        cells: how many values each takes.
        names: of all the columns; x1, x2 … where there are none.

    Raises:
        InputError: the columns can't be used, or there are neither data nor a reach.
    """
    names = [str(name) for name in names] or [f"x{i}" for i in range(1, n_inputs + 1)]
    if len(names) != n_inputs:
        raise InputError(f"there are {len(names)} names for {n_inputs} inputs")
    first, second = _chosen(n_inputs, columns, names)
    try:
        data = None if X is None else np.asarray(X, np.float64)
    except (TypeError, ValueError):
        raise InputError("X holds what is no number") from None
    if data is not None and not np.isfinite(data).all():
        raise InputError("X holds numbers that are missing or infinite")
    if data is not None and (data.ndim != 2 or data.shape[1] != n_inputs or not len(data)):
        raise InputError(f"X has shape {data.shape}; (rows, {n_inputs}) would be right")
    others = [i for i in range(n_inputs) if i not in (first, second)]
    if others and data is None:
        raise InputError(f"the model reads {n_inputs} inputs: give X too, whose medians the other ones are held at")
    typical = np.zeros(n_inputs) if data is None else np.median(data, axis=0)
    points = np.empty((0, 2)) if data is None else data[:, [first, second]]
    plane = Plane(
        (named(names[first]), named(names[second])), *_axes(points, reach, cells), points,
        told_fixed((names[i], f"{typical[i]:.4g}") for i in others),
    )  # fmt: skip
    rows = np.tile(typical, (len(plane.grid), 1))
    rows[:, [first, second]] = plane.grid
    return plane, rows


def plane_of_points(points: Doubles, names: tuple[str, str], cells: int, fixed: str) -> Plane:
    """The plane over the range of two columns.

    Arguments:
        points: their values, shape (rows, 2).
        names: of the two.
        cells: how many values each takes.
        fixed: what the others are held at, in words.
    """
    return Plane((named(names[0]), named(names[1])), *_axes(points, None, cells), points, fixed)


def told_fixed(values: Any) -> str:
    """What other inputs are held at: `island = Biscoe, year = 2008 and 3 more`.

    Arguments:
        values: pairs of a name and a text.

    >>> told_fixed([("a", "1"), ("b", "2")])
    'a = 1, b = 2'
    """
    return listed((f"{shortened(str(name), 30)} = {shortened(str(text), 20)}" for name, text in values), MOST_FIXED)


def choose_names(known: Sequence[str], columns: Sequence[str] | None, what: str = "column") -> tuple[str, str]:
    """The two names that were chosen among those that there are.

    Arguments:
        known: all of them.
        columns: two of them; None where there are two.
        what: the word for one, in messages.

    Raises:
        InputError: there are more than two and none chosen, or a name isn't there.
    """
    if columns is None:
        if len(known) != 2:
            raise InputError(
                f"the model reads {counted(len(known), what)} of numbers ({listed(known)}): choose two of them, as in "
                f"columns=({known[0]!r}, {known[1]!r}) or --columns {known[0]},{known[1]}"
                if len(known) > 2
                else f"the model reads {counted(len(known), what)} of numbers; a plane takes two"
            )
        columns = known
    if isinstance(columns, str) or len(columns) != 2 or columns[0] == columns[1]:
        raise InputError(f"{what}s are {shortened(columns)}; a plane takes two different ones")
    of_numbers = " of numbers" if what == "column" else ""
    for name in columns:
        if name not in known:
            near = did_you_mean(name, known)
            raise InputError(f'there is no {what}{of_numbers} "{shortened(name)}".{near} There are {listed(known)}')
    return columns[0], columns[1]


def _chosen(n_inputs: int, columns: Sequence[Any] | None, names: Sequence[str]) -> tuple[int, int]:
    if n_inputs < 2:
        raise InputError("the model reads one input; a plane takes two")
    if columns is None:
        if n_inputs > 2:
            raise InputError(f"the model reads {n_inputs} inputs: choose two with columns, such as columns=(1, 2)")
        columns = (1, 2)
    chosen = [one for one in columns if isinstance(one, str)]
    if len(chosen) == len(columns) == 2:
        first, second = choose_names(names, chosen, "input")
        return names.index(first), names.index(second)
    numbers = [one for one in columns if isinstance(one, (int, np.integer)) and 1 <= one <= n_inputs]
    if len(numbers) != 2 or len(columns) != 2 or numbers[0] == numbers[1]:
        raise InputError(f"columns is {shortened(columns)}; it must be two different numbers from 1 to {n_inputs}")
    return numbers[0] - 1, numbers[1] - 1


def check_cells(cells: int) -> None:
    """Raise an `InputError` where a plane can't have so many cells along a side.

    Arguments:
        cells: how many.

    >>> check_cells(200)
    """
    if not COUNT.holds(cells) or not _LIMITS[0] <= cells <= _LIMITS[1]:
        raise InputError(f"cells is {shortened(cells)}; it must be a whole number from {_LIMITS[0]} to {_LIMITS[1]:,}")


def _axes(points: Doubles, reach: float | None, cells: int) -> tuple[Doubles, Doubles]:
    check_cells(cells)
    if reach is None and not len(points):
        raise InputError("there are no data to show the range: give X, or a reach, such as reach=3")
    if reach is not None and not REACH.holds(reach):
        raise InputError(f"reach is {shortened(reach)}; it must be {REACH}")
    axes = []
    for i in range(2):
        low, high = (-reach, reach) if reach is not None else (float(points[:, i].min()), float(points[:, i].max()))
        margin = 0.0 if reach is not None else _MARGIN * (high - low) or max(0.5, 0.05 * abs(high))
        axes.append(np.linspace(low - margin, high + margin, cells))
    return axes[0], axes[1]
