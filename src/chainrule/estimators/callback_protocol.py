"""scikit-learn's own callback protocol, where the installed version has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["SUPPORTED", "CallbackSupportMixin", "Tasks", "with_callbacks"]

F = TypeVar("F", bound=Callable[..., Any])

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    SUPPORTED = True
except ImportError:  # scikit-learn before 1.9
    SUPPORTED = False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to support."""

    def with_callbacks(method: F) -> F:
        """The method as it is."""
        return method


class Tasks:
    """The tasks of a fit as scikit-learn's callbacks see them: the fit, and in it one for each epoch."""

    def __init__(self, estimator: Any, max_epochs: int, X: Any, y: Any, metadata: dict[str, Any]):
        self.estimator = estimator
        self.data = {"X": X, "y": y, "metadata": {name: value for name, value in metadata.items() if value is not None}}
        self.fit: Any = None
        self.epoch: Any = None
        if SUPPORTED and (getattr(estimator, "_skl_callbacks", None) or hasattr(estimator, "_parent_callback_ctx")):
            self.fit = estimator._init_callback_context(max_subtasks=max_epochs)
            self.fit.call_on_fit_task_begin(estimator=estimator, **self.data)

    def begin_epoch(self) -> None:
        """An epoch begins."""
        if self.fit is not None:
            self.epoch = self.fit.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self) -> bool:
        """An epoch is over; whether a callback wants no more."""
        if self.epoch is None:
            return False
        epoch, self.epoch = self.epoch, None
        return self._end(epoch)

    def end(self) -> None:
        """The fit is over."""
        self.end_epoch()
        if self.fit is not None:
            self._end(self.fit)

    def _end(self, task: Any) -> bool:
        return bool(
            task.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=self._fitted_attributes, **self.data
            )
        )

    def _fitted_attributes(self) -> dict[str, Any]:
        return {name: [array.copy() for array in getattr(self.estimator, name)] for name in ("coefs_", "intercepts_")}
