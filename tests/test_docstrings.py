"""Docstrings as CONTRIBUTING promises: every public name says what each of its arguments is, and shows itself in use.

A method may be described where it was first declared: what overrides it says only what is its own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import chainrule
from chainrule.activations import ACTIVATIONS, get_activation
from chainrule.initializers import INITIALIZERS, get_initializer
from chainrule.losses import LOSSES, get_loss
from chainrule.metrics import METRICS, get_metric
from chainrule.optimizers import OPTIMIZERS, get_optimizer
from chainrule.schedules import SCHEDULES, get_schedule

TABLES: tuple[dict[str, Any], ...] = (ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, SCHEDULES)
PUBLIC = {
    thing.__name__: thing
    for thing in [
        *(getattr(chainrule, name) for name in chainrule.__all__ if name != "__version__"),
        *(cls for table in TABLES for cls in table.values()),
        *(metric.function for metric in METRICS.values()),
        get_activation, get_initializer, get_loss, get_metric, get_optimizer, get_schedule,
    ]
    if not (inspect.isclass(thing) and issubclass(thing, Exception))
}  # fmt: skip


def members(cls: type) -> dict[str, Callable]:
    """The public methods that are ours."""
    found = inspect.getmembers(cls, lambda member: inspect.isfunction(member) or inspect.ismethod(member))
    return {n: f for n, f in found if not n.startswith("_") and f.__module__.startswith("chainrule")}


def words(thing: Any, cls: type | None = None) -> str:
    """The docstring; of a class or a method together with those that it builds on."""
    if cls is None:
        bases = thing.__mro__ if inspect.isclass(thing) else (thing,)
        return "\n".join(inspect.getdoc(base) or "" for base in bases if base.__module__.startswith("chainrule"))
    owners = [vars(base)[thing.__name__] for base in cls.__mro__ if thing.__name__ in vars(base)]
    return "\n".join(inspect.getdoc(owner) or "" for owner in owners)


def undocumented(thing: Any, cls: type | None = None) -> list[str]:
    """The arguments that the section `Arguments:` doesn't say anything of."""
    section = "\n".join(re.findall(r"^Arguments:\n((?:[ ]+.*\n?|\n)*)", words(thing, cls), re.MULTILINE))
    named = re.findall(r"^    ([\w, *]+):", section, re.MULTILINE)
    named = [name.strip(" *") for names in named for name in names.split(",")]
    arguments = inspect.signature(thing).parameters.values()
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [one.name for one in arguments if one.name not in ("self", *named) and one.kind not in kinds]


def shown(thing: Any, cls: type | None = None) -> bool:
    """Whether an example of its own, or one of the class, has it."""
    if cls is None:
        return ">>>" in (thing.__doc__ or "")
    if ">>>" in words(thing, cls):
        return True
    every = [words(base) for base in cls.__mro__] + [words(other, cls) for other in members(cls).values()]
    lines = re.findall(r"^\s*(?:>>>|\.\.\.) (.*)$", "\n".join(every), re.MULTILINE)
    return any(re.search(rf"(?:\.|def ){thing.__name__}\(", line) for line in lines)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_argument_is_documented_and_every_name_has_an_example(name: str) -> None:
    thing = PUBLIC[name]
    faults = [f"{name}: {one}" for one in undocumented(thing)]
    faults += [f"{name}: no example"] * (not shown(thing))
    for method, function in members(thing).items() if inspect.isclass(thing) else ():
        faults += [f"{name}.{method}: {one}" for one in undocumented(function, thing)]
        faults += [f"{name}.{method}: no example"] * (not shown(function, thing))
    assert not faults, "\n".join(faults)
