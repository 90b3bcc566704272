"""A model of a table: what its columns are taken for, and the network trained on them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from chainrule import __version__, container
from chainrule.activations import ActivationFunction, get_activation
from chainrule.arrays import AnyArray, Array
from chainrule.engines.choose import ENGINES, native_missing
from chainrule.errors import EngineError, InputError, did_you_mean, listed
from chainrule.layers import BatchNorm
from chainrule.limits import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Limited
from chainrule.model import Model
from chainrule.network import Network
from chainrule.optimizers import Optimizer, get_optimizer
from chainrule.random import check_seed
from chainrule.saving import damaged
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.preparation import PreparedTable, as_table, prepare_table
from chainrule.tables.scores import Baseline, Numbers, score
from chainrule.tables.target import TargetPlan, Task
from chainrule.training.batches import DEFAULT_BATCH, resolve_batch_size, rows_used
from chainrule.training.history import History
from chainrule.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation

_MOST_PARAMETERS: Final = 10**12


@dataclass(frozen=True)
class Settings(Limited):
    """How a table's network is built and trained; every field has a good default, and is checked here and now.

    `learning_rate` None is the optimizer's own. `batch_size="auto"` is 32 rows, fewer in small tables (a sixteenth of
    them, at least 8), so that an epoch has enough steps. `patience` epochs without a better validation loss end the
    training, and the best weights come back. `clip_norm` is the greatest norm of a step's gradient.

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
    dropout: float = 0.0
    batch_norm: bool = False
    l2: float = 1e-4
    clip_norm: float | None = None
    seed: int = 0
    engine: str = "auto"

    limits = {
        "learning_rate": POSITIVE, "epochs": COUNT, "patience": COUNT, "dropout": FRACTION, "l2": NOT_NEGATIVE,
        "clip_norm": POSITIVE,
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
        if self.engine not in ENGINES:
            raise InputError(f"engine is {self.engine!r}; it must be {listed(ENGINES)}")
        if self.engine == "native" and (missing := native_missing()):
            raise EngineError(f"the native engine can't be used: {missing}")
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
        """The network for a table: dense layers, softmax over classes or one linear output."""
        return Network.mlp(
            prepared.encoding.n_features,
            self.hidden,
            prepared.n_outputs,
            activation=self.activation,
            output="softmax" if prepared.target.classes else "linear",
            dropout=self.dropout,
            batch_norm=self.batch_norm,
        )

    def model(self, prepared: PreparedTable) -> Model:
        """The untrained model for a table: cross-entropy for classes, squared error of the standardized target."""
        network = self.network(prepared)
        count = network.count().total
        if count > _MOST_PARAMETERS:
            raise InputError(
                f"the network would have {count:,} parameters, more than fit into any memory: give fewer hidden units"
            )
        loss = "cross_entropy" if prepared.target.classes else "squared_error"
        return Model(network, loss, self.chosen_optimizer, l2=self.l2, seed=self.seed, engine=self.engine)

    def steps(self, prepared: PreparedTable) -> tuple[int, int]:
        """Rows of a batch, and steps of an epoch."""
        n_rows = len(prepared.train)
        size = self.batch_size
        if self.chosen_optimizer.full_batch:
            size = "full"
        elif size == "auto":
            size = min(DEFAULT_BATCH, max(8, n_rows // 16), n_rows)
        size = resolve_batch_size(size, n_rows)
        least = BatchNorm.least_rows if self.batch_norm and self.hidden else 1
        return size, -(-rows_used(n_rows, size, least) // size)


class TableModel:
    """A trained model that takes tables and answers in their own values.

    >>> model = TableModel.train("iris", target="target", progress=False)
    >>> model.test_scores["accuracy"] >= 0.9
    True
    >>> model.predict({"sepal length (cm)": [5.1], "sepal width (cm)": [3.5], "petal length (cm)": [1.4],
    ...                "petal width (cm)": [0.2]}).tolist()
    ['setosa']
    """

    def __init__(
        self,
        model: Model,
        encoding: TableEncoding,
        target: TargetPlan,
        baseline: Baseline,
        *,
        rows: dict[str, int] | None = None,
        test_scores: Numbers | None = None,
        test_baseline: Numbers | None = None,
    ):
        self.model = model
        self.encoding = encoding
        self.target = target
        self.baseline = baseline
        self.rows = rows or {}
        self.test_scores = test_scores or {}
        self.test_baseline = test_baseline or {}

    @classmethod
    def train(
        cls,
        table: Any,
        target: str,
        *,
        task: Task | str | None = None,
        validation: float = 0.15,
        test: float = 0.2,
        progress: bool | str = "auto",
        callbacks: Sequence[Any] = (),
        **settings: Any,
    ) -> TableModel:
        """Train a network on a table and score it on rows that it never saw.

        Arguments:
            table: a CSV or Parquet file, a data frame, columns by name such as `{"age": [31, 8]}`, or the name of one
                of scikit-learn's small data sets.
            target: the column to predict.
            task: `"classification"` or `"regression"`; found from the target when left out.
            validation, test: fractions of the rows held out for early stopping and for the final score.
            settings: the fields of `Settings`, such as `hidden=(64, 64)`, `epochs=200`, `dropout=0.1`.

        Raises:
            InputError: the table, the target or a setting can't be used; the message says why and what would be right.
        """
        chosen = make_settings(**settings)
        prepared = prepare_table(table, target, task=task, validation=validation, test=test, seed=chosen.seed)
        return cls.fit(prepared, chosen, progress=progress, callbacks=callbacks)

    @classmethod
    def fit(
        cls,
        prepared: PreparedTable,
        settings: Settings | None = None,
        *,
        progress: bool | str = "auto",
        callbacks: Sequence[Any] = (),
    ) -> TableModel:
        """Train on a prepared table."""
        settings = settings or Settings()
        model = settings.model(prepared)
        held_out = (prepared.validation.X, prepared.validation.y) if len(prepared.validation) else None
        model.fit(
            prepared.train.X,
            prepared.train.y,
            epochs=settings.epochs,
            batch_size="full" if model.optimizer.full_batch else settings.steps(prepared)[0],
            validation=held_out,
            stop=EarlyStopping(settings.patience) if held_out else (),
            clip_norm=settings.clip_norm,
            progress=progress,
            callbacks=callbacks,
        )
        baseline = Baseline.fit(prepared.target, prepared.train.y)
        trained = cls(model, prepared.encoding, prepared.target, baseline, rows=prepared.rows)
        if len(prepared.test):
            trained.test_scores, trained.test_baseline = trained.evaluate(prepared.test_frame)
        return trained

    def __repr__(self) -> str:
        what = f"{self.target.name} ({self.target.task})"
        return f"<TableModel of {what} from {listed((c.name for c in self.encoding.columns), limit=4)}>"

    @property
    def history(self) -> History:
        """What happened in training, epoch by epoch."""
        return self.model.history

    def predict(self, table: Any) -> AnyArray:
        """The prediction for each row in the target's own values, shape (rows,)."""
        return self.predict_with_notes(table)[0]

    def predict_proba(self, table: Any) -> Array:
        """The probability of each class (in the order of `target.classes`) for each row, shape (rows, classes)."""
        if not self.target.classes:
            raise InputError(f'"{self.target.name}" is a number, not a class: there are no probabilities to predict')
        return self._outputs(table)[0]

    def predict_with_notes(self, table: Any) -> tuple[AnyArray, EncodingNotes]:
        """Predictions, and what was odd about the table (unseen categories, extra columns, missing values)."""
        outputs, notes = self._outputs(table)
        places = outputs.argmax(axis=1) if self.target.classes else outputs[:, 0]
        return self.target.decode(places), notes

    def evaluate(self, table: Any) -> tuple[Numbers, Numbers]:
        """Scores on a table that has the target, and those of the trivial baseline.

        Rows without a target are left out.
        """
        return self.evaluate_with_notes(table)[:2]

    def evaluate_with_notes(self, table: Any) -> tuple[Numbers, Numbers, EncodingNotes]:
        """Scores, those of the baseline, and what was odd about the table's rows."""
        frame = self.target.known_rows(as_table(table))
        if not frame.height:
            raise InputError(
                f'no row of the table has a value of the target "{self.target.name}": nothing can be scored'
            )
        outputs, notes = self._outputs(frame)
        if self.target.classes:
            truth = self.target.encode(frame)
        else:
            truth = self.target.values(frame)[:, None]
            outputs = self.target.decode(outputs)
        baseline = self.baseline.predict(len(truth))
        return score(self.target, truth, outputs), score(self.target, truth, baseline), notes

    def explain(
        self, table: Any, row: int | None = None, *, training: bool = False, notation: str = "ours"
    ) -> Derivation:
        """Every quantity of a forward and a backward pass over a table's rows, by name, with what each input means.

        Where the table has no target there is the forward pass alone.

        Arguments:
            row: one row of the table, from 1; left out, all rows as one batch.
            training, notation: as for `Model.explain`.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> work = model.explain("iris", row=17)
        >>> round(sum(work[f"h[output,{k}]"].value for k in (1, 2, 3)), 12)
        1.0
        """
        from chainrule.tables.explaining import explain

        return explain(self, table, row, training=training, notation=notation)

    def _outputs(self, table: Any) -> tuple[AnyArray, EncodingNotes]:
        X, notes = self.encoding.encode(as_table(table))
        outputs = self.model.predict(X) if len(X) else np.zeros((0, len(self.target.classes) or 1), dtype=np.float32)
        return outputs, notes

    def save(self, path: str | Path) -> None:
        """Save everything that prediction needs to one `.safetensors` file."""
        container.write(path, self.to_contents(), __version__)

    def to_contents(self) -> container.Contents:
        """What `save` writes: the model's contents, and the table's."""
        model = self.model.to_contents()
        table = {
            "encoding": self.encoding.to_dict(),
            "target": self.target.to_dict(),
            "baseline": asdict(self.baseline),
            "rows": self.rows,
            "test_scores": self.test_scores,
            "test_baseline": self.test_baseline,
        }
        return container.Contents("table", {"model": model.form, "table": table}, model.tensors)

    @classmethod
    def from_contents(cls, contents: container.Contents, *, engine: str = "auto") -> TableModel:
        """The table model of a file."""
        try:
            form, table = contents.form["model"], contents.form["table"]
            model = Model.from_contents(container.Contents("model", form, contents.tensors), engine=engine)
            baseline = Baseline(tuple(table["baseline"]["shares"]), table["baseline"]["mean"])
            encoding, target = (
                TableEncoding.from_dict(table["encoding"]),
                TargetPlan.from_dict(table["target"]),
            )
        except (KeyError, TypeError) as error:
            raise damaged(error) from error
        return cls(
            model, encoding, target, baseline,
            rows=table["rows"], test_scores=table["test_scores"], test_baseline=table["test_baseline"],
        )  # fmt: skip


def make_settings(**settings: Any) -> Settings:
    """Settings by name, or an error that names what there is."""
    known = [field.name for field in fields(Settings)]
    for name in settings:
        if name not in known:
            raise InputError(f'there is no setting "{name}".{did_you_mean(name, known)} There are {listed(known)}')
    return Settings(**settings)
