"""Rows as people hand them in, checked in scikit-learn's way: tables of any library, sparse or dense."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight, validate_data

from chainrule.arrays import AnyArray, Array
from chainrule.plain import visible

FLOATS = (np.float64, np.float32)
SPARSE = ["csr", "csc"]
NOTHING = 1e-12  # the share of the weights' sizes up to which their sum is rounding error
_LONGEST = 2000  # characters of labels in a message


def check_table(estimator: Any, X: Any, y: Any, *, reset: bool, y_numeric: bool) -> tuple[Any, AnyArray]:
    """Rows and targets to train on; float32 stays float32, other numbers become float64."""
    refuse_masked(X=X, y=y)
    X, y = validate_data(
        estimator, _readable(X), y, accept_sparse=SPARSE, multi_output=True, y_numeric=y_numeric, dtype=FLOATS,
        reset=reset, ensure_all_finite=_finite(estimator),
    )  # fmt: skip
    return _by_rows(X), y


def check_rows(estimator: Any, X: Any) -> Any:
    """Rows to predict for."""
    refuse_masked(X=X)
    X = validate_data(estimator, _readable(X), accept_sparse=SPARSE, reset=False, ensure_all_finite=_finite(estimator))
    return fill_missing(estimator, _by_rows(X))


def check_weights(weights: Any, X: Any) -> Array | None:
    """One weight for each row, or None."""
    refuse_masked(sample_weight=weights)
    return None if weights is None else _check_sample_weight(weights, X)


def refuse_masked(**given: Any) -> None:
    """Raise a `ValueError` for arrays with masked values: as plain arrays they would count as known."""
    for name, values in given.items():
        if np.ma.is_masked(values):
            raise ValueError(
                f"`{name}` has masked values, whose masks would be lost: leave these rows out, or give X as "
                '`X.filled(np.nan)` with missing_values="mean"'
            )


def check_sum(what: str, weights: Array | None) -> None:
    """Raise a `ValueError` where rows weigh nothing in sum: a mean over them would be a division by zero."""
    if weights is not None and abs(float(weights.sum())) <= NOTHING * float(np.abs(weights).sum()):
        raise ValueError(f"the sample weights of the {what} sum to 0, so no mean of their losses exists: change them")


def told(labels: Any) -> str:
    """Labels as NumPy writes them, for a message: nothing in them acts on a terminal, and long ones are cut."""
    text = visible(str(labels)[:_LONGEST], lines=True)
    return text if len(text) < _LONGEST else f"{text} …"


def learn_missing(estimator: Any, X: Any) -> None:
    """Remember what stands in for a missing value of each column: its mean, or 0 for a column without any value."""
    if estimator._as_fitted("missing_values") != "mean":
        return
    if issparse(X):  # what isn't stored is a 0 that is known
        columns, stored = X.tocoo().col, np.isnan(X.data)
        sums = np.bincount(columns, np.where(stored, 0, X.data), X.shape[1])
        counts = X.shape[0] - np.bincount(columns, stored, X.shape[1])
    else:
        known = ~np.isnan(X)
        sums, counts = np.where(known, X, 0).sum(axis=0, dtype=np.float64), known.sum(axis=0)
    estimator.missing_means_ = sums / np.maximum(counts, 1)


def fill_missing(estimator: Any, X: Any) -> Any:
    """Rows without missing values."""
    if estimator._as_fitted("missing_values") == "error":
        return X
    values = X.data if issparse(X) else X
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0, dtype=bool)
    if not missing.any():
        return X
    instead = estimator.missing_means_ if estimator._as_fitted("missing_values") == "mean" else np.zeros(X.shape[1])
    instead = instead.astype(X.dtype)
    if issparse(X):
        filled = X.copy()
        filled.data[missing] = instead[X.indices[missing]]
        return filled
    return np.where(missing, instead, X)


def _finite(estimator: Any) -> bool | str:
    return True if estimator._as_fitted("missing_values") == "error" else "allow-nan"


def _by_rows(X: Any) -> Any:
    return X.tocsr() if issparse(X) else X


def _readable(X: Any) -> Any:
    """A PyArrow table as a data frame that scikit-learn reads numbers from; anything else as it is."""
    return X.to_pandas() if type(X).__module__.startswith("pyarrow") and hasattr(X, "to_pandas") else X
