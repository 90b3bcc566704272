"""A table made ready: nothing is learned from rows that are held out, and every row has its place."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.tables.encoding import TableEncoding
from chainrule.tables.preparation import prepare_table


def table(rows: int = 100, **columns: object) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {"a": rng.normal(5, 2, rows), "c": ["x", "y"] * (rows // 2), "y": rng.normal(size=rows), **columns}
    )


class TestPreparing:
    def test_rows_are_split_and_add_up(self):
        prepared = prepare_table(table(), "y", validation=0.1, test=0.3)
        assert prepared.rows == {"train": 60, "validation": 10, "test": 30}
        assert prepared.train.X["numbers"].shape == prepared.train.X["categories"].shape == (60, 1)
        assert prepared.train.X["numbers"].dtype == np.float32
        assert prepared.train.X["categories"].dtype == np.int32
        assert prepared.test_frame.height == len(prepared.test) == 30
        assert [column.name for column in prepared.columns] == ["a", "c"]
        assert prepared.encoding.feature_names == ("a", "c=x", "c=y")
        assert prepared.n_outputs == 1

    def test_classes_are_split_in_proportion(self):
        frame = table(y=["often"] * 80 + ["seldom"] * 20)
        prepared = prepare_table(frame, "y", validation=0.2, test=0.2)
        for part in (prepared.train, prepared.validation, prepared.test):
            assert np.mean(part.y) == pytest.approx(0.2)
        assert prepared.n_outputs == 2

    def test_only_training_rows_are_learned_from(self):
        """Means, medians, categories and the target's scale don't see a row that is held out."""
        frame = table()
        prepared = prepare_table(frame, "y")
        held_out = np.isin(frame["y"], prepared.test_frame["y"])
        changed = frame.with_columns(
            pl.when(pl.Series(held_out)).then(1e6).otherwise("a").alias("a"),
            pl.when(pl.Series(held_out)).then(pl.lit("z")).otherwise("c").alias("c"),
        )
        again = prepare_table(changed, "y")
        assert again.encoding == prepared.encoding
        assert again.target == prepared.target
        np.testing.assert_array_equal(again.train.X["numbers"], prepared.train.X["numbers"])
        assert again.test.notes.unseen == {"c": prepared.rows["test"]}

    def test_the_seed_decides_the_rows(self):
        frame = table()
        first, same, other = (prepare_table(frame, "y", seed=seed) for seed in (1, 1, 2))
        assert first.test_frame.equals(same.test_frame)
        assert not first.test_frame.equals(other.test_frame)

    def test_encoded_targets(self):
        frame = table()
        prepared = prepare_table(frame, "y")
        assert abs(prepared.train.y.mean()) < 1e-5
        assert prepared.train.y.std() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(prepared.target.decode(prepared.test.y), prepared.test_frame["y"], rtol=1e-5)
        assert isinstance(prepared.encoding, TableEncoding)

    def test_rows_without_a_target_are_left_out(self):
        frame = table().with_columns(pl.when(pl.int_range(pl.len()) < 10).then(None).otherwise("y").alias("y"))
        prepared = prepare_table(frame, "y")
        assert sum(prepared.rows.values()) == 90
        assert prepared.target.missing == 10

    def test_no_validation_and_no_test(self):
        prepared = prepare_table(table(), "y", validation=0, test=0)
        assert prepared.rows == {"train": 100, "validation": 0, "test": 0}
        assert prepared.test.X["numbers"].shape == (0, 1)

    @pytest.mark.parametrize(
        ("frame", "options", "message"),
        [
            (table()[:0], {}, "the table has no rows: there is nothing to learn from"),
            (table(), {"validation": 0.5, "test": 0.5}, "leave no rows for training"),
            (table(), {"validation": 1.5}, "validation is 1.5"),
            (table(), {"seed": -1}, "seed is -1"),
            (table(), {"task": "nope"}, "the task is 'nope'"),
            (table()[:2], {}, "2 rows can't be split: at least 3 are needed"),
            (table().select("y"), {}, "no column is left to learn from"),
        ],
        ids=str,
    )
    def test_mistakes(self, frame, options, message):
        with pytest.raises(cr.InputError, match=message):
            prepare_table(frame, "y", **options)
