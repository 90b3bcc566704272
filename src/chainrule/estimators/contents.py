"""An estimator as tensors and JSON, and back: loading runs no code."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from chainrule import container
from chainrule.activations import ActivationFunction
from chainrule.arrays import AnyArray
from chainrule.errors import FileError, InputError
from chainrule.estimators.checking import check_attributes, check_works
from chainrule.initializers import Initializer
from chainrule.losses import Loss
from chainrule.optimizers import Optimizer
from chainrule.plain import shortened
from chainrule.resolve import to_form
from chainrule.schedules import Schedule

KIND = "estimator"
CLASSES = {"MLPClassifier": "classifier", "MLPRegressor": "regressor"}

# parameters that may be one of our objects, by the function that finds it again
_RESOLVERS = {
    Loss: ("chainrule.losses", "get_loss"),
    ActivationFunction: ("chainrule.activations", "get_activation"),
    Initializer: ("chainrule.initializers", "get_initializer"),
    Optimizer: ("chainrule.optimizers", "get_optimizer"),
    Schedule: ("chainrule.schedules", "get_schedule"),
}
_ARRAY, _TUPLE, _OBJECT, _MAPPING, _BINARIZER, _TYPE = "array", "tuple", "object", "mapping", "binarizer", "type"
_CURVE = "curve"
_DEEPEST = 20
_MOST_TEXT = 2**28  # bytes that arrays of texts may take
_SINCE = {"folds": None, "bins": 0}  # parameters that files of before don't have
_NOT_SAVED = ("callbacks", "_skl_callbacks")


def to_contents(estimator: Any) -> container.Contents:
    """What `save` writes: parameters and fitted attributes, arrays as tensors.

    Raises `InputError` for a parameter that is code of its user's own.
    """
    writer = _Writer()
    state = {name: value for name, value in estimator.__getstate__().items() if name not in _NOT_SAVED}
    state.pop("_sklearn_version", None)
    fitted_with = state.pop("_fitted_with", {})
    form = {name: writer.form(name, value) for name, value in state.items()}
    changed = [[name, writer.form(f"{name} of the fit", value)] for name, value in fitted_with.items()]
    changed = [[name, value] for name, value in changed if value != form[name]]
    if changed:
        form["_fitted_with"] = {_TYPE: _MAPPING, "items": changed}
    return container.Contents(KIND, {"class": type(estimator).__name__, "state": form}, writer.tensors)


def from_contents(contents: container.Contents, *, loss: object = None, engine: str | None = None) -> Any:
    """The estimator of a file."""
    name = contents.form["class"]
    if name not in CLASSES:
        raise FileError(f"the file holds a {shortened(name)}, which this version doesn't know")
    cls = getattr(import_module(f"chainrule.estimators.{CLASSES[name]}"), name)
    estimator = cls()
    reader = _Reader(contents.tensors)
    state = {key: reader.value(form) for key, form in contents.form["state"].items()}
    if loss is not None:
        state["loss"] = loss
        state.get("_fitted_with", {}).pop("loss", None)
    if engine is not None:
        state["engine"] = engine
    state = {name: value for name, value in _SINCE.items() if hasattr(estimator, name)} | state
    unknown = [key for key in estimator.get_params(deep=False) if key not in state and key not in _NOT_SAVED]
    if unknown:
        raise FileError(f"the file is damaged: it says nothing of {unknown[0]}")
    check_attributes(estimator, state)
    cls(**state.get("_fitted_with", {}))._check_parameters()
    estimator.__setstate__(state)
    estimator._check_parameters()
    check_works(estimator)
    return estimator


class _Writer:
    """Values in JSON form; numeric arrays go among the tensors."""

    def __init__(self) -> None:
        self.tensors: dict[str, AnyArray] = {}

    def form(self, name: str, value: Any) -> Any:
        """The JSON form of a value; `name` says where it was found."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            return self._array(name, value)
        if isinstance(value, list) and value and all(type(one) is float for one in value):  # a curve: an epoch each
            return {_TYPE: _CURVE, "tensor": self._tensor(name, np.array(value))}
        if isinstance(value, list):
            return [self.form(f"{name}.{i}", one) for i, one in enumerate(value)]
        if isinstance(value, tuple):
            return {_TYPE: _TUPLE, "items": [self.form(f"{name}.{i}", one) for i, one in enumerate(value)]}
        if isinstance(value, Mapping):  # keys may be labels of any kind
            pairs = [[self.form(name, key), self.form(f"{name}.{key}", one)] for key, one in value.items()]
            return {_TYPE: _MAPPING, "items": pairs}
        for base in _RESOLVERS:
            if isinstance(value, base) and self._found_again(base, value):
                return {_TYPE: _OBJECT, "base": base.__name__, "items": to_form(value)}
        raise InputError(
            f"{name} is {value!r}, which files can't hold: they hold no code. Set it to a name or a plain value to save"
        )

    def _found_again(self, base: type, value: Any) -> bool:
        try:
            return bool(_resolve(base.__name__, to_form(value)) == value)
        except (InputError, TypeError):
            return False

    def _array(self, name: str, array: AnyArray) -> Any:
        if array.dtype.kind in "fiub":
            return {_TYPE: _ARRAY, "tensor": self._tensor(name, array)}
        kind = "O" if array.dtype.kind == "O" else array.dtype.str
        return {_TYPE: _ARRAY, "dtype": kind, "items": [self.form(name, one) for one in array.tolist()]}

    def _tensor(self, name: str, array: AnyArray) -> str:
        key = f"{len(self.tensors)}:{name}"
        self.tensors[key] = array
        return key


class _Reader:
    """Values from their JSON form; what isn't as `_Writer` writes it is a KeyError, TypeError or ValueError."""

    def __init__(self, tensors: Mapping[str, AnyArray]) -> None:
        self.tensors = tensors
        self.left = _MOST_TEXT

    def value(self, form: Any, depth: int = 0) -> Any:
        """The value that a form stands for."""
        if depth > _DEEPEST:
            raise ValueError("its lists are nested too deeply")
        if isinstance(form, list):
            return [self.value(one, depth + 1) for one in form]
        if not isinstance(form, Mapping):
            return form
        kind = form[_TYPE]
        if kind == _CURVE:
            return self.tensors[form["tensor"]].tolist()
        if kind == _ARRAY and "tensor" in form:
            return self.tensors[form["tensor"]]
        items = form["items"]
        if kind == _ARRAY:
            return self._texts(items, form["dtype"])
        if kind == _TUPLE:
            return tuple(self.value(one, depth + 1) for one in items)
        if kind == _MAPPING:
            return {self.value(key, depth + 1): self.value(one, depth + 1) for key, one in items}
        if kind == _BINARIZER:  # files of before 0.1.0
            return self.value(items, depth + 1)
        return _resolve(form["base"], items)

    def _texts(self, items: list[Any], dtype: str) -> AnyArray:
        """An array of texts, or of any labels. Each text takes the room of the longest, so that is looked at first."""
        if not isinstance(items, list) or not all(isinstance(one, (str, int, float)) for one in items):
            raise TypeError("labels are texts and numbers")
        if dtype == "O":
            return np.array(items, dtype=object)
        longest = max((len(one) for one in items), default=0)  # TypeError for a number
        self.left -= 4 * len(items) * longest
        if self.left < 0:
            raise ValueError(f"its texts take more than {_MOST_TEXT:,} bytes")
        return np.array(items, dtype=f"U{longest}")


def _resolve(base: str, form: Any) -> Any:
    module, function = next(home for cls, home in _RESOLVERS.items() if cls.__name__ == base)
    return getattr(import_module(module), function)(form)
