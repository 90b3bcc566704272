"""What a classifier does with labels: checks, encoders, weights of classes, and what of it goes into a pickle."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import unique_labels

from chainrule.activations import get_activation
from chainrule.arrays import AnyArray, Array
from chainrule.estimators.class_targets import ClassTargets, encoder_from, find_classes
from chainrule.estimators.epochs import HeldOut
from chainrule.estimators.fitting import CheckedRows
from chainrule.estimators.objectives import classification_loss, wants_a_unit_per_class
from chainrule.estimators.perceptron import Perceptron
from chainrule.estimators.scoring import held_out_score
from chainrule.estimators.validation import check_table, told
from chainrule.losses import CrossEntropy, Loss


class LabelledPerceptron(Perceptron):
    """The base of `MLPClassifier`: a perceptron whose targets are labels."""

    def _learn_targets(self, classes: Any) -> None:
        """The classes of each target, from the first call of `partial_fit`."""
        if hasattr(self, "classes_"):
            return
        if classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        self._label_binarizers = [find_classes(np.asarray(some), False)[0] for some in classes]
        self.classes_ = [binarizer.classes_ for binarizer in self._label_binarizers]

    def _check_targets(
        self, X: Any, y: Any, *, incremental: bool = False, reset: bool = False, known: bool = False
    ) -> tuple[Any, AnyArray]:
        X, y = check_table(self, X, y, reset=reset, y_numeric=False)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        anew = not known and not self.warm_start and not incremental
        if anew or not hasattr(self, "classes_"):
            self._label_binarizers = find_classes(y, self.multi_output)
            several = len(self._label_binarizers) > 1
            classes = [binarizer.classes_ for binarizer in self._label_binarizers]
            self.classes_ = classes if several else classes[0]
        else:
            self._check_labels(y, same=self.warm_start and not known)
        return X, y

    def _check_labels(self, y: AnyArray, same: bool) -> None:
        """Raise a `ValueError` for labels that earlier fits didn't have, or (with `same`) that lack some of theirs."""
        if self._class_targets().several and (y.ndim != 2 or y.shape[1] != len(self.classes_)):
            raise ValueError(f"`y` has shape {y.shape}; (rows, {len(self.classes_)}) would be right")
        several = self._class_targets().several
        for known, column in zip(self.classes_ if several else [self.classes_], y.T if several else [y], strict=True):
            labels = unique_labels(column)
            if same and set(labels) != set(known):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {told(known)}, `y` has {told(labels)}"
                )
            if len(np.setdiff1d(labels, known, assume_unique=True)):
                raise ValueError(
                    "`y` has classes not in `self.classes_`. "
                    f"`self.classes_` has {told(known)}. 'y' has {told(labels)}."
                )

    def _class_targets(self) -> ClassTargets:
        known = self.__dict__.get("_label_binarizers")
        if known is None:  # never fitted: somebody assigned weights and classes
            known = self._label_binarizers = [LabelBinarizer().fit(self.classes_)]
        return ClassTargets(known, wants_a_unit_per_class(self._as_fitted("loss")))

    @property
    def _label_binarizer(self) -> LabelBinarizer:
        """What converters read of scikit-learn's classifier, and what people set beside weights of their own."""
        if len(self._label_binarizers) > 1:
            raise AttributeError("several targets have a binarizer each, in _label_binarizers")
        return self._label_binarizers[0]

    @_label_binarizer.setter
    def _label_binarizer(self, binarizer: LabelBinarizer) -> None:
        self._label_binarizers = [binarizer]

    def _loss(self) -> Loss:
        return classification_loss(self._as_fitted("loss"), get_activation(self._output()).name)

    def _encode(self, y: AnyArray, dtype: np.dtype[Any]) -> tuple[AnyArray, ...]:
        return self._class_targets().encode(y, isinstance(self._loss(), CrossEntropy), dtype)

    def _heads(self, y: AnyArray) -> tuple[int, ...]:
        return self._class_targets().units

    def _default_output(self) -> str:
        return self._class_targets().outputs

    def _strata(self, table: CheckedRows) -> AnyArray | None:
        """Two classes keep their shares in a split; scikit-learn doesn't stratify by more than two."""
        return table.targets[0].astype(bool) if self.n_outputs_ == 1 else None

    def _weights(self, weights: Array | None, y: AnyArray, X: Any) -> Array | None:
        class_weight = self._as_fitted("class_weight")
        if class_weight is None:
            return weights
        of_classes: Array = compute_sample_weight(class_weight, y)
        return of_classes if weights is None else weights * of_classes

    def _score_held_out(self, held_out: HeldOut, outputs: tuple[Array, ...]) -> float:
        if self.scoring is not None:
            return held_out_score(self, held_out)
        labels = self._class_targets().labels(outputs)
        if labels.ndim == 2 and self._class_targets().several:
            return float(np.average((labels == held_out.y).all(axis=1), weights=held_out.weights))
        return float(accuracy_score(held_out.y, labels, sample_weight=held_out.weights))

    def __getstate__(self) -> dict[str, Any]:
        """Arrays and plain values: of the encoders, what they learned."""
        state = super().__getstate__()
        if "_label_binarizers" in state:
            state["_label_binarizers"] = [dict(vars(binarizer)) for binarizer in state["_label_binarizers"]]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave."""
        super().__setstate__(state)
        if "_label_binarizers" in state:
            self._label_binarizers = [encoder_from(form) for form in state["_label_binarizers"]]
