"""Mean and scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.tables.scaling import mean_and_scale


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 6)), min_size=2, max_size=30))
def test_standardised_numbers_have_mean_0_and_deviation_1(numbers: list[float]) -> None:
    values = np.array(numbers)
    mean, scale = mean_and_scale(values)
    assert scale > 0
    spread = np.ptp(values)
    if spread == 0:
        assert (mean, scale) == (values[0], 1.0)
    elif spread > 1e-6 * np.abs(values).max():
        standard = (values - mean) / scale
        assert standard.mean() == pytest.approx(0, abs=1e-8)
        assert standard.std() == pytest.approx(1, rel=1e-8)


def test_extremes() -> None:
    assert mean_and_scale(np.array([])) == (0.0, 1.0)
    assert mean_and_scale(np.full(1000, 0.1)) == (0.1, 1.0)
    assert mean_and_scale(np.array([-1e308, 1e308])) == (0.0, 1e308)
