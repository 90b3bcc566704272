"""The mean and the scale that standardise a column of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mean_and_scale(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean and the standard deviation of finite numbers, shape (rows,).

    `mean = sum(x) / n`, `scale = sqrt(sum((x - mean)**2) / n)`, so `(x - mean) / scale` has mean 0
    and standard deviation 1. Where all numbers are equal the scale is 1.

    >>> import numpy as np
    >>> mean_and_scale(np.array([1.0, 3.0])), mean_and_scale(np.array([5.0, 5.0]))
    ((2.0, 1.0), (5.0, 1.0))
    """
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if low == high:  # rounding could leave a tiny deviation to divide by
        return low, 1.0
    # In units of the largest size, numbers near the limits of float64 don't overflow when squared.
    size = max(abs(low), abs(high))
    scaled = values / size
    mean, deviation = float(scaled.mean()) * size, float(scaled.std()) * size
    return (mean, deviation) if deviation > 0 else (mean, 1.0)
