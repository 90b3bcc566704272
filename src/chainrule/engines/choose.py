"""Which engine computes, and why: the choice is made once and recorded."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.engines.contract import Engine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import EngineError, InputError
from chainrule.network import Network
from chainrule.objective import Objective

ENGINES = ("auto", "reference", "native")


@dataclass(frozen=True)
class Choice:
    """The engine's name and the reason for it."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def native_missing() -> str | None:
    """Why the native engine can't be used at all, or None if it can."""
    return "this version has no native core yet"


def choose(requested: str, network: Network, objective: Objective) -> tuple[Engine, Choice]:
    """The engine for a network: `"native"` raises where it can't; nothing falls back in silence."""
    if requested not in ENGINES:
        raise InputError(f'engine is {requested!r}; it must be "auto", "reference" or "native"')
    if requested == "reference":
        return ReferenceEngine(network, objective), Choice("reference", "asked for")
    missing = native_missing()
    if requested == "native":
        raise EngineError(f"the native engine can't be used: {missing}")
    return ReferenceEngine(network, objective), Choice("reference", str(missing))
