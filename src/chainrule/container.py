"""The file that everything is saved in: one `.safetensors` file, tensors plus JSON in its metadata.

Loading runs no code.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.errors import FileError, did_you_mean

FORMAT = 1
_KEY = "chainrule"
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

    target = Path(path).expanduser()
    header = {"format": FORMAT, "kind": contents.kind, "version": version, "form": contents.form}
    tensors = {name: np.ascontiguousarray(array) for name, array in contents.tensors.items()}
    data = save(tensors, metadata={_KEY: json.dumps(header)})
    check_writable(target)
    try:
        _replace(target, data)
    except OSError as error:
        raise FileError(f"can't save to {target}: {error.strerror or error}") from None


def check_writable(path: str | Path) -> None:
    """Raise a `FileError` now if `write` would fail later for want of a folder or of permission."""
    target = Path(path).expanduser().absolute()
    if target.is_dir():
        raise FileError(f"can't save to {path}: it is a folder, and a file name is wanted")
    if not target.parent.is_dir():
        raise FileError(f"can't save to {path}: there is no folder {target.parent}")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise FileError(f"can't save to {path}: {error.strerror or error}") from None


def read(path: str | Path) -> Contents:
    """Read a file; what isn't ours, isn't whole or is newer than this version is a `FileError` that says so."""
    from safetensors import SafetensorError, safe_open

    source = Path(path).expanduser()
    if not source.is_file():
        near = did_you_mean(source.name, _names(source.absolute().parent))
        raise FileError(
            f"there is no file {source}.{near}" if not source.is_dir() else f"{source} is a folder, not a file"
        )
    try:
        with safe_open(source, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise FileError(
            f"{source} can't be read as a model: it is truncated or no .safetensors file ({error})"
        ) from None
    if _KEY not in metadata:
        raise FileError(f"{source} is a .safetensors file, but was not written by chainrule")
    try:
        header = json.loads(metadata[_KEY])
        number, kind = header["format"], header["kind"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise FileError(f"{source} has a damaged header; save the model again") from None
    if number > FORMAT:
        raise FileError(
            f"{source} was written by chainrule {header.get('version')}, in file format {number}; "
            f"this version reads up to {FORMAT}: upgrade chainrule"
        )
    for step in range(number, FORMAT):
        header = UPGRADES[step](header)
    return Contents(kind, header["form"], tensors)


def _replace(target: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files that only their owner may read
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
