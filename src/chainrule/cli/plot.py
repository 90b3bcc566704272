"""`chainrule plot KIND`: one command for each kind of picture."""

from __future__ import annotations

import typer

from chainrule.cli.plot_functions import activations, depth, descent, schedules, vanishing
from chainrule.cli.plot_images import saliency, weights
from chainrule.cli.plot_models import losses, regions, surfaces
from chainrule.cli.plot_networks import histograms, knobs, network

# A new kind is a function in a file cli/plot_….py, and its name here.
KINDS = (network, losses, regions, surfaces, histograms, knobs, activations, vanishing, depth, descent, schedules,
    saliency, weights,
)  # fmt: skip

plot = typer.Typer(
    name="plot",
    help="Draw a picture to a PNG, SVG or PDF file. Each kind has a page of help of its own.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
for kind in KINDS:
    plot.command()(kind)
