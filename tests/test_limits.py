"""Limits as data: what holds, what doesn't, and how it is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule import Dense, Dropout, InputError
from chainrule.limits import COUNT, FRACTION, NOT_NEGATIVE, NUMBER, OPEN_FRACTION, POSITIVE, Limit, check


@pytest.mark.parametrize(
    ("limit", "inside", "outside", "text"),
    [
        (NUMBER, [0, -1e300, 5], [math.inf, -math.inf, math.nan], "a number"),
        (POSITIVE, [1e-300, 5, np.float32(1)], [0, -1, math.inf, math.nan], "a number above 0"),
        (NOT_NEGATIVE, [0, 0.0, 1e300], [-1e-300, math.inf], "a number of at least 0"),
        (FRACTION, [0, 0.5], [1, -0.1], "a number in [0, 1)"),
        (OPEN_FRACTION, [0.5], [0, 1], "a number in (0, 1)"),
        (COUNT, [1, np.int64(7)], [0, 1.0, "1"], "a whole number of at least 1"),
        (Limit(high=3), [3, -5], [3.1], "a number of at most 3"),
        (Limit(high=3, high_open=True), [2.9], [3], "a number below 3"),
        (Limit(0, 1, low_open=True), [1, 0.1], [0], "a number in (0, 1]"),
        (Limit(whole=True), [-3], [0.5], "a whole number"),
    ],
    ids=str,
)
def test_limits(limit: Limit, inside: list, outside: list, text: str) -> None:
    assert str(limit) == text
    for value in inside:
        assert limit.holds(value), value
    for value in [*outside, True, None, "x", [1]]:
        assert not limit.holds(value), value


def test_check_names_owner_parameter_value_and_limit() -> None:
    check("Thing", "size", 3, COUNT)
    with pytest.raises(InputError, match=r"^Thing: size is 0; it must be a whole number of at least 1$"):
        check("Thing", "size", 0, COUNT)


def test_numbers_of_numpy_become_plain_ones() -> None:
    """`np.float64` would lift float32 arrays to float64, and neither it nor `np.int64` fits into JSON."""
    assert type(Dropout(np.float32(0.5)).rate) is float
    assert type(Dense(np.int64(3)).units) is int
