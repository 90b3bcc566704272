"""Gradient descent on a surface: the way that each optimizer takes to the lowest loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError
from chainrule.knobs.trail import Trail
from chainrule.limits import Limit, check
from chainrule.model import Model
from chainrule.network import Network
from chainrule.optimizers import SGD, AdaGrad, Adam, Optimizer, RMSProp, get_optimizer
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, called, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

USUAL: Mapping[str, Optimizer] = {
    "gradient descent": SGD(0.08), "momentum": SGD(0.04, momentum=0.8),
    "Nesterov": SGD(0.04, momentum=0.8, nesterov=True), "AdaGrad": AdaGrad(0.6), "RMSProp": RMSProp(0.12),
    "Adam": Adam(0.25),
}  # fmt: skip
_BY_NAME = {"sgd": "gradient descent", **{name.lower(): name for name in USUAL}}
START = (-1.6, 2.6)
TRUE = (1.5, -0.5)  # the weights that the targets were made with
_WEIGHTS = ("W[output,1,1]", "W[output,2,1]")
_MARGIN = 0.35


def descent(*which: str | Optimizer, steps: int = 40, batch_size: int | str = "full") -> Picture:
    """The ways that optimizers take down the same surface: the squared loss of a linear unit with two weights.

    `L = mean (y - (w1 x1 + w2 x2))^2` over 64 rows. The inputs have different scales and are correlated, so that the
    surface is a long narrow valley.

    Arguments:
        which: optimizers as objects, or by name: `"sgd"`, `"momentum"`, `"nesterov"`, `"adagrad"`, `"rmsprop"` and
            `"adam"` have rates that suit this surface; left out, these six.
        steps: that each takes.
        batch_size: rows of a step, or `"full"`; with fewer than all the way is a noisy one.

    Raises:
        InputError: there is no such optimizer, it takes no steps of its own, or a number can't be used.
        MissingDependencyError: matplotlib isn't installed.

    >>> way = descent("sgd", steps=5).values["sgd"]
    >>> way.shape, way[0].tolist()
    ((6, 2), [-1.6, 2.6])
    """
    check("descent", "steps", steps, Limit(1, 5000, whole=True))
    chosen = dict(USUAL) if not which else _chosen(which)
    X, y = rows()
    ways = {name: _way(optimizer, X, y, steps, batch_size) for name, optimizer in chosen.items()}
    lowest = np.asarray(np.linalg.lstsq(X, y, rcond=None)[0], np.float64)
    w1, w2 = _around([*ways.values(), lowest[None]])
    model = _model(SGD(0.1))
    loss = model.turn(*_WEIGHTS, X=X, y=y, values=(w1, w2)).loss
    columns = min(3, len(ways))
    rows_of = -(-len(ways) // columns)

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(rows_of, columns, squeeze=False, sharex=True, sharey=True).ravel()
        levels = loss.min() + (loss.max() - loss.min()) * np.linspace(0.03, 1, 11) ** 2.2
        for i, (axes, (name, way)) in enumerate(zip(grid, ways.items(), strict=False)):
            axes.grid(False)
            axes.contour(w1, w2, loss.T, levels=levels, colors=theme.soft, linewidths=0.6, alpha=0.8)
            axes.plot(*way.T, marker="o", markersize=3, linewidth=1.4, color=theme.colors[0], gid=name)
            axes.plot(*way[0], "s", color=theme.ink, markersize=7, gid=f"start-{name}")
            axes.plot(
                *lowest, "*", color=theme.colors[1], markersize=13, markeredgecolor=theme.paper, gid=f"end-{name}"
            )
            axes.set_title(named(name), loc="left")
            if i % columns == 0:
                axes.set_ylabel("w2")
            if i + columns >= len(ways):
                axes.set_xlabel("w1")
                axes.tick_params(labelbottom=True)
        for axes in grid[len(ways) :]:
            axes.remove()

    by = "all rows" if batch_size == "full" else f"{batch_size} of the 64 rows"
    return Picture(
        draw,
        title="Down the same surface",
        caption=f"The loss of a linear unit by its two weights, as contour lines; {steps} steps from the square, each "
        f"by {by}. The star is where the loss is lowest.",
        values={"w1": w1, "w2": w2, "loss": loss, "lowest": lowest, **ways},
        height=3.6 if rows_of == 1 else 2.5 * rows_of,
    )


def rows() -> tuple[Doubles, Doubles]:
    """The rows of the surface: inputs of different scales that are correlated, and targets with a little noise.

    >>> X, y = rows()
    >>> X.shape, y.shape
    ((64, 2), (64,))
    """
    rng = np.random.default_rng(7)
    X = rng.normal(size=(64, 2)) @ np.array([[2.0, 0.9], [0.0, 0.55]])
    return X, X @ np.array(TRUE) + 0.3 * rng.normal(size=64)


def _chosen(which: Any) -> dict[str, Optimizer]:
    chosen: dict[str, Optimizer] = {}
    for one in which:
        suits = USUAL.get(_BY_NAME.get(one.lower(), "")) if isinstance(one, str) else None
        optimizer = suits or get_optimizer(one)
        name = one if isinstance(one, str) else called(optimizer)
        if optimizer.full_batch:
            raise InputError(f"{name} searches along lines, and takes no steps that could be drawn one by one")
        if name in chosen:
            raise InputError(f"{name} is named twice: each optimizer is drawn once")
        chosen[name] = optimizer
    return chosen


def _model(optimizer: Optimizer) -> Model:
    model = Model(Network.mlp(2, [], 1, bias=False), "squared_error", optimizer, dtype="float64", seed=0)
    model.set_parameters({"output": {"W": [[START[0]], [START[1]]]}})
    return model


def _way(optimizer: Optimizer, X: Doubles, y: Doubles, steps: int, batch_size: int | str) -> Doubles:
    """Where the weights are before the first step and after each."""
    trail = Trail(*_WEIGHTS)
    _model(optimizer).fit(X, y, epochs=steps, batch_size=batch_size, progress=False, callbacks=trail)
    return trail.values[: steps + 1]


def _around(ways: Iterable[Doubles]) -> tuple[Doubles, Doubles]:
    """Values of both weights around all the ways; one that runs away doesn't make the others small."""
    points = np.concatenate([np.clip(way, -4, 5) for way in ways])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN + 0.06 * (high - low)
    first, second = (np.linspace(a, b, 33) for a, b in zip(low - margin, high + margin, strict=True))
    return first, second
