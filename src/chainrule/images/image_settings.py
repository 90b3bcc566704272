"""How a network for pictures is built and trained: settings by name, each with a good default."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from chainrule.activations import ActivationFunction, get_activation
from chainrule.augment import Augment, get_augment
from chainrule.engines.choose import check_engine
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.layers import Dense, Dropout, Flatten, Input, Layer
from chainrule.limits import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Limit, Limited
from chainrule.losses import CrossEntropy
from chainrule.model import Model
from chainrule.network import Network
from chainrule.optimizers import AdamW, Optimizer, get_optimizer
from chainrule.random import check_seed
from chainrule.schedules import OneCycle
from chainrule.training.batches import resolve_batch_size

USUAL: Final = Augment(shift=0.09, rotate=10, scale=0.1)  # what leaves digits, letters and most things what they are
_RATE: Final = 2e-3
_DECAY: Final = 0.05
_SEEN: Final = 160_000  # pictures, the same ones counted again: so many are shown, within the limits of epochs
_EPOCHS: Final = (20, 120)
_MANY: Final = 10_000  # pictures; from here on batches are larger


@dataclass(frozen=True)
class ImageSettings(Limited):
    """How a network for pictures is built and trained; every field has a good default, and is checked here and now.

    `epochs` None shows about 160,000 pictures in all, in 20 to 120 epochs; `batch_size="auto"` is 32, and 128 of more
    than 10,000 pictures. `optimizer` None is AdamW with a learning rate that rises and falls once over the fit,
    `OneCycle`, whose peak is `learning_rate` (0.002). `augment` is an `Augment`, its arguments by name, `"usual"`
    (small shifts, turns and scalings) or `"none"`. `members` networks are trained side by side: their
    mean is the answer.

    >>> ImageSettings(dropout=1.5)
    Traceback (most recent call last):
        ...
    chainrule.errors.InputError: ImageSettings: dropout is 1.5; it must be a number in [0, 1)
    """

    hidden: Sequence[int] = (256, 256)
    activation: str | ActivationFunction = "relu"
    dropout: float = 0.2
    optimizer: str | Optimizer | None = None
    learning_rate: float | None = None
    batch_size: int | str = "auto"
    epochs: int | None = None
    augment: Any = "usual"
    label_smoothing: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    members: int = 1
    seed: int = 0
    engine: str = "auto"

    limits = {
        "learning_rate": POSITIVE, "epochs": COUNT, "dropout": FRACTION, "l2": NOT_NEGATIVE, "clip_norm": POSITIVE,
        "label_smoothing": FRACTION, "members": Limit(1, 1000, whole=True),
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        for units in self.hidden if isinstance(self.hidden, Sequence) else (None,):
            if not COUNT.holds(units):
                raise InputError(
                    f"hidden is {self.hidden!r}; it must be the units of each hidden layer, as in (64, 64)"
                )
        check_seed(self.seed)
        check_engine(self.engine)
        resolve_batch_size(self.batch_size, sys.maxsize)
        if self.hidden and not get_activation(self.activation).trainable:
            raise InputError(
                f'activation "{get_activation(self.activation).name}" can\'t be trained through: use "sigmoid"'
            )
        self.chosen_augment()
        if self.chosen_optimizer.full_batch:
            raise InputError(
                f'optimizer "{self.chosen_optimizer.name}" isn\'t for pictures: it refuses dropout and augmentation'
            )

    def chosen_augment(self) -> Augment | None:
        """What is done to the pictures before each epoch."""
        if self.augment in ("usual", "none"):
            return USUAL if self.augment == "usual" else None
        if isinstance(self.augment, str):
            raise InputError(f'augment is "{self.augment}"; it must be "usual", "none" or a chainrule.Augment')
        return get_augment(self.augment)

    @property
    def chosen_optimizer(self) -> Optimizer:
        """The optimizer, with the learning rate if one is given."""
        if self.optimizer is None:
            return AdamW(OneCycle(self.learning_rate or _RATE), weight_decay=_DECAY)
        optimizer = get_optimizer(self.optimizer)
        return optimizer if self.learning_rate is None else replace(optimizer, learning_rate=self.learning_rate)

    def model(self, shape: tuple[int, int, int], classes: int) -> Model:
        """The untrained model: pictures flattened, dense layers, softmax over the classes."""
        names = ["hidden"] if len(self.hidden) == 1 else [f"hidden_{i + 1}" for i in range(len(self.hidden))]
        layers: list[Layer] = [Input(shape, name="picture"), Flatten(name="pixels")]
        for name, units in zip(names, self.hidden, strict=True):
            layers.append(Dense(units, activation=self.activation, name=name))
            if self.dropout:
                layers.append(Dropout(self.dropout, name=f"{name}_dropout"))
        network = Network([*layers, Dense(classes, activation="softmax", name="output")])
        return Model.ensemble(
            network, CrossEntropy(self.label_smoothing), self.chosen_optimizer, members=self.members, l2=self.l2,
            seed=self.seed, engine=self.engine,
        )  # fmt: skip

    def fitting(self, pictures: int) -> dict[str, Any]:
        """What `Model.fit` is told of so many training pictures."""
        low, high = _EPOCHS
        size = self.batch_size
        if size == "auto":
            size = min(pictures, 32 if pictures <= _MANY else 128)
        return {
            "epochs": self.epochs or min(max(round(_SEEN / pictures), low), high), "batch_size": size,
            "augment": self.chosen_augment(), "clip_norm": self.clip_norm,
        }  # fmt: skip


def make_image_settings(**settings: Any) -> ImageSettings:
    """Settings by name, or an error that names what there is."""
    known = [field.name for field in fields(ImageSettings)]
    for name in settings:
        if name not in known:
            raise InputError(f'there is no setting "{name}".{did_you_mean(name, known)} There are {listed(known)}')
    return ImageSettings(**settings)
