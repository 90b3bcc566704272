"""Ways out, in the words that exist where a message is read: options on the command line, arguments in Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_ON_COMMAND_LINE: Final = ContextVar("on the command line", default=False)


@contextmanager
def on_command_line() -> Iterator[None]:
    """What is advised meanwhile are options."""
    token = _ON_COMMAND_LINE.set(True)
    try:
        yield
    finally:
        _ON_COMMAND_LINE.reset(token)


def way(name: str, value: object = None) -> str:
    """How something is said: the name of an option or an argument, with its value where there is one.

    >>> way("drop", "id"), way("header", False), way("max_categories")
    ('drop=["id"]', 'header=False', 'max_categories')
    >>> with on_command_line():
    ...     way("drop", "id"), way("header", False), way("max_categories", 20)
    ('--drop "id"', '--no-header', '--max-categories 20')
    """
    if _ON_COMMAND_LINE.get():
        if name == "header":
            return "--no-header"
        option = f"--{name.replace('_', '-')}"
        return option if value is None else f"{option} {_quoted(value)}"
    if value is None:
        return name
    return f"{name}=[{_quoted(value)}]" if name in _SEVERAL else f"{name}={_quoted(value)}"


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


_SEVERAL: Final = ("drop", "numeric", "categorical", "date", "missing")
