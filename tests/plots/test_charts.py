"""Curves and bars of one's own numbers."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import drawn, line, texts
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from chainrule import plots
from chainrule.errors import InputError

pytest.importorskip("matplotlib")


@examples(25)
@given(st.integers(1, 9), st.integers(1, 30), st.booleans())
def test_curves_are_drawn_as_given(n, points, marked):
    rng = np.random.default_rng(n)
    given_ = {f"curve {i}": (np.arange(points), rng.normal(size=points)) for i in range(n)}
    found = drawn(plots.curves(given_, title="t", x="steps", y="numbers", marked=marked))
    for name, (x, y) in given_.items():
        np.testing.assert_array_equal(line(found[name]), (x, y))
        assert (found[name].get_marker() not in (None, "None")) == marked
    assert found["curve 0"].axes.get_xlabel() == "steps"
    looks = {(one.get_color(), str(one.get_linestyle())) for name, one in found.items() if name.startswith("curve")}
    assert len(looks) == n


def test_a_logarithmic_axis_writes_plain_powers():
    shown = texts(plots.curves({"a": ([1, 2, 3], [1e-9, 1.0, 1e9])}, title="t", log=True))
    assert {"10⁻⁸", "10⁸"} <= set(shown)
    assert "1" in shown
    assert not [one for one in shown if "$" in one]


def test_a_short_logarithmic_axis_has_numbers_too():
    shown = texts(plots.curves({"a": ([1, 2], [0.2, 0.6])}, title="t", log=True))
    assert {"0.2", "0.5"} <= set(shown)


def test_bars_have_their_numbers():
    picture = plots.bars({"one": {"a": [0.15, -0.2], "b": [1, 0]}, "two": {"a": [3, 4]}}, title="t", labels=["u", "v"])
    found = drawn(picture)
    heights = [found[f"one-a-{i}"].get_height() for i in (1, 2)] + [found["two-a-2"].get_height()]
    assert heights == [0.15, -0.2, 4]
    assert {"0.15", "-0.20", "1.00", "u", "v", "a", "b", "one", "two"} <= set(texts(picture))
    hatches = {found["one-a-1"].get_hatch(), found["one-b-1"].get_hatch()}
    assert len(hatches) == 2  # told apart in grey


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: plots.curves({}, title="t"), "no curve to draw"),
        (lambda: plots.curves({"a": ([1, 2], [1])}, title="t"), "the curve a isn't two rows of equally many numbers"),
        (lambda: plots.curves({"a": (["x"], [1])}, title="t"), "the curve a isn't"),
        (lambda: plots.bars({"p": {"a": [1]}}, title="t", labels=["x", "y"]), "a of p has 1 numbers for 2 labels"),
    ],
)
def test_mistakes(make, words):
    with pytest.raises(InputError, match=words):
        make()
