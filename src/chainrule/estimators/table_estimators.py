"""scikit-learn's contract over the whole table model: frames with categories and missing values straight in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.explain.derivation import Derivation
from chainrule.tables.frames import as_polars
from chainrule.tables.table_model import TableModel

_TARGET, _GROUP = "target", "group"  # what the columns are called that are put beside those of X, unless X has such


class TableEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both have: the columns of X go to a `TableModel` as they are, with y beside them."""

    task: str

    def __init__(
        self,
        effort: str = "good",
        members: int | None = None,
        folds: int | None = None,
        validation: float | None = None,
        time_limit: float | None = None,
        settings: Mapping[str, Any] | None = None,
        engine: str = "auto",
        random_state: Any = None,
    ):
        self.effort = effort
        self.members = members
        self.folds = folds
        self.validation = validation
        self.time_limit = time_limit
        self.settings = settings
        self.engine = engine
        self.random_state = random_state

    def _train(self, X: Any, y: AnyArray, groups: Any) -> Self:
        frame = self._frame(X, reset=True)
        check_consistent_length(frame, y)
        if frame.height < 3:
            many = f"n_samples={frame.height}"
            raise ValueError(f"{many}: three rows are needed at least, to train on and to know when to stop")
        taken = set(frame.columns)
        names = {name: name + "_" * sum(other.startswith(name) for other in taken) for name in (_TARGET, _GROUP)}
        columns = {names[_TARGET]: y}
        if groups is not None:
            check_consistent_length(frame, groups)
            columns[names[_GROUP]] = column_or_1d(groups)
        given: dict[str, Any] = {"members": self.members, "folds": self.folds}
        self.model_ = TableModel.train(
            frame.with_columns(**{name: _series(name, values) for name, values in columns.items()}),
            names[_TARGET],
            task=self.task,
            effort=self.effort,
            validation=self.validation,
            time_limit=self.time_limit,
            test=0.0,
            group=names[_GROUP] if groups is not None else None,
            progress=False,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
            engine=self.engine,
            **{name: value for name, value in given.items() if value is not None},
            **(self.settings or {}),
        )
        return self

    def _frame(self, X: Any, *, reset: bool = False) -> Any:
        """X as a data frame: an array's columns have scikit-learn's names, x0, x1 ..."""
        if hasattr(X, "columns") or (isinstance(X, Mapping) and not issparse(X)):  # one of SciPy's is a dict
            frame = as_polars(X)
            validate_data(self, X if hasattr(X, "columns") else frame, reset=reset, skip_check_array=True)
            if not frame.height:
                raise ValueError(
                    f"Found array with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required."
                )
            return frame
        array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        if array.dtype == object:
            array = check_array(array, dtype="numeric", ensure_all_finite="allow-nan")
        return as_polars({f"x{i}": array[:, i] for i in range(array.shape[1])})

    def explain(self, X: Any, row: int | None = None, *, member: int | str = 1) -> Derivation:
        """Every quantity of a forward pass over rows, by name, with what each input means.

        Arguments:
            X: rows, as for `predict`.
            row: one of them, from 1; all as one batch when left out.
            member: which of the networks, from 1, or `"mean"`.

        >>> model = TableRegressor("quick", random_state=0).fit({"a": list(range(80))}, list(range(80)))
        >>> work = model.explain({"a": [7]})
        >>> work.notes[-1].text.startswith("Predicted: target = ")
        True
        """
        check_is_fitted(self)
        return self.model_.explain(self._frame(X), row, member=member)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.non_deterministic = False
        return tags


class TableClassifier(ClassifierMixin, TableEstimator):  # type: ignore[misc]
    """A classifier of tables: `TableModel` with scikit-learn's manners.

    X is a data frame of any library, with categories, dates and missing values in it, or an array of numbers.

    Arguments:
        effort: `"quick"` is one network, `"good"` several with folds, `"best"` several of each of a few kinds.
        members, folds: how many networks, and into how many parts the rows are dealt; decided from the table when left
            out.
        validation: a fraction of the rows that each network leaves out, in place of a fold.
        time_limit: seconds that training may take.
        settings: fields of `chainrule.tables.settings.Settings` that are decided already, such as `{"epochs": 100}`.
        engine: who computes, as for `Model`.
        random_state: a seed, a `RandomState` or None.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_val_score
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> bool(cross_val_score(TableClassifier("quick", random_state=0), X, y, cv=3).mean() > 0.85)
    True
    """

    task = "classification"

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Train on rows.

        Arguments:
            X: a data frame, columns by name, or an array (rows, columns).
            y: the class of each row.
            groups: a label for each row; rows of one group are left out together.

        >>> TableClassifier("quick", random_state=0).fit({"a": [1, 2, 3, 4] * 5}, [0, 0, 1, 1] * 5).classes_
        array([0, 1])
        """
        y = column_or_1d(_checked(y), warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only, {self.classes_[0]!r}: the classifier needs two classes at least")
        return self._train(X, codes, groups)

    def predict(self, X: Any) -> AnyArray:
        """The class of each row.

        Arguments:
            X: rows with the columns of training.

        >>> model = TableClassifier("quick", random_state=0).fit({"a": [1, 2, 3, 4] * 5}, ["x", "x", "y", "y"] * 5)
        >>> model.predict({"a": [1, 4]}).shape
        (2,)
        """
        places = self._chances(X).argmax(axis=1)
        return self.classes_[places]

    def predict_proba(self, X: Any) -> Array:
        """The calibrated probability of each class, in the order of `classes_`.

        Arguments:
            X: rows with the columns of training.

        >>> model = TableClassifier("quick", random_state=0).fit({"a": [1, 2, 3, 4] * 5}, [0, 0, 1, 1] * 5)
        >>> model.predict_proba({"a": [1, 4]}).shape
        (2, 2)
        """
        return self._chances(X)

    def _chances(self, X: Any) -> Array:
        check_is_fitted(self)
        said = self.model_.predict_proba(self._frame(X))
        return said / said.sum(axis=1, keepdims=True)


class TableRegressor(RegressorMixin, TableEstimator):  # type: ignore[misc]
    """A regressor of tables: `TableModel` with scikit-learn's manners.

    X is a data frame of any library, with categories, dates and missing values in it, or an array of numbers.

    Arguments:
        effort, members, folds, validation, time_limit, settings, engine, random_state: as for `TableClassifier`.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> bool(TableRegressor("quick", random_state=0).fit(X, y).score(X, y) > 0.3)
    True
    """

    task = "regression"

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Train on rows.

        Arguments:
            X: a data frame, columns by name, or an array (rows, columns).
            y: the number of each row.
            groups: a label for each row; rows of one group are left out together.
        """
        y = column_or_1d(_checked(y, dtype="numeric"), warn=True).astype(np.float64)
        return self._train(X, y, groups)

    def predict(self, X: Any) -> Doubles:
        """The number of each row.

        Arguments:
            X: rows with the columns of training.

        >>> model = TableRegressor("quick", random_state=0).fit({"a": list(range(80))}, list(range(80)))
        >>> model.predict({"a": [7, 9, 11]}).shape
        (3,)
        """
        check_is_fitted(self)
        return self.model_.predict(self._frame(X))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Doubles:
        """An interval for each row that holds the true number in so many cases, (rows, 2).

        Arguments:
            X: rows with the columns of training.
            coverage: the part of all rows whose number is to lie inside.

        >>> model = TableRegressor("quick", random_state=0).fit({"a": list(range(80))}, list(range(80)))
        >>> model.predict_interval({"a": [7, 9, 11]}, coverage=0.8).shape
        (3, 2)
        """
        check_is_fitted(self)
        return self.model_.predict_interval(self._frame(X), coverage)


def _checked(y: Any, dtype: Any = None) -> AnyArray:
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    return check_array(y, ensure_2d=False, dtype=dtype, input_name="y")


def _series(name: str, values: AnyArray) -> Any:
    import polars as pl

    return pl.Series(name, values)
