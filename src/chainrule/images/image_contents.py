"""A model of pictures as tensors and JSON, and back: the network with its numbers, and what pictures are to it."""

from __future__ import annotations

from typing import Any, Protocol

from chainrule import container, forms
from chainrule.errors import FileError
from chainrule.images.pixels import PictureForm
from chainrule.model import Model
from chainrule.saving import damaged

_SCORES = {"accuracy", "log_loss"}


class Saved(Protocol):
    """What is saved of a model of pictures."""

    model: Model
    form: PictureForm
    classes: tuple[Any, ...]
    shares: tuple[float, ...]
    rows: dict[str, int]
    test_scores: dict[str, float]
    test_baseline: dict[str, float]


def write_image(model: Saved) -> container.Contents:
    """The contents of its file: the network's, and a form of the pictures."""
    written = model.model.to_contents()
    pictures = {
        "form": model.form.to_dict(),
        "classes": list(model.classes),
        "shares": list(model.shares),
        "rows": model.rows,
        "test_scores": model.test_scores,
        "test_baseline": model.test_baseline,
    }
    return container.Contents("image", {"model": written.form, "pictures": pictures}, written.tensors)


def read_image_contents(contents: container.Contents, engine: str) -> dict[str, Any]:
    """What a model of pictures is made of, by the names of its arguments.

    Raises:
        FileError: it can't have been written by a model of pictures.
    """
    try:
        said = contents.form["pictures"]
        model = Model.from_contents(
            container.Contents("model", contents.form["model"], contents.tensors), engine=engine
        )
        form = PictureForm.from_dict(said["form"])
        classes = forms.labels(said["classes"])
        shares = tuple(forms.finite(share) for share in said["shares"])
        rows = {forms.text(name): forms.count(number) for name, number in said["rows"].items()}
        scores = {name: _scores(said[name]) for name in ("test_scores", "test_baseline")}
    except FileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(error) from error
    outputs = [head.shape for head in model.network.heads]
    if list(model.network.input_shapes.values()) != [form.shape] or outputs != [(len(classes),)]:
        raise FileError(f"the file is damaged: the network doesn't make {len(classes)} classes of such pictures")
    if len(shares) != len(classes) or len({type(name) for name in classes}) > 1 or min(shares) < 0:
        raise FileError("the file is damaged: its classes and their shares don't go together")
    return {"model": model, "form": form, "classes": classes, "shares": shares, "rows": rows, **scores}


def _scores(form: dict[str, Any]) -> dict[str, float]:
    if set(form) not in (set(), _SCORES):
        raise ValueError("scores by other names")
    return {name: forms.number(value) for name, value in form.items()}
