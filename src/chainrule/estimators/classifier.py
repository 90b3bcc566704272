"""The classifier."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from chainrule.arrays import AnyArray
from chainrule.estimators.class_targets import find_classes
from chainrule.estimators.labels import LabelledPerceptron
from chainrule.estimators.parameter_table import CLASSIFIER, Constraints, constraints, described
from chainrule.estimators.solvers import steps_only
from chainrule.estimators.validation import refuse_masked
from chainrule.losses import Loss
from chainrule.training.evaluation import mean_output


@described(CLASSIFIER, targets="labels", score="the accuracy")
class MLPClassifier(ClassifierMixin, LabelledPerceptron):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron for classes, with scikit-learn's names, parameters and manners.

    One logistic unit for two classes, a softmax for more, a logistic unit for each label where a row may have several.
    It minimizes the weighted mean of the rows' cross-entropy, plus `alpha / 2 sum W^2` over the batch's weight. With
    scikit-learn's own arguments it starts from the same weights, takes the same steps and gives its warnings and
    errors; the parameters from `loss` on are chainrule's.

    Arguments:
        {arguments}

    Attributes:
        classes_: the labels in the order of the probabilities; a list of arrays for several targets.
        {attributes}

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", Nature, 1986.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
    >>> round(classifier.score(X, y), 1)
    1.0
    >>> classifier.network_.count().total, sorted(classifier.gradients(X, y))
    (67, ['hidden', 'output'])
    >>> classifier.predict_proba(X[:2]).round(2).tolist(), classifier.predict_log_proba(X[:2]).shape
    ([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], (2, 3))
    >>> MLPClassifier((8,), random_state=0).partial_fit(X, y, classes=[0, 1, 2]).t_
    150
    """

    _parameter_constraints: ClassVar[Constraints] = constraints(CLASSIFIER)

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: str | Loss = "log_loss",
        class_weight: Any = None,
        multi_output: bool = False,
        output_activation: Any = None,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        initializer: Any = None,
        schedule: Any = None,
        clip_norm: float | None = None,
        scoring: Any = None,
        restore_best: bool = False,
        warm_start_optimizer: bool = False,
        missing_values: str = "error",
        n_members: int = 1,
        folds: int | None = None,
        bins: int = 0,
        engine: str = "auto",
        n_jobs: int | None = None,
        callbacks: Any = None,
        progress: bool = False,
    ):
        self._keep(locals())

    @available_if(steps_only)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """One epoch over the rows, going on from the weights as they are.

        Arguments:
            X, y, sample_weight: as for `fit`.
            classes: every class there will ever be; needed in the first call (a list of them with `multi_output`).
            X_val, y_val, sample_weight_val: as for `fit`; with `early_stopping`, `stopped_` says when it is enough.
        """
        self._check_parameters()
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows at once, and partial_fit sees a part of them: compute the "
                "weights with sklearn.utils.class_weight.compute_class_weight and hand them in as a dict"
            )
        if self.multi_output and np.ndim(y) == 2 and np.shape(y)[1] > 1:
            self._learn_targets(classes)
        elif _check_partial_fit_first_call(self, classes):
            several = type_of_target(y).startswith("multilabel")
            self._label_binarizers = find_classes(y if several else np.asarray(classes), False)
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, incremental=True)

    def predict(self, X: Any) -> AnyArray:
        """The most probable label of each row; for several labels or targets a column for each.

        Arguments:
            X: rows, as for `fit`.
        """
        outputs = self._mean_outputs(X)
        return self._class_targets().labels(outputs)

    def predict_proba(self, X: Any, *, return_std: bool = False) -> Any:
        """The probability of each class, shape (rows, classes), in the order of `classes_`.

        For several labels it is the probability of each label; for several targets a list with an array for each.

        Arguments:
            X: rows, as for `fit`.
            return_std: also give the standard deviation between the members of an ensemble.

        Raises:
            ValueError: `return_std` with `n_members=1`: there is nothing to compare.
        """
        outputs, targets = self._outputs_apart(X) if return_std else self._outputs(X), self._class_targets()
        means = targets.probabilities(tuple(mean_output(output) for output in outputs))
        if not return_std:
            return means
        members = [targets.probabilities(tuple(one)) for one in zip(*outputs, strict=True)]
        if targets.several:
            return means, [np.std(head, axis=0) for head in zip(*members, strict=True)]
        return means, np.std(members, axis=0)

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of `predict_proba`.

        Arguments:
            X: rows, as for `fit`.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return [np.log(p) for p in probabilities] if isinstance(probabilities, list) else np.log(probabilities)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows whose label (every label, where there are several) is right.

        Arguments:
            X, y, sample_weight: as for `fit`.
        """
        refuse_masked(y=y, sample_weight=sample_weight)
        if self._as_fitted("multi_output") and self._class_targets().several:
            right = (self.predict(X) == np.asarray(y)).all(axis=1)
            return float(np.average(right, weights=sample_weight))
        return float(super().score(X, y, sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = bool(self.multi_output)
        return tags
