"""The weights of a first layer's units, each as a picture: what each unit looks for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.limits import COUNT, check
from chainrule.plots.picture import Picture
from chainrule.plots.saliency_maps import without_ticks
from chainrule.plots.themes import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from chainrule.images.image_model import ImageModel

_COLUMNS: Final = 8


def pixel_weights(model: ImageModel, units: int = 24) -> Picture:
    """The first layer's units, each as a picture of its weights.

    Arguments:
        model: an `ImageModel`.
        units: so many at most.

    Raises:
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import ImageModel
    >>> pictures = np.arange(24).reshape(6, 2, 2)
    >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, hidden=(5,), epochs=1, progress=False)
    >>> pixel_weights(model).values["weights"].shape
    (5, 2, 2, 1)
    """
    check("plots.pixel_weights", "units", units, COUNT)
    weights = model.unit_weights()
    chosen = weights[:units]
    rows = math.ceil(len(chosen) / _COLUMNS)

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
        for unit, (axes, pixels) in enumerate(zip(grid, chosen, strict=False), 1):
            most = float(np.abs(pixels).max()) or 1.0
            if pixels.shape[2] == 1:
                axes.imshow(pixels[..., 0], cmap=theme.scale(), vmin=-most, vmax=most, gid=f"unit-{unit}")
            else:
                axes.imshow(0.5 + pixels / (2 * most), gid=f"unit-{unit}")
            without_ticks(axes)
            axes.set_title(f"{unit}", size=9)
        for axes in grid[len(chosen) :]:
            axes.remove()

    coloured = " Grey is a weight of 0, and each colour is a weight of its own." if weights.shape[3] == 3 else ""
    return Picture(
        draw,
        title=f"What {len(chosen)} of {len(weights)} units of the first layer look for",
        caption="Each unit's weights as a picture, on a scale of its own: it answers most to a picture that is "
        "bright where weights are above 0 and dark where they are below." + coloured,
        values={"weights": chosen},
        height=0.1 + 1.12 * rows,
    )
