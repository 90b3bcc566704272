"""Where tables come from: a file, packed or not, a folder, a pattern, standard input, an address."""

from __future__ import annotations

import bz2
import glob
import gzip
import io
import lzma
import re
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from chainrule.errors import FileError, listed

_ADDRESS: Final = re.compile(r"^(https?|ftp|file)://", re.I)
_SECONDS: Final = 60  # that a server may stay silent
PACKED: Final = (".gz", ".bz2", ".xz", ".zip")
"""How the names of packed files end."""
_GZIP, _ZIP, _BZIP, _XZ = b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00"
_EMPTY_ZIP: Final = b"PK\x05\x06"


@dataclass(frozen=True)
class Source:
    """One file of a table: how it is called in messages, how its name ends without what it is packed in, and where."""

    name: str
    suffix: str
    path: Path | None = None
    content: bytes | None = None

    def bytes(self) -> bytes:
        """What is in it, unpacked.

        Raises:
            FileError: it isn't whole.
        """
        if self.content is not None:
            return self.content
        assert self.path is not None
        return self.path.read_bytes()


def is_elsewhere(name: str) -> bool:
    """Whether a name is standard input or an address, so no path."""
    return name == "-" or bool(_ADDRESS.match(name))


def find_sources(name: str, endings: Sequence[str]) -> tuple[list[Source], list[str]]:
    """The files that a name stands for, in order, and what is to be said of others.

    Arguments:
        name: a path, `-`, an address, a folder, or a pattern such as `parts/*.csv`.
        endings: of the names of tables.

    Raises:
        FileError: there is none.
    """
    if name == "-":
        content = sys.stdin.buffer.read()
        if not content.strip():
            raise FileError("standard input is empty: pipe a table into it")
        return [Source("standard input", _suffix_of(content), content=content)], []
    if _ADDRESS.match(name):
        return [Source(name, table_suffix(urlsplit(name).path) or ".csv", content=_download(name))], []
    path = Path(name).expanduser()
    if path.is_dir():
        return _in_folder(path, endings)
    if not path.exists() and re.search(r"[*?\[]", name):
        found = sorted(Path(one) for one in glob.glob(str(path)) if Path(one).is_file())
        if not found:
            raise FileError(f"no file fits the pattern {name}")
        return [Source(str(one), table_suffix(one.name), one) for one in found], []
    return [Source(str(path), table_suffix(path.name), path)], []


def table_suffix(name: str) -> str:
    """How a name ends, without what it is packed in.

    >>> table_suffix("data.CSV.gz"), table_suffix("data.zip")
    ('.csv', '')
    """
    pure = PurePosixPath(name.lower())
    return PurePosixPath(pure.stem).suffix if pure.suffix in PACKED else pure.suffix


def is_packed(name: str) -> bool:
    """Whether a name says that the file is packed."""
    return PurePosixPath(name.lower()).suffix in PACKED


def unpacked(source: Source, endings: Sequence[str]) -> Source:
    """The file itself, with its content, where it was packed.

    Raises:
        FileError: it is damaged, or holds no table or several.
    """
    raw = source.bytes()
    try:
        if raw.startswith(_GZIP):
            return Source(source.name, source.suffix, content=gzip.decompress(raw))
        if raw.startswith(_BZIP):
            return Source(source.name, source.suffix, content=bz2.decompress(raw))
        if raw.startswith(_XZ):
            return Source(source.name, source.suffix, content=lzma.decompress(raw))
        if raw.startswith((_ZIP, _EMPTY_ZIP)):
            return _unzipped(source, raw, endings)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{source.name} can't be unpacked ({error}): it isn't whole, fetch it again") from error
    return Source(source.name, source.suffix, source.path, raw)


def _unzipped(source: Source, raw: bytes, endings: Sequence[str]) -> Source:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [one.filename for one in archive.infolist() if not one.is_dir()]
        if "xl/workbook.xml" in names or "[Content_Types].xml" in names:
            return Source(source.name, ".xlsx", source.path, raw)
        own = [
            name for name in names if not name.startswith("__MACOSX") and not PurePosixPath(name).name.startswith(".")
        ]
        tables = [name for name in own if table_suffix(name) in endings]
        if not tables:
            held = f"holds {listed(own)}, none of which is a table" if own else "is empty"
            raise FileError(f"{source.name} {held}: tables end in {listed(endings)}")
        if len(tables) > 1:
            raise FileError(f"{source.name} holds several tables ({listed(tables)}): unpack it and name one")
        inner = Source(f"{source.name}/{tables[0]}", table_suffix(tables[0]), content=archive.read(tables[0]))
    return inner


def _in_folder(path: Path, endings: Sequence[str]) -> tuple[list[Source], list[str]]:
    files = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
    tables = [one for one in files if table_suffix(one.name) in endings]
    if not tables:
        held = f"holds {listed(one.name for one in files)}, none of which is a table" if files else "is empty"
        raise FileError(f"the folder {path} {held}: tables end in {listed(endings)}")
    notes = [f"{one} is no table and left out" for one in files if one not in tables]
    return [Source(str(one), table_suffix(one.name), one) for one in tables], notes


def _download(address: str) -> bytes:
    from http.client import HTTPException
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(address, headers={"User-Agent": "chainrule"}), timeout=_SECONDS) as answer:
            content: bytes = answer.read()
    except URLError as error:
        raise FileError(f"{address} can't be read: {error.reason if hasattr(error, 'reason') else error}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise FileError(f"{address} can't be read: {error}") from error
    if not content.strip():
        raise FileError(f"{address} is empty")
    return content


def _suffix_of(content: bytes) -> str:
    """How a file of such content ends: of standard input, which has no name."""
    if content.startswith(b"PAR1"):
        return ".parquet"
    if content.startswith(b"ARROW1"):
        return ".arrow"
    return {b"{": ".jsonl", b"[": ".json"}.get(content.lstrip()[:1], ".csv")
