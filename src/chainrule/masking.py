"""Labels that are missing: where a network has several heads, a row counts nothing to a head whose label it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.arrays import AnyArray, Array, whole
from chainrule.errors import InputError, counted, listed
from chainrule.objective import HeadLoss

Mask = NDArray[np.bool_]
_MISSING = ("NAType", "NaTType")  # what pandas puts where nothing is known: neither equal to itself nor different


def fill_missing(given: Any, head: HeadLoss, n_rows: int) -> tuple[Any, Mask | None]:
    """A head's targets with something legal wherever a label is missing, and which rows those are; None where none is.

    Missing are NaN, None and pandas' NA; None in place of all targets says that no row has one.

    Raises:
        InputError: a row has some of a head's numbers and lacks others.

    >>> from chainrule import Model, Network
    >>> (mood,) = Model(Network.mlp(1, [], 3, output="softmax"), "cross_entropy").objective.heads
    >>> targets, missing = fill_missing([2, None, 1], mood, 3)
    >>> [int(target) for target in targets], missing.tolist()
    ([2, 0, 1], [False, True, False])
    """
    if given is None:
        return head.loss.stand_in(n_rows, head.outputs), np.ones(n_rows, bool)
    try:
        array = whole(given)
    except (TypeError, ValueError):
        return given, None  # refused as what it is, with its reason
    missing = missing_values(array)
    if missing is None or not missing.any():
        return given, None
    by_row = missing.reshape(len(array), -1)
    rows = np.asarray(by_row.all(axis=1))
    part = np.flatnonzero(by_row.any(axis=1) & ~rows)
    if len(part):
        raise InputError(
            f'targets of head "{head.head}" are NaN in a part of rows {listed(part, limit=5)}: a row has the label of '
            "a head or lacks it; give all its numbers or none, or make heads of those that come by themselves"
        )
    filled = array.copy()
    filled[rows] = _legal(head, array.ndim)
    return filled, rows


def missing_labels(heads: Sequence[HeadLoss], given: Any, n_rows: int) -> tuple[Mask | None, ...]:
    """By head which rows have no label of it, None where all do; `given` are targets that were prepared already."""
    if len(heads) == 1:
        return (None,)
    return tuple(fill_missing(given[head.head], head, n_rows)[1] for head in heads)


def masked_weights(weights: Array | None, missing: Mask | None, dtype: np.dtype) -> Array | None:
    """The rows' weights, 0 where the label is missing.

    >>> masked_weights(None, np.array([True, False]), np.dtype("float32")).tolist()
    [0.0, 1.0]
    """
    if missing is None:
        return weights
    return np.where(missing, 0, np.ones(1, dtype) if weights is None else weights).astype(dtype)


def check_labelled(head: str, missing: Mask | None, weights: Array | None) -> None:
    """Raise an `InputError` where no row that counts has a head's label.

    >>> check_labelled("mood", np.array([True, True]), np.zeros(2))
    Traceback (most recent call last):
        ...
    chainrule.errors.InputError: head "mood" has no label in any of the 2 rows: give it some, or a network without it
    """
    if missing is None:
        return
    if missing.all():
        raise InputError(
            f'head "{head}" has no label in any of the {counted(len(missing), "row")}: give it some, or a network '
            "without it"
        )
    if weights is not None and not weights.any():
        raise InputError(f'head "{head}": sample_weight is 0 for every row that has a label: nothing is left to it')


def missing_values(array: AnyArray) -> Mask | None:
    """Where an array holds NaN, None or pandas' NA; None where its type has no such values.

    >>> missing_values(np.array([1, None, "a"], object)).tolist()
    [False, True, False]
    """
    if array.ndim == 0:
        return None
    if array.dtype.kind == "f":
        return np.isnan(array)
    if array.dtype.kind != "O":
        return None
    found = [value is None or type(value).__name__ in _MISSING or value != value for value in array.flat]
    return np.array(found, bool).reshape(array.shape)


def _legal(head: HeadLoss, axes: int) -> AnyArray | float:
    """A target that the head's loss takes, in the form that its others have."""
    stand_in = head.loss.stand_in(1, head.outputs)
    if axes > 1 and stand_in.ndim == 1:  # rows of probabilities where the loss also takes labels
        return 1 / head.outputs
    return stand_in[0] if stand_in.ndim == axes else float(stand_in.flat[0])
