"""Files by another hand, their checksum right: every entry of their JSON and every tensor made hostile, one by one."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.container import TIMES, Contents

OUT = object()  # the entry is taken out


def _nested(depth: int) -> Any:
    form: Any = "deep"
    for _ in range(depth):
        form = [form]
    return form


HOSTILE: list[Any] = [
    OUT, None, True, -1, 0, 2, 1.5, 10**6, 10**15, 10**400, math.nan, math.inf, -math.inf, "", "x", "\x1b[2J",
    "U100000000", "x" * 10**6, [], {}, [[1]], [None], [math.nan], ["x", "x"], _nested(400), {"name": "relu"},
    {"type": "array", "dtype": "<U100000000", "items": ["a"] * 100},
    {"type": "array", "dtype": "O", "items": [[1], {}]},
    {"type": "array", "tensor": "0"}, {"type": "mapping", "items": [[[], 1]]}, {"type": "object", "base": "Loss"},
    {"type": "tuple", "items": [10**15]},
]  # fmt: skip


def paths(form: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a description."""
    items = form.items() if isinstance(form, dict) else enumerate(form) if isinstance(form, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def changed(form: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The description with one entry replaced, or taken out; what lies beside the way there is shared, not copied."""
    key, *rest = path
    form = copy.copy(form)
    if rest:
        form[key] = changed(form[key], tuple(rest), value)
    elif value is OUT:
        del form[key]
    else:
        form[key] = value
    return form


def hostile_forms(contents: Contents) -> Iterator[tuple[str, Contents]]:
    """Every entry of the JSON with every hostile value; lists twice as long, and half as long."""
    for path in paths(contents.form):
        place: Any = contents.form
        for key in path:
            place = place[key]
        more = [place * 2, place[: len(place) // 2], place[::-1]] if isinstance(place, list) else []
        for value in (*HOSTILE, *more):
            form = changed(contents.form, path, value)
            yield f"{path} = {str(value)[:60]}", Contents(contents.kind, form, contents.tensors)


def hostile_tensors(contents: Contents) -> Iterator[tuple[str, Contents]]:
    """Every tensor missing, of other types and shapes, and with other numbers."""
    for name, array in contents.tensors.items():
        values: dict[str, Any] = {
            "missing": None, "float16": array.astype(np.float16), "float32": array.astype(np.float32),
            "float64": array.astype(np.float64), "int8": np.ones(array.shape, np.int8), "bool": array.astype(bool),
            "deeper": array[..., None], "flat": array.reshape(-1), "empty": np.zeros(0, array.dtype),
            "twice": np.concatenate([array, array]) if array.ndim else array, "turned": array.T,
            "negative": -np.abs(array) - 1 if array.dtype.kind in "fi" else array, "scalar": np.array(0, array.dtype),
            "nan": np.full(array.shape, np.nan, array.dtype) if array.dtype.kind == "f" else None,
            "large": np.full(array.shape, 1e30, array.dtype) if array.dtype.kind == "f" else None,
        }  # fmt: skip
        for what, value in values.items():
            tensors = {key: one for key, one in contents.tensors.items() if key != name}
            if value is not None:
                tensors[name] = np.stack([value, -value]) if name == TIMES and what == "flat" else value
            yield f"tensor {name}: {what}", Contents(contents.kind, contents.form, tensors)
