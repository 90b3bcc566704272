"""Folders of pictures: classes by sub-folders; everything that is wrong is said at once, everything odd is noted."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from chainrule import InputError
from chainrule.errors import FileError, MissingDependencyError
from chainrule.images.folders import read_labelled_folder, read_pictures, read_training_folder


def put(path: Path, value: int = 100, size: tuple[int, int] = (6, 4), mode: str = "L") -> Path:
    """A picture whose first pixel makes it unlike the others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value if mode == "L" else (value, 255 - value, 7)
    Image.new(mode, size, colour).save(path)
    return path


def fill(root: Path, **classes: int) -> Path:
    root.mkdir(exist_ok=True)
    for k, (name, count) in enumerate(classes.items()):
        (root / name).mkdir()
        for i in range(count):
            put(root / name / f"{i}.png", 10 + 20 * i + k)
    return root


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    put(fill(tmp_path / "f", cat=3, dog=2) / "cat" / "more" / "deep.jpg", 33)
    files = read_training_folder(tmp_path / "f")
    assert files.classes == ("cat", "dog")
    assert files.files == ["cat/0.png", "cat/1.png", "cat/2.png", "cat/more/deep.jpg", "dog/0.png", "dog/1.png"]
    assert files.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert files.pictures.shape == (6, 4, 6, 1)  # grey, as all of them are
    assert files.pictures[:3, 0, 0, 0].tolist() == [10, 30, 50]
    assert not files.notes


def test_one_coloured_picture_makes_all_of_them_coloured(tmp_path: Path) -> None:
    put(fill(tmp_path / "f", cat=2, dog=2) / "dog" / "x.png", 50, mode="RGB")
    assert read_training_folder(tmp_path / "f").pictures.shape == (5, 4, 6, 3)


def test_the_size_of_most_of_them_or_as_asked(tmp_path: Path) -> None:
    root = fill(tmp_path / "f", cat=3, dog=2)
    put(root / "dog" / "large.png", 77, (60, 40))
    files = read_training_folder(root)
    assert files.pictures.shape == (6, 4, 6, 1)
    assert files.notes == ["1 of 6 pictures scaled to 6x4 (from 60x40)"]
    assert read_training_folder(root, (8, 9)).pictures.shape == (6, 8, 9, 1)
    for i in range(9):
        put(root / "cat" / f"l{i}.png", i, (100, 50))
    assert read_training_folder(root).pictures.shape == (15, 16, 32, 1)


def test_what_is_odd_is_noted(tmp_path: Path) -> None:
    root = fill(tmp_path / "f", cat=3, Dog=3, dog=3)
    (root / "cat" / "broken.png").write_bytes(b"no picture")
    (root / "cat" / "notes.txt").write_text("hello")
    (root / "cat" / ".hidden.png").write_bytes(b"")
    (root / "cat" / "Thumbs.db").write_bytes(b"")
    (root / ".git").mkdir()
    put(root / "beside.png")
    put(root / "cat" / "again.png", 10)
    put(root / "dog" / "again.png", 10)
    Image.new("L", (6, 4), 3).save(
        root / "dog" / "moving.gif", save_all=True, append_images=[Image.new("L", (6, 4), 9)]
    )
    files = read_training_folder(root)
    assert files.classes == ("Dog", "cat", "dog")
    assert len(files) == 12
    notes = "\n".join(files.notes)
    for part in (
        "1 picture beside the sub-folders left out, of no class: beside.png",
        "1 file that is no picture by name left out: cat/notes.txt",
        "1 picture that can't be read left out: cat/broken.png: no picture, or damaged at its beginning",
        "1 file with several frames, of which the first is taken: dog/moving.gif",
        "1 picture there more than once: cat/again.png is cat/0.png",
        "1 picture there twice, in different classes: dog/again.png is cat/",
        "differ in upper and lower case only: Dog, dog",
    ):
        assert part in notes.replace("Dog/0.png", "cat/0.png")
    assert "hidden" not in notes


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    root = fill(tmp_path / "f", cat=3, dog=0, eel=0, fox=1, gnu=0)
    for name in ("a.png", "b.png", "c.png"):
        (root / "gnu" / name).write_bytes(b"nothing")
    put(root / "gnu" / "d.png")
    with pytest.raises(InputError) as error:
        read_training_folder(root)
    message = str(error.value)
    for part in (
        "no pictures in the sub-folders dog, eel", 'sub-folder "fox" has 1 picture; at least 2 are needed',
        'sub-folder "gnu" has 1 picture that can be read, of 4', "gnu/a.png: no picture", "gnu/c.png: no picture",
    ):  # fmt: skip
        assert part in message


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({}, "it has no pictures and no sub-folders"),
        ({"cat": 3}, 'one class only, "cat"'),
        ({"cat": 0}, "no pictures in the sub-folder cat"),
    ],
    ids=["none", "one", "empty"],
)
def test_too_few_classes(classes: dict[str, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_training_folder(fill(tmp_path / "f", **classes))


def test_a_folder_that_cant_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rights: the superuser may read everything, so the system's answer is played."""
    root = fill(tmp_path / "f", cat=2, dog=2)
    walk = os.walk

    def closed(top: Any, onerror: Any) -> Any:
        if Path(top).name == "dog":
            onerror(PermissionError(13, "Permission denied", str(top)))
            return iter(())
        return walk(top, onerror=onerror)

    monkeypatch.setattr(os, "walk", closed)
    with pytest.raises(InputError, match=r"(?s)no pictures in the sub-folder dog.*left out: dog: Permission denied"):
        read_training_folder(root)


def test_without_pillow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    for read in (read_training_folder, lambda path: read_pictures(path, (3, 3, 1))):
        with pytest.raises(MissingDependencyError, match=r"pip install 'chainrule\[images\]'"):
            read(fill(tmp_path / "f") if not (tmp_path / "f").exists() else tmp_path / "f")


def test_pictures_without_sub_folders(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"1 picture and no sub-folders: .* such as .*cat/a\.png"):
        read_training_folder(tmp_path)


def test_parts_of_a_data_set_are_no_classes(tmp_path: Path) -> None:
    for part in ("train", "test"):
        fill(tmp_path / "f" / part if (tmp_path / "f").mkdir(exist_ok=True) is None else tmp_path, cat=2, dog=2)
    with pytest.raises(InputError, match=r"parts of a data set.*chainrule train .*f/train --test-folder .*f/test"):
        read_training_folder(tmp_path / "f")
    assert read_training_folder(tmp_path / "f" / "train").classes == ("cat", "dog")
    (tmp_path / "f").rename(tmp_path / "two words")
    with pytest.raises(InputError, match=r"chainrule train '.*two words/train' --test-folder '.*two words/test'"):
        read_training_folder(tmp_path / "two words")
    classes = fill(tmp_path / "g", train=2, test=2)  # with the pictures right in them they are what they are called
    assert read_training_folder(classes).classes == ("test", "train")


def test_there_is_no_such_folder(tmp_path: Path) -> None:
    fill(tmp_path / "pictures", cat=2, dog=2)
    with pytest.raises(FileError, match=r'no file or folder .*picture\. Did you mean "pictures"\?'):
        read_training_folder(tmp_path / "picture")
    with pytest.raises(FileError, match="is a file, not a folder"):
        read_training_folder(put(tmp_path / "a.png"))


def test_labelled_as_the_model_is(tmp_path: Path) -> None:
    root = fill(tmp_path / "f", dog=2)
    files = read_labelled_folder(root, (3, 3, 3), ["cat", "dog"])
    assert files.labels.tolist() == [1, 1]
    assert files.pictures.shape == (2, 3, 3, 3)
    with pytest.raises(InputError, match="a sub-folder dog, which the model doesn't know: its classes are cat, eel"):
        read_labelled_folder(root, (3, 3, 1), ["cat", "eel"])
    (root / "dog" / "0.png").unlink()
    (root / "dog" / "1.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"no pictures in sub-folders called dog that can be read\n  dog/1.png: empty"):
        read_labelled_folder(root, (3, 3, 1), ["dog"])


def test_pictures_without_labels(tmp_path: Path) -> None:
    root = fill(tmp_path / "f", cat=2, dog=1)
    (root / "dog" / "broken.png").write_bytes(b"")
    put(root / "z.png", 50, mode="RGB")
    files = read_pictures(root, (4, 6, 1))
    assert files.files == ["z.png", "cat/0.png", "cat/1.png", "dog/0.png"]
    assert any("broken.png: empty file" in note for note in files.notes)
    assert any("colours are left out" in note for note in files.notes)
    assert read_pictures(root / "z.png", (4, 6, 1)).pictures.shape == (1, 4, 6, 1)
    both = read_pictures([root / "cat" / "1.png", root / "cat" / "0.png"], (4, 6, 1))
    np.testing.assert_array_equal(both.pictures[:, 0, 0, 0], [30, 10])
    with pytest.raises(InputError, match=r"1 picture can't be read:\n  .*broken\.png: empty file"):
        read_pictures([root / "z.png", root / "dog" / "broken.png"], (4, 6, 1))
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="has no pictures"):
        read_pictures(tmp_path / "none", (4, 6, 1))
