"""What a check raises, and the few questions that all checks ask."""

from __future__ import annotations

import re
import traceback
from typing import Any

SUBJECTS = (
    "graphs",
    "fits",
    "files",
    "worksheets",
    "expressions",
    "tables",
    "frames",
    "commands",
    "estimators",
    "arguments",
)


class Finding(Exception):
    """A promise of the documentation that a case breaks."""


def expect(holds: Any, message: str) -> None:
    """Raise a `Finding` unless a promise holds."""
    if not holds:
        raise Finding(message)


def describe(error: BaseException) -> str:
    """What a failed check says: a finding's own words, or the error and where it was raised."""
    if isinstance(error, Finding):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.name}" for frame in frames[-3:]]
    return f"{type(error).__name__}: {str(error)[:500]} (in {' > '.join(places)})"


def signature(message: str) -> str:
    """Messages of one fault have one signature: the first words, without numbers and quoted text, and the place."""
    words, _, place = message.partition(" (in ")
    plain = re.sub(r"\"[^\"]*\"|'[^']*'|-?[0-9.]+(e[+-]?[0-9]+)?|[^A-Za-z ]+", "_", words.split("\n", 1)[0])
    return f"{plain[:60]} {place}"
