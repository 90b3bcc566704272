"""Mistakes in the update of a parameter: `W+` and `b+`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from chainrule.arrays import Array, Doubles
from chainrule.explain.formula import Number, evaluate, read_formula
from chainrule.explain.formula.grammar import options_of
from chainrule.explain.marking.mistakes.attempt import Attempt
from chainrule.explain.network.learned import Updated
from chainrule.explain.quantities.recipes import FunctionOf
from chainrule.explain.quantities.rounding import Spread, through
from chainrule.parameters import ParameterRun


def learning_rate_missing(a: Attempt) -> Iterator[Spread]:
    """The whole gradient subtracted."""
    yield from _other_update(a, rate=1.0)


def gradient_ascent(a: Attempt) -> Iterator[Spread]:
    """The step added instead of subtracted."""
    if not _has_update(a):
        return
    own, right = a.view.lookup(a.recipe.inputs[0]), a.right
    yield Spread(*(2 * own.point - end for end in (right.point, right.high, right.low)))
    yield from _other_update(a, sign=-1.0)


def _has_update(a: Attempt) -> bool:
    return isinstance(a.kind, Updated) and isinstance(a.recipe, FunctionOf)


def _remembered(a: Attempt) -> tuple[Array, ParameterRun]:
    """What the optimizer remembers of the number, and how it treats it."""
    assert isinstance(a.kind, Updated)
    _, span = a.graph.parameter_steps[a.kind.of, a.name.layer]
    flat = span.offset + int(np.ravel_multi_index([i - 1 for i in a.name.index], span.shape))
    return a.graph.trace.memory(flat), a.graph.trace.objective.run_at(span.offset)


def _other_update(a: Attempt, rate: float | None = None, sign: float = 1.0) -> Iterator[Spread]:
    if not _has_update(a):
        return
    trace, (remembered, run) = a.graph.trace, _remembered(a)

    def function(points: Doubles) -> Array:
        w, g = points[:, 0].copy(), sign * points[:, 1]
        trace.update(run, w, g, np.repeat(remembered, len(points), axis=1), rate)
        return w

    yield through(function, [a.view.lookup(name) for name in a.recipe.inputs])


def bias_correction_missing(a: Attempt) -> Iterator[Spread]:
    """The running means of Adam as they are, without the correction for their start."""
    first, second = " / (1 - beta1^t)", " / (1 - beta2^t)"
    yield from _update_by(a, lambda text: text.replace(first, "").replace(second, ""))
    yield from _update_by(a, lambda text: text.replace(first, ""))
    yield from _update_by(a, lambda text: text.replace(second, ""))


def epsilon_inside_root(a: Attempt) -> Iterator[Spread]:
    """sqrt(s + epsilon) for sqrt(s) + epsilon."""
    yield from _update_by(a, lambda text: text.replace(") + epsilon)", " + epsilon))"))


def _update_by(a: Attempt, change: Callable[[str], str]) -> Iterator[Spread]:
    if not _has_update(a):
        return
    trace, (remembered, run) = a.graph.trace, _remembered(a)
    optimizer = trace.optimizer.decayed(run.decay_factor)
    text = optimizer.step_formula(trace.optimizer_step)
    if change(text) == text:
        return
    tree = read_formula(change(text)).right
    numbers = {key: node.value for key, node in options_of(optimizer).items() if isinstance(node, Number)}
    numbers |= dict(zip(optimizer.slot_letters, remembered[:, 0], strict=False))
    numbers |= {"rate": trace.rate * run.rate_factor, "t": float(trace.optimizer_step)}

    def function(points: Doubles) -> Array:
        return evaluate(tree, {**numbers, "w": points[:, 0], "g": points[:, 1]})

    yield through(function, [a.view.lookup(name) for name in a.recipe.inputs])
