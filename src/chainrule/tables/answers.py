"""What a table model answers: classes, numbers, how sure it is of them, and its scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from chainrule.arrays import AnyArray, Doubles
from chainrule.data import prepare_inputs
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.model import Model
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.table_head import TableHead
from chainrule.tables.table_reader import TableReader
from chainrule.tables.target import TargetPlan

T = TypeVar("T")


class Answers:
    """The half of `TableModel` that takes tables and answers in their own values.

    Where there are several targets every answer is a dict by target.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    encoding: TableEncoding
    heads: dict[str, TableHead]
    reader: TableReader

    @property
    def targets(self) -> tuple[TargetPlan, ...]:
        """What is predicted."""
        return tuple(head.target for head in self.heads.values())

    @property
    def target(self) -> TargetPlan:
        """What is predicted, where it is one thing."""
        return self._only("target").target

    def head(self, target: str | None = None) -> TableHead:
        """One target with its baseline, calibration and scores.

        Arguments:
            target: which one, by name; the only one when left out.

        Raises:
            InputError: there is no such target, or there are several.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> model.head("target").baseline.name
        'majority class'
        """
        if target is None:
            return self._only("head")
        target = str(target)
        if target not in self.heads:
            near = did_you_mean(target, self.heads)
            raise InputError(f'the model has no target "{target}".{near} It predicts {listed(self.heads)}')
        return self.heads[target]

    def _only(self, what: str) -> TableHead:
        if len(self.heads) > 1:
            first = next(iter(self.heads))
            raise InputError(
                f'the model has the targets {listed(self.heads)}: its {what} is that of head("{first}"), ...'
            )
        return next(iter(self.heads.values()))

    def predict(self, table: Any) -> Any:
        """The prediction for each row in the target's own values, shape (rows,); of several targets by name.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.

        Raises:
            InputError: a column is missing or can't be encoded (an infinite number, text among numbers): the message
                names it and the rows.
        """
        return self.predict_with_notes(table)[0]

    def predict_proba(self, table: Any) -> Any:
        """The probability of each class (in the order of `target.classes`) for each row, shape (rows, classes).

        Of several targets by name, of those that have classes.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.

        Raises:
            InputError: the target is a number, or a column is missing or can't be encoded.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> model.predict_proba("iris").shape
        (150, 3)
        """
        wanted = [name for name, head in self.heads.items() if head.target.classes]
        if not wanted:
            what = f'"{listed(self.heads)}" is a number, not a class'
            if len(self.heads) > 1:
                what = f"{listed(self.heads)} are numbers, not classes"
            raise InputError(f"{what}: there are no probabilities to predict")
        outputs = self._outputs(self.reader.read(table))[0]
        return self._one_or_all({name: outputs[name] for name in wanted})

    def predict_with_notes(self, table: Any) -> tuple[Any, EncodingNotes]:
        """Predictions, and what was odd about the table (unseen categories, extra columns, missing values).

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> predictions, notes = model.predict_with_notes("iris")
        >>> predictions.shape
        (150,)
        """
        outputs, notes = self._outputs(self.reader.read(table))
        return self._of_each(lambda name, head: head.values(outputs[name])), notes

    def predict_interval(self, table: Any, coverage: float = 0.9) -> Any:
        """An interval for each row that holds the true number in so many cases, shape (rows, 2).

        As far to each side of the prediction as `coverage` of the out-of-fold errors go (split conformal prediction):
        right for rows like those of training, taken together. Of several targets by name, of those that are numbers.

        Arguments:
            table: as for `predict`.
            coverage: the part of all rows whose number is to lie inside.

        Raises:
            InputError: the target is a class, or there were too few rows to promise so much.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("diabetes", target="target", epochs=5, progress=False)
        >>> bounds = model.predict_interval("diabetes", coverage=0.8)
        >>> bounds.shape, bool((bounds[:, 0] < bounds[:, 1]).all())
        ((442, 2), True)
        """
        wanted = {name: head for name, head in self.heads.items() if not head.target.classes}
        if not wanted:
            what = f'"{listed(self.heads)}" is a class, not a number'
            if len(self.heads) > 1:
                what = f"{listed(self.heads)} are classes, not numbers"
            raise InputError(f"{what}: predict_proba says how sure the model is")
        for head in wanted.values():
            head.calibration.half_width(coverage)  # a mistake here is none of the table's
        outputs = self._outputs(self.reader.read(table))[0]
        return self._one_or_all({name: head.interval(outputs[name], coverage) for name, head in wanted.items()})

    def predict_spread(self, table: Any) -> Any:
        """The standard deviation between the networks: of numbers (rows,), of probabilities (rows, classes).

        It says where they disagree, and nothing of what they all get wrong. Of several targets by name.

        Arguments:
            table: as for `predict`.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", epochs=5, progress=False)
        >>> model.predict_spread("iris").shape
        (150, 3)
        """
        frame = self.reader.read(table)
        X, _ = self.encoding.inputs_of(self.models[0].network, frame)
        if not frame.height:
            return self._of_each(lambda _, head: np.zeros((0, len(head.target.classes)) if head.target.classes else 0))
        shares = np.concatenate([[w / m.members] * m.members for w, m in zip(self.weights, self.models, strict=True)])
        inputs = [prepare_inputs(model.network, X, model.dtype) for model in self.models]
        by_head = zip(*(model.outputs(own) for model, own in zip(self.models, inputs, strict=True)), strict=True)
        outputs = dict(zip(self.heads, by_head, strict=True))

        def spread(name: str, head: TableHead) -> Doubles:
            said = np.concatenate(outputs[name]).astype(np.float64)
            found = np.sqrt(np.tensordot(shares, np.square(said - np.tensordot(shares, said, 1)), 1))
            return found if head.target.classes else found[:, 0] * head.target.scale

        return self._of_each(spread)

    def evaluate(self, table: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Scores on a table that has the target, and those of the trivial baseline; of several targets by name.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`. Rows
                without a target are left out; of several targets, those that no row has.

        Raises:
            InputError: no row has a target, or a column is missing or can't be encoded.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> scores, baseline = model.evaluate("iris")
        >>> sorted(scores), round(baseline["accuracy"], 2)
        (['accuracy', 'log_loss'], 0.33)
        """
        return self.evaluate_with_notes(table)[:2]

    def evaluate_with_notes(self, table: Any) -> tuple[dict[str, Any], dict[str, Any], EncodingNotes]:
        """Scores, those of the baseline, and what was odd about the table's rows.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`. Rows
                without a target are left out; of several targets, those that no row has.

        Raises:
            InputError: no row has a target, or a column is missing or can't be encoded.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> scores, baseline, notes = model.evaluate_with_notes("iris")
        >>> scores == model.evaluate("iris")[0]
        True
        """
        frame = self.reader.read(table)
        has = self.known(frame)
        frame = frame.filter(np.logical_or.reduce(list(has.values())))
        if not frame.height:
            names = f'the target "{next(iter(has))}"' if len(has) == 1 else f"one of the targets {listed(has)}"
            raise InputError(f"no row of the table has a value of {names}: nothing can be scored")
        outputs, notes = self._outputs(frame)
        found = {}
        for name, rows in self.known(frame).items():
            if rows.any():
                found[name] = self.heads[name].score(frame.filter(rows), outputs[name][rows])
        scores, baseline = ({name: pair[i] for name, pair in found.items()} for i in range(2))
        return self._one_or_all(scores), self._one_or_all(baseline), notes

    def known(self, frame: Any) -> dict[str, AnyArray]:
        """Which rows of a table have a value of each target; of several, the table may lack some columns.

        Arguments:
            frame: a polars data frame.

        Raises:
            InputError: there is no column of the target, or of any of several.

        >>> import chainrule as cr
        >>> from chainrule.tables import read_table
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> model.known(read_table("iris"))["target"].sum().item()
        150
        """
        there = [head.target for head in self.heads.values() if head.target.name in frame.columns]
        if not there:
            there = [next(iter(self.heads.values())).target]  # which says that it isn't there
        found = {target.name: target.known(frame).to_numpy() for target in there}
        return {name: found.get(name, np.zeros(frame.height, bool)) for name in self.heads}

    def _outputs(self, frame: Any) -> tuple[dict[str, AnyArray], EncodingNotes]:
        """By target calibrated probabilities, or numbers as the networks give them."""
        X, notes = self.encoding.inputs_of(self.models[0].network, frame)
        if not frame.height:
            units = {name: len(head.target.classes) or 1 for name, head in self.heads.items()}
            return {name: np.zeros((0, n), dtype=np.float32) for name, n in units.items()}, notes
        said: Iterable[Any] = (model.predict(X) for model in self.models)
        by_model = [list(one.values()) if isinstance(one, dict) else [one] for one in said]
        outputs = {}
        for i, (name, head) in enumerate(self.heads.items()):
            own = by_model[0][i]
            if len(by_model) > 1:
                own = sum(w * one[i] for w, one in zip(self.weights, by_model, strict=True))
            outputs[name] = head.calibrated(own)
        return outputs, notes

    def _of_each(self, answer: Callable[[str, TableHead], T]) -> T | dict[str, T]:
        return self._one_or_all({name: answer(name, head) for name, head in self.heads.items()})

    def _one_or_all(self, answers: Mapping[str, T]) -> Any:
        """The answer of the only target, or those of several by name."""
        return dict(answers) if len(self.heads) > 1 else next(iter(answers.values()))
