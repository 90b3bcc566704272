"""Pictures beside what moves a model's answer to them: the gradient of the class's score by each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.errors import InputError
from chainrule.limits import COUNT, check
from chainrule.plots.picture import Picture
from chainrule.plots.themes import Theme, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from chainrule.images.image_model import ImageModel

_CLASSES: Final = 5  # whose probabilities are shown
_LEAST: Final = 0.01  # a probability that has a bar
_SIGNED: Final = 400  # pixels of a picture in which signs can be read
_STRONG: Final = 0.4  # of the greatest


def saliency(model: ImageModel, pictures: Any, label: Any = None, *, most: int = 6) -> Picture:
    """Pictures, the saliency of each of their pixels, and the probabilities of the likeliest classes.

    Arguments:
        model: an `ImageModel`.
        pictures: what `ImageModel.predict` takes.
        label: of which class; the predicted one of each picture when left out.
        most: so many pictures at most.

    Raises:
        InputError: there is no picture, or the model has no such class.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import ImageModel
    >>> pictures = np.arange(24).reshape(6, 2, 2)
    >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, epochs=1, progress=False)
    >>> picture = saliency(model, pictures[:2], "b")
    >>> picture.values["saliency"].shape, picture.values["class"]
    ((2, 2, 2, 1), ['b', 'b'])
    """
    check("plots.saliency", "most", most, COUNT)
    taken = model.take(pictures)[:most]
    if not len(taken):
        raise InputError("there are no pictures to draw")
    chances = model.predict_proba(taken)
    classes = [str(name) for name in model.classes]
    about = [classes[place] for place in chances.argmax(axis=1)] if label is None else [str(label)] * len(taken)
    gradients = model.saliency(taken, label)
    values = {"pictures": taken, "saliency": gradients, "class": about, "probabilities": chances}

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(len(taken), 3, squeeze=False, width_ratios=[1, 1.28, 1.5])
        for i, (first, second, third) in enumerate(grid):
            show_pixels(first, taken[i], model.form.low, model.form.top, f"picture-{i + 1}")
            first.set_title("picture" if i == 0 else "", loc="left")
            strength = gradients[i].sum(axis=2)
            most_of_it = float(np.abs(strength).max()) or 1.0
            image = second.imshow(
                strength, cmap=theme.scale(), vmin=-most_of_it, vmax=most_of_it, gid=f"saliency-{i + 1}"
            )
            without_ticks(second)
            second.set_title(f"dz/dpixel for {named(about[i], 14)}", loc="left")
            mark_signs(second, strength, theme)
            bar = figure.colorbar(image, ax=second, fraction=0.06, pad=0.03, ticks=[-most_of_it, 0, most_of_it])
            bar.ax.set_yticklabels(["against", "0", "for"], size=8)
            bar.outline.set_visible(False)
            _bars(third, theme, chances[i], classes, i)

    return Picture(
        draw,
        title="Which pixels move the answer",
        caption="The gradient of the class's score z (before softmax) by each pixel: where it is above 0, a brighter "
        "pixel speaks for the class, where below, against it. It tells of small changes, not of a picture without it.",
        values=values,
        height=0.35 + 1.75 * len(taken),
    )


def show_pixels(axes: Axes, pixels: AnyArray, low: float, high: float, gid: str) -> None:
    """One picture, (height, width, channels), as it is."""
    if pixels.shape[2] == 1:
        axes.imshow(pixels[..., 0], cmap="gray", vmin=low, vmax=high, gid=gid)
    else:
        axes.imshow(np.clip((pixels - low) / (high - low), 0, 1), gid=gid)
    without_ticks(axes)


def without_ticks(axes: Axes) -> None:
    """A picture has pixels, not a scale."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)


def mark_signs(axes: Axes, strength: AnyArray, theme: Theme) -> None:
    """A sign on each strong pixel of a small picture, for whoever sees no colours."""
    height, width = strength.shape
    if height * width > _SIGNED:
        return
    for (y, x), value in np.ndenumerate(strength):
        if abs(value) > _STRONG * np.abs(strength).max():
            axes.text(
                x,
                y,
                "+" if value > 0 else "\u2212",
                size=min(7, 90 / max(height, width)),
                ha="center",
                va="center",
                color=theme.ink,
            )


def _bars(axes: Axes, theme: Theme, chances: AnyArray, classes: list[str], i: int) -> None:
    """Probabilities of the likeliest classes, as far as they are worth a bar."""
    best = np.argsort(-chances, kind="stable")[:_CLASSES]
    best = best[(chances[best] >= _LEAST) | (np.arange(len(best)) == 0)]
    places = -np.arange(len(best))
    axes.barh(places, chances[best], color=theme.colors[0], height=0.6)
    for place, k in zip(places.tolist(), best, strict=True):
        axes.text(
            chances[k] + 0.02, place, f"{chances[k]:.2f}", va="center", size=8, gid=f"probability-{i + 1}-{classes[k]}"
        )
    axes.set_yticks(places, [named(classes[k], 14) for k in best])
    axes.set_ylim(-_CLASSES + 0.5, 0.5)
    axes.set_xlim(0, 1.25)
    axes.set_xticks([0, 0.5, 1])
    axes.set_title("probability" if i == 0 else "", loc="left")
