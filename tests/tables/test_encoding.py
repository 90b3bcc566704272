"""Tables as arrays of features."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.tables import TableEncoding, plan_columns
from chainrule.tables.encoding import CategoricalColumn, NumericColumn, mean_and_scale

TRAINING = pl.DataFrame(
    {
        "age": [1.0, 2.0, None, 5.0],
        "sex": ["m", "f", "f", "m"],
        "room": ["1", "2", "x", None],
        "smokes": [True, False, False, True],
        "same": [1, 1, 1, 1],
        "y": [1, 2, 3, 4],
    }
)
ENCODING = TableEncoding.fit(TRAINING, plan_columns(TRAINING, target="y"))


def table(**columns: Any) -> pl.DataFrame:
    """One row like the training rows, with other values in the columns given."""
    values = {"age": [2.0], "sex": ["f"], "room": ["1"], "smokes": [True], **columns}
    return pl.DataFrame(values)


def test_features_of_the_training_rows() -> None:
    features, notes = ENCODING.encode(TRAINING)
    assert ENCODING.feature_names == (
        "age",
        "age is missing",
        "sex=f",
        "sex=m",
        "room=1",
        "room=2",
        "room=x",
        "room is missing",
        "smokes",
    )
    assert features.shape == (4, ENCODING.n_features)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    assert ENCODING.unused == ("same", "y")
    assert notes.lines == ()
    assert (features[:, 2:4].sum(axis=1) == 1).all()
    assert (features[:, 4:8].sum(axis=1) == 1).all()


def test_the_order_and_library_of_the_table_do_not_matter() -> None:
    expected, _ = ENCODING.encode(TRAINING)
    turned = TRAINING.select(reversed(TRAINING.columns))
    np.testing.assert_array_equal(ENCODING.encode(turned)[0], expected)
    np.testing.assert_array_equal(ENCODING.encode(TRAINING.to_pandas())[0], expected)
    np.testing.assert_array_equal(ENCODING.encode(TRAINING.to_arrow())[0], expected)


def test_no_rows() -> None:
    assert ENCODING.encode(TRAINING.head(0))[0].shape == (0, ENCODING.n_features)


def test_missing_columns_are_all_named() -> None:
    given_ = pl.DataFrame({"Age": [1.0], "sexe": ["m"], "room": ["1"], "zzz": [1]})
    says = (
        r'lacks 3 columns .*: "age" \(the table has "Age"\), '
        r'"sex" \(the table has "sexe"\), "smokes"$'
    )
    with pytest.raises(InputError, match=says):
        ENCODING.encode(given_)


class CountedName(str):
    """A name that counts how often any such name was looked up or compared."""

    uses = 0

    def __hash__(self) -> int:
        CountedName.uses += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        CountedName.uses += 1
        return super().__eq__(other)


def uses_of_names(n_columns: int, given: int) -> int:
    """How often the names of a model's columns are used to encode a table that has the first `given` of them."""
    columns = tuple(NumericColumn(CountedName(f"c{i}"), "number", 0.0, False, 0.0, 1.0) for i in range(n_columns))
    encoding = TableEncoding(columns, unused=(CountedName("y"),))
    frame = pl.DataFrame({str(column.name): [1.0] for column in columns[:given]})
    CountedName.uses = 0
    try:
        encoding.encode(frame)
    except InputError as error:
        assert f"lacks {n_columns - given} columns" in str(error)  # noqa: PT017  # either way is counted
    return CountedName.uses


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_work_grows_with_the_columns_and_not_with_their_square(share: float) -> None:
    few, many = uses_of_names(100, int(100 * share)), uses_of_names(400, int(400 * share))
    assert many <= 5 * few


def test_of_many_missing_columns_few_are_compared_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    monkeypatch.setattr("chainrule.tables.encoding.nearest", lambda name, _: compared.append(name))
    columns = tuple(NumericColumn(f"c{i}", "number", 0.0, False, 0.0, 1.0) for i in range(1000))
    with pytest.raises(InputError, match="lacks 1,000 columns"):
        TableEncoding(columns).encode(pl.DataFrame({f"d{i}": [1.0] for i in range(20_000)}))
    assert len(compared) <= 5


def test_notes() -> None:
    given_ = pl.DataFrame(
        {
            "age": [2.0, None, 1.0],
            "sex": ["x", "z", None],
            "room": ["1", None, "3"],
            "smokes": [True, None, None],
            "same": [2, 2, 2],
            "extra": [1, 2, 3],
        }
    )
    _, notes = ENCODING.encode(given_)
    assert notes.extra_columns == ("extra",)
    assert notes.unseen == {"sex": 2, "room": 1}
    assert notes.unseen_examples == {"sex": ("x", "z"), "room": ("3",)}
    assert notes.unexpected_missing == {"sex": 1, "smokes": 2}
    assert len(notes.lines) == 5
    assert 'column "smokes": 2 rows without a value, training had none' in notes.lines


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"room": ["1"]}, {"room": [1]}),
        ({"room": ["1"]}, {"room": [1.0]}),
        ({"room": ["2"]}, {"room": [" 2.0"]}),
        ({"age": [2.0]}, {"age": [2]}),
        ({"age": [2.0]}, {"age": ["2"]}),
        ({"age": [1.0]}, {"age": [True]}),
        ({"age": [None]}, {"age": [float("nan")]}),
        ({"smokes": [True]}, {"smokes": [1]}),
        ({"smokes": [False]}, {"smokes": ["False"]}),
        ({"sex": ["m"]}, {"sex": pl.Series(["m"], dtype=pl.Categorical)}),
    ],
)
def test_a_value_is_the_same_in_every_type(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = ENCODING.encode(table(**one)), ENCODING.encode(table(**other))
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"age": ["n/a"]}, r'column "age" has text in row 1 of the data \("n/a"\)'),
        ({"age": [float("inf")]}, 'column "age" is infinite in row 1'),
        ({"age": [[1]]}, "List"),
        ({"smokes": ["maybe"]}, "where true/false belong"),
        ({"sex": [["m"]]}, "can't be categories"),
    ],
)
def test_values_that_do_not_fit(columns: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ENCODING.encode(table(**columns))


def test_repeated_columns() -> None:
    with pytest.raises(InputError, match='more than one column called "age"'):
        ENCODING.encode(pd.DataFrame([[1, 2]], columns=["age", "age"]))


numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)
words = st.none() | st.text(max_size=3).filter(lambda text: "inf" not in text.lower())  # infinite numbers are refused


@examples(60)
@given(rows=st.lists(st.tuples(numbers, words), min_size=2, max_size=12))
def test_json_round_trip_is_exact(rows: list[tuple[float | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Float64, "b": pl.String}, orient="row")
    frame = frame.with_columns(c=pl.int_range(pl.len()))
    plans = plan_columns(frame, kinds={"a": "numeric", "b": "categorical"} if _mixed(frame) else {})
    encoding = TableEncoding.fit(frame, plans)
    again = TableEncoding.from_dict(json.loads(json.dumps(encoding.to_dict())))
    assert again == encoding
    np.testing.assert_array_equal(again.encode(frame)[0], encoding.encode(frame)[0])


def _mixed(frame: pl.DataFrame) -> bool:
    """Whether no column is empty, so that kinds may be asked for."""
    return all(frame[name].null_count() < frame.height for name in ("a", "b"))


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"columns": [{"kind": "numeric", "name": "a"}], "unused": []},
        {"columns": [{"kind": "wave", "name": "a"}], "unused": []},
        {"columns": 5, "unused": []},
    ],
)
def test_json_that_is_no_encoding(form: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"isn't a table encoding"):
        TableEncoding.from_dict(form)


def encoded(column: NumericColumn, series: pl.Series) -> NDArray[np.float32]:
    out = np.full((len(series), len(column.feature_names)), np.nan, dtype=np.float32)
    column.encode_into(series, out)
    return out


def test_what_would_act_on_a_terminal_is_written_out() -> None:
    name = "a\x1b[2Jb"
    frame = pl.DataFrame({name: ["x", "y"] * 5, "n": range(10)})
    plans = plan_columns(frame)
    assert str(plans[0]).startswith(r"a\x1b[2Jb: categorical")
    notes = TableEncoding.fit(frame, plans).encode(
        pl.DataFrame({name: ["\x9b31m", None], "n": [1, 2], "\u202e": [1, 1]})
    )[1]
    assert len(notes.lines) == 3
    assert all(line.isprintable() for line in notes.lines)


class TestNumericColumn:
    def test_by_hand(self) -> None:
        series = pl.Series("age", [1.0, None, 3.0, 8.0])
        column = NumericColumn.fit(series)
        assert (column.median, column.center, column.scale) == (3.0, 3.0, 3.5)  # quartiles of 1, 3, 8: 2 and 5.5
        s = np.array([-2.0, 0.0, 0.0, 5.0]) / 3.5
        expected = np.stack([s / np.sqrt(1 + (s / 3) ** 2), [0, 1, 0, 0]], axis=1)
        np.testing.assert_allclose(encoded(column, series), expected, rtol=1e-6)

    @examples(60)
    @given(st.lists(st.none() | st.floats(-1e4, 1e4, width=32), min_size=1, max_size=30))
    def test_half_of_the_training_rows_lie_within_a_distance_of_1(self, values: list[float | None]) -> None:
        series = pl.Series("a", values, dtype=pl.Float64)
        column = NumericColumn.fit(series)
        out = encoded(column, series)
        assert column.indicator == (None in values)
        assert (np.abs(out[:, 0]) <= 3).all()
        present = np.array([value for value in values if value is not None] or [0.0])
        known = out[[value is not None for value in values], 0] if any(v is not None for v in values) else out[:1, 0]
        if np.subtract(*np.quantile(present, [0.75, 0.25])) > 1e-3:
            assert np.mean(known < 1e-6) >= 0.5
            assert np.mean(known > -1e-6) >= 0.5
        elif np.ptp(present) == 0:
            assert (out[:, 0] == 0).all()
        assert (np.diff(known[np.argsort(present, kind="stable")]) >= 0).all()
        if column.indicator:
            assert out[:, 1].tolist() == [float(value is None) for value in values]

    def test_a_column_whose_quartiles_are_one_is_scaled_by_half_its_range(self) -> None:
        assert NumericColumn.fit(pl.Series("a", [0, 0, 0, 0, 0, 0, 0, 0, 10])).scale == 5

    def test_a_constant_column_is_0_and_counts_from_there(self) -> None:
        column = NumericColumn.fit(pl.Series("a", [5, 5]))
        assert encoded(column, pl.Series("a", [5, 8]))[:, 0] == pytest.approx([0, 3 / np.sqrt(2)])

    def test_missing_without_precedent_is_the_median(self) -> None:
        column = NumericColumn.fit(pl.Series("a", [0.0, 1.0, 5.0]))
        out = np.empty((2, 1), dtype=np.float32)
        assert column.encode_into(pl.Series("a", [None, 1.0]), out) == 1
        assert out[0] == out[1]

    def test_the_median_of_huge_numbers_is_one(self) -> None:
        """The two in the middle, added, overflow."""
        series = pl.Series("a", [1e308, None, 1.5e308, 1e308, 1.5e308])
        column = NumericColumn.fit(series)
        assert column.median == 1.25e308
        assert np.isfinite(encoded(column, series)).all()
        assert NumericColumn.fit(pl.Series("a", [1e308, -1.5e308])).median == -0.25e308

    @pytest.mark.parametrize("far", [1e300, -1.7e308])
    def test_a_number_out_of_all_bounds_is_at_the_bound(self, far: float) -> None:
        for known in ([0.0, 1.0], [-1.7e308, 1.7e308], [1.6e308, 1.7e308]):
            out = encoded(NumericColumn.fit(pl.Series("a", known)), pl.Series("a", [0.0, far, known[1]]))
            assert (np.abs(out) <= 3).all()

    def test_a_column_of_an_older_file_refuses_it(self) -> None:
        form = {"name": "a", "kind": "numeric", "unit": "number", "median": 0.5, "indicator": False}
        form |= {"mean": 0.5, "scale": 0.5}
        encoding = TableEncoding.from_dict({"columns": [form], "unused": []})
        assert encoding.to_dict()["columns"][0] == form | {"smooth": False}
        assert encoding.inputs(pl.DataFrame({"a": [0.0, 2.0]}))[0]["numbers"].tolist() == [[-1.0], [3.0]]
        with pytest.raises(InputError, match=r"too far from the training rows'.* in row 2 of the data"):
            encoding.inputs(pl.DataFrame({"a": [0.0, 1e300]}))


words = st.none() | st.text(st.sampled_from("abc1. é"), max_size=3)


class TestCategoricalColumn:
    @examples(60)
    @given(st.lists(words, min_size=1, max_size=20), st.lists(words, min_size=1, max_size=20))
    def test_seen_rows_sum_to_1_and_others_to_0(self, training: list[str | None], given_: list[str | None]) -> None:
        column = CategoricalColumn.fit(pl.Series("a", training, dtype=pl.String))
        series = pl.Series("a", training + given_, dtype=pl.String)
        codes, unseen = column.codes(series)
        out, missing = column.one_hot(codes), np.count_nonzero(codes == 0)
        assert set(np.unique(out)) <= {0.0, 1.0}
        sums = out.sum(axis=1)
        assert (sums[: len(training)] == 1).all()
        lost = missing if not column.missing else 0
        assert (sums == 0).sum() == len(unseen) + lost

    def test_by_hand(self) -> None:
        column = CategoricalColumn.fit(pl.Series("a", ["m", None, "f"]))
        codes, unseen = column.codes(pl.Series("a", ["f", "m", None, "x"]))
        assert (codes.tolist(), codes.dtype, unseen.to_list()) == ([2, 3, 0, 1], np.int32, ["x"])
        assert [column.code_names[code] for code in codes] == ["a=f", "a=m", "a is missing", "a is unseen"]
        assert column.one_hot(codes).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]

    def test_no_categories_at_all(self) -> None:
        column = CategoricalColumn.fit(pl.Series("a", [None, None], dtype=pl.String))
        assert column.feature_names == ("a is missing",)
        codes, unseen = column.codes(pl.Series("a", [None, "x"]))
        assert (codes.tolist(), unseen.to_list(), column.one_hot(codes).tolist()) == ([0, 1], ["x"], [[1.0], [0.0]])


class TestMeanAndScale:
    @settings(deadline=None)
    @given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 6)), min_size=2, max_size=30))
    def test_standardised_numbers_have_mean_0_and_deviation_1(self, numbers: list[float]) -> None:
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

    def test_extremes(self) -> None:
        assert mean_and_scale(np.array([])) == (0.0, 1.0)
        assert mean_and_scale(np.full(1000, 0.1)) == (0.1, 1.0)
        assert mean_and_scale(np.array([-1e308, 1e308])) == (0.0, 1e308)
