"""Pictures made ready to train on and to ask about: read, split into parts, scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from chainrule.arrays import AnyArray, Array, Order
from chainrule.errors import InputError, counted
from chainrule.images.folders import read_labelled_folder, read_pictures, read_training_folder
from chainrule.images.picture_classes import labelled, places_of, split_by_class
from chainrule.images.pixels import BYTE, PictureForm, training_pictures, white_of
from chainrule.limits import COUNT, FRACTION, check
from chainrule.plain import shortened

_LARGEST: Final = 256  # pixels of a side


@dataclass(frozen=True, eq=False)
class PreparedPictures:
    """Pictures as networks take them, to train on and for the test, and what they were.

    `y` and `y_test` are places in `classes`; `notes` say what was odd about files.
    """

    X: Array
    y: Order
    X_test: Array
    y_test: Order
    form: PictureForm
    classes: tuple[Any, ...]
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> dict[str, int]:
        """How many pictures each part has."""
        return {"train": len(self.y), "test": len(self.y_test)}

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the classes among the training pictures."""
        return tuple((np.bincount(self.y, minlength=len(self.classes)) / len(self.y)).tolist())


def prepare_pictures(
    pictures: Any,
    labels: Any = None,
    *,
    size: int | tuple[int, int] | None = None,
    test: float = 0.2,
    test_pictures: Any = None,
    test_labels: Any = None,
    seed: int = 0,
) -> PreparedPictures:
    """Read, split and scale pictures; the arguments are those of `ImageModel.train`.

    >>> prepared = prepare_pictures(np.arange(32).reshape(8, 2, 2), list("aaaabbbb"), test=0.25)
    >>> prepared.rows, prepared.classes
    ({'train': 6, 'test': 2}, ('a', 'b'))
    """
    check("ImageModel.train", "test", test, FRACTION)
    notes: list[str] = []
    white: float | None = BYTE
    held_out = 0.0 if test_pictures is not None else test
    if isinstance(pictures, (str, Path)):
        if labels is not None:
            raise InputError("labels are for arrays; of a folder the sub-folders are the classes")
        files = read_training_folder(pictures, _sides(size))
        images, classes, y = files.pictures, files.classes, files.labels
        notes += files.notes
    else:
        if size is not None:
            raise InputError("size is for folders; an array's pictures are taken as they are")
        images, white = training_pictures(pictures), white_of(np.asarray(pictures).dtype)
        classes, y = labelled(labels, len(images), least=2 if held_out else 1)
    kept, others = split_by_class(y, held_out, seed)
    form = PictureForm.of(images[kept], white)
    tested, y_test = images[others], y[others]
    if test_pictures is not None:
        tested, y_test, more = labelled_pictures(form, classes, test_pictures, test_labels)
        notes += [f"test: {note}" for note in more]
    X, X_test = form.encode(images[kept]), form.encode(tested)
    if test_pictures is not None:
        notes += _seen(X, X_test)
    return PreparedPictures(X, y[kept], X_test, y_test, form, classes, notes)


def _seen(trained: Array, tested: Array) -> list[str]:
    """A note on pictures for the test that are among those to train on."""
    known = {picture.tobytes() for picture in trained}
    again = sum(picture.tobytes() in known for picture in tested)
    if not again:
        return []
    return [
        f"test: {again:,} of {counted(len(tested), 'picture')} are also trained on: the score says too much of them"
    ]


def take_pictures(form: PictureForm, pictures: Any) -> tuple[AnyArray, list[str]]:
    """Pictures in the unit of training, (n, height, width, channels), and what is odd of files.

    >>> form = PictureForm.of(np.array([0, 9.0]).reshape(2, 1, 1, 1))
    >>> take_pictures(form, [[3.0]])[0].shape
    (1, 1, 1, 1)
    """
    if not _is_path(pictures):
        return form.take(pictures), []
    files = read_pictures(pictures, form.shape)
    return form.of_files(files.pictures), files.notes


def labelled_pictures(
    form: PictureForm, classes: Sequence[Any], pictures: Any, labels: Any
) -> tuple[AnyArray, Order, list[str]]:
    """The same with labels, as places in the classes; without labels, of a folder whose sub-folders are classes."""
    if isinstance(pictures, (str, Path)) and labels is None:
        files = read_labelled_folder(pictures, form.shape, [str(name) for name in classes])
        return form.of_files(files.pictures), files.labels, files.notes
    taken, notes = take_pictures(form, pictures)
    return taken, places_of(labels, len(taken), classes), notes


def _is_path(given: Any) -> bool:
    return isinstance(given, (str, Path)) or (
        isinstance(given, (list, tuple)) and bool(given) and all(isinstance(one, (str, Path)) for one in given)
    )


def _sides(size: Any) -> tuple[int, int] | None:
    """Height and width from one number or two."""
    if size is None:
        return None
    sides = (size, size) if COUNT.holds(size) else size
    if not isinstance(sides, (tuple, list)) or len(sides) != 2 or not all(COUNT.holds(side) for side in sides):
        raise InputError(
            f"size is {shortened(size)}; it must be height and width in pixels, as in (24, 32), or one number"
        )
    if max(sides) > _LARGEST:
        raise InputError(
            f"size is {shortened(size)}: a side of more than {_LARGEST} pixels makes more numbers than a perceptron "
            "can learn from; at 32 it often sees what there is"
        )
    return int(sides[0]), int(sides[1])
