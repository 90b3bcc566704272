"""One member's search by L-BFGS: its vector, its evaluations, and the end of an iteration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.arrays import Array, Doubles, is_finite
from chainrule.optimizers import LBFGS
from chainrule.training.run import Run

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
        if self._evaluations == 1:  # SciPy searches on after others
            if not np.isfinite(loss):
                raise self.run.diverged("the loss", self.run.plan.data, self.member)
            if not is_finite(gradient):
                raise self.run.diverged("the gradient", self.run.plan.data, self.member)
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
