"""The C++ core `chainrule._native`, where it was compiled and not switched off; and what classes are called there."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any

from chainrule.errors import EngineError
from chainrule.plain import shortened

SWITCH = "CHAINRULE_NATIVE"  # the environment variable that switches the core off with 0


def switched_off() -> bool:
    """Whether the environment switches the core off."""
    return os.environ.get(SWITCH, "").strip().lower() in ("0", "off", "no", "false")


@cache
def _load() -> tuple[Any, str]:
    """The core and an empty text, or None and why there is none.

    Raises:
        EngineError: the environment asks of it what it can't do. Nobody wants to find that out by the speed.
    """
    try:
        module = import_module("chainrule._native")
        _check_environment(module.instruction_sets())
        return module, ""
    except ModuleNotFoundError:
        return None, (
            "the native core isn't there: no C++ compiler was found when chainrule was installed, or compiling "
            "failed; with one (Debian: apt install g++), installing chainrule again builds it (-v says more)"
        )
    except ImportError as error:
        return None, f"the native core can't be loaded: {error}"


def _check_environment(sets: list[str]) -> None:
    """Raise an `EngineError` for settings that mean nothing; empty ones are none."""
    wanted, threads = os.environ.get("CHAINRULE_ISA", ""), os.environ.get("CHAINRULE_THREADS", "")
    if wanted and wanted not in sets:
        raise EngineError(
            f"CHAINRULE_ISA is {shortened(wanted)!r}, which is no instruction set that the core has on this processor; "
            f"it may be {', '.join(sets)}, or not be set: then it is {sets[0]}"
        )
    if threads and not (threads.isascii() and threads.isdigit()):
        raise EngineError(
            f"CHAINRULE_THREADS is {shortened(threads)!r}; it must be a whole number, the threads that a call may use"
        )


def missing() -> str | None:
    """Why there is no core to use, or None if there is one."""
    if switched_off():
        return f"{SWITCH}=0 switches the native core off"
    return _load()[1] or None


def core() -> Any:
    """The module, or None."""
    return None if switched_off() else _load()[0]


class Native:
    """What the core calls a class, and which of its fields it takes; by keyword those that have another name there.

    A class says it for itself, as `native = Native("huber", parameter="delta")`. A subclass may compute anything, so it
    doesn't inherit what its base says.
    """

    def __init__(self, kind: str, *same: str, **renamed: str):
        self.kind = kind
        self.fields = {name: name for name in same} | renamed


def native_of(cls: type) -> Native | None:
    """What a class says of itself, or None where the core doesn't know it."""
    found = vars(cls).get("native")
    return found if isinstance(found, Native) else None


def native_form(thing: object, kind: str = "kind") -> dict[str, Any] | None:
    """What the core takes for an object: the name of its class there as `kind`, and its fields.

    >>> from chainrule.losses import Huber
    >>> native_form(Huber(delta=2.0), kind="loss")
    {'loss': 'huber', 'parameter': 2.0}
    """
    native = native_of(type(thing))
    if native is None:
        return None
    return {kind: native.kind, **{name: getattr(thing, field) for name, field in native.fields.items()}}
