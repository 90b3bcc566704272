"""What each parameter may be: the tables that scikit-learn's own validation reads, so that its errors come out."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from chainrule import activations, initializers, losses
from chainrule.activations import ActivationFunction
from chainrule.engines.choose import engine_names
from chainrule.initializers import Initializer
from chainrule.losses import Loss
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.schedules import SCHEDULES, Schedule
from chainrule.training.callbacks import Callback

Constraints = dict[str, list[Any]]

# threshold units can't be trained through
_KNOWN: dict[str, type[ActivationFunction]] = {**activations.ACTIVATIONS, **activations.ALIASES}
_ACTIVATIONS = {name for name, cls in _KNOWN.items() if cls.trainable}
_LOSSES = set(losses.LOSSES) | set(losses.ALIASES)
_INITIALIZERS = set(initializers.INITIALIZERS) | set(initializers.ALIASES)

# scikit-learn's own parameters, in its order; activations, solvers and losses take all of ours besides
SHARED: Constraints = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(_ACTIVATIONS), ActivationFunction, list, tuple],
    "solver": [StrOptions(set(OPTIMIZERS)), Optimizer],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
}

# what chainrule adds to both estimators
ADDED: Constraints = {
    "output_activation": [StrOptions(_ACTIVATIONS), ActivationFunction, None],
    "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple],
    "batch_norm": ["boolean"],
    "initializer": [StrOptions(_INITIALIZERS), Initializer, None],
    "schedule": [StrOptions(set(SCHEDULES)), Schedule, None],
    "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
    "scoring": [StrOptions(set(get_scorer_names())), callable, None],
    "restore_best": ["boolean"],
    "warm_start_optimizer": ["boolean"],
    "missing_values": [StrOptions({"error", "mean", "zero"})],
    "n_members": [Interval(Integral, 1, None, closed="left")],
    "engine": [StrOptions(set(engine_names()))],
    "n_jobs": [Integral, None],
    "callbacks": [list, tuple, Callback, callable, None],
    "progress": ["boolean"],
}

CLASSIFIER: Constraints = {
    **SHARED,
    "loss": [StrOptions(_LOSSES), Loss],
    "class_weight": [dict, list, StrOptions({"balanced"}), None],
    "multi_output": ["boolean"],
    **ADDED,
}

REGRESSOR: Constraints = {"loss": [StrOptions(_LOSSES), Loss], **SHARED, **ADDED}
