"""Gradient descent: epochs of an engine's steps, each over a batch of rows."""

from __future__ import annotations

from math import gcd

from chainrule.engines.contract import Job, Outcome, Sums
from chainrule.errors import InputError
from chainrule.training.feed import Feed, Part, feed
from chainrule.training.run import Callback, Run
from chainrule.training.scheduled import rates, scheduled


def descend(run: Run) -> str:
    """Do epochs until there are no more, or a rule stops them; the reason."""
    plan, state = run.plan, run.state
    state.steps_per_epoch, state.total_steps = plan.steps_per_epoch, plan.epochs * plan.steps_per_epoch
    with feed(run) as rows:
        while run.epoch <= plan.epochs:
            run.begin_epoch()
            reason = _steps(run, rows)
            if reason is not None:
                return reason
            assert state.partial is not None
            loss = state.partial.mean_loss(plan.engine.objective)
            reason = run.finish_epoch(loss, state.rate)
            if reason is not None:
                return reason
    return "epochs"


def _steps(run: Run, rows: Feed) -> str | None:
    """The rest of the epoch at hand; a reason if it was stopped before its end."""
    plan, state = run.plan, run.state
    n_rows = rows.order().shape[1]
    if not n_rows:
        raise InputError("the row order that `shuffle` returned has one row, and batch normalization needs two")
    n_steps = -(-n_rows // plan.batch_size)
    if state.batch > n_steps:
        raise InputError(
            f"resume=True: the interrupted epoch had done {state.batch} steps, but these rows make "
            f"{n_steps} in all; hand in the same rows and batch_size"
        )
    watched = [callback for callback in plan.callbacks if callback.watches_steps]
    if state.partial is None:
        state.partial = Sums.zeros(len(state.parameters), len(plan.engine.objective.heads))
    while state.batch < n_steps:
        part = rows.part(state.batch, 1 if watched else n_steps - state.batch)
        outcome = _do(run, part)
        if outcome.diverged is not None:
            begin = outcome.diverged * plan.batch_size
            batch = part.data.take(part.order[outcome.diverged_member, begin : begin + plan.batch_size])
            raise run.diverged("the loss", batch, outcome.diverged_member)
        answers = [callback.on_step(run) for callback in watched]
        if any(answers):
            return "a callback"
        if outcome.stopped and state.batch < n_steps:
            return run.stop_reason()
    return None


def _do(run: Run, part: Part) -> Outcome:
    """Have the engine do steps: it takes what they change, and gives it back when they are done or broken off."""
    plan, state = run.plan, run.state
    assert state.partial is not None
    of_steps = rates(plan.optimizer, state, part.steps)
    job = Job(
        part.data, part.order, plan.batch_size, of_steps, state.step, state.partial, plan.optimizer, plan.seed,
        plan.clip_norm, run.should_stop, state.memory_from,
        scheduled(plan.engine.network, plan.optimizer, state, part.steps),
        gcd(*(every for _, every in _measuring(run))),
    )  # fmt: skip
    vectors = state.parameters, state.state, state.slots
    plan.engine.load(*vectors)
    try:
        outcome = plan.engine.run(job)
    finally:
        plan.engine.store(*vectors)
    state.partial = outcome.sums
    state.step += outcome.steps
    state.batch += outcome.steps
    if outcome.steps:
        state.rate = float(of_steps[outcome.steps - 1])
    for callback, every in _measuring(run):
        if outcome.vitals is not None:
            callback.on_vitals(run, outcome.vitals.each(every))
    return outcome


def _measuring(run: Run) -> list[tuple[Callback, int]]:
    """The callbacks that want steps measured, and how many steps lie between."""
    return [(callback, callback.measures_every) for callback in run.plan.callbacks if callback.measures_every]
