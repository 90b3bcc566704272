"""L-BFGS: SciPy's iterations over our loss and gradient; each iteration is an epoch of the one training loop."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from chainrule.engines.contract import Engine
from chainrule.errors import TrainingError
from chainrule.training.lbfgs_members import search_together
from chainrule.training.lbfgs_search import Search, evaluate, finish_iteration
from chainrule.training.run import Run


def minimize(run: Run) -> str:
    """Iterate until SciPy is content, the epochs are done, or a rule stops it; the reason."""
    plan = run.plan
    for step in plan.engine.network.steps:
        if step.layer.is_random:
            raise TrainingError(
                f'L-BFGS refuses dropout (layer "{step.name}"): it compares losses between evaluations, and a new '
                "random mask each time changes the loss itself. Train with Adam or SGD, or leave the dropout out"
            )
    if any(part.rate_factor != 1 for part in plan.engine.objective.trainable):
        raise TrainingError(
            "L-BFGS has no learning rate that a rate_factor could multiply; train with Adam or SGD, or leave it out"
        )
    if not plan.engine.objective.trainable:
        raise TrainingError("L-BFGS has nothing to learn: the network has no parameter that may change")
    run.begin_epoch()
    iterations = plan.epochs - (run.epoch - 1)
    search = search_together if len(run.state.parameters) > 1 else search_alone
    with _few_threads(plan.engine):
        reason, run.solver_results = search(run, iterations)
    if reason is not None:
        return reason
    if run.epoch > plan.epochs:
        return "epochs"
    messages = {str(result.message).lower(): None for result in run.solver_results}
    return f"L-BFGS: {'; '.join(messages)}"


def _few_threads(engine: Engine) -> AbstractContextManager[Any]:
    """SciPy's own products are of short vectors: threads would wait for each other longer than they compute.

    Where an engine's products are NumPy's, they keep its threads.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1) if engine.brings_threads else nullcontext()


def search_alone(run: Run, iterations: int) -> tuple[str | None, list[Any]]:
    """The search of a single network: why it was stopped, if it was, and SciPy's result if it wasn't."""
    search = Search(run, 0, lambda search: evaluate(run, [search])[0])
    reasons: list[str] = []

    def after_iteration(search: Search) -> None:
        reason = finish_iteration(run, [search], [search])
        if reason is not None:
            reasons.append(reason)
            raise StopIteration

    try:
        result = search.minimize(after_iteration, iterations)
    except StopIteration:
        return run.stop_reason(), []
    return (reasons[0], []) if reasons else (None, [result])
