"""Learning-rate schedules: the rate of every step of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.limits import POSITIVE, Limit, check
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, called
from chainrule.schedules import SCHEDULES, Schedule, get_schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = Limit(1, 2000, whole=True)
_PLATEAU = 0.5  # after which part of the epochs the made-up loss stops falling


def schedules(*which: str | Schedule, rate: float = 0.1, epochs: int = 40, steps: int = 25) -> Picture:
    """The learning rate of each step, by schedule.

    `ReduceOnPlateau` looks at the losses: it is drawn for one that falls for half of the epochs and then stays.

    Arguments:
        which: names or objects, such as `"cosine"` or `StepDecay(0.1, every=5)`; left out, every one that there is.
        rate: of those that are given by name.
        epochs: of the fit.
        steps: of each epoch.

    Raises:
        InputError: there is no such schedule, or a number can't be used.
        MissingDependencyError: matplotlib isn't installed.

    >>> picture = schedules("constant", "cosine", epochs=10)
    >>> [round(float(rate), 3) for rate in picture.values["cosine"][[0, 125, 249]]]
    [0.1, 0.05, 0.0]
    """
    check("schedules", "rate", rate, POSITIVE)
    for name, number in (("epochs", epochs), ("steps", steps)):
        check("schedules", name, number, _MOST)
    rates = {}
    for one in which or SCHEDULES:
        schedule = get_schedule({"name": one, "rate": rate} if isinstance(one, str) else one)
        name = schedule.name if isinstance(one, str) else called(schedule)
        if name in rates:
            raise InputError(f"{name} is named twice: each schedule is drawn once")
        rates[name] = _rates(schedule, epochs, steps)
    x = np.arange(epochs * steps) / steps
    columns = min(3, len(rates))
    rows = -(-len(rates) // columns)

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for i, (axes, (name, values)) in enumerate(zip(grid, rates.items(), strict=False)):
            axes.plot(x, values, gid=name, **theme.series(0))
            axes.set_title(name, loc="left")
            axes.set_ylim(bottom=0)
            if i % columns == 0:
                axes.set_ylabel("learning rate")
            if i + columns >= len(rates):
                axes.set_xlabel("epoch")
                axes.tick_params(labelbottom=True)
        for axes in grid[len(rates) :]:
            axes.remove()

    plateau = " reduce_on_plateau follows the loss: here one that falls for half of the epochs, and then stays."
    return Picture(
        draw,
        title="Learning rates over a fit",
        caption=f"{epochs} epochs of {steps} steps.{plateau if 'reduce_on_plateau' in rates else ''}",
        values={"epoch": x, **rates},
        height=3.2 if rows == 1 else 1.95 * rows,
    )


def _rates(schedule: Schedule, epochs: int, steps: int) -> Doubles:
    """Step by step; a schedule that looks at losses is shown one that falls, and then stays."""
    rates = np.asarray(schedule.rates(np.arange(epochs * steps), steps, epochs * steps), np.float64).copy()
    state: dict[str, Any] = {}
    for epoch in range(1, epochs):
        state = schedule.observe(state, max(1 - epoch / epochs, _PLATEAU))
        rates[epoch * steps : (epoch + 1) * steps] *= state.get("scale", 1.0)
    return rates
