"""Mistakes in `chainrule train`: one clear message, exit status 2, and nothing lost."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from chainrule.tables import preparation, recipe
from chainrule.tables.table_model import TableModel

FAST = ("--epochs", "2", "--hidden", "4")
# Each table's text, the target, and what the message must say.
TABLES = {
    "an empty file": ("", "y", "t.csv is empty: it must hold a line of column names, then rows"),
    "blanks": (" \n\n", "y", "t.csv is empty"),
    "a header alone": ("x,y\n", "y", "t.csv has column names but no rows: add rows below its first line"),
    "one row": ("x,y\n1,2\n", "y", "the target \"y\" is 2 in every row: there is nothing to learn from one value"),
    "no such target": ("x,Species\n1,a\n2,b\n", "specis", 'no column "specis", the target. Did you mean "Species"?'),
    "one class": ("x,y\n" + "1,a\n2,a\n" * 9, "y", "one class only, 'a': there is nothing to tell apart"),
    "a class of one row": ("x,y\n" + "1,a\n2,a\n" * 9 + "3,b\n", "y", 'one row only of class "b": each class needs'),
    "no target at all": ("x,y\n1,\n2,NA\n", "y", 'the target "y" is missing in every row: give rows that have it'),
    "infinite numbers, which are missing": ("x,y\n" + "1,1.5\n2,2.5\n" * 9 + "inf,3.5\n", "y", None),
    "an infinite target, which is missing": ("x,y\n" + "1,1.5\n2,2.5\n" * 9 + "3,-inf\n", "y", None),
    "text among numbers": (
        "x,y\n" + "1,1.5\n2,2.5\n" * 9 + "n.b.,3.5\n", "y",
        'column "x" has text in row 19 of the data ("n.b.") among numbers: put numbers there or leave the cells empty',
    ),
    "text among target numbers": (
        "x,y\n" + "1,1.5\n2,2.5\n" * 9 + "3,many\n", "y", '"y" has text in row 19 of the data ("many") among numbers',
    ),
    "two columns of one name": ("x,y,x\n1,2,3\n", "y", 'columns 1, 3 are called "x": give each its own name'),
    "too few rows": ("x,y\n1,1.5\n2,2.5\n", "y", "2 rows can't be split: at least 3 are needed"),
    "too few rows of classes": (
        "x,y\n1,a\n2,a\n3,b\n4,b\n5,c\n6,c\n", "y", None,  # just enough
    ),
    "nothing but the target": ("y\n1.5\n2.5\n3.5\n4.5\n", "y", "no column is left to learn from"),
    "nothing to learn from": ("x,y\n" + "1,1.5\n1,2.5\n" * 9, "y", 'no column is left to learn from: "x" (all values'),
    "a row too long": ("x,y\n1,2\n3,4,5\n", "y", 'line 3 has 3 fields ("3", "4", "5") but the first line names 2'),
    "a target too large to square": (
        "x,y\n" + "1,1.5\n2,2.5\n" * 9 + "3,-1e200\n", "y", 'the target "y" is beyond 1e+150 in row 19 of the data',
    ),
    "dates as a target": ("x,y\n1,2020-01-01\n2,2020-01-02\n3,2020-01-03\n", "y", "can't be predicted"),
}  # fmt: skip
FLAGS = {
    "--dropout 1.5": "--dropout is 1.5; it must be a number in [0, 1)",
    "--dropout 1": "--dropout is 1; it must be a number in [0, 1)",
    "--dropout -0.1": "--dropout is -0.1; it must be a number in [0, 1)",
    "--bins -1": "--bins is -1; it must be a whole number in [0, 1000]",
    "--bins 1001": "--bins is 1001; it must be a whole number in [0, 1000]",
    "--label-smoothing 1": "--label-smoothing is 1; it must be a number in [0, 1)",
    "--dropout nan": "--dropout is nan; it must be a number in [0, 1)",
    "--epochs 0": "--epochs is 0; it must be a whole number of at least 1",
    "--epochs -5": "--epochs is -5; it must be a whole number of at least 1",
    "--patience 0": "--patience is 0; it must be a whole number of at least 1",
    "--batch-size 0": '--batch-size is "0"; it must be a whole number of at least 1, full or auto',
    "--batch-size -3": '--batch-size is "-3"; it must be a whole number of at least 1, full or auto',
    "--batch-size some": '--batch-size is "some"; it must be a whole number of at least 1, full or auto',
    "--batch-size 2.5": '--batch-size is "2.5"; it must be',
    "--batch-size 224 --members 1": "batch_size is 224 but there are 223 training rows",
    "--batch-size 241": "batch_size is 241 but there are 240 training rows",
    "--hidden 0": '--hidden is "0"; it must be whole numbers of units such as 64,64, or none',
    "--hidden -4": '--hidden is "-4"; it must be whole numbers of units',
    "--hidden 8,": '--hidden is "8,"; it must be whole numbers of units',
    "--hidden 8x8": '--hidden is "8x8"; it must be whole numbers of units',
    "--hidden 1.5": '--hidden is "1.5"; it must be whole numbers of units',
    "--learning-rate -1": "--learning-rate is -1; it must be a number above 0",
    "--learning-rate 0": "--learning-rate is 0; it must be a number above 0",
    "--learning-rate inf": "--learning-rate is inf; it must be a number above 0",
    "--learning-rate nan": "--learning-rate is nan; it must be a number above 0",
    "--l2 -1": "--l2 is -1; it must be a number of at least 0",
    "--l2 inf": "--l2 is inf; it must be a number of at least 0",
    "--clip-norm 0": "--clip-norm is 0; it must be a number above 0",
    "--seed -1": "--seed is -1: it must be a whole number from 0 to 2**64 - 1",
    "--seed 18446744073709551616": "--seed is 18446744073709551616: it must be a whole number from 0 to 2**64 - 1",
    "--validation 1": "--validation is 1; it must be a number in [0, 1)",
    "--validation -0.1": "--validation is -0.1; it must be a number in [0, 1)",
    "--test 1.5": "--test is 1.5; it must be a number in [0, 1)",
    "--test nan": "--test is nan; it must be a number in [0, 1)",
    "--validation 0.9 --test 0.2": "validation 0.9 and test 0.2 leave no rows for training: their sum must be below 1",
    "--activation nope": 'there is no activation "nope".',
    "--activation rleu": 'there is no activation "rleu". Did you mean "relu"?',
    "--activation threshold": 'activation "threshold" can\'t be trained through: its derivative is zero wherever it ex',
    "--optimizer nope": 'there is no optimizer "nope".',
    "--optimizer adm": 'there is no optimizer "adm". Did you mean "adam"?',
    "--engine nope": "engine is 'nope'; it must be \"auto\", \"reference\" or \"native\"",
    "--task nope": "the task is 'nope': it must be \"classification\" or \"regression\"",
    "--task regressoin": 'Did you mean "regression"?',
    "--task regression": 'the target "species" has text in rows 1, 2, 3, 4, 5',
    "--optimizer lbfgs --dropout 0.1": 'optimizer "lbfgs" refuses dropout: it compares losses',
    "--optimizer lbfgs --batch-size 16": 'optimizer "lbfgs" takes all rows at once: leave batch_size out',
    "--optimizer lbfgs --learning-rate 0.1": 'optimizer "lbfgs" finds the length of its steps itself',
    "--optimizer lbfgs --clip-norm 1": 'optimizer "lbfgs" needs whole gradients: leave clip_norm out',
    "--batch-norm --batch-size 1": "needs at least two rows a batch",
    # What the parser of the command line finds out.
    "--epochs x": "--epochs",
    "--dropout x": "--dropout",
    "--nope": "No such option: --nope",
    "extra": "unexpected extra argument",
}  # fmt: skip


def complaint(run, *arguments):
    """The message of a failing command, whose plan may have been printed before."""
    result = run(*arguments)
    assert result.status == 2, result
    assert "Traceback" not in result.err
    assert result.err.count("\n") == 1
    assert "saved to" not in result.out
    return result.err.removeprefix("error: ").strip()


@pytest.fixture
def older(species_model):
    """The bytes of a model that was saved before."""
    return species_model.read_bytes()


@pytest.mark.parametrize("case", TABLES)
def test_tables_that_cannot_be_used(run, case, older):
    text, target, message = TABLES[case]
    Path("t.csv").write_text(text, encoding="utf-8")
    Path("t.safetensors").write_bytes(older)
    if message is None:
        assert run("train", "t.csv", "-t", target, *FAST).status == 0
        return
    assert message in run("train", "t.csv", "-t", target, *FAST).complaint
    assert Path("t.safetensors").read_bytes() == older
    assert sorted(os.listdir()) == ["t.csv", "t.safetensors"]


@pytest.mark.parametrize("flags", FLAGS)
def test_flags_that_cannot_be_used(run, penguins, flags, older):
    Path("penguins.safetensors").write_bytes(older)
    assert FLAGS[flags] in complaint(run, "train", penguins, "-t", "species", *FAST, *flags.split())
    assert Path("penguins.safetensors").read_bytes() == older
    assert sorted(os.listdir()) == ["penguins.csv", "penguins.safetensors"]


def test_mistakes_in_flags_are_found_before_the_table_is_read(run, monkeypatch):
    monkeypatch.setattr(preparation, "read_training", lambda *given: pytest.fail("the table was read"))
    late = ("--batch-size 224", "--batch-size 241", "--batch-norm --batch-size 1", "--task", "--validation 0.9")
    for flags, message in FLAGS.items():
        if not flags.startswith(late):
            assert message in run("train", "big.csv", "-t", "y", *flags.split()).complaint


def test_an_engine_that_is_not_there(run, penguins):
    from chainrule.engines.native import NativeEngine

    missing = NativeEngine.missing()
    if missing:
        assert complaint(run, "train", penguins, "-t", "species", "--engine", "native") == (
            f"the native engine can't be used: {missing}"
        )


def test_a_missing_file(run, penguins):
    assert (
        'there is no file penguin.csv. Did you mean "penguins.csv"?' in run("train", "penguin.csv", "-t", "x").complaint
    )
    assert (
        "there is no file data/penguins.csv, nor a folder data"
        in run("train", "data/penguins.csv", "-t", "x").complaint
    )
    assert 'Did you mean "iris"?' in run("train", "irsi", "-t", "target").complaint
    Path("empty").mkdir()
    assert "the folder empty is empty" in run("train", "empty", "-t", "x").complaint
    assert "File name too long" in run("train", "a" * 300, "-t", "x", "-o", "m.safetensors").complaint


def test_nothing_said_at_all(run):
    assert "Missing argument 'TABLE'" in run("train").complaint
    assert "--target" in run("train", "iris").complaint
    assert "No such command 'trian'" in run("trian").complaint
    result = run()
    assert result.status == 2
    assert "train" in result.out
    assert result.err == ""


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("nowhere/m.safetensors", "can't save to nowhere/m.safetensors: there is no folder "),
        ("penguins.csv/m.safetensors", "/penguins.csv is not a folder"),
        (".", "can't save to .: it is a folder, and a file name is wanted"),
        ("/proc/m.safetensors", "can't save to /proc/m.safetensors: "),
        ("/dev/null", "can't save to /dev/null: it is a device or a pipe, not a file"),
        ("m" * 300, "File name too long"),
        ("penguins.csv", "--out is penguins.csv, the file that is read: give it another name"),
        ("./../{here}/penguins.csv", "the file that is read"),
        ("other.csv", "--out is other.csv, a table's name: a model is saved as other.safetensors, say"),
        ("other.PQ", "--out is other.PQ, a table's name"),
    ],
)
def test_an_output_that_cannot_be_written(run, penguins, tmp_path, monkeypatch, out, message):
    before = Path(penguins).read_bytes()
    monkeypatch.setattr(TableModel, "fit", lambda *_, **__: pytest.fail("training began before the output was checked"))
    assert message in run("train", penguins, "-t", "species", "--out", out.format(here=tmp_path.name)).complaint
    assert Path(penguins).read_bytes() == before
    assert os.listdir() == [penguins]
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["other.csv", "penguins.safetensors", "notes"])
@pytest.mark.parametrize("text", [b"x,y\n1,2\n", b"\x08\0\0\0\0\0\0\0{}      "], ids=["text", "tensors of others"])
def test_a_file_that_is_no_model_is_not_replaced(run, penguins, monkeypatch, name, text):
    Path(name).write_bytes(text)
    monkeypatch.setattr(TableModel, "fit", lambda *_, **__: pytest.fail("training began before the output was checked"))
    said = ("a table's name",) if name.endswith(".csv") else ("isn't a model of chainrule's", "another name")
    out = () if name.startswith("penguins") else ("--out", name)
    message = run("train", penguins, "-t", "species", *out).complaint
    assert all(part in message for part in said)
    assert Path(name).read_bytes() == text


def test_a_model_and_an_empty_file_are_replaced(run, penguins, older):
    Path("m.safetensors").write_bytes(older)
    Path("empty").touch()
    for name in ("m.safetensors", "empty"):
        assert run("train", penguins, "-t", "species", "-q", "--out", name, *FAST).status == 0
        assert Path(name).read_bytes() not in (older, b"")


def test_a_cell_of_five_megabytes_is_not_echoed(run):
    Path("t.csv").write_text("x,y\n" + "1,1.5\n2,2.5\n" * 9 + "n" * 5_000_000 + ",3.5\n", encoding="utf-8")
    assert len(run("train", "t.csv", "-t", "y", *FAST).complaint) < 500
    Path("t.csv").write_text("x,y\n" + f"1,{'n' * 5_000_000}\n" * 9, encoding="utf-8")
    assert len(run("train", "t.csv", "-t", "y", *FAST).complaint) < 500


def test_divergence_is_said_and_nothing_is_lost(run, penguins, older):
    Path("penguins.safetensors").write_bytes(older)
    message = complaint(run, "train", penguins, "-t", "species", "--learning-rate", "1e30", *FAST)
    assert message.startswith("the loss became NaN or infinite in epoch 1, step 2, first in layer ")
    assert "Try a smaller learning rate" in message
    assert message.endswith("Nothing was saved.")
    assert Path("penguins.safetensors").read_bytes() == older


def test_a_crash_while_saving_keeps_the_old_model(run, penguins, monkeypatch, older):
    Path("penguins.safetensors").write_bytes(older)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = complaint(run, "train", penguins, "-t", "species", *FAST)
    assert message == "can't save to penguins.safetensors: No space left on device"
    assert Path("penguins.safetensors").read_bytes() == older
    assert sorted(os.listdir()) == ["penguins.csv", "penguins.safetensors"]


@pytest.mark.parametrize("units", ["9" * 12, "9" * 30])
def test_networks_beyond_any_memory(run, penguins, units):
    assert "memory" in complaint(run, "train", penguins, "-t", "species", "--hidden", units)


def test_ctrl_c_before_training(run, penguins, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe, "prepare_table", interrupted)
    result = run("train", penguins, "-t", "species")
    assert (result.status, result.out, result.err) == (130, "", "stopped by Ctrl-C; nothing was saved\n")


def test_a_target_with_missing_values_in_a_table_with_few_rows(run):
    pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [1.5, None, None, 2.5]}).write_csv("t.csv")
    assert "2 rows can't be split" in run("train", "t.csv", "-t", "y").complaint
