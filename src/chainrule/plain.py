"""Text of others (names, cells, titles) on its way to a reader: nothing in it acts on a terminal, or fills it."""

from __future__ import annotations

import re
import reprlib
import unicodedata

# Control characters, those that change how the text around them is shown, halves of characters, ends of lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners inside words of scripts that need them, and inside emoji, are part of how these are written.
_JOINED = re.compile("(?<=[^\x00-\xff])[\u200c\u200d](?=[^\x00-\xff])")


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with its control characters and invisible ones written out; with `lines`, ends of lines stay.

    >>> print(visible("a\x1b[2Jb\u202ec\n"))
    a\x1b[2Jb\u202ec\n
    >>> print(visible("one\ntwo\x07", lines=True))
    one
    two\x07
    """
    if lines:
        return "\n".join(visible(line) for line in text.split("\n"))
    if text.isprintable():
        return text
    joiners = {match.start() for match in _JOINED.finditer(text)}
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _HIDDEN and i not in joiners else c
        for i, c in enumerate(text)
    )


def shortened(value: object, limit: int = 80) -> str:
    r"""A text, or anything else as Python writes it, in at most `limit` visible characters: what a message can quote.

    >>> shortened("x" * 5_000_000, limit=10)
    'xxxxxxxxx…'
    >>> shortened([1.5, "a\n"]), shortened(10**5000)
    ("[1.5, 'a\\n']", 'a whole number of about 5,000 digits')
    """
    text = visible(value[: limit + 1] if isinstance(value, str) else _written(value, limit))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _written(value: object, limit: int) -> str:
    """The `repr` of a value, no more than about `limit` characters of it made where its size is known."""
    if isinstance(value, int) and value.bit_length() > 4 * limit:
        return f"a whole number of about {round(value.bit_length() * 0.30103):,} digits"
    short = reprlib.Repr()
    short.maxlevel = 4
    short.maxstring = short.maxlong = short.maxother = 2 * limit
    short.maxlist = short.maxtuple = short.maxset = short.maxfrozenset = short.maxdict = short.maxdeque = limit
    try:
        return short.repr(value)
    except Exception:  # a value's own repr may do anything
        return f"<{type(value).__name__}>"
