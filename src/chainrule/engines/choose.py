"""Which engine computes, and why: the choice is made once and recorded."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from chainrule.engines.contract import Engine
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import EngineError, InputError
from chainrule.limits import THREADS, check
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.optimizers import Optimizer

# Every engine there is, the fastest last: `auto` takes the last one that is there and covers a model.
ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (ReferenceEngine, NativeEngine)}
AUTO = "auto"

_logger = logging.getLogger("chainrule")
_said: set[str] = set()  # reasons for a slower engine that this process has logged


@dataclass(frozen=True)
class EngineChoice:
    """The engine's name and the reason for it; `slower` where a faster one was wanted and can't be had."""

    name: str
    reason: str
    slower: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"

    @property
    def brings_threads(self) -> bool:
        """Whether the engine has threads of its own; else they are those of NumPy's libraries."""
        return ENGINES[self.name].brings_threads

    def say(self) -> None:
        """Log a slower engine, once for each reason, so that nothing falls back in silence."""
        if self.slower and self.reason not in _said:
            _said.add(self.reason)
            medium = ENGINES[self.name].medium
            _logger.warning("training with the %s engine, %s: %s", self.name, medium, self.reason)


def engine_names() -> tuple[str, ...]:
    """What `engine` may be."""
    return (AUTO, *ENGINES)


def engine_choices(quote: str = "") -> str:
    """What `engine` may be, as a text: "auto, reference or native"."""
    *names, last = (f"{quote}{name}{quote}" for name in engine_names())
    return f"{', '.join(names)} or {last}"


def check_engine(requested: object) -> None:
    """Raise an `InputError` for what is no engine, an `EngineError` for one that this machine doesn't have.

    >>> check_engine("gpu")
    Traceback (most recent call last):
        ...
    chainrule.errors.InputError: engine is 'gpu'; it must be "auto", "reference" or "native"
    """
    if requested == AUTO:
        return
    if not isinstance(requested, str) or requested not in ENGINES:
        choices = engine_choices('"')
        raise InputError(f"engine is {requested!r}; it must be {choices}")
    missing = ENGINES[requested].missing()
    if missing is not None:
        raise EngineError(f"the {requested} engine can't be used: {missing}")


def choose(
    requested: str, network: Network, objective: NetworkObjective, optimizer: Optimizer, threads: int | None = None
) -> tuple[Engine, EngineChoice]:
    """The engine for a model: one asked for by name raises where it can't, `"auto"` records why it took a slower one.

    `threads` is the number of threads that an engine with threads of its own may use; None lets it choose.
    """
    check_engine(requested)
    if threads is not None:
        check("Model", "threads", threads, THREADS)
    if requested != AUTO:
        reason = ENGINES[requested].covers(network, objective, optimizer)
        if reason is not None:
            raise EngineError(f"the {requested} engine can't be used: {reason}")
        return ENGINES[requested](network, objective, threads), EngineChoice(requested, "asked for")
    reasons: list[str] = []  # why the faster ones can't
    slower = False
    for name, engine in reversed(ENGINES.items()):
        reason = engine.missing() or engine.covers(network, objective, optimizer)
        if reason is None:
            why = "; ".join(reasons) or "it covers the network, its losses and its optimizer"
            return engine(network, objective, threads), EngineChoice(name, why, slower)
        reasons.append(reason)
        slower = slower or not engine.switched_off()
    raise EngineError(f"no engine can be used: {'; '.join(reasons)}")
