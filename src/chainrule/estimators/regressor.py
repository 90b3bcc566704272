"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from chainrule.arrays import AnyArray, Array
from chainrule.estimators.constraints import REGRESSOR, Constraints
from chainrule.estimators.epochs import HeldOut
from chainrule.estimators.objectives import regression_loss, regression_output
from chainrule.estimators.perceptron import Perceptron
from chainrule.estimators.scoring import held_out_score
from chainrule.estimators.solvers import steps_only
from chainrule.estimators.validation import check_table, refuse_masked
from chainrule.losses import HalfSquaredError, Loss, SquaredError
from chainrule.training.evaluation import mean_output


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron for numbers, with scikit-learn's names, parameters and manners.

    It minimizes the weighted mean of the rows' losses, plus `alpha / 2 sum W^2` over the batch's weight. A row's loss
    is the sum over its targets, of which the gradient is the slope; scikit-learn reports their mean, but follows the
    same gradient. With its own arguments it starts from the same weights, takes the same steps and gives its warnings
    and errors; the parameters from `output_activation` on are chainrule's.

    Arguments:
        loss: `"squared_error"` (half of it) or `"poisson"` (half the deviance, with an exponential output) as in
            scikit-learn; or any of chainrule's by name or object, such as `"huber"`, `"absolute_error"` or
            `Quantile(0.9)`.
        hidden_layer_sizes: units of each hidden layer; a number for a single one, `()` for none.
        activation: of the hidden layers, any of chainrule's by name or object; a list has one for each layer.
            scikit-learn's names are `"identity"`, `"logistic"`, `"tanh"` and `"relu"`.
        solver: `"adam"`, `"sgd"` or `"lbfgs"` in scikit-learn's conventions; `"adamw"`, `"rmsprop"`, `"adagrad"` or an
            optimizer object of chainrule's in ours.
        alpha: the penalty `alpha / 2 sum W^2`, divided by the weight of the batch; AdamW's own weight decay.
        batch_size: rows of a step; `"auto"` is 200, or all where there are fewer. L-BFGS takes all rows.
        learning_rate: of SGD: `"constant"`; `"invscaling"`, `learning_rate_init / (rows seen + 1)^power_t`; or
            `"adaptive"`, divided by 5 when the loss has stopped falling.
        learning_rate_init: the rate of the first step. L-BFGS has none.
        power_t: the power of `"invscaling"`.
        max_iter: epochs at most; iterations of L-BFGS.
        shuffle: whether rows come in a new order in every epoch.
        random_state: a seed, a `RandomState` or None; the same seed starts from scikit-learn's weights and draws its
            row orders.
        tol: how much the loss or score must improve; for L-BFGS, the largest gradient at which it stops.
        verbose: print the loss of every epoch.
        warm_start: whether `fit` goes on from the fitted weights.
        momentum: of SGD, from 0 to 1.
        nesterovs_momentum: whether SGD looks ahead.
        early_stopping: whether to stop by the score of held-out rows, and bring back the best weights.
        validation_fraction: the share of rows held out for early stopping.
        beta_1: Adam's decay of the mean gradient.
        beta_2: Adam's decay of the mean square.
        epsilon: what keeps Adam's (RMSProp's, AdaGrad's) divisor from 0.
        n_iter_no_change: epochs without improvement before training stops.
        max_fun: loss evaluations of L-BFGS at most.
        output_activation: of the output, any of chainrule's; None suits the loss.
        dropout: the share of hidden units silent in each step; a list has one rate for each hidden layer.
        batch_norm: whether every hidden layer normalizes over the batch.
        initializer: how weights start, any of chainrule's by name or object; None is scikit-learn's way.
        schedule: of the learning rate, for every solver with one, in place of `learning_rate`: a name that starts
            from `learning_rate_init`, such as `"cosine"`, or an object.
        clip_norm: the greatest norm of a step's whole gradient.
        scoring: what held-out rows are scored by: a name or a function in scikit-learn's sense; None is R2.
        restore_best: bring back the best epoch's weights without early stopping, too: by the held-out score where
            there is one, else by the loss.
        warm_start_optimizer: whether a warm start also goes on with what the optimizer remembers.
        missing_values: `"error"`, or what stands in for NaN: `"mean"` (of the column in training) or `"zero"`.
        n_members: how many networks train side by side, each from its own start and with its own row orders; their
            outputs are averaged. The first is the network that there would be without the others.
        engine: who computes, as for `chainrule.Model`.
        n_jobs: threads at most; -1 is every core, None leaves it to the engine.
        callbacks: chainrule's callbacks, or functions of an epoch's record; those of scikit-learn go to
            `set_callbacks`.
        progress: whether to show a progress bar on standard error.

    Attributes:
        coefs_: weights of each layer, inputs x units; what you assign is used next.
        intercepts_: biases of each layer.
        n_layers_, n_outputs_, out_activation_: layers with the input, output units, the output's activation.
        n_iter_, t_: epochs of the last fit, rows seen by all.
        loss_: the loss of the last epoch, penalty included.
        loss_curve_: the loss of every epoch; best_loss_: the least of them (None with early stopping). Not for L-BFGS.
        validation_scores_, best_validation_score_: scores of held-out rows, or None.
        validation_loss_curve_: losses of held-out rows, where there are some.
        history_: loss, learning rate, validation loss and score of every epoch, for every solver.
        stopped_: after `partial_fit` with early stopping: whether it is enough.
        missing_means_: with `missing_values="mean"`, what stands in for a missing value of each column.
        n_features_in_, feature_names_in_: columns seen in training, and their names where they have any.
        network_, engine_: the network, and who computes.

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", Nature, 1986.

    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> regressor = MLPRegressor(hidden_layer_sizes=(10,), activation="tanh", solver="lbfgs", random_state=0)
    >>> round(regressor.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2), 2)
    1.0
    """

    _parameter_constraints: ClassVar[Constraints] = REGRESSOR

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
        engine: str = "auto",
        n_jobs: int | None = None,
        callbacks: Any = None,
        progress: bool = False,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.output_activation = output_activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.initializer = initializer
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.scoring = scoring
        self.restore_best = restore_best
        self.warm_start_optimizer = warm_start_optimizer
        self.missing_values = missing_values
        self.n_members = n_members
        self.engine = engine
        self.n_jobs = n_jobs
        self.callbacks = callbacks
        self.progress = progress

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train on rows and their numbers.

        Arguments:
            X: rows, dense or sparse, shape (rows, features): an array or a table of pandas, polars or PyArrow.
            y: numbers, shape (rows,) or (rows, targets).
            sample_weight: a weight for each row.
            X_val, y_val: rows of your own to score on after every epoch, in place of a split.
            sample_weight_val: their weights.

        Raises:
            ValueError: rows, numbers or parameters can't be used, or the loss became NaN or infinite.
        """
        self._check_parameters()
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, incremental=False)

    @available_if(steps_only)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """One epoch over the rows, going on from the weights as they are.

        Arguments:
            X, y, sample_weight: as for `fit`.
            X_val, y_val, sample_weight_val: as for `fit`; with `early_stopping`, `stopped_` says when it is enough.
        """
        self._check_parameters()
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, incremental=True)

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
        """R2: the share of the targets' variance that is predicted."""
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
        return regression_loss(self.loss)

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
