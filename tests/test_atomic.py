"""Files that take another's place: all or nothing, and nothing left behind."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest

from chainrule import atomic
from chainrule.errors import FileError


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["without a name", "with a name", "no links"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Files without a name; a file system that hasn't any; one that can't give them a name afterwards."""
    if request.param == "with a name":
        monkeypatch.setattr(atomic, "_by_link", lambda *_: False)
    if request.param == "no links":

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "link", refuse)
    return request.param


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("where", ["fsync", "replace", "write", "fchmod"])
def test_a_crash_in_the_middle_keeps_the_old_file(way, monkeypatch, where, error):
    atomic.replace("a.safetensors", b"data")
    before = Path("a.safetensors").read_bytes()

    def crash(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(os, where, crash)
    expected = FileError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        atomic.replace("a.safetensors", b"others")
    if isinstance(error, OSError):
        assert str(caught.value) == "can't save to a.safetensors: No space left on device"
    assert Path("a.safetensors").read_bytes() == before
    assert os.listdir() == ["a.safetensors"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere/a", "can't save to nowhere/a: there is no folder .*nowhere"),
        ("file/a", "can't save to file/a: .*file is not a folder"),
        ("folder", "can't save to folder: it is a folder, and a file name is wanted"),
        ("", "it is a folder"),
        ("/proc/a", "can't save to /proc/a: "),
        ("/dev/null", "can't save to /dev/null: it is a device or a pipe, not a file"),
        ("pipe", "can't save to pipe: it is a device or a pipe"),
        ("circle", "can't save to circle: "),
        ("a" * 300, "File name too long"),
        ("a\0b", "null byte|null character"),
        ("~nobody-of-this-name/a", "can't save to ~nobody"),
    ],
)
def test_where_nothing_can_be_written(path, message):
    Path("file").touch()
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("circle").symlink_to("circle")
    for attempt in (
        lambda: atomic.check_writable(path),
        lambda: atomic.replace(path, b""),
    ):
        with pytest.raises(FileError, match=message):
            attempt()
    assert sorted(os.listdir()) == ["circle", "file", "folder", "pipe"]


def test_checking_leaves_nothing_behind():
    atomic.check_writable("a.safetensors")
    assert os.listdir() == []


def test_permissions(way):
    mask = os.umask(0o027)
    try:
        atomic.replace("a.safetensors", b"data")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(os.stat("a.safetensors").st_mode) == 0o640
    os.chmod("a.safetensors", 0o600)
    atomic.replace("a.safetensors", b"data")
    assert stat.S_IMODE(os.stat("a.safetensors").st_mode) == 0o600  # a private file stays private


def test_a_link_stays_a_link():
    Path("store").mkdir()
    Path("latest").symlink_to("store/a.safetensors")
    atomic.replace("latest", b"data")
    assert Path("latest").is_symlink()
    assert Path("store/a.safetensors").read_bytes() == b"data"


def test_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    atomic.replace("~/a.safetensors", b"data")
    assert Path("~/a.safetensors").expanduser().read_bytes() == b"data"


def left_behind(names: int = 1) -> list[str]:
    """What writers that were killed leave."""
    first = next(atomic._free_names(Path("a.safetensors"))).name
    left = [f"{first[:-1]}{i}" for i in range(names)]
    for name in left:
        Path(name).write_bytes(b"half a fi")
    return left


@pytest.mark.parametrize("names", [1, 2, 8])
def test_what_a_killed_writer_left_is_taken_away(way, names):
    left_behind(names)
    atomic.replace("a.safetensors", b"data")
    assert os.listdir() == ["a.safetensors"]
    assert Path("a.safetensors").read_bytes() == b"data"


def test_what_somebody_is_writing_stays(way):
    (name, *_) = left_behind()
    with open(name, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        atomic.replace("a.safetensors", b"data")
        assert sorted(os.listdir()) == sorted([name, "a.safetensors"])
    atomic.replace("a.safetensors", b"more")
    assert os.listdir() == ["a.safetensors"]


def test_names_that_never_become_free_are_an_error(way, monkeypatch):
    monkeypatch.setattr(atomic, "_PATIENCE", 0.05)
    for name in left_behind(8):
        Path(name).unlink()
        Path(name).mkdir()
    with pytest.raises(FileError, match=r"can't save to a\.safetensors: others are saving there, or left files"):
        atomic.replace("a.safetensors", b"data")


def test_files_of_other_names_are_not_touched(way):
    others = [".chainrule.abcdef", ".chainrule.0123456789abcdef.0", "b.safetensors"]
    for other in others:
        Path(other).touch()
    atomic.replace("a.safetensors", b"data")
    assert sorted(os.listdir()) == sorted([*others, "a.safetensors"])


def test_the_umask_is_never_touched(way, monkeypatch):
    """It belongs to the whole process: other threads may be making files."""

    def refuse(_: int) -> int:
        raise AssertionError

    monkeypatch.setattr(os, "umask", refuse)
    atomic.replace("a.safetensors", b"data")
    assert Path("a.safetensors").read_bytes() == b"data"


def test_many_threads_save_the_same_file(way):
    failures: list[Exception] = []

    def save(i: int) -> None:
        try:
            for _ in range(20):
                atomic.replace("a.safetensors", bytes([i]) * 100_000)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=save, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set(Path("a.safetensors").read_bytes())) == 1
    assert os.listdir() == ["a.safetensors"]


def _save_often(byte: int) -> None:
    for _ in range(20):
        atomic.replace("a.safetensors", bytes([byte]) * 100_000)


def test_many_processes_save_the_same_file():
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_save_often, args=(i,)) for i in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(set(Path("a.safetensors").read_bytes())) == 1
    assert os.listdir() == ["a.safetensors"]
