"""What both estimators have: fitting, the network behind them, gradients, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from chainrule import __version__, container
from chainrule.activations import ActivationFunction
from chainrule.arrays import AnyArray, Array
from chainrule.engines.contract import Rows
from chainrule.estimators import saving
from chainrule.estimators.architecture import Architecture, hidden_sizes
from chainrule.estimators.core import AtRest, Core, Settings
from chainrule.estimators.epochs import HeldOut
from chainrule.estimators.fitting import Fitting, Table
from chainrule.estimators.protocol import CallbackSupportMixin, Tasks, with_callbacks
from chainrule.estimators.solvers import make_optimizer, penalty
from chainrule.estimators.threads import thread_limit, threads_of
from chainrule.estimators.validation import check_rows, check_weights, fill_missing, learn_missing
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.parameters import Named
from chainrule.resolve import resolve


class Perceptron(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The base of `MLPClassifier` and `MLPRegressor`."""

    loss: str | Loss
    coefs_: list[Array]
    intercepts_: list[Array]
    _core: Core

    # what the two estimators say for themselves
    def _check_targets(
        self, X: Any, y: Any, *, incremental: bool = False, reset: bool = False, known: bool = False
    ) -> tuple[Any, AnyArray]:
        """Rows and the user's own targets, checked; with `known` nothing is learned from them."""
        raise NotImplementedError

    def _encode(self, y: AnyArray, dtype: np.dtype[Any]) -> tuple[AnyArray, ...]:
        """Targets as losses take them, one array for each head."""
        raise NotImplementedError

    def _heads(self, y: AnyArray) -> tuple[int, ...]:
        """The units of each head."""
        raise NotImplementedError

    def _default_output(self) -> str:
        """The output activation that goes with the targets and the loss."""
        raise NotImplementedError

    def _output(self) -> str | ActivationFunction:
        """The output activation: the one that was asked for, or the one that goes with targets and loss."""
        given: str | ActivationFunction | None = self.output_activation
        return self._default_output() if given is None else given

    def _loss(self) -> Loss:
        """The loss of every head."""
        raise NotImplementedError

    def _score_held_out(self, held_out: HeldOut, outputs: tuple[Array, ...]) -> float:
        """The score of outputs."""
        raise NotImplementedError

    def _strata(self, table: Table) -> AnyArray | None:
        """What a split keeps the shares of."""
        return None

    def _weights(self, weights: Array | None, y: AnyArray, X: Any) -> Array | None:
        """Row weights, those of classes included."""
        return weights

    # fitting
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
        tasks = Tasks(self, self.max_iter, X, y, {"sample_weight": sample_weight})
        table = self._table(X, y, sample_weight, incremental=incremental, reset=first)
        held_out = None if X_val is None else self._held_out(X_val, y_val, sample_weight_val)
        Fitting(self, table, held_out, incremental=incremental, first=first, tasks=tasks).run()
        return self

    def _table(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool, reset: bool) -> Table:
        X, y = self._check_targets(X, y, incremental=incremental, reset=reset)
        weights = check_weights(sample_weight, X)
        if reset:
            learn_missing(self, X)
        weights = self._weights(weights, y, X)
        return self._as_table(fill_missing(self, X), y, weights)

    def _held_out(self, X: Any, y: Any, sample_weight: Any) -> Table:
        X, y = self._check_targets(X, y, known=True)
        return self._as_table(fill_missing(self, X), y, check_weights(sample_weight, X))

    def _as_table(self, X: Any, y: AnyArray, weights: Array | None) -> Table:
        dtype = self.coefs_[0].dtype if hasattr(self, "coefs_") else X.dtype
        return Table(X, y, self._encode(y, np.dtype(dtype)), weights)

    # the network
    def _architecture(self, units: tuple[int, ...], heads: tuple[int, ...]) -> Architecture:
        return Architecture.of(
            units, heads, (self._output(),) * len(heads), activation=self.activation, dropout=self.dropout,
            batch_norm=self.batch_norm, initializer=self.initializer,
        )  # fmt: skip

    def _settings(self, architecture: Architecture, optimizer: Optimizer | None = None) -> Settings:
        losses = (self._loss(),) * len(architecture.heads)
        return Settings(
            architecture, losses, optimizer or make_optimizer(self), penalty(self), self.engine, self.n_members,
            threads_of(self.n_jobs),
        )  # fmt: skip

    def _new_core(self, table: Table, seed: int, streams: list[np.random.RandomState]) -> Core:
        """A network that begins anew, its first weights drawn as scikit-learn draws them."""
        heads = self._heads(table.y)
        output = self._output()
        self.out_activation_ = output if isinstance(output, str) else output.name
        self.n_outputs_ = sum(heads)
        architecture = self._architecture((table.X.shape[1], *hidden_sizes(self.hidden_layer_sizes)), heads)
        self.n_layers_ = len(architecture.units) + 1
        core = Core(self._settings(architecture), np.dtype(table.X.dtype), seed)
        if architecture.initializer is None:
            core.start([architecture.draw(stream, self.activation) for stream in streams])
        self._head_units = list(heads)
        return core

    def _ready_core(self, *, training: bool = False, new_optimizer: bool = False) -> Core:
        """The fitted network with the weights in `coefs_` and `intercepts_`.

        To train on, it takes the estimator's parameters as they are now; its optimizer's only if that begins anew.
        """
        core: Core | None = self.__dict__.get("_core")
        architecture = self._fitted_architecture()
        known = None if core is None else core.settings
        if known is None or known.architecture != architecture or training:
            rest = core.at_rest() if core is not None else self._training
            settings = self._settings(architecture, None if new_optimizer else _optimizer_of(rest))
            if settings != known:
                core = Core(settings, rest["parameters"].dtype, rest["seed"])
                core.take(rest)
                core.take_optimizer(rest)
                self._core = core
        assert core is not None
        core.place(self.coefs_, self.intercepts_)
        return core

    def _fitted_architecture(self) -> Architecture:
        """Of the weights as they are: their owner may have assigned others."""
        units = (self.coefs_[0].shape[0], *(np.shape(W)[1] for W in self.coefs_[:-1]))
        heads = tuple(self._head_units)
        if len(heads) == 1:
            heads = (int(np.shape(self.coefs_[-1])[1]),)
        return self._architecture(units, heads)

    def _outputs(self, X: Any) -> tuple[Array, ...]:
        """What every member says of rows, (members, rows, units) for each head."""
        check_is_fitted(self)
        X = check_rows(self, X)
        core = self._ready_core()
        with thread_limit(self.n_jobs), np.errstate(over="ignore", under="ignore"):
            return core.outputs(X)

    @property
    def network_(self) -> Network:
        """The network: its layers, steps and parameter counts.

        Raises:
            NotFittedError: there is none before `fit`.
        """
        check_is_fitted(self)
        return self._ready_core().model.network

    @property
    def engine_(self) -> str:
        """Which engine computes, and why."""
        check_is_fitted(self)
        return str(self._ready_core().model.engine_)

    def gradients(self, X: Any, y: Any, sample_weight: Any = None) -> Named:
        """The gradient of the rows' loss (as one batch, penalty included) by every parameter, by layer and name.

        Of an ensemble it is the first member's. Dropout is off, and batch normalization uses its running statistics.

        Arguments:
            X, y: rows and targets as for `fit`.
            sample_weight: a weight for each row.
        """
        return self._evaluate(X, y, sample_weight)[1]

    def loss_and_gradients(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[float, Named]:
        """The rows' loss and its gradients; see `gradients`."""
        return self._evaluate(X, y, sample_weight)

    def _evaluate(self, X: Any, y: Any, sample_weight: Any) -> tuple[float, Named]:
        check_is_fitted(self)
        X, y = self._check_targets(X, y, known=True)
        core = self._ready_core()
        model = core.model
        table = Table(
            fill_missing(self, X), y, self._encode(y, model.dtype), self._weights(check_weights(sample_weight, X), y, X)
        )
        rows: Rows = table.rows(model.dtype)
        training = model.training
        result = model._engine.gradients(
            training.parameters[:1], training.state[:1], rows, training=False, seed=model.seed, step=training.step
        )
        return float(result.loss[0]), model.network.layout.named(result.vector[0])

    def explain(self, x: Any, y: Any = None, sample_weight: Any = None, **options: Any) -> Any:
        """Every quantity of a forward and a backward pass over one row (or several as one batch), by name.

        Of an ensemble it is the first member's. See `chainrule.Model.explain` for the derivation that it returns.

        Arguments:
            x, y: rows and targets as for `fit`; a single row may come without its brackets. Without targets there is
                the forward pass alone.
            sample_weight: a weight for each row.
            options: those of `Model.explain`.
        """
        check_is_fitted(self)
        one = np.ndim(x) == 1
        model = self._ready_core().model
        if y is None:
            X = check_rows(self, [x] if one else x)
            return model.explain(X.toarray() if issparse(X) else X, **options)
        X, y = self._check_targets([x] if one else x, [y] if one else y, known=True)
        targets = self._encode(y, model.dtype)
        by_head = dict(zip((head.name for head in model.network.heads), targets, strict=True))
        weights = self._weights(check_weights(sample_weight, X), y, X)
        X = fill_missing(self, X)
        return model.explain(X.toarray() if issparse(X) else X, by_head, weights, **options)

    # files and other processes
    def save(self, path: str | Path) -> None:
        """Save to one `.safetensors` file, training state included; `chainrule.load(path)` brings it back.

        Callbacks aren't saved. Raises `InputError` where a parameter is code of your own, which files don't hold.
        """
        check_is_fitted(self)
        container.write(path, saving.to_contents(self), __version__)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        core: Core | None = state.pop("_core", None)
        if core is not None:
            state["_training"] = core.at_rest()
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.missing_values != "error"
        return tags


def _optimizer_of(rest: AtRest) -> Optimizer | None:
    """The optimizer of the last fit, where files can hold it: later changes of its parameters don't count."""
    form = rest["optimizer"]
    return None if form is None else resolve("optimizer", form, Optimizer, OPTIMIZERS)
