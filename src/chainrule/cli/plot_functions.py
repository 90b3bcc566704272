"""`chainrule plot`: kinds of pictures that need no model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.plot_options import AsJson, Canvas, Out, ThemeName, Width


def activations(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Such as sigmoid relu; all of them when left out.", show_default=False),
    ] = None,
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
