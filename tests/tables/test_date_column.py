"""Dates as numbers: what they are, and that what people mean by them is learnt."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.tables.date_column import DateColumn


def encoded(column: DateColumn, series: pl.Series) -> dict[str, list[float]]:
    out = np.full((len(series), len(column.feature_names)), np.nan, np.float32)
    column.encode_into(series, out)
    return dict(zip(column.feature_names, out.T.round(5).tolist(), strict=True))


def test_parts_are_there_as_far_as_they_vary() -> None:
    start = datetime(2023, 3, 1)
    hours = pl.Series("at", [start + timedelta(hours=i) for i in range(24)])
    assert DateColumn.fit(hours).parts == ("hour",)
    days = pl.Series("at", [date(2023, 3, 1) + timedelta(days=i) for i in range(14)])
    assert DateColumn.fit(days).parts == ("weekday",)
    years = pl.Series("at", [date(2000 + i, 3, 1 + i % 9) for i in range(20)])
    assert DateColumn.fit(years).parts == ("year", "weekday")
    months = pl.Series("at", [date(2023, 1 + i % 12, 1 + i % 28) for i in range(60)])
    assert DateColumn.fit(months).parts == ("month", "weekday")


def test_what_the_numbers_are() -> None:
    column = DateColumn.fit(
        pl.Series("at", [datetime(2020 + i % 3, 1 + i % 12, 1 + i % 28, i % 24) for i in range(99)])
    )
    found = encoded(column, pl.Series("at", [datetime(2021, 7, 3, 6), datetime(1969, 12, 31, 18)]))
    assert found["at: year"] == pytest.approx([0.1, -5.1])
    assert found["at: Saturday"] == [1, 0]
    assert found["at: Wednesday"] == [0, 1]
    assert found["at: hour (sine)"] == pytest.approx([1, -1])
    assert found["at: hour (cosine)"] == pytest.approx([0, 0], abs=1e-6)
    assert found["at: month (cosine)"][0] < -0.99 < 0.99 < found["at: month (cosine)"][1]


def test_missing_dates_have_no_parts() -> None:
    dates = [None if i == 3 else date(2023, 1, 1) + timedelta(days=17 * i) for i in range(60)]
    column = DateColumn.fit(pl.Series("at", dates))
    found = encoded(column, pl.Series("at", [None], dtype=pl.Date))
    assert found.pop("at is missing") == [1.0]
    found.pop("at")
    assert all(values == [0.0] for values in found.values())


def test_a_column_is_the_same_after_a_file() -> None:
    column = DateColumn.fit(pl.Series("at", [date(2023, 1, 1) + timedelta(days=17 * i) for i in range(60)]))
    assert DateColumn.from_dict(column.to_dict()) == column
    with pytest.raises(ValueError, match="parts"):
        DateColumn.from_dict(column.to_dict() | {"parts": ["century"]})


def test_the_sine_of_an_hour_and_the_weekend_are_learnt() -> None:
    rng = np.random.default_rng(11)
    hours = np.sort(rng.choice(24 * 150, size=1200, replace=False))
    when = [datetime(2023, 3, 1) + timedelta(hours=int(h)) for h in hours]
    load = [30 * np.sin(2 * np.pi * at.hour / 24) + 25 * (at.weekday() >= 5) + rng.normal(0, 2) for at in when]
    table = {"when": [at.strftime("%d.%m.%Y %H:%M") for at in when], "load": load}
    model = cr.TableModel.train(table, "load", effort="quick", progress=False)
    assert model.test_scores["r2"] > 0.95
