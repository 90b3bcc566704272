"""What the writer had in hand: how sure an entry is, and what was not written down."""

from __future__ import annotations

import pytest

from chainrule import SGD, Dense, Input, Model, Network
from chainrule.explain.derivation import Derivation


def whole_numbers(l2: float = 0.0) -> Derivation:
    """ReLU units whose values are whole: z = (7, 6), o = -2.25."""
    net = Network([Input(2, name="x"), Dense(2, activation="relu", name="hidden"), Dense(1, name="output")])
    model = Model(net, "half_squared_error", SGD(0.1), l2=l2, dtype="float64")
    model.set_parameters({"hidden": {"W": [[1, -2], [3, 4]], "b": [0, 0]}, "output": {"W": [[0.5], [-1]], "b": [0.25]}})
    return model.explain([1.0, 2.0], [3.0])


def test_what_was_not_rounded_leaves_no_room_for_mistakes() -> None:
    """A whole h would stand for anything from 6.5 to 7.5, and hide that the penalty is missing."""
    work = {"h[hidden,1]": "7", "h[output,1]": "-2.25", "dL/dz[output,1]": "-5.25", "dL/dW[output,1,1]": "-36.75"}
    assert whole_numbers().mark(work).counts["correct"] == 4
    marks = whole_numbers(l2=0.1).mark(work)
    assert marks["dL/dW[output,1,1]"].diagnosis.code == "penalty-missing"
    assert marks.counts["wrong"] == 1


def test_a_slope_of_1_is_not_rounded() -> None:
    """dL/dh is written, dL/dz = dL/dh * 1 is not."""
    work = {"h[hidden,1]": "7", "h[output,1]": "-2.25", "dL/dh[output,1]": "-5.25", "dL/dW[output,1,1]": "-36.75"}
    assert whole_numbers(l2=0.1).mark(work).first_wrong == "dL/dW[output,1,1]"


def test_given_numbers_that_were_copied_leave_no_room() -> None:
    work = {"x[1]": "1", "x[2]": "2", "W[hidden,1,1]": "1", "z[hidden,1]": "7.4"}
    assert whole_numbers().mark(work).first_wrong == "z[hidden,1]"


@pytest.mark.parametrize(("h", "verdict"), [("7", "wrong"), ("6.97", "follows")])
def test_an_entry_that_is_not_right_to_every_digit_keeps_its_room(h: str, verdict: str) -> None:
    """-5.25 * 6.97 is -36.5925; whoever wrote 6.97 may have had 6.974 and gone on with that."""
    work = {"z[hidden,1]": "7", "h[hidden,1]": h, "h[output,1]": "-2.25", "dL/dz[output,1]": "-5.25"}
    marks = whole_numbers().mark({**work, "dL/dW[output,1,1]": "-36.61"})
    assert marks["dL/dW[output,1,1]"].verdict == verdict
