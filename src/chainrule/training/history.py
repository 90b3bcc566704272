"""What happened in training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.errors import InputError, did_you_mean, listed

if TYPE_CHECKING:
    from chainrule.plots.picture import Picture

Tensors = dict[str, AnyArray]
_METRICS: Final = ("metrics", "validation_metrics")
_NUMBERS: Final = ("loss", "learning_rate", "seconds", "validation_loss")


@dataclass(frozen=True)
class EpochRecord:
    """One epoch. Losses are means over the epoch's steps, penalties included; validation is after its last step.

    `learning_rate` is that of the last step; `seconds` counts from the start of the fit.
    """

    epoch: int
    step: int
    loss: float
    learning_rate: float
    seconds: float
    validation_loss: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    validation_metrics: dict[str, float] = field(default_factory=dict)

    def value(self, name: str) -> float | None:
        """A number by its name: `"loss"`, `"validation_loss"`, `"accuracy"`, `"validation_accuracy"`."""
        if name in _NUMBERS:
            return getattr(self, name)
        if name in self.metrics:
            return self.metrics[name]
        return self.validation_metrics.get(name.removeprefix("validation_")) if name.startswith("validation_") else None


@dataclass(repr=False)
class History:
    """The record of every epoch, and why training stopped.

    Arguments:
        epochs: their records, in order.
        stopped_by: why training ended: "epochs", "interrupted", "a callback", or what a stopping rule said.
        best_epoch: whose weights came back, where a rule restored them.
        best_by: the rule that calls it so: the one that stopped the fit, if it restores, else the first that does.

    >>> history = History([EpochRecord(1, 10, 0.5, 0.01, 0.1), EpochRecord(2, 20, 0.25, 0.01, 0.2)], "epochs")
    >>> history["loss"], len(history)
    ([0.5, 0.25], 2)
    >>> History.from_dict(history.to_dict()) == history
    True
    """

    epochs: list[EpochRecord] = field(default_factory=list)
    stopped_by: str = ""
    best_epoch: int | None = None
    best_by: str = ""

    def __getitem__(self, name: str) -> list[float | None]:
        """One number of every epoch, by its name; None where an epoch has none.

        Raises:
            InputError: no epoch has a number of that name.
        """
        known = self._names()
        if self.epochs and name not in known:
            raise InputError(f'the history has no "{name}".{did_you_mean(name, known)} It has {listed(known)}')
        return [record.value(name) for record in self.epochs]

    def columns(self) -> dict[str, list[Any]]:
        """Every number of every epoch by its name: what a data frame takes, to look at or to plot.

        `pandas.DataFrame(history.columns()).plot(x="epoch", y=["loss", "validation_loss"])`

        >>> History([EpochRecord(1, 10, 0.5, 0.01, 0.1, metrics={"accuracy": 0.75})]).columns()["accuracy"]
        [0.75]
        """
        counted = {name: [getattr(record, name) for record in self.epochs] for name in ("epoch", "step")}
        numbers = {name: [record.value(name) for record in self.epochs] for name in self._names()}
        return counted | {name: values for name, values in numbers.items() if any(v is not None for v in values)}

    def _names(self) -> dict[str, None]:
        names = dict.fromkeys(_NUMBERS)
        for record in self.epochs:
            names |= dict.fromkeys((*record.metrics, *(f"validation_{name}" for name in record.validation_metrics)))
        return names

    def plot(self, *, rates: bool = False) -> Picture:
        """The loss curves, and the metrics below them: what `plots.losses` draws, which notebooks show.

        Arguments:
            rates: whether the learning rates are drawn too.

        Raises:
            InputError: there is no epoch.
            MissingDependencyError: matplotlib isn't installed.

        >>> History([EpochRecord(1, 10, 0.5, 0.01, 0.1), EpochRecord(2, 20, 0.25, 0.01, 0.2)]).plot()
        <Picture: Loss by epoch>
        """
        from chainrule.plots.loss_curves import losses

        return losses(self, rates=rates)

    def __repr__(self) -> str:
        if self.last is None:
            return "<History of no epochs>"
        held_out = "" if self.last.validation_loss is None else f", validation loss {self.last.validation_loss:.6g}"
        epochs = f"{len(self)} epoch{'' if len(self) == 1 else 's'}"
        stopped = f"; stopped by: {self.stopped_by}" if self.stopped_by else ""
        return f"<History of {epochs}: loss {self.last.loss:.6g}{held_out}{stopped}>"

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[EpochRecord]:
        return iter(self.epochs)

    @property
    def last(self) -> EpochRecord | None:
        """The last epoch's record."""
        return self.epochs[-1] if self.epochs else None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "epochs": [asdict(record) for record in self.epochs],
            "stopped_by": self.stopped_by,
            "best_epoch": self.best_epoch,
            "best_by": self.best_by,
        }

    @classmethod
    def from_dict(cls, form: dict[str, Any]) -> History:
        """The history of a JSON form; the inverse of `to_dict`.

        Arguments:
            form: what `to_dict` gave.
        """
        records = [EpochRecord(**entry) for entry in form["epochs"]]
        return cls(records, form["stopped_by"], form["best_epoch"], form.get("best_by", ""))

    def to_tensors(self) -> tuple[Tensors, dict[str, Any]]:
        """Its numbers as one tensor for each column, and the rest in JSON form: what files hold.

        Seconds are left out: they are measured, and have a place of their own in a file.

        >>> tensors, form = History([EpochRecord(1, 10, 0.5, 0.01, 0.1)], "epochs").to_tensors()
        >>> tensors["loss"].tolist(), form["stopped_by"]
        ([0.5], 'epochs')
        >>> History.from_tensors(tensors, np.array([0.1]), form)["loss"]
        [0.5]
        """
        tensors: Tensors = {}
        for name in ("epoch", "step"):
            tensors[name] = np.array([getattr(record, name) for record in self.epochs], np.int64)
        for name in ("loss", "learning_rate", "validation_loss"):
            tensors |= _column(name, [getattr(record, name) for record in self.epochs])
        form: dict[str, Any] = {
            "stopped_by": self.stopped_by, "best_epoch": self.best_epoch, "best_by": self.best_by,
        }  # fmt: skip
        for group in _METRICS:
            form[group] = list(dict.fromkeys(name for record in self.epochs for name in getattr(record, group)))
            for name in form[group]:
                tensors |= _column(f"{group}/{name}", [getattr(record, group).get(name) for record in self.epochs])
        return tensors, form

    @classmethod
    def from_tensors(cls, tensors: Tensors, seconds: AnyArray, form: dict[str, Any]) -> History:
        """The inverse of `to_tensors`.

        Arguments:
            tensors: what `to_tensors` gave.
            seconds: how long each epoch took, shape (epochs,).
            form: the rest, as `to_tensors` gave it.

        Raises:
            KeyError, TypeError, ValueError: it can't have written these.
        """
        n_epochs = len(seconds)

        def numbers(name: str, kind: type = np.float64) -> list[Any]:
            values: list[Any] = _row(tensors[name], n_epochs, kind).tolist()
            if f"{name}?" not in tensors:
                return values
            there = _row(tensors[f"{name}?"], n_epochs, np.bool_).tolist()
            return [value if known else None for value, known in zip(values, there, strict=True)]

        def groups(group: str) -> list[dict[str, float]]:
            names = [str(name) for name in form[group]]
            columns = [numbers(f"{group}/{name}") for name in names]
            rows = zip(*columns, strict=True) if columns else ((),) * n_epochs
            return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]

        records = zip(
            numbers("epoch", np.int64), numbers("step", np.int64), numbers("loss"), numbers("learning_rate"),
            seconds.tolist(), numbers("validation_loss"), groups("metrics"), groups("validation_metrics"), strict=True,
        )  # fmt: skip
        stopped_by, best_epoch, best_by = form["stopped_by"], form["best_epoch"], form.get("best_by", "")
        texts = isinstance(stopped_by, str) and isinstance(best_by, str)
        if not texts or not (best_epoch is None or type(best_epoch) is int):
            raise ValueError(f"stopped by {stopped_by!r}, best epoch {best_epoch!r}")
        return cls([EpochRecord(*record) for record in records], stopped_by, best_epoch, best_by)


def _column(name: str, values: list[float | None]) -> Tensors:
    """Numbers as a tensor; where some epochs have none, a second one says which have."""
    there = np.array([value is not None for value in values], bool)
    numbers = np.array([0.0 if value is None else value for value in values], np.float64)
    return {name: numbers} if there.all() else {name: numbers, f"{name}?": there}


def _row(array: AnyArray, length: int, kind: type) -> AnyArray:
    if array.shape != (length,) or array.dtype != kind:
        raise ValueError(f"a column of {array.dtype} of shape {array.shape} in a history of {length} epochs")
    return array
