"""The accuracy of models on pictures that are shifted: what a network without translation invariance makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.errors import InputError
from chainrule.limits import COUNT, check
from chainrule.plots.charts import curves
from chainrule.plots.picture import Picture
from chainrule.warping import background, warped

if TYPE_CHECKING:
    from chainrule.images.image_model import ImageModel

_STEPS = 4  # of a pixel


def shifts(models: Mapping[str, ImageModel], pictures: Any, labels: Any, *, reach: int = 3) -> Picture:
    """Accuracy against the shift of the pictures in pixels, the mean over the four directions.

    Arguments:
        models: by the name that each has in the legend.
        pictures, labels: an array of pictures that none of them trained on, and the class of each.
        reach: how far, in pixels.

    Raises:
        InputError: pictures or labels can't be used, or there is no model.
        MissingDependencyError: matplotlib isn't installed.

    >>> from chainrule import ImageModel
    >>> pictures = np.arange(24).reshape(6, 2, 2)
    >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, epochs=1, progress=False)
    >>> picture = shifts({"a model": model}, pictures, list("aabbcc"), reach=1)
    >>> picture.values["a model"].shape
    (2, 5)
    """
    check("plots.shifts", "reach", reach, COUNT)
    if not models:
        raise InputError("there is no model to ask")
    far = np.arange(0, reach * _STEPS + 1) / _STEPS
    known = np.asarray(labels)
    found = {}
    for name, model in models.items():
        taken = model.take(pictures)
        found[name] = (far, np.array([accuracy_on_shifted(model, taken, known, float(pixels)) for pixels in far]))
    return curves(
        found,
        title="Accuracy on shifted pictures",
        x="shift in pixels",
        y="accuracy",
        caption=f"{len(known):,} pictures that the networks didn't train on, shifted to the right, left, down and up, "
        "the mean of the four; what comes in from outside is the median of the border.",
    )


def accuracy_on_shifted(model: ImageModel, pictures: AnyArray, labels: AnyArray, pixels: float) -> float:
    """The accuracy on pictures that are shifted so far, the mean over four directions.

    Arguments:
        pictures: (n, height, width, channels).
        labels: the class of each.
        pixels: how far.
    """
    directions = [(pixels, 0.0), (-pixels, 0.0), (0.0, pixels), (0.0, -pixels)]
    return float(np.mean([(model.predict(shifted(pictures, *way)) == labels).mean() for way in directions]))


def shifted(pictures: AnyArray, right: float, down: float) -> AnyArray:
    """Pictures (n, height, width, channels), shifted by so many pixels.

    >>> shifted(np.arange(3.0).reshape(1, 1, 3, 1), 1, 0).ravel().tolist()
    [1.0, 0.0, 1.0]
    """
    doubles = pictures.astype(np.float64)
    maps = np.tile([[1.0, 0, -right], [0, 1, -down]], (len(doubles), 1, 1))
    return warped(doubles, maps, background(doubles))
