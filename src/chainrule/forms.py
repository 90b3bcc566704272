"""Entries of a description by another hand: each is what it should be, or a ValueError that says what it is."""

from __future__ import annotations

import math
from typing import Any

from chainrule.plain import shortened

_MOST_TEXT = 2**28  # bytes that texts may take in an array, where each takes the room of the longest


def text(value: Any) -> str:
    """A text."""
    return value if isinstance(value, str) else _refuse(value, "a text")


def truth(value: Any) -> bool:
    """True or False."""
    return value if isinstance(value, bool) else _refuse(value, "true or false")


def count(value: Any) -> int:
    """A whole number from 0 on that a counter can hold."""
    return value if type(value) is int and 0 <= value <= 2**53 else _refuse(value, "a count")


def number(value: Any) -> float:
    """A number that is not too large for a float, perhaps NaN or infinite."""
    if type(value) not in (int, float) or (type(value) is int and value.bit_length() > 1000):
        _refuse(value, "a number")
    return float(value)


def finite(value: Any) -> float:
    """A finite number."""
    return number(value) if math.isfinite(number(value)) else _refuse(value, "a finite number")


def labels(values: Any) -> tuple[Any, ...]:
    """Texts and numbers, all different, that aren't endless as an array."""
    if not isinstance(values, list) or not all(isinstance(value, (str, int, float)) for value in values):
        _refuse(values, "a list of labels")
    if len(set(values)) < len(values):
        _refuse(values, "a list of different labels")
    if 4 * len(values) * max((len(value) for value in values if isinstance(value, str)), default=0) > _MOST_TEXT:
        _refuse(values, "a list of labels of reasonable length")
    return tuple(values)


def texts(values: Any) -> tuple[str, ...]:
    """Texts, all different."""
    return labels(values) if all(isinstance(value, str) for value in values) else _refuse(values, "a list of texts")


def _refuse(value: object, wanted: str) -> Any:
    raise ValueError(f"{shortened(value)} is not {wanted}")
