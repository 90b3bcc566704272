"""Which engine computes, and why: the choice is made once and recorded."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from chainrule.core import missing, switched_off
from chainrule.engines.contract import Engine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import EngineError, InputError
from chainrule.limits import COUNT, check
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import Optimizer

ENGINES = ("auto", "reference", "native")

_logger = logging.getLogger("chainrule")
_said: set[str] = set()  # reasons for a slower engine that this process has logged


@dataclass(frozen=True)
class Choice:
    """The engine's name and the reason for it; `slower` where native was wanted and can't be had."""

    name: str
    reason: str
    slower: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"

    def say(self) -> None:
        """Log a slower engine, once for each reason, so that nothing falls back in silence."""
        if self.slower and self.reason not in _said:
            _said.add(self.reason)
            _logger.warning("training with the reference engine, in NumPy: %s", self.reason)


def native_missing() -> str | None:
    """Why the native engine can't be used at all, or None if it can."""
    return missing()


def choose(
    requested: str, network: Network, objective: Objective, optimizer: Optimizer, n_jobs: int | None = None
) -> tuple[Engine, Choice]:
    """The engine for a model: `"native"` raises where it can't, and `"auto"` records why it took another.

    `n_jobs` is the number of threads that the native engine may use; None lets it choose from the work.
    """
    if requested not in ENGINES:
        raise InputError(f'engine is {requested!r}; it must be "auto", "reference" or "native"')
    if n_jobs is not None:
        check("Model", "n_jobs", n_jobs, COUNT)
    if requested == "reference":
        return ReferenceEngine(network, objective), Choice("reference", "asked for")
    reason = native_missing()
    if reason is None:
        from chainrule.engines.native import NativeEngine, covers

        reason = covers(network, objective, optimizer)
        if reason is None:
            asked = requested == "native"
            choice = Choice("native", "asked for" if asked else "it covers the network, its losses and its optimizer")
            return NativeEngine(network, objective, n_jobs), choice
        reason = f"the native core doesn't cover the model: {reason}"
    if requested == "native":
        raise EngineError(f"the native engine can't be used: {reason}")
    return ReferenceEngine(network, objective), Choice("reference", reason, slower=not switched_off())
