"""Pictures as arrays: what their shape and numbers mean, and how they become a network's inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from chainrule import forms
from chainrule.arrays import AnyArray, Array, whole
from chainrule.errors import InputError, counted, listed

BYTE: Final = 255.0  # white in files
_AT_ONCE: Final = 1024  # pictures that are scaled together
_DARK: Final = 8  # pictures that go so many times further than 1 aren't numbers from 0 to 1


@dataclass(frozen=True)
class PictureForm:
    """What all pictures of a model have in common, and how they become numbers of mean 0 and variance 1.

    Arguments:
        height, width, channels: of each; one channel is grey, three are red, green and blue.
        white: which number white is in arrays (255 of bytes), None where that isn't known; files are read by it.
        low, high: between which numbers the training pictures were.
        mean, scale: of each channel, over the training pictures.
    """

    height: int
    width: int
    channels: int
    white: float | None
    low: float
    high: float
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def of(cls, pictures: AnyArray, white: float | None = None) -> PictureForm:
        """The form of training pictures, (n, height, width, channels).

        Raises:
            InputError: every pixel of every picture is the same: there is nothing to see.

        >>> PictureForm.of(np.array([0, 255], "uint8").reshape(1, 1, 2, 1), white_of(np.uint8)).mean
        (127.5,)
        """
        numbers = pictures.astype(np.float64, copy=False)
        low, high = float(numbers.min()), float(numbers.max())
        if low == high:
            raise InputError(f"all pictures are the same: every pixel is {low:g}, so there is nothing to tell them by")
        mean, scale = numbers.mean(axis=(0, 1, 2)), numbers.std(axis=(0, 1, 2))
        scale = np.where(scale > 0, scale, 1.0)
        if white is None and low >= 0 and high <= 1:
            white = 1.0
        height, width, channels = pictures.shape[1:]
        return cls(height, width, channels, white, low, high, tuple(mean.tolist()), tuple(scale.tolist()))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {'grey' if self.channels == 1 else 'coloured'}"

    def take(self, given: Any) -> AnyArray:
        """Pictures as they are handed in, one or several, as (n, height, width, channels).

        Raises:
            InputError: they are of another size, or their numbers can't be what they were in training.
        """
        array = _numbers(given)
        inner = (self.height, self.width)
        one = array.shape == self.shape or (self.channels == 1 and array.shape == inner)
        pictures = _with_channels(array[None] if one else array)
        if pictures.shape[1:3] != inner or pictures.shape[3] != self.channels:
            shown = listed(array.shape)
            right = f"(n, {self.height}, {self.width}" + (f", {self.channels})" if self.channels > 1 else ")")
            raise InputError(f"the pictures have the shape ({shown}); {right} would be right, as in training")
        self._check_range(pictures)
        return pictures

    def encode(self, pictures: AnyArray) -> Array:
        """The network's inputs: `(x - mean) / scale` by channel, float32, shape (n, height, width, channels)."""
        encoded = np.empty(pictures.shape, np.float32)
        for begin in range(0, len(pictures), _AT_ONCE):  # in parts, since float64 takes eight times as much as bytes
            part = slice(begin, begin + _AT_ONCE)
            encoded[part] = (pictures[part] - np.array(self.mean)) / np.array(self.scale)
        return encoded

    def of_files(self, pictures: Array) -> Array:
        """Numbers from 0 to 255, as files have them, in the unit of training.

        Raises:
            InputError: training was on arrays that don't tell which number is white.
        """
        if self.white is None:
            raise InputError(
                f"the model was trained on arrays whose numbers went from {self.low:g} to {self.high:g}, and doesn't "
                "know which of them is white: hand in arrays, or train on pictures of bytes"
            )
        return pictures if self.white == BYTE else pictures * np.float32(self.white / BYTE)

    def _check_range(self, pictures: AnyArray) -> None:
        if not pictures.size:
            return
        low, high = float(pictures.min()), float(pictures.max())
        slack = (self.high - self.low) / 2
        lowest = min(self.low - slack, 0.0 if self.white is not None else math.inf)
        highest = max(self.high + slack, self.white if self.white is not None else -math.inf)
        trained = f"training's were from {self.low:g} to {self.high:g}"
        if low < lowest or high > highest:
            raise InputError(f"the pictures' numbers go from {low:g} to {high:g}, {trained}: scale them alike")
        ends = white_of(pictures.dtype)
        if ends is not None and 2 * ends < self.high:  # bits for bytes, bytes for numbers of 16 bits
            raise InputError(
                f"the pictures are of {pictures.dtype}, where white is {ends:g}; {trained}: multiply them by "
                f"{self.top / ends:g}"
            )
        between = pictures.dtype.kind == "f" and bool(((pictures > 0) & (pictures < 1)).any())
        if between and low >= 0 and high <= 1 and self.high >= _DARK:
            raise InputError(f"the pictures' numbers lie between 0 and 1, {trained}: multiply them by {self.top:g}")

    @property
    def top(self) -> float:
        """What white is, or the brightest that was seen."""
        return self.high if self.white is None else self.white

    def to_dict(self) -> dict[str, Any]:
        """The form as JSON values; `from_dict` gives it back exactly."""
        return {
            "height": self.height, "width": self.width, "channels": self.channels, "white": self.white,
            "low": self.low, "high": self.high, "mean": list(self.mean), "scale": list(self.scale),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> PictureForm:
        """The form whose `to_dict` is given; raises `ValueError` or another for anything else."""
        sides = [forms.count(form[name]) for name in ("height", "width", "channels")]
        white = None if form["white"] is None else forms.finite(form["white"])
        low, high = forms.finite(form["low"]), forms.finite(form["high"])
        mean, scale = (tuple(forms.finite(number) for number in form[name]) for name in ("mean", "scale"))
        if not (0 not in sides and sides[2] in (1, 3) and low < high and len(mean) == len(scale) == sides[2]):
            raise ValueError("size, range and scaling of pictures don't go together")
        if min(scale) <= 0:
            raise ValueError("pictures can't be divided by what isn't above 0")
        if white is not None and not 0 <= low < high <= white:
            raise ValueError("no pixel is darker than 0 or brighter than white")
        return cls(sides[0], sides[1], sides[2], white, low, high, mean, scale)


def training_pictures(given: Any) -> AnyArray:
    """Pictures to train on, (n, height, width) or with a last axis of channels, as (n, height, width, channels).

    >>> training_pictures(np.zeros((5, 8, 6), "uint8")).shape
    (5, 8, 6, 1)
    """
    pictures = _with_channels(_numbers(given))
    if not pictures.size:
        raise InputError(f"there are no pictures: the shape is ({listed(pictures.shape)})")
    return pictures


def white_of(dtype: Any) -> float | None:
    """Which number white is in pictures of a type; None where the type doesn't tell.

    >>> white_of(np.uint8), white_of(np.uint16), white_of(np.bool_), white_of(np.float32)
    (255.0, 65535.0, 1.0, None)
    """
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return 1.0
    return float(np.iinfo(kind).max) if kind in (np.dtype(np.uint8), np.dtype(np.uint16)) else None


def _numbers(given: Any) -> AnyArray:
    try:
        array = whole(given)
    except (TypeError, ValueError) as error:
        raise InputError(f"pictures must be an array of numbers, all of one size: {error}") from None
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"pictures must be an array of numbers, (n, height, width) or with channels, not {array.dtype}"
        )
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if not finite.all():
            bad = np.flatnonzero(~finite.reshape(len(array) if array.ndim else 1, -1).all(axis=1))
            which = f"{counted(len(bad), 'picture')} ({listed(bad, limit=5)}, counted from 0)"
            raise InputError(f"{which} hold NaN or infinite numbers")
    return array


def _with_channels(array: AnyArray) -> AnyArray:
    """(n, height, width, channels), or an error that says which axis is wrong."""
    shape = f"({listed(array.shape)})"
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        as_in = f"(-1, {side}, {side})" if side**2 == array.shape[1] else "(-1, height, width)"
        raise InputError(
            f"the pictures have the shape {shape}: if these are flat rows, give them their form back: reshape{as_in}"
        )
    if array.ndim == 3:
        return array[..., None]
    if array.ndim != 4:
        raise InputError(
            f"the pictures have the shape {shape}; (n, height, width) or (n, height, width, 3) would be right"
        )
    channels = array.shape[3]
    if channels not in (1, 3):
        if array.shape[1] in (1, 3):
            hint = "channels come last: numpy.moveaxis(pictures, 1, -1)"
        elif channels in (2, 4):
            hint = f"leave transparency out, pictures[..., :{channels - 1}], once you know what lies behind it"
        else:
            hint = "1 channel is grey, 3 are red, green and blue"
        raise InputError(f"the pictures have the shape {shape}, so {channels} channels; {hint}")
    return array
