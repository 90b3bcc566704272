"""The network as a diagram, drawn by matplotlib: the same plain data that pages show as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError, counted
from chainrule.explain.derivation import Derivation, of_weights
from chainrule.explain.diagram.binding import diagram_of
from chainrule.explain.diagram.drawn import ABOUT, TITLE, Bound, Diagram, Link, Unit, short
from chainrule.explain.diagram.legible import BOLD, PLAIN
from chainrule.explain.render.svg import legend, thickness
from chainrule.images.image_model import ImageModel
from chainrule.model import Model
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, named
from chainrule.tables.table_model import TableModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROWEST = 520.0  # pixels of a diagram that is drawn as wide as the picture
MOST_SIZES = 12  # in the title
SMALLEST = 6.0  # points of a number that can be read; where it would be smaller it is left out
PATH = {"light": "#facc15", "dark": "#8a6d00"}


def network(
    model: Any, row: Any = None, y: Any = None, *, highlight: str | None = None, unit: int | None = None,
    number: int | None = None, notation: str = "ours",
) -> Picture:  # fmt: skip
    """A network as a diagram: layers from left to right, weights as lines; of a row also all values and gradients.

    Lines are solid and blue for positive weights, dashed and orange for negative ones, and thick for large ones. Wide
    layers and deep networks are drawn in part, with dots and how much is left out.

    Arguments:
        model: a `Model`, a `TableModel` (its first network), an estimator, or a derivation: what `explain` gave.
        row: the numbers that go in; left out, there are weights alone.
        y: the targets of the row; with them there are gradients and the loss.
        highlight: a weight, bias, input or value, as in `"W[hidden,1,2]"`, with a path of it that weighs most.
        unit: one that is drawn even in a layer too wide to draw whole.
        number: which row of a derivation of several, from 1.
        notation: how weights and units are called, as for `explain`.

    Raises:
        InputError: the row can't be used, or there is nothing of the name to highlight.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import Network
    >>> model = Model(Network.mlp(2, [2], 1, activation="sigmoid"), "squared_error")
    >>> picture = network(model, [0.5, 0.8], 1, highlight="W[hidden,1,2]")
    >>> picture, len(picture.values["weights"]), picture.values["path"][-1]
    (<Picture: Network of 2, 2 and 1 units>, 9, 'h[output,1]')
    """
    if row is None and not isinstance(model, Derivation):
        work, values = of_weights(trained(model), notation), False
    else:
        work, values = _explained(model, row, y, notation), True
    diagram = diagram_of(work, row=number, highlight=highlight, unit=unit, values=values)
    if 10 * 8 * 72 / diagram.width < SMALLEST:  # so that at least what is in the circles can be read
        diagram = diagram_of(work, row=number, highlight=highlight, unit=unit, values=values, labelled=False)
    wide = max(diagram.width, NARROWEST)

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set_xlim((diagram.width - wide) / 2, (diagram.width + wide) / 2)
        axes.set_ylim(diagram.height, 0)
        axes.set_aspect("equal")
        _Drawing(axes, theme, diagram, 8 * 72 / wide).draw()

    return Picture(
        draw, title=_title(diagram), caption=legend(diagram), values=_values(diagram), height=8 * diagram.height / wide
    )


def trained(model: Any) -> Model:
    """The model with the weights that are meant: of a table's model its first network, of an estimator what it fitted.

    Arguments:
        model: a `Model`, a `TableModel`, an `ImageModel` or an estimator.
    """
    if isinstance(model, ImageModel):
        return model.model
    if isinstance(model, TableModel):
        return model.network(1)
    if isinstance(model, Model):
        return model
    ready = getattr(model, "_ready_model", None)
    if ready is None:
        raise InputError(f"a network is drawn of a model, an estimator or a derivation, not of {type(model).__name__}")
    return ready()


def _explained(model: Any, row: Any, y: Any, notation: str) -> Derivation:
    if isinstance(model, Derivation):
        if row is not None or y is not None:
            raise InputError("a derivation has its rows already: leave row and y out")
        return model
    if isinstance(model, TableModel):
        raise InputError("of a table's row: plots.network(model.explain(table, row=17))")
    return model.explain(row, y, notation=notation)


def _title(diagram: Diagram) -> str:
    sizes = [f"{group.size:,}" for group in diagram.groups]
    if diagram.folded is not None:
        sizes.insert(5, "…")
    if len(sizes) > MOST_SIZES:
        return f"Network of {counted(len(sizes), 'layer')}, {sizes[0]} inputs first and {sizes[-1]} units last"
    return f"Network of {', '.join(sizes[:-1])} and {sizes[-1]} units"


def _values(diagram: Diagram) -> dict[str, Any]:
    """The numbers of what is drawn, by the names of the quantities."""

    def numbers(bound: Iterator[Bound | None]) -> dict[str, float]:
        return {str(one.name): one.value for one in bound if one is not None}

    units, links = diagram.units, diagram.links
    path = [] if diagram.path is None else [str(edge.before) for edge in reversed(diagram.path.edges)]
    return {
        "layers": [{"name": group.title, "units": group.size, "about": group.about} for group in diagram.groups],
        "values": numbers(one for unit in units for one in unit.values),
        "weights": numbers(one for one in (*(link.weight for link in links), *(b for u in units for b in u.learned))),
        "gradients": numbers(
            one
            for one in (
                *(b for unit in units for b in (*unit.gradients, *unit.learned_gradients)),
                *(link.gradient for link in links),
            )
        ),
        "path": path,
    }


class _Drawing:
    """A diagram put into axes whose units are its pixels; `points` is how many points one of them has."""

    def __init__(self, axes: Axes, theme: Theme, diagram: Diagram, points: float):
        self.axes, self.theme, self.diagram, self.points = axes, theme, diagram, points
        self.has_numbers = 10 * points >= SMALLEST

    def draw(self) -> None:
        """The path, lines, circles, numbers, headings."""
        diagram, soft = self.diagram, self.theme.soft
        for i, link in enumerate(diagram.links):
            self._link(i, link)
        for i, (a, b) in enumerate(diagram.hops):
            self._hop(i, diagram.units[a], diagram.units[b])
        for i, unit in enumerate(diagram.units):
            if unit.is_dots:
                x, y = unit.place
                self._text(x, y, "⋮", 14, color=soft, least=7)
                self._text(x, y + 13, f"{unit.folded:,} more", 10, color=soft, least=6, gid=f"dots-{i}")
            else:
                self._unit(i, unit)
        for i, group in enumerate(diagram.groups):
            x, y = group.place
            lines = max(14.0, 9 / self.points)  # the least sizes need the same room at every scale
            title = named(group.title, self._fitting(12, 7, BOLD, TITLE)).strip()
            about = named(group.about, self._fitting(10.5, 6.5, PLAIN, ABOUT))
            self._text(x, y + 10 - lines, title, 12, weight="bold", least=7, gid=f"layer-{i}")
            self._text(x, y + 10, about, 10.5, color=soft, least=6.5, gid=f"about-{i}")
        if diagram.folded is not None:
            (x, y), count = diagram.folded
            self._text(x, y, "· · ·", 14, least=7)
            self._text(x, y + 16, f"{count} more", 10.5, color=soft, least=6.5, gid="folded")

    def _fitting(self, size: float, least: float, wide: float, most: int) -> int:
        """How many characters of a heading fit between columns where it is enlarged to be read; at most so many."""
        enlarged = max(1.0, least / (size * self.points))
        columns = sorted({group.place[0] for group in self.diagram.groups})
        apart = min((b - a for a, b in pairwise(columns)), default=math.inf)
        return most if enlarged == 1 else int(min(most, max(5, apart / (wide * enlarged))))

    def _text(self, x: float, y: float, text: str, size: float, *, least: float = 0.0, **look: Any) -> None:
        # a box, not an outline: outlined text is no text any more in an SVG
        box = {"boxstyle": "square,pad=0.04", "facecolor": self.theme.paper, "edgecolor": "none", "alpha": 0.8}
        look = {"ha": "center", "va": "center", "zorder": 6, "bbox": box, "clip_on": False, **look}
        self.axes.text(x, y, text, fontsize=max(least, size * self.points), **look)

    def _link(self, i: int, link: Link) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        (x0, y0), (x1, y1) = self.diagram.units[link.source].place, self.diagram.units[link.target].place
        way = Path([(x0, y0), (x1, y1)])
        if link.bends:
            (xa, lane), (xb, _) = link.bends
            first, second = (x0 + xa) / 2, (xb + x1) / 2
            points = [
                (x0, y0),
                (first, y0),
                (first, lane),
                (xa, lane),
                (xb, lane),
                (second, lane),
                (second, y1),
                (x1, y1),
            ]
            way = Path(points, [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3])
        if link.on_path:
            self._highlight(way, f"path-{i}")
        look: dict[str, Any] = {"edgecolor": self.theme.soft, "linewidth": 0.8, "linestyle": (0, (1, 2.5))}
        if link.weight is not None:
            minus = link.weight.value < 0
            width = thickness(link.weight.value, self.diagram.largest) * max(self.points, 0.5)
            dashes = (0, (3.2, 1.6)) if width > 1.5 else (0, (6, 3))
            look = {
                "edgecolor": self.theme.colors[int(minus)],
                "linewidth": width,
                "linestyle": dashes if minus else "-",
            }
        if self.diagram.is_dense and not link.on_path:
            look["alpha"] = 0.55
        self.axes.add_patch(PathPatch(way, fill=False, zorder=2, gid=f"link-{i}", **look))
        if link.label is not None and link.weight is not None and self.has_numbers:
            (x, y), symbol = link.label, "" if "[" in link.weight.symbol else f"{link.weight.symbol} "
            up = 5.5 if link.gradient is not None else 0.0
            self._text(x, y - up, f"{symbol}{short(link.weight.value)}", 10, gid=f"weight-{i}")
            if link.gradient is not None:
                self._text(x, y + up, f"∂ {short(link.gradient.value)}", 10, color=self._gradient, gid=f"gradient-{i}")

    def _highlight(self, way: Any, gid: str) -> None:
        from matplotlib.patches import PathPatch

        look = {"edgecolor": PATH[self.theme.name], "linewidth": 11 * self.points, "alpha": 0.75}
        self.axes.add_patch(PathPatch(way, fill=False, zorder=1, capstyle="round", gid=gid, **look))

    def _hop(self, i: int, first: Unit, second: Unit) -> None:
        from matplotlib.path import Path

        (x, y0), (_, y1) = first.place, second.place
        way = Path([(x, y0), (x + 56, (y0 + y1) / 2), (x, y1)], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        self._highlight(way, f"hop-{i}")

    @property
    def _gradient(self) -> str:
        return self.theme.colors[3]

    def _unit(self, i: int, unit: Unit) -> None:
        from matplotlib.patches import Circle

        (x, y), r, theme = unit.place, self.diagram.radius, self.theme
        if unit.on_path:
            self.axes.add_patch(Circle((x, y), r + 4, color=PATH[theme.name], zorder=3, gid=f"halo-{i}"))
        self.axes.add_patch(
            Circle((x, y), r, facecolor=theme.middle, edgecolor=theme.ink, linewidth=1.2 * self.points, zorder=4,
                   gid=f"unit-{i}")
        )  # fmt: skip
        if not self.has_numbers:
            return
        if unit.values:
            self._text(x, y, short(unit.values[-1].value), 10, bbox=None, gid=f"value-{i}")
        self._text(x, y - r - 8, unit.above, 10, color=theme.soft, gid=f"label-{i}")
        below = y + r + 8
        if unit.gradients:
            self._text(x, below, f"∂ {short(unit.gradients[0].value)}", 10, color=self._gradient, gid=f"delta-{i}")
            below += 11
        if unit.target is not None:
            self._text(x, below, f"y {short(unit.target.value)}", 10, color=theme.soft, gid=f"target-{i}")
