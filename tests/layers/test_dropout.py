"""Dropout: masks that the seed, the step and the layer decide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from finite_differences import check_layer

from chainrule import Dropout, InputError, random
from chainrule.layers import Context

X = np.ones((200, 50))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_kept_elements_are_scaled_so_that_the_mean_stays(rate: float) -> None:
    y, _, _ = Dropout(rate).forward({}, {}, (X,), Context(training=True, seed=1))
    assert set(np.unique(y)) == {0.0, 1 / (1 - rate)}
    deviation = math.sqrt(rate / (1 - rate) / X.size)  # of the mean of n elements that are 1 / (1 - rate) or 0
    assert abs(y.mean() - 1) <= 5 * deviation


def test_the_mask_is_the_one_of_the_random_stream() -> None:
    place = {"seed": 5, "step": 7, "layer": 3, "member": 2}
    y, _, _ = Dropout(0.3).forward({}, {}, (X,), Context(training=True, **place))
    np.testing.assert_array_equal(y > 0, random.keep_mask(X.shape, 0.3, **place))


@pytest.mark.parametrize("change", [{"seed": 2}, {"step": 1}, {"layer": 1}, {"member": 1}], ids=str)
def test_every_step_layer_and_member_has_its_own_mask(change: dict[str, int]) -> None:
    first, _, _ = Dropout(0.5).forward({}, {}, (X,), Context(training=True, seed=1))
    other, _, _ = Dropout(0.5).forward({}, {}, (X,), Context(**{"training": True, "seed": 1, **change}))
    assert abs((first == other).mean() - 0.5) <= 5 * 0.5 / math.sqrt(X.size)


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True)])
def test_prediction_and_rate_0_change_nothing(rate: float, training: bool) -> None:
    y, memo, _ = Dropout(rate).forward({}, {}, (X,), Context(training=training))
    (d_x,), gradients = Dropout(rate).backward({}, memo, X)
    assert y is X
    assert d_x is X
    assert gradients == {}


def test_backward(rng: np.random.Generator) -> None:
    check_layer(Dropout(0.4), ((6,),), rng, Context(training=True, seed=9, step=2))
    check_layer(Dropout(0.4), ((2, 3),), rng, Context(training=True, seed=9))


def test_precision_stays() -> None:
    y, _, _ = Dropout(0.3).forward({}, {}, (X.astype(np.float32),), Context(training=True))
    assert y.dtype == np.float32


@pytest.mark.parametrize("rate", [1, -0.1, float("nan"), "0.5"])
def test_rates(rate: object) -> None:
    with pytest.raises(InputError, match=r"Dropout: rate is .*; it must be a number in \[0, 1\)"):
        Dropout(rate)
