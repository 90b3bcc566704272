"""The file that everything is saved in: one `.safetensors` file, tensors plus JSON in its metadata.

Loading runs no code. A checksum over the JSON and the tensors tells a damaged file from a whole one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.atomic import replace
from chainrule.errors import FileError, did_you_mean_file
from chainrule.upgrades import histories_into_tensors, tables_of_several_models, tables_of_several_targets

FORMAT = 4
# The tensor of measured times. It is out of the checksum, so that runs that did the same write files that are the same
# but for it; its second row is the first with the other sign, which tells whether it is whole.
TIMES = "times"
_KEY, _CHECKSUM = "chainrule", "sha256"


@dataclass(frozen=True)
class Contents:
    """What a file holds: the kind of thing, its JSON description and its tensors."""

    kind: str
    form: dict[str, Any]
    tensors: dict[str, AnyArray]


Upgrade = Callable[[str, dict[str, Any], dict[str, AnyArray]], tuple[dict[str, Any], dict[str, AnyArray]]]
# For each old format, what turns JSON and tensors of a kind of file into those of the next one. Old files keep loading.
UPGRADES: dict[int, Upgrade] = {1: histories_into_tensors, 2: tables_of_several_models, 3: tables_of_several_targets}


def write(path: str | Path, contents: Contents, version: str) -> None:
    """Write all or nothing: into a temporary file beside it, to the disk, and then in the place of the old one."""
    from safetensors.numpy import save

    tensors = {name: np.asarray(array, order="C") for name, array in contents.tensors.items()}
    header = {"format": FORMAT, "kind": contents.kind, "version": version, "form": contents.form}
    text = json.dumps(header | {_CHECKSUM: _checksum(header, tensors)}, default=_plain)
    replace(path, save(tensors, metadata={_KEY: text}))


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
    try:
        if header.pop(_CHECKSUM, None) != _checksum(header, tensors) or not _plausible(tensors.get(TIMES)):
            raise _damaged(source)
        kind, form = header["kind"], header["form"]
        if not isinstance(kind, str) or not isinstance(form, dict):
            raise _damaged(source)
        for step in range(header["format"], FORMAT):
            form, tensors = UPGRADES[step](kind, form, tensors)
        return Contents(kind, form, tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
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


def _checksum(header: Mapping[str, Any], tensors: Mapping[str, AnyArray]) -> str:
    """SHA-256 of the rest of the header and of every tensor's name, type, shape and bytes; those of times apart."""
    digest = hashlib.sha256(json.dumps(header, default=_plain).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\n{name} {array.dtype.name} {array.shape}\n".encode())
        if name != TIMES:
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _plausible(times: AnyArray | None) -> bool:
    """Whether a tensor of times says the same thing twice."""
    return times is None or bool(
        times.dtype == np.float64 and times.ndim == 2 and len(times) == 2 and (times[0] == -times[1]).all()
    )


def _plain(value: object) -> Any:
    """NumPy's numbers as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} can't be written as JSON")


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
