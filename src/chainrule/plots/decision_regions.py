"""Which class a model answers where: regions over two inputs, with the data; of numbers, the levels of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import AnyArray, Doubles, Order
from chainrule.errors import InputError, counted
from chainrule.plots.picture import Picture
from chainrule.plots.plane_answers import Answers, answers_of
from chainrule.plots.planes import Plane
from chainrule.plots.themes import MARKERS, Theme, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 600  # of the data that are drawn
MOST_CLASSES = 12  # that can be told apart
_FEW, _SHORT = 6, 14  # classes whose names can stand in the picture, and letters of each
_TINT = 0.26  # of a class's colour in its region


def regions(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    columns: Sequence[Any] | None = None,
    target: str | None = None,
    reach: float | None = None,
    cells: int = 200,
    names: Sequence[str] = (),
) -> Picture:
    """The regions of the plane where a model answers each class, with the data; of a regression, its levels.

    Where the model reads more than two inputs, two are chosen, and the others are held at their typical values (the
    median, or the most frequent category), which the caption tells.

    Arguments:
        model: a `Model` or `TableModel`, or one of the estimators, that was fitted.
        X: the data: rows for a `Model` or an estimator, a table for a `TableModel`.
        y: their classes or numbers; a table holds its own.
        columns: the two inputs: numbers from 1, or their names; left out where there are two.
        target: of several heads or targets the one whose answers are drawn.
        reach: without data, both inputs go from -reach to reach.
        cells: values of each input; the model is asked at each pair.
        names: of the inputs, where they are arrays.

    Raises:
        InputError: the model doesn't read two inputs and none are chosen, or something doesn't fit the model.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(2, [], 1, output="sigmoid"), "binary_cross_entropy")
    >>> model.set_parameters({"output": {"W": [[1.0], [1.0]], "b": [0.0]}})
    >>> picture = regions(model, reach=1, cells=5)
    >>> picture.values["region"].tolist()[0], picture.values["classes"]
    ([0, 0, 0, 0, 1], ('0', '1'))
    """
    answers = answers_of(model, X, y, columns, target, reach, cells, names)
    return _classes(answers) if answers.classes else _levels(answers)


def _classes(answers: Answers) -> Picture:
    plane, classes = answers.plane, answers.classes
    if len(classes) > MOST_CLASSES:
        raise InputError(f"the model has {len(classes)} classes; regions of at most {MOST_CLASSES} can be told apart")
    scores = plane.image(answers.values)
    region = scores.argmax(axis=2)
    if len(classes) == 2:  # at a half the answer is yes
        region = (scores[:, :, 1] >= 0.5).astype(np.int64)
    shown = _shown(len(plane.points))
    labels = called = [named(name, 22) for name in classes]
    if len(classes) > _FEW or max(map(len, classes)) > _SHORT:  # too long to stand in their regions
        labels = [str(k) for k in range(1, len(classes) + 1)]
        called = [f"{k}  {name}" for k, name in zip(labels, called, strict=True)]

    def draw(figure: Figure, theme: Theme) -> None:
        axes = _axes_of(figure, plane)
        colors = np.array([_mixed(theme.colors[k % len(theme.colors)], theme.paper) for k in range(len(classes))])
        axes.imshow(colors[region], extent=plane.extent, origin="lower", aspect="auto", gid="regions")
        for k in range(len(classes)):
            other = np.delete(scores, k, axis=2).max(axis=2)
            if (region == k).any() and (region != k).any():
                axes.contour(plane.x, plane.y, scores[:, :, k] - other, levels=[0.0], colors=theme.ink, linewidths=1.1)
        for k, name in enumerate(called):
            mine = shown[answers.targets[shown] == k] if answers.targets is not None else shown[:0]
            if len(mine):
                marker = MARKERS[k % len(MARKERS)]
                axes.plot(
                    *plane.points[mine].T, linestyle="none", marker=marker, markersize=9 if marker == "*" else 5.6,
                    color=theme.colors[k % len(theme.colors)], markeredgecolor=theme.paper, markeredgewidth=0.7,
                    gid=f"points-{k}", label=name,
                )  # fmt: skip
        if answers.targets is None and len(shown):
            axes.plot(*plane.points[shown].T, ".", color=theme.soft, gid="points")
        for k, (x, y) in _middles(region, plane).items():
            axes.text(
                x, y, labels[k], ha="center", va="center", weight="bold", size=10, gid=f"region-{k}",
                bbox={"facecolor": theme.paper, "edgecolor": theme.colors[k % len(theme.colors)], "alpha": 0.85,
                      "boxstyle": "round,pad=0.25"},
            )  # fmt: skip
        if answers.targets is None and labels != called:
            for k, name in enumerate(called):
                axes.plot([], [], "s", color=theme.colors[k % len(theme.colors)], markersize=8, label=name)
        if answers.targets is not None or labels != called:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.2)

    it = "it" if labels is called else "the class of that number"
    what = f"Regions of {named(answers.target)}" if answers.target else "Regions"
    return Picture(
        draw,
        title=f"{what} over {plane.names[0]} and {plane.names[1]}",
        caption=f"A label stands in the region where the model answers {it}.{_data_told(answers, len(shown))}",
        values={"x": plane.x, "y": plane.y, "region": region, "classes": classes, "scores": scores},
        height=5.2,
    )


def _levels(answers: Answers) -> Picture:
    plane, shown = answers.plane, _shown(len(answers.plane.points))
    values = plane.image(answers.values)

    def draw(figure: Figure, theme: Theme) -> None:
        axes = _axes_of(figure, plane)
        where: Any = {"extent": plane.extent, "origin": "lower", "aspect": "auto"}
        drawn = axes.imshow(values, cmap=theme.scale(), gid="levels", **where)
        if np.ptp(values) > 0:
            lines = axes.contour(plane.x, plane.y, values, levels=8, colors=theme.ink, linewidths=0.9)
            axes.clabel(lines, fontsize=9)
        axes.plot(*plane.points[shown].T, ".", color=theme.ink, gid="points")
        bar = figure.colorbar(drawn, ax=axes, shrink=0.9)
        bar.set_label(named(answers.target or "answer"))
        bar.outline.set_visible(False)

    what = named(answers.target) if answers.target else "The answer"
    return Picture(
        draw,
        title=f"{what} over {plane.names[0]} and {plane.names[1]}",
        caption=f"Lines join what the model gives the same answer to.{_data_told(answers, len(shown))}",
        values={"x": plane.x, "y": plane.y, "answer": values},
        height=5.0,
    )


def _axes_of(figure: Figure, plane: Plane) -> Axes:
    axes = figure.subplots()
    axes.grid(False)
    axes.set_xlabel(plane.names[0])
    axes.set_ylabel(plane.names[1])
    return axes


def _shown(rows: int) -> Order:
    """Which of the data are drawn: all, or so many, evenly spaced."""
    return np.unique(np.linspace(0, max(rows - 1, 0), min(rows, MOST_POINTS)).astype(np.int64))[:rows]


def _data_told(answers: Answers, shown: int) -> str:
    rows, told = len(answers.plane.points), ""
    if rows:
        told = f" Points are the data, {counted(rows, 'row')}" + (
            f", of which {shown} are drawn." if shown < rows else "."
        )
    if answers.plane.fixed:
        told += f" The other inputs are held at {answers.plane.fixed}."
    return told


def _middles(region: AnyArray, plane: Plane) -> dict[int, tuple[float, float]]:
    """For each class the point of its region that is furthest from every other."""
    from scipy.ndimage import distance_transform_edt

    found = {}
    for k in np.unique(region):
        padded = np.pad(region == k, 1)  # the picture's edge is an edge of the region too
        depth = distance_transform_edt(padded)[1:-1, 1:-1]
        i, j = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[i, j] >= min(region.shape) / 28:
            found[int(k)] = (float(plane.x[j]), float(plane.y[i]))
    return found


def _mixed(color: str, paper: str) -> Doubles:
    """A class's colour on the paper, thin."""
    one, other = (np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255 for text in (color, paper))
    return _TINT * one + (1 - _TINT) * other
