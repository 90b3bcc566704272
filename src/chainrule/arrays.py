"""The array types that every module speaks of."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]  # numbers in the precision of the model
AnyArray = NDArray[Any]  # numbers, or whole-number labels and codes
Doubles = NDArray[np.float64]
Order = NDArray[np.int64]  # row numbers
Codes = NDArray[np.int32]  # categories as integers
FEW = 16  # numbers that Python adds up faster than NumPy begins to


def is_finite(array: Array) -> bool:
    """Whether no number is NaN or infinite.

    >>> is_finite(np.array([1.0, 1e300])), is_finite(np.array([1.0, np.nan]))
    (True, False)
    """
    return surely_finite(array) or bool(np.isfinite(array).all())


def surely_finite(array: Array) -> bool:
    """Whether one sum tells that no number is NaN or infinite, for these stay in it; if it overflows it tells nothing.

    >>> surely_finite(np.array([1.0, 2.0])), surely_finite(np.array([1e308, 1e308]))
    (True, False)
    """
    return isfinite(sum(array.ravel().tolist()) if array.size <= FEW else np.vdot(array, array))


def whole(given: object) -> AnyArray:
    """What was handed in as an array, if nothing of it is lost: a mask would be, and imaginary parts.

    Raises `TypeError` for these, and `ValueError` for what has no shape.

    >>> whole(np.ma.masked_array([1.0, 2.0], [False, True]))
    Traceback (most recent call last):
        ...
    TypeError: a masked array; fill its gaps (`array.filled(value)`), or leave those rows out
    """
    parts = given if isinstance(given, (list, tuple)) else (given,)
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise TypeError("a masked array; fill its gaps (`array.filled(value)`), or leave those rows out")
    array = np.asarray(given)
    if array.dtype.kind == "c":
        raise TypeError("complex numbers; hand in their real and imaginary parts as two columns")
    return array
