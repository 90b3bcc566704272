"""The bytes of a text file as UTF-8, whichever encoding they came in."""

from __future__ import annotations

import codecs
import re
from typing import Final

from chainrule.errors import FileError
from chainrule.tables.advice import way

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NO_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PAGE: Final = re.compile(rb"\s*<(!doctype\s+html|html|head|\?xml)", re.I)
_POINTER: Final = b"version https://git-lfs.github.com/"


def utf8(name: str, raw: bytes, encoding: str | None) -> tuple[bytes, tuple[str, ...]]:
    """The text as UTF-8, and what is to be said of its encoding.

    Arguments:
        name: of the file, for messages.
        raw: its bytes.
        encoding: that somebody said, or None.

    Raises:
        FileError: it holds no text, or isn't in the encoding that was said.
    """
    if not raw or raw.isspace():
        raise FileError(f"{name} is empty: it must hold a line of column names, then rows")
    if raw.startswith(_POINTER):
        raise FileError(f"{name} is a pointer of Git LFS (version ...), not the table: fetch it with git lfs pull")
    if encoding is not None:
        try:
            return raw.decode(encoding).removeprefix("\ufeff").encode(), ()
        except UnicodeError as error:
            raise FileError(f"{name} can't be read as {encoding} ({error}): leave {way('encoding')} out") from None
    for mark, found in _MARKS:
        if raw.startswith(mark):
            return _decoded(name, raw, found), ()
    if b"\0" in raw[:4096]:
        return _without_mark(name, raw)
    if _PAGE.match(raw[:200]):
        raise FileError(f"{name} is a web page (HTML), not a table: maybe one has to sign in where it was fetched")
    try:
        codecs.utf_8_decode(raw)
        return raw, ()
    except UnicodeDecodeError as error:
        at = error.start
    if _NO_TEXT.search(raw):
        raise FileError(f"{name} is not a text file: it holds bytes that are no text in any encoding; give a table")
    found = "cp1252"
    try:
        text = raw.decode(found)
    except UnicodeDecodeError:
        found = "latin-1"
        text = raw.decode(found)
    line = raw.count(b"\n", 0, at) + 1
    around = text[max(0, at - 8) : at + 8].replace("\n", " ").strip()
    return text.encode(), (
        f'{name} isn\'t UTF-8: it is read as {found}, where line {line} says "{around}"; {way("encoding")} says '
        "otherwise",
    )


def _decoded(name: str, raw: bytes, encoding: str) -> bytes:
    try:
        return raw.decode(encoding).encode()
    except UnicodeError as error:
        raise FileError(f"{name} begins as {encoding} text and isn't that throughout: {error}") from None


def _without_mark(name: str, raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """UTF-16 without the mark that says so: every other byte of plain letters is zero."""
    start = raw[:4096]
    for encoding, high in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if high.count(0) > 0.8 * len(high) and len(raw) % 2 == 0:
            note = f"{name} has zeros between its letters: it is read as {encoding}; {way('encoding')} says otherwise"
            return _decoded(name, raw, encoding), (note,)
    raise FileError(
        f"{name} is not a text file: it has zero bytes near its start; give a table, or say its {way('encoding')}"
    )
