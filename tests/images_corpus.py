"""Folders of pictures, good and odd, and what somebody who trains on them may expect.

`write_shapes(folder, 2000)` writes a picture folder with a sub-folder for each class. `CASES` are odd ones: each writes
itself into an empty folder, and says how `chainrule train FOLDER` must end there:

- `ok`: it trains; what else must hold stands in `pictures`, `classes` and `learnable`.
- `noted`: it trains, and what it prints holds the words.
- `refused`: it says what is wrong in the words, and ends with a status that isn't 0, without a traceback.

Where a case names several outcomes each will do, the first being the best.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

SHAPES = ("circle", "cross", "square", "triangle")
BROKEN = (("broken", "cannot", "can't", "not a picture", "no picture", "unreadable", "damaged", "isn't"),)

Words = tuple[tuple[str, ...], ...]  # of each group one must occur, whatever its case


@dataclass(frozen=True)
class Case:
    """An odd folder.

    Arguments:
        name: of the case.
        write: writes it into an empty folder.
        outcomes: how training may end: "ok", "noted" or "refused".
        words: what must be said where it is noted or refused: of each group one.
        pictures: how many are read where it trains; None where that is left open.
        classes: their names, likewise.
        learnable: whether a network that saw them rightly predicts much better than the most frequent class.
        argument: what is handed in, seen from the folder.
        not_root: that the case is none for the superuser, who may read everything.
    """

    name: str
    write: Callable[[Path], None]
    outcomes: tuple[str, ...] = ("ok",)
    words: Words = ()
    pictures: int | None = 60
    classes: tuple[str, ...] | None = SHAPES[:3]
    learnable: bool = False
    argument: str = "."
    not_root: bool = False


def shape(rng: np.random.Generator, kind: str, size: int, spread: float) -> np.ndarray:
    """A bright shape on a dark ground, in grey from 0 to 255; place and size vary by `spread`, light in any case."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    dx, dy = rng.uniform(-spread, spread, size=2) * size
    x, y, r = x - dx, y - dy, rng.uniform(0.32 - 0.6 * spread, 0.32 + 0.6 * spread) * size
    inside = {
        "circle": x**2 + y**2 < r**2,
        "cross": (np.minimum(abs(x), abs(y)) < 0.3 * r) & (np.maximum(abs(x), abs(y)) < r),
        "square": np.maximum(abs(x), abs(y)) < 0.85 * r,
        "triangle": (y > -r) & (y < 0.8 * r) & (abs(x) < 0.55 * (y + r)),
    }[kind]
    light = np.where(inside, rng.uniform(140, 230), rng.uniform(10, 60)) + rng.normal(0, 12, size=inside.shape)
    return light.clip(0, 255).astype("uint8")


def pictures(
    folder: Path,
    each: int = 20,
    *,
    classes: Sequence[str] = SHAPES[:3],
    size: int = 16,
    spread: float = 0.02,
    seed: int = 0,
    suffix: str = ".png",
    change: Callable[[Image.Image, int], Image.Image] = lambda picture, i: picture,
) -> None:
    """So many pictures of each class, in sub-folders; `change` makes another of the picture and its number."""
    rng = np.random.default_rng(seed)
    for kind, name in zip(SHAPES, classes, strict=False):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            change(Image.fromarray(shape(rng, kind, size, spread)), i).save(folder / name / f"{name}_{i:04}{suffix}")


def write_shapes(folder: Path, count: int = 2000, size: int = 20, seed: int = 0) -> None:
    """So many pictures of four shapes, in equal parts."""
    pictures(folder, count // len(SHAPES), classes=SHAPES, size=size, spread=0.1, seed=seed)


def in_mode(mode: str, **how: object) -> Callable[[Path], None]:
    """All pictures in one mode."""
    return lambda folder: pictures(folder, change=lambda picture, _: picture.convert(mode), **how)


def changed(change: Callable[[Image.Image, int], Image.Image], **how: object) -> Callable[[Path], None]:
    return lambda folder: pictures(folder, change=change, **how)


def with_file(name: str, content: bytes) -> Callable[[Path], None]:
    """Good pictures, and one file more."""

    def write(folder: Path) -> None:
        pictures(folder)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return write


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG file of grey pixels that claims a size, whatever data it holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def encoded(picture: Image.Image, form: str, **how: object) -> bytes:
    stream = BytesIO()
    picture.save(stream, form, **how)
    return stream.getvalue()


GREY = Image.fromarray(shape(np.random.default_rng(5), "cross", 16, 0.0))


def sixteen_bits(picture: Image.Image, i: int) -> Image.Image:
    return Image.fromarray(np.asarray(picture).astype("uint16") * 257)


def real_numbers(picture: Image.Image, i: int) -> Image.Image:
    return Image.fromarray(np.asarray(picture).astype("float32") / 255)


def transparent(picture: Image.Image, i: int) -> Image.Image:
    picture = picture.convert("RGB")
    picture.putalpha(Image.fromarray(np.where(np.asarray(picture.convert("L")) > 100, 255, 0).astype("uint8")))
    return picture


def several_modes(picture: Image.Image, i: int) -> Image.Image:
    return picture.convert(("L", "RGB", "P", "1")[i % 4])


def one_larger(picture: Image.Image, i: int) -> Image.Image:
    return picture.resize((40, 30)) if i == 7 else picture


def rotated(folder: Path) -> None:
    """Bars that lie or stand; every second is stored turned, with the mark (orientation 6) that says so."""
    rng = np.random.default_rng(3)
    for name in ("lying", "standing"):
        (folder / name).mkdir(parents=True)
        for i in range(40):
            light = rng.uniform(0, 60, size=(16, 16))
            light[rng.integers(5, 10) :][:2] = 220
            picture = Image.fromarray((light if name == "lying" else light.T).astype("uint8"))
            exif = Image.Exif()
            if i % 2:
                picture = picture.transpose(Image.Transpose.ROTATE_90)
                exif[0x0112] = 6
            picture.save(folder / name / f"{i}.jpg", exif=exif, quality=95)


def animated(folder: Path) -> None:
    pictures(folder, suffix=".gif")
    frames = [Image.fromarray(shape(np.random.default_rng(i), "circle", 16, 0.1)) for i in range(3)]
    frames[0].save(folder / "circle" / "moving.gif", save_all=True, append_images=frames[1:], duration=100)


def empty_class(folder: Path) -> None:
    pictures(folder)
    (folder / "hexagon").mkdir()


def flat(folder: Path) -> None:
    for i in range(12):
        GREY.save(folder / f"{i}.png")


def all_broken(folder: Path) -> None:
    for name in SHAPES[:3]:
        (folder / name).mkdir()
        for i in range(5):
            (folder / name / f"{i}.png").write_bytes(b"no picture at all")


def hidden(folder: Path) -> None:
    pictures(folder)
    (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    (folder / "circle" / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    (folder / "cross" / "._cross_0001.png").write_bytes(b"\x00\x05\x16\x07")
    (folder / "cross" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder / ".ipynb_checkpoints").mkdir()


def nested(folder: Path) -> None:
    pictures(folder)
    for name in SHAPES[:3]:
        (folder / name / "more").mkdir()
        for path in sorted((folder / name).glob("*.png"))[:4]:
            path.rename(folder / name / "more" / path.name)


def nested_alone(folder: Path) -> None:
    pictures(folder / "all" / "of" / "them")


def divided(folder: Path) -> None:
    pictures(folder / "train")
    pictures(folder / "test", 4, seed=1)


def no_suffix(folder: Path) -> None:
    pictures(folder)
    for path in list(folder.rglob("*.png")):
        path.rename(path.with_suffix(""))


def several_forms(folder: Path) -> None:
    pictures(folder)
    for i, path in enumerate(sorted(folder.rglob("*.png"))):
        with Image.open(path) as picture:
            picture.save(path.with_suffix((".bmp", ".tiff", ".webp", ".jpeg")[i % 4]))
        path.unlink()


def unreadable_file(folder: Path) -> None:
    pictures(folder)
    (folder / "cross" / "cross_0003.png").chmod(0)


def unreadable_class(folder: Path) -> None:
    pictures(folder)
    (folder / "cross").chmod(0)


def loop(folder: Path) -> None:
    pictures(folder)
    (folder / "circle" / "back").symlink_to("..", target_is_directory=True)


def links(folder: Path) -> None:
    pictures(folder / "pictures")
    for name in SHAPES[:3]:
        (folder / "chosen" / name).mkdir(parents=True)
        for path in sorted((folder / "pictures" / name).iterdir())[:8]:
            (folder / "chosen" / name / path.name).symlink_to(os.path.relpath(path, folder / "chosen" / name))


def dangling(folder: Path) -> None:
    pictures(folder)
    (folder / "circle" / "gone.png").symlink_to("nowhere.png")


def one_picture(folder: Path) -> None:
    pictures(folder)
    (folder / "hexagon").mkdir()
    GREY.save(folder / "hexagon" / "only.png")


def twins(folder: Path) -> None:
    pictures(folder)
    for i in range(4):
        (folder / "square" / f"twin_{i}.png").write_bytes((folder / "circle" / f"circle_000{i}.png").read_bytes())


def blank(folder: Path) -> None:
    pictures(folder, change=lambda picture, _: Image.new("L", (16, 16), 128))


def one_class(folder: Path) -> None:
    pictures(folder, classes=("circle",))


def stray(folder: Path) -> None:
    """A picture beside the folders of the classes."""
    pictures(folder)
    GREY.save(folder / "stray.png")


def only_files_of_text(folder: Path) -> None:
    for name in SHAPES[:2]:
        (folder / name).mkdir()
        (folder / name / "notes.txt").write_text("nothing to see\n")


COLOUR = {"classes": ("blue car", "Grüße 日本", "naïve-café")}
LARGE = changed(lambda picture, _: picture.resize((600, 400)), each=8, suffix=".jpg")

CASES = [
    # what simply works
    Case("plain", pictures, learnable=True),
    Case("a slash after the name", pictures, argument="./"),
    Case("black and white", in_mode("1"), learnable=True),
    Case("palette", in_mode("P"), learnable=True),
    Case("colours", in_mode("RGB"), learnable=True),
    Case("grey and alpha", in_mode("LA"), ("ok", "noted"), (("alpha", "transparen"),), learnable=True),
    Case("transparency", changed(transparent), ("ok", "noted"), (("alpha", "transparen"),), learnable=True),
    Case("CMYK", in_mode("CMYK", suffix=".jpg"), ("ok", "noted"), (("CMYK",),), learnable=True),
    Case("16 bits", changed(sixteen_bits), learnable=True),
    Case(
        "real numbers",
        changed(real_numbers, suffix=".tiff"),
        ("ok", "refused"),
        ((".tiff",), ("mode F", "mode 'F'", 'mode "F"', "float", "real")),
    ),
    Case("modes mixed", changed(several_modes), ("noted", "ok"), (("mode", "colour", "grey"),), learnable=True),
    Case("orientation in EXIF", rotated, pictures=80, classes=("lying", "standing"), learnable=True),
    Case("upper case suffixes", lambda folder: pictures(folder, suffix=".PNG")),
    Case("several forms", several_forms, learnable=True),
    Case("not square", changed(lambda picture, _: picture.resize((30, 12))), learnable=True),
    Case("names with spaces and signs", lambda folder: pictures(folder, **COLOUR), classes=COLOUR["classes"]),
    Case("classes called by numbers", lambda f: pictures(f, classes=("0", "1", "10")), classes=("0", "1", "10")),
    Case("names that differ by case", lambda f: pictures(f, classes=("A", "a", "b")), classes=("A", "a", "b")),
    Case("hidden files and folders", hidden, ("ok", "noted"), (("thumbs.db",),)),
    Case("links to pictures", links, pictures=24, argument="chosen"),
    Case("a link that leads back", loop, ("ok", "noted", "refused"), (("back",),)),
    Case("a text beside the classes", with_file("README.txt", b"shapes\n"), ("ok", "noted"), (("readme.txt",),)),
    Case("wrong suffix", with_file("cross/photo.png", encoded(GREY, "JPEG")), pictures=61),
    # what must be said
    Case("one of another size", changed(one_larger), ("noted", "refused"), (("size", "scaled", "40"), ("16",))),
    Case(
        "each of its own size",
        changed(lambda picture, i: picture.resize((16 + i, 18 + i % 5))),
        ("noted", "refused"),
        (("size", "scaled"),),
        learnable=True,
    ),
    Case("large ones", LARGE, ("noted", "refused"), (("600", "scaled", "size"),), pictures=24),
    Case("no suffix", no_suffix, ("ok", "noted", "refused"), (("suffix", "ending", "picture"),)),
    Case("animated GIF", animated, ("noted", "refused"), (("moving.gif",), ("frame", "animat")), pictures=61),
    Case("an empty class", empty_class, ("noted", "refused"), (("hexagon",), ("empty", "no picture", "without"))),
    Case(
        "a class of one picture",
        one_picture,
        ("noted", "refused"),
        (("hexagon",), ("1 picture", "one picture", "1 row", "one", "too few")),
        pictures=None,
        classes=None,
    ),
    Case("a text among them", with_file("cross/notes.txt", b"a cross\n"), ("noted", "refused"), (("notes.txt",),)),
    Case("a picture beside the classes", stray, ("noted", "refused"), (("stray.png",),)),
    Case("pictures deeper down", nested, ("ok", "noted", "refused"), (("more",),)),
    Case("one picture in two classes", twins, ("noted", "ok"), (("same", "twice", "duplicate", "identical"),), None),
    Case("blank", blank, ("noted", "refused"), (("constant", "same", "identical", "baseline", "duplicate"),)),
    # what can't be read
    Case("empty file", with_file("cross/empty.png", b""), ("noted", "refused"), (("empty.png",),)),
    Case("no picture", with_file("cross/odd.png", bytes(range(200))), ("noted", "refused"), (("odd.png",), *BROKEN)),
    Case("text for a picture", with_file("cross/t.png", b"hello"), ("noted", "refused"), (("t.png",), *BROKEN)),
    Case(
        "half a picture",
        with_file("cross/half.png", encoded(GREY, "PNG")[:120]),
        ("noted", "refused"),
        (("half.png",), (*BROKEN[0], "truncated", "cut", "incomplete")),
    ),
    Case(
        "half a photo",
        with_file("cross/half.jpg", encoded(GREY.resize((200, 200)), "JPEG")[:900]),
        ("noted", "refused"),
        (("half.jpg",), (*BROKEN[0], "truncated", "cut", "incomplete")),
    ),
    Case("no pixel", with_file("cross/none.png", png(0, 0)), ("noted", "refused"), (("none.png",),)),
    Case(
        "a bomb",
        with_file("cross/bomb.png", png(60000, 60000, bytes(1000))),
        ("noted", "refused"),
        (("bomb.png",), ("large", "60000", "60,000", "pixels", "size")),
    ),
    Case("a link to nothing", dangling, ("noted", "refused"), (("gone.png",),)),
    Case("unreadable file", unreadable_file, ("refused", "noted"), (("cross_0003.png",),), pictures=59, not_root=True),
    Case("unreadable class", unreadable_class, ("refused",), (("cross",),), pictures=None, not_root=True),
    # what can't be trained on
    Case("one class alone", one_class, ("refused",), (("circle",), ("one class", "1 class", "two", "second"))),
    Case("no sub-folders", flat, ("refused",), (("folder", "sub-folder", "subfolder"), ("class",))),
    Case("nothing at all", lambda folder: None, ("refused",), (("empty", "no picture", "nothing", "holds no"),)),
    Case("texts alone", only_files_of_text, ("refused",), (("no picture", "none", "not one", "isn't a picture"),)),
    Case("all of them broken", all_broken, ("refused",), BROKEN),
    Case("classes far below", nested_alone, ("refused",), (("all", "class", "folder"),)),
    Case(
        "parted into train and test",
        divided,
        ("refused", "noted"),
        (("train",), ("test",), ("sub-folder", "subfolder", "folder")),
        pictures=None,
        classes=None,
    ),
    Case("a picture for a folder", pictures, ("refused",), (("circle_0000.png",),), argument="circle/circle_0000.png"),
    Case("a folder that isn't there", pictures, ("refused",), (("nowhere",),), argument="nowhere"),
]
