"""Pictures, drawn by matplotlib (`pip install "chainrule[plots]"`), which is loaded when the first one is made.

Each function gives a `Picture`, which shows itself in notebooks, and saves itself as PNG, SVG or PDF:

>>> from chainrule import plots
>>> plots.activations("sigmoid", "relu").in_theme("dark")
<Picture: Activations beside their derivatives>

`chainrule plot KIND` makes the same on the command line.
"""

from __future__ import annotations

from chainrule.plots.activation_curves import activations
from chainrule.plots.picture import Picture

__all__ = ["Picture", "activations"]
