"""The worked examples of the source documents, and what is said about sheets that can't be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.errors import FileError, InputError
from chainrule.explain.worksheets.worksheet import read_worksheet, read_worksheet_text

SHEETS = Path(__file__).parents[3] / "examples" / "worksheets"


def test_the_slip_in_the_full_step_is_named_and_all_that_follows_is_accepted() -> None:
    marks = read_worksheet(SHEETS / "two_sigmoid_units.toml").mark()
    assert marks.first_wrong == "dL/dO"
    assert marks["dL/dO"].diagnosis.code == "delta-for-output-gradient"
    after = [e for e in marks.entries if e.symbol.startswith(("dL/d", "w")) and e.symbol != "dL/dO"]
    assert {e.verdict for e in after} == {"follows"}
    assert marks.counts["wrong"] == 1


def test_the_slip_in_the_three_classes_is_named() -> None:
    marks = read_worksheet(SHEETS / "three_classes.toml").mark()
    assert (marks.first_wrong, marks["a23"].diagnosis.code) == ("a23", "arithmetic")
    assert {marks[s].verdict for s in ("ŷ1", "ŷ2", "ŷ3", "L")} == {"follows"}


def test_rounding_carried_is_no_mistake() -> None:
    marks = read_worksheet(SHEETS / "binary_cross_entropy.toml").mark()
    assert marks.counts["correct"] == len(marks.entries)
    assert (marks["ŷ"].note, marks["L"].note) == ("rounding carried", "rounding carried")


def test_the_practice_problem_is_right() -> None:
    marks = read_worksheet(SHEETS / "two_by_two_by_two.toml").mark()
    assert marks.counts["correct"] == len(marks.entries) == 22


@pytest.mark.parametrize(
    ("sheet", "counts", "first_wrong", "codes"),
    [
        ("against_the_gradient", "4 correct", None, ()),
        ("errors_of_predictions", "4 correct, 1 wrong", "Loss (140)", ("sign-flipped",)),
        ("four_three_two", "3 correct", None, ()),
        ("four_three_two_one", "4 correct", None, ()),
        ("matrix_product", "3 correct", None, ()),
        ("mean_squared_loss", "", None, ()),
        ("plain_normalization_1", "4 wrong", "ŷ1", ("softmax-without-exp",) * 4),
        ("plain_normalization_2", "4 wrong", "ŷ1", ("softmax-without-exp",) * 4),
        ("relu_of_five", "2 correct", None, ()),
        ("sigmoid_of_five", "2 wrong", "Sigmoid(5)", ("sign-flipped", "arithmetic")),
        ("sigmoid_surface_1", "", None, ()),
        ("sigmoid_surface_2", "", None, ()),
        ("ten_twenty_thirty_1", "3 correct", None, ()),
        ("ten_twenty_thirty_2", "2 correct", None, ()),
        ("three_three_one", "1 correct", None, ()),
        ("weight_calculator", "1 correct, 1 wrong", "5x4 + 4x3 + 3x2 + 2x1", ("arithmetic",)),
        ("binary_cross_entropy", "11 correct", None, ()),
        ("three_classes", "10 correct, 4 follows, 1 wrong", "a23", ("arithmetic",)),
        ("two_by_two_by_two", "22 correct", None, ()),
        ("two_sigmoid_units", "10 correct, 16 follows, 1 wrong", "dL/dO", ("delta-for-output-gradient",)),
    ],
)
def test_every_worked_example_gets_its_verdicts(
    sheet: str, counts: str, first_wrong: str | None, codes: tuple[str, ...]
) -> None:
    marks = read_worksheet(SHEETS / f"{sheet}.toml").mark()
    assert ", ".join(f"{n} {verdict}" for verdict, n in marks.counts.items() if n) == counts
    assert marks.first_wrong == first_wrong
    assert tuple(entry.diagnosis.code for entry in marks.entries if entry.diagnosis is not None) == codes


def test_every_worksheet_is_looked_at() -> None:
    marker = next(m for m in test_every_worked_example_gets_its_verdicts.pytestmark if m.name == "parametrize")
    assert {case[0] for case in marker.args[1]} == {path.stem for path in SHEETS.glob("*.toml")}


def test_a_mistake_in_what_is_not_written_is_placed() -> None:
    """Sigmoid(5) = 0.01 is the sigmoid of -5."""
    marks = read_worksheet(SHEETS / "sigmoid_of_five.toml").mark()
    assert "in z[row 1; unit,1], which is not written down" in marks["Sigmoid(5)"].diagnosis.text


@pytest.mark.parametrize("work", ["z", 3, [("z", "1")], {1: "2"}])
def test_work_that_is_no_texts_by_name_is_refused(work: object) -> None:
    with pytest.raises(InputError, match="texts by name"):
        read_worksheet(SHEETS / "two_sigmoid_units.toml").derivation().mark(work)


def test_a_sheet_without_work_says_so() -> None:
    assert read_worksheet(SHEETS / "mean_squared_loss.toml").mark().sentence == "Nothing is written down."


def test_a_zero_that_wipes_everything_out_is_not_followed() -> None:
    sheet = read_worksheet(SHEETS / "two_sigmoid_units.toml")
    marks = sheet.mark({"dL/dZ0": "0.000", "dL/dw1": "0.000", "dL/dH1": "0.000"})
    assert {entry.verdict for entry in marks.entries} == {"wrong"}
    for symbol, right in (("dL/dw1", "-0.1591"), ("dL/dH1", "-0.1308")):  # -0 and 2 * 0 are no diagnoses of a 0
        found = marks[symbol].diagnosis
        assert (found.code, found.also) == ("arithmetic", ())
        assert "wipes the calculation out" in found.text
        assert f"({right} would be right)" in found.text


def test_an_unknown_symbol_is_told_the_nearest_of_the_sheet() -> None:
    marks = read_worksheet(SHEETS / "two_sigmoid_units.toml").mark({"dl/dO": "1", "q": "2"})
    assert marks.counts["unknown"] == 2
    assert marks["dl/dO"].note == '"dl/dO" is no symbol of this sheet. Did you mean "dL/dO"?'
    assert "names look like" in marks["q"].note or "no quantity" in marks["q"].note


def sheet_with(old: str, new: str) -> str:
    text = (SHEETS / "two_sigmoid_units.toml").read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("chainrule-worksheet/1", "chainrule-worksheet/9", "line 1: format is 'chainrule-worksheet/9'"),
        ('activation = "sigmoid"', 'activation = "sigmiod"', 'line 9: layer "hidden".*Did you mean "sigmoid"'),
        ("hidden.b = [0.1, 0.2]", "hidden.b = [0.1]", "line 16: hidden.b has shape"),
        ("output.b = [0.3]", "", "lacks output.b"),
        ("x = [0.5, 0.8]", "x = [0.5]", "line 21: x has shape"),
        ("y = [1]", "y = [2]", "line 22: .*takes 0, 1 or a probability"),
        ('"O" = "h[output,1]"', '"O" = "h[outptu,1]"', 'line 34: .*Did you mean "output"'),
        ('"O" = "0.738"', '"O" = 0.738', "line 63: .*write it as text"),
        ('"O" = "0.738"', '"O" = "about 0.7"', "line 63: .*is no number"),
        ("[update]", "[updaet]", 'line 24: there is no section "updaet".*Did you mean "update"'),
        ('"O" = "0.738"', '"O" = "0.738', "is no TOML: .*line 63"),
        ("learning_rate = 0.1", "learning_rate = -1", "line 26: .*rate is -1"),
        ('optimizer = "sgd"', 'optimizer = "momentun"', 'line 25: .*Did you mean "momentum"'),
        ('notation = "Z-H"', 'notation = "Z-J"', 'line 4: there is no notation "Z-J".*Did you mean "Z-H"'),
        ("units = 1, ", "", 'line 10: layer "output" doesn\'t say how many units'),
        (
            "units = 1, ",
            'units = 1, bias = "no", ',
            "line 10: layer \"output\": bias is 'no'; it must be true or false",
        ),
        ('loss = "binary_cross_entropy"', "loss = { l2 = 0.1 }", "line 12: loss is a table without a name"),
        ("inputs = 2", 'inputs = ["a", "a"]', "line 7: .*names must be texts that differ"),
        ("inputs = 2", "inputs = [1, 2]", "line 7: .*names must be texts that differ"),
        ("x = [0.5, 0.8]", "x = [nan, 0.8]", "line 21: x must be finite numbers"),
        ("x = [0.5, 0.8]", 'x = ["0.5", 0.8]', "line 21: x must be numbers"),
        ("x = [0.5, 0.8]", "x = [true, 0.8]", "line 21: x must be numbers"),
        ("y = [1]", "y = [inf]", "line 22: y must be finite numbers"),
        ("y = [1]", 'y = ["yes"]', "line 22: y must be numbers"),
        ("hidden.b = [0.1, 0.2]", "hidden.b = [true, 0.2]", "line 16: hidden.b must be numbers"),
        ('"O" = "0.738"', '"O" = "0.738"\n"O" = "0.7"', "line 64.*stands there twice"),
        ('"O" = "0.738"', '"O" = "1e400"', 'line 63: "O": .*beyond'),
    ],
)
def test_what_is_wrong_with_a_sheet_is_said_with_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read_worksheet_text(sheet_with(old, new))


def test_a_rows_loss_is_its_only_outputs_share() -> None:
    sheet = read_worksheet_text(
        sheet_with("x = [0.5, 0.8]", "x = [[0.5, 0.8], [1, 2]]").replace("y = [1]", "y = [1, 0]").split("[symbols]")[0]
    )
    marks = sheet.mark({"loss[row 1]": "0.303", "loss[row 2; 1]": "9", "loss[3]": "1"})
    assert [(e.name, e.verdict) for e in marks.entries] == [
        ("loss[row 1; 1]", "correct"), ("loss[row 2; 1]", "wrong"), (None, "unknown"),
    ]  # fmt: skip
    classes = read_worksheet(SHEETS / "three_classes.toml")
    assert "say which output, loss[1]; a row's loss is the sum" in classes.mark({"loss": "0.77"})["loss"].note


def test_a_byte_order_mark_and_windows_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    path.write_bytes(("\ufeff" + sheet_with("y = [1]", "y = [1] ").replace("\n", "\r\n")).encode())
    assert read_worksheet(path).mark().first_wrong == "dL/dO"
    path.write_bytes(path.read_bytes().replace(b"y = [1] ", b"y = [3] "))
    with pytest.raises(FileError, match="line 22"):
        read_worksheet(path)


def test_an_update_that_is_no_table_is_refused() -> None:
    text = sheet_with('[update]\noptimizer = "sgd"\nlearning_rate = 0.1\n', "").replace(
        "notation", 'update = "sgd"\nnotation', 1
    )
    with pytest.raises(FileError, match="line 4: update must be a table"):
        read_worksheet_text(text)


def test_names_of_inputs_are_symbols() -> None:
    """The author's own symbols go before them, and so do the names of quantities."""
    sheet = read_worksheet_text(sheet_with("inputs = 2", 'inputs = ["area", "L"]'))
    work = sheet.derivation()
    assert "Z1 = w_11*area + w_21*x_2 + b_1" in work.to_text()
    assert sheet.mark({"area": "0.5", "L": "0.303"}).counts["correct"] == 2
    own = read_worksheet_text(
        sheet_with("inputs = 2", 'inputs = ["area", "rooms"]').replace('"Z1" =', '"f" = "x[1]"\n"Z1" =', 1)
    )
    assert [own.derivation()[f"x[{i}]"].symbol for i in (1, 2)] == ["f", "rooms"]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from chainrule.cli import main; main()", *arguments],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_prints_json_and_its_status_says_whether_something_is_wrong(tmp_path: Path) -> None:
    done = command("mark", str(SHEETS / "two_sigmoid_units.toml"), "--json")
    assert done.returncode == 1
    printed = json.loads(done.stdout)
    assert printed["first_wrong"] == "dL/dO"
    assert list(printed) == ["title", "quantities", "first_wrong", "counts"]
    assert command("mark", str(SHEETS / "two_by_two_by_two.toml")).returncode == 0
    broken = command("mark", str(tmp_path / "nothing.toml"))
    assert broken.returncode == 2
    assert "can't read" in broken.stderr


@pytest.mark.slow
def test_a_whole_class_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("student,Z1,H1,dL/dO\nAnn,0.44,0.608,-1.354\nBen,0.34,0.584,-0.262\nCem,0.44,0.608,-0.262\n")
    done = command("mark", str(SHEETS / "two_sigmoid_units.toml"), "--work", str(path), "--json")
    printed = json.loads(done.stdout)
    assert printed["students"]["Ann"]["counts"]["wrong"] == 0
    assert printed["students"]["Ben"]["first_wrong"] == "Z1"
    assert next(m["code"] for m in printed["common"]) == "delta-for-output-gradient"
    path.write_text("student,z[hidden,1]\nAnn,0.44\n")
    done = command("mark", str(SHEETS / "two_sigmoid_units.toml"), "--work", str(path))
    assert "line 2 has 2 cells; the first line has 3. A symbol that holds a comma stands in quotes" in " ".join(
        done.stderr.split()
    )
