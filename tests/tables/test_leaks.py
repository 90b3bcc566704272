"""Columns that tell the target alone, and columns that say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chainrule.tables import plan_columns, plan_target, read_table
from chainrule.tables.leaks import find_copies, find_leaks

RNG = np.random.default_rng(0)
Y = RNG.normal(50, 9, size=400)
CLASSES = np.where(Y > 50, "yes", "no")
DATA = Path(__file__).parents[3] / "shared" / "data"


def leaks(target: object, **columns: object) -> list[str]:
    frame = pl.DataFrame({**columns, "other": RNG.normal(size=400), "y": target})
    notes = find_leaks(frame, plan_target(frame, "y"), plan_columns(frame, "y"))
    return [note.split('"')[1] for note in notes]


@pytest.mark.parametrize(
    ("target", "column", "leaks_it"),
    [
        (Y, Y, True),
        (Y, 3 - 1.2 * Y, True),
        (Y, np.exp(Y / 20), True),
        (Y, Y + RNG.normal(0, 0.05, size=400), True),
        (Y, Y + RNG.normal(0, 3, size=400), False),
        (Y, np.round(Y / 20), False),
        (CLASSES, np.where(CLASSES == "yes", "a", "b"), True),
        (CLASSES, np.where(CLASSES == "yes", 7, 3), True),
        (CLASSES, Y, True),
        (CLASSES, Y + RNG.normal(0, 3, size=400), False),
        (CLASSES, [f"{c}{i % 3}" for i, c in enumerate(CLASSES)], True),
        (CLASSES, [f"r{i % 300}" for i in range(400)], False),
        (CLASSES, np.where(np.arange(400) % 10 == 0, "x", CLASSES), False),
    ],
)
def test_what_tells_the_target_alone_is_named(target: object, column: object, leaks_it: bool) -> None:
    assert leaks(target, found=column) == (["found"] if leaks_it else [])


def test_copies_say_the_same_in_other_words() -> None:
    kinds = RNG.integers(3, size=400)
    frame = pl.DataFrame({
        "a": kinds, "b": np.array(["x", "z", "y"])[kinds], "c": np.array([3, 3, 1])[kinds], "d": Y, "e": Y, "f": -Y,
    })  # fmt: skip
    found = find_copies(frame, plan_columns(frame))
    assert [note.split(" say")[0] for note in found] == ["columns a, b", "columns d, e"]


@pytest.mark.skipif(not DATA.is_dir(), reason="the data sets aren't here")
def test_the_titanic_leaks_by_alive_and_says_class_twice() -> None:
    frame = read_table(DATA / "titanic.csv")
    target, columns = plan_target(frame, "survived"), plan_columns(frame, "survived")
    assert [note.split('"')[1] for note in find_leaks(frame, target, columns)] == ["alive"]
    assert {note.split(" say")[0] for note in find_copies(frame, columns)} == {
        "columns pclass, class",
        "columns embarked, embark_town",
    }
