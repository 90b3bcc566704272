"""Plain charts in the style of the other pictures: curves and bars of numbers of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, legend_above, logarithmic, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves(
    series: Mapping[str, tuple[Any, Any]],
    *,
    title: str,
    x: str = "",
    y: str = "",
    caption: str = "",
    marked: bool = False,
    log: bool = False,
    height: float = 3.8,
) -> Picture:
    """Curves over one axis, told apart by colour, line and marker.

    Arguments:
        series: for each curve its name, and its x and y.
        title, caption: of the picture.
        x, y: what the axes are.
        marked: whether each point has a marker.
        log: whether y is logarithmic.
        height: inches of the drawing, which is 8 wide.

    Raises:
        InputError: a curve's x and y aren't rows of equally many numbers.
        MissingDependencyError: matplotlib isn't installed.

    >>> curves({"squares": ([1, 2, 3], [1, 4, 9])}, title="Squares").values["squares"].tolist()
    [[1.0, 2.0, 3.0], [1.0, 4.0, 9.0]]
    """
    points = {name: _pair(name, *xy) for name, xy in series.items()}
    if not points:
        raise InputError("there is no curve to draw")

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for i, (name, (xs, ys)) in enumerate(points.items()):
            axes.plot(xs, ys, label=named(name), gid=name, **theme.series(i, marked=marked))
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        if log:
            logarithmic(axes, "y")
        if len(points) > 1:
            axes.legend(loc="best" if len(points) < 4 else "center left",
                        **({} if len(points) < 4 else {"bbox_to_anchor": (1.0, 0.5)}))  # fmt: skip

    return Picture(draw, title=title, caption=caption, values=points, height=height)


def bars(
    groups: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    title: str,
    labels: Sequence[str],
    caption: str = "",
    height: float = 3.2,
) -> Picture:
    """Groups of bars, each with its number, in one panel or several beside each other.

    Arguments:
        groups: for each panel its title, and for each series its name and its numbers.
        title, caption: of the picture.
        labels: what the numbers of a series are of, one for each.
        height: inches of the drawing, which is 8 wide.

    Raises:
        InputError: a series hasn't a number for each label.
        MissingDependencyError: matplotlib isn't installed.

    >>> bars({"z": {"shares": [0.25, 0.75]}}, title="Shares", labels=["unit 1", "unit 2"])
    <Picture: Shares>
    """
    for panel, series in groups.items():
        for name, numbers in series.items():
            if len(numbers) != len(labels):
                raise InputError(f"{name} of {panel} has {len(numbers)} numbers for {len(labels)} labels")

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
        for axes, (panel, series) in zip(grid, groups.items(), strict=True):
            thick = 0.8 / len(series)
            for k, (name, numbers) in enumerate(series.items()):
                places = np.arange(len(labels)) + (k - (len(series) - 1) / 2) * thick
                color, hatch = theme.colors[k % len(theme.colors)], ("", "////", "....", "xx")[k % 4]
                drawn = axes.bar(places, numbers, thick * 0.92, label=named(name), color=color, hatch=hatch,
                                 edgecolor=theme.paper, linewidth=0.6)  # fmt: skip
                for i, bar in enumerate(drawn):
                    bar.set_gid(f"{panel}-{name}-{i + 1}")
                axes.bar_label(drawn, [f"{number:.2f}" for number in numbers], size=8, padding=2)
            axes.axhline(0, color=theme.soft, linewidth=0.8)
            axes.set_xticks(range(len(labels)), [named(label) for label in labels])
            axes.tick_params(axis="x", length=0)
            axes.grid(axis="x", visible=False)
            axes.margins(y=0.12)
            axes.set_title(named(panel), loc="left")
        handles, names = grid[0].get_legend_handles_labels()
        if len(names) > 1:
            legend_above(figure, handles, names)

    return Picture(draw, title=title, caption=caption, values={"labels": list(labels), **groups}, height=height)


def _pair(name: str, xs: Any, ys: Any) -> Doubles:
    try:
        pair = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
        if pair[0].ndim == 1 and len(pair[0]):
            return np.stack(pair)
    except (TypeError, ValueError):
        pass
    raise InputError(f"the curve {name} isn't two rows of equally many numbers")
