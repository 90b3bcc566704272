"""Limits as data: what holds, what doesn't, and how it is said."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import chainrule as cr
from chainrule import Dense, Dropout, InputError
from chainrule.limits import COUNT, FRACTION, NOT_NEGATIVE, NUMBER, OPEN_FRACTION, POSITIVE, Limit, check

NETWORK = cr.Network.mlp(2, [3], 1)


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.BatchNorm(epsilon=None), "BatchNorm: epsilon is None; it must be a number above 0"),
        (lambda: cr.Dropout(None), r"Dropout: rate is None; it must be a number in \[0, 1\)"),
        (lambda: cr.Huber(delta=None), "Huber: delta is None"),
        (lambda: cr.BatchNorm(trainable=3), "BatchNorm: trainable is 3; it must be True or False"),
        (lambda: cr.RMSProp(centered="sum"), "RMSProp: centered is 'sum'; it must be True or False"),
        (lambda: cr.LBFGS(memory=10**6), r"LBFGS: memory is 1000000; it must be a whole number in \[1, 1000\]"),
        (lambda: cr.LBFGS(memory=2**63), "LBFGS: memory is 9223372036854775808"),
        (lambda: cr.Cosine(10**400), "Cosine: rate is .*; it must be a number above 0"),
        (lambda: cr.EarlyStopping(monitor=1e308), "EarlyStopping: monitor is 1e[+]308; it must be a name such as"),
        (lambda: cr.EarlyStopping(monitor=None), "EarlyStopping: monitor is None"),
        (lambda: cr.Model(NETWORK, "mse", dtype={"a": 1}), 'it must be "float32" or "float64"'),
        (lambda: cr.Model(NETWORK, "mse").set_parameters("x"), "arrays are given by name, .* not as x"),
        (lambda: cr.Model(NETWORK, "mse").set_parameters([1]), r"arrays are given by name, .* not as \[1\]"),
        (
            lambda: cr.Model(NETWORK, "mse").set_parameters({"hidden": 3.5}),
            'arrays of layer "hidden" are given by name',
        ),
        (lambda: cr.Model(NETWORK, "mse").set_state(None), "arrays are given by name"),
    ],
)
def test_odd_values_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_whole_numbers_that_no_c_long_holds() -> None:
    history = cr.Model(NETWORK, "mse", cr.SGD(cr.Cosine(10**30)), engine="reference")
    assert history.optimizer.schedule.rate == 1e30


def test_no_activation_behind_batch_normalization() -> None:
    """As of a dense layer without one: there is none."""
    network = cr.Network.mlp(2, [3], 1, activation=None, batch_norm=True)
    assert [type(step.layer).__name__ for step in network.steps][:3] == ["Dense", "BatchNorm", "Dense"]
