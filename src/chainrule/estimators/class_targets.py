"""Class labels to what a loss compares with, and outputs back to labels and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from chainrule.arrays import AnyArray, Array

Outputs = tuple[Array, ...]  # one array (rows, units) for each head


def find_classes(y: AnyArray, multi_output: bool) -> list[LabelBinarizer]:
    """One fitted encoder for each head: a single one, unless every column of `y` is a target of its own."""
    columns = list(y.T) if multi_output and y.ndim == 2 else [y]
    return [LabelBinarizer().fit(column) for column in columns]


def encoder_from(form: dict[str, Any] | LabelBinarizer) -> LabelBinarizer:
    """A fitted encoder from what it learned, or as it is."""
    if isinstance(form, LabelBinarizer):
        return form
    binarizer = LabelBinarizer()
    vars(binarizer).update(form)
    return binarizer


class ClassTargets:
    """The labels of every head, and how many units each takes.

    Two classes are one logistic unit, unless `unit_per_class`; several labels in a row are a unit each.
    """

    def __init__(self, binarizers: Sequence[LabelBinarizer], unit_per_class: bool):
        self.binarizers = tuple(binarizers)
        self.several = len(self.binarizers) > 1
        self.unit_per_class = unit_per_class or self.several

    @property
    def multilabel(self) -> bool:
        """Whether a row has any number of labels."""
        return self.binarizers[0].y_type_.startswith("multilabel")

    @property
    def units(self) -> tuple[int, ...]:
        """The units of each head."""
        return tuple(self._units(binarizer) for binarizer in self.binarizers)

    @property
    def outputs(self) -> str:
        """The output activation in scikit-learn's word."""
        return "logistic" if self.multilabel or (self.units == (1,) and not self.unit_per_class) else "softmax"

    def _units(self, binarizer: LabelBinarizer) -> int:
        n_classes = len(binarizer.classes_)
        return n_classes if n_classes > 2 or self.multilabel or self.unit_per_class else 1

    def encode(self, y: AnyArray, as_labels: bool, dtype: np.dtype[Any]) -> tuple[AnyArray, ...]:
        """Targets of each head: class numbers (rows,) where the loss takes them, else 0 and 1 (rows, units)."""
        columns = list(y.T) if self.several else [y]
        return tuple(
            self._encode(binarizer, column, as_labels, dtype)
            for binarizer, column in zip(self.binarizers, columns, strict=True)
        )

    def _encode(self, binarizer: LabelBinarizer, y: AnyArray, as_labels: bool, dtype: np.dtype[Any]) -> AnyArray:
        if self.multilabel:
            return binarizer.transform(y).astype(dtype)
        numbers = np.searchsorted(binarizer.classes_, y).astype(np.int64)
        if self._units(binarizer) == 1 and not self.unit_per_class:
            return numbers.astype(dtype)[:, None]
        return numbers if as_labels else np.eye(len(binarizer.classes_), dtype=dtype)[numbers]

    def labels(self, outputs: Outputs) -> AnyArray:
        """The most probable labels, shape (rows,), or (rows, targets) for several labels or several targets."""
        columns = [self._labels(*pair) for pair in zip(self.binarizers, outputs, strict=True)]
        return np.stack(columns, axis=1) if self.several else columns[0]

    def _labels(self, binarizer: LabelBinarizer, output: Array) -> AnyArray:
        if self.multilabel:
            return binarizer.inverse_transform(output)
        classes = binarizer.classes_
        if len(classes) == 1:
            return np.repeat(classes, len(output))
        one_unit = output.shape[1] == 1 and not self.unit_per_class
        return classes[(output[:, 0] > 0.5).astype(np.intp) if one_unit else output.argmax(axis=1)]

    def probabilities(self, outputs: Outputs) -> Array | list[Array]:
        """Of each class, shape (rows, classes); of each label for several labels; a list for several targets."""
        those = [self._probabilities(output) for output in outputs]
        return those if self.several else those[0]

    def _probabilities(self, output: Array) -> Array:
        if output.shape[1] == 1 and not self.unit_per_class:
            return np.hstack([1 - output, output])
        return output
