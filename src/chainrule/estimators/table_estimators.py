"""scikit-learn's contract over the whole table model: frames with categories and missing values straight in.

Where y has several columns one network learns them together, with a head for each: scikit-learn's multi-output form.
Its columns are all classes or all numbers; for some of each there is `TableModel`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from chainrule.arrays import AnyArray, Array, Doubles
from chainrule.explain.derivation import Derivation
from chainrule.masking import missing_values
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
        drop: str | Sequence[str] | None = None,
        numeric: str | Sequence[str] | None = None,
        categorical: str | Sequence[str] | None = None,
        date: str | Sequence[str] | None = None,
        missing: str | Sequence[str] | None = None,
        max_categories: int | None = None,
    ):
        self.effort = effort
        self.members = members
        self.folds = folds
        self.validation = validation
        self.time_limit = time_limit
        self.settings = settings
        self.engine = engine
        self.random_state = random_state
        self.drop = drop
        self.numeric = numeric
        self.categorical = categorical
        self.date = date
        self.missing = missing
        self.max_categories = max_categories

    def _train(self, X: Any, y: Sequence[AnyArray], groups: Any) -> Self:
        frame = self._frame(X, reset=True)
        check_consistent_length(frame, *y)
        if frame.height < 3:
            many = f"n_samples={frame.height}"
            raise ValueError(f"{many}: three rows are needed at least, to train on and to know when to stop")
        taken = set(frame.columns)
        wanted = [_TARGET] if len(y) == 1 else [f"{_TARGET}{i}" for i in range(len(y))]
        names = {name: name + "_" * sum(other.startswith(name) for other in taken) for name in (*wanted, _GROUP)}
        columns = {names[name]: column for name, column in zip(wanted, y, strict=True)}
        if groups is not None:
            check_consistent_length(frame, groups)
            columns[names[_GROUP]] = column_or_1d(groups)
        said = ("members", "folds", "drop", "numeric", "categorical", "date", "missing", "max_categories")
        given: dict[str, Any] = {name: getattr(self, name) for name in said}
        self.model_ = TableModel.train(
            frame.with_columns(**{name: _series(name, values) for name, values in columns.items()}),
            [names[name] for name in wanted],
            task={names[name]: self.task for name in wanted},
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
        tags.target_tags.multi_output = True
        return tags

    @property
    def n_outputs_(self) -> int:
        """How many columns y had."""
        return len(self.model_.heads)

    def _several(self, answers: Any) -> list[Any]:
        """The answers of each target."""
        return list(answers.values()) if self.n_outputs_ > 1 else [answers]


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
        drop, numeric, categorical, date, missing, max_categories: what is said of the columns of a data frame, as for
            `TableModel.train`.

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
            y: the class of each row; or (rows, targets), where None or NaN says that a row lacks one.
            groups: a label for each row; rows of one group are left out together.

        >>> TableClassifier("quick", random_state=0).fit({"a": [1, 2, 3, 4] * 5}, [0, 0, 1, 1] * 5).classes_
        array([0, 1])
        """
        found = [_codes(column) for column in _columns(y)]
        classes = [own for own, _ in found]
        self.classes_ = classes if len(classes) > 1 else classes[0]
        return self._train(X, [codes for _, codes in found], groups)

    def predict(self, X: Any) -> AnyArray:
        """The class of each row; (rows, targets) where y had several.

        Arguments:
            X: rows with the columns of training.

        >>> model = TableClassifier("quick", random_state=0).fit({"a": [1, 2, 3, 4] * 5}, ["x", "x", "y", "y"] * 5)
        >>> model.predict({"a": [1, 4]}).shape
        (2,)
        """
        chances = self._chances(X)
        classes = self.classes_ if isinstance(self.classes_, list) else [self.classes_]
        columns = [own[said.argmax(axis=1)] for own, said in zip(classes, chances, strict=True)]
        return np.stack(columns, axis=1) if len(columns) > 1 else columns[0]

    def predict_proba(self, X: Any) -> Array | list[Array]:
        """The calibrated probability of each class, in the order of `classes_`; a list where y had several columns.

        Arguments:
            X: rows with the columns of training.

        >>> model = TableClassifier("quick", random_state=0).fit({"a": [1, 2, 3, 4] * 5}, [0, 0, 1, 1] * 5)
        >>> model.predict_proba({"a": [1, 4]}).shape
        (2, 2)
        """
        chances = self._chances(X)
        return chances if len(chances) > 1 else chances[0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows whose class is right; where y has several columns, those of which all are.

        Arguments:
            X: rows with the columns of training.
            y: their classes.
            sample_weight: how much each row counts.

        >>> model = TableClassifier("quick", random_state=0).fit({"a": [1, 2, 3, 4] * 5}, [0, 0, 1, 1] * 5)
        >>> model.score({"a": [1, 4]}, [0, 1]) >= 0.5
        True
        """
        said = self.predict(X)
        if said.ndim == 1:
            return float(accuracy_score(y, said, sample_weight=sample_weight))
        return float(np.average((said == np.asarray(y)).all(axis=1), weights=sample_weight))

    def _chances(self, X: Any) -> list[Array]:
        check_is_fitted(self)
        each = self._several(self.model_.predict_proba(self._frame(X)))
        return [said / said.sum(axis=1, keepdims=True) for said in each]


class TableRegressor(RegressorMixin, TableEstimator):  # type: ignore[misc]
    """A regressor of tables: `TableModel` with scikit-learn's manners.

    X is a data frame of any library, with categories, dates and missing values in it, or an array of numbers.

    Arguments:
        effort, members, folds, validation, time_limit, settings, engine, random_state: as for `TableClassifier`.
        drop, numeric, categorical, date, missing, max_categories: what is said of columns, as for `TableClassifier`.

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
            y: the number of each row; or (rows, targets), where NaN says that a row lacks one.
            groups: a label for each row; rows of one group are left out together.
        """
        return self._train(X, [column.astype(np.float64) for column in _columns(y, dtype="numeric")], groups)

    def predict(self, X: Any) -> Doubles:
        """The number of each row; (rows, targets) where y had several.

        Arguments:
            X: rows with the columns of training.

        >>> model = TableRegressor("quick", random_state=0).fit({"a": list(range(80))}, list(range(80)))
        >>> model.predict({"a": [7, 9, 11]}).shape
        (3,)
        """
        check_is_fitted(self)
        columns = self._several(self.model_.predict(self._frame(X)))
        return np.stack(columns, axis=1) if len(columns) > 1 else columns[0]

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Doubles:
        """An interval for each row that holds the true number in so many cases, (rows, 2).

        Where y had several columns it is (rows, targets, 2).

        Arguments:
            X: rows with the columns of training.
            coverage: the part of all rows whose number is to lie inside.

        >>> model = TableRegressor("quick", random_state=0).fit({"a": list(range(80))}, list(range(80)))
        >>> model.predict_interval({"a": [7, 9, 11]}, coverage=0.8).shape
        (3, 2)
        """
        check_is_fitted(self)
        each = self._several(self.model_.predict_interval(self._frame(X), coverage))
        return np.stack(each, axis=1) if len(each) > 1 else each[0]


def _columns(y: Any, dtype: Any = None) -> list[AnyArray]:
    """The targets that y has, each (rows,); of several some values may be missing."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y", ensure_all_finite=False)
    if y.ndim == 2 and y.shape[1] > 1:
        return list(check_array(y, dtype=dtype, input_name="y", ensure_all_finite="allow-nan").T)
    return [column_or_1d(check_array(y, ensure_2d=False, dtype=dtype, input_name="y"), warn=True)]


def _codes(y: AnyArray) -> tuple[AnyArray, AnyArray]:
    """The classes of a target, and the place of each row's; NaN where there is none."""
    missing = missing_values(y)
    known = np.ones(len(y), bool) if missing is None else ~missing
    labels = y[known]
    if not known.all() and not any(isinstance(label, str) for label in labels):
        labels = np.array(labels.tolist())  # numbers that were objects because of the gaps beside them
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        one = f"{classes[0]!r}" if len(classes) else "or none"
        raise ValueError(f"y has one class only, {one}: the classifier needs two classes at least")
    if known.all():
        return classes, codes
    places = np.full(len(y), np.nan)
    places[known] = codes
    return classes, places


def _series(name: str, values: AnyArray) -> Any:
    import polars as pl

    series = pl.Series(name, values)
    return series.fill_nan(None) if series.dtype.is_float() else series
