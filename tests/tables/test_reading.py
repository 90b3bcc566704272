"""The one door: paths, data frames, data sets."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from chainrule.errors import FileError, InputError, MissingDependencyError
from chainrule.tables import read_table
from chainrule.tables.reading import DATASETS, read_dataset

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("name", ["t.csv", "t.CSV", "t.txt", "t.tsv", "t.parquet", "t.pq"])
def test_endings(name: str) -> None:
    path = Path(name)
    if path.suffix in (".parquet", ".pq"):
        FRAME.write_parquet(path)
    else:
        FRAME.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    assert read_table(name).equals(FRAME)
    assert read_table(path).equals(FRAME)
    assert read_table(f"~/{name}").equals(FRAME)


def test_wildcards_in_a_name_are_only_letters() -> None:
    FRAME.write_parquet(Path("a[1]*.parquet").absolute())
    FRAME.write_csv("b[1]*.csv")
    assert read_table("a[1]*.parquet").equals(FRAME)
    assert read_table("b[1]*.csv").equals(FRAME)


def test_data_frames() -> None:
    assert read_table(FRAME) is FRAME
    assert read_table(pd.DataFrame({"a": [1]})).equals(pl.DataFrame({"a": [1]}))
    with pytest.raises(InputError, match="1 column and no rows: give at least one row"):
        read_table(pd.DataFrame({"a": []}))


def test_missing_file_names_the_nearest_and_the_data_sets() -> None:
    FRAME.write_csv("penguins.csv")
    with pytest.raises(FileError, match=r'penguin.csv. Did you mean "penguins.csv"\?.*iris, wine'):
        read_table("penguin.csv")
    with pytest.raises(FileError, match=r'no file irsi. Did you mean "iris"\?'):
        read_table("irsi")
    with pytest.raises(FileError, match=r"no file zzz\.csv\. Besides files"):
        read_table("zzz.csv")
    with pytest.raises(FileError, match="nor a folder nowhere"):
        read_table("nowhere/t.csv")


def test_folder_and_unknown_ending() -> None:
    with pytest.raises(FileError, match=r"the folder \. is empty: tables end in \.csv"):
        read_table(".")
    Path("t.xyz").write_bytes(b"PK")
    with pytest.raises(FileError, match=r'ends in "\.xyz": tables are read from \.csv, .*\.pq'):
        read_table("t.xyz")
    Path("t").write_text("a\n1\n")
    with pytest.raises(FileError, match="has no ending"):
        read_table("t")


def test_a_file_goes_before_a_data_set_and_a_folder_does_not() -> None:
    Path("wine").mkdir()
    assert read_table("wine").height == 178
    Path("iris").write_text("a\n1\n")
    with pytest.raises(FileError, match="iris has no ending"):
        read_table("iris")


def test_polars_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_polars(name: str, *rest: Any) -> Any:
        if name == "polars":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_polars)
    with pytest.raises(MissingDependencyError, match="pip install polars"):
        read_table("iris")


class TestParquet:
    def test_types_are_kept(self, tmp_path: Path) -> None:
        frame = pl.DataFrame({"a": [1, None], "b": [True, False], "c": ["NA", ""]})
        frame.write_parquet(tmp_path / "t.parquet")
        assert read_table(tmp_path / "t.parquet").equals(frame)

    @pytest.mark.parametrize("damaged", [b"hello", b"PAR1" + b"x" * 40 + b"PAR1"])
    def test_unreadable(self, tmp_path: Path, damaged: bytes) -> None:
        path = tmp_path / "t.parquet"
        path.write_bytes(damaged)
        with pytest.raises(FileError, match=r"t\.parquet can't be read as Parquet .*: write it again"):
            read_table(path)

    def test_empty_and_without_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "t.parquet"
        path.write_bytes(b"")
        with pytest.raises(FileError, match="is empty"):
            read_table(path)
        pl.DataFrame({"a": []}).write_parquet(path)
        with pytest.raises(FileError, match="has no rows"):
            read_table(path)

    def test_two_columns_of_one_name(self, tmp_path: Path) -> None:
        path = tmp_path / "t.parquet"
        table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
        pyarrow.parquet.write_table(table, path)
        with pytest.raises(FileError, match=r"two columns of .* have the same name.*'a'"):
            read_table(path)


class TestDataSets:
    @pytest.mark.parametrize("name", DATASETS)
    def test_columns_and_target(self, name: str) -> None:
        frame = read_dataset(name)
        first, shape, targets = {
            "iris": ("sepal length (cm)", (150, 5), {"setosa", "versicolor", "virginica"}),
            "wine": ("alcohol", (178, 14), {"class_0", "class_1", "class_2"}),
            "digits": ("pixel_0_0", (1797, 65), set(range(10))),
            "breast_cancer": ("mean radius", (569, 31), {"benign", "malignant"}),
            "diabetes": ("age", (442, 11), None),
        }[name]
        assert frame.columns[0] == first
        assert frame.columns[-1] == "target"
        assert frame.shape == shape
        assert targets is None or set(frame["target"]) == targets

    def test_diabetes_is_to_be_predicted_as_a_number(self) -> None:
        assert read_dataset("diabetes")["target"][0] == 151.0
