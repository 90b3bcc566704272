"""Pictures in arrays: shapes, ranges and scaling; what can't be meant is refused with what would be right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import InputError
from chainrule.images.pixels import PictureForm, training_pictures, white_of

GREY = np.random.default_rng(0).integers(0, 256, (6, 5, 4)).astype(np.uint8)
COLOURED = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3)).astype(np.uint8)


def form(pictures: np.ndarray) -> PictureForm:
    return PictureForm.of(training_pictures(pictures), white_of(pictures.dtype))


@pytest.mark.parametrize(
    "pictures",
    [GREY, COLOURED, GREY / 255, GREY > 100, GREY.astype(np.uint16) * 200],
    ids=["grey", "coloured", "floats", "bits", "words"],
)
def test_channels_have_mean_0_and_variance_1(pictures: np.ndarray) -> None:
    encoded = form(pictures).encode(form(pictures).take(pictures))
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(encoded.std(axis=(0, 1, 2)), 1, rtol=1e-5)


@pytest.mark.parametrize("pictures", [GREY, COLOURED, GREY / 7], ids=["grey", "coloured", "floats"])
def test_the_form_comes_back_from_json(pictures: np.ndarray) -> None:
    assert PictureForm.from_dict(form(pictures).to_dict()) == form(pictures)


def test_one_picture_is_one_of_several() -> None:
    np.testing.assert_array_equal(form(GREY).take(GREY[2]), GREY[2:3, :, :, None])
    np.testing.assert_array_equal(form(GREY).take(GREY[2][..., None]), GREY[2:3, :, :, None])
    np.testing.assert_array_equal(form(COLOURED).take(COLOURED[2]), COLOURED[2:3])


def test_a_channel_that_is_constant_stays_finite() -> None:
    pictures = COLOURED.copy()
    pictures[..., 1] = 9
    assert np.isfinite(form(pictures).encode(pictures)).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((9, 64)), r"shape \(9, 64\): if these are flat rows, .* reshape\(-1, 8, 8\)"),
        (np.zeros((9, 60)), r"reshape\(-1, height, width\)"),
        (np.zeros((2, 3, 5, 6)), "channels come last: numpy.moveaxis"),
        (np.zeros((2, 5, 6, 4)), r"leave transparency out, pictures\[..., :3\]"),
        (np.zeros((2, 5, 6, 7)), "1 channel is grey, 3 are red"),
        (np.zeros(5), r"shape \(5\); \(n, height, width\)"),
        (np.zeros((0, 4, 4)), "there are no pictures"),
        (np.full((3, 4, 4), 7), "every pixel is 7"),
        ([[1, 2], [3]], "all of one size"),
        (np.full((3, 4, 4), np.nan), r"3 pictures \(0, 1, 2, counted from 0\) hold NaN"),
        (np.full((3, 4, 4), "x"), "an array of numbers"),
        (np.zeros((2, 3, 4), complex), "complex"),
    ],
    ids=["flat", "odd", "first", "alpha", "many", "one", "none", "same", "ragged", "nan", "text", "complex"],
)
def test_what_cant_be_trained_on(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        form(training_pictures(given))


@pytest.mark.parametrize(
    ("trained", "given", "message"),
    [
        (GREY, GREY[:, :4], r"shape \(6, 4, 4\); \(n, 5, 4\) would be right"),
        (COLOURED, GREY, r"shape \(6, 5, 4\); \(n, 5, 4, 3\) would be right"),
        (GREY, COLOURED, r"\(n, 5, 4\) would be right"),
        (GREY, GREY / 255, "lie between 0 and 1, training's were from 0 to 25.: multiply them by 255"),
        (GREY / 255, GREY, "go from 0 to 25., training's were from 0 to 1: scale them alike"),
        (GREY / 16, GREY / 256.0, "lie between 0 and 1"),
        (GREY, GREY.astype(float) - 128, "go from -128 to"),
        (GREY, GREY > 99, "are of bool, where white is 1; training's were from 0 to 25.: multiply them by 255"),
        (GREY / 16, GREY > 99, "are of bool, where white is 1"),
        (GREY.astype("uint16") * 257, GREY, "are of uint8, where white is 255; .*: multiply them by 257"),
    ],
    ids=["size", "grey", "coloured", "floats", "bytes", "digits", "centred", "bits", "bits for digits", "16 bits"],
)
def test_what_cant_be_predicted(trained: np.ndarray, given: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        form(trained).take(given)


def test_dark_and_black_pictures_are_pictures() -> None:
    for dark in (GREY // 100, GREY * 0, GREY * 0.0, GREY // 200 * 1.0):
        form(GREY).take(dark)
    form(GREY / 1.5).take(GREY // 2)  # a type that could go further
    form(GREY.astype("uint16")).take(GREY)  # and one whose training didn't


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 0},
        {"channels": 2},
        {"scale": [0.0]},
        {"mean": [1.0, 2.0]},
        {"low": 300},
        {"white": -1},
        {"high": 1e6},
        {"width": 1.5},
    ],
    ids=str,
)
def test_a_form_of_another_hand(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        PictureForm.from_dict({**form(GREY).to_dict(), **wrong})
