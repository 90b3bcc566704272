"""One picture file: opened, turned upright, made grey or red, green and blue, and brought to a size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import MissingDependencyError
from chainrule.plain import shortened
from chainrule.warping import background

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS: Final = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm",
    ".pnm", ".tga", ".ico", ".avif", ".jp2",
})  # fmt: skip
_MOST_PIXELS: Final = 64_000_000  # of one picture: more is no picture to learn from but a trap
_SIDEWAYS: Final = (5, 6, 7, 8)  # EXIF orientations in which width and height change places
_ORIENTATION: Final = 0x0112
_WHITE: Final = 255.0


class Unreadable(Exception):
    """A file that isn't, or isn't any more, a picture that can be learned from: says why."""


@dataclass(frozen=True)
class Look:
    """What the beginning of a picture's file says of it, upright."""

    width: int
    height: int
    frames: int


def need_pillow() -> None:
    """Raise a `MissingDependencyError` that says what to install, where Pillow can't be loaded."""
    try:
        import PIL.Image  # noqa: F401  # whether it is there
    except ImportError as error:
        raise MissingDependencyError("pictures are read with Pillow: pip install 'chainrule[images]'") from error


def look(path: Path) -> Look:
    """Size and number of frames of a picture file.

    Raises:
        Unreadable: it can't be opened.
    """
    with _opened(path) as image:
        sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
        width, height = image.size[::-1] if sideways else image.size
        return Look(width, height, getattr(image, "n_frames", 1))


def read_picture(path: Path, height: int, width: int) -> Array:
    """A picture as numbers from 0 to 255, shape (height, width, 3), float32.

    It is turned as its EXIF data say; of an animation it is the first frame; what is transparent lies on white. One of
    another size is scaled as a whole, with its proportions, and the rest is filled with the median of its border.

    Raises:
        Unreadable: it isn't a whole picture, or of a kind whose numbers don't say what is white.
    """
    from PIL import ImageOps

    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
        return _fitted(_as_rgb(upright, image.format), height, width)


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """An open picture; whatever goes wrong with it is said in one kind of error."""
    from PIL import Image, UnidentifiedImageError

    try:
        if not path.stat().st_size:
            raise Unreadable("empty file")
        with Image.open(path) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise Unreadable(
                    f"{image.width} x {image.height} pixels, too many: {_MOST_PIXELS // 10**6} million at most"
                )
            yield image
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(f"too many pixels: {_MOST_PIXELS // 10**6} million at most") from None
    except UnidentifiedImageError:
        raise Unreadable("no picture, or damaged at its beginning") from None
    except OSError as error:
        raise Unreadable(error.strerror.lower() if error.strerror else shortened(str(error))) from None
    except MemoryError:
        raise Unreadable("too large for the memory") from None
    except Exception as error:  # what a damaged file makes a decoder do is anybody's guess
        raise Unreadable(f"damaged ({shortened(str(error)) or type(error).__name__})") from None


def _as_rgb(image: Image, kind: str | None) -> Any:
    """A picture of any mode as Pillow's RGB, or, of 16 bits, as grey floats from 0 to 255."""
    from PIL import Image

    if image.mode.startswith("I;16") or (image.mode == "I" and kind in ("PNG", "PPM")):
        numbers = np.asarray(image).astype(np.float32)
        if numbers.min() < 0 or numbers.max() > 65535:
            raise Unreadable("32-bit whole numbers, which don't say what is white: save it with 8 or 16 bits")
        return Image.fromarray(numbers * np.float32(_WHITE / 65535))
    if image.mode in ("I", "F"):
        kind = "floats" if image.mode == "F" else "whole numbers"
        raise Unreadable(f"32-bit {kind}, which don't say what is white: save it with 8 or 16 bits")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return image.convert("RGB")


def _fitted(image: Any, height: int, width: int) -> Array:
    """A picture of a size, its own proportions kept."""
    from PIL import Image

    share = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * share)), max(1, round(image.height * share))
    if inner != image.size:
        image = image.resize(inner, Image.Resampling.BILINEAR)
    pixels = np.asarray(image, dtype=np.float32)
    pixels = np.clip(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2), 0, _WHITE)
    if pixels.shape[:2] == (height, width):
        return pixels
    fitted = np.empty((height, width, 3), np.float32)
    fitted[...] = background(pixels[None])[0]
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    fitted[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return fitted


def grey_of(pictures: Array) -> Array:
    """Coloured pictures (..., 3) as grey ones (..., 1): what is grey stays exactly, colours by their luminance.

    >>> grey_of(np.array([[7.0, 7.0, 7.0]])).tolist()
    [[7.0]]
    """
    red, green, blue = np.moveaxis(pictures, -1, 0)
    mixed = red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114)
    return np.where((red == green) & (green == blue), red, mixed)[..., None].astype(pictures.dtype)


def is_grey(pictures: Array) -> bool:
    """Whether no pixel of any picture (..., 3) has a colour."""
    return bool((pictures[..., 0] == pictures[..., 1]).all() and (pictures[..., 1] == pictures[..., 2]).all())
