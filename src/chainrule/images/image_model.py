"""A model of pictures: how they become numbers, and the network trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import __version__, container
from chainrule.arrays import AnyArray, Array, Doubles, Order
from chainrule.errors import listed
from chainrule.images.image_contents import read_image_contents, write_image
from chainrule.images.image_settings import ImageSettings, make_image_settings
from chainrule.images.picture_classes import Scores, place_of_each, score
from chainrule.images.picture_preparation import PreparedPictures, labelled_pictures, prepare_pictures, take_pictures
from chainrule.images.pixels import PictureForm
from chainrule.model import Model
from chainrule.training.history import History
from chainrule.training.stopping import TimeLimit

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation


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
        prepared = prepare_pictures(
            pictures,
            labels,
            size=size,
            test=test,
            test_pictures=test_pictures,
            test_labels=test_labels,
            seed=chosen.seed,
        )
        return cls.fit(prepared, chosen, time_limit=time_limit, progress=progress, callbacks=callbacks)

    @classmethod
    def fit(
        cls,
        prepared: PreparedPictures,
        settings: ImageSettings | None = None,
        *,
        time_limit: float | None = None,
        progress: bool | str = "auto",
        callbacks: Any = (),
    ) -> ImageModel:
        """Train on pictures that are prepared.

        Arguments:
            prepared: what `prepare_pictures` makes.
            settings: of the network and its training; left out, the usual ones.
            time_limit, progress, callbacks: as for `train`.

        >>> prepared = prepare_pictures(np.arange(24).reshape(6, 2, 2), list("aabbcc"), test=0)
        >>> ImageModel.fit(prepared, ImageSettings(epochs=1), progress=False).classes
        ('a', 'b', 'c')
        """
        settings = settings or ImageSettings()
        model, rows = settings.model(prepared.form.shape, len(prepared.classes)), len(prepared.y)
        stop = [] if time_limit is None else [TimeLimit(time_limit)]
        model.fit(prepared.X, prepared.y, stop=stop, progress=progress, callbacks=callbacks, **settings.fitting(rows))
        made = cls(model, prepared.form, prepared.classes, shares=prepared.shares, rows=prepared.rows)
        if len(prepared.y_test):
            made.test_scores, made.test_baseline = made._scores(prepared.X_test, prepared.y_test)
        made.notes = list(prepared.notes)
        return made

    def predict(self, pictures: Any) -> AnyArray:
        """The class of each picture, shape (n,).

        Arguments:
            pictures: an array (n, height, width) or with channels, a single picture, a file, files, or a folder (all in
                it, in the order of their names, without those that can't be read).

        Raises:
            InputError: they aren't of the model's size, or their numbers can't be what they were in training.
        """
        return np.asarray(self.classes)[self.predict_proba(pictures).argmax(axis=1)]

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
        taken, self.notes = take_pictures(self.form, pictures)
        return taken

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
        taken, places, self.notes = labelled_pictures(self.form, self.classes, pictures, labels)
        return self._scores(self.form.encode(taken), places)

    def saliency(self, pictures: Any, label: Any = None) -> Doubles:
        """How much each pixel moves the score of a class: `dz_k/dx`, in the pictures' own unit and shape.

        The gradient of the class's pre-activation, by the engine's backward pass down to the inputs (`Model.saliency`).

        Arguments:
            pictures: as for `predict`.
            label: the class, or one for each picture; left out, the predicted one of each.

        Returns:
            an array (n, height, width, channels).

        >>> pictures = np.arange(24).reshape(6, 2, 2)
        >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, epochs=1, progress=False)
        >>> model.saliency(pictures[0], label="b").shape
        (1, 2, 2, 1)
        """
        X = self.encode(pictures)
        output = None if label is None else place_of_each(label, len(X), self.classes)
        return self.model.saliency(X, output) / np.array(self.form.scale)

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
            label: its class, or one for each picture; left out, there is the forward pass alone.
            member: which of the networks, from 1; or `"mean"`, all of them beside each other, and their mean.
            training, notation: as for `Model.explain`.

        >>> pictures = np.arange(24).reshape(6, 2, 2)
        >>> model = ImageModel.train(pictures, list("aabbcc"), test=0, hidden=(5,), epochs=1, progress=False)
        >>> work = model.explain(pictures[0], "a")
        >>> round(sum(work[f"h[output,{k}]"].value for k in (1, 2, 3)), 12)
        1.0
        """
        X = self.encode(picture)
        y = None if label is None else place_of_each(label, len(X), self.classes)
        model = self.model.member(member) if self.model.members > 1 or member != 1 else self.model
        return model.explain(X, y, training=training, notation=notation)

    @property
    def history(self) -> History:
        """What happened in training, epoch by epoch."""
        return self.model.history

    @property
    def histories(self) -> list[History]:
        """What happened in each fit: one, whose losses are those of all members."""
        return self.model.histories

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

    def _scores(self, X: Array, y: Order) -> tuple[Scores, Scores]:
        shares = np.tile(np.array(self.shares), (len(y), 1))
        return score(y, self.model.predict(X)), score(y, shares)
