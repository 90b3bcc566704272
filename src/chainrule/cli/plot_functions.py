"""`chainrule plot`: kinds of pictures that need no model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.plot_options import AsJson, Canvas, Out, ThemeName, Width

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Such as sigmoid relu; all of them when left out.", show_default=False),
]


def activations(
    names: Names = None,
    reach: Annotated[float, typer.Option("--reach", metavar="Z", help="z goes from -Z to Z.")] = 4.0,
    out: Out = Path("activations.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """Activations beside their derivatives.

    Example:

        chainrule plot activations sigmoid relu --out sigmoid-and-relu.svg
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    canvas.write(plots.activations(*(names or ()), reach=reach), as_json)


def vanishing(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Such as sigmoid relu; the usual ones when left out.", show_default=False),
    ] = None,
    depth: Annotated[int, typer.Option("--depth", metavar="LAYERS", help="How many hidden layers there are.")] = 20,
    units: Annotated[int, typer.Option("--units", metavar="UNITS", help="Units of each layer.")] = 32,
    starts: Annotated[int, typer.Option("--starts", metavar="N", help="Draws of the weights to average over.")] = 5,
    initializer: Annotated[
        str, typer.Option("--initializer", metavar="NAME", help="Where weights start; auto suits each activation.")
    ] = "auto",
    out: Out = Path("vanishing.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """The size of gradients, layer by layer: where they vanish, and where not.

    Example:

        chainrule plot vanishing sigmoid tanh relu --depth 30 --out vanishing.png
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    picture = plots.vanishing(*(names or ()), depth=depth, width=units, starts=starts, initializer=initializer)
    canvas.write(picture, as_json)


def depth(
    out: Out = Path("depth.png"), theme: ThemeName = "light", width: Width = 800, as_json: AsJson = False
) -> None:
    """What one, two and three layers of threshold units cut out of the plane.

    Example:

        chainrule plot depth --out depth.svg
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    canvas.write(plots.depth(), as_json)
