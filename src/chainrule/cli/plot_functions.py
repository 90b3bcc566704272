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


def schedules(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Such as cosine one_cycle; all of them when left out.", show_default=False),
    ] = None,
    rate: Annotated[float, typer.Option("--rate", metavar="RATE", help="What they begin from or rise to.")] = 0.1,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="How many epochs the fit has.")] = 40,
    out: Out = Path("schedules.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """Learning-rate schedules over a fit.

    Example:

        chainrule plot schedules cosine one_cycle --out schedules.svg
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    canvas.write(plots.schedules(*(names or ()), rate=rate, epochs=epochs), as_json)


def descent(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Of sgd, momentum, nesterov, adagrad, rmsprop, adam; all six when left out.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="How many steps each takes.")] = 40,
    batch_size: Annotated[
        str, typer.Option("--batch-size", metavar="ROWS", help="Rows of a step, up to 64, or full.")
    ] = "full",
    out: Out = Path("descent.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """Optimizers on their way down the same surface.

    Example:

        chainrule plot descent sgd adam --batch-size 4 --out descent.png
    """  # fmt: skip
    from chainrule import plots
    from chainrule.errors import InputError

    canvas = Canvas(out, theme, width)
    if batch_size != "full" and not batch_size.isdecimal():
        raise InputError(f"--batch-size is {batch_size}; it must be a number of rows, or full")
    size = batch_size if batch_size == "full" else int(batch_size)
    canvas.write(plots.descent(*(names or ()), steps=steps, batch_size=size), as_json)
