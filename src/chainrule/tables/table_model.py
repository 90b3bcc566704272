"""A model of a table: what its columns are taken for, and the network trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import __version__, container
from chainrule.arrays import AnyArray
from chainrule.errors import InputError, counted, listed
from chainrule.limits import COUNT
from chainrule.model import Model
from chainrule.plain import shortened
from chainrule.tables.answers import Answers
from chainrule.tables.calibration import Calibration, fit_temperature
from chainrule.tables.encoding import TableEncoding
from chainrule.tables.portfolio import Portfolio, train_portfolio
from chainrule.tables.preparation import PreparedTable
from chainrule.tables.recipe import TrainingPlan
from chainrule.tables.scores import Baseline, Numbers, score
from chainrule.tables.settings import Settings
from chainrule.tables.table_file import read_table_contents, write_table
from chainrule.tables.target import TargetPlan, Task
from chainrule.training.history import History

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation


class TableModel(Answers):
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
        oof_scores: out of fold: of each training row by the networks that didn't train on it.
        oof_baseline: the baseline's, of the same rows.
        oof_rows: how many rows those are.
        calibration: what was learned of them about answers.
        others: models of other kinds, whose answers count too.
        weights: how much each model's answers count, the first one's first.

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
        oof_scores: Numbers | None = None,
        oof_baseline: Numbers | None = None,
        oof_rows: int = 0,
        calibration: Calibration | None = None,
        others: Sequence[Model] = (),
        weights: Sequence[float] = (1.0,),
    ):
        self.model = model
        self.encoding = encoding
        self.target = target
        self.baseline = baseline
        self.rows = rows or {}
        self.test_scores = test_scores or {}
        self.test_baseline = test_baseline or {}
        self.oof_scores = oof_scores or {}
        self.oof_baseline = oof_baseline or {}
        self.oof_rows = oof_rows
        self.calibration = calibration or Calibration()
        self.models = (model, *others)
        self.weights = tuple(weights)
        self.left_out: dict[str, int] = {}

    @classmethod
    def train(
        cls,
        table: Any,
        target: str,
        *,
        task: Task | str | None = None,
        effort: str = "good",
        time_limit: float | None = None,
        validation: float | None = None,
        test: float = 0.2,
        group: str | None = None,
        progress: bool | str = "auto",
        callbacks: Sequence[Any] = (),
        **settings: Any,
    ) -> TableModel:
        """Train networks on a table and score them on rows that they never saw.

        Several are trained side by side; each leaves out another part of the rows (a fold) to know when to stop, and
        their mean is the prediction. From what each says of the rows that it left out come the scores of all training
        rows, probabilities that can be taken at their word, and intervals.

        Arguments:
            table: a CSV or Parquet file, a data frame, columns by name such as `{"age": [31, 8]}`, or the name of one
                of scikit-learn's small data sets.
            target: the column to predict.
            task: `"classification"` or `"regression"`; found from the target when left out.
            effort: `"quick"` trains one network, `"good"` several, `"best"` several of each of a few kinds, weighted by
                what they are worth.
            time_limit: seconds that training may take; what was learned until then is kept.
            validation: a fraction of the rows that each network holds out for early stopping, drawn by itself, in place
                of a fold; a single network holds out 0.15 when it is left out.
            test: a fraction of the rows held out for the final score.
            group: a column whose rows of one value stay together, in the same fold and on the same side of a split.
            progress: whether a bar is shown; "auto": on a terminal, of fits that last.
            callbacks: your own code at the epochs, as for `Model.fit`; called in each network's own thread.
            settings: the fields of `Settings`, such as `members=16`, `folds=5`, `hidden=(64, 64)`, `epochs=200`.

        Raises:
            InputError: the table, the target or a setting can't be used; the message says why and what would be right.
            DivergenceError: every network diverged.
        """
        plan = TrainingPlan.of(effort, validation, test, **settings)
        prepared, ways = plan.prepare(table, target, task=task, group=group)
        return cls.fit(
            prepared, ways, validation=plan.each_holds_out, time_limit=time_limit, progress=progress,
            callbacks=callbacks,
        )  # fmt: skip

    @classmethod
    def fit(
        cls,
        prepared: PreparedTable,
        settings: Settings | Sequence[Settings] | None = None,
        *,
        validation: float | None = None,
        time_limit: float | None = None,
        progress: bool | str = "auto",
        callbacks: Sequence[Any] = (),
    ) -> TableModel:
        """Train on a prepared table.

        Arguments:
            prepared: the table's parts as arrays, and how its columns are encoded: what `prepare_table` makes.
            settings: of the networks and their training, or of several kinds; left out, one network of the usual ones.
            validation: a fraction of the training rows that each network holds out, drawn by itself, in place of a fold
                or of what the table holds out from all.
            time_limit, progress, callbacks: as for `train`.

        >>> from chainrule.tables.preparation import prepare_table
        >>> TableModel.fit(prepare_table("iris", "target"), progress=False).target.classes
        ('setosa', 'versicolor', 'virginica')
        """
        ways = [settings or Settings()] if settings is None or isinstance(settings, Settings) else settings
        trained = train_portfolio(
            prepared, ways, validation=validation, time_limit=time_limit, progress=progress, callbacks=callbacks
        )
        target = prepared.target
        baseline = Baseline.fit(target, prepared.train.y)
        made = cls(
            trained.models[0], prepared.encoding, target, baseline, rows=prepared.rows, others=trained.models[1:],
            weights=trained.weights,
        )  # fmt: skip
        made.left_out = {"diverged": trained.diverged, "no time": trained.unbegun}
        made._learn_out_of_fold(trained, prepared)
        if len(prepared.test):
            made.test_scores, made.test_baseline = made.evaluate(prepared.test_frame)
        return made

    def _learn_out_of_fold(self, trained: Portfolio, prepared: PreparedTable) -> None:
        """Scores and the calibration from what the networks say of rows that they didn't train on."""
        truth, said = trained.truth, trained.out_of_fold
        answers: AnyArray = said
        if self.target.classes:
            own = fit_temperature(said, truth) if len(truth) else 1.0
            answers = Calibration(temperature=own).probabilities(said)
            if len(truth):
                self.calibration = Calibration(temperature=own / trained.softened)
        else:
            numbers, truth = self.target.decode(said)[:, 0], self.target.decode(truth)[:, None]
            every = self.target.decode(np.concatenate([prepared.train.y, prepared.validation.y]))
            self.calibration = Calibration.of_numbers(numbers, truth[:, 0], every)
            answers = self.calibration.numbers(numbers)[:, None]
        self.oof_rows = len(truth)
        if len(truth):
            self.oof_scores = score(self.target, truth, answers)
            self.oof_baseline = score(self.target, truth, self.baseline.predict(len(truth)))

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

    @property
    def histories(self) -> list[History]:
        """What happened in the training of each network."""
        return [history for model in self.models for history in model.histories]

    @property
    def members(self) -> int:
        """How many networks there are."""
        return sum(model.members for model in self.models)

    def explain(
        self,
        table: Any,
        row: int | None = None,
        *,
        member: int | str = 1,
        training: bool = False,
        notation: str = "ours",
    ) -> Derivation:
        """Every quantity of a forward and a backward pass over a table's rows, by name, with what each input means.

        Where the table has no target there is the forward pass alone.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.
            row: one row of the table, from 1; left out, all rows as one batch.
            member: which of the networks, from 1; or `"mean"`, all of them beside each other, and their mean.
            training, notation: as for `Model.explain`.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> work = model.explain("iris", row=17)
        >>> round(sum(work[f"h[output,{k}]"].value for k in (1, 2, 3)), 12)
        1.0
        """
        from chainrule.tables.explaining import explain

        return explain(self, table, row, member=member, training=training, notation=notation)

    def network(self, member: int | str) -> Model:
        """One of the networks as a model of its own, of what the encoding makes of rows.

        Arguments:
            member: which one, from 1; or `"mean"`, one in which all stand beside each other (see `Model.member`).

        Raises:
            InputError: there is none of that number, or there are several kinds whose mean is asked for.

        >>> model = TableModel.train("iris", target="target", members=3, epochs=1, progress=False)
        >>> model.network(3).members
        1
        """
        if member == "mean":
            if len(self.models) > 1:
                raise InputError(
                    f"the networks are of {len(self.models)} kinds, not one: ask for one by its number, "
                    f"{self._numbers_of_kinds()}; predict gives the mean of all"
                )
            return self.model.member("mean")
        number = member
        for model in self.models if COUNT.holds(member) else ():
            assert isinstance(number, int)
            if number <= model.members:
                return model.member(number) if model.members > 1 else model
            number -= model.members
        raise InputError(f'member is {member!r}; the model has {counted(self.members, "network")}, from 1, or "mean"')

    def _numbers_of_kinds(self) -> str:
        """Which numbers the networks of each kind have, and what they are, in words."""
        told, first = [], 1
        for model in self.models:
            last = first + model.members - 1
            told.append(f"{first} to {last}" if last > first else f"{first}")
            first = last + 1
        return listed(f"{numbers} of kind {kind}" for kind, numbers in enumerate(told, 1))

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
        """What `save` writes: the models' contents, and the table's.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> contents = model.to_contents()
        >>> contents.kind, TableModel.from_contents(contents).target.name
        ('table', 'target')
        """
        return write_table(self)

    @classmethod
    def from_contents(cls, contents: container.Contents, *, engine: str = "auto") -> TableModel:
        """The table model of a file.

        Arguments:
            contents: what `to_contents` gave.
            engine: who computes, as for `Model`.

        Raises:
            FileError: something is missing from the contents.
        """
        return cls(**read_table_contents(contents, engine))
