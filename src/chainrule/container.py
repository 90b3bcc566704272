"""The file that everything is saved in: one `.safetensors` file, tensors plus JSON in its metadata.

Loading runs no code. A checksum over the JSON and the tensors tells a damaged file from a whole one.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.errors import FileError, did_you_mean_file

FORMAT = 1
_KEY, _CHECKSUM = "chainrule", "sha256"
# For each old format, the function that turns its JSON into that of the next one. Old files keep loading.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


@dataclass(frozen=True)
class Contents:
    """What a file holds: the kind of thing, its JSON description and its tensors."""

    kind: str
    form: dict[str, Any]
    tensors: dict[str, AnyArray]


def write(path: str | Path, contents: Contents, version: str) -> None:
    """Write all or nothing: into a temporary file beside it, to the disk, and then in the place of the old one."""
    from safetensors.numpy import save

    tensors = {name: np.asarray(array, order="C") for name, array in contents.tensors.items()}
    header = {"format": FORMAT, "kind": contents.kind, "version": version, "form": contents.form}
    text = json.dumps(header | {_CHECKSUM: _checksum(header, tensors)}, default=_plain)
    replace(path, save(tensors, metadata={_KEY: text}))


def replace(path: str | Path, data: bytes) -> None:
    """Put bytes in the place of a file, all or nothing; what can't be written is a `FileError` and changes nothing."""
    check_writable(path)
    try:
        _replace(Path(path).expanduser().resolve(), data)  # where a link leads to, so that it stays a link
    except OSError as error:
        raise _cannot_save(path, error.strerror or error) from None


def check_writable(path: str | Path) -> None:
    """Raise a `FileError` now if `write` would fail later for want of a folder or of permission."""
    try:
        target = Path(path).expanduser().resolve()
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


def read(path: str | Path) -> Contents:
    """Read a file; what isn't ours, isn't whole or is newer than this version is a `FileError` that says so."""
    from safetensors import SafetensorError, safe_open

    source = _existing(path)
    try:
        with safe_open(source, framework="np") as file:
            metadata = file.metadata() or {}
            if _KEY not in metadata:
                raise FileError(f"{source} is a .safetensors file, but was not written by chainrule")
            header = _header(source, metadata[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    except (SafetensorError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise FileError(f"{source} can't be read: {error.strerror}") from None
        raise FileError(f"{source} is no model, or only a part of one ({error})") from None
    except (TypeError, AttributeError):  # a type of number that NumPy hasn't
        raise _damaged(source) from None
    if header.pop(_CHECKSUM, None) != _checksum(header, tensors):
        raise _damaged(source)
    try:
        for step in range(header["format"], FORMAT):
            header = UPGRADES[step](header)
        return Contents(header["kind"], header["form"], tensors)
    except (KeyError, TypeError, ValueError):
        raise _damaged(source) from None


def is_saved_by_us(path: str | Path) -> bool:
    """Whether a file is one that `write` made, as far as its beginning tells."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return _KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def _existing(path: str | Path) -> Path:
    try:
        source = Path(path).expanduser()
        if source.is_file():
            return source
        if source.is_dir():
            raise FileError(f"{source} is a folder, not a file")
        if source.exists():
            raise FileError(f"{source} is a device or a pipe, not a file")
        near = did_you_mean_file(source.name, _names(source.absolute().parent))
    except FileError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise FileError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    raise FileError(f"there is no file {source}.{near}")


def _header(source: Path, text: str) -> dict[str, Any]:
    """The JSON of a file, if this version can read its format."""
    try:
        header: dict[str, Any] = json.loads(text)
        number = header["format"]
        is_number = isinstance(number, int) and not isinstance(number, bool) and number >= 1
    except (ValueError, KeyError, TypeError, RecursionError):
        is_number = False
    if not is_number:
        raise _damaged(source)
    if number > FORMAT:
        raise FileError(
            f"{source} was written by chainrule {header.get('version')}, in file format {number}; "
            f"this version reads up to {FORMAT}: upgrade chainrule"
        )
    return header


def _damaged(source: Path) -> FileError:
    return FileError(f"{source} is damaged: it isn't as chainrule wrote it. Take another copy, or train again")


def _cannot_save(path: str | Path, why: object) -> FileError:
    return FileError(f"can't save to {path}: {why}")


def _checksum(header: Mapping[str, Any], tensors: Mapping[str, AnyArray]) -> str:
    """SHA-256 of the rest of the header and of every tensor's name, type, shape and bytes."""
    digest = hashlib.sha256(json.dumps(header, default=_plain).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\n{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _plain(value: object) -> Any:
    """NumPy's numbers as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} can't be written as JSON")


def _replace(target: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".chainrule.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The permissions of the file that was there, or those that a new file gets (mkstemp gives its owner alone any)."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
