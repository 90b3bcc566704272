"""From scikit-learn's solver parameters to an optimizer with its learning rate."""

from __future__ import annotations

from typing import Any

from chainrule.optimizers import LBFGS, SGD, AdaGrad, Adam, AdamW, Optimizer, RMSProp
from chainrule.schedules import SCHEDULES, Schedule

SCIPY_LOSS_TOLERANCE = 2.220446049250313e-09  # SciPy's default, which scikit-learn leaves as it is


def is_full_batch(solver: str | Optimizer) -> bool:
    """Whether a solver works on all rows at once (L-BFGS) and not in steps over batches.

    >>> is_full_batch("lbfgs"), is_full_batch("adam")
    (True, False)
    """
    return solver == "lbfgs" or (isinstance(solver, Optimizer) and solver.full_batch)


def make_optimizer(estimator: Any) -> Optimizer:
    """The optimizer that an estimator's parameters name, in scikit-learn's conventions where it has them."""
    solver = estimator.solver
    if isinstance(solver, Optimizer):
        return solver
    rate = learning_rate(estimator)
    betas = {"beta1": estimator.beta_1, "beta2": estimator.beta_2, "epsilon": estimator.epsilon}
    if solver == "lbfgs":
        return LBFGS(
            gradient_tolerance=estimator.tol, loss_tolerance=SCIPY_LOSS_TOLERANCE, max_evaluations=estimator.max_fun
        )
    if solver == "sgd":
        nesterov = bool(estimator.nesterovs_momentum) and estimator.momentum > 0  # without momentum they are the same
        return SGD(rate, momentum=estimator.momentum, nesterov=nesterov, convention="sklearn")
    if solver == "adam":
        return Adam(rate, convention="sklearn", **betas)
    if solver == "adamw":
        return AdamW(rate, weight_decay=float(estimator.alpha), **betas)
    if solver == "rmsprop":
        return RMSProp(rate, epsilon=estimator.epsilon)
    return AdaGrad(rate, epsilon=estimator.epsilon)


def penalty(solver: str | Optimizer, alpha: float) -> float:
    """What each squared weight is charged: `alpha / 2`; AdamW takes `alpha` as its own weight decay instead."""
    return 0.0 if solver == "adamw" else float(alpha) / 2


def learning_rate(estimator: Any) -> float | Schedule:
    """`learning_rate_init`, or the schedule that starts from it."""
    schedule = estimator.schedule
    if isinstance(schedule, str):
        return SCHEDULES[schedule](float(estimator.learning_rate_init))
    return float(estimator.learning_rate_init) if schedule is None else schedule


def rate_follows_epochs(estimator: Any) -> bool:
    """Whether scikit-learn's `learning_rate` changes the rate between epochs: for its SGD alone."""
    return (
        estimator.solver == "sgd"
        and estimator.schedule is None
        and estimator.learning_rate in ("invscaling", "adaptive")
    )


def steps_only(estimator: Any) -> bool:
    """True; an `AttributeError` where the solver can't go on by single epochs."""
    if is_full_batch(estimator.solver):
        name = estimator.solver if isinstance(estimator.solver, str) else estimator.solver.name
        raise AttributeError(f"partial_fit is only available for stochastic optimizers. {name} is not stochastic.")
    return True
