"""Activations beside their derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.activations import ACTIVATIONS, ActivationFunction, get_activation
from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.plain import shortened
from chainrule.plots.picture import Picture
from chainrule.plots.planes import REACH
from chainrule.plots.themes import Theme, called, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 401
_JUMP = 1e-3  # between the derivatives closely left and right of 0: there the curve is broken


def activations(*which: str | ActivationFunction, reach: float = 4.0) -> Picture:
    """Activations and their derivatives over the pre-activation z.

    Arguments:
        which: names or objects, such as `"relu"` or `LeakyReLU(slope=0.2)`; left out, every one that there is.
        reach: z goes from -reach to reach.

    Raises:
        InputError: there is no such activation, or reach isn't a positive number.
        MissingDependencyError: matplotlib isn't installed.

    >>> picture = activations("sigmoid", "relu")
    >>> picture
    <Picture: Activations beside their derivatives>
    >>> curve = picture.values["sigmoid"]
    >>> round(float(curve["dh/dz"].max()), 3)
    0.25
    """
    if not REACH.holds(reach):
        raise InputError(f"reach is {shortened(reach)}; it must be {REACH}: z goes from -reach to reach")
    chosen = [get_activation(one) for one in which or ACTIVATIONS]
    curves = {name: curve(one, reach) for name, one in zip(_names(chosen), chosen, strict=True)}
    columns = min(len(curves), 3 if len(curves) != 4 else 2)
    rows = -(-len(curves) // columns)

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
        for axes, (name, one) in zip(grid, curves.items(), strict=False):
            _draw_one(axes, theme, name, one)
        for axes in grid[len(curves) :]:
            axes.remove()
        for i, axes in enumerate(grid[: len(curves)]):
            if i + columns >= len(curves):
                axes.set_xlabel("z")
                axes.tick_params(labelbottom=True)
        handles, labels = grid[0].get_legend_handles_labels()
        if len(curves) > 1:
            legend_above(figure, handles, labels)
        else:
            grid[0].legend(loc="best")
            grid[0].set_title("")

    coupled = " Softmax is that of (z, 0), its first unit." if any(one.coupled for one in chosen) else ""
    only = next(iter(curves))
    return Picture(
        draw,
        title=f"{only} beside its derivative" if len(curves) == 1 else "Activations beside their derivatives",
        caption="h = f(z), and dh/dz, which multiplies a gradient on its way back: where it is near 0, little comes "
        "through." + coupled,
        values=curves,
        height=3.6 if len(curves) == 1 else 0.3 + (2.6 if columns < 3 else 1.9) * rows,
    )


def curve(activation: ActivationFunction, reach: float) -> dict[str, Doubles]:
    """z, h and dh/dz of an activation; what jumps at 0 is broken there by a NaN.

    Arguments:
        activation: whose curve.
        reach: z goes from -reach to reach.

    >>> curve(get_activation("threshold"), 1.0)["h"][[0, -1]].tolist()
    [0.0, 1.0]
    """
    side = np.linspace(min(reach / 1e9, 1e-7), reach, _POINTS // 2)
    z = np.concatenate([-side[::-1], [0.0], side])
    rows = np.stack([z, np.zeros_like(z)], axis=1) if activation.coupled else z[:, None]
    with np.errstate(all="ignore"):
        h = np.asarray(activation.value(rows), np.float64)
        to_first = np.zeros_like(h)
        to_first[:, 0] = 1
        back = activation.backward(rows if activation.needs == "z" else h, to_first)
    h, slope, middle = h[:, 0].copy(), np.asarray(back, np.float64)[:, 0].copy(), len(z) // 2
    for values in (h, slope):
        values[~np.isfinite(values)] = np.nan
        if abs(values[middle + 1] - values[middle - 1]) > _JUMP:
            values[middle] = np.nan
    return {"z": z, "h": h, "dh/dz": slope}


def _draw_one(axes: Axes, theme: Theme, name: str, curves: dict[str, Doubles]) -> None:
    axes.axhline(0, color=theme.soft, linewidth=0.8)
    axes.axvline(0, color=theme.soft, linewidth=0.8)
    for i, key in enumerate(("h", "dh/dz")):
        axes.plot(curves["z"], curves[key], label=key, gid=f"{name}-{key}", **theme.series(i))
    axes.set_title(name, loc="left")
    low, high = (f(np.nanmin(curves["h"]), np.nanmin(curves["dh/dz"])) if f is min else
                 f(np.nanmax(curves["h"]), np.nanmax(curves["dh/dz"])) for f in (min, max))  # fmt: skip
    reach = float(curves["z"][-1])
    room = 0.08 * (min(high, 2 * reach) - low) or 0.5
    axes.set_ylim(low - room, min(high, reach) + room)  # exp would press everything else flat


def _names(chosen: list[ActivationFunction]) -> list[str]:
    """A title for each: its name, with its options where they aren't the usual ones."""
    names = [called(one) for one in chosen]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice} is named twice: each activation is drawn once")
    return names
