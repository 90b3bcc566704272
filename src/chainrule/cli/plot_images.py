"""`chainrule plot`: what a model of pictures looks at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.loading import ModelFile, load_image_model
from chainrule.cli.plot_options import AsJson, Canvas, Out, ThemeName, Width
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.images.image_model import ImageModel


def saliency(
    model: ModelFile,
    picture: Annotated[
        str, typer.Argument(metavar="PICTURE", help="A picture, or a folder with some.", show_default=False)
    ],
    label: Annotated[
        str | None,
        typer.Option(help="The class whose score is asked; the predicted one when left out.", show_default=False),
    ] = None,
    most: Annotated[int, typer.Option("--most", metavar="N", help="So many pictures of a folder at most.")] = 6,
    out: Out = Path("saliency.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """Pictures, which of their pixels move the answer, and the probabilities of the classes.

    Example:

        chainrule plot saliency digits.safetensors seven.png --out saliency.png
    """
    from chainrule import plots
    from chainrule.images.folders import read_pictures

    canvas = Canvas(out, theme, width)
    loaded = _image_model(model)
    named = {str(name): name for name in loaded.classes}
    if label is not None and label not in named:
        raise InputError(f'--label is "{label}"; the classes are {", ".join(named)}')
    files = read_pictures(picture, loaded.form.shape)
    drawn = plots.saliency(
        loaded, loaded.form.of_files(files.pictures), None if label is None else named[label], most=most
    )
    canvas.write(drawn, as_json, files.notes)


def weights(
    model: ModelFile,
    units: Annotated[int, typer.Option("--units", metavar="N", help="So many units at most.")] = 24,
    out: Out = Path("weights.png"),
    theme: ThemeName = "light",
    width: Width = 800,
    as_json: AsJson = False,
) -> None:
    """The weights of a first layer's units as pictures: what each looks for.

    Example:

        chainrule plot weights digits.safetensors --units 16
    """
    from chainrule import plots

    canvas = Canvas(out, theme, width)
    canvas.write(plots.pixel_weights(_image_model(model), units), as_json)


def _image_model(path: str) -> ImageModel:
    from chainrule.files import load

    model = load_image_model(path)
    if model is None:
        load(path)  # which says what is wrong with a file that holds none
        raise InputError(f"{path} wasn't trained on pictures: chainrule train FOLDER makes a model of them")
    return model
