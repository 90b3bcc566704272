"""Weights by layer, and their gradients, as histograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.errors import InputError, counted
from chainrule.model import Model
from chainrule.parameters import Named
from chainrule.plots.network_drawing import trained
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8  # layers; of more, the first and the last
BINS = 31


def histograms(model: Any, X: Any = None, y: Any = None, sample_weight: Any = None) -> Picture:
    """The weights of each layer as a histogram, and the sizes of their gradients where rows are given.

    Gradients are drawn by their size on a logarithmic scale, the same for all layers, so that what vanishes on its way
    back is seen to; how many are exactly 0 is said beside them.

    Arguments:
        model: a `Model`, a `TableModel` (its first network), or an estimator; of several members the first.
        X, y: rows and targets for the gradient, as for `Model.fit`; for models of tables and estimators, as for theirs.
        sample_weight: a weight for each row.

    Raises:
        InputError: the rows can't be used.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import Network
    >>> picture = histograms(Model(Network.mlp(2, [8], 1), "squared_error"), [[0.5, 0.8]], [1.0])
    >>> picture, list(picture.values), picture.values["hidden"]["weights"]["count"]
    (<Picture: Weights and gradients by layer>, ['hidden', 'output'], 24)
    """
    network = trained(model)
    if (X is None) != (y is None):
        raise InputError("gradients want both, X and y")
    gradients = None if X is None else _gradients(model, X, y, sample_weight)
    return of_arrays(network.parameters, gradients)


def _gradients(model: Any, X: Any, y: Any, sample_weight: Any) -> Named:
    if isinstance(model, Model):
        return model.loss_and_gradients(X, y, sample_weight)[1]
    if hasattr(model, "gradients"):
        return model.gradients(X, y, sample_weight)
    raise InputError(f"a {type(model).__name__} has no gradients of arrays: leave X and y out, or give its network(1)")


def of_arrays(parameters: Mapping[str, Mapping[str, AnyArray]], gradients: Named | None = None) -> Picture:
    """The histograms of arrays by layer and name, as `Model.parameters` and `Model.loss_and_gradients` have them.

    Arguments:
        parameters: what is learned.
        gradients: of the loss by it.
    """
    weights = {layer: _all(arrays) for layer, arrays in parameters.items()}
    slopes = None if gradients is None else {layer: _all(gradients[layer]) for layer in weights}
    layers = list(weights)
    left_out = len(layers) - MOST
    if left_out > 0:
        layers = [*layers[: MOST // 2], *layers[-(MOST // 2) :]]
    values: dict[str, Any] = {}
    for layer in layers:
        values[layer] = {"weights": _counted(weights[layer])}
        if slopes is not None:
            sizes = np.abs(slopes[layer])
            logs = np.log10(sizes[sizes > 0])
            zeros = int((sizes == 0).sum())
            mean = float(sizes.mean()) if sizes.size else 0.0
            values[layer]["gradients"] = {**_counted(logs), "zeros": zeros, "mean size": mean, "count": sizes.size}

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(len(layers), 1 + (slopes is not None), squeeze=False, sharex="col")
        for row, layer in zip(grid, layers, strict=True):
            found = values[layer]["weights"]
            _bars(row[0], theme, 0, found, f"weights-{layer}")
            row[0].set_title(named(layer, 28).strip(), loc="left")
            _note(row[0], f"{found['count']:,}, sd {found['sd']:.3g}", theme)
            if slopes is not None:
                found = values[layer]["gradients"]
                _bars(row[1], theme, 1, found, f"gradients-{layer}")
                none = f", {found['zeros'] / max(1, found['count']):.0%} are 0" if found["zeros"] else ""
                _note(row[1], f"mean size {found['mean size']:.3g}{none}", theme)
        grid[-1][0].set_xlabel("weight")
        if slopes is not None:
            grid[-1][1].set_xlabel("size of the gradient")
            _powers(grid[-1][1])

    caption = "Each histogram counts a layer's weights, its biases among them, on one scale for all layers."
    if slopes is not None:
        caption += " At the right, on a logarithmic scale, the sizes of the gradients of the loss by them."
    if left_out > 0:
        caption += f" The {counted(left_out, 'layer')} in the middle {'is' if left_out == 1 else 'are'} left out."
    return Picture(
        draw, title=f"Weights{' and gradients' if slopes is not None else ''} by layer", caption=caption,
        values=values, height=0.5 + max(1.15 * len(layers), 2.0),
    )  # fmt: skip


def _all(arrays: Mapping[str, AnyArray]) -> Doubles:
    return np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays.values()])


def _counted(numbers: Doubles) -> dict[str, Any]:
    """A histogram of what is finite: counts and edges, with mean and standard deviation."""
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return {"counts": [], "edges": [], "count": numbers.size, "mean": float("nan"), "sd": float("nan")}
    bins = min(BINS, max(1, 2 * int(np.sqrt(known.size))))
    if known.min() == known.max():  # one bar, and the number in its middle
        bins = BINS | 1
    with np.errstate(over="ignore"):
        counts, edges = np.histogram(known, bins=bins)
        mean, sd = float(known.mean()), float(known.std())
    return {
        "counts": counts.tolist(), "edges": edges.tolist(), "count": numbers.size, "mean": mean, "sd": sd,
    }  # fmt: skip


def _bars(axes: Axes, theme: Theme, series: int, found: Mapping[str, Any], gid: str) -> None:
    if found["counts"]:
        axes.stairs(
            found["counts"], found["edges"], fill=True, color=theme.colors[series], alpha=0.85, gid=gid, linewidth=0
        )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(bottom=0)


def _note(axes: Axes, text: str, theme: Theme) -> None:
    axes.set_title(text, loc="right", fontsize=8.5, fontweight="normal", color=theme.soft)


def _powers(axes: Axes) -> None:
    """Ticks at powers of ten alone: the axis has their logarithms."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low, high = axes.get_xlim()
    if high - low < 1:  # so that there is a power to see
        middle = (low + high) / 2
        axes.set_xlim(np.floor(middle) - 0.1, np.floor(middle) + 1.1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"1e{round(x)}"))
