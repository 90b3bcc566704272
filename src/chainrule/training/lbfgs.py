"""L-BFGS: SciPy's iterations over our loss and gradient; each iteration is an epoch of the one training loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.errors import TrainingError
from chainrule.optimizers import LBFGS

if TYPE_CHECKING:
    from chainrule.training.loop import Run

Vector = Doubles


class _Objective:
    """Loss and gradient as functions of the trainable parameters, as SciPy wants them."""

    def __init__(self, run: Run):
        self.run = run
        self.runs = run.plan.trainable
        self.evaluations = 0
        self.parameters = run.state.parameters.copy()
        self.last: dict[bytes, tuple[float, Array]] = {}

    def vector(self) -> Vector:
        """The trainable parameters."""
        return np.concatenate([self.parameters[0, part] for part in self.runs]).astype(np.float64)

    def place(self, x: Vector) -> None:
        """Write trainable parameters back into the whole vector."""
        begin = 0
        for part in self.runs:
            size = part.stop - part.start
            self.parameters[0, part] = x[begin : begin + size]
            begin += size

    def __call__(self, x: Vector) -> tuple[float, Vector]:
        """The loss and its gradient at x, over all rows as one batch."""
        plan, state = self.run.plan, self.run.state
        if self.run.should_stop():
            raise StopIteration
        self.place(x)
        self.evaluations += 1
        result = plan.engine.gradients(
            self.parameters, state.state, plan.data, training=True, seed=plan.seed, step=state.step
        )
        loss = float(result.loss[0])
        if not np.isfinite(loss) and self.evaluations == 1:
            raise self.run.divergence_error(plan.data)
        self.last = {x.tobytes(): (loss, result.state)}
        gradient = np.concatenate([result.vector[0, part] for part in self.runs]).astype(np.float64)
        return loss, gradient


def minimize(run: Run) -> str:
    """Iterate until SciPy is content, the epochs are done, or a rule stops it; the reason."""
    from scipy.optimize import minimize as scipy_minimize

    plan, state = run.plan, run.state
    optimizer = plan.optimizer
    assert isinstance(optimizer, LBFGS)
    for step in plan.engine.network.steps:
        if step.layer.is_random:
            raise TrainingError(
                f'L-BFGS refuses dropout (layer "{step.name}"): it compares losses between evaluations, and a new '
                "random mask each time changes the loss itself. Train with Adam or SGD, or leave the dropout out"
            )
    objective = _Objective(run)
    reasons: list[str] = []

    def after_iteration(x: Vector) -> None:
        loss, new_state = objective.last.get(x.tobytes()) or (objective(x)[0], state.state)
        objective.place(x)
        run.begin_epoch()
        state.parameters[...] = objective.parameters
        state.state[...] = new_state
        state.step += 1
        reason = run.finish_epoch(loss, 1.0)
        if reason is not None:
            reasons.append(reason)
            raise StopIteration

    remaining = plan.epochs - (run.epoch - 1)
    options = {
        "maxiter": remaining, "maxcor": optimizer.memory, "maxfun": optimizer.max_evaluations,
        "gtol": optimizer.gradient_tolerance, "ftol": optimizer.loss_tolerance,
    }  # fmt: skip
    try:
        result = scipy_minimize(
            objective, objective.vector(), method="L-BFGS-B", jac=True, callback=after_iteration, options=options
        )
    except StopIteration:
        return run.stop_reason()
    if reasons:
        return reasons[0]
    run.solver_result = result
    if run.epoch > plan.epochs:
        return "epochs"
    return f"L-BFGS: {str(result.message).lower()}"
