"""A model of a table: what its columns are taken for, and the network trained on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import __version__, container
from chainrule.errors import InputError, counted, listed
from chainrule.limits import COUNT
from chainrule.model import Model
from chainrule.plain import shortened
from chainrule.tables.answers import Answers
from chainrule.tables.calibration import Calibration
from chainrule.tables.encoding import TableEncoding
from chainrule.tables.portfolio import train_portfolio
from chainrule.tables.preparation import PreparedTable
from chainrule.tables.recipe import TrainingPlan
from chainrule.tables.scores import Baseline
from chainrule.tables.settings import Settings
from chainrule.tables.table_file import read_table_contents, write_table
from chainrule.tables.table_head import TableHead
from chainrule.tables.table_reader import TableReader
from chainrule.tables.target import Task
from chainrule.tables.wishes import Wishes
from chainrule.training.history import History

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation


class TableModel(Answers):
    """A trained model that takes tables and answers in their own values.

    `TableModel.train` makes one.

    Arguments:
        model: the network that was trained on the table's numbers.
        encoding: how columns become numbers.
        heads: what is predicted: each target with its baseline, calibration and scores, in the order of the network's
            heads.
        rows: how many rows each part of the table had.
        others: models of other kinds, whose answers count too.
        weights: how much each model's answers count, the first one's first.
        reader: how the table's columns were written, so that others are read alike.

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
        heads: Sequence[TableHead],
        *,
        rows: dict[str, int] | None = None,
        others: Sequence[Model] = (),
        weights: Sequence[float] = (1.0,),
        reader: TableReader | None = None,
    ):
        self.model = model
        self.encoding = encoding
        self.heads = {head.target.name: head for head in heads}
        self.rows = rows or {}
        self.models = (model, *others)
        self.weights = tuple(weights)
        self.reader = reader or TableReader()
        self.left_out: dict[str, int] = {}

    @classmethod
    def train(
        cls,
        table: Any,
        target: str | Sequence[str],
        *,
        task: Task | str | Mapping[str, Task | str] | None = None,
        effort: str = "good",
        time_limit: float | None = None,
        validation: float | None = None,
        test: float = 0.2,
        group: str | None = None,
        drop: str | Sequence[str] = (),
        numeric: str | Sequence[str] = (),
        categorical: str | Sequence[str] = (),
        date: str | Sequence[str] = (),
        missing: str | Sequence[str] = (),
        header: bool = True,
        separator: str | None = None,
        encoding: str | None = None,
        max_categories: int | None = None,
        progress: bool | str = "auto",
        callbacks: Sequence[Any] = (),
        **settings: Any,
    ) -> TableModel:
        """Train networks on a table and score them on rows that they never saw.

        Several are trained side by side; each leaves out another part of the rows (a fold) to know when to stop, and
        their mean is the prediction. From what each says of the rows that it left out come the scores of all training
        rows, probabilities that can be taken at their word, and intervals.

        Arguments:
            table: a file (CSV, Parquet, Arrow, JSON lines, Excel ...; see `read_table`), a data frame, columns by name
                such as `{"age": [31, 8]}`, or the name of one of scikit-learn's small data sets.
            target: the column to predict; or several, as a list or with commas between them, which one network learns
                together, with a head for each. A row whose value of one is missing still teaches the others.
            task: `"classification"` or `"regression"`; found from the target when left out; of several targets by name.
            effort: `"quick"` trains one network, `"good"` several, `"best"` several of each of a few kinds, weighted by
                what they are worth.
            time_limit: seconds that training may take; what was learned until then is kept.
            validation: a fraction of the rows that each network holds out for early stopping, drawn by itself, in place
                of a fold; a single network holds out 0.15 when it is left out.
            test: a fraction of the rows held out for the final score.
            group: a column whose rows of one value stay together, in the same fold and on the same side of a split.
            drop, numeric, categorical, date: columns that are left out, or taken for what is said. Of a date
                `"when=%d/%m/%Y"` says how it is written, of numbers `"price=,"` which the decimal mark is.
            missing: texts that stand for a missing value, besides the usual ones.
            header: whether the first line of a text file holds the names; if not, they are `column_1`, `column_2` ...
            separator, encoding: of a text file; found when left out.
            max_categories: a column with more categories is left out.
            progress: whether a bar is shown; "auto": on a terminal, of fits that last.
            callbacks: your own code at the epochs, as for `Model.fit`; called in each network's own thread.
            settings: the fields of `Settings`, such as `members=16`, `folds=5`, `hidden=(64, 64)`, `epochs=200`.

        Raises:
            InputError: the table, the target or a setting can't be used; the message says why and what would be right.
            DivergenceError: every network diverged.
        """
        plan = TrainingPlan.of(effort, validation, test, **settings)
        wishes = Wishes.of(
            drop=drop, numeric=numeric, categorical=categorical, date=date, missing=missing, header=header,
            separator=separator, encoding=encoding, max_categories=max_categories,
        )  # fmt: skip
        prepared, ways = plan.prepare(table, target, task=task, group=group, wishes=wishes)
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
        heads = []
        for i, target in enumerate(prepared.targets):
            train, known = (y[~np.isnan(y)] for y in (prepared.train.ys[i], prepared.all_of(i)))
            baseline = Baseline.fit(target, train)
            heads.append(TableHead.learned(target, known, baseline, trained.judged[i]))
        made = cls(
            trained.models[0], prepared.encoding, heads, rows=prepared.rows, others=trained.models[1:],
            weights=trained.weights, reader=prepared.reader,
        )  # fmt: skip
        made.left_out = {"diverged": trained.diverged, "no time": trained.unbegun}
        if len(prepared.test) and any(rows.any() for rows in made.known(prepared.test_frame).values()):
            scores, baselines = made.evaluate(prepared.test_frame)
            for name, head in made.heads.items():
                own = (scores, baselines) if len(heads) == 1 else (scores.get(name, {}), baselines.get(name, {}))
                head.test_scores, head.test_baseline = own
        return made

    @property
    def baseline(self) -> Baseline:
        """The answer without a look at the columns; of several targets `head(name).baseline`."""
        return self._only("baseline").baseline

    @property
    def calibration(self) -> Calibration:
        """What out-of-fold rows taught about answers; of several targets `head(name).calibration`."""
        return self._only("calibration").calibration

    @property
    def test_scores(self) -> dict[str, Any]:
        """Scores of the rows that training never saw; of several targets by name."""
        return dict(self._of_each(lambda _, head: head.test_scores))

    @property
    def test_baseline(self) -> dict[str, Any]:
        """The baseline's scores of the same rows; of several targets by name."""
        return dict(self._of_each(lambda _, head: head.test_baseline))

    @property
    def oof_scores(self) -> dict[str, Any]:
        """Scores out of fold, of each training row by the networks that didn't train on it; of several by name."""
        return dict(self._of_each(lambda _, head: head.oof_scores))

    @property
    def oof_baseline(self) -> dict[str, Any]:
        """The baseline's scores of the same rows; of several targets by name."""
        return dict(self._of_each(lambda _, head: head.oof_baseline))

    @property
    def oof_rows(self) -> int:
        """How many rows were judged out of fold; of several targets, of the one that most rows know."""
        return max(head.oof_rows for head in self.heads.values())

    def __copy__(self) -> TableModel:
        """A copy of its own, as of the model in it."""
        return deepcopy(self)

    def __repr__(self) -> str:
        what = listed(f"{shortened(target.name)} ({target.task})" for target in self.targets)
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
        target: str | None = None,
        training: bool = False,
        notation: str = "ours",
    ) -> Derivation:
        """Every quantity of a forward and a backward pass over a table's rows, by name, with what each input means.

        Where the table has no target there is the forward pass alone.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.
            row: one row of the table, from 1; left out, all rows as one batch.
            member: which of the networks, from 1; or `"mean"`, all of them beside each other, and their mean.
            target: of several targets the one whose loss alone is taken, as if no row knew the others; all of them when
                left out.
            training, notation: as for `Model.explain`.

        >>> model = TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> work = model.explain("iris", row=17)
        >>> round(sum(work[f"h[output,{k}]"].value for k in (1, 2, 3)), 12)
        1.0
        """
        from chainrule.tables.explaining import explain

        return explain(self, table, row, member=member, target=target, training=training, notation=notation)

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
