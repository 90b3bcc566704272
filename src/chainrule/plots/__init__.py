"""Pictures, drawn by matplotlib (`pip install "chainrule[plots]"`), which is loaded when the first one is made.

Each function gives a `Picture`, which shows itself in notebooks, and saves itself as PNG, SVG or PDF:

>>> from chainrule import plots
>>> plots.activations("sigmoid", "relu").in_theme("dark")
<Picture: Activations beside their derivatives>

`chainrule plot KIND` makes the same on the command line.
"""

from __future__ import annotations

from chainrule.plots.activation_curves import activations
from chainrule.plots.augmented_pictures import augmented
from chainrule.plots.by_depth import depth
from chainrule.plots.charts import bars, curves
from chainrule.plots.decision_regions import regions
from chainrule.plots.landscapes import knobs
from chainrule.plots.loss_curves import losses
from chainrule.plots.network_drawing import network
from chainrule.plots.optimizer_paths import descent
from chainrule.plots.picture import Picture
from chainrule.plots.pixel_weights import pixel_weights
from chainrule.plots.rate_curves import schedules
from chainrule.plots.saliency_maps import saliency
from chainrule.plots.shift_curve import shifts
from chainrule.plots.unit_surfaces import surfaces
from chainrule.plots.vanishing_gradients import vanishing
from chainrule.plots.vital_signs import vitals
from chainrule.plots.weight_histograms import histograms

__all__ = [
    "Picture",
    "activations",
    "augmented",
    "bars",
    "curves",
    "depth",
    "descent",
    "histograms",
    "knobs",
    "losses",
    "network",
    "pixel_weights",
    "regions",
    "saliency",
    "schedules",
    "shifts",
    "surfaces",
    "vanishing",
    "vitals",
]
