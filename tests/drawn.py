"""Looking into pictures: what is drawn, not how many pixels it has."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.plots.picture import Picture


def drawn(picture: Picture) -> dict[str, Any]:
    """Everything in a picture that was given a name, by that name, over all axes and the figure itself."""
    found: dict[str, Any] = {}
    for artist in picture.figure().findobj():
        gid = artist.get_gid()
        if gid is not None:
            assert gid not in found, f"two things are called {gid}"
            found[gid] = artist
    return found


def line(artist: Any) -> tuple[np.ndarray, np.ndarray]:
    """x and y of a line as they are drawn."""
    return np.asarray(artist.get_xdata(), float), np.asarray(artist.get_ydata(), float)


def texts(picture: Picture) -> list[str]:
    """Every text in a picture that can be seen."""
    from matplotlib.text import Text

    figure = picture.figure()
    figure.draw_without_rendering()
    return [one.get_text() for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip()]
