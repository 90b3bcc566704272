"""How a training went, layer by step: one picture of all that was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.health.report import Diagnosis
from chainrule.health.watching import Doctor
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

MOST = 24  # layers; of more, the first and the last
_PANELS = {
    "gradient": ("length of the gradient", True),
    "update": ("step, over the weights' length", True),
    "flat": ("share of outputs on flat ground", False),
    "spread": ("spread of the outputs over rows", True),
}


def vitals(seen: Diagnosis | Doctor) -> Picture:
    """What was measured while a model trained, layer by layer (from the input down) and step by step.

    Gradients that vanish darken from the last layer to the first; steps that are too large or too small show in the
    second panel (a thousandth of the weights is usual); dead and saturated layers in the third.

    Arguments:
        seen: a `Diagnosis`, or the `Doctor` that watched a fit.

    Raises:
        InputError: nothing was measured.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import Model, Network
    >>> doctor = Doctor()
    >>> model = Model(Network.mlp(2, [8], 1), "squared_error")
    >>> history = model.fit([[0.5, 0.8], [1.0, -1.0]], [1.0, 2.0], epochs=30, callbacks=doctor, progress=False)
    >>> picture = vitals(doctor)
    >>> picture, picture.values["layers"], picture.values["gradient"].shape
    (<Picture: Layer by step: how the training went>, ['hidden', 'output'], (2, 30))
    """
    found = seen.diagnosis() if isinstance(seen, Doctor) else seen
    if not isinstance(found, Diagnosis):
        raise InputError(f"vitals takes a Diagnosis or the Doctor of a fit, not {seen!r}")
    measured = found.vitals
    if measured is None or not len(measured.steps):
        raise InputError(
            "nothing was measured: a fit by steps with a Doctor among its callbacks, or model.diagnose(X, y), measures"
        )
    table = found.series()
    layers = list(table)
    if len(layers) > MOST:
        layers = [*layers[: MOST // 2], *layers[-(MOST // 2) :]]
    steps = measured.steps
    values: dict[str, Any] = {"layers": layers, "steps": steps}
    values |= {name: np.array([table[layer][name] for layer in layers]) for name in _PANELS}

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(2, 2, sharex=True, sharey=True).ravel()
        for axes, (name, (title, logarithmic)) in zip(grid, _PANELS.items(), strict=True):
            _draw_panel(figure, axes, theme, name, title, values[name], steps, logarithmic)
            axes.set_yticks(range(len(layers)), [named(layer, 14).strip() for layer in layers])
        for axes in grid[2:]:
            axes.set_xlabel("step")

    where = "of a short training of a copy" if found.to_json()["short_training"] else "of the fit"
    return Picture(
        draw,
        title="Layer by step: how the training went",
        caption=f"Measured at {len(steps)} steps {where}, on the first 256 rows of each batch: "
        "darker is less (of flat outputs: more). " + found.heading,
        values=values,
        height=1.2 + 2 * max(1.4, 0.26 * len(layers)),
    )


def _draw_panel(
    figure: Figure, axes: Axes, theme: Theme, name: str, title: str, numbers: Doubles, steps: Any, logarithmic: bool
) -> None:
    from matplotlib.colors import LogNorm, Normalize

    shown = np.where(np.isfinite(numbers) & ((numbers > 0) | (not logarithmic)), numbers, np.nan)
    if not np.isfinite(shown).any():
        axes.set_title(f"{title}: none", loc="left")
        return
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    norm = LogNorm(low, max(high, low * 10)) if logarithmic else Normalize(0, 1)
    width = float(steps[1] - steps[0]) if len(steps) > 1 else 1.0
    drawn = axes.imshow(
        shown, aspect="auto", cmap=_shades(theme, reverse=not logarithmic), norm=norm, gid=name,
        extent=(steps[0] - width / 2, steps[-1] + width / 2, len(shown) - 0.5, -0.5),
    )  # fmt: skip
    axes.grid(visible=False)
    axes.set_title(title, loc="left")
    ends = np.geomspace(low, max(high, low * 10), 4).tolist() if logarithmic else [0.0, 0.5, 1.0]
    bar = figure.colorbar(drawn, ax=axes, pad=0.02, fraction=0.06, aspect=16)
    bar.minorticks_off()
    bar.set_ticks(ends, labels=[f"{end:.1g}" for end in ends])


def _shades(theme: Theme, *, reverse: bool) -> Colormap:
    """Shades of one hue, whose lightness tells them apart in grey; `reverse`: more is darker."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = ("#0d2138", "#3f6f8f", "#e8c46a") if theme.name == "light" else ("#2d4a7d", "#6b9db5", "#fbe6a2")
    shades = LinearSegmentedColormap.from_list("vitals", ends)
    return (shades.reversed() if reverse else shades).with_extremes(bad=theme.paper)
