"""A model of a table: what its columns are taken for, and the network trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import __version__, container, forms
from chainrule.arrays import AnyArray, Array
from chainrule.errors import FileError, InputError, listed
from chainrule.model import Model
from chainrule.plain import shortened
from chainrule.saving import damaged
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.preparation import PreparedTable, as_table, prepare_table
from chainrule.tables.scores import Baseline, Numbers, score
from chainrule.tables.settings import Settings, make_settings
from chainrule.tables.target import TargetPlan, Task
from chainrule.training.history import History
from chainrule.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation


class TableModel:
    """A trained model that takes tables and answers in their own values.

    `TableModel.train` makes one.

    Arguments:
        model: the network that was trained on the table's numbers.
        encoding: how columns become numbers.
        target: what is predicted, and how numbers become its values.
        baseline: the answer without a look at the columns.
        rows: how many rows each part of the table had.
        test_scores: of the rows that training never saw.
        test_baseline: the baseline's, of the same rows.

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
            progress: whether a bar is shown; "auto": on a terminal, of fits that last.
            callbacks: your own code at the epochs, as for `Model.fit`.
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
        """Train on a prepared table.

        Arguments:
            prepared: the table's parts as arrays, and how its columns are encoded: what `prepare_table` makes.
            settings: of the network and its training; left out, the usual ones.
            progress, callbacks: as for `train`.

        >>> from chainrule.tables.preparation import prepare_table
        >>> TableModel.fit(prepare_table("iris", "target"), progress=False).target.classes
        ('setosa', 'versicolor', 'virginica')
        """
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

    def __copy__(self) -> TableModel:
        """A copy of its own, as of the model in it."""
        return deepcopy(self)

    def __repr__(self) -> str:
        what = f"{shortened(self.target.name)} ({self.target.task})"
        return f"<TableModel of {what} from {listed((c.name for c in self.encoding.columns), limit=4)}>"

    @property
    def history(self) -> History:
        """What happened in training, epoch by epoch."""
        return self.model.history

    def predict(self, table: Any) -> AnyArray:
        """The prediction for each row in the target's own values, shape (rows,).

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.

        Raises:
            InputError: a column is missing or can't be encoded (an infinite number, text among numbers): the message
                names it and the rows.
        """
        return self.predict_with_notes(table)[0]

    def predict_proba(self, table: Any) -> Array:
        """The probability of each class (in the order of `target.classes`) for each row, shape (rows, classes).

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.

        Raises:
            InputError: the target is a number, or a column is missing or can't be encoded.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> model.predict_proba("iris").shape
        (150, 3)
        """
        if not self.target.classes:
            raise InputError(f'"{self.target.name}" is a number, not a class: there are no probabilities to predict')
        return self._outputs(table)[0]

    def predict_with_notes(self, table: Any) -> tuple[AnyArray, EncodingNotes]:
        """Predictions, and what was odd about the table (unseen categories, extra columns, missing values).

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> predictions, notes = model.predict_with_notes("iris")
        >>> predictions.shape
        (150,)
        """
        outputs, notes = self._outputs(table)
        places = outputs.argmax(axis=1) if self.target.classes else outputs[:, 0]
        return self.target.decode(places), notes

    def evaluate(self, table: Any) -> tuple[Numbers, Numbers]:
        """Scores on a table that has the target, and those of the trivial baseline.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`. Rows
                without a target are left out.

        Raises:
            InputError: no row has a target, or a column is missing or can't be encoded.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> scores, baseline = model.evaluate("iris")
        >>> sorted(scores), round(baseline["accuracy"], 2)
        (['accuracy', 'log_loss'], 0.33)
        """
        return self.evaluate_with_notes(table)[:2]

    def evaluate_with_notes(self, table: Any) -> tuple[Numbers, Numbers, EncodingNotes]:
        """Scores, those of the baseline, and what was odd about the table's rows.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`. Rows
                without a target are left out.

        Raises:
            InputError: no row has a target, or a column is missing or can't be encoded.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> scores, baseline, notes = model.evaluate_with_notes("iris")
        >>> scores == model.evaluate("iris")[0]
        True
        """
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
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.
            row: one row of the table, from 1; left out, all rows as one batch.
            training, notation: as for `Model.explain`.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> work = model.explain("iris", row=17)
        >>> round(sum(work[f"h[output,{k}]"].value for k in (1, 2, 3)), 12)
        1.0
        """
        from chainrule.tables.explaining import explain

        return explain(self.model, self.encoding, self.target, table, row, training=training, notation=notation)

    def _outputs(self, table: Any) -> tuple[AnyArray, EncodingNotes]:
        X, notes = self.encoding.encode(as_table(table))
        outputs = self.model.predict(X) if len(X) else np.zeros((0, len(self.target.classes) or 1), dtype=np.float32)
        return outputs, notes

    def save(self, path: str | Path) -> None:
        """Save everything that prediction needs to one `.safetensors` file.

        Arguments:
            path: the file, which is replaced as a whole.

        Raises:
            FileError: there is no writing to it.

        >>> import tempfile
        >>> from chainrule import load
        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/iris.safetensors")
        ...     load(f"{folder}/iris.safetensors").target.name
        'target'
        """
        container.write(path, self.to_contents(), __version__)

    def to_contents(self) -> container.Contents:
        """What `save` writes: the model's contents, and the table's.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> contents = model.to_contents()
        >>> contents.kind, TableModel.from_contents(contents).target.name
        ('table', 'target')
        """
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
        """The table model of a file.

        Arguments:
            contents: what `to_contents` gave.
            engine: who computes, as for `Model`.

        Raises:
            FileError: something is missing from the contents.
        """
        try:
            form, table = contents.form["model"], contents.form["table"]
            model = Model.from_contents(container.Contents("model", form, contents.tensors), engine=engine)
            shares = tuple(forms.finite(share) for share in table["baseline"]["shares"])
            baseline = Baseline(shares, forms.finite(table["baseline"]["mean"]))
            encoding, target = TableEncoding.from_dict(table["encoding"]), TargetPlan.from_dict(table["target"])
            rows = {forms.text(name): forms.count(number) for name, number in table["rows"].items()}
            scores = [
                {forms.text(name): forms.number(score) for name, score in table[kind].items()}
                for kind in ("test_scores", "test_baseline")
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(error) from error
        width, units = (len(encoding.feature_names),), (max(len(target.classes), 1),)
        if list(model.network.input_shapes.values()) != [width] or [head.shape for head in model.network.heads] != [
            units
        ]:
            raise FileError(f"the file is damaged: the network doesn't make {units[0]} outputs of {width[0]} features")
        if len(shares) != len(target.classes) or (scores[0] and set(scores[0]) != set(scores[1])):
            raise FileError("the file is damaged: its baseline is of another task")
        return cls(model, encoding, target, baseline, rows=rows, test_scores=scores[0], test_baseline=scores[1])
