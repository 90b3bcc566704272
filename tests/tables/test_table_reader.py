"""A table read for training, and others read alike."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.tables.number_forms import NumberForm
from chainrule.tables.table_reader import TableReader, read_training
from chainrule.tables.wishes import Wishes

N = range(60)
DIRTY = {
    "amount": [f"${1000 + 37 * i:,}" for i in N],
    "share": ["-" if i % 9 == 4 else f"{i % 50}%" for i in N],
    "when": [f"{1 + i % 28:02}.{1 + i % 12:02}.2024" for i in N],
    "at": [str(1_700_000_000 + 3600 * i) for i in N],
    "town": [["Ulm", "Bonn"][i % 2] for i in N],
    "y": [i * 1.5 for i in N],
}


def written(path: Path, columns: dict[str, list[object]]) -> str:
    pl.DataFrame(columns).write_csv(path)
    return str(path)


class TestFrames:
    def test_a_frame_stays_as_it_is(self):
        frame = pl.DataFrame({"a": [1.5, 2.5], "c": ["x", "y"]})
        assert TableReader().read(frame) is frame
        assert TableReader().read(frame[:0]).height == 0
        assert TableReader().read(frame.lazy()).equals(frame)

    def test_columns_by_name(self):
        made = TableReader().read(
            {"i": [1, 2], "f": np.array([0.5, 1.5]), "s": pl.Series(["x", None]), 3: (True, False)}
        )
        assert made.schema == {"i": pl.Int64, "f": pl.Float64, "s": pl.String, "3": pl.Boolean}
        assert TableReader().read({"x": []}).shape == (0, 1)
        assert TableReader().read({"x": [1, "a", None]})["x"].to_list() == ["1", "a", None]
        assert TableReader().read({"x": [1, 2.5, None]})["x"].to_list() == [1.0, 2.5, None]

    @pytest.mark.parametrize("values", ["text", 5, None, {1: 2}, np.array(5), np.ones((2, 2))], ids=str)
    def test_what_is_no_column(self, values):
        with pytest.raises(cr.InputError, match=r'^column "x" is .*; it must be a list of values, one for each row$'):
            TableReader().read({"x": values})


def test_what_was_found_is_remembered_and_read_alike(tmp_path: Path) -> None:
    given = read_training(written(tmp_path / "t.csv", DIRTY), "y", Wishes())
    assert given.frame["amount"].to_list()[:2] == [1000, 1037]
    assert given.frame["share"].to_list()[3:6] == [3, None, 5]
    assert given.frame["when"][1] == date(2024, 2, 2)
    assert given.frame["at"][0] == datetime(2023, 11, 14, 22, 13, 20)
    again = TableReader.from_dict(given.reader.to_dict())
    assert again == given.reader
    new = {"amount": ["$1,234"], "share": ["-"], "when": ["03.04.2024"], "at": ["1700000000"], "town": ["-"]}
    for table in (written(tmp_path / "new.csv", new), new):
        assert again.read(table).row(0)[:3] == (1234, None, date(2024, 4, 3))
        assert again.read(table)["town"].to_list() == ["-"]
    assert again.read(written(tmp_path / "new.csv", new))["at"][0] == datetime(2023, 11, 14, 22, 13, 20)


def test_what_is_unlike_training_stays_text_of_which_the_encoding_complains(tmp_path: Path) -> None:
    reader = TableReader(forms={"amount": NumberForm(), "share": NumberForm(beside="%"), "when": "day.month.year"})
    new = {"amount": ["1,234"], "share": ["7 €"], "when": ["12/31/2024"]}
    assert reader.read(written(tmp_path / "t.csv", new)).row(0) == ("1,234", "7 €", "12/31/2024")


def test_all_complaints_come_in_one_go(tmp_path: Path) -> None:
    dirty = {"size": ["12O.5", *map(str, range(59))], "when": ["03/04/2024"] * 30 + ["05/06/2024"] * 30, "y": list(N)}
    with pytest.raises(cr.InputError) as caught:
        read_training(written(tmp_path / "t.csv", dirty), "y", Wishes())
    assert str(caught.value).count("\n- ") == 2
    for words in ('"12O.5"', 'missing=["12O.5"]', 'drop=["size"]', 'date=["when=%d/%m/%Y"]', 'date=["when=%m/%d/%Y"]'):
        assert words in str(caught.value)


def test_a_data_frame_is_read_where_its_text_cannot_be_kinds() -> None:
    given = read_training(DIRTY, "y", Wishes())
    assert given.frame.schema["amount"].is_numeric()
    assert given.frame.schema["when"] == pl.Date
    kept = pl.DataFrame({"a": ["NA", "x"] * 30, "b": ["1", "2"] * 30, "y": list(N)})
    assert read_training(kept, "y", Wishes()).frame.equals(kept)


def test_a_first_line_of_data_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{i},{'ab'[i % 2]},{i / 2}\n" for i in N))
    with pytest.raises(cr.InputError, match=r'first line \("0", "a", "0.0"\) looks like data.*header=False'):
        read_training(str(path), "y", Wishes())
    given = read_training(str(path), "column_3", Wishes(header=False))
    assert given.frame.height == 60


def test_a_reader_that_was_tampered_with() -> None:
    for form in ({}, {"wishes": {}, "forms": {"a": {"kind": "number", "mark": ";"}}}, {"wishes": {}, "forms": 3}):
        with pytest.raises(cr.InputError, match="isn't a reader of tables"):
            TableReader.from_dict(form)
