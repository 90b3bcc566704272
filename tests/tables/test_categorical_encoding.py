"""Categories as features."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.tables.categorical_encoding import CategoricalColumn

words = st.none() | st.text(st.sampled_from("abc1. é"), max_size=3)


@settings(deadline=None, max_examples=60)
@given(st.lists(words, min_size=1, max_size=20), st.lists(words, min_size=1, max_size=20))
def test_seen_rows_sum_to_1_and_others_to_0(training: list[str | None], given_: list[str | None]) -> None:
    column = CategoricalColumn.fit(pl.Series("a", training, dtype=pl.String))
    series = pl.Series("a", training + given_, dtype=pl.String)
    out = np.full((len(series), len(column.feature_names)), np.nan, dtype=np.float32)
    missing, unseen = column.encode_into(series, out)
    assert set(np.unique(out)) <= {0.0, 1.0}
    sums = out.sum(axis=1)
    assert (sums[: len(training)] == 1).all()
    lost = missing if not column.missing else 0
    assert (sums == 0).sum() == len(unseen) + lost


def test_by_hand() -> None:
    column = CategoricalColumn.fit(pl.Series("a", ["m", None, "f"]))
    out = np.empty((4, 3), dtype=np.float32)
    missing, unseen = column.encode_into(pl.Series("a", ["f", "m", None, "x"]), out)
    assert out.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert (missing, unseen.to_list()) == (1, ["x"])


def test_no_categories_at_all() -> None:
    column = CategoricalColumn.fit(pl.Series("a", [None, None], dtype=pl.String))
    out = np.empty((2, 1), dtype=np.float32)
    assert column.feature_names == ("a is missing",)
    missing, unseen = column.encode_into(pl.Series("a", [None, "x"]), out)
    assert (missing, unseen.to_list(), out.tolist()) == (1, ["x"], [[1.0], [0.0]])
