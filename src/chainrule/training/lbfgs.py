"""L-BFGS: SciPy's iterations over our loss and gradient; each iteration is an epoch of the one training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.engines.contract import Engine
from chainrule.errors import TrainingError
from chainrule.optimizers import LBFGS

if TYPE_CHECKING:
    from chainrule.training.loop import Run

Answer = tuple[float, Array, Array]  # loss, gradient by the whole parameter vector, new state


class Search:
    """One member's search: its trainable parameters as the vector that SciPy moves.

    Arguments:
        evaluate: loss, gradient and new state of the member's parameters as they are.
    """

    def __init__(self, run: Run, member: int, evaluate: Callable[[Search], Answer]):
        self.run, self.member, self.evaluate = run, member, evaluate
        self.runs = [part.slice for part in run.plan.engine.objective.trainable]
        self.parameters = run.state.parameters[member].copy()
        self.state = run.state.state[member].copy()
        self.loss = np.inf
        self._evaluations = 0
        self._last: tuple[bytes, float, Array] | None = None

    def minimize(self, after_iteration: Callable[[Search], None], iterations: int) -> Any:
        """Iterate until SciPy is content or `after_iteration` raises a `StopIteration`; SciPy's result."""
        from scipy.optimize import minimize

        optimizer = self.run.plan.optimizer
        assert isinstance(optimizer, LBFGS)

        def callback(x: Doubles) -> None:
            self._settle(x)
            after_iteration(self)

        options = {
            "maxiter": iterations, "maxcor": optimizer.memory, "maxfun": optimizer.max_evaluations,
            "gtol": optimizer.gradient_tolerance, "ftol": optimizer.loss_tolerance,
        }  # fmt: skip
        return minimize(self, self._vector(), method="L-BFGS-B", jac=True, callback=callback, options=options)

    def __call__(self, x: Doubles) -> tuple[float, Doubles]:
        """The loss and its gradient at x, over all rows as one batch."""
        if self.run.should_stop():
            raise StopIteration
        self._place(x)
        self._evaluations += 1
        loss, gradient, state = self.evaluate(self)
        if not np.isfinite(loss) and self._evaluations == 1:
            raise self.run.divergence_error(self.run.plan.data, self.member)
        if self._evaluations == 1:
            self.loss = loss
        self._last = x.tobytes(), loss, state
        return loss, np.concatenate([gradient[part] for part in self.runs]).astype(np.float64)

    def _settle(self, x: Doubles) -> None:
        """Take x, which ends an iteration, with its loss and state: mostly it was evaluated last."""
        if self._last is None or self._last[0] != x.tobytes():
            self(x)
        assert self._last is not None
        self._place(x)
        _, self.loss, self.state = self._last

    def _vector(self) -> Doubles:
        return np.concatenate([self.parameters[part] for part in self.runs]).astype(np.float64)

    def _place(self, x: Doubles) -> None:
        begin = 0
        for part in self.runs:
            size = part.stop - part.start
            self.parameters[part] = x[begin : begin + size]
            begin += size


def evaluate(run: Run, searches: Sequence[Search]) -> list[Answer]:
    """Losses, gradients and new states of several members in one call of the engine; Ctrl-C is a `StopIteration`."""
    plan, state = run.plan, run.state
    try:
        with run.interrupt.at_once():
            result = plan.engine.gradients(
                np.stack([search.parameters for search in searches]),
                state.state[[search.member for search in searches]],
                plan.data, training=True, seed=plan.seed, step=state.step,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise StopIteration from None
    return [
        (float(loss), gradient, new_state)
        for loss, gradient, new_state in zip(result.loss, result.vector, result.state, strict=True)
    ]


def finish_iteration(run: Run, searches: Sequence[Search], changed: Sequence[Search]) -> str | None:
    """End an epoch: those that `changed` did an iteration. The reason to stop, if there is one."""
    run.begin_epoch()
    for search in changed:
        run.state.parameters[search.member] = search.parameters
        run.state.state[search.member] = search.state
    run.state.step += 1
    return run.finish_epoch(sum(search.loss for search in searches) / len(searches), 1.0)


def minimize(run: Run) -> str:
    """Iterate until SciPy is content, the epochs are done, or a rule stops it; the reason."""
    from chainrule.training.side_by_side import search_together

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
