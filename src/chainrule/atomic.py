"""Files that are written all or nothing: whoever reads sees the old one or the new one, whatever happens meanwhile."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chainrule.errors import FileError

try:
    import fcntl
except ImportError:  # Windows, which doesn't take away a file that somebody has open
    fcntl = None  # type: ignore[assignment]

_NAMES = 8  # how many savings of one file may be about to take its place at the same moment
_PATIENCE = 10.0  # seconds that one waits for them


def replace(path: str | Path, data: bytes) -> None:
    """Put bytes in the place of a file, all or nothing; what can't be written is a `FileError` and changes nothing.

    The new file has no name until it is whole and on the disk, so a process that is killed leaves nothing behind. Where
    files without a name can't be had, it has one beside the target, which the next saving there takes away.
    """
    check_writable(path)
    try:
        target = Path(path).expanduser().resolve()  # where a link leads to, so that it stays a link
        if not _by_link(target, data):
            _by_name(target, data)
    except OSError as error:
        raise _cannot_save(path, error.strerror or error) from None


def check_writable(path: str | Path) -> None:
    """Raise a `FileError` now if `replace` would fail later for want of a folder or of permission."""
    try:
        target = Path(path).expanduser().resolve()
        if target.is_symlink():  # what is left of links in a circle
            raise _cannot_save(path, "its links lead in a circle")
        if target.is_dir():
            raise _cannot_save(path, "it is a folder, and a file name is wanted")
        if target.exists() and not target.is_file():
            raise _cannot_save(path, "it is a device or a pipe, not a file")
        if not target.parent.is_dir():
            is_file = target.parent.exists()
            raise _cannot_save(
                path, f"{target.parent} is not a folder" if is_file else f"there is no folder {target.parent}"
            )
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except FileError:
        raise
    except (OSError, ValueError, RuntimeError) as error:  # a name with a zero byte, links in a circle
        raise _cannot_save(path, getattr(error, "strerror", None) or error) from None


def _by_link(target: Path, data: bytes) -> bool:
    """Write a file without a name, and give it the target's; False, and nothing done, where there are no such files."""
    try:
        handle = os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o666)  # less what the umask says
    except (AttributeError, OSError):
        return False
    with open(handle, "wb") as file:
        _fill(handle, target, data)
        for name in _free_names(target):
            try:
                # With a folder given os.link follows the link, which it otherwise promises and doesn't.
                os.link(f"/proc/self/fd/{file.fileno()}", name, src_dir_fd=handle)
            except FileExistsError:
                continue
            except OSError:
                return False
            _take_place(name, target)
            return True
    return False


def _by_name(target: Path, data: bytes) -> None:
    """Write a file beside the target, and let it take the target's place."""
    for name in _free_names(target):
        with suppress(FileExistsError), open(name, "xb") as file:
            if not _lock(file.fileno(), name, wait=True):
                continue  # somebody took it for one that was left behind
            try:
                _fill(file.fileno(), target, data)
            except BaseException:
                name.unlink(missing_ok=True)
                raise
            _take_place(name, target)
            return


def _fill(handle: int, target: Path, data: bytes) -> None:
    """Lock the new file, write it to the disk, and give it the permissions of the one that it replaces."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
    if target.exists() and fcntl is not None:  # on Windows there is little to keep
        os.fchmod(handle, stat.S_IMODE(target.stat().st_mode))
    os.fsync(handle)


def _take_place(name: Path, target: Path) -> None:
    try:
        os.replace(name, target)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def _free_names(target: Path) -> Iterator[Path]:
    """Names beside the target that nobody has at the moment; those whose writers were killed are taken away."""
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    names = [target.with_name(f".chainrule.{digest}.{i}") for i in range(_NAMES)]
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        for name in names:
            _remove_if_left(name)
        for name in names:
            if not os.path.lexists(name):
                yield name
        time.sleep(0.01)
    raise OSError(errno.EAGAIN, f"others are saving there, or left files of the name {names[0].name}")


def _remove_if_left(name: Path) -> None:
    """Take away a file whose writer is gone: while it lives, it holds the lock."""
    if not name.is_file():
        return
    with suppress(OSError), open(name, "rb") as file:
        if _lock(file.fileno(), name, wait=False):
            name.unlink()


def _lock(handle: int, name: Path, *, wait: bool) -> bool:
    """Lock a file; False if another has it, or it hasn't that name any more."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return os.path.samestat(os.fstat(handle), os.stat(name))
    except OSError:
        return False


def _cannot_save(path: str | Path, why: object) -> FileError:
    return FileError(f"can't save to {path}: {why}")
