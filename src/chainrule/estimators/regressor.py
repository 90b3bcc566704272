"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d

from chainrule.arrays import AnyArray, Array
from chainrule.estimators.epochs import HeldOut
from chainrule.estimators.objectives import regression_loss, regression_output
from chainrule.estimators.parameter_table import REGRESSOR, Constraints, constraints, described
from chainrule.estimators.perceptron import Perceptron
from chainrule.estimators.scoring import held_out_score
from chainrule.estimators.validation import check_table, refuse_masked
from chainrule.losses import HalfSquaredError, Loss, SquaredError
from chainrule.training.evaluation import mean_output


@described(REGRESSOR, targets="loss", score="R2")
class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron for numbers, with scikit-learn's names, parameters and manners.

    It minimizes the weighted mean of the rows' losses, plus `alpha / 2 sum W^2` over the batch's weight. A row's loss
    is the sum over its targets, of which the gradient is the slope; scikit-learn reports their mean, but follows the
    same gradient. With its own arguments it starts from the same weights, takes the same steps and gives its warnings
    and errors; the parameters from `output_activation` on are chainrule's.

    Arguments:
        {arguments}

    Attributes:
        {attributes}

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", Nature, 1986.

    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> regressor = MLPRegressor(hidden_layer_sizes=(10,), activation="tanh", solver="lbfgs", random_state=0)
    >>> round(regressor.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2), 2)
    1.0
    >>> MLPRegressor(hidden_layer_sizes=(10,), random_state=0).partial_fit(X, X[:, 0]).t_
    40
    """

    _parameter_constraints: ClassVar[Constraints] = constraints(REGRESSOR)

    def __init__(
        self,
        loss: str | Loss = "squared_error",
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

    def predict(self, X: Any, *, return_std: bool = False) -> Any:
        """The prediction for each row, shape (rows,) or (rows, targets).

        Arguments:
            X: rows, as for `fit`.
            return_std: also give the standard deviation between the members of an ensemble, of the same shape.

        Raises:
            ValueError: `return_std` with `n_members=1`: there is nothing to compare.
        """
        (outputs,) = self._outputs_apart(X) if return_std else self._outputs(X)
        if outputs.shape[2] == 1:
            outputs = outputs[:, :, 0]
        mean = mean_output(outputs)
        return (mean, outputs.std(axis=0)) if return_std else mean

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R2: the share of the targets' variance that is predicted.

        Arguments:
            X, y, sample_weight: as for `fit`.
        """
        refuse_masked(y=y, sample_weight=sample_weight)
        return float(super().score(X, y, sample_weight))

    def _check_targets(
        self, X: Any, y: Any, *, incremental: bool = False, reset: bool = False, known: bool = False
    ) -> tuple[Any, AnyArray]:
        X, y = check_table(self, X, y, reset=reset, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        columns = 1 if y.ndim == 1 else y.shape[1]
        if reset:
            self.n_outputs_ = columns
        has = self.n_outputs_ if hasattr(self, "n_outputs_") else np.shape(self.coefs_[-1])[1]  # weights were assigned
        if columns != has:
            raise ValueError(f"`y` has {columns} targets; the network has {has}, from its first fit")
        return X, y

    def _loss(self) -> Loss:
        return regression_loss(self._as_fitted("loss"))

    def _encode(self, y: AnyArray, dtype: np.dtype[Any]) -> tuple[AnyArray, ...]:
        self._check_size(y, dtype)
        targets = y.astype(dtype, copy=False)
        return (self._loss().check_targets(targets[:, None] if y.ndim == 1 else targets, "output"),)

    def _check_size(self, y: AnyArray, dtype: np.dtype[Any]) -> None:
        """Raise a `ValueError` for numbers whose squares are measured, and overflow."""
        largest = float(np.abs(y).max())
        squares = isinstance(self._loss(), (HalfSquaredError, SquaredError))
        if squares and largest > np.sqrt(np.finfo(dtype).max / len(y)) / 2:
            raise ValueError(
                f"`y` has numbers of size {largest:g}, the sum of whose squares is no {dtype} any more: scale them down"
            )

    def _heads(self, y: AnyArray) -> tuple[int, ...]:
        return (1 if y.ndim == 1 else y.shape[1],)

    def _default_output(self) -> str:
        return regression_output(self._loss())

    def _score_held_out(self, held_out: HeldOut, outputs: tuple[Array, ...]) -> float:
        if self.scoring is not None:
            return held_out_score(self, held_out)
        (output,) = outputs
        predicted = output[:, 0] if output.shape[1] == 1 else output
        return float(r2_score(held_out.y, predicted, sample_weight=held_out.weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self._loss().fuses_with == "exponential"
        return tags
