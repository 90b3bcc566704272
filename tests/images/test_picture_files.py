"""One picture file: every mode of Pillow's, turned, scaled, transparent, animated, and broken in many ways."""

from __future__ import annotations

import io
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from chainrule.images.picture_files import Unreadable, grey_of, look, read_picture


def save(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def corner(path: Path, size: tuple[int, int] = (4, 6)) -> list[float]:
    """The top left pixel of a picture read."""
    picture = read_picture(path, *size)
    assert picture.shape == (*size, 3)
    assert picture.dtype == np.float32
    return picture[0, 0].round(3).tolist()


def filled(mode: str, colour: Any) -> Image.Image:
    return Image.new(mode, (6, 4), colour)


@pytest.mark.parametrize(
    ("mode", "colour", "ending", "expected"),
    [
        ("1", 1, "png", [255] * 3),
        ("L", 100, "png", [100] * 3),
        ("RGB", (10, 20, 30), "png", [10, 20, 30]),
        ("RGB", (10, 20, 30), "bmp", [10, 20, 30]),
        ("RGB", (10, 20, 30), "tiff", [10, 20, 30]),
        ("RGB", (10, 20, 30), "ppm", [10, 20, 30]),
        ("RGBA", (10, 20, 30, 255), "png", [10, 20, 30]),
        ("RGBA", (10, 20, 30, 0), "png", [255] * 3),  # nothing of it is seen, whatever colour it has
        ("RGBA", (0, 0, 0, 51), "png", [204] * 3),
        ("LA", (0, 51), "png", [204] * 3),
        ("CMYK", (0, 0, 0, 255), "tiff", [0] * 3),
        ("CMYK", (255, 0, 0, 0), "tiff", [0, 255, 255]),
        ("I;16", 25700, "png", [100] * 3),
        ("I;16", 65535, "tiff", [255] * 3),
        ("YCbCr", (100, 128, 128), "tiff", [100] * 3),
    ],
)
def test_modes(mode: str, colour: Any, ending: str, expected: list[float], tmp_path: Path) -> None:
    assert corner(save(filled(mode, colour), tmp_path / f"a.{ending}")) == expected


def test_palettes(tmp_path: Path) -> None:
    image = filled("RGB", (10, 20, 30)).quantize(4)
    assert corner(save(image, tmp_path / "a.png")) == [10, 20, 30]
    assert corner(save(image, tmp_path / "b.png", transparency=image.getpixel((0, 0)))) == [255] * 3


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_that_dont_say_what_is_white(mode: str, tmp_path: Path) -> None:
    path = save(filled(mode, 3), tmp_path / "a.tiff")
    with pytest.raises(Unreadable, match="don't say what is white: save it with 8 or 16 bits"):
        read_picture(path, 4, 6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_exif_says(orientation: int, tmp_path: Path) -> None:
    """Stored so that its orientation brings it back: a white corner at the top left of a wide picture."""
    upright = np.zeros((4, 6), np.uint8)
    upright[:2, :2] = 255
    back = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}  # fmt: skip  # noqa: E501
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(Image.Transpose[back[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(stored, tmp_path / "a.png", exif=exif)
    assert (look(path).width, look(path).height) == (6, 4)
    np.testing.assert_array_equal(read_picture(path, 4, 6)[..., 0], upright)


def test_of_an_animation_the_first_frame(tmp_path: Path) -> None:
    first, second = filled("L", 200), filled("L", 0)
    path = save(first, tmp_path / "a.gif", save_all=True, append_images=[second])
    assert look(path).frames == 2
    assert corner(path) == [200] * 3


def test_another_size_keeps_its_proportions(tmp_path: Path) -> None:
    """A wide picture in a square: scaled as a whole, and above and below the median of its border."""
    wide = np.full((4, 8), 100, np.uint8)
    wide[1:3, 2:6] = 255
    picture = read_picture(save(Image.fromarray(wide), tmp_path / "a.png"), 8, 8)[..., 0]
    assert (picture[:2] == 100).all()
    np.testing.assert_array_equal(picture[2:6], wide)
    assert (picture[6:] == 100).all()
    halved = read_picture(tmp_path / "a.png", 2, 4)[..., 0]
    assert halved.mean() == pytest.approx(wide.mean(), abs=8)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (300, 2)])
def test_extreme_sizes(size: tuple[int, int], tmp_path: Path) -> None:
    path = save(Image.new("RGB", size, (5, 6, 7)), tmp_path / "a.png")
    assert corner(path, (8, 8)) == [5, 6, 7]


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


WHOLE = png(Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)))
BOMB = png(filled("L", 0)).replace(b"\0\0\0\6\0\0\0\4", b"\0\xff\xff\xff\0\xff\xff\xff", 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"hello\n" * 50, "no picture, or damaged at its beginning"),
        (WHOLE[:10], "no picture|damaged"),
        (WHOLE[: len(WHOLE) // 2], "truncated|damaged|broken"),
        (WHOLE[:200] + bytes(100) + WHOLE[300:], "."),
        (b"\xff\xd8\xff\xe0" + bytes(30), "."),
        (b"GIF89a" + bytes(30), "."),
        (BOMB[:29] + zlib.crc32(BOMB[12:29]).to_bytes(4, "big") + BOMB[33:], "too many"),
    ],
    ids=["empty", "text", "beginning", "half", "hole", "jpeg", "gif", "bomb"],
)
def test_broken_files_say_why(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(Unreadable) as error:
        read_picture(path, 4, 4)
    assert re.search(reason, str(error.value))
    assert str(tmp_path) not in str(error.value)  # whoever tells it says which file


@pytest.mark.parametrize("kind", ["png", "gif", "bmp", "jpeg", "tiff", "webp"])
def test_a_file_with_wrong_bytes_is_a_picture_or_unreadable(
    kind: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (12, 9, 3), dtype=np.uint8)).save(buffer, kind)
    whole = np.frombuffer(buffer.getvalue(), np.uint8)
    path = tmp_path / "a.png"
    for _ in range(60):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), 3)] = rng.integers(0, 256, 3)
        path.write_bytes(damaged[: rng.integers(1, len(whole) + 1)].tobytes())
        try:
            picture = read_picture(path, 5, 5)
        except Unreadable:
            continue
        assert np.isfinite(picture).all()
        assert picture.min() >= 0
        assert picture.max() <= 255


def test_grey_of_what_is_grey_is_exact(rng: np.random.Generator) -> None:
    grey = rng.uniform(0, 255, (5, 4, 4, 1)).astype(np.float32)
    np.testing.assert_array_equal(grey_of(np.repeat(grey, 3, axis=3)), grey)
    assert grey_of(np.array([[255.0, 0, 0]])) == pytest.approx(0.299 * 255)
