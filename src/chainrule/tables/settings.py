"""How a table's network is built and trained: settings by name, each with a good default."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from chainrule.activations import ActivationFunction, get_activation
from chainrule.engines.choose import check_engine
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.layers import BatchNorm
from chainrule.limits import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Limit, Limited, check
from chainrule.losses import CrossEntropy
from chainrule.model import Model
from chainrule.network import Network
from chainrule.objective import Objective
from chainrule.optimizers import Optimizer, get_optimizer
from chainrule.random import check_seed
from chainrule.tables.preparation import PreparedTable
from chainrule.tables.table_network import table_network
from chainrule.tables.targets import usual_weight
from chainrule.training.batches import resolve_batch_size, rows_used

_MOST_PARAMETERS: Final = 10**12
_BATCHES: Final = ((3_000, 32), (30_000, 128), (100_000, 256), (math.inf, 512))  # up to so many rows, so many in one


@dataclass(frozen=True)
class Settings(Limited):
    """How a table's network is built and trained; every field has a good default, and is checked here and now.

    `learning_rate` None is the optimizer's own. `batch_size="auto"` is 32 rows; fewer in small tables (a sixteenth of
    them, at least 8), so that an epoch has enough steps, and more in large ones (128 beyond 3,000 rows). `patience`
    epochs without a better validation loss end the training, and the best weights come back. `clip_norm` is the
    greatest norm of a step's gradient. `bins` is into how many pieces a function of each number is divided that stands
    beside the number itself; 0 takes the number alone. `label_smoothing` is the share of each class target that is
    spread over all classes. `members` networks are trained side by side, member i with
    `seed + i`; `folds` is into how many parts the rows are dealt, one of which each member leaves out, None for as many
    as members. `loss_weights` says of several targets by name how much each one's loss counts, 1 where it says nothing;
    before that each is divided by what the trivial answer costs.

    >>> Settings(dropout=1.5)
    Traceback (most recent call last):
        ...
    chainrule.errors.InputError: Settings: dropout is 1.5; it must be a number in [0, 1)
    """

    hidden: Sequence[int] = (64, 64)
    activation: str | ActivationFunction = "relu"
    optimizer: str | Optimizer = "adam"
    learning_rate: float | None = None
    batch_size: int | str = "auto"
    epochs: int = 200
    patience: int = 20
    label_smoothing: float = 0.0
    dropout: float = 0.0
    bins: int = 0
    batch_norm: bool = False
    l2: float = 1e-4
    clip_norm: float | None = None
    seed: int = 0
    engine: str = "auto"
    members: int = 1
    folds: int | None = None
    loss_weights: Mapping[str, float] | None = None

    limits = {
        "learning_rate": POSITIVE, "epochs": COUNT, "patience": COUNT, "dropout": FRACTION, "l2": NOT_NEGATIVE,
        "bins": Limit(0, 1000, whole=True),
        "label_smoothing": FRACTION, "clip_norm": POSITIVE, "members": COUNT, "folds": Limit(2, whole=True),
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        for units in self.hidden if isinstance(self.hidden, Sequence) else (None,):
            if not COUNT.holds(units):
                raise InputError(
                    f"hidden is {self.hidden!r}; it must be the units of each hidden layer, as in (64, 64)"
                )
        check_seed(self.seed)
        resolve_batch_size(self.batch_size, sys.maxsize)
        activation = get_activation(self.activation)
        if self.hidden and not activation.trainable:
            raise InputError(
                f'activation "{activation.name}" can\'t be trained through: its derivative is zero wherever it exists. '
                'Use "sigmoid", its smooth form'
            )
        check_engine(self.engine)
        if self.loss_weights is not None:
            if not isinstance(self.loss_weights, Mapping):
                raise InputError(f'loss_weights is {self.loss_weights!r}; say it by target, as in {{"age": 2}}')
            named = {str(name): weight for name, weight in self.loss_weights.items()}
            for name, weight in named.items():
                check("loss_weights", name, weight, POSITIVE)
            object.__setattr__(self, "loss_weights", named)
        self._check_full_batch()

    def _check_full_batch(self) -> None:
        """L-BFGS finds its own step length, takes all rows at once, and compares losses, which dropout makes random."""
        optimizer = self.chosen_optimizer
        if not optimizer.full_batch:
            return
        if self.batch_size not in ("auto", "full"):
            raise InputError(
                f'optimizer "{optimizer.name}" takes all rows at once: leave batch_size out, or say "full"'
            )
        if self.clip_norm is not None:
            raise InputError(f'optimizer "{optimizer.name}" needs whole gradients: leave clip_norm out')
        if self.dropout:
            raise InputError(
                f'optimizer "{optimizer.name}" refuses dropout: it compares losses between evaluations, and a new '
                'random mask each time changes the loss itself. Leave dropout out, or train with "adam"'
            )

    @property
    def chosen_optimizer(self) -> Optimizer:
        """The optimizer, with the learning rate if one is given."""
        optimizer = get_optimizer(self.optimizer)
        if self.learning_rate is None:
            return optimizer
        if optimizer.full_batch:
            raise InputError(
                f'optimizer "{optimizer.name}" finds the length of its steps itself: leave learning_rate out'
            )
        return replace(optimizer, learning_rate=self.learning_rate)

    def network(self, prepared: PreparedTable) -> Network:
        """The network for a table: softmax over classes or one linear output, for each target."""
        self._check_targets(prepared)
        return table_network(
            prepared, self.hidden, bins=self.bins, activation=self.activation, dropout=self.dropout,
            batch_norm=self.batch_norm,
        )  # fmt: skip

    def model(self, prepared: PreparedTable) -> Model:
        """The untrained model for a table: cross-entropy for classes, squared error of the standardized target."""
        network = self.network(prepared)
        count = network.count().total
        if count > _MOST_PARAMETERS:
            raise InputError(
                f"the network would have {count:,} parameters, more than fit into any memory: give fewer hidden units"
            )
        losses = [CrossEntropy(self.label_smoothing) if t.classes else "squared_error" for t in prepared.targets]
        loss = Objective(dict(zip(prepared.heads, losses, strict=True)), self._weights(prepared))
        return Model(network, loss, self.chosen_optimizer, l2=self.l2, seed=self.seed, engine=self.engine)

    def _weights(self, prepared: PreparedTable) -> dict[str, float] | None:
        """The weight of each head's loss; of a single head it changes nothing."""
        names, given = [target.name for target in prepared.targets], self.loss_weights or {}
        if len(names) == 1:
            return None
        weights = [usual_weight(target, y) for target, y in zip(prepared.targets, prepared.train.ys, strict=True)]
        return {
            head: weight * given.get(name, 1.0)
            for head, name, weight in zip(prepared.heads, names, weights, strict=True)
        }

    def _check_targets(self, prepared: PreparedTable) -> None:
        """Raise an `InputError` where settings don't go with the targets."""
        names = [target.name for target in prepared.targets]
        for name in self.loss_weights or {}:
            if name not in names:
                near = did_you_mean(name, names)
                raise InputError(f'loss_weights: there is no target "{name}".{near} There are {listed(names)}')
        if self.label_smoothing and prepared.task == "regression":
            what = "the target is a number" if len(names) == 1 else "all targets are numbers"
            raise InputError(
                f"label_smoothing is {self.label_smoothing:g}, and {what}: leave it out, "
                'or say that the task is "classification"'
            )

    def steps(self, prepared: PreparedTable, own: int | None = None) -> tuple[int, int]:
        """Rows of a batch, and steps of an epoch, for a network that trains on its own so many of the training rows."""
        n_rows = len(prepared.train) if own is None else own
        size = self.batch_size
        if self.chosen_optimizer.full_batch:
            size = "full"
        elif size == "auto":
            size = min(up_to(_BATCHES, n_rows), max(8, n_rows // 16), n_rows)
        size = resolve_batch_size(size, n_rows)
        least = BatchNorm.least_rows if self.batch_norm and self.hidden else 1
        return size, -(-rows_used(n_rows, size, least) // size)


def up_to(table: Iterable[tuple[float, int]], rows: int) -> int:
    """What a table says for so many rows: `((10, 1), (math.inf, 2))` says 1 up to 10, and 2 beyond.

    >>> up_to(((10, 1), (math.inf, 2)), 11)
    2
    """
    return next(value for most, value in table if rows <= most)


def make_settings(**settings: Any) -> Settings:
    """Settings by name, or an error that names what there is."""
    known = [field.name for field in fields(Settings)]
    for name in settings:
        if name not in known:
            raise InputError(f'there is no setting "{name}".{did_you_mean(name, known)} There are {listed(known)}')
    return Settings(**settings)
