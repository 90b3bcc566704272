"""Numbers as features."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.tables.numeric_encoding import NumericColumn


def encoded(column: NumericColumn, series: pl.Series) -> NDArray[np.float32]:
    out = np.full((len(series), len(column.feature_names)), np.nan, dtype=np.float32)
    column.encode_into(series, out)
    return out


def test_by_hand() -> None:
    series = pl.Series("age", [1.0, None, 3.0, 8.0])
    column = NumericColumn.fit(series)
    values = np.array([1.0, 3.0, 3.0, 8.0])
    assert (column.median, column.mean, column.scale) == (3.0, 3.75, values.std())
    expected = np.stack([(values - 3.75) / values.std(), [0, 1, 0, 0]], axis=1)
    np.testing.assert_allclose(encoded(column, series), expected, rtol=1e-6)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.floats(-1e4, 1e4, width=32), min_size=1, max_size=30))
def test_training_rows_have_mean_0_and_deviation_1(values: list[float | None]) -> None:
    series = pl.Series("a", values, dtype=pl.Float64)
    column = NumericColumn.fit(series)
    out = encoded(column, series)
    assert column.indicator == (None in values)
    assert np.isfinite(out).all()
    present = [value for value in values if value is not None] or [0.0]
    if np.ptp(present) > 1e-3:
        assert out[:, 0].mean(dtype=np.float64) == pytest.approx(0, abs=1e-4)
        assert out[:, 0].std(dtype=np.float64) == pytest.approx(1, abs=1e-4)
    elif np.ptp(present) == 0:
        assert (out[:, 0] == 0).all()
    if column.indicator:
        assert out[:, 1].tolist() == [float(value is None) for value in values]


def test_a_constant_column_is_0_and_counts_from_there() -> None:
    column = NumericColumn.fit(pl.Series("a", [5, 5]))
    assert encoded(column, pl.Series("a", [5, 7])).tolist() == [[0.0], [2.0]]


def test_missing_without_precedent_is_the_median() -> None:
    column = NumericColumn.fit(pl.Series("a", [0.0, 1.0, 5.0]))
    out = np.empty((2, 1), dtype=np.float32)
    assert column.encode_into(pl.Series("a", [None, 1.0]), out) == 1
    assert out[0] == out[1]


def test_a_number_out_of_all_bounds() -> None:
    column = NumericColumn.fit(pl.Series("a", [0.0, 1.0]))
    with pytest.raises(InputError, match=r"too far from the training rows'.* in row 2 of the data"):
        encoded(column, pl.Series("a", [0.0, 1e300]))
