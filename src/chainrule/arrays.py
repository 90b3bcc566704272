"""The array types that every module speaks of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]  # numbers in the precision of the model
AnyArray = NDArray[Any]  # numbers, or whole-number labels and codes
Doubles = NDArray[np.float64]
Order = NDArray[np.int64]  # row numbers
Codes = NDArray[np.int32]  # categories as integers
