"""Arguments of earlier versions: they work for one version more, and each says what takes its place."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chainrule.errors import InputError
from chainrule.objective import Objective

_OF_OBJECTIVES = ("loss_weights", "reduction", "convention", "fuse")


def former_arguments(given: Mapping[str, Any], loss: object, threads: int | None) -> tuple[object, int | None, Any]:
    """What `Model` is to take instead of these: its loss, its threads, and its members (a number, or their start).

    Raises `TypeError` for what never was an argument.
    """
    of_objective = {name: value for name, value in given.items() if name in _OF_OBJECTIVES}
    for name in given:
        if name not in (*_OF_OBJECTIVES, "n_jobs", "members", "start"):
            raise TypeError(f"Model() got an unexpected keyword argument '{name}'")
    if of_objective:
        _warn(of_objective, f"Model(network, Objective(loss, {'=..., '.join(of_objective)}=...))")
        loss = replace(Objective.of(loss), **of_objective)
    if "n_jobs" in given:
        _warn(["n_jobs"], "Model(..., threads=...)")
        threads = given["n_jobs"]
    members: Any = 1
    if "members" in given or "start" in given:
        those = [name for name in ("members", "start") if name in given]
        _warn(those, "Model.ensemble(network, loss, members=...), a number or the parameters that each begins with")
        start = given.get("start")
        members = given.get("members", 1) if start is None else start
        if start is not None and len(start) != given.get("members", 1):
            raise InputError(
                f"start has the parameters of {len(start)} members, and members is {given.get('members', 1)}"
            )
    return loss, threads, members


def _warn(names: Any, instead: str) -> None:
    said = ", ".join(f"{name}=..." for name in names)
    warnings.warn(f"Model({said}) will go with the next version: say {instead}", DeprecationWarning, stacklevel=4)
