"""Single units as surfaces over two inputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.layers import Context
from chainrule.learner import Learner
from chainrule.network import Network
from chainrule.plots.picture import Picture
from chainrule.plots.planes import plane_of_arrays
from chainrule.plots.themes import Theme, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 12  # surfaces in a picture
_UNIT = re.compile(r"\s*(?:(?P<kind>[hz])\[)?(?P<layer>[^\],]+)(?:,\s*(?P<unit>\d+))?\]?\s*")


def surfaces(
    model: Any,
    units: Sequence[str] | None = None,
    *,
    X: Any = None,
    columns: Sequence[int] | None = None,
    reach: float = 6.0,
    cells: int = 25,
    labels: Sequence[str] = (),
) -> Picture:
    """The value of single units over two inputs, each as a surface.

    Arguments:
        model: a `Model`; of several members the first.
        units: such as `"h[hidden,1]"`, `"z[hidden,1]"` before the activation, or a layer's name for all of its units;
            left out, every unit, as many as a picture holds.
        X: data, which say how far the inputs go and what those besides the two are held at.
        columns: the two inputs, from 1, where the model reads more.
        reach: without data, both go from -reach to reach.
        cells: values of each input.
        labels: titles of the surfaces, in place of the units' names.

    Raises:
        InputError: there is no such unit, or the model's inputs aren't numbers in a row.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import Model
    >>> model = Model(Network.mlp(2, [2], 1, activation="sigmoid"), "squared_error")
    >>> picture = surfaces(model, ["hidden"])
    >>> [name for name in picture.values if name.startswith("h")]
    ['h[hidden,1]', 'h[hidden,2]']
    """
    if not isinstance(model, Learner):
        raise InputError(f"{type(model).__name__} is no model of arrays, whose units could be drawn")
    shape = model.network.only_input_shape
    if shape is None or len(shape) != 1:
        raise InputError("surfaces are drawn of a network with one input of numbers")
    plane, rows = plane_of_arrays(X, shape[0], columns, None if X is not None else reach, cells)
    every = _units(model.network, units)
    heads = {head.slot for head in model.network.heads}
    ends = [name for name, (slot, _) in every.items() if slot in heads][:3] if units is None else []
    before = [name for name in every if name not in ends][: MOST - len(ends)]
    chosen = {name: every[name] for name in every if name in (*before, *ends)}
    slots = _slots(model, rows)
    found = {name: plane.image(slots[slot][:, unit]) for name, (slot, unit) in chosen.items()}
    if endless := [name for name, values in found.items() if not np.isfinite(values).all()]:
        raise InputError(
            f"{listed(endless)} {'is' if len(endless) == 1 else 'are'} NaN or infinite there: something overflows on "
            "the way; a smaller reach, or weights of a reasonable size, can be drawn"
        )
    if labels and len(labels) != len(found):
        raise InputError(f"there are {len(found)} surfaces and {len(labels)} labels")
    titles = [named(one) for one in labels] or [named(one) for one in found]

    def draw(figure: Figure, theme: Theme) -> None:
        across = min(3, len(found))
        for i, (title, values) in enumerate(zip(titles, found.values(), strict=True), 1):
            axes: Any = figure.add_subplot(-(-len(found) // across), across, i, projection="3d")
            low, high = float(values.min()), float(values.max())
            if low >= 0 and high <= 1:
                low, high = 0.0, 1.0
            elif high - low < 1e-9 * max(1, abs(high)):
                low, high = low - 0.5, high + 0.5
            grid = np.meshgrid(plane.x, plane.y)
            axes.plot_surface(
                *grid, values, cmap=theme.scale(), vmin=low, vmax=high, rcount=cells, ccount=cells, linewidth=0.25,
                edgecolor=theme.ink, antialiased=True, shade=False, gid=f"surface-{i}",
            )  # fmt: skip
            axes.set(xlabel=plane.names[0], ylabel=plane.names[1], zlim=(low, high))
            axes.set_title(title)
            axes.view_init(elev=26, azim=-62)
            axes.set_box_aspect((1, 1, 0.72), zoom=0.92)
            axes.tick_params(labelsize=8, pad=-1)
            axes.xaxis.labelpad = axes.yaxis.labelpad = -2
            for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
                axis.set_major_locator(_few_ticks())
                axis.pane.set_facecolor(theme.paper)
                axis.pane.set_edgecolor(theme.grid)

    left_out = f" {len(every) - len(chosen)} more units aren't drawn." if len(every) > len(chosen) else ""
    held = f" The other inputs are held at {plane.fixed}." if plane.fixed else ""
    return Picture(
        draw,
        title=f"Units over {plane.names[0]} and {plane.names[1]}",
        caption="The height and the colour are the unit's value." + held + left_out,
        values={"x": plane.x, "y": plane.y, **found},
        height=2.9 * -(-len(found) // 3) if len(found) > 1 else 4.4,
    )


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)


def _units(network: Network, chosen: Sequence[str] | None) -> dict[str, tuple[int, int]]:
    """The slot and the place in it of each unit, by its name."""
    if isinstance(chosen, str):
        chosen = [chosen]
    last = {step.name: step.output for step in network.steps}
    before = {step.name: step.output for step in reversed(network.steps)}
    slots = network.program.slots
    found: dict[str, tuple[int, int]] = {}
    for text in chosen or [name for name in last if len(slots[last[name]].shape) == 1]:
        match = _UNIT.fullmatch(str(text))
        layer = match["layer"].strip() if match else str(text)
        if match is None or layer not in last:
            raise InputError(
                f'there is no layer "{layer}" for the unit {text}.{did_you_mean(layer, last)} There are {listed(last)}'
            )
        kind = match["kind"] or "h"
        slot = (before if kind == "z" else last)[layer]
        if len(slots[slot].shape) != 1:
            raise InputError(f"layer {layer} makes values of shape {slots[slot].shape}, which have no units in a row")
        width = slots[slot].shape[0]
        numbers = [int(match["unit"])] if match["unit"] else range(1, width + 1)
        for number in numbers:
            if not 1 <= number <= width:
                raise InputError(f"layer {layer} has no unit {number}; its units are 1 to {width}")
            found[f"{kind}[{layer},{number}]"] = (slot, number - 1)
    return found


def _slots(model: Learner, rows: Doubles) -> list[Doubles]:
    """Every slot's values, by the engine that gives numbers their meaning, in float64."""
    network, now = model.network, model.training
    engine = ReferenceEngine(network, model.objective)
    parameters = network.layout.views(now.parameters[0].astype(np.float64))
    state = network.state_layout.views(now.state[0].astype(np.float64))
    with np.errstate(all="ignore"):
        values = engine.forward(parameters, state, (rows,), Context(dtype=np.dtype(np.float64))).values
    return [np.asarray(one, np.float64) for one in values]
