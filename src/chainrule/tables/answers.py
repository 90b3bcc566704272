"""What a table model answers: classes, numbers, how sure it is of them, and its scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.data import prepare_inputs
from chainrule.errors import InputError
from chainrule.model import Model
from chainrule.tables.calibration import Calibration
from chainrule.tables.encoding import EncodingNotes, TableEncoding
from chainrule.tables.preparation import as_table
from chainrule.tables.scores import Baseline, Numbers, score
from chainrule.tables.target import TargetPlan


class Answers:
    """The half of `TableModel` that takes tables and answers in their own values."""

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    encoding: TableEncoding
    target: TargetPlan
    baseline: Baseline
    calibration: Calibration

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

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
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

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
        >>> predictions, notes = model.predict_with_notes("iris")
        >>> predictions.shape
        (150,)
        """
        outputs, notes = self._outputs(table)
        if self.target.classes:
            return self.target.decode(outputs.argmax(axis=1)), notes
        return self._numbers(outputs), notes

    def predict_interval(self, table: Any, coverage: float = 0.9) -> Doubles:
        """An interval for each row that holds the true number in so many cases, shape (rows, 2).

        As far to each side of the prediction as `coverage` of the out-of-fold errors go (split conformal prediction):
        right for rows like those of training, taken together.

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
        if self.target.classes:
            raise InputError(f'"{self.target.name}" is a class, not a number: predict_proba says how sure the model is')
        half = self.calibration.half_width(coverage)
        predicted = self.predict(table)
        return np.stack([predicted - half, predicted + half], axis=1)

    def predict_spread(self, table: Any) -> Doubles:
        """The standard deviation between the networks: of numbers (rows,), of probabilities (rows, classes).

        It says where they disagree, and nothing of what they all get wrong.

        Arguments:
            table: as for `predict`.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", epochs=5, progress=False)
        >>> model.predict_spread("iris").shape
        (150, 3)
        """
        frame = as_table(table)
        X, _ = self.encoding.inputs_of(self.models[0].network, frame)
        if not frame.height:
            return np.zeros((0, len(self.target.classes)) if self.target.classes else 0)
        shares = np.concatenate([[w / m.members] * m.members for w, m in zip(self.weights, self.models, strict=True)])
        inputs = [prepare_inputs(model.network, X, model.dtype) for model in self.models]
        outputs = [model.outputs(own)[0] for model, own in zip(self.models, inputs, strict=True)]
        said = np.concatenate(outputs).astype(np.float64)
        spread = np.sqrt(np.tensordot(shares, np.square(said - np.tensordot(shares, said, 1)), 1))
        return spread if self.target.classes else spread[:, 0] * self.target.scale

    def evaluate(self, table: Any) -> tuple[Numbers, Numbers]:
        """Scores on a table that has the target, and those of the trivial baseline.

        Arguments:
            table: columns by name, a data frame, a file's path or a small data set's name, as for `read_table`. Rows
                without a target are left out.

        Raises:
            InputError: no row has a target, or a column is missing or can't be encoded.

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
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

        >>> import chainrule as cr
        >>> model = cr.TableModel.train("iris", target="target", hidden=(4,), epochs=1, progress=False)
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
            outputs = self._numbers(outputs)[:, None]
        baseline = self.baseline.predict(len(truth))
        return score(self.target, truth, outputs), score(self.target, truth, baseline), notes

    def _outputs(self, table: Any) -> tuple[AnyArray, EncodingNotes]:
        """Calibrated probabilities, or numbers as the networks give them."""
        frame = as_table(table)
        X, notes = self.encoding.inputs_of(self.models[0].network, frame)
        if not frame.height:
            return np.zeros((0, len(self.target.classes) or 1), dtype=np.float32), notes
        if len(self.models) == 1:
            outputs = self.models[0].predict(X)
        else:
            outputs = sum(w * model.predict(X) for w, model in zip(self.weights, self.models, strict=True))
        return self.calibration.probabilities(outputs) if self.target.classes else outputs, notes

    def _numbers(self, outputs: AnyArray) -> Doubles:
        return self.calibration.numbers(self.target.decode(outputs[:, 0]))
