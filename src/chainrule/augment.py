"""Augmentation: rows changed at random before each epoch, so that a network never sees the same ones twice.

Every draw comes from the counter-based generator, by the seed, the epoch, the member and the place of the row in the
epoch: the same numbers whoever prepares the rows, when, and in how many parts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from chainrule import random
from chainrule.arrays import AnyArray, Array, Doubles, Order
from chainrule.engines.contract import Rows
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.limits import COUNT, FRACTION, NOT_NEGATIVE, Limit, Limited, check
from chainrule.objective import HeadLoss
from chainrule.plain import shortened
from chainrule.warping import background, erased, warped

_DRAWS: Final = 16  # numbers of each row; those that nobody reads are kept for what may come
_FLIPS: Final = ("none", "horizontal", "vertical", "both")


@dataclass(frozen=True)
class Augment(Limited):
    """What is done to rows at random before each epoch; what is left out isn't done.

    Shift, rotation, scale, flip and erasing are for pictures: inputs of shape (height, width) or (height, width,
    channels), or flat rows whose `shape` is said. All of it is one bilinear interpolation. Noise and mixup are for any
    rows of numbers. Training alone is augmented: metrics, validation and prediction see rows as they are.

    Arguments:
        shift: the greatest shift to each side, as a share of the picture's height and width.
        rotate: the greatest angle to each side, in degrees.
        scale: the greatest enlargement, as a share: with 0.25 between 1/1.25 and 1.25 times the size.
        flip: `"horizontal"` (left and right change places in half of the pictures), `"vertical"`, `"both"` or `"none"`.
        erase: the greatest sides of a rectangle that is painted over, as a share of the picture's.
        noise: the standard deviation of normal noise on each number, in the inputs' own units.
        mixup: alpha of the Beta(alpha, alpha) by which each row and its targets are mixed with another row of the batch
            (Zhang et al., 2018, "mixup: Beyond empirical risk minimization"); classes become probabilities.
        fill: what comes in from outside of a picture: `"border"` (the median of its border), `"edge"` (its nearest
            pixel), or a number in the inputs' own units.
        shape: of the picture that a flat row is.

    Raises:
        InputError: a number is outside of what it may be; when a fit begins: it doesn't go with the inputs.

    >>> from chainrule import Model, Network
    >>> X = np.zeros((64, 6), "float32"); X[:, 2] = 1
    >>> model = Model(Network.mlp(6, [4], 1), "squared_error")
    >>> history = model.fit(X, X[:, 2], epochs=2, augment=Augment(shift=0.2, noise=0.1, shape=(2, 3)))
    >>> len(history)
    2
    """

    shift: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    flip: str = "none"
    erase: float = 0.0
    noise: float = 0.0
    mixup: float = 0.0
    fill: str | float = "border"
    shape: tuple[int, ...] | None = None

    limits = {
        "shift": FRACTION, "rotate": Limit(0, 180), "scale": Limit(0, 10), "erase": FRACTION, "noise": NOT_NEGATIVE,
        "mixup": Limit(0, 100),
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.flip not in _FLIPS:
            raise InputError(f'Augment: flip is {self.flip!r}; it must be "none", "horizontal", "vertical" or "both"')
        if not (self.fill in ("border", "edge") or (Limit(high=math.inf, high_open=True).holds(self.fill))):
            raise InputError(f'Augment: fill is {self.fill!r}; it must be "border", "edge" or a number')
        if self.shape is not None:
            if not isinstance(self.shape, (tuple, list)) or len(self.shape) not in (2, 3):
                raise InputError(
                    f"Augment: shape is {self.shape!r}; it must be (height, width) or (height, width, channels)"
                )
            for side in self.shape:
                check("Augment", "a side of shape", side, COUNT)
            object.__setattr__(self, "shape", tuple(int(side) for side in self.shape))

    @property
    def moves(self) -> bool:
        """Whether pictures are shifted, turned, scaled or flipped."""
        return bool(self.shift or self.rotate or self.scale or self.flip != "none")

    def check(self, inputs: tuple[AnyArray, ...], batch_size: int) -> None:
        """Raise an `InputError` unless it can be done to these inputs.

        Arguments:
            inputs: one array (rows, ...) for each input of the network.
            batch_size: rows of a step.

        >>> Augment(rotate=10).check((np.zeros((5, 64)),), batch_size=5)
        Traceback (most recent call last):
            ...
        chainrule.errors.InputError: Augment: rotate, shift ... are for pictures, and the inputs are rows of 64 numbers: say which picture a row is, as in shape=(8, 8)
        """  # noqa: E501  # a message
        numbers = [x for x in inputs if x.dtype.kind == "f"]
        if self.mixup and len(numbers) < len(inputs):
            raise InputError("Augment: mixup can't mix codes, and an input of the network holds them: leave mixup out")
        if self.mixup and batch_size < 2:
            raise InputError("Augment: mixup mixes the rows of a batch, and batch_size is 1: give a larger one")
        if self.noise and not numbers:
            raise InputError("Augment: noise is for numbers, and the network's inputs are codes: leave noise out")
        if self.shape is not None and len(inputs) > 1:
            raise InputError("Augment: shape says what one input is, and the network has several: give Input the shape")
        if not (self.moves or self.erase):
            return
        shapes = [x.shape[1:] if self.shape is None else self.shape for x in numbers]
        if not any(len(shape) in (2, 3) for shape in shapes):
            width = math.prod(inputs[0].shape[1:])
            side = math.isqrt(width)
            example = (side, side) if side * side == width else (1, width)
            raise InputError(
                f"Augment: rotate, shift ... are for pictures, and the inputs are rows of {width} numbers: say which "
                f"picture a row is, as in shape={example}"
            )
        if self.shape is not None and math.prod(self.shape) != math.prod(inputs[0].shape[1:]):
            raise InputError(
                f"Augment: shape is {self.shape}, which makes {math.prod(self.shape)} numbers; the rows have "
                f"{math.prod(inputs[0].shape[1:])}"
            )

    def rows(
        self, data: Rows, order: Order, heads: tuple[HeadLoss, ...], *, batch_size: int, seed: int, epoch: int,
        member: int = 0, first: int = 0,
    ) -> Rows:  # fmt: skip
        """Rows of whole batches of an epoch, augmented.

        Arguments:
            data: all rows.
            order: the numbers of those that are wanted, (n,).
            heads: with their losses, which know what their targets are.
            batch_size: rows of a step.
            seed, epoch, member: of the random stream.
            first: the place of the first of them in the epoch: a multiple of the batch size.

        >>> from chainrule import Network, Objective
        >>> heads = Objective("squared_error").on(Network.mlp(2, [], 1)).heads
        >>> data = Rows((np.zeros((4, 2)),), (np.zeros((4, 1)),), (None,))
        >>> both = [Augment(noise=1.0).rows(data, np.arange(4), heads, batch_size=2, seed=0, epoch=0) for _ in range(2)]
        >>> bool((both[0].inputs[0] == both[1].inputs[0]).all())
        True
        """
        drawn = random.uniform(_DRAWS * len(order), seed, epoch, random.AUGMENT, member, begin=_DRAWS * first)
        taken, drawn = data.take(order), drawn.reshape(-1, _DRAWS)
        inputs = tuple(
            self._changed(x, drawn, (seed, epoch, random.NOISE - i, member), first) if x.dtype.kind == "f" else x
            for i, x in enumerate(taken.inputs)
        )
        taken = Rows(inputs, taken.targets, taken.weights)
        return self._mixed(taken, drawn, heads, batch_size) if self.mixup else taken

    def _changed(self, x: Array, drawn: Doubles, stream: tuple[int, int, int, int], first: int) -> Array:
        """One input of the rows, all but mixed."""
        shape = x.shape[1:] if self.shape is None else self.shape
        if (self.moves or self.erase) and len(shape) in (2, 3):
            pictures = x.reshape(len(x), *shape[:2], -1)
            outside = background(pictures) if isinstance(self.fill, str) else np.full_like(pictures[:, 0, 0], self.fill)
            if self.moves:
                pictures = warped(pictures, self._maps(drawn, *shape[:2]), None if self.fill == "edge" else outside)
            if self.erase:
                pictures = erased(pictures, drawn[:, 6:10], self.erase, outside)
            x = pictures.reshape(x.shape)
        if self.noise:
            width = math.prod(x.shape[1:])
            stride = width + width % 2  # each row begins at an even number of the stream
            noise = random.normal(stride * len(x), *stream, begin=stride * first).reshape(len(x), stride)[:, :width]
            x = (x + self.noise * noise.reshape(x.shape)).astype(x.dtype)
        return x

    def _maps(self, drawn: Doubles, height: int, width: int) -> Doubles:
        """For each picture the affine map from a pixel of the new one to its place in the old, (n, 2, 3): x, then y.

        Places are counted from the middle. The old picture is flipped, scaled and turned about it, then shifted.
        """
        to_side = 2 * drawn[:, :4] - 1
        right, down = self.shift * width * to_side[:, 0], self.shift * height * to_side[:, 1]
        angle = math.radians(self.rotate) * to_side[:, 2]
        size = (1 + self.scale) ** to_side[:, 3]
        cos, sin = np.cos(angle) / size, np.sin(angle) / size
        mirror_x = np.where((drawn[:, 4] < 0.5) & (self.flip in ("horizontal", "both")), -1.0, 1.0)
        mirror_y = np.where((drawn[:, 5] < 0.5) & (self.flip in ("vertical", "both")), -1.0, 1.0)
        linear = np.array([[mirror_x * cos, mirror_x * sin], [-mirror_y * sin, mirror_y * cos]]).transpose(2, 0, 1)
        moved = np.stack([right, down], axis=1)[:, None, :]
        return np.concatenate([linear, -(linear * moved).sum(axis=2, keepdims=True)], axis=2)

    def _mixed(self, data: Rows, drawn: Doubles, heads: tuple[HeadLoss, ...], batch_size: int) -> Rows:
        """Each row with another of its batch: `q x + (1 - q) x'`, and the same of targets."""
        from scipy.special import betaincinv  # few need it, and it takes a while to load

        place = np.arange(len(data))
        begin = place // batch_size * batch_size
        size = np.minimum(begin + batch_size, len(data)) - begin
        step = 1 + np.floor(drawn[begin, 11] * (size - 1)).astype(np.int64)  # the same for all rows of a batch
        other = data.take(begin + (place - begin + step) % size)
        share = np.where(size > 1, betaincinv(self.mixup, self.mixup, drawn[:, 10]), 1.0)
        inputs = tuple(_between(x, y, share) for x, y in zip(data.inputs, other.inputs, strict=True))
        targets: list[AnyArray] = []
        weights: list[Array | None] = []
        for i, head in enumerate(heads):
            own, its = (head.loss.as_numbers(rows.targets[i], head.outputs, inputs[0].dtype) for rows in (data, other))
            w, v = data.weights[i], other.weights[i]
            if w is None or v is None:
                targets.append(_between(own, its, share))
                weights.append(None)
            else:  # a row that weighs more has more of the target; one of weight 0 has none, whatever its target is
                w, v = share * w, (1 - share) * v
                mixed = _between(own, its, w / np.where(w + v > 0, w + v, 1))
                targets.append(np.where((v > 0)[:, None], np.where((w > 0)[:, None], mixed, its), own))
                weights.append((w + v).astype(inputs[0].dtype))
        return Rows(inputs, tuple(targets), tuple(weights))


def _between(one: Array, other: Array, share: Doubles) -> Array:
    """`share one + (1 - share) other`, a share for each row, in the type of the rows."""
    q = share.reshape(-1, *[1] * (one.ndim - 1)).astype(one.dtype)
    return q * one + (1 - q) * other


def get_augment(given: Any) -> Augment | None:
    """An augmentation as it is, or from its arguments by name; None where nothing is to be done.

    Raises:
        InputError: it is neither, or names what there isn't.

    >>> get_augment({"shift": 0.1})
    Augment(shift=0.1, rotate=0.0, scale=0.0, flip='none', erase=0.0, noise=0.0, mixup=0.0, fill='border', shape=None)
    """
    if isinstance(given, Mapping):
        known = [field.name for field in fields(Augment)]
        for name in given:
            if name not in known:
                near = did_you_mean(name, known)
                raise InputError(f"augment has no {shortened(repr(name))}.{near} It has {listed(known)}")
        given = Augment(**given)
    if given is None:
        return None
    if isinstance(given, Augment):
        return None if given == Augment() else given
    raise InputError(f"augment is {given!r}; it must be a chainrule.Augment, such as Augment(noise=0.1)")
