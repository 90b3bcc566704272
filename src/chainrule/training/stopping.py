"""When training stops: each reason a small frozen rule, its memory kept beside it so that it can be saved.

A rule looks at the record of an epoch and at how far the weights moved, and answers with a reason to stop, or None.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import InputError, listed
from chainrule.limits import COUNT, NOT_NEGATIVE, NUMBER, POSITIVE, Limited
from chainrule.metrics import higher_is_better
from chainrule.training.history import EpochRecord

Memory = dict[str, Any]


@dataclass(frozen=True)
class Epoch:
    """What a rule looks at: the epoch's record, and the weights before and after it."""

    record: EpochRecord
    before: Array
    after: Array


@dataclass(frozen=True)
class Stop(Limited):
    """What every stopping rule has. Your own: subclass it as a frozen dataclass, and give `look`.

    >>> @dataclass(frozen=True)
    ... class Enough(Stop):
    ...     name = "enough"
    ...
    ...     def look(self, epoch, memory):
    ...         return "five epochs are enough" if epoch.record.epoch == 5 else None
    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error")
    >>> model.fit([[1.0]], [2.0], epochs=50, stop=Enough()).stopped_by
    'five epochs are enough'
    """

    name: ClassVar[str]
    _remembers: ClassVar[frozenset[str] | None] = None  # the names in its memory, where no others will do

    def check_memory(self, memory: Memory) -> None:
        """Raise an `InputError` for what another rule remembered: a resumed fit has the rules of the one before.

        Arguments:
            memory: what was saved.

        >>> EarlyStopping().check_memory({"best": 0.25, "best_epoch": 7})
        """
        if self._remembers is not None and memory and memory.keys() != self._remembers:
            raise InputError(
                f"{self} can't go on from what another stopping rule remembered ({listed(memory)}): "
                "hand in the stopping rules of the fit that is resumed"
            )

    def look(self, epoch: Epoch, memory: Memory) -> str | None:
        """A reason to stop after this epoch, or None.

        Arguments:
            epoch: its record, and the weights before and after it.
            memory: the rule's own, empty at first; it may be changed. Numbers, texts, lists and dicts with names in
                it are saved with the model (`save(training=True)`), so that a resumed fit knows them.
        """
        raise NotImplementedError

    @property
    def restores(self) -> bool:
        """Whether the weights of its best epoch come back at the end."""
        return False

    @property
    def allowed_seconds(self) -> float | None:
        """After how many seconds to stop even in the middle of an epoch, if ever."""
        return None

    def best_epoch(self, memory: Memory) -> int | None:
        """Which epoch is the best so far, for a rule that compares them.

        Arguments:
            memory: the rule's own.

        >>> TimeLimit(60).best_epoch({}) is None
        True
        """
        return None


@dataclass(frozen=True)
class EarlyStopping(Stop):
    """Stops when `monitor` hasn't improved by more than `min_delta` for `patience` epochs; the best weights come back.

    Arguments:
        patience: how many epochs may pass without an improvement.
        min_delta: what is no more than this is no improvement.
        monitor: a column of the history, such as "validation_accuracy"; "auto" is the validation loss where there is
            one, else the training loss.
        mode: whether less ("min") or more ("max") of it is better; "auto" knows that of chainrule's own.
        restore_best: False keeps the last weights.

    Raises:
        InputError: an option is outside of its limits; when it looks: what it watches isn't measured.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error", dtype="float64")
    >>> history = model.fit([[0.0], [1.0]], [0.0, 1.0], epochs=5000, stop=EarlyStopping(patience=5, min_delta=1e-3))
    >>> history.stopped_by.startswith("loss hasn't improved for 5 epochs (best ")
    True
    """

    patience: int = 10
    min_delta: float = 0.0
    monitor: str = "auto"
    mode: Literal["auto", "min", "max"] = "auto"
    restore_best: bool = True

    name = "early_stopping"
    _remembers = frozenset({"best", "best_epoch"})
    limits = {"patience": COUNT, "min_delta": NOT_NEGATIVE}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.monitor, str):
            raise InputError(f'EarlyStopping: monitor is {self.monitor!r}; it must be a name such as "validation_loss"')
        if self.mode not in ("auto", "min", "max"):
            raise InputError(f'EarlyStopping: mode is {self.mode!r}; it must be "auto", "min" or "max"')

    @property
    def restores(self) -> bool:
        """As `restore_best` says."""
        return self.restore_best

    def best_epoch(self, memory: Memory) -> int | None:
        """The epoch whose number was the best.

        >>> EarlyStopping().best_epoch({"best": 0.25, "best_epoch": 7})
        7
        """
        return memory.get("best_epoch")

    def look(self, epoch: Epoch, memory: Memory) -> str | None:
        record = epoch.record
        monitor = self.monitor
        if monitor == "auto":
            monitor = "loss" if record.validation_loss is None else "validation_loss"
        value = record.value(monitor)
        if value is None:
            there = ["loss", *record.metrics, *(f"validation_{name}" for name in record.validation_metrics)]
            raise InputError(f'early stopping watches "{monitor}", which isn\'t measured; there are {listed(there)}')
        more = higher_is_better(monitor) if self.mode == "auto" else self.mode == "max"
        sign = 1 if more else -1
        best = memory.get("best")
        if best is None or math.isnan(best) or sign * (value - best) > self.min_delta:
            memory.update(best=value, best_epoch=record.epoch)
        waited = record.epoch - memory["best_epoch"]
        if waited >= self.patience:
            best = f"best {memory['best']:.6g} in epoch {memory['best_epoch']}"
            return f"{monitor} hasn't improved for {waited} epochs ({best})"
        return None


@dataclass(frozen=True)
class ConvergedWeights(Stop):
    """Stops when an epoch hardly moved the weights: `|W_new - W_old| <= tolerance |W_old|` (2-norms).

    Arguments:
        tolerance: the part of their length, above 0.

    Raises:
        InputError: tolerance is not above 0.

    >>> from chainrule import SGD, Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error", SGD(0.1), dtype="float64")
    >>> history = model.fit([[0.0], [1.0]], [0.0, 1.0], epochs=5000, stop=ConvergedWeights(1e-3))
    >>> history.stopped_by.startswith("the weights converged: an epoch moved them by ")
    True
    """

    tolerance: float = 1e-4

    name = "converged_weights"
    limits = {"tolerance": POSITIVE}

    def look(self, epoch: Epoch, memory: Memory) -> str | None:
        moved = float(np.linalg.norm(epoch.after - epoch.before))
        length = float(np.linalg.norm(epoch.before))
        if moved <= self.tolerance * length:
            return (
                f"the weights converged: an epoch moved them by {moved / max(length, math.ulp(0)):.3g} of their length"
            )
        return None


@dataclass(frozen=True)
class LossBelow(Stop):
    """Stops when a loss is at or below a threshold.

    Arguments:
        threshold: the loss that is good enough.
        monitor: "loss", that of training, or "validation_loss".

    Raises:
        InputError: monitor is neither; when it looks: there is no validation set.

    >>> from chainrule import SGD, Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error", SGD(0.1), dtype="float64")
    >>> history = model.fit([[0.0], [1.0]], [0.0, 1.0], epochs=5000, stop=LossBelow(1e-3))
    >>> history.stopped_by.endswith(" is at most 0.001")
    True
    """

    threshold: float
    monitor: Literal["loss", "validation_loss"] = "loss"

    name = "loss_below"
    limits = {"threshold": NUMBER}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.monitor not in ("loss", "validation_loss"):
            raise InputError(f'LossBelow: monitor is {self.monitor!r}; it must be "loss" or "validation_loss"')

    def look(self, epoch: Epoch, memory: Memory) -> str | None:
        value = epoch.record.value(self.monitor)
        if value is None:
            raise InputError(f'LossBelow watches "{self.monitor}", which isn\'t measured: give a validation set')
        return f"{self.monitor} {value:.6g} is at most {self.threshold:g}" if value <= self.threshold else None


@dataclass(frozen=True)
class TimeLimit(Stop):
    """Stops after the step that ends `seconds` or more after the start of the fit.

    Arguments:
        seconds: how long it may take, above 0.

    Raises:
        InputError: seconds is not above 0.

    >>> from chainrule import Model, Network
    >>> model = Model(Network.mlp(1, [], 1), "squared_error")
    >>> model.fit([[1.0]], [2.0], epochs=10**6, stop=TimeLimit(0.01)).stopped_by
    'the time limit of 0.01 s'
    """

    seconds: float

    name = "time_limit"
    limits = {"seconds": POSITIVE}

    @property
    def allowed_seconds(self) -> float:
        """The limit."""
        return self.seconds

    def look(self, epoch: Epoch, memory: Memory) -> str | None:
        return f"the time limit of {self.seconds:g} s" if epoch.record.seconds >= self.seconds else None
