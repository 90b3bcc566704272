"""What a fit recorded, epoch by epoch: losses and metrics, in training and on rows held out, and the best epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.errors import InputError, counted
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, legend_above, logarithmic, named
from chainrule.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOGARITHMIC = 30.0  # from this ratio of the largest to the smallest loss on
_HELD_OUT = "validation_"
_FIRST = "loss"

Curves = dict[str, Doubles]  # "epoch", "loss", "validation_loss", "accuracy" …


def losses(fitted: Any, *, rates: bool = False) -> Picture:
    """Loss curves of a fit, with its metrics below; of several networks all, one line each.

    Training is a solid line, rows held out are a dashed one. A ring marks the epoch whose weights were kept, where a
    stopping rule such as `EarlyStopping` chose one.

    Arguments:
        fitted: a `History` or several, or a model that was fitted, also a loaded one.
        rates: whether the learning rates are drawn too.

    Raises:
        InputError: there is no history, or no epoch in it.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import Model, Network
    >>> X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    >>> model = Model(Network.mlp(2, [8], 1), "squared_error")
    >>> history = model.fit(X, [0, 1, 1, 0], epochs=5)
    >>> picture = losses(model)
    >>> picture.values["network 1"]["loss"].tolist() == history["loss"]
    True
    """
    histories = _histories(fitted)
    networks = {f"network {i}": _curves(history) for i, history in enumerate(histories, 1)}
    panels = _panels(networks.values(), rates)
    best = [history.best_epoch for history in histories]

    def draw(figure: Figure, theme: Theme) -> None:
        columns = 1 if len(panels) == 1 else 2
        rows = -(-len(panels) // columns)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
        for axes, name in zip(grid, panels, strict=False):
            _draw_panel(axes, theme, name, networks, best)
        for axes in grid[len(panels) :]:
            axes.remove()
        for i, axes in enumerate(grid[: len(panels)]):
            if i + columns >= len(panels):
                axes.set_xlabel("epoch")
                axes.tick_params(labelbottom=True)
        handles: dict[str, Any] = {}
        for axes in grid[: len(panels)]:
            handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        legend_above(figure, list(handles.values()), list(handles))

    n = len(panels)
    return Picture(
        draw,
        title="Loss by epoch" if panels == [_FIRST] else "Loss and metrics by epoch",
        caption=_told(histories),
        values={**networks, "best_epoch": best},
        height=3.8 if n == 1 else 2.9 if n == 2 else 2.3 * -(-n // 2),
    )


def _histories(fitted: Any) -> list[History]:
    given = fitted
    if not isinstance(fitted, History):
        fitted = getattr(fitted, "model_", None) or fitted
        fitted = getattr(fitted, "histories", fitted)
    if isinstance(fitted, History):
        fitted = [fitted]
    recorded = getattr(given, "history_", None)
    if isinstance(recorded, Mapping):  # an estimator that scikit-learn knows
        fitted = [_of_columns(recorded)]
    if not isinstance(fitted, Sequence) or not fitted or not all(isinstance(one, History) for one in fitted):
        raise InputError(
            f"{type(given).__name__} has no loss curves: give a History, several of them, or a fitted model"
        )
    found = [history for history in fitted if len(history)]
    if not found:
        raise InputError("there is no epoch to draw: the model hasn't been fitted")
    return found


def _of_columns(recorded: Mapping[str, Sequence[float]]) -> History:
    """The history of an estimator: columns of the same length, or empty ones."""
    from chainrule.training.history import EpochRecord

    held_out = recorded.get("validation_loss") or []
    scores = recorded.get("validation_score") or []
    records = []
    for i, (loss, rate) in enumerate(zip(recorded["loss"], recorded["learning_rate"], strict=True)):
        metrics = {"score": scores[i]} if i < len(scores) and scores[i] is not None else {}
        validation = held_out[i] if i < len(held_out) else None
        records.append(EpochRecord(i + 1, i + 1, loss, rate, 0.0, validation, validation_metrics=metrics))
    return History(records)


def _curves(history: History) -> Curves:
    """Every column of numbers, with NaN where an epoch has none."""
    columns = history.columns()
    return {
        name: np.array([np.nan if value is None else value for value in values], np.float64)
        for name, values in columns.items()
        if name not in ("step", "seconds")
    }


def _panels(networks: Any, rates: bool) -> list[str]:
    """What has axes of its own: the loss, then each metric, then the learning rate."""
    names = dict.fromkeys(name.removeprefix(_HELD_OUT) for curves in networks for name in curves if name != "epoch")
    metrics = [name for name in names if name not in (_FIRST, "learning_rate")]
    return [_FIRST, *metrics, *(["learning_rate"] if rates else [])]


def _draw_panel(
    axes: Axes, theme: Theme, name: str, networks: Mapping[str, Curves], best: Sequence[int | None]
) -> None:
    from matplotlib.ticker import MaxNLocator

    several = len(networks) > 1
    seen: list[Doubles] = []
    for number, ((network, curves), kept) in enumerate(zip(networks.items(), best, strict=True)):
        for i, key in enumerate((name, _HELD_OUT + name)):
            if key not in curves:
                continue
            epochs, values = curves["epoch"], curves[key]
            values = np.where(np.isfinite(values), values, np.nan)
            seen.append(values)
            look = theme.series(i) | ({"linewidth": 1.1, "alpha": 0.75} if several else {})
            look |= {"marker": ".", "markersize": 7} if len(epochs) <= 30 and not several else {}
            label = None if name == "learning_rate" else "validation" if i else "training"
            gid = f"{key}-{network}"
            axes.plot(epochs, values, label=None if number else label, gid=gid, **look)
            at = np.flatnonzero(epochs == (-1 if kept is None else kept))
            if len(at) and name != "learning_rate" and (i or not several or _HELD_OUT + name not in curves):
                ring: Any = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "markeredgewidth": 1.8}
                axes.plot(epochs[at], values[at], linestyle="none", color=theme.ink, gid=f"best-{gid}", **ring,
                          label="weights kept" if f"{_HELD_OUT}{name}" not in curves or i else None)  # fmt: skip
    every = np.concatenate(seen)
    every = every[np.isfinite(every)]
    if (
        name in (_FIRST, "learning_rate")
        and len(every)
        and every.min() > 0
        and every.max() > _LOGARITHMIC * every.min()
    ):
        logarithmic(axes, "y")
    elif name == "learning_rate":
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.set_title(named(name.replace("_", " ")), loc="left")


def _told(histories: Sequence[History]) -> str:
    """How many epochs, and why they ended."""
    if len(histories) > 1:
        epochs = [len(history) for history in histories]
        span = f"{min(epochs)} to {max(epochs)} epochs" if min(epochs) < max(epochs) else counted(epochs[0], "epoch")
        kept = sum(history.best_epoch is not None for history in histories)
        rings = f" A ring is the epoch whose weights were kept ({kept} of them)." if kept else ""
        return f"{len(histories)} networks of {span} each, a line for each.{rings}"
    (history,) = histories
    stopped = f", stopped by: {history.stopped_by}" if history.stopped_by not in ("", "epochs") else ""
    best = ""
    if history.best_epoch is not None:
        best = f" The ring is epoch {history.best_epoch}, whose weights were kept."
    return f"{counted(len(history), 'epoch')}{stopped}.{best}"
