"""Pictures in arrays, moved and painted over: all of a batch at once, shape (n, height, width, channels)."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array, Doubles


def warped(pictures: Array, maps: Doubles, outside: Array | None) -> Array:
    """Each picture through an affine map of its own, bilinear between the four nearest pixels.

    Arguments:
        pictures: (n, height, width, channels).
        maps: (n, 2, 3), from (x, y, 1) of a pixel in the new picture to x and y in the old, all from the middle.
        outside: what lies around each picture, (n, channels); None continues its nearest pixels.

    >>> picture = np.arange(6.0).reshape(1, 2, 3, 1)
    >>> mirror = np.array([[[-1.0, 0, 0], [0, 1, 0]]])
    >>> warped(picture, mirror, None)[0, :, :, 0].tolist()
    [[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]]
    """
    n, height, width, channels = pictures.shape
    y, x = np.mgrid[:height, :width].reshape(2, -1) - np.array([[(height - 1) / 2], [(width - 1) / 2]])
    at_x = maps[:, 0, :1] * x + maps[:, 0, 1:2] * y + maps[:, 0, 2:] + (width - 1) / 2
    at_y = maps[:, 1, :1] * x + maps[:, 1, 1:2] * y + maps[:, 1, 2:] + (height - 1) / 2
    if outside is not None:  # a frame of one pixel, in which everything further out lies too
        framed = np.empty((n, height + 2, width + 2, channels), pictures.dtype)
        framed[...] = outside[:, None, None, :]
        framed[:, 1:-1, 1:-1] = pictures
        pictures, at_x, at_y = framed, at_x + 1, at_y + 1
    rows, columns = pictures.shape[1:3]
    left, right_share = _neighbours(at_x, columns)
    top, low_share = _neighbours(at_y, rows)
    right, low = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    flat = pictures.reshape(-1, channels)
    first = np.arange(n)[:, None] * (rows * columns)
    p = right_share[:, :, None].astype(pictures.dtype)
    q = low_share[:, :, None].astype(pictures.dtype)
    upper = (1 - p) * flat[first + top * columns + left] + p * flat[first + top * columns + right]
    lower = (1 - p) * flat[first + low * columns + left] + p * flat[first + low * columns + right]
    return ((1 - q) * upper + q * lower).reshape(n, height, width, channels)


def _neighbours(at: Doubles, size: int) -> tuple[np.ndarray, Doubles]:
    """The pixel before each place, and how far the place is from it towards the next; places outside are at the end."""
    inside = np.clip(at, 0, size - 1)
    before = np.floor(inside)
    return before.astype(np.int64), inside - before


def background(pictures: Array) -> Array:
    """The median of each picture's border, channel by channel: (n, channels).

    >>> picture = np.ones((1, 5, 5, 1)); picture[0, 2, 2] = 7
    >>> background(picture).tolist()
    [[1.0]]
    """
    sides = pictures[:, [0, -1]], pictures[:, :, [0, -1]].swapaxes(1, 2)
    border = np.concatenate([side.reshape(len(pictures), -1, pictures.shape[3]) for side in sides], axis=1)
    return np.median(border, axis=1).astype(pictures.dtype)


def erased(pictures: Array, drawn: Doubles, share: float, outside: Array) -> Array:
    """Each picture with a rectangle painted over, whose sides and place four numbers from [0, 1) decide.

    Arguments:
        pictures: (n, height, width, channels).
        drawn: (n, 4): height, width, top and left.
        share: the greatest sides, as a share of the picture's.
        outside: the paint of each, (n, channels).

    >>> erased(np.ones((1, 2, 2, 1)), np.array([[0.99, 0.0, 0.0, 0.9]]), 0.9, np.zeros((1, 1)))[0, :, :, 0].tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    n, height, width, _ = pictures.shape
    hidden = np.ones((n, height, width), bool)
    for axis, size in enumerate((height, width)):
        extent = np.floor(share * drawn[:, axis] * size + 0.5)
        begin = np.floor(drawn[:, 2 + axis] * (size - extent + 1))
        place = np.arange(size)
        inside = (place >= begin[:, None]) & (place < (begin + extent)[:, None])
        hidden &= inside[:, :, None] if axis == 0 else inside[:, None, :]
    return np.where(hidden[..., None], outside[:, None, None, :], pictures)
