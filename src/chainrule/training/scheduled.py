"""What follows schedules in the steps of a fit: learning rates, weight decay, dropout."""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Doubles, Order
from chainrule.engines.contract import Scheduled
from chainrule.errors import InputError
from chainrule.layers import Layer
from chainrule.limits import NUMBER
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.schedules import Schedule
from chainrule.training.state import TrainingState


def rates(optimizer: Optimizer, state: TrainingState, n_steps: int = 1) -> Doubles:
    """The learning rates of the next steps of a run."""
    values = _values(optimizer.schedule, state, n_steps)
    return values * state.plateau["scale"] if "scale" in state.plateau else values


def scheduled(network: Network, optimizer: Optimizer, state: TrainingState, n_steps: int = 1) -> Scheduled:
    """What else follows a schedule in the next steps of a run.

    Raises:
        InputError: a schedule has led a number out of its limits.
    """
    decay = optimizer.decay_schedule
    decays = None if decay is None else _within(optimizer, "weight_decay", decay, state, n_steps)
    numbers = {
        step.index: _within(step.layer, "rate", step.layer.schedule, state, n_steps) for step in network.scheduled_steps
    }
    return Scheduled(decays, numbers)


def _values(schedule: Schedule, state: TrainingState, n_steps: int) -> Doubles:
    done = state.step - state.first_step
    steps: Order = np.arange(done, done + n_steps)
    return np.asarray(schedule.rates(steps, state.steps_per_epoch, state.total_steps), np.float64)


def _within(owner: Optimizer | Layer, name: str, schedule: Schedule, state: TrainingState, n_steps: int) -> Doubles:
    values, limit = _values(schedule, state, n_steps), owner.limits.get(name, NUMBER)
    for worst in (values.min(), values.max()):
        if not limit.holds(worst):
            raise InputError(
                f"{type(owner).__name__}: {schedule.name} makes {name} {worst:g} in a step of this fit; "
                f"it must be {limit}"
            )
    return values
