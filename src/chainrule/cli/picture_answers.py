"""What `chainrule predict` and `chainrule evaluate` say of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.cli.plot_options import Canvas
from chainrule.cli.screen import note, print_json, say, score_table, show
from chainrule.errors import counted

if TYPE_CHECKING:
    from chainrule.images.image_model import ImageModel

BASELINE = "shares of the classes"


def picture_answers(
    model: ImageModel, given: str, probabilities: bool, show_file: Path | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Columns of files and their classes, and what is odd about the files.

    Arguments:
        given: a picture, or a folder: all in it and below.
        probabilities: whether the probability of each class is wanted.
        show_file: where to draw the first of them, with the saliency of their pixels.
    """
    from chainrule.images.folders import read_pictures

    canvas = None if show_file is None else Canvas(show_file, "light", 800, "--show")
    files = read_pictures(given, model.form.shape)
    taken = model.form.of_files(files.pictures)
    chances = model.predict_proba(taken)
    named = [model.classes[place] for place in chances.argmax(axis=1)]
    answers: dict[str, Any] = {"file": files.files, "class": named}
    if probabilities:
        answers |= {f"probability of {name}": chances[:, i] for i, name in enumerate(model.classes)}
    if canvas is not None:
        from chainrule import plots

        plots.saliency(model, taken).save(canvas.out.expanduser())
        say(f"drawn in {canvas.out}", stderr=True)
    return answers, files.notes


def evaluate_pictures(path: str, model: ImageModel, folder: str, as_json: bool) -> None:
    """Score a model of pictures on a folder whose sub-folders are its classes."""
    from chainrule.images.picture_preparation import labelled_pictures

    taken, labels, notes = labelled_pictures(model.form, model.classes, folder, None)
    scores, baseline = model.evaluate(taken, [model.classes[place] for place in labels])
    for line in notes:
        note(line)
    if as_json:
        print_json({
            "model": path, "networks": model.members, "rows": len(labels), "scores": scores, "baseline": baseline,
        })  # fmt: skip
        return
    say((f"scores on {counted(len(labels), 'picture')}", "bold"))
    show(score_table(scores, baseline, BASELINE))
