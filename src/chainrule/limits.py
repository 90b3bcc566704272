"""Limits of parameters as data: one table per class, checked in one place.

The same tables feed the messages of errors, the help of the command line and (later) the tuner.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from chainrule.errors import InputError
from chainrule.plain import shortened


@dataclass(frozen=True)
class Limit:
    """What a numeric parameter may be: an interval, open or closed at each end."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False

    def holds(self, value: object) -> bool:
        """Whether `value` is a number within the limit."""
        kinds = (int, np.integer) if self.whole else (int, float, np.integer, np.floating)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        try:
            number = float(value)
        except OverflowError:  # a whole number beyond every float
            number = math.inf if value > 0 else -math.inf
        if math.isnan(number):
            return False
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        return above and below

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if math.isinf(self.low) and math.isinf(self.high):
            return kind
        if math.isinf(self.high):
            return f"{kind} {'above' if self.low_open else 'of at least'} {self.low:g}"
        if math.isinf(self.low):
            return f"{kind} {'below' if self.high_open else 'of at most'} {self.high:g}"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"{kind} in {left}{self.low:g}, {self.high:g}{right}"


NUMBER = Limit(high=math.inf, high_open=True, low=-math.inf, low_open=True)
POSITIVE = Limit(0, low_open=True, high_open=True)
DIVISOR = Limit(sys.float_info.min, high_open=True)  # numbers below are flushed to 0 where speed counts
NOT_NEGATIVE = Limit(0, high_open=True)
FRACTION = Limit(0, 1, high_open=True)
OPEN_FRACTION = Limit(0, 1, low_open=True, high_open=True)
COUNT = Limit(1, whole=True)
_LARGEST_WHOLE = 2**53  # from here on not every whole number is a float
THREADS = Limit(1, 4096, whole=True)  # more than any machine has: a number above it is a slip


def check(owner: str, name: str, value: object, limit: Limit) -> None:
    """Raise an `InputError` naming owner, parameter, value and limit unless the limit holds.

    >>> check("Dropout", "rate", 1.5, FRACTION)
    Traceback (most recent call last):
        ...
    chainrule.errors.InputError: Dropout: rate is 1.5; it must be a number in [0, 1)
    """
    if not limit.holds(value):
        shown = shortened(value)
        raise InputError(f"{owner}: {name} is {repr(shown) if isinstance(value, str) else shown}; it must be {limit}")


class Limited:
    """A dataclass whose numeric fields are checked against its table `limits` when it is made, and flags as such."""

    limits: ClassVar[dict[str, Limit]] = {}

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # those who inherit are dataclasses
            value, declared = getattr(self, field.name), str(field.type)
            follows = "Schedule" in declared and isinstance(value, Limited)  # a schedule has limits of its own
            if field.name in self.limits and not follows and not (value is None and field.default is None):
                check(type(self).__name__, field.name, value, self.limits[field.name])
            if declared == "bool" and not isinstance(value, (bool, np.bool_)):
                shown = repr(value) if isinstance(value, str) else shortened(value)
                raise InputError(f"{type(self).__name__}: {field.name} is {shown}; it must be True or False")
            if isinstance(value, np.generic):  # it would lift float32 arrays to float64, and JSON can't hold it
                object.__setattr__(self, field.name, value.item())
            elif type(value) is int and abs(value) >= _LARGEST_WHOLE and declared == "float":
                object.__setattr__(self, field.name, float(value))  # NumPy would overflow
