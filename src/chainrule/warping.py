"""Pictures in arrays, moved and painted over: all of a batch at once, shape (n, height, width, channels)."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.arrays import Array, Doubles, Order

_PIXELS: Final = 1 << 16  # numbers of the pictures that are worked on at a time


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
    moved = np.empty_like(pictures)
    block = max(1, _PIXELS // max(1, pictures[0].size if len(pictures) else 1))
    for begin in range(0, len(pictures), block):
        part = slice(begin, begin + block)
        moved[part] = _warped_block(pictures[part], maps[part], None if outside is None else outside[part])
    return moved


def _warped_block(pictures: Array, maps: Doubles, outside: Array | None) -> Array:
    """So many pictures that all that is made on the way stays in the cache."""
    n, height, width, channels = pictures.shape
    y, x = np.mgrid[:height, :width].reshape(2, -1) - np.array([[(height - 1) / 2], [(width - 1) / 2]])
    before = int(outside is not None)  # a frame of one pixel, in which everything further out lies too
    at_x = maps[:, 0, :1] * x + (maps[:, 0, 1:2] * y + (maps[:, 0, 2:] + (width - 1) / 2 + before))
    at_y = maps[:, 1, :1] * x + (maps[:, 1, 1:2] * y + (maps[:, 1, 2:] + (height - 1) / 2 + before))
    rows, columns = height + 2 * before + 1, width + 2 * before + 1  # one more, so that each pixel has a next one
    if outside is None:
        framed = np.pad(pictures, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    else:
        framed = np.empty((n, rows, columns, channels), pictures.dtype)
        framed[...] = outside[:, None, None, :]
        framed[:, 1 : height + 1, 1 : width + 1] = pictures
    left, p = _pixel(at_x, columns - 2, pictures.dtype)
    top, q = _pixel(at_y, rows - 2, pictures.dtype)
    place = top * columns
    place += left
    place += np.arange(n)[:, None] * (rows * columns)
    flat = framed.reshape(-1) if channels == 1 else framed.reshape(-1, channels)
    if channels > 1:
        p, q = p[:, :, None], q[:, :, None]
    upper = _between(flat, place, p)
    place += columns
    lower = _between(flat, place, p)
    lower -= upper
    lower *= q
    lower += upper
    return lower.reshape(pictures.shape)


def _pixel(at: Doubles, last: int, dtype: np.dtype) -> tuple[Order, Array]:
    """The pixel before each place, and how far the place is from it towards the next; places outside are at the end."""
    np.clip(at, 0, last, out=at)
    before = at.astype(np.int64)
    at -= before
    return before, at.astype(dtype)


def _between(flat: Array, place: Order, share: Array) -> Array:
    """`(1 - share)` of the numbers at these places and `share` of the next ones; exactly the first where it is 0."""
    first = flat.take(place, axis=0)
    second = flat.take(place + 1, axis=0)
    second -= first
    second *= share
    second += first
    return second


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
