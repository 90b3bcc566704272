"""What layers of threshold units can cut out of the plane: a half-plane, a convex region, any region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.model import Model
from chainrule.network import Network
from chainrule.plots.picture import Picture
from chainrule.plots.planes import check_cells
from chainrule.plots.themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 4.0

HalfPlane = tuple[int, int, int]  # a, b, c of a x1 + b x2 + c >= 0

# Two layers: a triangle, the part of the plane where all three hold.
_TRIANGLE: tuple[HalfPlane, ...] = ((1, 0, 2), (0, 1, 2), (-1, -1, 1))
# Three layers: an L, which is two rectangles, and a triangle apart from it. Each unit of the second layer names those
# of the first that must all hold.
_EDGES: tuple[HalfPlane, ...] = (
    (1, 0, 3), (0, 1, 3), (-1, 0, -1), (0, -1, 3), (-1, 0, 2), (0, -1, -1), (1, 0, 0), (0, 1, 0), (-1, -1, 3),
)  # fmt: skip
_PARTS: tuple[tuple[int, ...], ...] = ((1, 2, 3, 4), (1, 2, 5, 6), (7, 8, 9))


def depth(cells: int = 401) -> Picture:
    """What one, two and three layers of threshold units can cut out of the plane, with weights to check by hand.

    One unit is 1 on one side of a line: a half-plane. A second layer can ask that several of these hold together: a
    convex region. A third can ask that one of several such regions holds: any region.

    Arguments:
        cells: values of each input; each network is asked at each pair.

    Raises:
        InputError: cells isn't from 2 to 1,000.
        MissingDependencyError: matplotlib isn't installed.

    >>> depth(cells=9).values["1 layer"][0].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 1]
    """
    check_cells(cells)
    networks = {f"{n} layer{'s' * (n > 1)}": threshold_model(n) for n in (1, 2, 3)}
    side = np.linspace(-REACH, REACH, cells)
    grid = np.stack([one.ravel() for one in np.meshgrid(side, side)], axis=1)
    region = {name: model.predict(grid).reshape(cells, cells).astype(np.int64) for name, model in networks.items()}
    lines = {"1 layer": [(1, 1, 0)], "2 layers": _TRIANGLE, "3 layers": _EDGES}
    shapes = {"1 layer": "a half-plane", "2 layers": "a convex region", "3 layers": "any region"}

    def draw(figure: Figure, theme: Theme) -> None:
        tops = figure.subplots(2, 3, gridspec_kw={"height_ratios": [1.0, 0.76]})
        for axes, below, (name, values) in zip(tops[0], tops[1], region.items(), strict=True):
            _draw_region(axes, theme, name, values, lines[name])
            axes.set_title(f"{name}:\n{shapes[name]}", size=10.5)
            below.axis("off")
            below.text(
                0, 1, "\n".join(weights_told(name)), va="top", size=8.5, family="DejaVu Sans Mono", linespacing=1.3,
                gid=f"weights-{name}", transform=below.transAxes,
            )  # fmt: skip

    return Picture(
        draw,
        title="Threshold units, layer by layer",
        caption="The coloured region is where the last unit is 1; thin lines are the cuts of the first layer, numbered "
        "like its units, each on the side where its unit is 1. step(z) is 1 where z is at least 0, else 0. "
        "Check any point by hand: (1, 1) in the three networks.",
        values={"x1": side, "x2": side, **region},
        height=5.3,
    )


def threshold_model(layers: int) -> Model:
    """The network of the demonstration that has so many layers; its weights are whole numbers, its biases halves too.

    Arguments:
        layers: 1, 2 or 3.

    >>> threshold_model(2).predict([[0.0, 0.0], [2.0, 2.0]]).tolist()
    [[1.0], [0.0]]
    """
    edges = {1: ((1, 1, 0),), 2: _TRIANGLE, 3: _EDGES}[layers]
    first = np.array(edges, np.float64).T
    values = [{"W": first[:2], "b": first[2]}]
    if layers == 2:
        values.append({"W": np.ones((3, 1)), "b": [-2.5]})
    if layers == 3:
        both = np.array([[edge in part for part in _PARTS] for edge in range(1, len(_EDGES) + 1)], np.float64)
        values.append({"W": both, "b": [0.5 - len(part) for part in _PARTS]})
        values.append({"W": np.ones((3, 1)), "b": [-0.5]})
    widths = [len(one["b"]) for one in values]
    network = Network.mlp(2, widths[:-1], widths[-1], activation="threshold", output="threshold")
    model = Model(network, "squared_error", "sgd", dtype="float64")
    model.set_parameters(dict(zip([layer.name for layer in network.layers[1:]], values, strict=True)))
    return model


def weights_told(name: str) -> list[str]:
    """The weights of a network of the demonstration as formulas, a line for each unit.

    Arguments:
        name: "1 layer", "2 layers" or "3 layers".

    >>> weights_told("2 layers")[-1]
    'y  = step(h1 + h2 + h3 - 2.5)'
    """
    if name == "1 layer":
        return ["y  = step(x1 + x2)"]
    edges = _TRIANGLE if name == "2 layers" else _EDGES
    told = [f"h{i} = step({_sum(edge)})" for i, edge in enumerate(edges, 1)]
    if name == "2 layers":
        return [*told, "y  = step(h1 + h2 + h3 - 2.5)"]
    for k, part in enumerate(_PARTS, 1):
        told.append(f"g{k} = step({' + '.join(f'h{i}' for i in part)} - {len(part) - 0.5:g})")
    return [*told, "y  = step(g1 + g2 + g3 - 0.5)"]


def _sum(edge: HalfPlane) -> str:
    """`-x1 - x2 + 2`."""
    text = ""
    for number, of in zip(edge, ("x1", "x2", ""), strict=True):
        if number:
            size = of if of and abs(number) == 1 else f"{abs(number)}{of}"
            text += f" {'-' if number < 0 else '+'} {size}" if text else f"{'-' if number < 0 else ''}{size}"
    return text


def _draw_region(axes: Axes, theme: Theme, name: str, values: Any, lines: Sequence[HalfPlane]) -> None:
    from matplotlib.colors import ListedColormap

    colors = ListedColormap([theme.paper, theme.colors[0]])
    extent = (-REACH, REACH, -REACH, REACH)
    axes.imshow(values, extent=extent, origin="lower", cmap=colors, vmin=0, vmax=1, alpha=0.55, gid=f"region-{name}")
    side = np.array([-2 * REACH, 2 * REACH])
    for i, (a, b, c) in enumerate(lines, 1):
        xs, ys = (side, -(a * side + c) / b) if b else (np.full(2, -c / a), side)
        axes.plot(xs, ys, color=theme.ink, linewidth=1.0, linestyle=(0, (4, 2)), gid=f"line-{name}-{i}")
        if len(lines) > 1:
            axes.text(*_place(a, b, c), str(i), size=8, ha="center", va="center", gid=f"number-{name}-{i}",
                      bbox={"facecolor": theme.paper, "edgecolor": "none", "pad": 0.6})  # fmt: skip
    axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xlabel="x1", aspect="equal")
    axes.set_xticks(range(-4, 5, 2))
    axes.set_yticks(range(-4, 5, 2))
    if name == "1 layer":
        axes.set_ylabel("x2", labelpad=-4)
    else:
        axes.tick_params(labelleft=False)
    axes.plot(*np.array([[1.0], [1.0]]), "o", color=theme.ink, markersize=5, gid=f"point-{name}")


def _place(a: int, b: int, c: int) -> tuple[float, float]:
    """Where a line's number stands: near the edge of the picture, on the side where the unit is 1."""
    along, length = REACH - 0.4, float(np.hypot(a, b))
    x, y = (-c / a, -along) if not b else (-along, -c / b) if not a else (along, -(a * along + c) / b)
    return x + 0.34 * a / length, y + 0.34 * b / length
