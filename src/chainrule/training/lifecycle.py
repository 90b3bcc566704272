"""A fit from its first callback to its last: the run, driven by gradient descent or by L-BFGS."""

from __future__ import annotations

import numpy as np

from chainrule.training.descent import descend
from chainrule.training.interrupt import interruptible
from chainrule.training.run import Run


def train(run: Run) -> None:
    """Run until the epochs are done or something stops; the state is complete at every moment outside a step.

    Raises:
        DivergenceError: the loss, a weight or a running statistic became NaN or infinite.
    """
    try:
        with (
            interruptible(run.plan.halt) as run.interrupt,
            np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"),
        ):
            for callback in run.plan.callbacks:
                callback.on_start(run)
            if run.plan.optimizer.full_batch:
                from chainrule.training.lbfgs import minimize  # few need it, and it takes a while to load

                run.finish(minimize(run))
            else:
                run.finish(descend(run))
            for callback in run.plan.callbacks:
                callback.on_end(run)
    finally:
        for callback in run.plan.callbacks:
            callback.on_exit()
