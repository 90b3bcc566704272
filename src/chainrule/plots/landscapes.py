"""The loss over one weight or two: the curve or surface on which training walks, and the way that it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError, TrainingError, counted, listed
from chainrule.knobs.turning import Turned
from chainrule.plain import shortened
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REGIONS = 5  # positions of a knob whose decision regions are drawn
CELLS = 60  # of a region, along each side
LEVELS = 14
MESH = 13  # cells of a surface along each side, about


def knobs(turned: Turned) -> Picture:
    """What a weight does to the loss, or two: a curve with its slope, or a surface beside its map.

    Of one weight of a network with two inputs there are also what it says of the plane, at five positions of the knob.

    Arguments:
        turned: what `model.turn("W[hidden,1,2]", X=X, y=y)` gave; its trail is drawn where it has one.

    Raises:
        InputError: it is something else, or the loss is finite nowhere.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error")
    >>> knobs(model.turn("W[output,1,1]", X=[[1.0]], y=[2.0]))
    <Picture: The loss over W[output,1,1]>
    """
    if not isinstance(turned, Turned):
        raise InputError(f'knobs draws what model.turn("W[hidden,1,2]", X=X, y=y) gave, not {shortened(turned)}')
    if not np.isfinite(turned.loss).any():
        raise InputError(
            f"the loss is finite at none of the values of {listed(turned.names)}: something overflows on the way; are "
            "inputs scaled, and the weights of a reasonable size?"
        )
    values: dict[str, Any] = {
        "weights": list(turned.names), "now": list(turned.at), "loss now": turned.loss_now, "gradient": _slopes(turned),
        "lowest": list(turned.lowest), "values": [one.tolist() for one in turned.values], "loss": turned.loss.tolist(),
    }  # fmt: skip
    trail = _trail(turned)
    if trail is not None:
        values["trail"] = trail.tolist()
    return _curve(turned, values, trail) if len(turned.names) == 1 else _surface(turned, values, trail)


def _slopes(turned: Turned) -> list[float] | None:
    try:
        return list(turned.gradient)
    except TrainingError:  # threshold units
        return None


def _trail(turned: Turned) -> Doubles | None:
    if turned.trail is None or not len(turned.trail.values):
        return None
    return turned.trail.values[:, [turned.trail.names.index(name) for name in turned.names]]


def _curve(turned: Turned, values: dict[str, Any], trail: Doubles | None) -> Picture:
    name, at, now = turned.names[0], turned.at[0], values["loss now"]
    regions = _regions(turned)
    if regions is not None:
        values["regions"] = {"at": regions[0], "outputs": [region.tolist() for region in regions[1]]}

    def draw(figure: Figure, theme: Theme) -> None:
        if regions is None:
            axes = figure.subplots()
        else:
            parts: Any = figure.subfigures(2, 1, height_ratios=(1.9, 1))
            axes = parts[0].subplots()
            below = zip(parts[1].subplots(1, len(regions[1]), sharey=True), *regions[:2], strict=True)
            for k, (one, position, region) in enumerate(below):
                _region(one, theme, turned, position, region, regions[2], k)
        x = turned.values[0]
        axes.plot(x, turned.loss, gid="loss", **theme.series(0))
        span = np.nanmax(turned.loss[np.isfinite(turned.loss)]) - np.nanmin(turned.loss[np.isfinite(turned.loss)])
        if values["gradient"] is not None:
            slope = values["gradient"][0]
            half = 0.12 * (x[-1] - x[0])
            half = min(half, 0.3 * span / abs(slope)) if slope else half
            ends = np.array([at - half, at + half])
            look = theme.series(1)
            axes.plot(ends, now + slope * (ends - at), label=f"slope {slope:.4g}", gid="slope", **look)
        if trail is not None:
            heights = turned.loss_at(trail)
            said = f"the way of {counted(len(trail) - 1, turned.trail.every)}" if turned.trail is not None else ""
            axes.plot(trail[:, 0], heights, color=theme.colors[2], marker=".", linewidth=0.8, markersize=4,
                      label=said, gid="trail")  # fmt: skip
        here = f"now: {at:.4g}, loss {now:.4g}"
        axes.plot([at], [now], color=theme.ink, marker="o", linestyle="", label=here, gid="now", zorder=5)
        axes.set_xlabel(name)
        axes.set_ylabel("loss")
        axes.legend(loc="best")

    caption = f"The loss of the rows while {name} is turned and all else stays as it is"
    flat = turned.loss.max() == turned.loss.min()
    caption += "; it is the same everywhere." if flat else f"; it is lowest at {turned.lowest[0]:.4g}."
    if regions is not None:
        caption += " Below, what the network says of the plane at five positions of the knob, with the rows in it."
    return Picture(
        draw, title=f"The loss over {name}", caption=caption, values=values, height=5.6 if regions is not None else 3.8
    )


def _regions(turned: Turned) -> tuple[list[float], list[Doubles], tuple[Doubles, Doubles]] | None:
    """Positions of the knob, what the first head says over the plane at each, and the plane's ticks."""
    rows = turned.turner.rows
    network = turned.turner.model.network
    if network.only_input_shape != (2,):
        return None
    X = rows.inputs[0]
    ticks = []
    for column in X.T:
        low, high = float(column.min()), float(column.max())
        room = 0.15 * (high - low) or 1.0
        ticks.append(np.linspace(low - room, high + room, CELLS))
    plane = np.stack(np.meshgrid(*ticks, indexing="xy"), axis=-1).reshape(-1, 2)
    x = turned.values[0]
    positions = sorted({float(x[0]), float(x[len(x) // 4]), turned.at[0], float(x[3 * len(x) // 4]), float(x[-1])})
    said = turned.outputs(plane, [[position] for position in positions])
    if isinstance(said, dict):
        said = next(iter(said.values()))
    outputs = said.reshape(len(positions), CELLS, CELLS, -1)
    best = outputs[..., 0] if outputs.shape[-1] == 1 else outputs.argmax(axis=-1).astype(float)
    return positions, list(best), (ticks[0], ticks[1])


def _region(
    axes: Axes, theme: Theme, turned: Turned, position: float, region: Doubles, ticks: tuple[Doubles, Doubles], k: int
) -> None:
    objective = turned.turner.model.objective.heads[0]
    low, high = (0.0, 1.0) if objective.loss.yes_or_no else (float(region.min()), float(region.max()))
    axes.pcolormesh(*ticks, region, cmap="cividis", vmin=low, vmax=high or 1.0, rasterized=True, gid=f"region-{k}")
    levels = [(low + high) / 2] if objective.outputs == 1 else list(np.arange(0.5, region.max()))
    if levels and region.min() < region.max():
        axes.contour(*ticks, region, levels=levels, colors=["#ffffff"], linewidths=1.4)
    rows = turned.turner.rows
    X, y = rows.inputs[0], np.asarray(rows.targets[0], float).reshape(len(rows), -1)
    kinds = y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0]
    for i, kind in enumerate(np.unique(kinds)[:3]):
        chosen = kinds == kind
        axes.plot(*X[chosen][:200].T, linestyle="", marker="o^s"[i], markersize=3.4, markerfacecolor="#ffffff",
                  markeredgecolor="#000000", markeredgewidth=0.7)  # fmt: skip
    now = " (now)" if position == turned.at[0] else ""
    axes.set_title(f"{position:.3g}{now}", fontsize=9)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])


def _surface(turned: Turned, values: dict[str, Any], trail: Doubles | None) -> Picture:
    first, second = turned.names
    finite = np.where(np.isfinite(turned.loss), turned.loss, np.nan)
    on_it = None if trail is None else turned.loss_at(trail)

    def draw(figure: Figure, theme: Theme) -> None:
        left = figure.add_subplot(1, 2, 1, projection="3d")
        right = figure.add_subplot(1, 2, 2)
        x, y = np.meshgrid(*turned.values, indexing="ij")
        levels = np.unique(np.nanquantile(finite, np.linspace(0, 1, LEVELS)))
        if len(levels) < 3:
            levels = np.linspace(np.nanmin(finite) - 0.5, np.nanmax(finite) + 0.5, 3)
        _mountains(left, theme, (x, y, finite), trail, on_it)
        filled = right.contourf(x, y, finite, levels=levels, cmap="cividis")
        lines = right.contour(x, y, finite, levels=levels[1:-1:3], colors=["#ffffff"], linewidths=0.7, alpha=0.8)
        digits = _digits(levels)
        right.clabel(lines, fmt=lambda level: f"{level:.{digits}g}", fontsize=8)
        ticks = levels[:: max(1, len(levels) // 5)]
        figure.colorbar(filled, ax=right, ticks=ticks, format=f"%.{digits}g", label="loss")
        if trail is not None:
            look: dict[str, Any] = {"color": "#ffffff", "markeredgecolor": "#000000", "markeredgewidth": 0.6}
            right.plot(*trail.T, color="#000000", linewidth=2.6, zorder=3)
            right.plot(*trail.T, color="#ffffff", linewidth=1.3, zorder=3, gid="trail")
            right.plot(*trail[0], marker="s", linestyle="", label="start", zorder=4, gid="start", **look)
        right.plot(*turned.at, marker="*", markersize=12, linestyle="", label="now", zorder=5, gid="now",
                   color="#ffffff", markeredgecolor="#000000")  # fmt: skip
        right.set_xlabel(first)
        right.set_ylabel(second)
        right.grid(visible=False)
        legend = right.legend(loc="upper right", frameon=True, facecolor=theme.paper, labelcolor=theme.ink)
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_markeredgecolor(theme.soft)  # type: ignore[attr-defined]

    caption = f"The loss of the rows while {first} and {second} are turned and all else stays as it is"
    caption += ": at the left as a surface, at the right as its map, with the same loss along each line."
    if trail is not None and turned.trail is not None:
        caption += (
            f" The way of {counted(len(trail) - 1, turned.trail.every)} of training leads from the square to the star; "
        )
        caption += "the other weights were elsewhere on the way." if _others(turned) else "there are no other weights."
    return Picture(draw, title=f"The loss over {first} and {second}", caption=caption, values=values, height=3.6)


def _digits(levels: Doubles) -> int:
    """How many digits tell neighbouring levels apart."""
    apart = float(np.diff(levels).min())
    return int(np.clip(np.ceil(np.log10(abs(levels).max() / apart)) if apart > 0 else 3, 3, 6))


def _others(turned: Turned) -> bool:
    return turned.turner.model.network.count().total > len(turned.names)


def _mountains(axes: Any, theme: Theme, grid: tuple[Any, Any, Doubles], trail: Any, heights: Any) -> None:
    x, y, loss = grid
    axes.plot_surface(x, y, loss, cmap="cividis", linewidth=0.15, edgecolor=theme.soft,
                      rstride=max(1, round(len(x) / MESH)), cstride=max(1, round(x.shape[1] / MESH)),
                      antialiased=True, alpha=0.93 if trail is None else 0.75)  # fmt: skip
    if trail is not None:
        axes.plot(*trail.T, heights, color=theme.ink, linewidth=2, zorder=10)
    axes.view_init(elev=32, azim=-58)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
        axis.set_tick_params(labelsize=7, pad=0)
