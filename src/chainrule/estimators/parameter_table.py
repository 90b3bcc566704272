"""Each parameter of the estimators once: what it may be, which scikit-learn's own validation reads, and what it means.

scikit-learn reads the parameters from the signature of `__init__`, so the two constructors write theirs out; all else
about them is here, and `described` puts it into the classes' docstrings.
"""

from __future__ import annotations

from dataclasses import dataclass
from inspect import cleandoc
from numbers import Integral, Real
from textwrap import fill
from typing import Any, TypeVar

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from chainrule import activations, initializers, losses
from chainrule.activations import ActivationFunction
from chainrule.engines.choose import engine_choices, engine_names
from chainrule.initializers import Initializer
from chainrule.losses import Loss
from chainrule.optimizers import OPTIMIZERS, Optimizer
from chainrule.schedules import SCHEDULES, Schedule
from chainrule.training.callbacks import Callback

C = TypeVar("C", bound=type)
Constraints = dict[str, list[Any]]


@dataclass(frozen=True)
class Parameter:
    """What a parameter means, and what it may be; `{…}` is a word that the two estimators say differently."""

    means: str
    may_be: list[Any]


# threshold units can't be trained through
_KNOWN: dict[str, type[ActivationFunction]] = {**activations.ACTIVATIONS, **activations.ALIASES}
_ACTIVATIONS = {name for name, cls in _KNOWN.items() if cls.trainable}
_LOSSES = set(losses.LOSSES) | set(losses.ALIASES)
_INITIALIZERS = set(initializers.INITIALIZERS) | set(initializers.ALIASES)


def _from(low: float, high: float | None = None, *, kind: type = Real, closed: str = "left") -> Interval:
    return Interval(kind, low, high, closed=closed)


# scikit-learn's own parameters, in its order; activations, solvers and losses take all of ours besides
THEIRS = {
    "hidden_layer_sizes": Parameter(
        "units of each hidden layer; a number for a single one, `()` for none.", ["array-like", _from(1, kind=Integral)]
    ),
    "activation": Parameter(
        "of the hidden layers, any of chainrule's by name or object; a list has one for each layer. scikit-learn's "
        'names are `"identity"`, `"logistic"`, `"tanh"` and `"relu"`.',
        [StrOptions(_ACTIVATIONS), ActivationFunction, list, tuple],
    ),
    "solver": Parameter(
        '`"adam"`, `"sgd"` or `"lbfgs"` in scikit-learn\'s conventions; `"adamw"`, `"rmsprop"`, `"adagrad"` or an '
        "optimizer object of chainrule's in ours.",
        [StrOptions(set(OPTIMIZERS)), Optimizer],
    ),
    "alpha": Parameter(
        "the penalty `alpha / 2 sum W^2`, divided by the weight of the batch; AdamW's own weight decay.", [_from(0)]
    ),
    "batch_size": Parameter(
        'rows of a step; `"auto"` is 200, or all where there are fewer. L-BFGS takes all rows.',
        [StrOptions({"auto"}), _from(1, kind=Integral)],
    ),
    "learning_rate": Parameter(
        'of SGD: `"constant"`; `"invscaling"`, `learning_rate_init / (rows seen + 1)^power_t`; or `"adaptive"`, '
        "divided by 5 when the loss has stopped falling.",
        [StrOptions({"constant", "invscaling", "adaptive"})],
    ),
    "learning_rate_init": Parameter("the rate of the first step. L-BFGS has none.", [_from(0, closed="neither")]),
    "power_t": Parameter('the power of `"invscaling"`.', [_from(0)]),
    "max_iter": Parameter("epochs at most; iterations of L-BFGS.", [_from(1, kind=Integral)]),
    "shuffle": Parameter("whether rows come in a new order in every epoch.", ["boolean"]),
    "random_state": Parameter(
        "a seed, a `RandomState` or None; the same seed starts from scikit-learn's weights and draws its row orders.",
        ["random_state"],
    ),
    "tol": Parameter(
        "how much the loss or score must improve; for L-BFGS, the largest gradient at which it stops.", [_from(0)]
    ),
    "verbose": Parameter("print the loss of every epoch.", ["verbose"]),
    "warm_start": Parameter("whether `fit` goes on from the fitted weights.", ["boolean"]),
    "momentum": Parameter("of SGD, from 0 to 1.", [_from(0, 1, closed="both")]),
    "nesterovs_momentum": Parameter("whether SGD looks ahead.", ["boolean"]),
    "early_stopping": Parameter(
        "whether to stop by the score of held-out rows, and bring back the best weights.", ["boolean"]
    ),
    "validation_fraction": Parameter("the share of rows held out for early stopping.", [_from(0, 1)]),
    "beta_1": Parameter("Adam's decay of the mean gradient.", [_from(0, 1)]),
    "beta_2": Parameter("Adam's decay of the mean square.", [_from(0, 1)]),
    "epsilon": Parameter("what keeps Adam's (RMSProp's, AdaGrad's) divisor from 0.", [_from(0, closed="neither")]),
    "n_iter_no_change": Parameter(
        "epochs without improvement before training stops.", [_from(1, kind=Integral), Options(Real, {np.inf})]
    ),
    "max_fun": Parameter("loss evaluations of L-BFGS at most.", [_from(1, kind=Integral)]),
}

# what chainrule adds to both estimators
ADDED = {
    "output_activation": Parameter(
        "of the output, any of chainrule's; None suits the {targets}.",
        [StrOptions(_ACTIVATIONS), ActivationFunction, None],
    ),
    "dropout": Parameter(
        "the share of hidden units silent in each step; a list has one rate for each hidden layer.",
        [_from(0, 1), list, tuple],
    ),
    "batch_norm": Parameter("whether every hidden layer normalizes over the batch.", ["boolean"]),
    "initializer": Parameter(
        "how weights start, any of chainrule's by name or object; None is scikit-learn's way.",
        [StrOptions(_INITIALIZERS), Initializer, None],
    ),
    "schedule": Parameter(
        "of the learning rate, for every solver with one, in place of `learning_rate`: a name that starts from "
        '`learning_rate_init`, such as `"cosine"`, or an object.',
        [StrOptions(set(SCHEDULES)), Schedule, None],
    ),
    "clip_norm": Parameter("the greatest norm of a step's whole gradient.", [_from(0, closed="neither"), None]),
    "scoring": Parameter(
        "what held-out rows are scored by: a name or a function in scikit-learn's sense; None is {score}.",
        [StrOptions(set(get_scorer_names())), callable, None],
    ),
    "restore_best": Parameter(
        "bring back the best epoch's weights without early stopping, too: by the held-out score where there is one, "
        "else by the loss.",
        ["boolean"],
    ),
    "warm_start_optimizer": Parameter(
        "whether a warm start also goes on with what the optimizer remembers.", ["boolean"]
    ),
    "missing_values": Parameter(
        '`"error"`, or what stands in for NaN: `"mean"` (of the column in training) or `"zero"`.',
        [StrOptions({"error", "mean", "zero"})],
    ),
    "n_members": Parameter(
        "how many networks train side by side, each from its own start and with its own row orders; their outputs are "
        "averaged. The first is the network that there would be without the others.",
        [_from(1, kind=Integral)],
    ),
    "folds": Parameter(
        "with `early_stopping` and at least as many members, into how many folds the rows are dealt: each member "
        "leaves out one of its own and stops by it, in place of one part that all leave out.",
        [_from(2, kind=Integral), None],
    ),
    "bins": Parameter(
        "into how many pieces a function of each column is divided that stands beside the column itself, its knots "
        "being quantiles of the rows of `fit`; 0 takes the column alone.",
        [_from(0, kind=Integral)],
    ),
    "engine": Parameter(f"who computes: {engine_choices(chr(34))}.", [StrOptions(set(engine_names()))]),
    "n_jobs": Parameter("threads at most; -1 is every core, None leaves it to the engine.", [Integral, None]),
    "callbacks": Parameter(
        "chainrule's callbacks, or functions of an epoch's record; those of scikit-learn go to `set_callbacks`.",
        [list, tuple, Callback, callable, None],
    ),
    "progress": Parameter("whether to show a progress bar on standard error.", ["boolean"]),
}

CLASSIFIER = {
    **THEIRS,
    "loss": Parameter(
        '`"log_loss"`, the cross-entropy; or any of chainrule\'s by name or object, compared with 0 and 1.',
        [StrOptions(_LOSSES), Loss],
    ),
    "class_weight": Parameter(
        'how much rows of each class count: a dict, `"balanced"`, or a list of dicts for several targets.',
        [dict, list, StrOptions({"balanced"}), None],
    ),
    "multi_output": Parameter("whether every column of `y` is a target with classes of its own.", ["boolean"]),
    **ADDED,
}

REGRESSOR = {
    "loss": Parameter(
        '`"squared_error"` (half of it) or `"poisson"` (half the deviance, with an exponential output) as in '
        'scikit-learn; or any of chainrule\'s by name or object, such as `"huber"`, `"absolute_error"` or '
        "`Quantile(0.9)`.",
        [StrOptions(_LOSSES), Loss],
    ),
    **THEIRS,
    **ADDED,
}

_ATTRIBUTES = """\
coefs_: weights of each layer, inputs x units; what you assign is used next.
intercepts_: biases of each layer.
n_layers_, n_outputs_, out_activation_: layers with the input, output units, the output's activation.
n_iter_, t_: epochs of the last fit, rows seen by all.
loss_: the loss of the last epoch, penalty included.
loss_curve_: the loss of every epoch; best_loss_: the least of them (None with early stopping). Not for L-BFGS.
validation_scores_, best_validation_score_: scores of held-out rows, or None.
validation_loss_curve_: losses of held-out rows, where there are some.
history_: loss, learning rate, validation loss and score of every epoch, for every solver.
out_of_fold_score_: with `folds`, the score of all rows by those that left them out; curves are the first member's.
knots_: with `bins`, the knots of each column's function.
stopped_: after `partial_fit` with early stopping: whether it is enough.
missing_means_: with `missing_values="mean"`, what stands in for a missing value of each column.
n_features_in_, feature_names_in_: columns seen in training, and their names where they have any.
network_, engine_: the network, and who computes."""


def constraints(parameters: dict[str, Parameter]) -> Constraints:
    """What scikit-learn checks parameters against."""
    return {name: parameter.may_be for name, parameter in parameters.items()}


def described(parameters: dict[str, Parameter], **words: str) -> Any:
    """A decorator that writes parameters and fitted attributes where a class's docstring says `{arguments}` and so on.

    Arguments:
        words: what stands for `{…}` in the parameters' meanings.
    """

    def paragraph(text: str) -> str:
        return fill(text, 116, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False)

    def describe(cls: C) -> C:
        arguments = "\n".join(paragraph(f"{name}: {p.means.format(**words)}") for name, p in parameters.items())
        attributes = "\n".join(map(paragraph, _ATTRIBUTES.splitlines()))
        given = cleandoc(cls.__doc__ or "")  # as Python 3.13 keeps it anyway
        cls.__doc__ = given.replace("{arguments}", arguments.strip()).replace("{attributes}", attributes.strip())
        return cls

    return describe
