"""What an augmentation makes of pictures: each as it is, and as some epochs see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.augment import Augment, get_augment
from chainrule.engines.contract import Rows
from chainrule.errors import InputError
from chainrule.images.pixels import training_pictures
from chainrule.limits import COUNT, check
from chainrule.plots.picture import Picture
from chainrule.plots.saliency_maps import show_pixels
from chainrule.plots.themes import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def augmented(pictures: Any, augment: Augment, *, epochs: int = 7, seed: int = 0) -> Picture:
    """Pictures beside what an augmentation makes of them, epoch by epoch.

    Arguments:
        pictures: an array (n, height, width) or (n, height, width, 3); a row for each, 8 at most.
        augment: what is done, without mixup, which needs the other pictures of a batch.
        epochs: how often.
        seed: of the random stream.

    Raises:
        InputError: they are no pictures, or nothing is done to them.
        MissingDependencyError: matplotlib isn't installed.

    >>> picture = augmented(np.eye(5)[None], Augment(rotate=45), epochs=3)
    >>> picture.values["augmented"].shape
    (1, 3, 5, 5, 1)
    """
    check("plots.augmented", "epochs", epochs, COUNT)
    taken = training_pictures(pictures)[:8].astype(np.float64)
    chosen = get_augment(augment)
    if chosen is None or chosen.mixup:
        raise InputError("augment must do something to single pictures; mixup mixes those of a batch")
    data = Rows((taken,), (np.zeros((len(taken), 1)),), (None,))
    order = np.arange(len(taken))
    made = np.stack(
        [
            chosen.rows(data, order, (), batch_size=len(taken), seed=seed, epoch=epoch).inputs[0]
            for epoch in range(epochs)
        ],
        axis=1,
    )
    low, high = float(taken.min()), float(taken.max())

    def draw(figure: Figure, theme: Theme) -> None:
        grid = figure.subplots(len(taken), epochs + 1, squeeze=False)
        for i, row in enumerate(grid):
            for epoch, axes in enumerate(row):
                pixels = taken[i] if epoch == 0 else made[i, epoch - 1]
                show_pixels(axes, pixels, low, high, f"picture-{i + 1}-{epoch}")
                if i == 0:
                    axes.set_title("as it is" if epoch == 0 else f"epoch {epoch}", size=9)

    return Picture(
        draw,
        title="Pictures as training sees them",
        caption="Each epoch draws anew how far a picture is shifted, turned and so on; the label stays the same.",
        values={"pictures": taken, "augmented": made},
        height=0.2 + 7.6 / (epochs + 1) * len(taken),
    )
