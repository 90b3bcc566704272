"""Folders of pictures: sub-folders are classes. What is wrong with one is said all in one go."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from chainrule.errors import FileError, InputError, counted, did_you_mean_file, listed
from chainrule.images.collecting import File, PictureFiles, collect
from chainrule.images.picture_files import ENDINGS, need_pillow
from chainrule.plain import shortened

LEAST: Final = 2  # pictures of a class
_MOST_TOLD: Final = 10  # files that can't be read, in a message
_PARTS: Final = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
_NO_PICTURES: Final = {"thumbs.db", "desktop.ini", "__macosx"}  # beside what begins with a dot


def read_training_folder(folder: str | Path, size: tuple[int, int] | None = None) -> PictureFiles:
    """The labelled pictures of a folder, to train on: all of one size, grey if every one of them is.

    Arguments:
        folder: its sub-folders are the classes, with pictures in them or further down.
        size: height and width; left out, that of most of the pictures, at most 32 pixels.

    Raises:
        InputError: fewer than two classes, a class without two pictures that can be read, or sub-folders that look like
            parts of a data set (train, test): everything that is wrong is said together.
        FileError: there is no such folder.
    """
    root, found, notes = _classes(folder)
    parts = _parts(root, found)
    if parts:
        raise InputError(f"{folder} can't be trained on: {parts}")
    read = collect(_files(found), root, tuple(found), size=size)
    faults = _faults(found, read)
    faults += [note for note in notes if note.startswith(_CLOSED)] if faults else []
    if faults:
        told = "".join(f"\n  {line}" for line in [*faults, *_shortened(read.broken)])
        raise InputError(f"{folder} can't be trained on:{told}")
    read.notes[:0] = [*notes, *_left_out(read)]
    cases = [name for name in found if sum(other.casefold() == name.casefold() for other in found) > 1]
    if cases:
        read.notes.append(f"classes that differ in upper and lower case only: {listed(cases)}")
    return read


def read_labelled_folder(folder: str | Path, shape: tuple[int, int, int], classes: Sequence[str]) -> PictureFiles:
    """The labelled pictures of a folder, as a model's classes and of its size.

    Raises:
        InputError: a sub-folder is none of the classes, or there is no picture that can be read.
        FileError: there is no such folder.
    """
    root, found, notes = _classes(folder)
    unknown = [name for name in found if name not in classes]
    if unknown:
        are = "sub-folders" if len(unknown) > 1 else "a sub-folder"
        raise InputError(
            f"{folder} has {are} {listed(unknown)}, which the model doesn't know: its classes are {listed(classes)}"
        )
    read = collect(_files(found), root, tuple(classes), size=shape[:2], channels=shape[2])
    if not len(read):
        told = "".join(f"\n  {line}" for line in _shortened(read.broken))
        raise InputError(f"{folder} has no pictures in sub-folders called {listed(classes)} that can be read{told}")
    read.notes[:0] = [*notes, *_left_out(read)]
    return read


def read_pictures(given: str | Path | Sequence[str | Path], shape: tuple[int, int, int]) -> PictureFiles:
    """Pictures without labels, of a model's size: a file, several, or a folder with all that is in it and below.

    Of a folder those that can't be read are left out with a note; one that was named must be readable.

    Raises:
        InputError: there is no picture, or one that was named can't be read.
        FileError: there is no such file or folder.
    """
    need_pillow()
    notes: list[str] = []
    if isinstance(given, (str, Path)) and (root := _existing(given)).is_dir():
        read = collect([("", path) for path in _below(root, root, notes)], root, (), size=shape[:2], channels=shape[2])
        if not len(read) and not read.broken:
            raise InputError(f"{given} has no pictures{''.join(f'; {note}' for note in _together(notes))}")
        strict = not len(read)
    else:
        named = [given] if isinstance(given, (str, Path)) else given
        read = collect([("", _existing(path)) for path in named], None, (), size=shape[:2], channels=shape[2])
        strict = bool(read.broken)
    if strict:
        told = "".join(f"\n  {line}" for line in _shortened(read.broken))
        raise InputError(f"{counted(len(read.broken), 'picture')} can't be read:{told}")
    read.notes[:0] = [*_together(notes), *_left_out(read)]
    return read


def _existing(path: str | Path) -> Path:
    """The path of something that is there."""
    try:
        found = Path(path).expanduser()
        if found.exists():
            return found
        names = os.listdir(found.absolute().parent)
    except (OSError, ValueError, RuntimeError):
        names = []
    near = did_you_mean_file(Path(path).name, names)
    raise FileError(f"there is no file or folder {shortened(str(path), 200)}.{near}")


def _classes(folder: str | Path) -> tuple[Path, dict[str, list[Path]], list[str]]:
    """The folder, the picture files of each sub-folder, and what is odd."""
    need_pillow()
    root = _existing(folder)
    if not root.is_dir():
        raise FileError(f"{folder} is a file, not a folder of pictures")
    try:
        entries = sorted(
            (entry for entry in root.iterdir() if not _is_hidden(entry.name)), key=lambda entry: entry.name
        )
    except OSError as error:
        raise FileError(f"{folder} can't be read: {error.strerror}") from None
    beside = [entry.name for entry in entries if not entry.is_dir() and entry.suffix.lower() in ENDINGS]
    notes = []
    if len(beside) < len(entries) and any(entry.is_dir() for entry in entries) and beside:
        names = listed(beside, limit=3)
        notes.append(f"{counted(len(beside), 'picture')} beside the sub-folders left out, of no class: {names}")
    elif beside:
        raise InputError(
            f"{folder} has {counted(len(beside), 'picture')} and no sub-folders: put the pictures of each class into a "
            f"sub-folder of its name, such as {Path(folder) / 'cat' / beside[0]}"
        )
    found = {entry.name: _below(entry, root, notes) for entry in entries if entry.is_dir()}
    return root, found, _together(notes)


def _files(found: dict[str, list[Path]]) -> list[File]:
    return [(name, path) for name, paths in found.items() for path in paths]


def _below(folder: Path, root: Path, notes: list[str]) -> list[Path]:
    """The picture files in a folder and below it, in the order of their names; others are noted."""

    def unread(error: OSError) -> None:
        notes.append(f"{_CLOSED}{Path(error.filename).relative_to(root)}: {error.strerror}")

    found = []
    for place, folders, names in os.walk(folder, onerror=unread):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(name for name in names if not _is_hidden(name)):
            path = Path(place, name)
            if path.suffix.lower() in ENDINGS:
                found.append(path)
            else:
                notes.append(f"{_OTHER}{path.relative_to(root)}")
    return found


_OTHER: Final = "no picture by name: "
_CLOSED: Final = "a folder that can't be read left out: "


def _together(notes: list[str]) -> list[str]:
    """Notes of files that are no pictures in one line."""
    others = [note.removeprefix(_OTHER) for note in notes if note.startswith(_OTHER)]
    rest = [note for note in notes if not note.startswith(_OTHER)]
    if others:
        are = "file that is no picture" if len(others) == 1 else "files that are no pictures"
        rest.append(f"{len(others):,} {are} by name left out: {listed(others, limit=3)}")
    return rest


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _NO_PICTURES


def _parts(root: Path, found: dict[str, list[Path]]) -> str:
    """What to say where the sub-folders are parts of a data set with the classes in them."""
    inner = any(path.parent.parent != root for paths in found.values() for path in paths)
    if not found or not inner or not {name.lower() for name in found} <= _PARTS:
        return ""
    training = [name for name in found if "train" in name.lower()] or list(found)
    others = [name for name in found if name != training[0]]
    test = f" --test-folder {shlex.quote(str(root / others[0]))}" if others else ""
    return (
        f"its sub-folders {listed(found)} look like parts of a data set, not like classes: "
        f"chainrule train {shlex.quote(str(root / training[0]))}{test}"
    )


def _faults(found: dict[str, list[Path]], read: PictureFiles) -> list[str]:
    """Everything that is wrong with the classes."""
    if not found:
        return ["it has no pictures and no sub-folders: put the pictures of each class into a sub-folder of its name"]
    faults = []
    if len(found) == 1:
        faults.append(f'it has one class only, "{shortened(next(iter(found)))}": there is nothing to tell apart')
    empty = [name for name, paths in found.items() if not paths]
    if empty:
        faults.append(f"no pictures in the sub-folder{'s' * (len(empty) > 1)} {listed(empty)}")
    counts = np.bincount(read.labels, minlength=len(found))
    for (name, paths), count in zip(found.items(), counts, strict=True):
        if paths and count < LEAST:
            of = f" that can be read, of {len(paths):,}" if count < len(paths) else ""
            has = counted(int(count), "picture")
            faults.append(f'sub-folder "{shortened(name)}" has {has}{of}; at least {LEAST} are needed')
    return faults


def _left_out(read: PictureFiles) -> list[str]:
    broken = read.broken
    told = "; ".join(_shortened(broken))
    return [f"{counted(len(broken), 'picture')} that can't be read left out: {told}"] if broken else []


def _shortened(broken: list[str]) -> list[str]:
    more = [f"and {len(broken) - _MOST_TOLD:,} more"] if len(broken) > _MOST_TOLD else []
    return [*broken[:_MOST_TOLD], *more]
