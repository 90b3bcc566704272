"""The recipe: from a table's size and task to the network, its training, and how many of them.

Everything that is decided for somebody who says nothing stands here. What is said goes before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chainrule.errors import InputError, did_you_mean
from chainrule.optimizers import AdamW, get_optimizer
from chainrule.tables.preparation import PreparedTable, prepare_table
from chainrule.tables.settings import Settings, make_settings, up_to
from chainrule.tables.splits import check_fractions
from chainrule.tables.target import Task
from chainrule.tables.wishes import Wishes

EFFORTS: Final = ("quick", "good", "best")
HELD_OUT: Final = 0.15  # of the rows, by a single network
MEMBERS: Final = ((20_000, 8), (100_000, 5), (math.inf, 3))  # up to so many rows, so many networks
# Tables of more encoded columns have narrower layers and no pieces, and of still more, fewer members.
WIDE: Final = 2_000
WIDEST: Final = 10_000
NARROW: Final = 64  # units of each layer
FEW: Final = 3  # members

# What "good" trains.
_BOTH: Final[dict[str, Any]] = {"activation": "silu", "bins": 32, "l2": 0.0, "epochs": 200}
USUAL: Final[dict[Task, dict[str, Any]]] = {
    "classification": {
        **_BOTH, "hidden": (256, 256), "dropout": 0.2, "optimizer": AdamW(weight_decay=0.3), "patience": 10,
    },
    "regression": {
        **_BOTH, "hidden": (256, 256, 256), "dropout": 0.15, "optimizer": AdamW(weight_decay=0.02), "patience": 12,
    },
}  # fmt: skip
# What differs in each kind that "best" trains, and in the one network of "quick".
PORTFOLIO: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"hidden": (384, 384, 384), "bins": 64, "dropout": 0.3},
    {"hidden": (512,), "bins": 16},
    {"activation": "relu", "hidden": (256, 256, 256), "dropout": 0.1},
    {"activation": "selu", "dropout": 0.1, "optimizer": AdamW(2e-3, weight_decay=0.05)},
)
QUICK: Final[dict[str, Any]] = {"hidden": (128, 128), "dropout": 0.2, "patience": 8}


def recipe(prepared: PreparedTable, effort: str = "good", **given: Any) -> tuple[Settings, ...]:
    """What to train on a table: one kind of network, or for `"best"` several to weigh against each other.

    Arguments:
        prepared: the table.
        effort: `"quick"` is one network, `"good"` several with folds, `"best"` several of each of a few kinds.
        given: settings that are decided already.

    >>> prepared = prepare_table("iris", "target", validation=None)
    >>> [(settings.members, settings.folds, settings.hidden) for settings in recipe(prepared, hidden=(8,))]
    [(8, 8, (8,))]
    """
    team = {} if _is_single(effort, given) else _team(prepared, given)
    usual = USUAL[prepared.task]
    kinds = PORTFOLIO if effort == "best" else (QUICK,) if effort == "quick" else ({},)
    made: list[Settings] = []
    for kind in kinds:
        settings = Settings(**{**_fitting(_narrowed({**usual, **kind}, prepared), given), **team, **given})
        if settings not in made:  # what is given may have made two of them the same
            made.append(settings)
    return tuple(made)


def _fitting(kind: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A kind without what doesn't go with the settings that are given."""
    fitting = dict(kind)
    if "optimizer" in given:
        fitting["l2"] = Settings.l2
        if get_optimizer(given["optimizer"]).full_batch:
            fitting |= {"dropout": 0.0}
    if not given.get("hidden", True):  # without a hidden layer a network is linear in its numbers
        fitting["bins"] = 0
    return fitting


def _narrowed(kind: Mapping[str, Any], prepared: PreparedTable) -> dict[str, Any]:
    """A kind for a table of so many encoded columns: what each of them costs falls where there are thousands."""
    if prepared.encoding.n_features <= WIDE:
        return dict(kind)
    return {**kind, "bins": 0, "hidden": tuple(min(units, NARROW) for units in kind["hidden"])}


def _team(prepared: PreparedTable, given: Mapping[str, Any]) -> dict[str, int]:
    """How many members, and folds: a fold should have two rows, and no fold goes without a member."""
    n_rows = len(prepared.train)
    members, usual = given.get("members"), up_to(MEMBERS, n_rows)
    if prepared.encoding.n_features > WIDEST:
        usual = min(usual, FEW)
    folds = given.get("folds") or min(members or usual, max(2, n_rows // 2))
    return {"members": members or max(folds, usual), "folds": folds}


@dataclass(frozen=True)
class TrainingPlan:
    """What is decided before the table is read: settings that somebody gave, and who holds out which rows.

    `test` is the fraction of the rows for the final score, `shared` the one that a single network holds out from
    training. Several networks each leave out `each_holds_out` of the rest, drawn by themselves, or folds where it is
    None.

    >>> TrainingPlan.of("quick").shared, TrainingPlan.of("good").shared, TrainingPlan.of("good").each_holds_out
    (0.15, None, None)
    """

    effort: str
    given: Mapping[str, Any]
    test: float
    shared: float | None
    each_holds_out: float | None

    @classmethod
    def of(cls, effort: str = "good", validation: float | None = None, test: float = 0.2, **given: Any) -> TrainingPlan:
        """The plan, checked as far as it can be without a table.

        Arguments:
            effort: one of `EFFORTS`.
            validation, test: fractions of all rows; where validation is left out the recipe decides.
            given: fields of `Settings`.

        Raises:
            InputError: there is no such effort, or settings can't be or don't go together.
        """
        make_settings(**given)
        if effort not in EFFORTS:
            near = did_you_mean(str(effort), EFFORTS)
            raise InputError(f'effort is {effort!r}; it must be "quick", "good" or "best".{near}')
        folds, members = given.get("folds"), given.get("members")
        single = _is_single(effort, given)
        if folds and (single or validation is not None):
            why = "one network leaves" if single else "with validation each network leaves"
            raise InputError(f"folds is {folds}: {why} out a part of the rows in place of a fold; leave folds out")
        if folds and members and members < folds:
            raise InputError(f"folds is {folds}, members {members}: each fold is left out by a network of its own")
        if single:
            return cls(effort, given, test, HELD_OUT if validation is None else validation, None)
        if validation is None:
            return cls(effort, given, test, None, None)
        check_fractions(validation, test)
        return cls(effort, given, test, None if validation else 0.0, validation / (1 - test))

    def prepare(
        self,
        table: Any,
        target: str | Sequence[str],
        *,
        task: Task | str | Mapping[str, Task | str] | None = None,
        group: str | None = None,
        wishes: Wishes | None = None,
    ) -> tuple[PreparedTable, tuple[Settings, ...]]:
        """The table, made ready, and what to train on it.

        Arguments:
            table, target, task, group: as for `TableModel.train`.
            wishes: what is said of the table's file and columns.
        """
        prepared = prepare_table(
            table, target, task=task, validation=self.shared, test=self.test, seed=self.given.get("seed", 0),
            group=group, wishes=wishes,
        )  # fmt: skip
        return prepared, recipe(prepared, self.effort, **self.given)


def _is_single(effort: str, given: Mapping[str, Any]) -> bool:
    """Whether it is one network, with a held-out part in place of folds."""
    return given.get("members") == 1 or (effort == "quick" and given.get("members") is None)
