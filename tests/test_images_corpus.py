"""The corpus of picture folders is sound: each case can be written, and expects something."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")

from images_corpus import CASES, SHAPES, Case, write_shapes
from PIL import Image, ImageOps

from chainrule import MLPClassifier


def arrays(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in grey from 0 to 1, upright, all of the first picture's size, and the names of their folders."""
    X, y = [], []
    for path in sorted(folder.rglob("*.*")):
        if path.is_file():
            with Image.open(path) as picture:
                upright = ImageOps.exif_transpose(picture)
                if upright.mode.startswith("I;16"):
                    upright = Image.fromarray((np.asarray(upright) // 257).astype("uint8"))
                X.append(np.asarray(upright.convert("L").resize((16, 16)), dtype=float).ravel() / 255)
            y.append(path.parent.name)
    return np.array(X), np.array(y)


def test_names_are_unique_and_each_case_expects_something() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 30
    for case in CASES:
        assert case.outcomes
        assert set(case.outcomes) <= {"ok", "noted", "refused"}
        assert case.words or case.outcomes == ("ok",), case.name
        assert not case.learnable or "ok" in case.outcomes or "noted" in case.outcomes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_writes_the_pictures_that_it_names(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    try:
        there = [
            path for path in (tmp_path / case.argument).glob("*/**/*") if path.is_file() and "back" not in path.parts
        ]
        assert case.pictures is None or case.outcomes == ("refused",) or len(there) >= case.pictures
    finally:
        for path in [*tmp_path.glob("*"), *tmp_path.glob("*/*")]:
            if not path.is_symlink() and not os.access(path, os.R_OK):
                path.chmod(0o700)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", [case for case in CASES if case.learnable], ids=lambda case: case.name)
def test_what_is_called_learnable_is(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    X, y = arrays(tmp_path)
    if case.classes is not None:
        assert sorted(set(y)) == sorted(case.classes)
    assert len(X) == case.pictures
    model = MLPClassifier((32,), max_iter=200, random_state=0, batch_size=16, tol=0, n_iter_no_change=500)
    assert model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.7


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_two_thousand_pictures_can_be_learned(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2000)
    X, y = arrays(tmp_path)
    assert len(X) == 2000
    assert sorted(set(y)) == sorted(SHAPES)
    model = MLPClassifier((64,), max_iter=30, random_state=0, tol=0, n_iter_no_change=500)
    assert model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9
