"""scikit-learn's warnings, said where the user's code stands and found by the filters that people wrote for them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

_MODULE = "sklearn.neural_network"  # `filterwarnings(..., module="sklearn")` stands in scikit-learn's own examples
_BETWEEN = ("chainrule.", "sklearn.base", "sklearn.callback")  # what a call of `fit` passes through


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called `fit`."""
    frame = _caller()
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=_MODULE,
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def pass_on(function: Callable[..., Any], *arguments: Any) -> Any:
    """The value of one of scikit-learn's own functions; what it warns of is said by `warn`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = function(*arguments)
    for one in caught:
        warn(str(one.message), one.category)
    return value


def _caller() -> FrameType:
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_BETWEEN):
        frame = frame.f_back
    return frame
