"""Arrays in: whatever was handed to `fit` or `predict`, checked and in the form that engines take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from chainrule import random
from chainrule.arrays import AnyArray, Array, Codes, is_finite, surely_finite, whole
from chainrule.engines.contract import Rows
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.limits import OPEN_FRACTION, check
from chainrule.masking import Mask, check_labelled, fill_missing, masked_weights
from chainrule.network import Network
from chainrule.objective import NetworkObjective
from chainrule.steps import Slot

CODES = np.dtype(np.int32)  # of integer inputs


def prepare_inputs(network: Network, X: Any, dtype: np.dtype) -> tuple[AnyArray, ...]:
    """One C-contiguous array for each input of the network, all of the same number of rows: finite numbers, or codes.

    `X` is an array for a network with one input, a mapping by name otherwise.
    """
    if is_ready(network, X, dtype):
        return (X,)
    given = _by_name(X, list(network.input_shapes), "X", "input")
    arrays: list[AnyArray] = []
    for slot in network.program.inputs:
        name, shape = slot.name, slot.shape
        array = _numbers(given[name], dtype, name) if slot.dtype == "float" else _codes(given[name], slot)
        if array.ndim == 1 and shape == (1,):
            array = array[:, None]
        if array.shape[1:] != shape:
            right = ", ".join(str(n) for n in ("rows", *shape))
            hint = " (one row is still a table: x[None, :])" if array.shape == shape else ""
            raise InputError(f'X has shape {array.shape} for input "{name}"; ({right}) would be right{hint}')
        arrays.append(array)
    rows = {len(array) for array in arrays}
    if len(rows) > 1:
        raise InputError(f"the inputs have different numbers of rows: {', '.join(str(len(a)) for a in arrays)}")
    return tuple(arrays)


def is_ready(network: Network, X: Any, dtype: np.dtype) -> bool:
    """Whether X can be taken as it is; False decides nothing."""
    return is_laid_out(network, X, dtype) and surely_finite(X)


def is_laid_out(network: Network, X: Any, dtype: np.dtype) -> bool:
    """Whether X can be taken as it is where its numbers are finite: looking at them is left to whoever reads them."""
    return (
        type(X) is np.ndarray
        and X.dtype == dtype
        and (flags := X.flags).c_contiguous
        and flags.aligned
        and X.shape[1:] == network.only_input_shape
    )


def prepare_rows(
    network: Network, objective: NetworkObjective, X: Any, y: Any, sample_weight: Any, dtype: np.dtype,
    *, every_head: bool = True,
) -> Rows:  # fmt: skip
    """Inputs, targets and row weights, each checked, and all of the same number of rows (at least one).

    Where there are several heads a row weighs 0 to one whose label it lacks; `every_head` asks for a label of each.
    """
    inputs = prepare_inputs(network, X, dtype)
    n_rows = len(inputs[0])
    if n_rows == 0:
        raise InputError("X has no rows; at least one is needed")
    heads = [head.head for head in objective.heads]
    given = _by_name(y, heads, "y", "head")
    filled = [given[name] for name in heads]
    missing: list[Mask | None] = [None] * len(heads)
    if len(heads) > 1:
        pairs = [fill_missing(given[head.head], head, n_rows) for head in objective.heads]
        filled, missing = [y for y, _ in pairs], [rows for _, rows in pairs]
    targets = tuple(
        head.loss.prepare(y, head.outputs, dtype, head.head) for head, y in zip(objective.heads, filled, strict=True)
    )
    for name, target in zip(heads, targets, strict=True):
        if len(target) != n_rows:
            raise InputError(f'X has {n_rows} rows, but the targets of head "{name}" have {len(target)}')
    if isinstance(sample_weight, Mapping):
        unknown = [name for name in sample_weight if name not in heads]
        if unknown:
            raise InputError(f'sample_weight: there is no head "{unknown[0]}"; there are {listed(heads)}')
        weights = tuple(_weights(sample_weight.get(name), n_rows, dtype) for name in heads)
    else:
        weights = (_weights(sample_weight, n_rows, dtype),) * len(heads)
    weights = tuple(masked_weights(w, rows, dtype) for w, rows in zip(weights, missing, strict=True))
    if every_head or all(rows is not None and rows.all() for rows in missing):
        for name, rows, w in zip(heads, missing, weights, strict=True):
            check_labelled(name, rows, w)
    return Rows(inputs, targets, weights)


def hold_out(rows: Rows, fraction: float, seed: int, heads: Sequence[str] = ()) -> tuple[Rows, Rows]:
    """Rows to train on, and a fraction of them, drawn by the seed, to validate with."""
    check("fit", "validation", fraction, OPEN_FRACTION)
    n_held_out = max(round(fraction * len(rows)), 1)
    if n_held_out >= len(rows):
        raise InputError(f"validation={fraction} of {len(rows)} rows leaves none to train on")
    order = random.permutation(len(rows), seed, 0, stream=random.SPLIT)
    parts = rows.take(np.sort(order[n_held_out:])), rows.take(np.sort(order[:n_held_out]))
    for part, what in zip(parts, ("that are left to train on", "held out for validation"), strict=True):
        check_weights(part, what, heads)
    return parts


def check_weights(rows: Rows, what: str, heads: Sequence[str] = ()) -> None:
    """Raise an `InputError` where all rows weigh 0 to a head: its loss would be 0, whatever the model says."""
    for i, weights in enumerate(rows.weights):
        if weights is None or weights.any():
            continue
        if len(heads) > 1:
            raise InputError(
                f'head "{heads[i]}" has no label that counts: it is missing, or its weight 0, for all {len(rows)} rows '
                f"{what}; its loss would mean nothing there"
            )
        raise InputError(f"sample_weight is 0 for all {len(rows)} rows {what}: their loss would mean nothing")


def check_dtype(dtype: DTypeLike) -> np.dtype:
    """The precision of a model; an `InputError` for what is none."""
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        found = np.dtype(object)
    if found not in (np.dtype("float32"), np.dtype("float64")):
        raise InputError(f'dtype is {dtype!r}; it must be "float32" or "float64"')
    return found


def _by_name(given: Any, names: list[str], what: str, kind: str) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        missing = [name for name in names if name not in given]
        extra = [name for name in given if name not in names]
        if missing:
            near = did_you_mean(missing[0], extra)
            raise InputError(f'{what} lacks the {kind} "{missing[0]}"; the network has {listed(names)}.{near}')
        if extra:
            raise InputError(f'{what} has "{extra[0]}", which is no {kind} of the network; it has {listed(names)}')
        return given
    if len(names) > 1:
        raise InputError(
            f"the network has the {kind}s {listed(names)}: hand in {what} as a mapping, {{{names[0]!r}: ...}}"
        )
    return {names[0]: given}


def _numbers(given: Any, dtype: np.dtype, name: str) -> Array:
    try:
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite there, and refused below
            array = np.asarray(whole(given), dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f'X must be numbers for input "{name}": {error}') from None
    if array.ndim == 0:
        raise InputError(f'X is a single number for input "{name}"; rows are wanted')
    array = np.require(array, requirements=["C", "A"])
    if not is_finite(array):
        bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        raise InputError(
            f'X holds NaN or infinite numbers for input "{name}" in row{"s" * (len(bad) > 1)} '
            f"{listed(bad, limit=5)} (rows count from 0)"
        )
    return array


def _codes(given: Any, slot: Slot) -> Codes:
    """Whole numbers as int32, exactly: integers, or floats without a fraction that are sure to be what was meant."""
    where = f'for input "{slot.name}"'
    try:
        array = whole(given)
    except (TypeError, ValueError) as error:
        raise InputError(f"X must be integer codes {where}: {error}") from None
    if array.dtype.kind not in "iuf" or array.ndim == 0:
        found = "a single value" if array.ndim == 0 else f"{array.dtype} values"
        raise InputError(f"X must be rows of integer codes {where}, not {found}")
    limits = np.iinfo(CODES)
    low, high = int(limits.min), int(limits.max)
    if array.dtype.kind == "f":
        exact = 2 ** (np.finfo(array.dtype).nmant + 1)  # from here on not every whole number is a float
        low, high = max(low, 1 - exact), min(high, exact - 1)
        _check_rows(array == np.floor(array), array, f"X holds numbers that are no whole ones {where}")
    where_to = f"; {array.dtype} holds whole numbers exactly from {low} to {high}" if array.dtype.kind == "f" else ""
    _check_rows((array >= low) & (array <= high), array, f"X holds codes beyond {low} to {high} {where}{where_to}")
    if slot.codes is not None:
        _check_known(array, slot.codes, f"X holds codes {where} that its layer doesn't know:")
    return np.require(array.astype(CODES, copy=False), requirements=["C", "A"])


def _check_known(array: AnyArray, codes: tuple[range, ...], what: str) -> None:
    """Raise an `InputError` that names the first column with codes outside of its range, unless there is none."""
    table = array.reshape(len(array), math.prod(array.shape[1:]))
    if table.shape[1] != len(codes):
        return  # a wrong shape, which is refused as such
    low, high = np.array([[known.start, known.stop - 1] for known in codes]).T
    inside = (table >= low) & (table <= high)
    if inside.all():
        return
    column = int(np.flatnonzero(~inside.all(axis=0))[0])
    where = f"in column {column} (counted from 0) " if len(codes) > 1 else ""
    wanted = f"{where}they must lie from {low[column]} to {high[column]}"
    _check_rows(inside[:, column], table[:, column], f"{what} {wanted}")


def _check_rows(right: AnyArray, array: AnyArray, what: str) -> None:
    """Raise an `InputError` that names the first wrong value and the rows of all, unless every value is right."""
    if right.all():
        return
    value = array[~right].flat[0]
    bad = np.flatnonzero(~right.reshape(len(array), -1).all(axis=1))
    raise InputError(f"{what}: {value} in row{'s' * (len(bad) > 1)} {listed(bad, limit=5)} (rows count from 0)")


def _weights(given: Any, n_rows: int, dtype: np.dtype) -> Array | None:
    if given is None:
        return None
    try:
        weights = np.asarray(whole(given), dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"sample_weight must be numbers: {error}") from None
    if weights.shape != (n_rows,):
        raise InputError(
            f"sample_weight has shape {weights.shape}; ({n_rows},) would be right, one number for each row"
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError("sample_weight holds negative, NaN or infinite numbers; weights are numbers of at least 0")
    if not weights.any():
        raise InputError("sample_weight is 0 for every row: there is nothing to learn from")
    return weights
