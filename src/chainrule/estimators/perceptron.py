"""What both estimators have: fitting, the network behind them, gradients, files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy, deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from chainrule import __version__, container
from chainrule.activations import ActivationFunction
from chainrule.arrays import AnyArray, Array
from chainrule.data import is_ready
from chainrule.estimators import contents
from chainrule.estimators.architecture import Architecture, hidden_sizes
from chainrule.estimators.callback_protocol import CallbackSupportMixin, Tasks, with_callbacks
from chainrule.estimators.epochs import HeldOut
from chainrule.estimators.fitted_model import AtRest, FittedModel, ModelSettings, network_of
from chainrule.estimators.fitting import CheckedRows, Fitting
from chainrule.estimators.fold_fits import check_goes_with_folds, fit_folds
from chainrule.estimators.glass_box import GlassBox
from chainrule.estimators.solvers import make_optimizer, penalty
from chainrule.estimators.sparse import column_knots
from chainrule.estimators.threads import thread_limit, threads_of
from chainrule.estimators.validation import check_rows, check_weights, fill_missing, learn_missing
from chainrule.losses import Loss
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.resolve import resolve
from chainrule.training.evaluation import check_numbers, mean_output

FOR_A_FIT = (
    "loss", "output_activation", "batch_norm", "dropout", "initializer", "missing_values", "class_weight",
    "multi_output", "solver", "alpha",
)  # fmt: skip


class Perceptron(GlassBox, CallbackSupportMixin, BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """The base of `MLPClassifier` and `MLPRegressor`."""

    loss: str | Loss
    coefs_: list[Array]
    intercepts_: list[Array]
    _model: FittedModel

    # what the two estimators say for themselves
    @abstractmethod
    def _check_targets(
        self, X: Any, y: Any, *, incremental: bool = False, reset: bool = False, known: bool = False
    ) -> tuple[Any, AnyArray]:
        """Rows and the user's own targets, checked; with `known` nothing is learned from them."""

    @abstractmethod
    def _encode(self, y: AnyArray, dtype: np.dtype[Any]) -> tuple[AnyArray, ...]:
        """Targets as losses take them, one array for each head."""

    @abstractmethod
    def _heads(self, y: AnyArray) -> tuple[int, ...]:
        """The units of each head."""

    @abstractmethod
    def _default_output(self) -> str:
        """The output activation that goes with the targets and the loss."""

    def _output(self) -> str | ActivationFunction:
        """The output activation: the one that was asked for, or the one that goes with targets and loss."""
        given: str | ActivationFunction | None = self._as_fitted("output_activation")
        return self._default_output() if given is None else given

    @abstractmethod
    def _loss(self) -> Loss:
        """The loss of every head."""

    @abstractmethod
    def _score_held_out(self, held_out: HeldOut, outputs: tuple[Array, ...]) -> float:
        """The score of outputs."""

    def _strata(self, table: CheckedRows) -> AnyArray | None:
        """What a split keeps the shares of."""
        return None

    def _weights(self, weights: Array | None, y: AnyArray, X: Any) -> Array | None:
        """Row weights, those of classes included."""
        return weights

    def _as_fitted(self, name: str) -> Any:
        """A parameter as the last fit had it: a later change has no effect on what was learned."""
        return self.__dict__.get("_fitted_with", {}).get(name, getattr(self, name))

    def _remember_parameters(self) -> None:
        now = {name: getattr(self, name) for name in FOR_A_FIT if hasattr(self, name)}
        self._fitted_with = {name: copy(one) if isinstance(one, (list, dict)) else one for name, one in now.items()}

    # fitting
    def _keep(self, given: dict[str, Any]) -> None:
        """Keep the arguments of `__init__` as they were given: what scikit-learn asks of a constructor."""
        for name, value in given.items():
            if name != "self":
                setattr(self, name, value)

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
        """Train on rows and their targets.

        Arguments:
            X: rows, dense or sparse, shape (rows, features): an array or a table of pandas, polars or PyArrow.
            y: shape (rows,); numbers or labels. Several numbers for a row are (rows, targets); 0 and 1 for each label
                are (rows, labels), where a row may have several; with `multi_output`, a column of labels for each
                target.
            sample_weight: a weight for each row.
            X_val, y_val: rows of your own to score on after every epoch, in place of a split.
            sample_weight_val: their weights.

        Raises:
            ValueError: rows, targets or parameters can't be used, or the loss became NaN or infinite.
        """
        self._check_parameters()
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, incremental=False)

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
        """One epoch over the rows, going on from the weights as they are; with L-BFGS a whole search from there.

        Arguments:
            X, y, sample_weight: as for `fit`.
            X_val, y_val, sample_weight_val: as for `fit`; with `early_stopping`, `stopped_` says when it is enough.
        """
        self._check_parameters()
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, incremental=True)

    def _check_parameters(self) -> None:
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()

    @with_callbacks  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def _fit(
        self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any, sample_weight_val: Any, incremental: bool
    ) -> Self:
        hidden_sizes(self.hidden_layer_sizes)
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val belong together: give both, or none")
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        self._remember_parameters()
        tasks = Tasks(self, self.max_iter, X, y, {"sample_weight": sample_weight})
        table = self._table(X, y, sample_weight, incremental=incremental, reset=first)
        held_out = None if X_val is None else self._held_out(X_val, y_val, sample_weight_val)
        if first:
            self._learn_knots(table.X)
        with thread_limit(self.n_jobs):
            if self.folds is None:
                Fitting(self, table, held_out, incremental=incremental, first=first, tasks=tasks).run()
            else:
                check_goes_with_folds(self, given=held_out is not None, incremental=incremental)
                fit_folds(self, table)
                tasks.end()
        return self

    def _learn_knots(self, X: Any) -> None:
        self.__dict__.pop("knots_", None)
        if not self.bins:
            return
        if not hidden_sizes(self.hidden_layer_sizes):
            raise ValueError("bins needs a hidden layer: without one the network is linear in its columns")
        knots = column_knots(X, self.bins)
        if any(len(own) > 2 for own in knots):  # a single piece is a straight line, which the dense layer has
            self.knots_ = tuple(own if len(own) > 2 else own[:1] for own in knots)

    def _table(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool, reset: bool) -> CheckedRows:
        X, y = self._check_targets(X, y, incremental=incremental, reset=reset)
        weights = check_weights(sample_weight, X)
        if reset or "missing_means_" not in vars(self):
            learn_missing(self, X)
        weights = self._weights(weights, y, X)
        return self._as_table(fill_missing(self, X), y, weights)

    def _held_out(self, X: Any, y: Any, sample_weight: Any) -> CheckedRows:
        try:
            X, y = self._check_targets(X, y, known=True)
        except ValueError as error:
            raise ValueError(f"X_val and y_val: {error}") from error
        return self._as_table(fill_missing(self, X), y, check_weights(sample_weight, X))

    def _as_table(self, X: Any, y: AnyArray, weights: Array | None) -> CheckedRows:
        dtype = self.coefs_[0].dtype if hasattr(self, "coefs_") else X.dtype
        return CheckedRows(X, y, self._encode(y, np.dtype(dtype)), weights)

    # the network
    def _architecture(self, units: tuple[int, ...], heads: tuple[int, ...]) -> Architecture:
        return Architecture.of(
            units, heads, (self._output(),) * len(heads), activation=self.activation,
            knots=vars(self).get("knots_", ()),
            **{name: self._as_fitted(name) for name in ("dropout", "batch_norm", "initializer")},
        )  # fmt: skip

    def _settings(self, architecture: Architecture, members: int, optimizer: Optimizer | None = None) -> ModelSettings:
        losses = (self._loss(),) * len(architecture.heads)
        return ModelSettings(
            architecture, losses, optimizer or make_optimizer(self),
            penalty(self._as_fitted("solver"), self._as_fitted("alpha")), self.engine, members, threads_of(self.n_jobs),
        )  # fmt: skip

    def _new_model(self, table: CheckedRows, seed: int, streams: list[np.random.RandomState]) -> FittedModel:
        """A network that begins anew, its first weights drawn as scikit-learn draws them."""
        architecture = self._architecture(
            (table.X.shape[1], *hidden_sizes(self.hidden_layer_sizes)), self._heads(table.y)
        )
        self._describe(architecture)
        theirs = architecture.initializer is None
        empty = (
            theirs and not self.batch_norm
        )  # weights that are going to be replaced need not be drawn; scales start at 1
        model = FittedModel.of(self._settings(architecture, self.n_members), np.dtype(table.X.dtype), seed, empty=empty)
        if theirs:
            model.start([architecture.draw(stream, self.activation) for stream in streams])
        return model

    def _describe(self, architecture: Architecture) -> None:
        """Fitted attributes that say what the network is like."""
        output = self._output()
        self.out_activation_ = output if isinstance(output, str) else output.name
        self.n_layers_ = len(architecture.units) + 1
        self.n_outputs_ = sum(architecture.heads)
        self._head_units = list(architecture.heads)

    def _ready_model(self, *, training: bool = False, new_optimizer: bool = False) -> FittedModel:
        """The fitted network with the weights in `coefs_` and `intercepts_`.

        To train on, it takes the estimator's parameters as they are now; its optimizer's only if that begins anew.
        """
        model: FittedModel | None = self.__dict__.get("_model")
        architecture = self._fitted_architecture()
        known = None if model is None else model.settings
        if known is None or known.architecture != architecture or training:
            rest = model.at_rest() if model is not None else self.__dict__.get("_training")
            members = self.n_members if training else _members_of(rest, architecture)
            settings = self._settings(architecture, members, None if new_optimizer else _optimizer_of(rest))
            if settings != known:
                self._model = model = FittedModel.of(settings, *self._type_and_seed(rest))
                if rest is None:
                    self._describe(architecture)
                else:
                    model.go_on_from(rest)
        assert model is not None
        model.place(self.coefs_, self.intercepts_)
        model.stands_for = self._activation_now()
        return model

    def _type_and_seed(self, rest: AtRest | None) -> tuple[np.dtype[Any], int]:
        """Of a fitted network; of weights that somebody assigned without a fit, theirs and 0."""
        if rest is not None:
            return rest["parameters"].dtype, rest["seed"]
        single = all(np.asarray(W).dtype == np.float32 for W in self.coefs_)
        return np.dtype(np.float32 if single else np.float64), 0

    def _activation_now(self) -> Any:
        """The one parameter of now by which a fitted network answers, as scikit-learn's; a list may change: a copy."""
        return tuple(self.activation) if isinstance(self.activation, list) else self.activation

    def _fitted_architecture(self) -> Architecture:
        """Of the weights as they are: their owner may have assigned others."""
        units = (np.shape(self.coefs_[0])[0], *(np.shape(W)[1] for W in self.coefs_[:-1]))
        heads = tuple(self.__dict__.get("_head_units", ()))
        if len(heads) < 2:
            heads = (int(np.shape(self.coefs_[-1])[1]),)
        return self._architecture(units, heads)

    def _quick_model(self, X: Any) -> FittedModel | None:
        """The network, where rows can be taken as they are: a plain array of its own type and width, nothing changed.

        Looking at one row in general would take longer than predicting it.
        """
        model: FittedModel | None = self.__dict__.get("_model")
        if (
            model is None
            or "feature_names_in_" in self.__dict__  # scikit-learn warns where names are missing
            or not is_ready(model.network, X, model.dtype)
            or not len(X)
            or model.stands_for != self._activation_now()
            or not model.fits(self.coefs_, self.intercepts_)
        ):
            return None
        model.place(self.coefs_, self.intercepts_)
        return model

    def _outputs(self, X: Any) -> tuple[Array, ...]:
        """What every member says of rows, (members, rows, units) for each head; an error where that isn't finite."""
        outputs = self._raw_outputs(X)
        for output in outputs:
            check_numbers(mean_output(output))
        return outputs

    def _raw_outputs(self, X: Any) -> tuple[Array, ...]:
        model, inputs = self._quick_model(X), (X,)
        if model is None:
            check_is_fitted(self)
            X = check_rows(self, X)
            model = self._ready_model()
            inputs = model.as_inputs(X)
        if model.engine_.brings_threads:  # it counts its own threads
            return model.outputs(inputs)
        with thread_limit(self.n_jobs), np.errstate(over="ignore", under="ignore"):
            return model.outputs(inputs)

    def _outputs_apart(self, X: Any) -> tuple[Array, ...]:
        """What every member says, for a spread between them."""
        outputs = self._outputs(X)
        if len(outputs[0]) == 1:
            raise ValueError(
                "return_std needs several networks to compare, and n_members is 1: fit with n_members=5, say"
            )
        return outputs

    def _mean_outputs(self, X: Any) -> tuple[Array, ...]:
        """The mean of the members, (rows, units) for each head."""
        return tuple(mean_output(output) for output in self._outputs(X))

    @property
    def _optimizer(self) -> SimpleNamespace:
        """What people read of scikit-learn's optimizer: the `learning_rate` where the last fit left it."""
        check_is_fitted(self)
        return SimpleNamespace(learning_rate=self._rate)

    # files and other processes
    def save(self, path: str | Path) -> None:
        """Save to one `.safetensors` file, training state included; `chainrule.load(path)` brings it back.

        Callbacks aren't saved.

        Arguments:
            path: the file, written whole or not at all.

        Raises:
            InputError: a parameter is code of your own, which files don't hold.

        >>> import tempfile
        >>> import chainrule as cr
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
        >>> classifier = cr.MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     classifier.save(f"{folder}/model.safetensors")
        ...     cr.load(f"{folder}/model.safetensors").predict(X).tolist()
        [0, 0, 1, 1]
        """
        check_is_fitted(self)
        container.write(path, contents.to_contents(self), __version__)

    def __copy__(self) -> Self:
        """A copy of its own: two estimators that share their weights would train each other."""
        return deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        model: FittedModel | None = state.pop("_model", None)
        if model is not None:
            state["_training"] = model.at_rest()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave. Files say only what changed since the fit, older versions nothing."""
        super().__setstate__(state)
        if "history_" in state:
            self._remember_parameters()
            self._fitted_with |= state.get("_fitted_with", {})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.missing_values != "error"
        return tags


def _optimizer_of(rest: AtRest | None) -> Optimizer | None:
    """The optimizer of the last fit, where files can hold it: later changes of its parameters don't count."""
    form = None if rest is None else rest["optimizer"]
    return None if form is None else resolve("optimizer", form, Optimizer, OPTIMIZERS)


def _members_of(rest: AtRest | None, architecture: Architecture) -> int:
    """How many networks were trained; weights that somebody assigned in other shapes are one."""
    shape = (1, 0) if rest is None else rest["parameters"].shape
    return int(shape[0]) if shape[1] == network_of(architecture).layout.size else 1
