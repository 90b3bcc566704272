"""A model of pictures: how they become numbers, and the network trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import __version__, container
from chainrule.arrays import AnyArray, Array, Doubles, Order
from chainrule.errors import InputError, listed
from chainrule.images.folders import read_labelled_folder, read_pictures, read_training_folder
from chainrule.images.image_contents import read_image_contents, write_image
from chainrule.images.image_settings import make_image_settings
from chainrule.images.picture_classes import Scores, checked_labels, labelled, score, split_by_class
from chainrule.images.pixels import PictureForm, training_pictures, white_of
from chainrule.limits import COUNT, FRACTION, check
from chainrule.model import Model
from chainrule.plain import shortened
from chainrule.training.history import History
from chainrule.training.stopping import TimeLimit

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation

_BYTE = 255.0  # white in files


class ImageModel:
    """A trained model that takes pictures and answers with their classes.

    `ImageModel.train` makes one.

    Arguments:
        model: the network that was trained on the pictures' numbers.
        form: size, channels and scaling of the pictures.
        classes: what its outputs mean, in order.
        shares: of the classes in training: what is predicted without a look.
        rows: how many pictures each part had.
        test_scores: of the pictures that training never saw.
        test_baseline: of the same pictures, without a look at them.

    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> model = ImageModel.train(digits.images, digits.target, epochs=3, progress=False)
    >>> model.test_scores["accuracy"] > 0.9
    True
    >>> model.predict(digits.images[:3]).tolist()
    [0, 1, 2]
    """

    def __init__(
        self,
        model: Model,
        form: PictureForm,
        classes: Sequence[Any],
        *,
        shares: Sequence[float],
        rows: dict[str, int] | None = None,
        test_scores: Scores | None = None,
        test_baseline: Scores | None = None,
    ):
        self.model = model
        self.form = form
        self.classes = tuple(classes)
        self.shares = tuple(shares)
        self.rows = rows or {}
        self.test_scores = test_scores or {}
        self.test_baseline = test_baseline or {}
        self.notes: list[str] = []

    @classmethod
    def train(
        cls,
        pictures: Any,
        labels: Any = None,
        *,
        size: int | tuple[int, int] | None = None,
        test: float = 0.2,
        test_pictures: Any = None,
        test_labels: Any = None,
        time_limit: float | None = None,
        progress: bool | str = "auto",
        callbacks: Any = (),
        **settings: Any,
    ) -> ImageModel:
        """Train a network on pictures and score it on pictures that it never saw.

        Of a folder the sub-folders are the classes. Pictures of other sizes are scaled with their proportions, the rest
        filled with their border's median; they are turned as EXIF data say, of animations the first frame counts, and
        what is transparent lies on white. Files that can't be read are left out; `notes` says which, and what else is
        odd. Each channel is scaled to mean 0 and variance 1.

        Arguments:
            pictures: an array (n, height, width) or (n, height, width, 3), or a folder.
            labels: the class of each picture of an array: numbers or texts.
            size: height and width to which a folder's pictures are brought, or one number for both; left out, that of
                most of them, at most 32 pixels.
            test: a fraction of the pictures held out for the final score, of each class alike; 0 holds out none.
            test_pictures, test_labels: pictures for the final score in its place, as an array with labels or a folder.
            time_limit: seconds that training may take; what was learned until then is kept.
            progress: whether a bar is shown; "auto": on a terminal, of fits that last.
            callbacks: your own code at the epochs, as for `Model.fit`.
            settings: the fields of `ImageSettings`: `hidden=(256, 256)`, `activation`, `dropout`, `optimizer`,
                `learning_rate`, `batch_size`, `epochs`, `augment` (an `Augment`, `"usual"` or `"none"`),
                `label_smoothing`, `l2`, `clip_norm`, `members`, `seed`, `engine`.

        Raises:
            InputError: pictures, labels or a setting can't be used; the message says all that is wrong.
            MissingDependencyError: a folder is to be read, and Pillow isn't installed.
            DivergenceError: training diverged.
        """
        chosen = make_image_settings(**settings)
        check("ImageModel.train", "test", test, FRACTION)
        notes: list[str] = []
        white: float | None = _BYTE
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
            classes, y = labelled(labels, len(images), least=1 if test_pictures is not None or not test else 2)
        kept, held_out = np.arange(len(y)), np.arange(0)
        if test_pictures is None:
            kept, held_out = split_by_class(y, test, chosen.seed)
        form = PictureForm.of(images[kept], white)
        shares = np.bincount(y[kept], minlength=len(classes)) / len(kept)
        made = cls(chosen.model(form.shape, len(classes)), form, classes, shares=shares.tolist())
        tested = (
            None if test_pictures is None else made._with_labels(test_pictures, test_labels)
        )  # a mistake is said now
        stop = [] if time_limit is None else [TimeLimit(time_limit)]
        made.model.fit(
            form.encode(images[kept]), y[kept], stop=stop, progress=progress, callbacks=callbacks,
            **chosen.fitting(len(kept)),
        )  # fmt: skip
        if tested is None and len(held_out):
            tested = form.encode(images[held_out]), y[held_out]
        if tested is not None:
            made.test_scores, made.test_baseline = made._scores(*tested)
        made.rows = {"train": len(kept), "test": 0 if tested is None else len(tested[1])}
        made.notes = [*notes, *made.notes]
        return made

    def predict(self, pictures: Any) -> AnyArray:
        """The class of each picture, shape (n,).

        Arguments:
            pictures: an array (n, height, width) or with channels, a single picture, a file, files, or a folder (all in
                it, in the order of their names, without those that can't be read).

        Raises:
            InputError: they aren't of the model's size, or their numbers can't be what they were in training.
        """
        return self._names(self.predict_proba(pictures).argmax(axis=1))

    def predict_proba(self, pictures: Any) -> Array:
        """The probability of each class, in the order of `classes`, shape (n, classes).

        Arguments:
            pictures: as for `predict`.

        >>> model = ImageModel.train(np.arange(96).reshape(6, 4, 4), list("aabbcc"), test=0, epochs=1, progress=False)
        >>> model.predict_proba(np.zeros((2, 4, 4))).shape
        (2, 3)
        """
        return self.model.predict(self.encode(pictures))

    def encode(self, pictures: Any) -> Array:
        """Pictures as the network takes them, shape (n, height, width, channels): channels of mean 0 and variance 1.

        Arguments:
            pictures: as for `predict`.

        >>> pictures = np.array([[[0, 255]], [[255, 0]]], "uint8")
        >>> model = ImageModel.train(pictures, ["left", "right"], test=0, epochs=1, progress=False)
        >>> model.encode(pictures[0])[0, :, :, 0].tolist()
        [[-1.0, 1.0]]
        """
        return self.form.encode(self.take(pictures))

    def take(self, pictures: Any) -> AnyArray:
        """Pictures of any kind that `predict` takes, as an array (n, height, width, channels) of their own numbers.

        Arguments:
            pictures: as for `predict`.

        >>> model = ImageModel.train(np.arange(24).reshape(6, 2, 2), list("aabbcc"), test=0, epochs=1, progress=False)
        >>> model.take(np.zeros((2, 2))).shape
        (1, 2, 2, 1)
        """
        if not _is_path(pictures):
            return self.form.take(pictures)
        files = read_pictures(pictures, self.form.shape)
        self.notes = files.notes
        return self._of_files(files.pictures)

    def evaluate(self, pictures: Any, labels: Any = None) -> tuple[Scores, Scores]:
        """Accuracy and log-loss on labelled pictures, and those of the trivial baseline (the shares of training).

        Arguments:
            pictures: as for `predict`, or a folder whose sub-folders are classes of the model.
            labels: the class of each picture of an array.

        Raises:
            InputError: pictures or labels can't be used, or a class isn't one of the model's.

        >>> pictures = np.arange(24).reshape(6, 2, 2)
        >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, epochs=1, progress=False)
        >>> scores, baseline = model.evaluate(pictures, list("aabbcc"))
        >>> sorted(scores), round(baseline["accuracy"], 2)
        (['accuracy', 'log_loss'], 0.33)
        """
        return self._scores(*self._with_labels(pictures, labels))

    def saliency(self, pictures: Any, label: Any = None) -> Doubles:
        """How much each pixel moves the score of a class: `dz_k/dx`, in the pictures' own unit and shape.

        The gradient of the class's pre-activation, by the engine's backward pass down to the inputs (`Model.saliency`).

        Arguments:
            pictures: as for `predict`.
            label: the class; left out, the predicted one of each picture.

        Returns:
            an array (n, height, width, channels).

        >>> pictures = np.arange(24).reshape(6, 2, 2)
        >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, epochs=1, progress=False)
        >>> model.saliency(pictures[0], label="b").shape
        (1, 2, 2, 1)
        """
        output = None if label is None else self._place(label)
        return self.model.saliency(self.encode(pictures), output) / np.array(self.form.scale)

    def unit_weights(self) -> Array:
        """The weights of the first layer's units as pictures, shape (units, height, width, channels).

        Of several members they are the first one's.

        >>> pictures = np.arange(24).reshape(6, 2, 2)
        >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, hidden=(5,), epochs=1, progress=False)
        >>> model.unit_weights().shape
        (5, 2, 2, 1)
        """
        first = next(name for name, named in self.model.parameters.items() if "W" in named)
        return self.model.parameters[first]["W"].T.reshape(-1, *self.form.shape)

    def explain(
        self, picture: Any, label: Any = None, *, member: int | str = 1, training: bool = False, notation: str = "ours"
    ) -> Derivation:
        """Every quantity of a forward and a backward pass over a picture, by name; `x` are its scaled pixels in order.

        Arguments:
            picture: one picture (or several as one batch), as for `predict`.
            label: its class; left out, there is the forward pass alone.
            member: which of the networks, from 1; or `"mean"`, all of them beside each other, and their mean.
            training, notation: as for `Model.explain`.

        >>> pictures = np.arange(24).reshape(6, 2, 2)
        >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, hidden=(5,), epochs=1, progress=False)
        >>> work = model.explain(pictures[0], "a")
        >>> round(sum(work[f"h[output,{k}]"].value for k in (1, 2, 3)), 12)
        1.0
        """
        X = self.encode(picture)
        y = None if label is None else np.full(len(X), self._place(label))
        model = self.model.member(member) if self.model.members > 1 or member != 1 else self.model
        return model.explain(X, y, training=training, notation=notation)

    @property
    def history(self) -> History:
        """What happened in training, epoch by epoch."""
        return self.model.history

    @property
    def members(self) -> int:
        """How many networks there are."""
        return self.model.members

    def save(self, path: str | Path) -> None:
        """Save everything that prediction needs to one `.safetensors` file.

        Arguments:
            path: the file, which is replaced as a whole.

        Raises:
            FileError: there is no writing to it.

        >>> import tempfile
        >>> from chainrule import load
        >>> model = ImageModel.train(np.arange(24).reshape(6, 2, 2), list("aabbcc"), test=0, epochs=1, progress=False)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/letters.safetensors")
        ...     load(f"{folder}/letters.safetensors").classes
        ('a', 'b', 'c')
        """
        container.write(path, self.to_contents(), __version__)

    def to_contents(self) -> container.Contents:
        """What `save` writes: the model's contents, and the pictures' form.

        >>> model = ImageModel.train(np.arange(24).reshape(6, 2, 2), list("aabbcc"), test=0, epochs=1, progress=False)
        >>> contents = model.to_contents()
        >>> contents.kind, ImageModel.from_contents(contents).form == model.form
        ('image', True)
        """
        return write_image(self)

    @classmethod
    def from_contents(cls, contents: container.Contents, *, engine: str = "auto") -> ImageModel:
        """The model of a file's contents.

        Arguments:
            contents: what `to_contents` gave.
            engine: who computes, as for `Model`.

        Raises:
            FileError: something is missing from the contents.
        """
        return cls(**read_image_contents(contents, engine))

    def __copy__(self) -> ImageModel:
        """A copy of its own, as of the model in it."""
        return deepcopy(self)

    def __repr__(self) -> str:
        return f"<ImageModel of {self.form} pictures, classes {listed(self.classes, limit=4)}>"

    def _with_labels(self, pictures: Any, labels: Any) -> tuple[Array, Order]:
        """Labelled pictures as the network takes them."""
        if isinstance(pictures, (str, Path)) and labels is None:
            files = read_labelled_folder(pictures, self.form.shape, [str(name) for name in self.classes])
            self.notes = files.notes
            return self.form.encode(self._of_files(files.pictures)), files.labels
        X = self.encode(pictures)
        return X, self._places(labels, len(X))

    def _of_files(self, pictures: Array) -> Array:
        """Numbers from 0 to 255 in the unit of training."""
        if self.form.white is None:
            raise InputError(
                f"the model was trained on arrays whose numbers went from {self.form.low:g} to {self.form.high:g}, and "
                "doesn't know which of them is white: hand in arrays, or train on pictures of bytes"
            )
        return pictures if self.form.white == _BYTE else pictures * np.float32(self.form.white / _BYTE)

    def _scores(self, X: Array, y: Order) -> tuple[Scores, Scores]:
        shares = np.tile(np.array(self.shares), (len(y), 1))
        return score(y, self.model.predict(X)), score(y, shares)

    def _names(self, places: Order) -> AnyArray:
        return np.asarray(self.classes)[places]

    def _place(self, label: Any) -> int:
        return int(self._places(np.asarray([label]), 1)[0])

    def _places(self, labels: Any, count: int) -> Order:
        """Labels as places among the model's classes."""
        given = checked_labels(labels, count)
        known = {name: place for place, name in enumerate(self.classes)}
        try:
            return np.array([known[name] for name in given.tolist()], dtype=np.int64)
        except KeyError as error:
            raise InputError(
                f"there is no class {shortened(error.args[0])}; the model's are {listed(map(repr, self.classes))}"
            ) from None


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
    return int(sides[0]), int(sides[1])
