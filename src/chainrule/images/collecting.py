"""Many picture files read into one array, those that can't be read left out, and what is odd about the rest."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from chainrule.arrays import Array, Order
from chainrule.errors import counted, listed
from chainrule.images.picture_files import Look, Unreadable, grey_of, is_grey, look, read_picture
from chainrule.members import processors

T = TypeVar("T")
LARGEST: Final = 32  # pixels of the longer side, where nobody says another size
File = tuple[str, Path]  # its class, or an empty text, and where it is


@dataclass(frozen=True)
class PictureFiles:
    """Pictures that were read, and what was odd about them.

    `pictures` are numbers from 0 to 255, (n, height, width, channels), `files` where they came from, below the folder;
    `labels` are places in `classes`. `broken` are the files that can't be read, with the reason.
    """

    pictures: Array
    files: list[str]
    labels: Order
    classes: tuple[str, ...] = ()
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.files)


def collect(
    files: Sequence[File], root: Path | None, classes: tuple[str, ...], *, size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> PictureFiles:  # fmt: skip
    """Read pictures, all to one size; grey or coloured as is said, or else grey if every one of them is.

    Arguments:
        files: what to read, in the order of the result.
        root: below which names are told; None tells them as they are.
        classes: what the labels count.
        size: height and width; left out, that of most of them, at most 32 pixels.
        channels: 1 or 3.
    """

    def name_of(path: Path) -> str:
        return str(path.relative_to(root)) if root is not None else str(path)

    broken: list[str] = []

    def without_broken(asked: Callable[[Path], T], of: Iterable[File]) -> dict[File, T]:
        files = list(of)
        answers = _each(asked, [path for _, path in files])
        told = [(file, answer) for file, answer in zip(files, answers, strict=True)]
        broken.extend(f"{name_of(path)}: {why}" for (_, path), why in told if isinstance(why, Unreadable))
        return {file: answer for file, answer in told if not isinstance(answer, Unreadable)}

    looks = without_broken(look, files)
    height, width = size or usual_size(looks.values())
    read = without_broken(lambda path: read_picture(path, height, width), looks)
    names = [name_of(path) for _, path in read]
    pictures = np.stack(list(read.values())) if read else np.zeros((0, height, width, 3), np.float32)
    labels = np.array([classes.index(label) if label else 0 for label, _ in read], dtype=np.int64)
    notes = _oddities([looks[file] for file in read], names, height, width)
    if classes:
        notes += _twins(pictures, labels, names)
    grey = is_grey(pictures)
    if channels == 1 and not grey:
        notes.append("there are coloured pictures, and the model has seen grey ones: their colours are left out")
    if channels == 1 or (channels is None and grey):
        pictures = grey_of(pictures)
    return PictureFiles(pictures, names, labels, classes, sorted(broken), notes)


def usual_size(looks: Iterable[Look]) -> tuple[int, int]:
    """Height and width of most pictures, made smaller where the longer side has more than 32 pixels.

    >>> usual_size([Look(100, 50, 1), Look(100, 50, 1), Look(7, 7, 1)])
    (16, 32)
    """
    sizes = Counter((seen.width, seen.height) for seen in looks)
    if not sizes:
        return 1, 1
    (width, height), _ = sizes.most_common(1)[0]
    share = min(1.0, LARGEST / max(width, height))
    return max(1, round(height * share)), max(1, round(width * share))


def _each(function: Callable[[Path], T], paths: Sequence[Path]) -> list[T | Unreadable]:
    """A function of every path, in threads; what Pillow warns of is ours to say, or nothing."""

    def one(path: Path) -> T | Unreadable:
        try:
            return function(path)
        except Unreadable as error:
            return error

    with warnings.catch_warnings(), ThreadPoolExecutor(processors(), "chainrule reads") as pool:
        warnings.simplefilter("ignore")
        return list(pool.map(one, paths))


def _oddities(looks: list[Look], names: list[str], height: int, width: int) -> list[str]:
    """Notes on sizes and animations."""
    notes = []
    sizes = Counter((seen.width, seen.height) for seen in looks)
    others = sum(count for size, count in sizes.items() if size != (width, height))
    if others:
        all_of = f"{others:,} of " if others < len(looks) else "all " if len(looks) > 1 else ""
        shown = listed((f"{w}x{h}" for (w, h), _ in sizes.most_common() if (w, h) != (width, height)), limit=4)
        notes.append(f"{all_of}{counted(len(looks), 'picture')} scaled to {width}x{height} (from {shown})")
    moving = [name for name, seen in zip(names, looks, strict=True) if seen.frames > 1]
    if moving:
        of = listed(moving, limit=3)
        notes.append(f"{counted(len(moving), 'file')} with several frames, of which the first is taken: {of}")
    return notes


def _twins(pictures: Array, labels: Order, names: list[str]) -> list[str]:
    """Notes on pictures that are there twice: a test would know them from training."""
    first: dict[bytes, int] = {}
    same: list[str] = []
    other: list[str] = []
    for i, picture in enumerate(pictures):
        j = first.setdefault(picture.tobytes(), i)
        if j != i:
            (same if labels[i] == labels[j] else other).append(f"{names[i]} is {names[j]}")
    notes = []
    if other:
        notes.append(f"{counted(len(other), 'picture')} there twice, in different classes: {listed(other, limit=3)}")
    if same:
        notes.append(f"{counted(len(same), 'picture')} there more than once: {listed(same, limit=3)}")
    return notes
