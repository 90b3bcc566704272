"""The C++ core `chainrule._native`, where it was compiled and nobody switched it off."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any

SWITCH = "CHAINRULE_NATIVE"  # the environment variable that switches the core off with 0


def switched_off() -> bool:
    """Whether the environment switches the core off."""
    return os.environ.get(SWITCH, "").strip().lower() in ("0", "off", "no", "false")


@cache
def _load() -> tuple[Any, str]:
    """The core and an empty text, or None and why there is none."""
    try:
        return import_module("chainrule._native"), ""
    except ModuleNotFoundError:
        return None, (
            "the native core isn't there: no C++ compiler was found when chainrule was installed, or compiling "
            "failed; with one (Debian: apt install g++), installing chainrule again builds it (-v says more)"
        )
    except ImportError as error:
        return None, f"the native core can't be loaded: {error}"


def missing() -> str | None:
    """Why there is no core to use, or None if there is one."""
    if switched_off():
        return f"{SWITCH}=0 switches the native core off"
    return _load()[1] or None


def core() -> Any:
    """The module, or None."""
    return None if switched_off() else _load()[0]
