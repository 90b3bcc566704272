"""Pictures moved and painted over, held against SciPy's interpolation and against what somebody sees."""

from __future__ import annotations

import numpy as np
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from chainrule.warping import background, erased, warped

IDENTITY = [[1.0, 0, 0], [0, 1, 0]]


def shifted(picture: np.ndarray, right: float, down: float, outside: np.ndarray | None) -> np.ndarray:
    maps = np.array([[[1.0, 0, -right], [0, 1, -down]]])
    return warped(picture[None, :, :, None], maps, outside)[0, :, :, 0]


def test_the_identity_changes_no_bit(rng: np.random.Generator) -> None:
    pictures = rng.normal(size=(5, 4, 7, 3)).astype("float32")
    for outside in (None, np.zeros((5, 3), "float32")):
        np.testing.assert_array_equal(warped(pictures, np.array([IDENTITY] * 5), outside), pictures)


def test_whole_pixels_move_as_they_are() -> None:
    picture = np.arange(12.0).reshape(3, 4)
    paint = np.full((1, 1), -1.0)
    assert shifted(picture, 1, 0, paint).tolist() == [[-1, 0, 1, 2], [-1, 4, 5, 6], [-1, 8, 9, 10]]
    assert shifted(picture, 0, -2, paint).tolist() == [[8, 9, 10, 11], [-1] * 4, [-1] * 4]
    assert shifted(picture, 1, 0, None).tolist() == [[0, 0, 1, 2], [4, 4, 5, 6], [8, 8, 9, 10]]
    assert shifted(picture, 9, 9, paint).tolist() == [[-1.0] * 4] * 3


def test_half_a_pixel_is_the_mean_of_two() -> None:
    assert shifted(np.array([[0.0, 2.0, 6.0]]), 0.5, 0, np.zeros((1, 1))).tolist() == [[0.0, 1.0, 4.0]]


@examples(60)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.booleans())
def test_it_is_scipys_linear_interpolation(seed: int, height: int, width: int, channels: int, edge: bool) -> None:
    rng = np.random.default_rng(seed)
    pictures = rng.normal(size=(2, height, width, channels))
    maps = rng.normal(scale=0.7, size=(2, 2, 3))
    outside = None if edge else rng.normal(size=(2, channels))
    got = warped(pictures, maps, outside)
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    for i, c in np.ndindex(2, channels):
        matrix, offset = maps[i, ::-1, 1::-1], maps[i, ::-1, 2]  # SciPy counts y first, and from the corner
        how = {"mode": "nearest"} if outside is None else {"mode": "grid-constant", "cval": outside[i, c]}
        expected = ndimage.affine_transform(
            pictures[i, :, :, c], matrix, offset + middle - matrix @ middle, order=1, prefilter=False, **how
        )
        np.testing.assert_allclose(got[i, :, :, c], expected, atol=1e-12)


def test_the_background_is_the_median_of_the_border() -> None:
    picture = np.zeros((1, 4, 4, 2))
    picture[0, 1:3, 1:3] = 9  # the inside counts nothing
    picture[0, :, :, 1] += 5
    picture[0, 0, 0] = 100  # and a single pixel little
    assert background(picture).tolist() == [[0.0, 5.0]]


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_rectangle_is_erased_and_nothing_else(share: float, rng: np.random.Generator) -> None:
    pictures = rng.normal(size=(2000, 6, 10, 3))
    paint = np.full((2000, 3), 50.0)
    after = erased(pictures, rng.random((2000, 4)), share, paint)
    gone = (after == 50).all(axis=3)
    np.testing.assert_array_equal(after[~gone], pictures[~gone])
    heights, widths = gone.any(axis=2).sum(axis=1), gone.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(heights * widths, gone.sum(axis=(1, 2)))  # full rectangles
    assert heights.max() <= round(share * 6)
    assert widths.max() <= round(share * 10)
    assert gone.any(axis=0).all()  # they lie everywhere
